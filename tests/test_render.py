"""A plan becomes text newline for newline, and the text gives the segments back, whatever the model wrote."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.draws import text_id
from skill_factory.formats import FORMATS
from skill_factory.judge.responses import escape_block_tags
from skill_factory.model import Closing, Question, Response, SegmentKind, Skip, TracePlan
from skill_factory.recipe.model import Phrases, Recipe, Tags, Traces, parse_recipe
from skill_factory.recipe.phrases import phrase_book
from skill_factory.traces.render import Unreadable, parse, render
from tests import toy_traces
from tests.toy_traces import reflection, rows_of

GOLDEN = Path(__file__).parent / "golden"
BOOK = phrase_book(Phrases())
SHORT = phrase_book(
    Phrases(
        replace={
            "generic": ("Again.",),
            "correct": ("Fine.",),
            "incorrect": ("Wrong.",),
            "ending": ("So:", "So: yes"),
            "backtrack": ("Back.", "Back. So:"),
            "confirm": ("Twice.",),
        }
    )
)
LAYOUTS = ("paper", "tight")
TAGS = (Tags(), Tags(sample="response"), Tags(think="a", sample="b-1", reflect="c_2", answer="verdict"))
PIECES = (
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "x",
    "数",
    "🧮",
    "e\u0301",
    "\u2028",
    "\x85",
    "\x1f",
    "\x00",
    "<",
    ">",
    "</",
    "<answer>",
    "</answer>",
    "\n\n<answer>\n",
    "\n</answer>",
    "<verdict>Correct</verdict>",
    "<Sample>",
    "</ sample>",
    "\n</sample",
    "<sample",
    "\n</reflect",
    "&lt;sample>",
    "So:",
    "Back.",
    "Twice.",
    "Fine.",
    "Again.",
    "Back.\n",
    "So:\n\n<answer>\n7\n</answer>",
    BOOK.ending[0],
    BOOK.backtrack[0],
    BOOK.confirm[0],
    BOOK.generic[0],
)


# ----------------------------------------------------------------------------------------------- plans


def texts(tags: Tags) -> st.SearchStrategy[str]:
    """Texts as models write them, and far worse ones; none that a filter would have dropped."""
    wild = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join) | st.text(
        min_size=1, max_size=20
    )
    return wild.map(lambda text: escape_block_tags(text, tags)).filter(lambda text: bool(text.strip()))


@st.composite
def plans(draw: st.DrawFn, tags: Tags) -> TracePlan:
    """A plan of any format's shape: plain, back to a right attempt, or two that agree; with or without reflections."""
    closing = draw(st.sampled_from(Closing))
    n = draw(st.integers(1 if closing is Closing.PLAIN else 2, 5))
    reflect = closing is not Closing.PLAIN or draw(st.booleans())
    right = [draw(st.booleans()) for _ in range(n)]
    if closing is Closing.BACKTRACK:
        right[draw(st.integers(0, n - 2))], right[-1] = True, False
    some = texts(tags)
    order = []
    for correct in right:
        # Real answers are short; one that holds a whole closing of its own has a test of its own.
        answer = draw(some.filter(lambda text: f"\n\n<{tags.answer}>\n" not in text))
        said = [reflection(1, draw(some)) for _ in range(draw(st.integers(1, 2)))]
        order.append(toy_traces.response(0, draw(some), correct, answer, "", said))
    code = "*C_full" if reflect else "no_reflection"
    key, away = draw(st.binary(max_size=4)), draw(st.integers(0, 9))
    return TracePlan(Question(1, "Q", ()), code, "label", 0, order, closing, key, reflect, away)


@pytest.mark.parametrize("tags", TAGS, ids=lambda tags: tags.sample)
@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=st.data())
def test_parse_gives_the_segments_back(tags: Tags, layout: str, data: st.DataObject) -> None:
    """parse(render(plan)) are the plan's segments: every layout, own tag names, phrases and tags inside texts."""
    recipe = Recipe(tags=tags, traces=Traces(layout=layout))
    book = data.draw(st.sampled_from([BOOK, SHORT]))
    trace = render(data.draw(plans(tags)), book, recipe)
    assert "".join(segment.text for segment in trace.segments) == trace.text
    assert parse(trace.text, book, recipe) == trace.segments


@given(data=st.data())
def test_spans_point_at_the_texts(data: st.DataObject) -> None:
    """A span's characters are the text it names: attempts, reflections, phrases and the answer, in order."""
    plan = data.draw(plans(Tags()))
    trace = render(plan, BOOK, Recipe())
    spans = rows_of([trace, trace])[1]["spans"]
    found = [(SegmentKind(one["kind"]), trace.text[one["start"] : one["end"]]) for one in spans]
    assert found == [(kind, text) for kind, text in trace.segments if kind is not SegmentKind.LAYOUT]
    samples = [text for kind, text in found if kind is SegmentKind.SAMPLE]
    assert samples == [attempt.response.text for attempt in plan.attempts]
    assert found[-1] == (SegmentKind.ANSWER, plan.attempts[plan.answering].response.answer)


def test_an_attempt_shown_twice_is_followed_by_glue_twice() -> None:
    """An own format may show the very same attempt again; each but the last is followed by glue."""
    one = toy_traces.response(1, "a", True, "7", "", [reflection(1, "r")])
    trace = render(
        TracePlan(Question(1, "Q", ()), "own", "own", 0, [one, one], Closing.PLAIN, b"k"), BOOK, Recipe()
    )
    assert [kind for kind, _ in trace.segments].count(SegmentKind.GLUE) == 1
    assert parse(trace.text, BOOK, Recipe()) == trace.segments


def test_an_earlier_attempt_that_ends_like_a_trace_is_not_taken_for_the_repeated_one() -> None:
    """Going back to `a` is read as `a`, though another attempt holds `a`, an ending phrase and an answer block."""
    ending = SHORT.ending[0]
    right = toy_traces.response(1, "a", True, "7", "", [reflection(1, "r")])
    lie = f"a\n{ending}\n\n<answer>\n7\n</answer>"
    liar = toy_traces.response(2, lie, False, "8", "", [reflection(2, "s")])
    plan = TracePlan(Question(1, "Q", ()), "*C*IC", "*C*IC", 0, [right, liar], Closing.BACKTRACK, b"k")
    trace = render(plan, SHORT, Recipe())
    assert parse(trace.text, SHORT, Recipe()) == trace.segments


@given(st.integers(0, 10_000), st.sampled_from(["", "x", "\n", "</think>"]))
def test_a_text_that_is_no_trace_says_so(cut: int, put: str) -> None:
    """A cut or changed trace is read back as what it says, or refused by name; reading never crashes."""
    whole = golden_trace("*C_full")
    changed = whole[: cut % len(whole)] + put
    try:
        assert "".join(segment.text for segment in parse(changed, BOOK, Recipe())) == changed
    except Unreadable as error:
        assert "expected" in str(error)


def test_ids_tell_repeats_and_formats_apart_and_digests_do_not() -> None:
    """Two repeats of one text are two traces, with one digest: that is over question, label and text alone."""
    order = [toy_traces.response(1, "a", True, "7")]
    made = [
        render(
            TracePlan(Question(1, "Q", ()), code, "x", repeat, order, Closing.PLAIN, b"k"),
            SHORT_ENDING,
            Recipe(),
        )
        for code in ("one", "two")
        for repeat in (0, 1)
    ]
    assert len({trace.id for trace in made}) == 4
    assert len({trace.digest for trace in made}) == 1


SHORT_ENDING = phrase_book(Phrases(replace={"ending": ("So:",)}))


# ---------------------------------------------------------------------------------------- golden files

QUESTION = "Make 24 from 4, 6 and 1. End with <answer>…</answer>."


def response(place: int, correct: bool) -> Response:
    """A response of the golden question with two reflections; texts with edges and tags of their own."""
    answer = "4 * 6 * 1" if correct else "4 + 6 + 1"
    text = f"Way {place}: {answer} = {24 if correct else 11}.\n<answer>{answer}</answer>\n"
    word = "Correct" if correct else "Incorrect"
    said = [f"Check {k} of way {place}.\n<verdict>{word}</verdict>" for k in (1, 2)]
    reflections = sorted((reflection(text_id(one), one) for one in said), key=lambda one: one.id)
    return toy_traces.response(text_id(text), text, correct, answer, f"variant {place}", reflections)


def golden_question() -> Question:
    """Three right and two wrong responses."""
    pool = [response(place, correct) for place, correct in enumerate((True, False, True, False, True), 1)]
    return Question(text_id(QUESTION), QUESTION, sorted(pool, key=lambda one: one.id))


def golden_trace(code: str, recipe: Recipe | None = None) -> str:
    """The longest trace that a format makes of the golden question at N = 3."""
    recipe = recipe or Recipe(traces=Traces(formats=(code,), attempts=3))
    made = [
        plan for plan in FORMATS[code].plans(golden_question(), recipe.traces) if not isinstance(plan, Skip)
    ]
    return render(max(made, key=lambda plan: len(plan.attempts)), BOOK, recipe).text


def check_golden(name: str, text: str) -> None:
    """Compare with a golden file, byte for byte; `UPDATE_GOLDEN=1` writes it anew."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize("code", FORMATS)
def test_a_format_is_written_as_in_its_golden_file(code: str) -> None:
    """The text of a format stays as it was, down to the last newline; it reads back."""
    text = golden_trace(code)
    check_golden(code.replace("*", "star_"), text)  # `*` is no character for a file name
    parse(text, BOOK, Recipe())


def test_own_tags_and_the_tight_layout_are_written_as_in_their_golden_file() -> None:
    """`sample` renamed to `response`, and one newline less after the thinking."""
    recipe = parse_recipe(
        {"tags": {"sample": "response"}, "traces": {"formats": ["*CC"], "attempts": 3, "layout": "tight"}}
    )
    text = golden_trace("*CC", recipe)
    check_golden("own_tags_tight", text)
    after = text.partition("</think>\n\n")[2]
    assert after.partition("\n")[0] in BOOK.confirm
    assert "<sample>" not in text


def test_the_golden_files_follow_the_paper_s_layout_newline_for_newline() -> None:
    """Around the texts: no glue after the last attempt, two empty lines after the thinking, no newline at the end."""
    text = golden_trace("0C")
    lines = text.split("\n")
    assert lines[:2] == ["<think>", "<sample>"]
    at = lines.index("</think>")
    assert lines[at - 1] == "</reflect>"
    assert lines[at + 1 : at + 3] == ["", ""]
    assert lines[at + 3] in BOOK.ending
    assert lines[at + 4 :] == ["", "<answer>", "4 * 6 * 1", "</answer>"]
