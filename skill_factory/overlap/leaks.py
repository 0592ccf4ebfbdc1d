"""Solutions of benchmarks that stand in responses: a run of words that nobody writes twice by chance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.asked import spoken_in
from skill_factory.errors import SourceError
from skill_factory.judge.facts import text_ids
from skill_factory.overlap.agreement import Agreement, By
from skill_factory.overlap.benchmarks import MOST_QUESTIONS, OpenBenchmark
from skill_factory.overlap.evidence import FEWEST, SHARED_BY, among
from skill_factory.overlap.pairs import Pair
from skill_factory.overlap.words import WORD, Grams, Worded, Wording
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource
from skill_factory.sources.canonical import canonical

RUN = 20
"""Words, numbers and signs in a row that a response shares with a solution: two who calculate alike share fewer."""
WORDS = 8
"""Of these, words: equations look alike, whoever writes them."""
BLOCK = 2_000
"""Responses that are compared at a time."""

Block = tuple[list[str], list[str]]
"""The questions and the responses of some rows."""
Responses = Callable[[], Iterator[Block]]
"""All responses, again and again."""
Places = npt.NDArray[np.int64]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class _Known:
    """The runs of all solutions, sorted, and the solution of each."""

    runs: Grams
    owners: Places
    texts: list[str]
    names: list[str]
    """The benchmark of each solution."""

    @cached_property
    def sizes(self) -> Places:
        """How many runs each solution has."""
        return np.bincount(self.owners, minlength=len(self.texts))

    def without(self, common: Grams) -> "_Known":
        """Without runs that prove nothing."""
        own = ~among(self.runs, common)
        return replace(self, runs=self.runs[own], owners=self.owners[own])


def leaked(responses: Responses, benchmarks: Sequence[OpenBenchmark]) -> list[Pair]:
    """
    For each question and benchmark the response that shares most with one of its solutions, if any does.

    What one question in twenty has in its responses, or one solution in twenty, proves nothing. Errors: SourceError.
    """
    wording = Wording()
    known = _solutions(benchmarks, wording)
    counts, questions = _found_by(responses, known, wording)
    most = max(FEWEST, SHARED_BY * questions)
    known = known.without(np.unique(known.runs[counts >= most]))
    return _pairs(responses, known, wording) if (counts[counts < most] > 0).any() else []


def _solutions(benchmarks: Sequence[OpenBenchmark], wording: Wording) -> _Known:
    parts: list[tuple[Grams, Places]] = []
    texts: list[str] = []
    names: list[str] = []
    for one in benchmarks:
        own = sorted(set(one.solutions()))
        if not own:
            raise SourceError(
                f"The benchmark {one.about.name} holds no answers or solutions to look for in responses. Give one that does, or "
                "leave out --against-responses."
            )
        if len(texts) + len(own) > MOST_QUESTIONS:
            raise SourceError(f"The benchmarks hold more than {MOST_QUESTIONS:,} solutions. Give fewer.")
        runs, owners = _runs(wording(own))
        names_of, counts = np.unique(runs, return_counts=True)
        telling = ~among(runs, names_of[counts >= max(FEWEST, SHARED_BY * len(own))])
        parts.append((runs[telling], owners[telling] + len(texts)))
        texts += own
        names += [one.about.name] * len(own)
    runs = np.concatenate([np.zeros(0, np.uint64), *(runs for runs, _ in parts)])
    owners = np.concatenate([np.zeros(0, np.int64), *(owners for _, owners in parts)])
    order = np.lexsort((owners, runs))
    return _Known(runs[order], owners[order], texts, names)


def _runs(worded: Worded) -> tuple[Grams, Places]:
    """The runs in some texts, each once for a text, and the text of each."""
    n = len(worded.tokens) - RUN + 1
    if n < 1:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    wide, mixed = worded.tokens.astype(np.uint64), np.zeros(n, np.uint64)
    with np.errstate(over="ignore"):
        for k in range(RUN):
            mixed = mixed * _FACTOR + wide[k : n + k] + np.uint64(1)
        mixed ^= mixed >> np.uint64(29)
    words = np.concatenate([[0], np.cumsum((worded.tokens & 3) == WORD)])
    owner = worded.owner
    telling = (owner[:n] == owner[RUN - 1 :]) & (words[RUN:] - words[:-RUN] >= WORDS)
    owners = owner[:n][telling]
    runs = mixed[telling]
    order = np.lexsort((runs, owners))
    runs, owners = runs[order], owners[order]
    new = np.ones(len(runs), np.bool_)
    new[1:] = (runs[1:] != runs[:-1]) | (owners[1:] != owners[:-1])
    return runs[new], owners[new]


def responses_of(*sources: tuple[RawSource, Columns]) -> Responses:
    """All responses of some sources, each time that they are asked for. Errors: SourceError while they are read."""

    def read() -> Iterator[Block]:
        for source, columns in sources:
            for batch in (batch for piece in source.pieces() for batch in piece.batches(columns)):
                for start in range(0, len(batch), BLOCK):
                    end = start + BLOCK
                    part = (
                        batch.slice(start, BLOCK) if isinstance(batch, pa.RecordBatch) else batch[start:end]
                    )
                    yield from in_table(canonical(part, columns, unlabelled=True).table)()

    return read


def in_table(table: pa.Table) -> Responses:
    """The responses in some canonical rows."""

    def read() -> Iterator[Block]:
        for first in range(0, table.num_rows, BLOCK):
            some = table.slice(first, BLOCK)
            yield some["question"].to_pylist(), some["response"].to_pylist()

    return read


def _found_by(responses: Responses, known: _Known, wording: Wording) -> tuple[Places, int]:
    """By how many different questions each run is found, and how many there are."""
    runs = np.unique(known.runs)
    pairs: list[npt.NDArray[np.uint64]] = [np.zeros((0, 2), np.uint64)]
    asked: set[int] = set()
    for questions, texts in responses():
        ids = text_ids(questions)
        asked.update(ids.tolist())
        mine, owners = _runs(wording(texts))
        there = among(mine, runs)
        if there.any():
            pairs.append(np.unique(np.stack([mine[there], ids[owners[there]]], axis=1), axis=0))
    both = np.unique(np.concatenate(pairs), axis=0)
    found, counts = np.unique(both[:, 0], return_counts=True)
    result = np.zeros(len(known.runs), np.int64)
    if len(found):
        places = np.minimum(np.searchsorted(found, known.runs), len(found) - 1)
        result = np.where(found[places] == known.runs, counts[places], 0)
    return result, len(asked)


def _pairs(responses: Responses, known: _Known, wording: Wording) -> list[Pair]:
    best: dict[tuple[int, str], tuple[Pair, int]] = {}
    for questions, texts in responses():
        ids = text_ids(questions)
        for place, owner, shared in _shared(known, _runs(wording(texts))):
            name = known.names[owner]
            key = int(ids[place]), name
            found = Agreement(By.RESPONSE, shared / int(known.sizes[owner]))
            pair = Pair(key[0], spoken_in(questions[place]), name, known.texts[owner], found, texts[place])
            if key not in best or _before(pair, shared) < _before(*best[key]):
                best[key] = pair, shared
    return [best[key][0] for key in sorted(best)]


def _before(pair: Pair, shared: int) -> tuple[int, str, str]:
    """The most first; then by the texts, so that the order of rows decides nothing."""
    return -shared, pair.other, pair.response


def _shared(known: _Known, own: tuple[Grams, Places]) -> Iterator[tuple[int, int, int]]:
    """(response, solution, runs that both have) of all that share any."""
    runs, owners = own
    low, high = np.searchsorted(known.runs, runs, "left"), np.searchsorted(known.runs, runs, "right")
    many = high - low
    if not many.any():
        return
    left = np.repeat(owners, many)
    ends = np.cumsum(many)
    right = known.owners[np.arange(int(ends[-1])) - np.repeat(ends - many, many) + np.repeat(low, many)]
    codes, counts = np.unique(np.stack([left, right], axis=1), axis=0, return_counts=True)
    yield from zip(codes[:, 0].tolist(), codes[:, 1].tolist(), counts.tolist(), strict=True)
