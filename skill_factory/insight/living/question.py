"""What a recipe makes of single questions, from their rows alone, and which questions a change of the recipe changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from skill_factory.build.pipeline import build_partition
from skill_factory.draws import order_keys
from skill_factory.insight.compare import by_question
from skill_factory.judge.facts import Facts, question_ids
from skill_factory.judge.judge import KEPT, Judgement, written_order
from skill_factory.model import Trace
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.tally import LevelTally

LEVELS = (Level.QUESTIONS, Level.TRACES)


@dataclass(frozen=True)
class Told:
    """The traces of a question under a recipe, or why there are none."""

    question: int
    traces: tuple[Trace, ...]
    why: str
    """Half a sentence: the first reason why there is no trace; empty if there is one."""
    kept: int
    """Responses of the question that can be used."""
    read: int


def alone(recipe: Recipe) -> Recipe:
    """The recipe without limits that depend on other questions: from one question nobody can tell who came first."""
    return recipe.changed({"balance.max_traces": 0, "balance.label_limits": {}})


def depends_on_others(recipe: Recipe) -> bool:
    """Whether the recipe limits traces by what was written before."""
    return bool(recipe.balance.max_traces or recipe.balance.label_limits)


def told(rows: pa.Table, recipe: Recipe, question: int) -> Told:
    """What the recipe makes of one question among some canonical rows."""
    part = build_partition(rows_of(rows, question), alone(recipe))
    traces = tuple(part.traces)
    responses = part.tally.ledger[Level.RESPONSES]
    why = "" if traces else next(_whys(part.tally.ledger), "")
    return Told(question, traces, why, responses.kept, responses.read)


def _whys(ledger: Mapping[Level, LevelTally]) -> Iterator[str]:
    for level in LEVELS:
        yield from (sentence(level, reason) for reason, _ in ledger[level].dropped.most_common())


def rows_of(rows: pa.Table, question: int) -> pa.Table:
    """The rows of a question, by id."""
    places, ids, _ = question_ids(rows["question"])
    return rows.filter(pa.array(ids[places] == np.uint64(question)))


def questions_in(rows: pa.Table, recipe: Recipe) -> list[int]:
    """The ids of the questions in some rows, in written order."""
    ids = question_ids(rows["question"])[1]
    order = np.argsort(order_keys(recipe.traces.seed, ids), kind="stable")
    return [int(one) for one in ids[order]]


def first_to_show(rows: pa.Table, recipe: Recipe) -> int:
    """
    The question that tells most of what the recipe does: one whose longest trace corrects a mistake, else any with a
    trace, else the first; 0 where there is none at all.
    """
    every = questions_in(rows, recipe)
    made = by_question(build_partition(rows, alone(recipe)).traces)
    correcting = (one for one, traces in made.items() if _corrects(longest(traces)))
    return next(correcting, next(iter(made), every[0] if every else 0))


def longest(traces: Sequence[Trace]) -> Trace:
    """The trace with most attempts; of several, the first."""
    return max(traces, key=lambda trace: len(trace.plan.order))


def _corrects(trace: Trace) -> bool:
    right = trace.plan.right
    return right[-1] and not all(right)


def changed_questions(rows: pa.Table, before: Recipe, after: Recipe) -> list[int]:
    """
    The questions among some rows whose traces the change changes, in written order of the new recipe.

    Those that give traces before and after come first: in them one sees more than that all is gone.
    """
    old = by_question(build_partition(rows, alone(before)).traces)
    new = by_question(build_partition(rows, alone(after)).traces)
    other = [one for one in questions_in(rows, after) if _shown(old.get(one)) != _shown(new.get(one))]
    return sorted(other, key=lambda one: not (one in old and one in new))


def _shown(traces: Sequence[Trace] | None) -> list[int]:
    return [trace.digest for trace in traces or ()]


def judged_otherwise(facts: Facts, before: Judgement, after: Judgement, seed: int) -> list[int]:
    """
    The questions that two judgements of the same facts judge otherwise, in written order.

    Nothing is read for it, so a change that concerns few questions is found among a million.
    """
    other = before.question_code != after.question_code
    responses = before.response_code != after.response_code
    other[facts.response_question[responses]] = True
    reflections = before.reflection_code != after.reflection_code
    other[facts.response_question[facts.reflection_response[reflections]]] = True
    usable = (before.question_code == KEPT) | (after.question_code == KEPT)
    order = written_order(facts, seed)
    return [int(one) for one in facts.question_id[order[(other & usable)[order]]]]
