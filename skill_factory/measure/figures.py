"""The figures of a run: each a function of sums, so that its value and its interval come from one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from skill_factory.measure.cells import PLACE, Matrix
from skill_factory.measure.habits import HABITS
from skill_factory.measure.intervals import Interval, Statistic, interval


def _sum(sums: Matrix, *names: str) -> Matrix:
    total: Matrix = sums[:, [PLACE[name] for name in names]].sum(axis=1)
    return total


def _ratio(above: Matrix, below: Matrix) -> Matrix:
    """Above over below; NaN where below is 0."""
    ratio: Matrix = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio


def share(above: str, *below: str) -> Statistic:
    """A count over the sum of others."""
    return lambda sums: _ratio(_sum(sums, above), _sum(sums, *below))


def f1(said: str) -> Statistic:
    """F1 of a verdict as the positive class; a judged attempt without verdict is a miss. NaN where the class is empty."""
    mine, other = ("right", "wrong") if said == "correct" else ("wrong", "right")
    cases = (f"{mine}_correct", f"{mine}_incorrect", f"{mine}_none")

    def value(sums: Matrix) -> Matrix:
        hits, truth = _sum(sums, f"{mine}_{said}"), _sum(sums, *cases)
        claims = hits + _sum(sums, f"{other}_{said}")
        # A resample without an attempt of the class would count as F1 = 0 and pull the interval down.
        return _ratio(2 * hits, np.where(truth > 0, truth + claims, 0))

    return value


def precision(said: str) -> Statistic:
    """Of the attempts that a verdict calls so, how many are."""
    mine, other = ("right", "wrong") if said == "correct" else ("wrong", "right")
    return share(f"{mine}_{said}", f"{mine}_{said}", f"{other}_{said}")


def recall(said: str) -> Statistic:
    """Of the attempts that are so, how many a verdict calls so."""
    mine = "right" if said == "correct" else "wrong"
    return share(f"{mine}_{said}", f"{mine}_correct", f"{mine}_incorrect", f"{mine}_none")


_SPOKEN = ("right_correct", "right_incorrect", "wrong_correct", "wrong_incorrect")


def verdict_accuracy(sums: Matrix) -> Matrix:
    """Share of the verdicts given that are true."""
    return _ratio(_sum(sums, "right_correct", "wrong_incorrect"), _sum(sums, *_SPOKEN))


def kappa(sums: Matrix) -> Matrix:
    """Cohen's kappa of verdict and truth, over attempts with a verdict; NaN where one of the two never varies."""
    rc, ri, wc, wi = (_sum(sums, name) for name in _SPOKEN)
    # At least 1, so that an empty resample divides; the ratio below turns it into NaN.
    total = np.maximum(rc + ri + wc + wi, 1)
    # How often both would say the same if verdicts were drawn blindly at the rate at which they are given.
    chance = ((rc + ri) * (rc + wc) + (wc + wi) * (ri + wi)) / total**2
    agreed = (rc + wi) / total
    return _ratio(agreed - chance, np.where(rc + ri + wc + wi > 0, 1 - chance, 0))


def gain(sums: Matrix) -> Matrix:
    """Final accuracy less that of the first attempt."""
    return _ratio(_sum(sums, "final") - _sum(sums, "first"), _sum(sums, "outputs"))


_OF_VERDICTS = ("f1", "precision", "recall", "verdict_accuracy", "kappa")
JUDGED: Mapping[str, Statistic] = {
    "accuracy.first": share("first", "outputs"),
    "accuracy.final": share("final", "outputs"),
    "accuracy.any": share("any", "outputs"),
    "gain": gain,
    "f1.correct": f1("correct"),
    "f1.incorrect": f1("incorrect"),
    "precision.correct": precision("correct"),
    "precision.incorrect": precision("incorrect"),
    "recall.correct": recall("correct"),
    "recall.incorrect": recall("incorrect"),
    "verdict_accuracy": verdict_accuracy,
    "kappa": kappa,
    "breaks": share("broken", "broken", "kept_right"),
    "fixes": share("fixed", "fixed", "kept_wrong"),
    "shows_fix": share("shows_fix", "outputs"),
}
"""Figures that need to know what is right."""
VERDICTS = tuple(name for name in JUDGED if name.split(".")[0] in _OF_VERDICTS)
TOLD: Mapping[str, Statistic] = {
    "attempts": share("attempts", "outputs"),
    "answers": share("answers", "outputs"),
    "reflections": share("reflections", "outputs"),
    "two_attempts": share("two_attempts", "outputs"),
    "cut_off": share("cut_off", "outputs"),
    "malformed": share("malformed", "outputs"),
    "repeats": share("repeats", "outputs"),
    "no_answer": share("no_answer", "outputs"),
    "tokens": share("tokens", "outputs"),
}
"""Figures that a text alone tells."""
STATISTICS: Mapping[str, Statistic] = {**TOLD, **JUDGED}
COMPARED = (
    "accuracy.first",
    "accuracy.final",
    "accuracy.any",
    "gain",
    "f1.correct",
    "f1.incorrect",
    "attempts",
    "answers",
    "reflections",
    "tokens",
)
"""Figures that two runs are compared by, and that a series shows."""


@dataclass(frozen=True)
class Figures:
    """All that is said of some outputs."""

    questions: int
    counts: Mapping[str, int]
    """Sums by the names of `cells.NAMES`."""
    values: Mapping[str, Interval]
    """By the names of STATISTICS; a figure that can't be had is NaN."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Distribution of attempts, lengths, pass@k and maj@k: tables that aren't a single number."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why a figure can't be had, by its name or that of its group."""

    def words(self, habit: str) -> float:
        """Phrases of a habit per 1,000 tokens."""
        tokens = self.counts["tokens"]
        return 1000 * self.counts[habit] / tokens if tokens else float("nan")


def counted(sums: npt.NDArray[np.float64]) -> dict[str, int]:
    """Sums by name."""
    return {name: round(float(sums[place])) for name, place in PLACE.items()}


def valued(sums: npt.NDArray[np.float64], draws: Matrix) -> dict[str, Interval]:
    """Every figure with its interval."""
    return {name: interval(statistic, sums, draws) for name, statistic in STATISTICS.items()}


__all__ = ["COMPARED", "HABITS", "JUDGED", "STATISTICS", "VERDICTS", "Figures", "counted", "valued"]
