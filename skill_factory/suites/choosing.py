"""Which questions and how many traces each arm gets: arrays in, arrays out, nothing read or written.

Traces are taken in rounds: one of each question in the written order, then a second of each question that has one, and so
on, until the size is reached. So all arms have the same questions before any has a second trace of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from skill_factory.draws import order_keys
from skill_factory.errors import NothingUsable
from skill_factory.judge.facts import Ids
from skill_factory.suites.suite import BASE, Equal
from skill_factory.wording import many

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Offer:
    """What an arm could give: its questions by id, the traces of each, and the characters of these, in taking order."""

    questions: Ids
    traces: Counts
    chars: Counts
    """One for each trace, question after question; empty where only traces are counted."""


@dataclass(frozen=True)
class Chosen:
    """How many traces each arm takes of each question that all arms share."""

    questions: Ids
    """The shared questions, by id."""
    takes: Mapping[str, Counts]
    """Traces of each of them, by arm."""
    size: int
    """Traces of each arm, or its most characters."""


def taking_order(seed: int, question: int, lengths: Sequence[int]) -> list[int]:
    """
    The order in which the traces of a question are taken, given the number of attempts of each.

    A trace is known by its number of attempts and how many of the same number came before it: so arms that offer the same
    kinds of traces take the same ones, and an arm that offers fewer takes those that are left in the same order.
    """
    seen: dict[int, int] = {}
    keys = []
    for place, n in enumerate(lengths):
        seen[n] = nth = seen.get(n, -1) + 1
        keys.append((xxh3_64_intdigest(f"{seed}\x1f{question}\x1f{n}\x1f{nth}\x1farm".encode()), place))
    return [place for _, place in sorted(keys)]


def shared_questions(offers: Mapping[str, Offer]) -> Ids:
    """The questions of which every arm has a trace, by id."""
    shared: Ids | None = None
    for offer in offers.values():
        own = np.unique(offer.questions[offer.traces > 0])
        shared = own if shared is None else np.intersect1d(shared, own, assume_unique=True)
    return np.zeros(0, np.uint64) if shared is None else shared


def choose(offers: Mapping[str, Offer], equal: Equal, seed: int, most: int = 0) -> Chosen:
    """
    The shared questions, and the traces that each arm takes: the smallest arm sets the size, `most` (0: none) limits it.

    Errors: NothingUsable that names the arm which costs the most.
    """
    shared = shared_questions(offers)
    if not len(shared):
        raise NothingUsable(_nothing_shared(offers))
    kept = {name: _of(offer, shared) for name, offer in offers.items()}
    smallest = min(int(offer.traces.sum()) for offer in kept.values())
    ranks = np.argsort(np.argsort(order_keys(seed, shared), kind="stable"), kind="stable")
    if equal is Equal.TRACES:
        size = min(smallest, most or smallest)
        takes = {name: _first(offer.traces, ranks, size) for name, offer in kept.items()}
        return Chosen(shared, takes, size)
    size = min(int(offer.chars.sum()) for offer in kept.values())
    return Chosen(shared, {name: _within(offer, ranks, size, most) for name, offer in kept.items()}, size)


def _of(offer: Offer, shared: Ids) -> Offer:
    """The offer for the shared questions alone, in the order of their ids."""
    order = np.argsort(offer.questions, kind="stable")
    places = order[np.searchsorted(offer.questions[order], shared)]
    traces = offer.traces[places]
    if not len(offer.chars):
        return Offer(shared, traces, offer.chars)
    firsts = np.cumsum(offer.traces) - offer.traces
    taken = np.repeat(firsts[places] - (np.cumsum(traces) - traces), traces) + np.arange(traces.sum())
    return Offer(shared, traces, offer.chars[taken])


def _in_rounds(traces: Counts, ranks: Counts) -> tuple[Counts, Counts]:
    """The order of all traces, as places in the list of them, and the place of each one's question."""
    owners = np.repeat(np.arange(len(traces)), traces)
    rounds = np.arange(len(owners)) - np.repeat(np.cumsum(traces) - traces, traces)
    return np.lexsort((ranks[owners], rounds)), owners


def _first(traces: Counts, ranks: Counts, size: int) -> Counts:
    order, owners = _in_rounds(traces, ranks)
    return np.bincount(owners[order[:size]], minlength=len(traces)).astype(np.int64)


def _within(offer: Offer, ranks: Counts, size: int, most: int) -> Counts:
    """As many traces in their order as have no more characters than `size` together."""
    order, owners = _in_rounds(offer.traces, ranks)
    n = int(np.searchsorted(np.cumsum(offer.chars[order]), size, side="right"))
    return np.bincount(owners[order[: min(n, most or n)]], minlength=len(offer.traces)).astype(np.int64)


# -- what the sharing costs -----------------------------------------------------------------------------------------


def costs(offers: Mapping[str, Offer]) -> list[tuple[str, int, int]]:
    """(arm, questions of the base that it lacks, questions that would be shared without it), the costliest first."""
    base = np.unique(offers[BASE].questions)
    found = []
    for name, offer in offers.items():
        if name != BASE:
            lacks = len(np.setdiff1d(base, offer.questions, assume_unique=False))
            without = len(shared_questions({k: v for k, v in offers.items() if k != name}))
            found.append((name, lacks, without))
    return sorted(found, key=lambda cost: (-cost[2], -cost[1], cost[0]))


def usable_arms(offers: Mapping[str, Offer]) -> tuple[dict[str, Offer], list[str]]:
    """The offers of the arms that can use some question, and a sentence for each arm that can use none."""
    usable = {name: offer for name, offer in offers.items() if len(offer.questions)}
    lines = [
        f"{name}: left out, since it can use no question of this data. Ask less of a question in it (a smaller N, more variants)."
        for name in offers
        if name not in usable
    ]
    return usable, lines


def fewer_lines(chosen: Chosen) -> list[str]:
    """What is said if equal sizes leave some arms fewer questions than all share."""
    fewer = {
        name: n
        for name, takes in chosen.takes.items()
        if (n := int((takes > 0).sum())) < len(chosen.questions)
    }
    if not fewer:
        return []
    least = min(fewer, key=lambda name: fewer[name])
    return [
        (
            f"At this size {many(len(fewer), 'arm')} can't show all {len(chosen.questions):,} shared questions; they take the first "
            f"in the written order. The fewest has {least}: {fewer[least]:,}."
        )
    ]


def cost_lines(offers: Mapping[str, Offer], shared: int) -> list[str]:
    """What is said before anything is written, if the arms share fewer than half of the base's questions."""
    base = len(offers[BASE].questions)
    if 2 * shared >= base:
        return []
    lines = [f"The arms share {many(shared, 'question')}, fewer than half of the {base:,} that the base has."]
    for name, lacks, without in costs(offers)[:3]:
        if lacks:
            lines.append(
                f"{name}: lacks {lacks:,} of the base's questions; without it the others share {without:,}."
            )
    return lines


def _nothing_shared(offers: Mapping[str, Offer]) -> str:
    name, _, without = costs(offers)[0]
    return f"No question can be used in every arm. Without arm {name!r} the others would share {many(without, 'question')}."
