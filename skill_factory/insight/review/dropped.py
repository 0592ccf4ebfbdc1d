"""What was said of a question's responses and dropped, each reflection with its reason, beside its response."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from skill_factory.insight.living.question import rows_of
from skill_factory.judge.facts import read
from skill_factory.judge.judge import KEPT, judge
from skill_factory.model import Verdict
from skill_factory.reasons import Level, ReflectionReason, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.sources.columns import CANONICAL


class DroppedReflection(NamedTuple):
    """A reflection that isn't used, with the response that it judges."""

    response_id: int
    correct: bool
    response: str
    verdict: str
    text: str
    why: str
    """Half a sentence; empty for one that is shown though it was kept."""


def dropped_reflections(rows: pa.Table, recipe: Recipe, question: int) -> list[DroppedReflection]:
    """The dropped reflections on all responses of a question, in the order of the rows."""
    return list(_dropped(rows_of(rows, question), recipe))


def _dropped(rows: pa.Table, recipe: Recipe) -> Iterator[DroppedReflection]:
    reading = read(rows.cast(CANONICAL), recipe)
    facts, codes = reading.facts, judge(reading.facts, recipe).reflection_code
    reasons = list(ReflectionReason)
    for place in np.flatnonzero(codes != KEPT).tolist():
        owner = int(facts.reflection_response[place])
        yield DroppedReflection(
            int(facts.response_id[owner]),
            bool(facts.response_correct[owner]),
            reading.responses[owner],
            Verdict(int(facts.reflection_verdict[place])).word,
            reading.reflections[place],
            sentence(Level.REFLECTIONS, reasons[int(codes[place]) - 1]),
        )
