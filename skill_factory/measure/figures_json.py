"""The figures of a run as JSON values; the keys are those of docs/measure.md."""

import math
from typing import Any

from skill_factory.measure.cells import IS, MOVES, SAYS
from skill_factory.measure.figures import Figures
from skill_factory.measure.habits import HABITS
from skill_factory.measure.intervals import Interval

COUNTS = {
    "outputs": "outputs",
    "unjudged": "unjudged",
    "cut_off": "cut_off",
    "no_answer": "no_answer",
    "malformed": "malformed",
    "repeats": "repeats",
    "same_text": "same_text",
    "same_answer": "same_answer",
    "reflections_unpaired": "unpaired",
    "final_differs": "differs",
    "final_unjudged": "final_unjudged",
    "with_attempts": "with_attempts",
    "shows_fix": "shows_fix",
}
"""Keys of a run's object that are plain counts, and the names of the counts."""
AFTER = ("correct_ends", "correct_goes_on", "incorrect_tries_again", "incorrect_ends")


def run_json(figures: Figures) -> dict[str, Any]:
    """The figures of a run as JSON values; what can't be had is null."""
    counts, values = figures.counts, figures.values

    def cell(name: str, group: str) -> int | None:
        # A count of 0 where nothing could be judged would read as "never happened".
        return None if group in figures.missing else counts[name]

    def of(name: str) -> dict[str, Any]:
        return interval_json(values[name])

    means = ("attempts", "answers", "reflections")
    return {
        "questions": figures.questions,
        **{key: counts[name] for key, name in COUNTS.items() if key != "shows_fix"},
        "shows_fix": cell("shows_fix", "shows_fix"),
        **{name: _number(values[name].value) for name in means},
        "intervals": {
            name: of(name)
            for name in (*means, "two_attempts", "cut_off", "malformed", "repeats", "no_answer", "tokens")
        },
        "totals": {name: counts[name] for name in means},
        "distribution": {str(n): k for n, k in figures.more["distribution"].items()},
        "moves": {
            **{name: cell(name, "moves") for name in MOVES},
            "unjudged": counts["moves_unjudged"],
            "same_answer": counts["again"],
        },
        "verdicts": {true: {said: cell(f"{true}_{said}", "verdicts") for said in SAYS} for true in IS},
        "said": counts["said"],
        "after": {name: counts[name] for name in AFTER},
        **{
            kind: {said: of(f"{kind}.{said}") for said in ("correct", "incorrect")}
            for kind in ("f1", "precision", "recall")
        },
        **{name: of(name) for name in ("verdict_accuracy", "kappa", "gain", "breaks", "fixes")},
        "accuracy": {
            which: {**of(f"accuracy.{which}"), "of": counts["outputs"]} for which in ("first", "final", "any")
        },
        "at_k": [
            {"k": votes.k, "questions": votes.questions, "pass": votes.passed, "maj": votes.majority}
            for votes in figures.more["at_k"]
        ],
        "labels": figures.more["labels"],
        "tokens": figures.more["lengths"],
        "words_per_1000_tokens": {habit: _number(figures.words(habit)) for habit in HABITS},
    }


def interval_json(at: Interval) -> dict[str, float | None]:
    """A figure with its range."""
    return {name: _number(value) for name, value in zip(Interval._fields, at, strict=True)}


def _number(value: float) -> float | None:
    # JSON has no NaN: Python would write one all the same, and most readers refuse it.
    return None if math.isnan(value) else value


def whole(value: float) -> float | int:
    """A number without a fraction that says nothing."""
    # Steps travel as floats, and people write 200, not 200.0.
    return int(value) if value == int(value) else value
