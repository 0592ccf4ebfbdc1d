"""What the figures say about the next dataset: one rule a sentence, each with its source or marked as ours.

A rule speaks only where the figure's interval, not just its value, lies beyond the rule's bound; and no more certainly
than that. None of them was tested by training.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skill_factory.measure.figures import Figures
from skill_factory.measure.intervals import Interval
from skill_factory.measure.measurement import Measurement
from skill_factory.wording import percent

PAPER = "arXiv 2512.04072"
OURS = "a rule of thumb of ours"


@dataclass(frozen=True)
class Rule:
    """A rule: when it speaks, what it says, and where it comes from."""

    name: str
    source: str
    says: Callable[[Figures], str | None]


def _above(at: Interval, bound: float) -> bool:
    # The whole interval: a figure of ten outputs would otherwise give advice by luck.
    return not math.isnan(at.low) and at.low > bound


def _below(at: Interval, bound: float) -> bool:
    return not math.isnan(at.high) and at.high < bound


def _spread(at: Interval) -> str:
    return f"{percent(at.value)} ({percent(at.low)} to {percent(at.high)})"


def _one_attempt(figures: Figures) -> str | None:
    at = figures.values["two_attempts"]
    if not _below(at, 0.2):
        return None
    return (
        f"Few outputs hold a second attempt ({_spread(at)}). If retrying is what it should learn, use formats with "
        "several attempts (`*C_full`, `*C`), and check that the trainer's cut-off leaves them whole."
    )


def _no_reflections(figures: Figures) -> str | None:
    if figures.counts["attempts"] < 1 or not _below(figures.values["reflections"], 0.2):
        return None
    return (
        f"It hardly reflects ({figures.values['reflections'].value:.2f} reflections per output). The paper's ablation without "
        "reflections loses most after that without order: keep reflections in the traces."
    )


def _breaks(figures: Figures) -> str | None:
    at = figures.values["breaks"]
    if not _above(at, 0.08):
        return None
    return (
        f"When it goes on after a right attempt, in {_spread(at)} of the cases it breaks it: "
        "more `*CC` traces, which confirm a right answer, may help."
    )


def _weak_incorrect(figures: Figures) -> str | None:
    at = figures.values["precision.incorrect"]
    if not _below(at, 0.75):
        return None
    return (
        f"Its *incorrect* is right in only {_spread(at)}: fewer reflections by weak models, and a look at which "
        "reflections are kept (`inspect`), may help."
    )


def _weak_correct(figures: Figures) -> str | None:
    at = figures.values["precision.correct"]
    if not _below(at, 0.75):
        return None
    return (
        f"Its *correct* is right in only {_spread(at)}: traces that show more wrong attempts being called wrong "
        "(`--set balance.min_wrong=1`) may help."
    )


def _says_nothing(figures: Figures) -> str | None:
    judged = sum(
        figures.counts[f"{true}_{said}"]
        for true in ("right", "wrong")
        for said in ("correct", "incorrect", "none")
    )
    silent = figures.counts["right_none"] + figures.counts["wrong_none"]
    # 30 cases, below which a share says little; counts have no interval here.
    if "verdicts" in figures.missing or judged < 30 or silent < 0.3 * judged:
        return None
    return f"{percent(silent, judged)} of its attempts get no verdict at all; F1 counts them as misses."


def _stops_early(figures: Figures) -> str | None:
    ends, again = figures.counts["incorrect_ends"], figures.counts["incorrect_tries_again"]
    if ends + again < 30 or ends < 0.3 * (ends + again):
        return None
    return (
        f"After *incorrect* it ends in {percent(ends, ends + again)} of the cases instead of trying again: fewer traces "
        "that end on a wrong attempt (`random`), more that end on a right one (`*C`), may help."
    )


def _no_gain(figures: Figures) -> str | None:
    at, two = figures.values["gain"], figures.values["two_attempts"]
    # A model that hardly retries can't gain by it: that is another rule's sentence.
    if math.isnan(at.value) or two.value < 0.2 or at.high > 0.02:
        return None
    return (
        f"It retries, and gains little by it: final less first accuracy is {at.value:+.3f} [{at.low:+.3f}, {at.high:+.3f}]. "
        "A better verdict is worth more now than more attempts."
    )


def _cut_off(figures: Figures) -> str | None:
    at = figures.values["cut_off"]
    if not _above(at, 0.05):
        return None
    return (
        f"Many outputs are cut off ({_spread(at)}). Accuracy counts them as wrong: sample with more tokens, or make "
        "traces with fewer attempts (`--set cutoff.action=fewer_attempts`)."
    )


def _circles(figures: Figures) -> str | None:
    at = figures.values["repeats"]
    if not _above(at, 0.02):
        return None
    return f"It goes round in circles in {_spread(at)} of the outputs; duplicated attempts in the traces are worth a look."


RULES: Sequence[Rule] = (
    Rule("one_attempt", f"{PAPER}, section 7 (number of attempts); the bound is ours", _one_attempt),
    Rule(
        "no_reflections",
        f"{PAPER}, ablations (23.3 without reflections, 32.0 with); the bound is ours",
        _no_reflections,
    ),
    Rule("breaks", OURS, _breaks),
    Rule("weak_incorrect", OURS, _weak_incorrect),
    Rule("weak_correct", OURS, _weak_correct),
    Rule("says_nothing", OURS, _says_nothing),
    Rule("stops_early", OURS, _stops_early),
    Rule("no_gain", OURS, _no_gain),
    Rule("cut_off", OURS, _cut_off),
    Rule("circles", OURS, _circles),
)


@dataclass(frozen=True)
class Advice:
    """A sentence about the next dataset, and the rule it comes from."""

    run: str
    rule: str
    sentence: str
    source: str


def advise(measurement: Measurement) -> list[Advice]:
    """What the figures of each run say about the next dataset; empty where no rule speaks, and of a dataset of ours."""
    # A dataset of ours shows mistakes on purpose.
    built = {source["run"] for source in measurement.reading.get("sources", []) if source.get("lineage")}
    return [
        Advice(run, rule.name, sentence, rule.source)
        for run, figures in measurement.runs.items()
        if run not in built
        for rule in RULES
        if (sentence := rule.says(figures))
    ]
