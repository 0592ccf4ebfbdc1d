"""One output taken apart: the rules of docs/measure.md, one by one, and beside an oracle on any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.grading import BlockNames
from skill_factory.judge.reflections import verdict_rule
from skill_factory.measure.circles import goes_in_circles
from skill_factory.measure.parts import NONE, Parts, Rules, with_thinking
from skill_factory.measure.taking_apart import take_apart
from skill_factory.recipe.model import Verdicts
from tests import measure_oracle

_JUDGE = verdict_rule(Verdicts())
RULES = Rules(verdict_of=lambda text: _JUDGE(text, ""))
SAYS = {"correct": 1, "incorrect": 0, "none": NONE}


def apart(text: str, **rules: object) -> Parts:
    return take_apart(text, Rules(verdict_of=RULES.verdict_of, **rules))  # type: ignore[arg-type]


def reflect(word: str) -> str:
    return f"<reflect>Hm. <verdict>{word}</verdict></reflect>"


def sample(answer: str) -> str:
    return f"<sample>So <answer>{answer}</answer></sample>"


def test_a_whole_output_gives_its_attempts_verdicts_and_answer() -> None:
    """Two attempts, each judged, and the final answer behind the thinking."""
    parts = apart(
        f"<think>{sample('1')}{reflect('Incorrect')}{sample('2')}{reflect('Correct')}</think><answer>2</answer>"
    )
    assert [one.answer for one in parts.attempts] == ["1", "2"]
    assert parts.verdicts == [0, 1]
    assert (parts.final, parts.cut_off, parts.malformed, parts.answers) == ("2", False, False, 3)


@pytest.mark.parametrize("opening", ["<think>", ""])
def test_the_opening_think_tag_may_be_missing(opening: str) -> None:
    """Many chat templates write it into the prompt; nothing is counted otherwise."""
    parts = apart(f"{opening}{sample('1')}{reflect('Correct')}</think><answer>1</answer>")
    assert (len(parts.attempts), parts.final, parts.malformed) == (1, "1", False)


def test_without_any_tag_all_is_visible() -> None:
    """A plain text is no thinking, and its answer is final."""
    parts = apart("It is <answer>4</answer>")
    assert (parts.thinking, parts.attempts, parts.final, parts.malformed) == (0, (), "4", False)


@pytest.mark.parametrize("opening", ["<think>", ""])
def test_blocks_without_an_end_of_thinking_are_cut_off(opening: str) -> None:
    """No final answer then, however right the attempts are."""
    parts = apart(f"{opening}{sample('4')}{reflect('Correct')} and so")
    assert (parts.cut_off, parts.final, len(parts.attempts)) == (True, None, 1)


def test_an_answer_behind_the_last_closed_block_is_final() -> None:
    """A model that writes no think tags at all may still answer."""
    parts = apart(f"{sample('4')}{reflect('Correct')}\nThe answer is <answer>4</answer>")
    assert (parts.cut_off, parts.final, len(parts.attempts)) == (False, "4", 1)


def test_thinking_that_never_ends_is_cut_off() -> None:
    """An answer inside it is not final."""
    parts = apart("<think>It may be <answer>4</answer>, but")
    assert (parts.cut_off, parts.final, [one.answer for one in parts.attempts]) == (True, None, ["4"])


@pytest.mark.parametrize(("inside", "attempts"), [("no answer yet", 0), ("so <answer>5</answer>", 1)])
def test_an_open_sample_is_an_attempt_only_with_a_whole_answer(inside: str, attempts: int) -> None:
    """It ends at the next block tag, and the output is malformed."""
    parts = apart(f"<think><sample>{inside}{reflect('Correct')}</think><answer>5</answer>")
    assert (len(parts.attempts), parts.malformed, parts.final) == (attempts, True, "5")


def test_without_samples_each_inner_answer_is_an_attempt() -> None:
    """Only those inside the thinking; a reflection judges the one before it."""
    parts = apart(
        f"<think>a <answer>1</answer>{reflect('Incorrect')} b <answer>2</answer></think><answer>2</answer>"
    )
    assert [one.answer for one in parts.attempts] == ["1", "2"]
    assert parts.verdicts == [0, NONE]


def test_boxes_are_attempts_on_request_alone() -> None:
    """Where an output has neither samples nor inner answers."""
    text = r"<think>first \boxed{\frac{1}{2}} then \boxed{3}</think> \boxed{3}"
    assert apart(text).attempts == ()
    assert [one.answer for one in apart(text, boxed=True).attempts] == [r"\frac{1}{2}", "3"]


def test_the_last_verdict_before_the_next_attempt_counts() -> None:
    """A reflection without a verdict takes none away."""
    parts = apart(
        f"<think>{sample('1')}{reflect('Correct')}{reflect('Incorrect')}<reflect>hm</reflect>{sample('2')}</think>"
    )
    assert parts.verdicts == [0, NONE]


def test_reflections_before_any_attempt_are_unpaired() -> None:
    """They judge nothing."""
    parts = apart(f"<think>{reflect('Correct')}{sample('1')}</think><answer>1</answer>")
    assert (parts.unpaired, parts.verdicts, len(parts.reflections)) == (1, [NONE], 1)


def test_tag_names_come_from_the_recipe() -> None:
    """Other names are read as the usual ones are, and the usual ones are then text."""
    names = BlockNames("think", "response", "critique", "answer")
    text = "<think><response>a <answer>1</answer></response><critique>x</critique><sample>y</sample></think><answer>1</answer>"
    parts = apart(text, names=names)
    assert (len(parts.attempts), len(parts.reflections), parts.final) == (1, 1, "1")


def test_thinking_in_a_field_of_its_own_is_read_as_thinking() -> None:
    """With no text behind it the output was cut off; a text that holds its thinking already is left alone."""
    names = BlockNames()
    whole = with_thinking(sample("1"), "<answer>1</answer>", names)
    assert (apart(whole).final, len(apart(whole).attempts)) == ("1", 1)
    assert apart(with_thinking(sample("1"), "", names)).cut_off
    assert with_thinking("x", "y</think>z", names) == "y</think>z"


def test_what_a_text_states_counts_only_where_that_was_chosen() -> None:
    """Runs without any answer tag state their answers."""
    text = "So we get 5.\n#### 5"
    assert (apart(text).final, apart(text, stated=True).final) == (None, "5")


@pytest.mark.parametrize(
    ("text", "circles"),
    [
        ("ab" * 200, True),
        ("x" * 150, True),
        ("x" * 149, False),
        ("He says: " + "round and round we go. " * 7, True),
        ("He says: " + "round and round we go. " * 6, False),
        ("".join(chr(97 + k * k % 23) for k in range(1000)) * 3, True),
        (" ".join(str(k * k) for k in range(3000)), False),
        ("ab" * 200 + "!", False),
    ],
)
def test_a_text_that_ends_in_circles_is_told(text: str, circles: bool) -> None:
    """The last 3·p characters, at least 150, repeat with a period p of at most 1,000."""
    assert goes_in_circles(text) is circles


@given(st.text("ab ", min_size=1, max_size=60), st.integers(1, 12), st.text("abc", max_size=5))
def test_circles_are_those_of_the_definition(unit: str, times: int, end: str) -> None:
    """Trying every period gives the same."""
    text = (unit * times)[-400:] + end
    periods = range(1, 1001)
    slow = any(
        max(3 * p, 150) <= len(text)
        and all(text[-k] == text[-k - p] for k in range(1, max(3 * p, 150) - p + 1))
        for p in periods
    )
    assert goes_in_circles(text) is slow


PIECES = (
    "<think>",
    "</think>",
    "<sample>",
    "</sample>",
    "<reflect>",
    "</reflect>",
    "<answer>4</answer>",
    "<answer>",
    "</answer>",
    "<verdict>Correct</verdict>",
    "<verdict>Incorrect</verdict>",
    " so ",
    "\n",
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_as_the_oracle_reads_it(text: str) -> None:
    """Attempts, reflections, verdicts, final answer and cut: the rules alone, written a second time, say the same."""
    mine, told = apart(text), measure_oracle.read(text)
    assert (mine.final, mine.cut_off, mine.answers) == (told.final, told.cut_off, told.answers)
    assert [one.answer for one in mine.attempts] == [answer for *_, answer in told.attempts]
    assert [(one.start, one.verdict) for one in mine.reflections] == [
        (at, SAYS[said]) for at, said in told.reflections
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_parts_lie_where_they_say(text: str) -> None:
    """Every attempt and reflection is a stretch of the text, in order, and its answer stands in it."""
    parts = apart(text)
    for one in parts.attempts:
        assert 0 <= one.start <= one.end <= len(text)
        assert one.answer is None or one.answer in text[one.start : one.end]
    assert len(parts.verdicts) == len(parts.attempts)
    assert 0 <= parts.thinking <= len(text)
