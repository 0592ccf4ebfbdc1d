"""The opinion of some data: each rule by itself, then the answer, the grade, the next step and its price."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.insight.doubts import Doubt
from skill_factory.insight.fitness import Fitness, fitness
from skill_factory.insight.opinion import (
    Price,
    Ready,
    TradeOff,
    Weight,
    best_attempts,
    critic_skill,
    opinion_of,
    with_doubts,
)
from skill_factory.insight.readiness import Step
from skill_factory.judge.facts import Facts, read
from skill_factory.judge.judge import judge
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from tests import command
from tests.make_raw import FIELDS, Row, row, verdict

MAPPED = Recipe(columns=Columns(**{field: field for field in FIELDS}))


def report(rows: list[Row], recipe: Recipe = MAPPED, whole: bool = True) -> Fitness:
    found = canonical(rows, recipe.columns)
    facts = read(found.table.cast(CANONICAL), recipe).facts
    return fitness(facts, judge(facts, recipe), tally_rows(found), recipe, whole)


def facts_of(rows: list[Row]) -> Facts:
    return read(canonical(rows, MAPPED.columns).table.cast(CANONICAL), MAPPED).facts


def critic(
    questions: int, right_says_right: float, wrong_says_right: float, share: float = 0.5, each: int = 4
) -> list[Row]:
    """Four responses a question, so many of them right; verdicts drawn with the two chances of saying right."""
    rng = Random(7)
    rows = []
    for q in range(questions):
        for k in range(4):
            is_right = k < round(4 * share)
            says = [rng.random() < (right_says_right if is_right else wrong_says_right) for _ in range(each)]
            told = [verdict(one, f"Remark {q} {k} {n}.") for n, one in enumerate(says)]
            answer = "0" if is_right else str(k + 1)
            rows.append(
                row(
                    f"q{q}",
                    f"{q} {k} <answer>{answer}</answer>",
                    is_right,
                    told,
                    extracted=answer,
                    answer="0",
                )
            )
    return rows


def codes(found: Fitness) -> list[str]:
    return [reason.code for reason in found.opinion.reasons]


GOOD = critic(150, 0.9, 0.1)


def test_good_data_are_ready() -> None:
    """150 questions with reflections that judge well: yes, grade A, and the next step costs nothing."""
    found = report(GOOD).opinion
    assert (found.answer, found.grade, found.headline) == (Ready.YES, "A", "Yes.")
    assert found.todo == "Choose the traces."
    assert found.price.line() == "Costs nothing: no model is asked."


# -- sizes -------------------------------------------------------------------------------------------------------------


def test_six_questions_are_named_as_what_they_are() -> None:
    """Good data of six questions isn't ready: the answer says how many there are and how many make a set."""
    found = report(critic(6, 1.0, 0.0)).opinion
    assert found.answer is Ready.NOT_YET
    assert found.headline == "Not yet: 6 questions are enough to try things out, not to train on."
    assert found.todo == "Add questions: 94 more make 100; the paper used 4,000."
    assert found.price.requests == 2 * 94 * 4  # an answer and a reflection each


@pytest.mark.parametrize(("questions", "code"), [(19, "toy"), (20, "small"), (99, "small"), (100, "")])
def test_sets_below_a_hundred_questions_are_small(questions: int, code: str) -> None:
    """The bounds are 20 and 100 usable questions."""
    assert codes(report(critic(questions, 1.0, 0.0))) == ([code] if code else [])


def test_a_small_set_is_usable_with_care() -> None:
    """Sixty questions: yes, but it is small."""
    found = report(critic(60, 1.0, 0.0)).opinion
    assert (found.answer, found.grade) == (Ready.YES_BUT, "C")
    assert found.headline == "Yes, but it is small: 60 usable questions."


def test_a_sample_says_nothing_of_the_size() -> None:
    """The first rows of a large source hold few questions: no reason to call it small."""
    assert codes(report(critic(6, 1.0, 0.0), whole=False)) == []


# -- reflections compared with chance ----------------------------------------------------------------------------------


def test_a_coin_flip_critic_is_named_as_what_it_is() -> None:
    """Verdicts by a coin: half are correct on right and on wrong responses, and the data isn't ready."""
    found = report(critic(150, 0.5, 0.5))
    assert found.opinion.answer is Ready.NOT_YET
    assert found.opinion.headline == "Not yet: the reflections judge no better than a coin."
    assert "a coin reaches 50 %" in found.opinion.reasons[0].sentence
    assert found.opinion.reasons[0].step is Step.REFLECT
    assert found.opinion.price.requests == 600  # every response needs another reflection


@pytest.mark.parametrize(("says_right", "word"), [(1.0, "right"), (0.0, "wrong")])
def test_always_saying_the_same_is_no_skill(says_right: float, word: str) -> None:
    """Three of four responses are right: always saying right agrees with 75 % of the labels and tells nothing."""
    found = report(critic(150, says_right, says_right, share=0.75))
    assert found.opinion.headline == f"Not yet: the reflections call nearly everything {word}."
    assert "Always saying “right” would reach 75 %" in found.opinion.reasons[0].sentence


def test_a_critic_better_than_chance_is_not_doubted() -> None:
    """75 % on both kinds is clearly better than a coin."""
    assert "coin_flip" not in codes(report(critic(150, 0.75, 0.25)))


def test_a_weak_critic_is_called_weak() -> None:
    """57 % is beyond doubt with many verdicts, and little."""
    assert codes(report(critic(400, 0.57, 0.43))) == ["weak_reflections"]


def test_a_few_verdicts_prove_nothing() -> None:
    """Ten verdicts at 60 % may be chance: that is said, instead of either judgement."""
    skill = critic_skill(facts_of(critic(3, 0.65, 0.35, each=1)))
    assert skill is not None
    assert skill.low < 0.5 < skill.high


def test_exchanged_verdicts_are_found() -> None:
    """A critic that says right of wrong responses and the other way round has its words exchanged."""
    found = report(critic(150, 0.1, 0.9)).opinion
    assert found.reasons[0].code == "exchanged_verdicts"
    assert found.price.requests == 0


def test_one_kind_of_response_can_not_be_compared() -> None:
    """Where every response is right, nothing is said of the reflections' skill."""
    assert critic_skill(facts_of(critic(10, 0.5, 0.5, share=1.0))) is None


def test_many_verdicts_on_one_question_are_not_many_questions() -> None:
    """Two questions with a thousand verdicts each leave the interval wide; a thousand questions make it narrow."""
    few = critic_skill(facts_of([*critic(1, 0.9, 0.2, each=300), *_renamed(critic(1, 0.4, 0.6, each=300))]))
    many = critic_skill(facts_of(critic(300, 0.65, 0.4, each=2)))
    assert few is not None and many is not None
    assert few.verdicts == many.verdicts
    assert few.high - few.low > 4 * (many.high - many.low)


def _renamed(rows: list[Row]) -> list[Row]:
    return [{**one, "question": "another", "response": f"also {one['response']}"} for one in rows]


# -- which N -----------------------------------------------------------------------------------------------------------

ROWS = st.lists(
    st.tuples(st.integers(1, 500), st.integers(1, 900), st.integers(0, 900)), min_size=1, max_size=5
).map(lambda rows: [TradeOff(n, *row, 10) for n, row in enumerate(rows, 1)])


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_no_other_n_beats_the_proposed_one(table: list[TradeOff]) -> None:
    """No other N has more questions, more traces and more corrected mistakes; nor a tenth more corrected ones."""
    best = best_attempts(table)
    assert best is not None
    for other in table:
        assert not (
            other.questions > best.questions
            and other.traces > best.traces
            and other.corrected > best.corrected
        )
        assert best.corrected >= 0.9 * other.corrected


def test_within_a_tenth_more_questions_win() -> None:
    """Six more corrected mistakes are not worth two thirds of the questions."""
    table = [TradeOff(1, 900, 900, 0, 1), TradeOff(2, 900, 1800, 850, 2), TradeOff(5, 300, 1500, 900, 3)]
    best = best_attempts(table)
    assert best is not None and best.attempts == 2
    assert best_attempts([]) is None


def test_the_table_counts_tokens() -> None:
    """More attempts cost more tokens, estimated from the texts that are kept."""
    table = report(GOOD).opinion.table
    assert [row.attempts for row in table] == [1, 2, 3, 4]
    assert [row.tokens for row in table] == sorted(row.tokens for row in table)
    assert table[1].questions == 150 and table[1].traces == 300


# -- the answer --------------------------------------------------------------------------------------------------------


def test_the_heaviest_reason_comes_first() -> None:
    """What stops stands before what is serious, and that before notes."""
    found = report(critic(60, 0.5, 0.5)).opinion
    assert [reason.code for reason in found.reasons][:2] == ["coin_flip", "small"]
    assert [reason.weight for reason in found.reasons][:2] == [Weight.STOPS, Weight.SERIOUS]
    assert opinion_of(found.reasons[1:]).answer is Ready.YES_BUT


def test_one_cause_comes_before_all_that_follows_from_it() -> None:
    """Labels that can't be read are the cause of there being none: that one is asked for, once."""
    cause = Doubt(
        "unread_labels", "`correct` holds “gut” and “schlecht”.", "Say which means right.", Step.LABEL_RULE
    )
    rows = [{**one, "correct": None} for one in GOOD]
    found = with_doubts(report(rows).opinion, [cause])
    assert found.cause == cause
    assert found.headline == "Not yet: it isn't known which labels mean right."
    assert [reason.code for reason in found.reasons] == ["unread_labels"]


def test_small_doubts_leave_the_answer_as_it_is() -> None:
    """A doubt that changes nothing else is a note: still yes, grade B."""
    found = with_doubts(
        report(GOOD).opinion, [Doubt("near_questions", "Two questions differ in white space.", "Look.")]
    )
    assert (found.answer, found.grade, found.cause) == (Ready.YES, "B", None)


def test_a_price_counts_money_where_prices_are_given() -> None:
    """Requests and tokens always; money at prices per million."""
    price = Price(100, 1_000_000, 500_000)
    assert price.line() == "About 100 requests and 1,500,000 tokens."
    assert price.line(0.5, 2.0) == "About 100 requests and 1,500,000 tokens, about 1.50 at your prices."


def test_the_command_says_the_same(tmp_path: Path) -> None:
    """`inspect` begins with the answer, as text and as JSON, with the price of the next step."""
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in critic(150, 0.5, 0.5)), encoding="utf-8")
    text = command.run("inspect", path, "--price-in", "1", "--price-out", "2")
    told = json.loads(command.run("inspect", path, "--json").out)["opinion"]
    assert text.out.startswith(
        "Is this data ready? Not yet: the reflections judge no better than a coin. (grade E)"
    )
    assert (told["ready"], told["grade"], told["reasons"][0]["code"]) == ("not_yet", "E", "coin_flip")
    assert told["next"]["requests"] == 600
    assert "at your prices" in text.out
