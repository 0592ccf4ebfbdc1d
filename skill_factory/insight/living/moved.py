"""Two traces of one question compared: which attempts and reflections came, went, stayed or stand elsewhere."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

from skill_factory.insight.trace_parts import Card, Story, story
from skill_factory.model import Trace
from skill_factory.wording import inflect, many


class Fate(StrEnum):
    """What a change did to an attempt."""

    STAYED = "stayed"
    CAME = "came"
    WENT = "went"
    MOVED = "moved"
    """It is in both traces, in another place among those that stayed."""


class Said(StrEnum):
    """What a change did to the reflection on an attempt that is in both traces."""

    SAME = "same"
    CAME = "came"
    WENT = "went"
    OTHER = "other"
    """Another reflection on the same attempt was drawn."""


class Step(NamedTuple):
    """An attempt of the new trace, or one that went, where it stood."""

    fate: Fate
    card: Card
    said: Said


@dataclass(frozen=True)
class Moved:
    """What a change did to a trace: its steps in reading order, those that went among them."""

    steps: tuple[Step, ...]
    before: Story | None
    after: Story | None

    def count(self, fate: Fate) -> int:
        """How many attempts had this fate."""
        return sum(step.fate is fate for step in self.steps)

    @property
    def reflections(self) -> int:
        """How many attempts in both traces have another reflection now, or none."""
        return sum(step.said is not Said.SAME for step in self.steps)

    @property
    def still(self) -> bool:
        """Whether both traces read the same, but for the phrases between their parts."""
        return (
            all(step.fate is Fate.STAYED for step in self.steps)
            and not self.reflections
            and self._closed_alike
        )

    @property
    def _closed_alike(self) -> bool:
        if self.before is None or self.after is None:
            return self.before is self.after
        return (self.before.answer, self.before.again) == (self.after.answer, self.after.again)


def moved(before: Trace | None, after: Trace | None) -> Moved:
    """What became of the attempts of `before` in `after`; None stands for no trace."""
    old, new = _Side.of(before), _Side.of(after)
    steps = [Step(fate, card, said) for fate, card, said in _steps(old, new)]
    return Moved(tuple(steps), old.story, new.story)


class _Side(NamedTuple):
    story: Story | None
    cards: Sequence[Card]
    ids: Sequence[int]
    """The ids of the attempts' responses."""
    said: Sequence[int | None]
    """The ids of their reflections."""

    @classmethod
    def of(cls, trace: Trace | None) -> "_Side":
        if trace is None:
            return cls(None, (), (), ())
        attempts, told = trace.plan.attempts, story(trace)
        ids = [attempt.response.id for attempt in attempts]
        said = [None if attempt.reflection is None else attempt.reflection.id for attempt in attempts]
        return cls(told, told.cards, ids, said)


def _steps(old: _Side, new: _Side) -> list[tuple[Fate, Card, Said]]:
    steps: list[tuple[Fate, Card, Said]] = []
    there, here = dict(zip(old.ids, old.said, strict=True)), {*new.ids}
    # No id is junk, however often it occurs.
    for kind, i, end_i, j, end_j in SequenceMatcher(None, old.ids, new.ids, autojunk=False).get_opcodes():
        if kind == "equal":
            pairs = zip(range(i, end_i), range(j, end_j), strict=True)
            steps += [(Fate.STAYED, new.cards[b], _said(old.said[a], new.said[b])) for a, b in pairs]
            continue
        # One that stands elsewhere now is shown there, once.
        gone = (place for place in range(i, end_i) if old.ids[place] not in here)
        steps += [(Fate.WENT, old.cards[place], Said.SAME) for place in gone]
        for place in range(j, end_j):
            again = new.ids[place] in there
            said = _said(there[new.ids[place]], new.said[place]) if again else Said.SAME
            steps.append((Fate.MOVED if again else Fate.CAME, new.cards[place], said))
    return steps


def _said(before: int | None, after: int | None) -> Said:
    if before == after:
        return Said.SAME
    if before is None:
        return Said.CAME
    return Said.WENT if after is None else Said.OTHER


def sentence(change: Moved) -> str:
    """What the change did, in words: "2 attempts came, 1 went. Another reflection on 1 attempt." """
    if change.after is None:
        return "This question gives no trace any more." if change.before else "This question gives no trace."
    if change.before is None:
        return "This question gives a trace now."
    if change.still:
        return "The last change leaves this trace as it is."
    counts = [(n, words) for fate, words in _FATES if (n := change.count(fate))]
    parts = [
        f"{n:,} {words}" if k else f"{many(n, 'attempt')} {words}" for k, (n, words) in enumerate(counts)
    ]
    told = Counter(step.said for step in change.steps)
    parts += [
        f"{n:,} {inflect(n, 'has', 'have')} {words}"
        if parts
        else f"{many(n, 'attempt')} {inflect(n, 'has', 'have')} {words}"
        for said, words in _REFLECTIONS
        if (n := told[said])
    ]
    return f"{', '.join(parts)}." if parts else "The ending changed."


_FATES = ((Fate.CAME, "came"), (Fate.WENT, "went"), (Fate.MOVED, "moved"))
_REFLECTIONS = (
    (Said.OTHER, "another reflection"),
    (Said.CAME, "a reflection now"),
    (Said.WENT, "no reflection any more"),
)
