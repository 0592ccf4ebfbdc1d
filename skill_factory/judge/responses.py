"""Which responses count, and what their final answer is."""

import re
from collections.abc import Callable, Sequence

from skill_factory.judge.stated import stated_answer
from skill_factory.recipe.model import Answers, Tags
from skill_factory.recipe.patterns import compiled

AnswerRule = Callable[[str, str | None, str | None, bool], str | None]
"""(response, extracted answer of the column, gold answer, correct) → the answer, or None if the rule finds none."""


def last_answer(text: str) -> str | None:
    """What stands between the last `</answer>` of a text and the nearest `<answer>` before it."""
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, end) if end >= 0 else -1
    return text[start + len("<answer>") : end] if start >= 0 else None


def last_boxed(text: str) -> str | None:
    r"""The content of the last `\boxed{…}` of a text, braces balanced."""
    # From the end: a model boxes partial results on the way, and the final one last.
    start = text.rfind(r"\boxed{")
    depth = 0
    for i in range(start + len(r"\boxed"), len(text)) if start >= 0 else ():
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start + len(r"\boxed{") : i]
    return None


def final_answer(rules: Answers) -> AnswerRule:
    """The answer rule of a recipe: the first rule that finds something other than white space wins."""
    pattern = compiled(rules.pattern) if rules.pattern else None
    known: dict[str, AnswerRule] = {
        "column": lambda text, extracted, gold, correct: extracted,
        "tag": lambda text, extracted, gold, correct: last_answer(text),
        "boxed": lambda text, extracted, gold, correct: last_boxed(text),
        "stated": lambda text, extracted, gold, correct: stated_answer(text),
        "regex": lambda text, extracted, gold, correct: pattern.last(text) if pattern else None,
        # Of a wrong response the gold answer is just what it did not say.
        "gold": lambda text, extracted, gold, correct: gold if correct else None,
    }
    chosen = [known[rule] for rule in rules.rules]

    def find(text: str, extracted: str | None, gold: str | None, correct: bool) -> str | None:
        for rule in chosen:
            answer = rule(text, extracted, gold, correct)
            if answer and not answer.isspace():
                return answer
        return None

    return find


def block_tag_pattern(tags: Tags) -> str:
    """A pattern (RE2 and Python alike) for the tags that would make a trace impossible to read back."""
    names = "|".join(re.escape(name) for name in (tags.think, tags.sample, tags.reflect))
    return f"</?(?:{names})>"


def escape_block_tags(text: str, tags: Tags) -> str:
    """The text with `&lt;` in place of the `<` of each block tag."""
    return re.sub(block_tag_pattern(tags), lambda match: "&lt;" + match[0][1:], text)


def variant_codes(variants: Sequence[str | None]) -> tuple[list[int], tuple[str, ...]]:
    """Each variant as its place among the sorted names; a missing one ("") comes after all that have a name."""
    names = sorted({v for v in variants if v})
    names.append("")
    code = {name: i for i, name in enumerate(names)}
    return [code[v or ""] for v in variants], tuple(names)
