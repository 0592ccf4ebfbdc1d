"""Texts read again from the source: by their place in the narrow table, or by words.

The walk takes the batches as the narrow table took them, so the place of a response in `Facts` is its place in the
walk; nothing is read behind the last text that is asked for.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.judge.facts import Facts
from skill_factory.judge.first_questions import different_questions, rows_of_questions
from skill_factory.judge.source_facts import SAMPLE_BYTES, Narrow, first_tables
from skill_factory.model import Verdict, hex_id
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import RowError, read_row
from skill_factory.sources.thinking import taken_back

Indices = npt.NDArray[np.int64]


class Found(NamedTuple):
    """A text, its place in the narrow table and its question."""

    place: int
    question: str
    text: str


def _tables(source: RawSource, recipe: Recipe, whole: bool) -> Iterator[pa.Table]:
    """Canonical rows in the order in which the narrow table of all of the source, or of a sample, has them."""
    if not whole:
        yield from first_tables(source, recipe.columns, SAMPLE_BYTES)[0]
        return
    for piece in source.pieces():
        for batch in piece.batches(recipe.columns):
            yield canonical(batch, recipe.columns).table


def texts_at(
    source: RawSource, recipe: Recipe, narrow: Narrow, level: Level, places: Indices, words: str = ""
) -> Iterator[Found]:
    """The texts at some places of a level, ascending, that hold some words; nothing is read behind the last place."""
    facts = narrow.facts
    if level is Level.QUESTIONS:
        yield from _question_texts(source, recipe, facts, places, words)
        return
    owners = places if level is Level.RESPONSES else facts.reflection_response[places]
    start = at = 0
    for table in _tables(source, recipe, narrow.whole):
        if at >= len(places):
            return
        # Places ascend, so those of this table are one slice of them.
        stop = int(np.searchsorted(owners, start + table.num_rows))
        here, rows = places[at:stop], pa.array(owners[at:stop] - start, pa.int64())
        if level is Level.RESPONSES:
            texts = table["response"].take(rows)
        else:
            # Reflections are numbered through the whole source; this table's begin here.
            first = int(np.searchsorted(facts.reflection_response, start))
            texts = pc.list_flatten(table["reflections"]).take(pa.array(here - first, pa.int64()))
        questions = table["question"].take(rows)
        if words:
            holds = pc.match_substring(texts, words, ignore_case=True)
            texts, questions, here = texts.filter(holds), questions.filter(holds), here[holds.to_numpy()]
        for place, question, text in zip(here.tolist(), questions, texts, strict=True):
            yield Found(place, question.as_py(), text.as_py())
        start, at = start + table.num_rows, stop


def _question_texts(
    source: RawSource, recipe: Recipe, facts: Facts, places: Indices, words: str
) -> Iterator[Found]:
    waiting = {int(facts.question_id[place]): place for place in places.tolist()}
    for ids, texts in different_questions(source, recipe.columns):
        for one, text in zip(ids.tolist(), texts, strict=True):
            place = waiting.pop(one, None)
            if place is not None and words.lower() in text.lower():
                yield Found(place, text, "")
        if not waiting:
            return


# -- questions by their words --------------------------------------------------------------------------------------


def find_questions(source: RawSource, recipe: Recipe, words: str, most: int = 20) -> list[tuple[int, str]]:
    """
    (id, text) of the first questions that hold some words, in any case, or whose id begins with them.

    Errors: SourceError.
    """
    found: dict[int, str] = {}
    asked = words.lower().strip()
    for ids, texts in different_questions(source, recipe.columns):
        for one, text in zip(ids.tolist(), texts, strict=True):
            # Fewer digits of an id are also words that people look for: “8”, “2024”, “face”.
            if asked in text.lower() or (len(asked) >= 6 and hex_id(one).startswith(asked)):
                found.setdefault(one, text)
                if len(found) == most:
                    return list(found.items())
    return list(found.items())


class Disputed(NamedTuple):
    """A response and all that was said of it."""

    question: str
    gold: str
    response: str
    variant: str
    reflections: list[tuple[str, str]]
    """(verdict, text)."""


def disputed(source: RawSource, recipe: Recipe, narrow: Narrow, places: Iterable[int]) -> dict[int, Disputed]:
    """Some responses, by their place in the narrow table, with all their reflections. Errors: SourceError."""
    verdicts, owners = narrow.facts.reflection_verdict, narrow.facts.reflection_response
    # The next place is the last, which a list gives away at once.
    waiting = sorted(places, reverse=True)
    found: dict[int, Disputed] = {}
    start = 0
    for table in _tables(source, recipe, narrow.whole):
        while waiting and waiting[-1] < start + table.num_rows:
            place = waiting.pop()
            row = table.slice(place - start, 1).to_pylist()[0]
            first = int(np.searchsorted(owners, place))
            said = [
                (Verdict(int(verdicts[first + i])).word, text) for i, text in enumerate(row["reflections"])
            ]
            found[place] = Disputed(
                row["question"], row["answer"] or "", row["response"], row["variant"] or "", said
            )
        if not waiting:
            break
        start += table.num_rows
    return found


def broken_rows(source: RawSource, recipe: Recipe) -> Iterator[tuple[int, RowError]]:
    """Rows of the source that could not be read, each with its number from 1. Errors: SourceError."""
    number = 0
    for piece in source.pieces():
        for batch in piece.batches(recipe.columns):
            # Row by row takes many times longer, so only batches with a broken row are read that way.
            if canonical(batch, recipe.columns).errors:
                rows = batch.to_pylist() if isinstance(batch, pa.RecordBatch) else batch
                for place, row in enumerate(rows, 1):
                    found = read_row(row, recipe.columns)
                    if isinstance(found, RowError):
                        yield number + place, found
            number += len(batch) if isinstance(batch, list) else batch.num_rows


def thinking_left_out(source: RawSource, recipe: Recipe, question: int) -> dict[str, str]:
    """Response → the part of its text that the think rule left out, for one question by id. Errors: SourceError."""
    # The canonical row holds what the rule kept, so the rows are read once more with both parts.
    both = recipe.changed({"columns.think": "both"})
    found = {}
    for text in rows_of_questions(source, both, [question])["response"].to_pylist():
        parts = taken_back(text)
        if parts is not None:
            kept, left = parts if recipe.columns.think == "inside" else parts[::-1]
            found[kept] = left
    return found
