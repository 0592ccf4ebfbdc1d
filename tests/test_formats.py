"""Each format draws its attempts by its rule, from a key: on any usable question, whatever else is asked for."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skill_factory.draws import Draws, draw_key
from skill_factory.errors import RecipeError
from skill_factory.formats import FORMATS, chosen_formats
from skill_factory.formats.record import ResponseCounts
from skill_factory.model import Closing, Question, Skip, TraceFormat, TracePlan
from skill_factory.reasons import TraceReason
from skill_factory.recipe.model import Traces
from tests.toy_traces import reflection, response

SHARED_RULE = ("0C", "*C", "*C_full", "no_reflection")


@st.composite
def questions(draw: st.DrawFn, least: int = 1) -> Question:
    """A question with kept responses, one of them right at least, from some variants, each with reflections."""
    labels = draw(st.lists(st.booleans(), min_size=least, max_size=8).filter(any))
    variants = st.sampled_from(["original", "rephrase", "alternatively", ""])
    pool = [
        response(
            k + 1,
            f"text {k}",
            right,
            f"answer {k}",
            draw(variants),
            [reflection(10 * k + j, f"r{k}{j}") for j in range(draw(st.integers(1, 3)))],
        )
        for k, right in enumerate(labels)
    ]
    return Question(draw(st.integers(0, 2**64 - 1)), "Q", pool)


@st.composite
def asked(draw: st.DrawFn, question: Question) -> Traces:
    """What a recipe can ask of this question, once it has passed the gate."""
    variants = len({one.variant for one in question.responses})
    distinct = draw(st.booleans())
    n = draw(st.integers(1, variants if distinct else len(question.responses)))
    drawn = n >= 2 and draw(st.booleans())
    return Traces(
        attempts=n,
        repeats=draw(st.integers(1, 3)),
        distinct_variants=distinct,
        sample_attempts=drawn,
        seed=draw(st.integers(0, 99)),
    )


def plans(code: str, question: Question, ask: Traces) -> list[TracePlan]:
    """The plans of a format, without its skips."""
    return [plan for plan in FORMATS[code].plans(question, ask) if isinstance(plan, TracePlan)]


def shown(plan: TracePlan) -> list[int]:
    """The ids of a plan's responses in order."""
    return [attempt.response.id for attempt in plan.attempts]


def truth(plan: TracePlan) -> list[bool]:
    """Right or wrong, in order."""
    return [attempt.response.correct for attempt in plan.attempts]


@pytest.mark.parametrize("code", FORMATS)
@given(data=st.data())
def test_a_format_keeps_its_rule_on_any_question(code: str, data: st.DataObject) -> None:
    """Lengths, labels, order, closing and reflections are the format's; what can't be made is a skip with a reason."""
    question = data.draw(questions())
    ask = data.draw(asked(question))
    right = sum(one.correct for one in question.responses)
    made = list(FORMATS[code].plans(question, ask))
    of_repeat = [
        [one for one in made if isinstance(one, TracePlan) and one.repeat == r] for r in range(ask.repeats)
    ]
    for one in made:
        if isinstance(one, Skip):
            assert code in ("*C*IC", "*CC")
            assert one.reason in TraceReason
    for of_one in of_repeat:
        for plan in of_one:
            check(plan, code, ask)
        if code in ("random", "no_reflection", "*C_full"):
            assert [len(plan.attempts) for plan in of_one] == list(range(1, ask.attempts + 1))
        if code == "algorithm1":
            used = [one for plan in of_one for one in plan.attempts]
            assert sum(one.response.correct for one in used) == right
            assert len({one.response.id for one in used}) == len(used)
        if code in ("0C", "*C"):
            assert len(of_one) == 1
    if code == "*C*IC":
        assert bool(of_repeat[0]) == (ask.attempts >= 2 and right < len(question.responses))
    if code == "*CC":
        assert bool(of_repeat[0]) == (ask.attempts >= 2 and right >= 2)
    kind, plans = FORMATS[code], [one for one in made if isinstance(one, TracePlan)]
    assert all(plan.label == kind.label_of(len(plan.order)) for plan in plans)
    if (
        kind.expects and kind.needs.n_responses and plans
    ):  # else only making them tells of which sizes they are
        expected = {
            (label, n) for label, n, _ in kind.expects(ResponseCounts(len(question.responses), right), ask)
        }
        assert {(plan.label, len(plan.order)) for plan in plans} <= expected


def check(plan: TracePlan, code: str, ask: Traces) -> None:
    """One plan against the rule of its format."""
    n, right = len(plan.attempts), truth(plan)
    assert plan.format == code
    assert len(set(shown(plan))) == n, "an attempt stands in a trace once"
    for attempt in plan.attempts:
        assert (attempt.reflection is None) == (code == "no_reflection")
        assert attempt.reflection is None or attempt.reflection in attempt.response.reflections
    assert plan.closing is {"*C*IC": Closing.BACKTRACK, "*CC": Closing.CONFIRM}.get(code, Closing.PLAIN)
    if code in ("*C", "*C_full"):
        assert (plan.label, right[-1]) == (f"{n}C", True)
    else:
        assert plan.label == code
    if code in ("no_reflection", "0C"):
        assert right[-1]
    if code in ("*C", "*C*IC", "*CC"):
        assert n in range(2, ask.attempts + 1) if ask.sample_attempts else n == ask.attempts
    if code == "*C*IC":
        assert not right[-1]
        assert any(right)
        assert right[plan.answering]
        assert not any(right[plan.answering + 1 :])
    if code == "*CC":
        assert right[-2:] == [True, True]
    if code == "algorithm1":
        assert right[-1]
        assert sum(right) > n - sum(right)
        assert n <= 2 * ask.attempts - 1
    if ask.distinct_variants and code not in ("*C*IC", "*CC", "algorithm1"):
        assert len({attempt.response.variant for attempt in plan.attempts}) == n


@given(questions(), st.data())
def test_formats_of_one_rule_draw_the_same_attempts(question: Question, data: st.DataObject) -> None:
    """`0C`, `*C`, `*C_full` and `no_reflection` agree for the same n, so that an ablation differs in what it names."""
    ask = data.draw(asked(question))
    assume(not ask.sample_attempts)
    drawn: dict[tuple[int, int], set[tuple[int, ...]]] = {}
    reflected: dict[tuple[int, int], set[tuple[int, ...]]] = {}
    for code in SHARED_RULE:
        for plan in plans(code, question, ask):
            key = (plan.repeat, len(plan.attempts))
            drawn.setdefault(key, set()).add(tuple(shown(plan)))
            if code != "no_reflection":
                reflected.setdefault(key, set()).add(
                    tuple(a.reflection.id for a in plan.attempts if a.reflection)
                )
    assert all(len(found) == 1 for found in [*drawn.values(), *reflected.values()])


@pytest.mark.parametrize("code", FORMATS)
@given(question=questions(least=3), data=st.data())
def test_more_repeats_and_more_attempts_change_no_trace(
    code: str, question: Question, data: st.DataObject
) -> None:
    """What one repeat draws does not depend on how many are asked for; nor, by length, on N."""
    ask = data.draw(asked(question)).model_copy(update={"sample_attempts": False})
    more = ask.model_copy(update={"repeats": ask.repeats + 1})
    assert plans(code, question, more)[: len(plans(code, question, ask))] == plans(code, question, ask)
    if code in ("random", "no_reflection", "*C_full", "0C") and ask.attempts > 1:
        less = ask.model_copy(update={"attempts": ask.attempts - 1, "repeats": 1})
        one = ask.model_copy(update={"repeats": 1})
        assert plans(code, question, one)[: len(plans(code, question, less))] == plans(code, question, less)


@given(questions(), st.integers(0, 9), st.integers(0, 9))
def test_another_seed_or_question_draws_anew(question: Question, one: int, two: int) -> None:
    """The key holds seed and question: equal keys draw the same, others have another key."""
    first, second = (next(iter(plans("*C_full", question, Traces(attempts=1, seed=s)))) for s in (one, two))
    assert (first.key == second.key) == (one == two)
    other = Question(question.id ^ 1, question.text, question.responses)
    assert next(iter(plans("*C_full", other, Traces(attempts=1, seed=one)))).key != first.key


def test_parts_of_a_key_cannot_run_into_each_other() -> None:
    """(1, 11) and (11, 1) are two keys."""
    assert (
        len({draw_key(s, q, r, n) for s in (1, 11) for q in (1, 11) for r in (1, 11) for n in (1, 11)}) == 16
    )


@given(st.binary(max_size=8), st.integers(1, 50), st.data())
def test_a_sample_takes_each_number_once(key: bytes, n: int, data: st.DataObject) -> None:
    """k different numbers below n; its first ones are those of a shorter sample from the same key."""
    k = data.draw(st.integers(0, n))
    drawn = Draws(key).some(range(n), k)
    assert len(set(drawn)) == k
    assert set(drawn) <= set(range(n))
    assert Draws(key).some(range(n), n)[:k] == drawn


def test_draws_are_the_same_on_every_machine() -> None:
    """The stream of a key is fixed for ever: a changed one would change every data set."""
    draws = Draws(draw_key(0, 42, 0, 5, "correct last"))
    assert [draws.below(1000) for _ in range(10)] == EXPECTED


EXPECTED = [792, 464, 454, 690, 301, 855, 262, 378, 710, 117]


def test_every_format_has_words_for_people() -> None:
    """Each code has a name and a sentence."""
    assert {*FORMATS} == {code.value for code in TraceFormat}
    assert all(one.title and one.shows and one.picture and one.expects for one in FORMATS.values())


def test_an_unknown_code_is_refused_with_the_known_ones() -> None:
    """The error names what was asked and what there is."""
    with pytest.raises(RecipeError, match=r"'\*X'.*\*C_full.*algorithm1"):
        chosen_formats(("0C", "*X"))


def test_own_formats_are_functions_by_code() -> None:
    """A function of a question and the recipe's traces part stands beside ours."""
    own = {"mine": FORMATS["0C"].plans}
    assert list(chosen_formats(("mine", "0C"), own)) == ["mine", "0C"]


def test_a_drawn_number_of_attempts_takes_every_value() -> None:
    """2..N, each about as often, and the same for `*C`, `*C*IC` and `*CC` of a repeat."""
    pool = [response(k, str(k), k < 4, "1", "", [reflection(k, "r")]) for k in range(8)]
    ask = Traces(attempts=5, repeats=400, sample_attempts=True)
    found = {
        code: [len(plan.attempts) for plan in plans(code, Question(7, "Q", pool), ask)]
        for code in ("*C", "*C*IC", "*CC")
    }
    assert found["*C"] == found["*C*IC"] == found["*CC"]
    assert all(60 <= n <= 140 for n in Counter(found["*C"]).values())
    assert set(found["*C"]) == {2, 3, 4, 5}


@given(st.data())
def test_an_attempt_keeps_its_reflection_when_those_before_it_are_taken_away(data: st.DataObject) -> None:
    """A cut-off that takes attempts from the front changes nothing in the others."""
    question = data.draw(questions(3))
    for code in FORMATS:
        for plan in plans(code, question, Traces(attempts=3)):
            away = data.draw(st.integers(0, len(plan.order) - 1))
            shorter = plan._replace(order=plan.order[away:], away=away)
            assert shorter.attempts == plan.attempts[away:]
