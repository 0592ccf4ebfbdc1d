"""Which responses, reflections and questions count: held against a second, slow reading of the rules."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.formats import FORMATS
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import joined, read
from skill_factory.judge.judge import judge, judge_questions, questions, reach, usable_for
from skill_factory.judge.reflections import CORRECT, INCORRECT, MISSING, banned, tagged_verdict, verdict_rule
from skill_factory.judge.responses import escape_block_tags, final_answer, last_answer, last_boxed
from skill_factory.recipe.model import Answers, Filters, Recipe, Tags, Verdicts
from skill_factory.tally import Tally
from tests import raw_rules
from tests.make_raw import Row, row, verdict
from tests.nasty_rows import GOOD_ROW, recipe, table

# ------------------------------------------------------------------------------------ against the slow reading


def judged(rows: list[Row], asked: Recipe) -> Tally:
    """The tally of some rows."""
    facts = read(table(rows), asked).facts
    return tally_judgement(facts, judge(facts, asked), asked)


def pools(rows: list[Row], asked: Recipe) -> dict[str, list[Any]]:
    """Question → its kept responses, each with text, label, answer, variant and kept reflections."""
    reading = read(table(rows), asked)
    found = {}
    for _, question in questions(reading, judge(reading.facts, asked), asked.traces.seed):
        found[question.text] = sorted(
            (one.text, one.correct, one.answer.strip(), one.variant, sorted(r.text for r in one.reflections))
            for one in question.responses
        )
    return found


def with_bare_answers(rows: list[Row]) -> list[Row]:
    """The rows with no white space around their extracted answers: the slow reading compares answers as they stand."""
    bare = [
        dict(one, extracted_answer=one["extracted_answer"] and one["extracted_answer"].strip())
        for one in rows
    ]
    return [dict(one, response=one["response"].replace("<answer> 1 <", "<answer>1<")) for one in bare]


OPTIONS = st.builds(
    raw_rules.Options,
    attempts=st.integers(1, 3),
    variants=st.sampled_from([(), ("original",), ("original", "rephrase")]),
    distinct_variants=st.booleans(),
    ban=st.sampled_from([(), ("fast",), ("idea", "fast")]),
    ban_substrings=st.booleans(),
)


@given(st.lists(GOOD_ROW, max_size=14), OPTIONS)
def test_the_filter_is_the_slow_one(rows: list[Row], options: raw_rules.Options) -> None:
    """Same kept responses, reflections and questions, and the same ledger, as plain loops over the rows give."""
    rows = with_bare_answers(rows)
    asked = recipe(
        filters={"variants": options.variants, "ban": options.ban, "ban_substrings": options.ban_substrings},
        traces={"attempts": options.attempts, "distinct_variants": options.distinct_variants},
    )
    slow = raw_rules.filter_raw(rows, options)
    tally = judged(rows, asked)
    for level in ("responses", "reflections", "questions"):
        counted = Counter({"kept": tally.ledger[level].kept, **tally.ledger[level].dropped})
        assert +counted == +slow.ledger[level], level
        assert tally.ledger[level].read == counted.total()
    kept = {
        q: sorted(
            (r.text, r.correct, r.answer.strip(), r.variant or "", sorted(r.reflections)) for r in found
        )
        for q, found in slow.usable.items()
    }
    assert pools(rows, asked) == kept


@given(st.lists(GOOD_ROW, max_size=14), st.integers(0, 14), st.data())
def test_facts_of_parts_join_to_the_facts_of_the_whole(
    rows: list[Row], cut: int, data: st.DataObject
) -> None:
    """A source read in two pieces is judged as one read at once, whatever variants each piece knew."""
    asked = recipe(traces={"attempts": data.draw(st.integers(1, 3))})
    whole = judged(rows, asked)
    parts = joined([read(table(part), asked).facts for part in (rows[:cut], rows[cut:])])
    assert tally_judgement(parts, judge(parts, asked), asked).to_json() == whole.to_json()


@given(st.lists(GOOD_ROW, max_size=12), st.sampled_from(["*C_full", "algorithm1"]), st.booleans())
def test_reach_says_what_each_n_would_leave(rows: list[Row], code: str, distinct: bool) -> None:
    """The number of usable questions at N is the one a recipe with that N gets."""
    traces = {"formats": [code], "distinct_variants": distinct}
    facts = read(table(rows), recipe()).facts
    shown = reach(judge(facts, recipe(traces=traces)), recipe(traces=traces), FORMATS[code].needs, 4)
    for n, number in enumerate(shown, 1):
        asked = recipe(traces={**traces, "attempts": n})
        found = judge(facts, asked)
        assert (
            number
            == int((found.question_code == 0).sum())
            == int(usable_for(found, asked, FORMATS[code].needs).sum())
        )


TRACES = st.fixed_dictionaries(
    {
        "attempts": st.integers(1, 4),
        "formats": st.lists(st.sampled_from(["*C_full", "algorithm1"]), min_size=1, unique=True),
        "distinct_variants": st.booleans(),
    }
)


@given(st.lists(GOOD_ROW, max_size=12), TRACES, TRACES, st.sampled_from([(0.0, 1.0), (0.4, 0.8)]))
def test_other_traces_of_the_same_filters_need_no_second_look_at_the_texts(
    rows: list[Row], before: dict[str, Any], now: dict[str, Any], window: tuple[float, float]
) -> None:
    """Judging the questions alone gives the judgement of all."""
    facts = read(table(rows), recipe()).facts
    asked = recipe(traces=now, balance={"pass_rate": window})
    again = judge_questions(facts, judge(facts, recipe(traces=before)), asked)
    whole = judge(facts, asked)
    for field in fields(whole):
        assert getattr(again, field.name).tolist() == getattr(whole, field.name).tolist(), field.name


# ------------------------------------------------------------------------------------------- twins


def good(text: str, right: bool = True, **more: Any) -> Row:
    """A response that counts."""
    return row("Q", f"{text} <answer>1</answer>", right, **more)


def only_question(rows: list[Row], **parts: Any) -> Any:
    """The one usable question of some rows."""
    reading = read(table(rows), recipe(traces={"attempts": 1}, **parts))
    ((_, question),) = questions(reading, judge(reading.facts, recipe(traces={"attempts": 1}, **parts)), 0)
    return question


@pytest.mark.parametrize("turned", [False, True])
def test_twins_are_one_with_all_their_reflections(turned: bool) -> None:
    """Equal responses of a question are one: the smallest variant, the union of the reflections, in any row order."""
    rows = [
        good("a", variant="rephrase", reflections=[verdict(True, "x"), verdict(True, "y")]),
        good("a", variant="original", reflections=[verdict(True, "y"), verdict(True, "z")]),
        good("a", variant=None, reflections=[verdict(False)]),
    ]
    (one,) = only_question(rows[::-1] if turned else rows).responses
    assert one.variant == "original"
    assert sorted(r.text[0] for r in one.reflections) == ["x", "y", "z"]


@pytest.mark.parametrize("turned", [False, True])
def test_of_twins_whose_answers_differ_in_white_space_one_is_chosen_whatever_the_order(turned: bool) -> None:
    """White space does not make answers differ, nor may the order of rows say which of the two is shown."""
    rows = [good("a", extracted=" 1"), good("a", extracted="1"), good("a", extracted="1\n")]
    (one,) = only_question(rows[::-1] if turned else rows).responses
    assert one.answer == " 1"


def test_twins_of_two_questions_are_no_twins() -> None:
    """The same response to another question is another response."""
    rows = [good("a"), dict(good("a"), question="Other")]
    assert judged(rows, recipe(traces={"attempts": 1})).ledger["responses"].kept == 2


def test_ids_that_begin_alike_are_in_order_all_the_same() -> None:
    """Responses and reflections stand by id, even if ids differ in their last bits alone."""
    rows = [
        dict(
            good(f"try {k}", reflections=[verdict(True, f"{k} {j}") for j in range(5)]), question=f"Q {k % 3}"
        )
        for k in range(12)
    ]
    asked = recipe(traces={"attempts": 1})
    reading = read(table(rows), asked)
    ids = np.arange(60, dtype=np.uint64)[::-1]
    facts = replace(reading.facts, reflection_id=ids, response_id=ids[:12])
    alike = replace(reading, facts=facts)
    for _, question in questions(alike, judge(facts, asked), 0):
        held = [one.id for one in question.responses]
        assert len(held) == 4 and held == sorted(held)
        for one in question.responses:
            said = [reflection.id for reflection in one.reflections]
            assert len(said) == 5 and said == sorted(said)


# -------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<answer>1</answer>", "1"),
        ("<answer>1</answer> <answer> 2\n</answer> tail", " 2\n"),
        ("<answer>1<answer>2</answer>", "2"),
        ("<answer>1</answer> </answer>", "1</answer> "),
        ("<answer>1</answer> <answer>open", "1"),
        ("</answer><answer>", None),
        ("none", None),
    ],
)
def test_the_last_answer_stands_before_the_last_closing_tag(text: str, found: str | None) -> None:
    """Between the last `</answer>` and the nearest `<answer>` before that."""
    assert last_answer(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{1} \boxed{\frac{1}{2}} end", r"\frac{1}{2}"),
        (r"\boxed{open", None),
        (r"\boxed{}", ""),
        ("none", None),
    ],
)
def test_the_last_box_is_balanced(text: str, found: str | None) -> None:
    r"""The content of the last `\boxed{…}` with its own braces."""
    assert last_boxed(text) == found


RESPONSE = r"\boxed{5} A: 6 <answer>7</answer>"


@pytest.mark.parametrize(
    ("rules", "pattern", "extracted", "correct", "found"),
    [
        (["column", "tag"], "", "4", True, "4"),
        (["column", "tag"], "", " ", True, "7"),
        (["column", "tag"], "", None, True, "7"),
        (["boxed", "tag"], "", "4", True, "5"),
        (["regex"], r"A: (\d)", "4", True, "6"),
        (["regex"], r"\d", "4", True, "7"),
        (["regex"], r"B: (\d)", "4", True, None),
        (["gold"], "", "4", True, "gold"),
        (["gold"], "", "4", False, None),
        (["gold", "column"], "", "4", False, "4"),
    ],
)
def test_the_answer_rule_is_the_first_that_finds_something(
    rules: list[str], pattern: str, extracted: str | None, correct: bool, found: str | None
) -> None:
    """Column, tag, box, pattern or gold answer, in the order the recipe gives; white space is no answer."""
    find = final_answer(Answers(rules=rules, pattern=pattern))
    assert find(RESPONSE, extracted, "gold", correct) == found


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("<verdict>Correct</verdict>", CORRECT),
        ("<verdict> inCORRECT\n</verdict>", INCORRECT),
        ("<verdict>Correct</verdict> <verdict>Incorrect</verdict>", CORRECT),
        ("</verdict> <verdict>Incorrect</verdict>", INCORRECT),
        ("<verdict>Correct", MISSING),
        ("<verdict>Correct.</verdict>", MISSING),
        ("<verdict></verdict>", MISSING),
        ("Correct", MISSING),
    ],
)
def test_the_first_verdict_tag_counts(text: str, meant: int) -> None:
    """Its text without white space at the edges, in any case; anything else is missing."""
    assert verdict_rule(Verdicts())(text, "") == meant
    assert (tagged_verdict(text) is None) <= (meant == MISSING)


def test_verdicts_by_column_and_by_pattern() -> None:
    """A recipe may read the verdict from a column, or by a pattern with words of its own."""
    by_column = verdict_rule(Verdicts(rule="column", correct=("yes",), incorrect=("no",)))
    assert [by_column("<verdict>Correct</verdict>", said) for said in (" YES", "no", "")] == [
        CORRECT,
        INCORRECT,
        MISSING,
    ]
    by_pattern = verdict_rule(
        Verdicts(rule="regex", pattern="(?i)it is (right|wrong)", correct=("right",), incorrect=("wrong",))
    )
    assert [by_pattern(text, "") for text in ("It is right, it is wrong", "IT IS WRONG", "is it?")] == [
        CORRECT,
        INCORRECT,
        MISSING,
    ]


@pytest.mark.parametrize(
    ("text", "whole", "anywhere"),
    [
        ("an IDEA", True, True),
        ("ideal", False, True),
        ("idea.", True, True),
        ("breakfast", False, True),
        ("no idea_s", False, True),
        ("nothing", False, False),
        ("C++ rocks", True, True),
        ("(C++)", True, True),
    ],
)
def test_banned_words_are_whole_unless_asked_otherwise(text: str, whole: bool, anywhere: bool) -> None:
    """Whole words in any case by default, also words that end in signs; substrings on request."""
    ban = ("idea", "fast", "c++")
    assert banned(Filters(ban=ban))(text) is whole
    assert banned(Filters(ban=ban, ban_substrings=True))(text) is anywhere
    assert banned(Filters())(text) is False


@pytest.mark.parametrize(
    ("part", "dropped"),
    [
        ({"filters": {"response_chars": [30, 0]}}, {"too_short": 1}),
        ({"filters": {"response_chars": [0, 30]}}, {"too_long": 1}),
        ({"filters": {"response_chars": [0, 0]}}, {}),
        ({"tags": {"sample": "b"}}, {"block_tags": 1}),
    ],
)
def test_length_limits_and_own_tags(part: dict[str, Any], dropped: dict[str, int]) -> None:
    """Limits hold at their ends; a text is refused for the tags that this recipe writes."""
    rows = [good("x" * (30 - len(" <answer>1</answer>"))), good("short <b>"), good("x" * 12)]
    rows = rows[:2] if "tags" in part or part["filters"]["response_chars"][0] else [rows[0], good("x" * 12)]
    assert judged(rows, recipe(traces={"attempts": 1}, **part)).ledger["responses"].dropped == dropped


@given(st.text(alphabet=list("<>/samplethink \n")), st.sampled_from([Tags(), Tags(sample="a-b")]))
def test_an_escaped_text_holds_no_tag_and_loses_nothing(text: str, tags: Tags) -> None:
    """Escaping changes the `<` of block tags alone."""
    made = escape_block_tags(text, tags)
    assert not re.search(f"</?({tags.think}|{tags.sample}|{tags.reflect})>", made)
    assert made.replace("&lt;", "<") == text.replace("&lt;", "<")


def test_a_recipe_may_escape_block_tags_instead_of_dropping_the_text() -> None:
    """With `escape` the response counts, its tag made harmless."""
    rows = [good("a </sample> b", reflections=[verdict(True, "<think>")])]
    (one,) = only_question(rows, filters={"block_tags": "escape"}).responses
    assert one.text.startswith("a &lt;/sample> b")
    assert one.reflections[0].text.startswith("&lt;think>")


WINDOW: list[tuple[tuple[float, float], Callable[[float], bool]]] = [
    ((0.0, 1.0), lambda share: True),
    ((0.5, 0.5), lambda share: share == 0.5),
    ((0.3, 1.0), lambda share: share >= 0.3),
]


@pytest.mark.parametrize(("window", "inside"), WINDOW)
@pytest.mark.parametrize("right", [1, 2, 3, 4])
def test_the_pass_rate_window_holds_at_its_ends(window: Any, inside: Any, right: int) -> None:
    """A question's share of right responses among its kept ones lies in the window, ends included."""
    rows = [good(f"a{k}", k < right) for k in range(4)]
    kept = (
        judged(rows, recipe(traces={"attempts": 1}, balance={"pass_rate": window})).ledger["questions"].kept
    )
    assert kept == inside(right / 4)


def test_a_variant_for_every_row_is_no_crash() -> None:
    """A column of forty thousand names mapped as prompt variant is read like any other."""
    rows = [good(f"a{k}", variant=f"v{k}") for k in range(40_000)]
    tally = judged(rows, recipe(traces={"attempts": 2, "distinct_variants": True}))
    assert tally.ledger["questions"].kept == 1


def test_a_variant_named_like_the_missing_one_is_counted_too() -> None:
    """The literal name `(none)` and a missing variant share their number; neither is lost."""
    rows = [good("a", variant=None), good("b", variant="(none)")]
    assert judged(rows, recipe(traces={"attempts": 1})).counts["labels"].total() == 2
