"""What happened: the ledger, and every number that cards, charts and reports show. Tallies of parts add up to the whole.

This is only the record. Each room counts what happens in it: rows in `sources/canonical.py`, judgements in
`judge/counting.py`, traces in `traces/counting.py`. Numbers live in counters whose keys are texts ("original|right"),
so that a tally is JSON as it is; for each counter a named tuple says what its keys are made of (`COUNTS`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

from skill_factory.reasons import Level

EXAMPLES = 3
"""Examples kept for each reason to drop a row."""
MODULO = 1 << 128


class Teaches(NamedTuple):
    """What a trace shows: `one_attempt`, `all_right`, `wrong_to_right` or `ends_wrong`."""

    format: str
    shows: str

    def __str__(self) -> str:
        return f"{self.format}|{self.shows}"


class AttemptPlace(NamedTuple):
    """One attempt of a trace: its place, counted from 1, the number of attempts, and whether it is right or wrong."""

    format: str
    attempts: int
    place: int
    truth: str

    def __str__(self) -> str:
        return f"{self.format}|{self.attempts:02d}|{self.place:02d}|{self.truth}"


class TraceChars(NamedTuple):
    """The length of question and trace in characters, rounded up to a multiple of 250."""

    format: str
    attempts: int
    chars: int

    def __str__(self) -> str:
        return f"{self.format}|{self.attempts:02d}|{self.chars}"


class Balance(NamedTuple):
    """A question: how many of its kept responses are right, and how many are kept."""

    right: int
    kept: int

    def __str__(self) -> str:
        return f"{self.right}|{self.kept}"


class Label(NamedTuple):
    """A response: its prompt variant, whose name may itself contain a bar, and whether it is right or wrong."""

    variant: str
    truth: str

    def __str__(self) -> str:
        return f"{self.variant}|{self.truth}"


class Verdicts(NamedTuple):
    """A reflection: the prompt variant of its response, whether that is right, and what the reflection says."""

    variant: str
    truth: str
    said: str

    def __str__(self) -> str:
        return f"{self.variant}|{self.truth}|{self.said}"


class Overlap(NamedTuple):
    """A trace that shows the attempts and reflections of an earlier trace of its question: the formats of both."""

    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first}|{self.second}"


class Reach(NamedTuple):
    """Questions that a format could use at some N."""

    format: str
    n: int

    def __str__(self) -> str:
        return f"{self.format}|{self.n:02d}"


COUNTS: dict[str, type | None] = {
    "traces_by_label": None,
    "traces_by_format": None,
    "attempts": None,
    "teaches": Teaches,
    "places": AttemptPlace,
    "trace_chars": TraceChars,
    "balance": Balance,
    "labels": Label,
    "verdicts": Verdicts,
    "kept_responses": Label,
    "reach": Reach,
    "overlaps": Overlap,
    "corrections": None,
    "given_away": None,
    "thinking": None,
    "review": None,
    "unequal_golds": None,
}
"""Every counter, and what its keys are made of; None for keys of one word."""
RARE = frozenset({"overlaps", "corrections", "given_away", "thinking", "review", "unequal_golds"})
"""Counters that a report lists only if they counted something."""


K = TypeVar("K", bound=tuple[Any, ...])


@cache
def _numbers(kind: type) -> tuple[bool, ...]:
    """Which parts of a key of that kind are numbers."""
    return tuple(hint is int for hint in get_type_hints(kind).values())


def keyed(kind: type[K], counter: Mapping[str, int]) -> list[tuple[K, int]]:
    """(key, number) for each entry of a counter whose keys are of that kind, in the counter's order."""
    numbers = _numbers(kind)
    read = []
    for text, n in counter.items():
        parts = text.rsplit("|", len(numbers) - 1)
        values = [int(part) if number else part for part, number in zip(parts, numbers, strict=True)]
        read.append((tuple.__new__(kind, values), n))
    return read


@dataclass
class LevelTally:
    """One level of the ledger: read = kept + what was dropped, by reason."""

    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, other: "LevelTally") -> None:
        """Add the numbers of another tally of this level."""
        self.read += other.read
        self.kept += other.kept
        self.dropped.update(other.dropped)


@dataclass
class Tally:
    """The numbers of a build, or of a part of one."""

    ledger: dict[Level, LevelTally] = field(default_factory=lambda: {level: LevelTally() for level in Level})
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTS})
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Up to three unreadable rows for each reason: the first in text order, so that the order of rows doesn't matter."""
    sources: dict[str, "Tally"] = field(default_factory=dict)
    """In a mixture the tally of each source by its name; empty otherwise."""
    digest: int = 0
    """The sum of the traces' digests modulo 2**128: equal for equal traces, whatever made them."""

    def add(self, other: "Tally") -> None:
        """Add the numbers of another part."""
        for level, tally in other.ledger.items():
            self.ledger[level].add(tally)
        for name, counter in other.counts.items():
            self.counts[name].update(counter)
        for reason, shown in other.examples.items():
            self.examples[reason] = sorted({*self.examples.get(reason, []), *shown})[:EXAMPLES]
        for source, tally_of in other.sources.items():
            self.sources.setdefault(source, Tally()).add(tally_of)
        self.digest = (self.digest + other.digest) % MODULO

    def to_json(self) -> dict[str, Any]:
        """The tally as JSON values, keys sorted."""
        return {
            "ledger": {
                level.value: {"read": t.read, "kept": t.kept, "dropped": dict(sorted(t.dropped.items()))}
                for level, t in self.ledger.items()
            },
            **{
                name: dict(sorted(counter.items()))
                for name, counter in self.counts.items()
                if counter or name not in RARE
            },
            "row_examples": dict(sorted(self.examples.items())),
            **({"by_source": _by_source(self.sources)} if self.sources else {}),
            "rows_digest": f"{self.digest:032x}",
        }


def _by_source(sources: Mapping[str, "Tally"]) -> dict[str, Any]:
    return {name: tally.to_json() for name, tally in sorted(sources.items())}


def tally_from_json(tree: Mapping[str, Any]) -> Tally:
    """The inverse of `Tally.to_json`."""
    ledger = {
        level: LevelTally(counted["read"], counted["kept"], Counter(counted["dropped"]))
        for level in Level
        for counted in [tree["ledger"][level.value]]
    }
    counts = {name: Counter(tree[name] if name not in RARE else tree.get(name, {})) for name in COUNTS}
    sources = {name: tally_from_json(part) for name, part in tree.get("by_source", {}).items()}
    return Tally(ledger, counts, dict(tree["row_examples"]), sources, int(tree["rows_digest"], 16))


def of_source(name: str, tally: Tally) -> Tally:
    """The numbers of one source of a mixture, as a part of the mixture's."""
    whole = total([tally])
    whole.sources[name] = tally
    return whole


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of several tallies."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole
