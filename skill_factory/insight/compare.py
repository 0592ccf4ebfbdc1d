"""Two recipes side by side: which fields differ, what each would give, and the same questions under both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from skill_factory.build.pipeline import build_partition
from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.expected import Outlook
from skill_factory.insight.simulated import forecast
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import judge
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe

OF_THE_DATA = ("source.", "columns.")
"""Fields that say which data is used, not what is made of it."""


class Difference(NamedTuple):
    """A field in which two recipes differ, with its values as people read them."""

    field: str
    left: str
    right: str


class Measure(NamedTuple):
    """A number of both recipes."""

    name: str
    left: float
    right: float
    is_share: bool


@dataclass(frozen=True)
class Pair:
    """The traces of one question under both recipes."""

    question_id: int
    question: str
    left: tuple[Trace, ...]
    right: tuple[Trace, ...]


def on_the_same_data(recipe: Recipe, data: Recipe) -> Recipe:
    """The recipe with the source and the columns of another."""
    return recipe.model_copy(update={"source": data.source, "columns": data.columns})


def differences(left: Recipe, right: Recipe) -> list[Difference]:
    """The fields in which two recipes differ, in the recipe's own order; those that say which data they use are left out."""
    mine, theirs = left.flat(), right.flat()
    return [
        Difference(field, readable(value), readable(theirs[field]))
        for field, value in mine.items()
        if value != theirs[field] and not field.startswith(OF_THE_DATA)
    ]


def readable(value: Any) -> str:
    """A recipe's value as people read it: yes, no, none, or the value itself."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(readable(part) for part in value) or "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {readable(part)}" for name, part in value.items()) or "none"
    return str(value) if value != "" else "none"


def prospects(facts: Facts, recipe: Recipe) -> Outlook:
    """What a recipe would give, from facts that were read under its own rules."""
    return forecast(facts, judge(facts, recipe), recipe)


def measures(left: Outlook, right: Outlook) -> list[Measure]:
    """What each of two recipes would give, number by number."""
    return [
        Measure("Questions used", left.questions, right.questions, False),
        Measure("Traces", left.traces, right.traces, False),
        Measure("Average attempts per trace", _mean(left), _mean(right), False),
        *(
            Measure(f"Traces with {TEACHES_WORDS[name]}", _share(left, name), _share(right, name), True)
            for name in TEACHES
        ),
    ]


def _share(seen: Outlook, name: str) -> float:
    every = sum(sum(shows) for shows in seen.by_attempts.values())
    these = sum(shows[TEACHES.index(name)] for shows in seen.by_attempts.values())
    return these / every if every else 0.0


def _mean(seen: Outlook) -> float:
    """Average attempts per trace; lengths that are drawn (0) are left out."""
    known = {n: sum(shows) for n, shows in seen.by_attempts.items() if n}
    every = sum(known.values())
    return sum(n * number for n, number in known.items()) / every if every else 0.0


def labels(left: Outlook, right: Outlook) -> list[tuple[str, int, int]]:
    """(trace type, traces of the left recipe, traces of the right one) of all trace types."""
    names = sorted({*left.by_label, *right.by_label}, key=lambda label: (len(label), label))
    return [(name, left.by_label.get(name, 0), right.by_label.get(name, 0)) for name in names]


def pairs(rows: pa.Table, left: Recipe, right: Recipe) -> list[Pair]:
    """
    The same questions under both recipes, from the same canonical rows, in the left one's written order.

    A question that one of the recipes can't use has no traces on its side.
    """
    mine, theirs = by_question(_traces(rows, left)), by_question(_traces(rows, right))
    return [
        Pair(id, traces[0].plan.question.text, tuple(mine.get(id, ())), tuple(theirs.get(id, ())))
        # In the left recipe's order, followed by what only the right one can use.
        for id, traces in (mine | {k: v for k, v in theirs.items() if k not in mine}).items()
    ]


def _traces(rows: pa.Table, recipe: Recipe) -> Iterable[Trace]:
    return build_partition(rows, recipe).traces


def by_question(traces: Iterable[Trace]) -> dict[int, Sequence[Trace]]:
    """Traces grouped by the id of their question, in the order in which they come."""
    groups: dict[int, list[Trace]] = {}
    for trace in traces:
        groups.setdefault(trace.plan.question.id, []).append(trace)
    return dict(groups)
