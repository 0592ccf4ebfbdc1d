"""What was kept and what was dropped, with the texts: the pages and downloads behind every number of the ledger.

Codes and places come from the narrow table; texts are read again (`judge/lookup.py`), only as far as they are asked for.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from skill_factory.asked import asked
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import KEPT, Codes, Judgement
from skill_factory.judge.lookup import Found, Indices, texts_at
from skill_factory.judge.source_facts import Narrow
from skill_factory.model import Verdict, hex_id
from skill_factory.reasons import REASONS, Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource

LEVELS = (Level.RESPONSES, Level.REFLECTIONS, Level.QUESTIONS)
"""Levels whose items the narrow table knows one by one."""


class Fate(StrEnum):
    """What became of the items to show."""

    ALL = "all"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Wanted:
    """Which items of a level to show."""

    level: Level = Level.RESPONSES
    fate: Fate = Fate.DROPPED
    reason: str = ""
    """Only items that were dropped for this reason; empty for any."""
    words: str = ""
    """Only texts that contain these words, in any case."""


class Item(NamedTuple):
    """A response, a reflection or a question, with what became of it."""

    kept: bool
    reason: str
    """The code of the reason; empty if it was kept."""
    why: str
    question_id: str
    id: str
    question: str
    text: str
    """The text of the response or reflection; empty for a question."""
    variant: str
    correct: bool
    """Whether the response is right; for a question, whether one of its kept responses is."""
    verdict: str
    """The verdict of a reflection; empty for other items."""
    response: int = -1
    """The place in the narrow table of the response that a reflection judges; -1 for a question."""


class Doubt(NamedTuple):
    """A response whose label most of its reflections contradict."""

    place: int
    """The place in the narrow table."""
    correct: bool
    reflections: int
    """Those that give a verdict."""
    against: int
    """Those whose verdict is not the label."""


def codes_of(level: Level, judgement: Judgement) -> Codes:
    """What became of each thing of a level, as the judgement codes it."""
    return {
        Level.RESPONSES: judgement.response_code,
        Level.REFLECTIONS: judgement.reflection_code,
        Level.QUESTIONS: judgement.question_code,
    }[level]


def reasons_of(level: Level, judgement: Judgement) -> dict[str, int]:
    """How many things of a level were dropped, by reason: the most common first, none with zero."""
    codes = list(REASONS[level])
    numbers = np.bincount(codes_of(level, judgement), minlength=len(codes) + 1)[1:].tolist()
    counted = {reason.value: n for reason, n in zip(codes, numbers, strict=True) if n}
    return dict(sorted(counted.items(), key=lambda pair: -pair[1]))


def places_of(wanted: Wanted, judgement: Judgement) -> Indices:
    """Where the wanted things are in the narrow table, before their words are looked at."""
    codes = codes_of(wanted.level, judgement)
    if wanted.reason:
        return np.flatnonzero(codes == [r.value for r in REASONS[wanted.level]].index(wanted.reason) + 1)
    chosen = {Fate.ALL: codes >= KEPT, Fate.KEPT: codes == KEPT, Fate.DROPPED: codes != KEPT}[wanted.fate]
    return np.flatnonzero(chosen)


def items(
    source: RawSource, recipe: Recipe, narrow: Narrow, judgement: Judgement, wanted: Wanted
) -> Iterator[Item]:
    """
    The wanted items, in the order of the source; the source is read only as far as the caller asks.

    `narrow` may be that of a sample: then the items end where the sample ends. Errors: SourceError.
    """
    places = places_of(wanted, judgement)
    codes = codes_of(wanted.level, judgement)
    reasons = [reason.value for reason in REASONS[wanted.level]]
    for text in texts_at(source, recipe, narrow, wanted.level, places, wanted.words):
        code = int(codes[text.place])
        reason = reasons[code - 1] if code else ""
        yield _item(text, reason, wanted.level, narrow.facts, judgement)


def _item(text: Found, reason: str, level: Level, facts: Facts, judgement: Judgement) -> Item:
    why = sentence(level, reason) if reason else ""
    if level is Level.QUESTIONS:
        place = text.place
        some_right = bool(judgement.question_right[place])
        own = hex_id(int(facts.question_id[place]))
        return Item(not reason, reason, why, own, own, text.question, "", "", some_right, "")
    response = text.place if level is Level.RESPONSES else int(facts.reflection_response[text.place])
    verdict = "" if level is Level.RESPONSES else Verdict(int(facts.reflection_verdict[text.place])).word
    ids = facts.response_id if level is Level.RESPONSES else facts.reflection_id
    return Item(
        not reason,
        reason,
        why,
        hex_id(int(facts.question_id[facts.response_question[response]])),
        hex_id(int(ids[text.place])),
        text.question,
        text.text,
        facts.variants[int(facts.response_variant[response])],
        bool(facts.response_correct[response]),
        verdict,
        response,
    )


# -- labels in doubt ---------------------------------------------------------------------------------------------


def doubts(facts: Facts, least: int = 2) -> list[Doubt]:
    """Responses with at least so many verdicts, most of which contradict the label; the most contradicted first."""
    given = facts.reflection_verdict >= 0
    owners = facts.reflection_response[given]
    n = len(facts.response_id)
    against_label = facts.reflection_verdict[given] != facts.response_correct[owners].view(np.int8)
    every = np.bincount(owners, minlength=n)
    against = np.bincount(owners[against_label], minlength=n)
    places = np.flatnonzero((every >= max(1, least)) & (against * 2 > every))
    # By the share that contradicts, then by how many do: 6 of 6 say more than 2 of 2.
    order = np.lexsort((places, -against[places], -against[places] / every[places]))
    return [
        Doubt(place, bool(facts.response_correct[place]), int(every[place]), int(against[place]))
        for place in places[order].tolist()
    ]


# -- downloads ---------------------------------------------------------------------------------------------------


def as_row(item: Item, level: Level) -> dict[str, Any]:
    """An item as a row of a download."""
    row: dict[str, Any] = {"level": level.value, "kept": item.kept, "reason": item.reason, "why": item.why}
    row |= {"question_id": item.question_id, "question": asked(item.question).cell}
    if level is not Level.QUESTIONS:
        row |= {
            "id": item.id,
            "prompt_variant": item.variant,
            "response_is": "right" if item.correct else "wrong",
        }
        row |= {"verdict": item.verdict} if level is Level.REFLECTIONS else {}
        row |= {"text": item.text}
    return row


def as_jsonl(rows: Iterable[dict[str, Any]], most: int = 100_000_000) -> str:
    """Rows as JSON Lines, until `most` characters are reached."""
    lines, size = [], 0
    for row in rows:
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        size += len(lines[-1])
        if size >= most:
            break
    return "".join(lines)


def as_csv(rows: Iterable[dict[str, Any]], most: int = 100_000_000) -> str:
    """
    Rows as CSV, until `most` characters are reached.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front: the texts come from strangers.
    """
    import csv
    import io

    out = io.StringIO()
    # The first row names the columns; without rows the file is empty.
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(out, list(row))
            writer.writeheader()
        writer.writerow({name: _harmless(value) for name, value in row.items()})
        if out.tell() >= most:
            break
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def doubtful_rows(
    source: RawSource, recipe: Recipe, narrow: Narrow, found: Iterable[Doubt]
) -> Iterator[dict[str, Any]]:
    """Responses whose labels are in doubt, as rows of a download, in the order of the source."""
    facts, by_place = narrow.facts, {doubt.place: doubt for doubt in found}
    # Ascending, since the source is walked through once.
    for text in texts_at(source, recipe, narrow, Level.RESPONSES, np.array(sorted(by_place), np.int64)):
        doubt = by_place[text.place]
        yield {
            "question_id": hex_id(int(facts.question_id[facts.response_question[doubt.place]])),
            "id": hex_id(int(facts.response_id[doubt.place])),
            "label": "right" if doubt.correct else "wrong",
            "reflections": doubt.reflections,
            "against": doubt.against,
            "question": asked(text.question).cell,
            "response": text.text,
        }
