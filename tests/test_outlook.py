"""What a recipe would give, held against what the build then gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import Partition, build_partition
from skill_factory.formats import FORMATS
from skill_factory.insight.expected import TEACHES, outlook, questions_able, why_not
from skill_factory.model import TraceFormat
from skill_factory.reasons import Level
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import CANONICAL
from tests.make_raw import FIELDS, Row, row

MAPPED = Recipe(columns=Columns(**{field: field for field in FIELDS}))
EXACT = [code for code in FORMATS if code != TraceFormat.ALGORITHM_1]


def question(name: str, right: int, wrong: int, variants: int = 1) -> list[Row]:
    """Different responses to one question, each with a critique that judges it rightly."""
    return [
        row(
            name,
            f"{name} try {k} <answer>{k}</answer>",
            k < right,
            extracted=str(k),
            variant=f"v{k % variants}",
        )
        for k in range(right + wrong)
    ]


def built(rows: list[Row], recipe: Recipe) -> Partition:
    """The partition of some raw rows, with every trace made and counted."""
    part = build_partition(canonical(rows, recipe.columns).table.cast(CANONICAL), recipe)
    for _ in part.traces:
        pass
    return part


pools = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(pools, st.sampled_from(EXACT), st.integers(1, 7), st.integers(1, 3), st.booleans())
def test_the_outlook_counts_what_the_build_writes(
    pools: list[tuple[int, int]], code: str, n: int, repeats: int, drawn: bool
) -> None:
    """For every format but Algorithm 1, whose sizes are drawn: the very number of traces, and of questions."""
    rows = [one for k, (right, wrong) in enumerate(pools) for one in question(f"q{k}", right, wrong)]
    if not rows:
        return
    recipe = MAPPED.changed(
        {
            "traces.formats": (code,),
            "traces.attempts": n,
            "traces.repeats": repeats,
            "traces.sample_attempts": drawn and n > 1,
        }
    )
    part = built(rows, recipe)
    seen = outlook(part.judgement, recipe)
    assert seen.exact
    assert seen.traces == part.tally.ledger[Level.TRACES].kept
    if not recipe.traces.sample_attempts:
        assert seen.by_label == dict(part.tally.counts["traces_by_label"])


@settings(max_examples=40, deadline=None)
@given(pools, st.sampled_from(list(FORMATS)), st.integers(1, 7))
def test_every_question_is_able_or_has_a_reason(pools: list[tuple[int, int]], code: str, n: int) -> None:
    """Questions that can give a trace of a format and those that can't, by reason, are all there are."""
    rows = [one for k, (right, wrong) in enumerate(pools) for one in question(f"q{k}", right, wrong)]
    if not rows:
        return
    recipe = MAPPED.changed({"traces.formats": (code,), "traces.attempts": n})
    judged = built(rows, recipe).judgement
    can = int(questions_able(judged, recipe, code).sum())
    assert can + sum(why_not(judged, recipe, code).values()) == len(judged.question_code)


@pytest.mark.parametrize("code", list(FORMATS))
def test_what_the_traces_show_is_right_on_average(code: str) -> None:
    """The expected mix is within three standard errors of what 800 draws give."""
    recipe = MAPPED.changed({"traces.formats": (code,), "traces.attempts": 3, "traces.repeats": 800})
    part = built(question("q", 3, 4), recipe)
    seen = outlook(part.judgement, recipe)
    expected = dict(
        zip(TEACHES, (sum(column) for column in zip(*seen.by_attempts.values(), strict=True)), strict=True)
    )
    traces = part.tally.ledger[Level.TRACES].kept
    for shows, number in expected.items():
        found = part.tally.counts["teaches"][f"{code}|{shows}"]
        assert abs(found - number) <= 3 * (traces * 0.25) ** 0.5 + 0.01 * traces


def test_variants_that_must_differ_are_a_reason() -> None:
    """Five responses of two prompt variants give no trace of three different variants."""
    recipe = MAPPED.changed({"traces.distinct_variants": True, "traces.attempts": 3})
    judged = built(question("q", 3, 2, variants=2), recipe).judgement
    assert why_not(judged, recipe, "*C_full") == {"too_few_variants": 1}
    assert outlook(judged, recipe).traces == 0


def test_limits_are_counted() -> None:
    """A limit in all, per question and per label each bound the number."""
    rows = [one for k in range(4) for one in question(f"q{k}", 3, 3)]
    judged = built(rows, MAPPED).judgement
    assert outlook(judged, MAPPED).traces == 20
    assert outlook(judged, MAPPED.changed({"balance.max_traces": 7})).traces == 7
    assert outlook(judged, MAPPED.changed({"balance.per_question": 2})).traces == 8
    assert outlook(judged, MAPPED.changed({"balance.label_limits": {"5C": 1}})).traces == 17


def test_what_only_building_tells_is_not_called_exact() -> None:
    """A cut-off that drops, a demand for wrong attempts and Algorithm 1 make the number an estimate."""
    judged = built(question("q", 3, 3), MAPPED).judgement
    for changes in (
        {"cutoff.tokens": 100, "cutoff.action": "drop"},
        {"balance.min_wrong": 1},
        {"traces.formats": ("algorithm1",)},
    ):
        assert not outlook(judged, MAPPED.changed(changes)).exact
    assert outlook(judged, MAPPED.changed({"cutoff.tokens": 100})).exact, "kept, so the number stands"


def test_nothing_usable_is_nothing() -> None:
    """No right response: no traces, and no share of them is worked out."""
    judged = built(question("q", 0, 4), MAPPED).judgement
    seen = outlook(judged, MAPPED)
    assert (seen.questions, seen.traces, seen.fixing) == (0, 0, 0.0)
