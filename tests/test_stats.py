"""The small tables: they say what the build's own tally says, add up, and never divide by nothing."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import Partition
from skill_factory.formats import FORMATS
from skill_factory.insight import tables
from skill_factory.insight.estimate import Pace, estimate_build
from skill_factory.insight.expected import outlook
from skill_factory.insight.reflection_quality import more_reflections_table, reflections_table
from skill_factory.insight.sentences import (
    balance_finding,
    cutoff_finding,
    drops_finding,
    labels_finding,
    more_reflections_finding,
    reflections_finding,
    teaches_finding,
    yield_finding,
)
from skill_factory.intervals import wilson
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe
from skill_factory.tally import LevelTally, Tally
from tests.make_raw import Row, row, verdict
from tests.test_outlook import MAPPED, built, question


def three_kinds() -> list[Row]:
    """Three questions: all right, all wrong, half and half."""
    return [*question("all", 4, 0), *question("none", 0, 4), *question("half", 2, 2)]


@pytest.fixture(scope="module")
def part() -> Partition:
    return built(three_kinds(), MAPPED.changed({"traces.attempts": 4}))


RECIPE = MAPPED.changed({"traces.attempts": 4})


def test_the_yield_is_one_number_for_each_format_and_n(part: Partition) -> None:
    """Two questions have a right response and four in all; none has five."""
    table = tables.yield_table(part.judgement, RECIPE)
    assert len(table) == len(FORMATS) * tables.MOST_ATTEMPTS
    full = table[table["code"] == "*C_full"].set_index("attempts")["questions"]
    assert full[4] == 2
    assert full[5] == 0
    back = table[table["code"] == "*C*IC"].set_index("attempts")["questions"]
    assert (back[1], back[4]) == (0, 1), "it needs two attempts, and a wrong response"
    assert set(table.loc[table["chosen"], "code"]) == {"*C_full"}


def test_a_format_says_why_a_question_cannot_give_one(part: Partition) -> None:
    """Each question that is left out stands under its first reason, in words."""
    reach = tables.format_reach(part.facts, part.judgement, RECIPE, "*C*IC")
    assert (reach.questions, reach.traces) == (1, 1)
    assert sum(reach.why_not.values()) == 2
    assert "the question has none" in " ".join(tables.why_sentence(reason) for reason in reach.why_not)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_every_question_with_a_response_is_in_one_bar(
    pools: list[tuple[int, int]], ends: tuple[float, float]
) -> None:
    """The bars of the balance add up, and those in the window are what the judgement keeps."""
    rows = [one for k, (right, wrong) in enumerate(pools) for one in question(f"q{k}", right, wrong)]
    if not rows:
        return
    low, high = sorted(ends)
    recipe = MAPPED.changed({"balance.pass_rate": (low, high), "traces.attempts": 1})
    judged = built(rows, recipe).judgement
    table = tables.balance_table(judged, recipe)
    assert table["questions"].sum() == int((judged.question_kept > 0).sum())
    share = judged.question_right / judged.question_kept.clip(1)
    inside = (judged.question_kept > 0) & (share >= low) & (share <= high)
    assert table["inside"].sum() == int(inside.sum())


def test_all_right_and_all_wrong_are_bars_of_their_own(part: Partition) -> None:
    """They teach no retry, so they never mix with the rest."""
    table = tables.balance_table(part.judgement, RECIPE)
    assert dict(zip(table["label"], table["questions"], strict=True))["50–60 % right"] == 1
    assert table.iloc[0]["questions"] == table.iloc[-1]["questions"] == 1
    assert balance_finding(table) == (
        "1 of 3 questions has both right and wrong kept responses; never right: 1, always right: 1"
    )


@pytest.mark.parametrize(
    ("brushed", "window"),
    [
        ((-0.1, 1.1), (0.0, 1.0)),
        ((0.2, 0.8), (0.2, 0.8)),
        ((-0.03, 0.5), (0.01, 0.5)),
        ((0.3, 1.04), (0.3, 0.99)),
        ((1.03, 1.1), (1.0, 1.0)),
        ((-0.1, -0.04), (0.0, 0.0)),
    ],
)
def test_a_brush_is_a_window(brushed: tuple[float, float], window: tuple[float, float]) -> None:
    """The outer bars count when their middle is brushed; the window is never empty."""
    assert tables.window_of(*brushed) == window
    Recipe().changed({"balance.pass_rate": tables.window_of(*brushed)})


def test_drops_add_up_at_each_level(part: Partition) -> None:
    """Kept and dropped are all that was read, kept first, the commonest reason next."""
    table = tables.drops_table(part.tally.ledger)
    for level, rows in table.groupby("level"):
        assert rows["count"].sum() == part.tally.ledger[Level(level)].read
        assert rows["share"].sum() == pytest.approx(1)
        assert list(rows["rank"]) == sorted(rows["rank"])
    assert set(tables.ledger_table(part.tally.ledger)["level"]) == set(table["level"])


def test_the_biggest_loss_is_the_largest_share_of_a_level() -> None:
    """A tenth of the questions outweighs a twentieth of the reflections, though it is fewer."""
    ledger = {level: LevelTally() for level in Level}
    ledger[Level.REFLECTIONS] = LevelTally(200, 190, Counter(no_verdict=10))
    ledger[Level.QUESTIONS] = LevelTally(50, 45, Counter(no_correct_response=5))
    assert tables.biggest_drop(ledger) == (Level.QUESTIONS, "no_correct_response", 5)
    assert drops_finding(ledger).startswith("The biggest loss is 5 questions (10 %), each dropped because")
    assert drops_finding({Level.ROWS: LevelTally(3, 3)}) == "Nothing is dropped"


def test_labels_are_counted_by_variant(part: Partition) -> None:
    """Right and wrong of each variant are its responses, dropped ones too."""
    table = tables.labels_table(part.facts)
    assert list(table["truth"]) == ["right", "wrong"]
    assert list(table["responses"]) == [6, 6]
    assert labels_finding(table) == "50 % of the responses are right"


def reflected_rows() -> list[Row]:
    """Ten right responses of which eight have a reflection that says so, ten wrong ones of which three have."""
    rows = []
    for k in range(20):
        right = k < 10
        good = k < 8 if right else k < 13
        said = verdict(right if good else not right)
        rows.append(row("q", f"try {k} <answer>{k}</answer>", right, [said], extracted=str(k)))
    return rows


def test_reflections_are_measured_on_right_and_wrong_apart() -> None:
    """Eight of ten right ones and three of ten wrong ones have a reflection that agrees with the label."""
    part = built(reflected_rows(), MAPPED)
    table = reflections_table(part.facts, part.judgement)
    assert {(r.truth, r.kept, r.responses) for r in table.itertuples()} == {
        ("right", 8, 10),
        ("wrong", 3, 10),
    }
    assert (table["low"] < table["share"]).all() and (table["share"] < table["high"]).all()
    assert reflections_finding(table).endswith("mistakes are missed more often")


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share_and_stays_a_share(k: int, n: int) -> None:
    """Wilson's interval lies between 0 and 1 and around k / n."""
    k = min(k, n)
    low, high = wilson(k / n, n)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1


def test_more_reflections_bring_back_more_but_never_all_that_were_dropped() -> None:
    """The estimate grows with the number of reflections, and is bounded by what was dropped."""
    part = built(reflected_rows(), MAPPED)
    table = more_reflections_table(part.facts, part.judgement)
    for _, rows in table.groupby("truth"):
        assert list(rows["regained"]) == sorted(rows["regained"])
        assert (rows["regained"] <= rows["dropped"]).all()
    assert "no reflection that judges them correctly" in more_reflections_finding(table)


def test_reflections_that_are_never_right_are_promised_nothing() -> None:
    """Where no reflection of wrong responses was ever right, more of them are estimated to bring back none."""
    rows = [
        row("q", f"try {k} <answer>{k}</answer>", k < 5, [verdict(True)], extracted=str(k)) for k in range(10)
    ]
    part = built(rows, MAPPED)
    table = more_reflections_table(part.facts, part.judgement)
    wrong = table[table["truth"] == "wrong"]
    assert list(wrong["dropped"]) == [5] * 4
    assert list(wrong["regained"]) == [0] * 4


def test_the_cut_off_is_read_off_the_written_lengths(part: Partition) -> None:
    """Everything is longer than nothing, nothing longer than the longest; more attempts, longer traces."""
    table = tables.cutoff_table(part.tally, 3.5)
    for _, rows in table.groupby("attempts"):
        assert rows["longer"].iloc[0] == 1
        assert rows["longer"].iloc[-1] == 0
        assert list(rows["longer"]) == sorted(rows["longer"], reverse=True)
    assert tables.too_long(part.tally, 1, 3.5) == 1
    assert tables.too_long(part.tally, 10**6, 3.5) == 0
    assert cutoff_finding(part.tally, 10**6, 0) == "No trace is longer than 1,000,000 tokens"


def test_what_traces_teach_are_shares_of_each_length(part: Partition) -> None:
    """The segments of each bar are the whole bar."""
    seen = outlook(part.judgement, RECIPE)
    table = tables.teaches_table(seen)
    assert list(table.groupby("attempts")["share"].sum()) == pytest.approx([1] * 4)
    assert teaches_finding(seen).endswith("show a mistake corrected")


def test_findings_of_nothing_are_sentences(part: Partition) -> None:
    """Without a usable question each chart still says so in words."""
    bare = built(question("q", 0, 3), MAPPED)
    assert yield_finding(tables.yield_table(bare.judgement, MAPPED), MAPPED).startswith(
        "Under these settings, no question can be used"
    )
    assert teaches_finding(outlook(bare.judgement, MAPPED)) == "No trace can be made under these settings"
    assert cutoff_finding(Tally(), 4096, 0) == "There are no traces to measure"
    assert reflections_finding(reflections_table(part.facts, part.judgement)).startswith(
        "Reflections recognise"
    )


def test_the_yield_says_where_it_ends(part: Partition) -> None:
    """The title is the answer: how many at this N, and beyond which N there is none."""
    table = tables.yield_table(part.judgement, RECIPE)
    assert yield_finding(table, RECIPE) == (
        "2 questions can be used for “Retry until right, every length (paper)” at N = 4; none beyond that"
    )
    six = RECIPE.changed({"traces.attempts": 6})
    assert yield_finding(table, six).endswith("the largest N that works is 4")


def test_an_estimate_scales_the_measured_pace() -> None:
    """Half a second for 100 rows is 50 seconds for 10,000 in one process, half of it in two, and the start besides."""
    part = built(question("q", 3, 3), MAPPED)
    seen = outlook(part.judgement, MAPPED)
    one = estimate_build(seen, 1, part.tally, Pace(100, 0.5), 10_000, 1)
    two = estimate_build(seen, 1, part.tally, Pace(100, 0.5), 10_000, 2)
    assert (round(one.seconds), round(two.seconds)) == (52, 27)
    assert one.traces == 5 and one.text_bytes > 0
    assert estimate_build(seen, 1, part.tally, Pace(0, 0.0), 0, 2).seconds == 0, (
        "nothing known, nothing promised"
    )


def test_what_a_format_gives_at_each_n_is_what_the_outlook_says(part: Partition) -> None:
    """Traces and corrected mistakes of each format alone; the sentence names the N that gives most."""
    from skill_factory.insight.expected import outlook
    from skill_factory.insight.sentences import gain_finding

    table = tables.gains_table(part.judgement, RECIPE)
    for code in ("*C_full", "*C*IC"):
        rows = table[table["code"] == code].set_index("attempts")
        for n in (1, 2, 4):
            seen = outlook(part.judgement, RECIPE.changed({"traces.formats": (code,), "traces.attempts": n}))
            assert rows.loc[n, "traces"] == seen.traces
            assert rows.loc[n, "corrected"] == round(seen.fixing * seen.traces)
    assert not table[(table["code"] == "0C")]["corrected"].any()
    best = int(table[table["code"] == RECIPE.traces.formats[0]].set_index("attempts")["corrected"].idxmax())
    said = gain_finding(table, RECIPE, "corrected")
    assert f"N = {best}" in said or (best == 4 and "more than at any other N" in said)
