"""The answer rule and the verdict rule, tried on some rows: with those of reading, the six rules that a person can pick.

Each choice says what it finds; proposed is what agrees best with gold answers and labels, not what is seen first.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from skill_factory.judge.reflections import MISSING, tagged_verdict, verdict_rule
from skill_factory.judge.responses import final_answer
from skill_factory.recipe.model import Answers, Columns, Recipe, Verdicts
from skill_factory.recipe.words import meanings, pairs, word_of
from skill_factory.sources.columns import CanonicalRow, Row, RowError, read_row
from skill_factory.sources.trying import Choice, Rule, tried

TRIED = ("column", "tag", "boxed", "stated", "gold")
"""The answer rules that need no pattern."""
TITLES = {
    "column": "The column of final answers",
    "tag": "The last <answer> … </answer>",
    "boxed": r"The last \boxed{…}",
    "stated": "What the text states (“The answer is 8.”, “#### 8”)",
    "gold": "The gold answer, for right responses",
}
ENOUGH_JUDGED = 5
"""Answers beside gold ones that it takes to distrust a rule."""
GOOD = 0.9
"""The usual rule stays where it finds at least this share of what the best one finds."""


def all_tried(recipe: Recipe, rows: Sequence[Row]) -> dict[Rule, list[Choice]]:
    """The choices of all six rules on some rows of the source, the proposed one of each marked."""
    read = sample_of(recipe.columns, rows)
    found = tried(recipe.columns, rows)
    return found | {
        Rule.ANSWER: try_answers(read),
        Rule.VERDICT: try_verdicts(read, bool(recipe.columns.verdicts)),
    }


def in_force(recipe: Recipe, rows: Sequence[Row]) -> list[Choice]:
    """The choice of each rule that a recipe makes, with what it finds in some rows; what it doesn't make isn't tried."""
    read, tree = sample_of(recipe.columns, rows), recipe.flat()
    # The patterns take longer than all else together, and only a recipe with a pattern can have chosen one.
    verdicts = try_verdicts(read, bool(recipe.columns.verdicts), patterns=recipe.verdicts.rule == "regex")
    chosen: list[Choice] = []
    for choices in (*tried(recipe.columns, rows).values(), try_answers(read), verdicts):
        fitting = [one for one in choices if one.of and _made_by(tree, one)]
        # A special choice stands behind the usual one whose fields it shares.
        chosen += fitting[-1:]
    return chosen


def _made_by(tree: Mapping[str, Any], choice: Choice) -> bool:
    """Whether a recipe's fields are those that make a choice; lists of JSON are tuples in a recipe."""
    return all(_listed(tree[path]) == _listed(value) for path, value in choice.changes.items())


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def sample_of(columns: Columns, rows: Sequence[Row]) -> list[CanonicalRow]:
    """The responses of some rows, labelled or not; rows that can't be read are left out."""
    found: list[CanonicalRow] = []
    for row in rows:
        read = read_row(row, columns, unlabelled=True)
        found += [] if isinstance(read, RowError) else read
    return found


def proposed_changes(columns: Columns, rows: Sequence[Row]) -> dict[str, Any]:
    """Fields of the recipe for the answer rule and the verdict rule that suit some rows; {} where the usual ones do."""
    read = sample_of(columns, rows)
    choices = try_answers(read)
    if not _tags_suffice(read):  # else no other way can find more, and trying them takes longer than the rest
        choices += try_verdicts(read, bool(columns.verdicts))
    return {path: value for one in choices if one.proposed for path, value in one.changes.items()}


# -- answers -------------------------------------------------------------------------------------------------------


def answers_found(table: pa.Table) -> dict[str, tuple[int, int]]:
    """Rule → (responses in which it alone finds an answer, responses), for canonical rows."""
    rows = [
        CanonicalRow("", answer, response, correct, extracted, [], [], None)
        for response, extracted, answer, correct in zip(
            *(table[name].to_pylist() for name in ("response", "extracted", "answer", "correct")), strict=True
        )
    ]
    return {rule: (len(_found_by((rule,), rows)), len(rows)) for rule in TRIED}


def try_answers(rows: Sequence[CanonicalRow]) -> list[Choice]:
    """What each answer rule finds, and the order of rules that is proposed."""
    # An empty response is dropped for that; it would speak against every rule alike.
    rows = [row for row in rows if row.response.strip()]
    of = len(rows)
    found = {rule: _found_by((rule,), rows) for rule in TRIED}
    best = _proposed_rules(rows, found)
    return [
        Choice(
            Rule.ANSWER,
            rule,
            TITLES[rule],
            len(found[rule]),
            of,
            {"answers.rules": best if rule == best[-1] else (rule,)},
            proposed=best != Answers().rules and rule == best[-1],
        )
        for rule in TRIED
    ]


def _found_by(rules: tuple[str, ...], rows: Sequence[CanonicalRow]) -> dict[int, str]:
    find = final_answer(Answers.model_validate({"rules": rules}))
    answers = {k: find(r.response, r.extracted, r.answer, r.correct is True) for k, r in enumerate(rows)}
    return {k: answer for k, answer in answers.items() if answer is not None}


def _proposed_rules(rows: Sequence[CanonicalRow], found: Mapping[str, Mapping[int, str]]) -> tuple[str, ...]:
    """The usual rules, behind them what finds more; a tag that gold answers disprove makes room for what they confirm."""
    usual = Answers().rules
    candidates = [rule for rule in ("column", "tag", "boxed", "stated") if found[rule]]
    agreeing = {rule: _agreement(rows, found[rule]) for rule in candidates}
    if "tag" in candidates and (confirmed := _confirmed_instead(agreeing)):
        return ("column", *confirmed)
    here = {k for rule in usual for k in found[rule]}
    every = {k for rule in candidates for k in found[rule]}
    if len(here) >= GOOD * len(every):
        return usual
    return (*usual, *(rule for rule in candidates if rule not in usual))


def _confirmed_instead(agreeing: Mapping[str, "_Agreement"]) -> list[str]:
    """The rules that agree with gold answers where the tag does not, as one around a whole text."""
    tag = agreeing["tag"]
    if tag.judged < ENOUGH_JUDGED or tag.share > 0.1:
        return []
    return [
        rule
        for rule, one in agreeing.items()
        if rule not in Answers().rules and one.judged >= ENOUGH_JUDGED and one.share >= 0.5
    ]


class _Agreement(NamedTuple):
    judged: int
    share: float


def _agreement(rows: Sequence[CanonicalRow], found: Mapping[int, str]) -> _Agreement:
    """How many found answers stand beside a gold answer, of responses that may be right, and the share that is it."""
    # Of a response known to be wrong a good rule finds an answer that differs.
    judged = [
        (answer, rows[k].answer)
        for k, answer in found.items()
        if rows[k].answer and rows[k].correct is not False
    ]
    same = sum(_same(answer, gold or "") for answer, gold in judged)
    return _Agreement(len(judged), same / len(judged) if judged else 0.0)


def _same(answer: str, gold: str) -> bool:
    """Whether two answers are written alike; what is equal in value alone is the grader's to say."""
    return _plain(answer) == _plain(gold)


def _plain(answer: str) -> str:
    text = re.sub(r"[\s$,{}*`\\]|\.0+$|\.$", "", answer.casefold())
    return text


# -- verdicts ------------------------------------------------------------------------------------------------------

_NAMES = "verdict|judge?ment|conclusion|evaluation|assessment|decision|判断|判定|结论|結論|评价|判決|판정|결론|urteil|ergebnis|verdikt|jugement|conclusión|veredicto|verdetto|вердикт|вывод"


def _words_pattern(languages: set[str]) -> str:
    words = {
        w
        for p in pairs()
        if p.language in languages
        for w in (*p.right, *p.wrong)
        # A single letter (“y”, “t”) is too short to be told from the end of another word.
        if len(w) > 1 or not w.isascii()
    }
    # Longest first: an alternation takes what fits first, and “正” would end “正确” too soon.
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def try_verdicts(
    rows: Sequence[CanonicalRow], by_column: bool = False, patterns: bool = True
) -> list[Choice]:
    """What each way to read a verdict finds in the reflections; without `patterns`, only those by tag and column."""
    reflections = [text for row in rows for text in row.reflections if text.strip()]
    of = len(reflections)
    usual = Choice(
        Rule.VERDICT,
        "tag",
        "<verdict> … </verdict> in the text",
        _hits(Verdicts(), reflections),
        of,
        {"verdicts.rule": "tag"},
    )
    if by_column and of and usual.found < GOOD * of and (stood := _column_words(rows, of)):
        return [usual, stood]
    tries = [usual]
    tries += [_tag_words(reflections)] if of else []
    if not patterns:
        return tries
    # Only languages that are seen: the short words of all of them together would be found in any text.
    languages = {"English"} | _languages(reflections)
    words = _words_pattern(languages)
    for code, title, pattern in (
        (
            "named",
            "The word behind “verdict”, “conclusion” and their like",
            rf"(?is)\A.*(?:{_NAMES})\W{{0,12}}(?:the \w+ is |is )?({words})(?:[^a-z]|\Z)",
        ),
        # Edges are “no Latin letter” instead of \b: Chinese words stand among other letters.
        ("last", "The last word", rf"(?is)(?:\A|[^a-z])({words})(?:\W*\[end\])?\W*\Z"),
        ("first", "The first word", rf"(?is)\A\W*({words})(?:[^a-z]|\Z)"),
    ):
        tries.append(_by_pattern(code, title, pattern, reflections, languages))
    best = max(tries, key=lambda one: one.found)
    if by_column or not of or usual.found >= GOOD * best.found:
        return tries
    return [one if one is not best else _proposed(one) for one in tries]


def _tags_suffice(rows: Sequence[CanonicalRow]) -> bool:
    reflections = [text for row in rows for text in row.reflections if text.strip()]
    return _hits(Verdicts(), reflections) >= GOOD * len(reflections)


def _column_words(rows: Sequence[CanonicalRow], of: int) -> Choice | None:
    """The column of verdicts with its words, where these are known to mean something; None where too few do."""
    known = meanings()
    words = [word.strip().lower() for row in rows for word in row.verdicts]
    read = {word: known[word_of(word)] for word in words if word_of(word) in known}
    right = sorted({"correct", *(word for word, means in read.items() if means)})
    wrong = sorted({"incorrect", *(word for word, means in read.items() if not means)})
    found = sum(word in read for word in words)
    if found < GOOD * of:
        return None
    changes = {
        "verdicts.rule": "column",
        "verdicts.correct": tuple(right),
        "verdicts.incorrect": tuple(wrong),
    }
    title = f"The column of verdicts, where {_quoted(right)} means right and {_quoted(wrong)} wrong"
    return Choice(Rule.VERDICT, "column", title, found, of, changes, True)


def _proposed(one: Choice) -> Choice:
    return Choice(one.rule, one.code, one.title, one.found, one.of, one.changes, True)


def _tag_words(reflections: Sequence[str]) -> Choice:
    """The usual tag with the words that stand in it, where these are known to mean something."""
    known = meanings()
    stood = {word.strip().lower() for text in reflections if (word := tagged_verdict(text)) is not None}
    right = sorted({"correct"} | {word for word in stood if known.get(word_of(word)) is True})
    wrong = sorted({"incorrect"} | {word for word in stood if known.get(word_of(word)) is False})
    changes = {"verdicts.rule": "tag", "verdicts.correct": tuple(right), "verdicts.incorrect": tuple(wrong)}
    rule = Verdicts(correct=tuple(right), incorrect=tuple(wrong))
    title = f"<verdict> … </verdict>, where {_quoted(right)} means right and {_quoted(wrong)} wrong"
    return Choice(Rule.VERDICT, "words", title, _hits(rule, reflections), len(reflections), changes)


def _by_pattern(
    code: str, title: str, pattern: str, reflections: Sequence[str], languages: set[str]
) -> Choice:
    right = tuple(dict.fromkeys(w for p in pairs() if p.language in languages for w in p.right))
    wrong = tuple(dict.fromkeys(w for p in pairs() if p.language in languages for w in p.wrong))
    rule = Verdicts(rule="regex", pattern=pattern, correct=right, incorrect=wrong)
    changes = {
        "verdicts.rule": "regex",
        "verdicts.pattern": pattern,
        "verdicts.correct": right,
        "verdicts.incorrect": wrong,
    }
    return Choice(Rule.VERDICT, code, title, _hits(rule, reflections), len(reflections), changes)


def _hits(rule: Verdicts, reflections: Sequence[str]) -> int:
    judge = verdict_rule(rule)
    return sum(judge(text, "") != MISSING for text in reflections)


def _languages(reflections: Sequence[str]) -> set[str]:
    """Languages of which a word stands near the end of some reflection, beside English."""
    ends = " ".join(text[-60:].lower() for text in reflections[:200])
    return {
        pair.language
        for pair in pairs()
        if pair.language not in ("any", "English")
        and any(re.search(_edged(w), ends) for w in (*pair.right, *pair.wrong))
    }


def _edged(word: str) -> str:
    return rf"(?<!\w){re.escape(word)}(?!\w)" if word[0] < "\u2e80" else re.escape(word)


def words_in_tags(reflections: Sequence[str], most: int = 3) -> list[tuple[str, int]]:
    """What stands in verdict tags, most often first."""
    found = Counter(word.strip() for text in reflections if (word := tagged_verdict(text)) is not None)
    return found.most_common(most)


def _quoted(words: Sequence[str]) -> str:
    return " or ".join(f"“{word}”" for word in words)
