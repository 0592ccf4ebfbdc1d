"""A review: the list is the build's, decisions are kept in the recipe, and every build follows them."""

import json
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import build, build_partition
from skill_factory.build.prepare import ready_recipe
from skill_factory.errors import RecipeError
from skill_factory.formats import FORMATS
from skill_factory.insight.item_html import dropped_html
from skill_factory.insight.review.dropped import dropped_reflections
from skill_factory.insight.review.listing import Asked, Listing, arranged, listing
from skill_factory.insight.review.risks import Risk
from skill_factory.insight.simulated import forecast
from skill_factory.judge.facts import read
from skill_factory.judge.judge import judge
from skill_factory.model import TracePlan
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe, Review, recipe_from_toml
from skill_factory.sources import open_source
from skill_factory.sources.columns import CANONICAL
from skill_factory.traces.decisions import Decision, decided, decision_key, noted
from skill_factory.work.looking import first_bytes
from tests.make_raw import row, verdict, write_parquet

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SOURCE = "demo:30"


@cache
def data() -> tuple[pa.Table, Recipe]:
    """The demo's rows and a recipe for them."""
    source = open_source(SOURCE)
    recipe = ready_recipe(source, Recipe())
    return first_bytes(source, recipe.columns, 10_000_000).cast(CANONICAL), recipe


def plans(recipe: Recipe) -> list[TracePlan]:
    """What a build of the demo makes."""
    return list(build_partition(data()[0], recipe).plans)


def listed(recipe: Recipe) -> Listing:
    """The list of a review."""
    facts = read(data()[0], recipe).facts
    return listing(facts, judge(facts, recipe), recipe)


def recipes() -> st.SearchStrategy[Recipe]:
    """Recipes over the demo with one or two formats, repeats, limits and other words of reflections."""
    return st.builds(
        lambda **changes: data()[1].changed(
            {path.replace("__", "."): value for path, value in changes.items()}
        ),
        traces__formats=st.lists(st.sampled_from(list(FORMATS)), min_size=1, max_size=2, unique=True).map(
            tuple
        ),
        traces__attempts=st.integers(2, 5),
        traces__repeats=st.integers(1, 2),
        balance__drop_duplicates=st.booleans(),
        balance__per_question=st.sampled_from([0, 2]),
        balance__max_traces=st.sampled_from([0, 20]),
        filters__ban=st.sampled_from([(), ("check",)]),
    )


@few
@given(recipes())
def test_the_list_is_what_the_build_makes(recipe: Recipe) -> None:
    """The same traces in the same order, each under the key that the build gives it, without any text."""
    made, found = plans(recipe), listed(recipe)
    assert [found.key(place) for place in range(len(found))] == [decision_key(plan) for plan in made]
    assert [found.truths(place) for place in range(len(found))] == [plan.right for plan in made]
    assert found.whole


@few
@given(recipes(), st.data())
def test_what_was_rejected_leaves_the_build_and_nothing_else(recipe: Recipe, choice: st.DataObject) -> None:
    """Rejected traces are gone and counted under a reason of their own; the others stay as they were."""
    made = plans(recipe.changed({"balance.max_traces": 0}))
    if not made:
        return
    recipe = recipe.changed({"balance.max_traces": 0, "balance.per_question": 0})
    made = plans(recipe)
    rejected = choice.draw(st.lists(st.sampled_from(made), max_size=6))
    accepted = choice.draw(st.lists(st.sampled_from(made), max_size=6))
    keys = tuple(dict.fromkeys(map(decision_key, rejected)))
    others = tuple(key for key in dict.fromkeys(map(decision_key, accepted)) if key not in keys)
    reviewed = recipe.changed({"review.rejected": keys, "review.accepted": others})
    part = build_partition(data()[0], reviewed)
    left = [decision_key(plan) for plan in part.plans]
    assert left == [key for key in map(decision_key, made) if key not in keys]
    gone = sum(key in keys for key in map(decision_key, made))
    assert part.tally.ledger[Level.TRACES].dropped["rejected"] == gone
    counted = part.tally.counts["review"]
    assert (counted["rejected"], counted["accepted"]) == (gone, sum(key in others for key in left))


def test_an_equal_trace_does_not_take_the_place_of_a_rejected_one() -> None:
    """Two formats that draw the same attempts: where one is dropped as a duplicate, it doesn't come back."""
    recipe = data()[1].changed({"traces.formats": ("*C_full", "*C"), "balance.drop_duplicates": True})
    made = plans(recipe)
    key = decision_key(next(plan for plan in made if plan.label == "5C"))
    assert len(plans(recipe.changed({"review.rejected": (key,)}))) == len(made) - 1


def test_a_forecast_counts_without_the_rejected() -> None:
    """The strip says what a build will write, to the trace."""
    recipe = data()[1]
    keys = tuple(decision_key(plan) for plan in plans(recipe)[:4])
    reviewed = recipe.changed({"review.rejected": keys})
    facts = read(data()[0], reviewed).facts
    seen = forecast(facts, judge(facts, reviewed), reviewed)
    assert seen.traces == len(plans(recipe)) - 4 == len(plans(reviewed)) and seen.exact


def test_a_rebuild_follows_the_saved_decisions(tmp_path: Path) -> None:
    """From recipe to TOML and back to a build: the rejected trace isn't there, and card and report say so."""
    recipe = data()[1]
    made = plans(recipe)
    changes = decided(recipe.review, decision_key(made[0]), Decision.REJECTED)
    recipe = recipe.changed(changes)
    recipe = recipe.changed(decided(recipe.review, decision_key(made[1]), Decision.ACCEPTED))
    recipe = recipe.changed(noted(recipe.review, decision_key(made[1]), "Nicely corrected."))
    saved = recipe_from_toml(recipe.to_toml())
    assert saved.review == recipe.review
    built = build(SOURCE, tmp_path / "out", saved, workers=1)
    assert built.report["traces"] == len(made) - 1
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "2 traces reviewed, 1 rejected" in card
    assert "1 because a person read it and rejected it (`rejected`)" in card
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["review"] == {
        "accepted": 1,
        "rejected": 1,
    }


def test_without_a_review_a_recipe_is_the_recipe_it_was() -> None:
    """Builds of before keep their fingerprint; a decision makes another one."""
    recipe = Recipe()
    assert recipe.fingerprint() == recipe.changed({"review.accepted": ()}).fingerprint()
    key = f"{1:016x}-{2:016x}"
    prints = {recipe.changed({path: (key,)}).fingerprint() for path in ("review.accepted", "review.rejected")}
    assert len({*prints, recipe.fingerprint()}) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"review.accepted": ("me",)}, "named by two ids"),
        (
            {"review.accepted": (f"{1:016x}-{2:016x}",), "review.rejected": (f"{1:016x}-{2:016x}",)},
            "not both",
        ),
    ],
)
def test_a_review_that_makes_no_sense_is_refused(changes: dict[str, tuple[str, ...]], said: str) -> None:
    """A key that names nothing, and a trace that is both."""
    with pytest.raises(RecipeError, match=said):
        Recipe().changed(changes)


def test_a_decision_is_changed_and_taken_back() -> None:
    """The last one counts, and none at all leaves nothing behind."""
    key = f"{1:016x}-{2:016x}"
    recipe = Recipe()
    for decision in (Decision.ACCEPTED, Decision.REJECTED, Decision.NONE):
        recipe = recipe.changed(decided(recipe.review, key, decision))
        wanted = {Decision.ACCEPTED: ((key,), ()), Decision.REJECTED: ((), (key,)), Decision.NONE: ((), ())}
        assert (recipe.review.accepted, recipe.review.rejected) == wanted[decision]


# -- orders, filters, risks ----------------------------------------------------------------------------------------


def test_filters_and_orders_are_those_that_they_say() -> None:
    """Each filter against a plain loop; each order against Python's own sort."""
    found = listed(data()[1])
    every = range(len(found))
    review = Review(accepted=(found.key(3),), rejected=(found.key(5),), notes={found.key(7): "hm"})
    none = [place for place in every if place not in (3, 5)]
    written = Asked(order="written")

    def asked(**only: object) -> list[int]:
        return arranged(found, Asked(**{"order": "written", **only}), review).tolist()  # type: ignore[arg-type]

    assert arranged(found, written, review).tolist() == list(every)
    assert asked(decision=Decision.NONE) == none
    assert asked(decision=Decision.ACCEPTED) == [3] and asked(decision=Decision.REJECTED) == [5]
    assert asked(noted=True) == [7]
    assert asked(label="3C") == [place for place in every if found.kinds[found.kind[place]][1] == "3C"]
    rights = [found.truths(place) for place in every]
    assert asked(corrects=True) == [k for k, right in enumerate(rights) if right[-1] and not all(right)]
    assert asked(questions=frozenset({int(found.question[0])})) == [
        place for place in every if found.question[place] == found.question[0]
    ]
    assert asked(order="longest") == sorted(every, key=lambda k: (-found.chars[k], k))
    assert asked(order="shortest") == sorted(every, key=lambda k: (found.chars[k], k))
    weights = Risk.weights(found.risks).tolist()
    assert asked(order="risk") == sorted(every, key=lambda k: (-weights[k], -found.chars[k], k))
    for risk in Risk:
        assert asked(risk=risk) == [place for place in every if risk in Risk.of(int(found.risks[place]))]


def test_the_gravest_risk_comes_first() -> None:
    """One doubtful label outweighs everything that is less grave."""
    import numpy as np

    grave = np.array([Risk.LABEL.bit], np.uint8)
    lesser = np.array([sum(risk.bit for risk in Risk if risk is not Risk.LABEL)], np.uint8)
    assert Risk.weights(grave)[0] > Risk.weights(lesser)[0]


def planted(tmp_path: Path) -> tuple[pa.Table, Recipe]:
    """Questions with one planted risk each: a doubtful label, an answer given away, an odd reflection, repetition."""
    fine = "I add the numbers again, slowly, and see whether the sum is what was asked for. "
    rows = []
    for q in range(6):
        for k in range(4):
            right = k == 0
            said = [fine + verdict(right)]
            answer = "7" if right else ("same" if q == 3 else f"w{k}")
            if q == 0 and right:
                said = [fine + "x" + verdict(True), fine + verdict(False), fine + "y" + verdict(False)]
            if q == 1 and k == 1:
                said = [fine + "The answer is 7. " + verdict(False)]
            if q == 2 and k == 1:
                said = [fine * 40 + verdict(False)]
            rows.append(
                row(f"Question {q}?", f"Try {q} {k}. <answer>{answer}</answer>", right, said, answer="7")
            )
    path = write_parquet(rows, tmp_path / "planted.parquet")
    source = open_source(str(path))
    recipe = ready_recipe(source, Recipe().changed({"traces.attempts": 4, "traces.formats": ("*C",)}))
    return first_bytes(source, recipe.columns, 10_000_000).cast(CANONICAL), recipe


def test_planted_risks_are_found_where_they_are(tmp_path: Path) -> None:
    """Each risk in the trace that shows it, and in no other."""
    table, recipe = planted(tmp_path)
    facts = read(table, recipe).facts
    found = listing(facts, judge(facts, recipe), recipe)
    part = build_partition(table, recipe)
    texts = {plan.question.id: plan.question.text for plan in part.plans}
    risky = {
        texts[int(found.question[place])]: {*Risk.of(int(found.risks[place]))} - {Risk.LONG}
        for place in range(len(found))
    }
    assert risky["Question 0?"] == {Risk.LABEL}
    assert risky["Question 1?"] == {Risk.GIVEN_AWAY}
    assert risky["Question 2?"] == {Risk.REFLECTION}
    assert risky["Question 3?"] == {Risk.REPETITIVE}
    assert risky["Question 4?"] == risky["Question 5?"] == set()


def test_a_dropped_reflection_stands_beside_its_response(tmp_path: Path) -> None:
    """With its verdict and the reason, and nothing of it is active."""
    table, recipe = planted(tmp_path)
    question = next(
        plan for plan in build_partition(table, recipe).plans if plan.question.text == "Question 0?"
    )
    found = dropped_reflections(table, recipe, question.question.id)
    assert [one.verdict for one in found] == ["incorrect", "incorrect"]
    assert {one.why for one in found} == {"its verdict contradicts the response's label"}
    shown = dropped_html([one._replace(text="<script>1</script>") for one in found])
    assert "Try 0 0." in shown and "&lt;script&gt;" in shown and "<script" not in shown
