"""Two builds side by side. A trace is the same in both where its text, format and repeat are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skill_factory.asked import asked_in_row
from skill_factory.insight.compare import Difference as Field
from skill_factory.insight.compare import readable
from skill_factory.insight.difference.built import Built, Ids
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.sources.columns import excerpt
from skill_factory.wording import many

EXAMPLES = 3
"""Of each kind of difference."""


class Shares(NamedTuple):
    """How many there are in both builds, only in the first, and only in the second."""

    both: int
    only_left: int
    only_right: int


class Example(NamedTuple):
    """A row that only one of the builds has."""

    kind: str
    side: str
    label: str
    question: str
    trace: str
    place: int
    """Its row in that build, from 0."""


class Entry(NamedTuple):
    """A line of both ledgers; its reason is empty for what was kept."""

    level: str
    reason: str
    left: int
    right: int


@dataclass(frozen=True)
class Difference:
    """What two builds have in common and what they don't."""

    left: str
    right: str
    traces: Shares
    questions: Shares
    told_otherwise: int
    """Questions of both builds whose traces differ."""
    fields: tuple[Field, ...]
    """Fields of the recipe, the data's own among them."""
    ledger: tuple[Entry, ...]
    examples: tuple[Example, ...]

    @property
    def same(self) -> bool:
        """Whether both hold the same traces."""
        return not self.traces.only_left and not self.traces.only_right

    def to_json(self) -> dict[str, Any]:
        """The difference as JSON values."""
        return {
            "left": self.left,
            "right": self.right,
            "same": self.same,
            "traces": self.traces._asdict(),
            "questions": {**self.questions._asdict(), "with_other_traces": self.told_otherwise},
            "recipe": [field._asdict() for field in self.fields],
            "ledger": [entry._asdict() for entry in self.ledger],
            "examples": [example._asdict() for example in self.examples],
        }

    def lines(self) -> Iterator[str]:
        """The difference as lines for a terminal or a card."""
        if self.same:
            yield f"Both hold the same {many(self.traces.both, 'trace')}."
        else:
            yield f"Traces: {_shared(self.traces)}."
            yield (
                f"Questions: {_shared(self.questions)}; {self.told_otherwise:,} of those in both have other traces."
            )
        for field in self.fields:
            yield f"Recipe, {field.field}: {field.left} in the first, {field.right} in the second."
        for entry in self.ledger:
            what = f"dropped because {entry.reason}" if entry.reason else "kept"
            yield f"{entry.level.capitalize()} {what}: {entry.left:,} in the first, {entry.right:,} in the second."
        for example in self.examples:
            yield f"{example.kind} ({example.label}): {example.question} → {example.trace}"


def difference(left: Built, right: Built) -> Difference:
    """Compare two builds; their texts are read for the examples alone."""
    mine, theirs = left.ids(), right.ids()
    # Ids as sets in numpy: a million traces take some megabytes and a second.
    alone_left, alone_right = ~np.isin(mine[0], theirs[0]), ~np.isin(theirs[0], mine[0])
    both = np.intersect1d(mine[1], theirs[1])
    changed = np.union1d(mine[1][alone_left], theirs[1][alone_right])
    return Difference(
        left.name,
        right.name,
        _shares(*(np.unique(ids) for ids in (mine[0], theirs[0]))),
        _shares(*(np.unique(ids) for ids in (mine[1], theirs[1]))),
        len(np.intersect1d(changed, both)),
        tuple(fields_between(left.recipe, right.recipe)),
        tuple(ledger_between(left.report["ledger"], right.report["ledger"])),
        (
            *_examples(left, "first", mine[1], alone_left, both),
            *_examples(right, "second", theirs[1], alone_right, both),
        ),
    )


def _shares(left: Ids, right: Ids) -> Shares:
    both = len(np.intersect1d(left, right))
    return Shares(both, len(left) - both, len(right) - both)


def _shared(shares: Shares) -> str:
    return f"{shares.both:,} in both, {shares.only_left:,} only in the first, {shares.only_right:,} only in the second"


def fields_between(left: AnyRecipe, right: AnyRecipe) -> Iterator[Field]:
    """The fields in which two recipes differ, those of the data among them."""
    mine, theirs = left.flat(), right.flat()
    # A mixture has fields for each of its sources: those of one side alone differ too.
    for name in dict.fromkeys([*mine, *theirs]):
        if mine.get(name, "") != theirs.get(name, ""):
            yield Field(name, readable(mine.get(name, "")), readable(theirs.get(name, "")))


def ledger_between(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Entry]:
    """The lines in which two ledgers differ."""
    for level in Level:
        mine, theirs = left.get(level.value, {}), right.get(level.value, {})
        if mine.get("kept", 0) != theirs.get("kept", 0):
            yield Entry(level.value, "", mine.get("kept", 0), theirs.get("kept", 0))
        dropped, other = mine.get("dropped", {}), theirs.get("dropped", {})
        for reason in dict.fromkeys([*dropped, *other]):
            if dropped.get(reason, 0) != other.get(reason, 0):
                yield Entry(
                    level.value, sentence(level, reason), dropped.get(reason, 0), other.get(reason, 0)
                )


def _examples(
    built: Built, side: str, questions: Ids, alone: npt.NDArray[np.bool_], both: Ids
) -> Iterator[Example]:
    """Rows of one build alone: of questions that the other lacks, and other traces of questions that it has."""
    shared = np.isin(questions, both)
    for kind, places in (
        (f"Question only in the {side}", np.flatnonzero(alone & ~shared)),
        (f"Trace only in the {side}", np.flatnonzero(alone & shared)),
    ):
        chosen = _spread(places)
        for place, row in zip(chosen, built.rows(chosen), strict=True):
            label = row.get("sft_template_type_idx", "")
            yield Example(
                kind,
                side,
                label,
                excerpt(asked_in_row(row).question),
                excerpt(row["conversations"][-1]["content"]),
                place,
            )


def _spread(places: npt.NDArray[np.intp]) -> Sequence[int]:
    """A few places from all over, the first among them; neighbours are mostly of one question."""
    step = max(1, len(places) // EXAMPLES)
    found: list[int] = places[::step][:EXAMPLES].tolist()
    return found
