"""What a pilot shows: how well the model judges, what it costs, how many questions will be usable at each N."""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from skill_factory.formats.right_last import CORRECT_LAST_FULL
from skill_factory.generate.folder import DATA
from skill_factory.generate.money import Spending
from skill_factory.generate.notes import EQUAL
from skill_factory.generate.progress import GenerateProgress
from skill_factory.generate.work import STAGE
from skill_factory.intervals import wilson
from skill_factory.judge.facts import read
from skill_factory.judge.judge import judge, reach
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import CANONICAL
from skill_factory.sources.files import FileSource
from skill_factory.wording import duration

MOST_ATTEMPTS = 10


@dataclass(frozen=True)
class Interval:
    """A number with the bounds of its 95 % interval."""

    low: int
    expected: int
    high: int


@dataclass(frozen=True)
class Pilot:
    """The figures of a pilot."""

    kind: str
    questions: int
    """Questions that were tried."""
    questions_total: int
    """Questions of the whole source."""
    figures: dict[str, float]
    """Shares from 0 to 1, by name."""
    tokens_per_question: dict[str, float]
    cost: float
    cost_total: float
    """Expected for the whole source, including what the pilot cost."""
    seconds: float
    seconds_total: float
    usable: dict[int, Interval]
    """Questions of the whole source expected to be usable at each N."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def share_interval(hits: int, tried: int, total: int) -> tuple[float, float]:
    """
    The 95 % interval of a share of `total`, of which `tried` were drawn without replacement and `hits` have it.

    Wilson's score interval with a finite population correction: once all are tried, no doubt is left.
    """
    if tried == 0:
        return 0.0, 1.0
    share = hits / tried
    if tried >= total:
        return share, share
    n = tried * (total - 1) / (total - tried)
    return wilson(share, n)


def forecast(usable: list[int], tried: int, total: int) -> dict[int, Interval]:
    """Usable questions of the whole source at N = 1, 2, …, from how many of the tried ones are usable."""
    intervals: dict[int, Interval] = {}
    for n, hits in enumerate(usable, 1):
        low, high = share_interval(hits, tried, total)
        # What was seen is certain: there are no fewer usable questions, and no fewer unusable ones.
        least, most = max(hits, math.floor(low * total)), min(total - (tried - hits), math.ceil(high * total))
        intervals[n] = Interval(least, round(hits / tried * total) if tried else 0, most)
    return intervals


def usable_questions(folder: Path, kind: str) -> list[int]:
    """Usable questions of a pilot's raw set at N = 1 … 10, by the rules of the build itself."""
    columns = Columns(
        question="question",
        answer="answer",
        response=(STAGE,),
        correct=(f"{STAGE}__eval_is_correct",),
        extracted_answer=(f"{STAGE}__eval_extracted_answers",),
        reflections=(f"{STAGE}_reflection",) if kind == "reflections" else (),
        prompt_variant="prompt_variant",
        think="after",  # what a build proposes for texts that hold thinking
    )
    # The usual recipe: a pilot is tried before anyone has chosen filters.
    recipe = Recipe(columns=columns)
    source = FileSource.open(str(folder / DATA))
    batches = [batch for piece in source.pieces() for batch in piece.batches(columns)]
    tables = [canonical(batch, columns).table.cast(CANONICAL) for batch in batches]
    facts = read(pa.concat_tables(tables) if tables else CANONICAL.empty_table(), recipe).facts
    return reach(judge(facts, recipe), recipe, CORRECT_LAST_FULL.needs, MOST_ATTEMPTS)


def pilot_of(
    kind: str,
    folder: Path,
    counts: Counter[str],
    spending: Spending,
    moment: GenerateProgress,
    tried: int,
    total: int,
) -> Pilot:
    """The figures of a finished pilot, from its folder and counters."""
    per_question = {
        "prompt": spending.prompt_tokens / max(1, tried),
        "completion": spending.completion_tokens / max(1, tried),
    }
    # Questions were drawn at random, so the rest costs what they did, on average.
    scale = total / max(1, tried)
    return Pilot(
        kind=kind,
        questions=tried,
        questions_total=total,
        figures=_verdict_figures(counts) if kind == "reflections" else _response_figures(counts),
        tokens_per_question={name: round(value, 1) for name, value in per_question.items()},
        cost=round(spending.cost, 6),
        cost_total=round(spending.cost * scale, 4),
        seconds=moment.seconds,
        # A resumed pilot has answers of earlier runs too, which took none of this run's time.
        seconds_total=round(moment.seconds / moment.new * moment.total * scale, 1) if moment.new else 0.0,
        usable={} if kind == "outputs" else forecast(usable_questions(folder, kind), tried, total),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _verdict_figures(counts: Counter[str]) -> dict[str, float]:
    right = counts["verdict_true_on_right"], counts["verdict_false_on_right"]
    wrong = counts["verdict_true_on_wrong"], counts["verdict_false_on_wrong"]
    given = sum(right) + sum(wrong)  # a missing verdict is neither right nor wrong
    return {
        "verdict_accuracy": _share(right[0] + wrong[0], given),
        "verdict_accuracy_on_right": _share(right[0], sum(right)),
        "verdict_accuracy_on_wrong": _share(wrong[0], sum(wrong)),
        "verdict_missing": _share(counts["verdict_missing"], counts["reflections_made"]),
        "responses_with_kept": _share(counts["responses_with_kept"], counts["rows"]),
        **_endings(counts),
    }


def _response_figures(counts: Counter[str]) -> dict[str, float]:
    judged = counts["label_right"] + counts["label_wrong"]
    return {
        "right": _share(counts["label_right"], judged),
        "unjudged": _share(counts["label_unjudged"], counts["rows"]),
        "no_final_answer": _share(counts["no_final_answer"], counts["rows"]),
        **_endings(counts),
    }


def _endings(counts: Counter[str]) -> dict[str, float]:
    answers = sum(n for name, n in counts.items() if name.startswith("finish_"))
    return {
        "cut_off": _share(counts["finish_length"], answers),
        "refused": _share(counts["finish_refused"], answers),
        "empty": _share(counts["finish_empty"], answers),
        "equal": _share(counts[EQUAL], answers),
    }


_WORDS = {
    "verdict_accuracy": "verdicts that are right",
    "verdict_accuracy_on_right": "… on right responses",
    "verdict_accuracy_on_wrong": "… on wrong responses",
    "verdict_missing": "reflections without a verdict",
    "responses_with_kept": "responses with a reflection to keep",
    "right": "responses that are right",
    "unjudged": "responses nobody could judge",
    "no_final_answer": "responses without a final answer",
    "cut_off": "answers cut off at the token limit",
    "refused": "answers refused",
    "empty": "empty answers",
    "equal": "answers equal to another one",
}


def pilot_lines(pilot: Pilot) -> list[str]:
    """The figures for a terminal."""
    lines = [f"Pilot: {pilot.questions:,} of {pilot.questions_total:,} questions, {pilot.kind}"]
    lines += [f"  {_WORDS[name]:<38}{value:>8.1%}" for name, value in pilot.figures.items()]
    tokens = pilot.tokens_per_question
    lines.append(f"  tokens per question: {tokens['prompt']:,.0f} in, {tokens['completion']:,.0f} out")
    if pilot.cost:
        lines.append(f"  cost: {pilot.cost:,.4f}; for all questions about {pilot.cost_total:,.2f}")
    if pilot.seconds_total:
        lines.append(
            f"  time: {duration(pilot.seconds)}; for all questions about {duration(pilot.seconds_total)}"
        )
    if not pilot.usable:
        return lines
    limit = " (an upper bound: reflections will take some away)" if pilot.kind == "responses" else ""
    lines.append(f"  usable questions at N{limit}, with 95 % interval:")
    lines += [
        f"    N = {n:<3}{interval.expected:>8,}   ({interval.low:,} to {interval.high:,})"
        for n, interval in pilot.usable.items()
    ]
    return lines
