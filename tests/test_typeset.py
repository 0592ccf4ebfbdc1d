"""Many plans made text at once: letter for letter what `render` makes of each."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import Partition, build_partition
from skill_factory.draws import Draws, all_below, words_of
from skill_factory.formats import FORMATS
from skill_factory.model import Closing, Question, Trace, TracePlan
from skill_factory.recipe.model import Recipe, Tags, Traces
from skill_factory.traces.bulk.outlines import KINDS
from skill_factory.traces.bulk.typeset import Typeset, typeset
from skill_factory.traces.render import render
from tests import make_raw
from tests.make_raw import Row
from tests.nasty_rows import GOOD_ROW, recipe, table
from tests.test_render import BOOK, SHORT, TAGS, plans
from tests.toy_traces import reflection, response


def told(made: Typeset) -> list[tuple[object, ...]]:
    """What there is to say of each trace: question, text, id, digest, and kind and length of each stretch."""
    messages = made.messages.to_pylist()
    ends = np.cumsum(made.stretches).tolist()
    stretches = list(zip([KINDS[kind] for kind in made.kinds], made.lengths.tolist(), strict=True))
    return [
        (
            *messages[2 * k : 2 * k + 2],
            made.ids[k],
            made.digests[k],
            stretches[end - n + 1 : end],
            made.chars[k],
        )
        for k, (end, n) in enumerate(zip(ends, made.stretches.tolist(), strict=True))
    ]


def rendered(trace: Trace) -> tuple[object, ...]:
    """The same of a trace."""
    question = trace.plan.question.text
    stretches = [(kind, len(text)) for kind, text in trace.segments]
    return question, trace.text, trace.id, trace.digest, stretches, len(question) + len(trace.text)


@pytest.mark.parametrize("tags", TAGS, ids=lambda tags: tags.sample)
@pytest.mark.parametrize("layout", ["paper", "tight"])
@given(data=st.data())
def test_plans_of_any_shape_are_laid_out_as_render_does(tags: Tags, layout: str, data: st.DataObject) -> None:
    """Any format's shape, any texts, own tag names and phrases, texts that stand alone and some that repeat."""
    asked = Recipe(tags=tags, traces=Traces(layout=layout))
    book = data.draw(st.sampled_from([BOOK, SHORT]))
    some = data.draw(st.lists(plans(tags), min_size=1, max_size=5))
    made = [one for part in typeset(some, book, asked) for one in told(part)]
    assert made == [rendered(render(plan, book, asked)) for plan in some]


@settings(max_examples=50)
@given(st.lists(GOOD_ROW, max_size=16), st.sampled_from(["drop", "escape"]), st.integers(1, 4))
def test_a_partition_gives_the_same_rows_and_tally_both_ways(
    rows: list[Row], tags: str, attempts: int
) -> None:
    """Its texts are known by their places in the columns, and the tally counts what was written."""
    asked = recipe(traces={"formats": tuple(FORMATS), "attempts": attempts}, filters={"block_tags": tags})
    one, other = build_partition(table(rows), asked), build_partition(table(rows), asked)
    assert shown(one) == [(trace.plan.question.text, trace.text) for trace in other.traces]
    assert one.tally.to_json() == other.tally.to_json()


def shown(part: Partition) -> list[tuple[str, str]]:
    """Question and trace of each row."""
    found = [row["conversations"] for some in part.rows for row in some.to_pylist()]
    return [(user["content"], assistant["content"]) for user, assistant in found]


def test_a_text_that_only_a_format_of_ones_own_knows_is_taken_in() -> None:
    """An own format may show a response that stands in no column, beside one that does."""
    strange = response(7, "from elsewhere", False, "0", "", [reflection(8, "who wrote this?")])

    def mine(question: Question, ask: Traces) -> Iterator[TracePlan]:
        known = question.right[0]
        yield TracePlan(question, "mine", "mine", 0, [strange, known], Closing.PLAIN, b"k")

    asked = recipe(traces={"formats": ("mine", "0C"), "attempts": 1})
    rows = [
        make_raw.row(f"Q {k}", f"try {k} <answer>1</answer>", True, [make_raw.verdict(True, "fine")])
        for k in range(3)
    ]
    one, other = (build_partition(table(rows), asked, {"mine": mine}) for _ in range(2))
    found = shown(one)
    assert found == [(trace.plan.question.text, trace.text) for trace in other.traces]
    assert sum("from elsewhere" in text for _, text in found) == 3


@pytest.mark.parametrize("size", [1, 3_000, 10**9])
def test_however_little_is_put_together_at_a_time_nothing_changes(size: int) -> None:
    """Long texts come in several parts, with one trace in each at least."""
    pool = [response(k, f"text {k} " * 9, k < 4, "1", "", [reflection(k, "r" * k)]) for k in range(6)]
    question = Question(5, "Q", pool)
    some = [
        plan
        for code in FORMATS.values()
        for plan in code.plans(question, Traces(repeats=3))
        if isinstance(plan, TracePlan)
    ]
    parts = [told(part) for part in typeset(some, BOOK, Recipe(), at_once=20, size=size)]
    assert [one for part in parts for one in part] == [
        rendered(render(plan, BOOK, Recipe())) for plan in some
    ]
    assert all(parts)
    assert (len(parts) == len(some)) is (size == 1)
    assert (len(parts) == -(-len(some) // 20)) is (size == 10**9)


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=6), st.integers(1, 20), st.integers(1, 2**32 - 1))
def test_draws_of_many_keys_at_once_are_those_of_each(keys: list[bytes], k: int, n: int) -> None:
    words = words_of(keys, k)
    found = all_below(words, np.full(words.shape, n, np.uint64))
    assert found.tolist() == [[draws.below(n) for _ in range(k)] for draws in map(Draws, keys)]
