"""Multiple choice: the letters that an answer names, the text beside a letter, and the options that a question lists."""

import re
from typing import NamedTuple

from skill_factory.grading.plain import plain, stated


class Choice(NamedTuple):
    """The letters chosen, and the text of the one that stands beside it (empty: none)."""

    letters: frozenset[str]
    text: str = ""


_ONE = r"(?:\( ?([A-J]) ?\)|\[ ?([A-J]) ?\]|\{ ?([A-J]) ?\}|([A-J]) ?\)?)"
_NAMED = r"(?:(?:the )?(?:correct )?(?:option|choice|answer|letter)s?|选项?|選択肢|정답)"
_SINGLE = re.compile(rf"(?:{_NAMED}(?: is|:|：|是)? ?)?{_ONE} ?(?:选项)?", re.IGNORECASE)
_WITH_TEXT = re.compile(
    rf"(?:{_NAMED} ?)?(?:\(([A-Ja-j])\)|\[([A-Ja-j])\]|([A-Ja-j])[).:]|([A-J]) ?[-]) ?(?=[^ ])(.+)",
    re.IGNORECASE | re.DOTALL,
)
_SEVERAL = re.compile(r"\(?([A-J])\)?(?:(?: ?, ?(?:and )?| ?; ?| ?& ?| and | ?)\(?([A-J])\)?)+")
_UNSURE = re.compile(
    r"(?:^|[^a-z])(?:not|no|nor|never|none|neither|or|wrong|incorrect|false|but|except|maybe|unlikely|both|either|isn't|also|and ?\(?[a-j]\)?)(?![a-z])|\b[a-j]\)|\([a-j]\)",
    re.IGNORECASE,
)
MOST_OPTIONS = 10


def read_choice(text: str) -> Choice | None:
    """The choice that a text names as a whole, or None: `A or B` and `not B` are none, `BD` and `B, D` are two letters."""
    text = stated(text)
    if found := _SINGLE.fullmatch(text):
        return Choice(frozenset(next(one for one in found.groups() if one).upper()))
    if len(text) > 1 and (found := _SEVERAL.fullmatch(re.sub(f"^{_NAMED} ?", "", text, flags=re.IGNORECASE))):
        letters = re.findall("[A-J]", found[0])
        # “BD” is two letters, “BADGE” may be a word: without anything between, six letters are the most.
        tight = found[0].isalpha()
        if len(set(letters)) == len(letters) and not (tight and len(letters) > 6):
            return Choice(frozenset(letters))
    if (found := _WITH_TEXT.fullmatch(text)) and not _UNSURE.search(found[5]):
        letter = next(one for one in found.groups()[:4] if one)
        return Choice(frozenset(letter.upper()), plain(found[5]))
    return None


_OPTION = {
    style: re.compile(pattern)
    for style, pattern in {
        "round": r"(?:^|[\s,;:])\(([A-J])\)[ \t]*",
        "half": r"(?:^|[\s,;:])([A-J])\)[ \t]*",
        "dot": r"(?:^|[\s,;:])([A-J])[.:、．][ \t]*",
        "latex": r"\\(?:text(?:bf)?|mathrm|textbf)\{ ?\(([A-J])\) ?\}[ \t~]*",
    }.items()
}


def read_options(question: str) -> dict[str, str]:
    """The options of a question by letter, from its last list that begins with A; empty where it lists none."""
    if not any(sign in question for sign in ("A)", "A.", "A:", "A、", "A．", "(A")):
        return {}
    # A prompt may show solved questions first; its own options stand last.
    question = question[-6000:]
    best: dict[str, str] = {}
    for pattern in _OPTION.values():
        marks = list(pattern.finditer(question))
        starts = [place for place, mark in enumerate(marks) if mark[1] == "A"]
        for start in starts[-1:]:
            run = [
                mark
                for place, mark in enumerate(marks[start : start + MOST_OPTIONS])
                if mark[1] == chr(65 + place)
            ]
            ends = [mark.start() for mark in run[1:]] + [len(question)]
            found = {mark[1]: _cut(question[mark.end() : end]) for mark, end in zip(run, ends, strict=True)}
            # The style with the longest run from A on: “A.” may also begin a sentence.
            if len(found) > max(1, len(best)):
                best = found
    return best


def _cut(text: str) -> str:
    """One option: up to the next empty line, without what separates it from the next."""
    return (
        re.split(r"\n\s*\n|\n(?=[A-Z][a-z]+:)", text.strip(), maxsplit=1)[0]
        .strip()
        .removesuffix("\\qquad")
        .strip(" ,;\n\\$")
    )
