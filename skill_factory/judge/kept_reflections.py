"""The kept reflections of each response, held as columns: a build draws from them for thousands of traces at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skill_factory.judge.facts import Flags, Places, Reading
from skill_factory.model import Reflection


@dataclass(frozen=True, eq=False)
class Critiques(Sequence[Sequence[Reflection]]):
    """The kept reflections of each response, by its place in the facts, and by id; each is made when it is asked for."""

    texts: Sequence[str]
    places: npt.NDArray[np.int64]
    """Of the kept reflections in the facts, response by response."""
    ids: npt.NDArray[np.uint64]
    """Of the same ones."""
    starts: npt.NDArray[np.int64]
    """Where those of each response begin, and the last ones end."""

    @classmethod
    def of(cls, reading: Reading, kept: Flags, twin: Places) -> "Critiques":
        """Those that are kept; what a twin was told counts for the response that stands for both."""
        facts = reading.facts
        chosen = np.flatnonzero(kept)
        owner = twin[facts.reflection_response[chosen]]
        chosen = chosen[by_owner(owner, facts.reflection_id[chosen])]
        starts = np.zeros(len(facts.response_id) + 1, np.int64)
        np.cumsum(np.bincount(owner, minlength=len(facts.response_id)), out=starts[1:])
        return cls(reading.reflections, chosen, facts.reflection_id[chosen], starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> list[Reflection]:  # type: ignore[override]  # a slice asks for nothing here
        start, end = self.starts[place : place + 2].tolist()
        ids, places = self.ids[start:end].tolist(), self.places[start:end].tolist()
        return [Reflection(id, one, self.texts) for id, one in zip(ids, places, strict=True)]


def by_owner(owner: Places, ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """
    The order by owner, then id.

    Sorting one key is many times faster than sorting by two, and ids of one owner hardly ever begin with the same bits.
    """
    # 24 bits of owner and 40 of id make one key; where two keys are equal after all, the exact sort decides.
    if int(owner.max(initial=0)) < 1 << 24:
        keys = owner.astype(np.uint64) << np.uint64(40) | ids >> np.uint64(24)
        order = np.argsort(keys)
        ordered = keys[order]
        if not (ordered[1:] == ordered[:-1]).any():
            return order
    return np.lexsort((ids, owner))
