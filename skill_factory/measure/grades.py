"""Marks for answers, by the grader that rewards reinforcement learning; equal questions are asked once."""

from functools import lru_cache

from skill_factory.draws import text_id
from skill_factory.grading import Decision, Task, gold_answer, judge
from skill_factory.measure.outputs import RIGHT, UNJUDGED, WRONG

MOST_KNOWN = 1_000_000
"""Marks remembered at a time, some 100 bytes each."""
_MARKS = {Decision.RIGHT: RIGHT, Decision.WRONG: WRONG, Decision.UNJUDGED: UNJUDGED}


class Grades:
    """Remembers what it has judged: a run of many samples gives the same few answers again and again."""

    def __init__(self, task: Task = Task.AUTO) -> None:
        self._task = task
        self._known: dict[int, int] = {}

    def mark(self, answer: str | None, gold: str | None, question: str) -> int:
        """RIGHT, WRONG (also where there is no answer), or UNJUDGED without a gold answer that fits the task."""
        if gold is None or not gold.strip():
            return UNJUDGED
        # The question belongs to the key: a puzzle is judged by its numbers, a choice by its options.
        key = text_id(f"{question}\x1f{gold}\x1f{'' if answer is None else answer}")
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                # Dropped all at once: to know which mark is the oldest would cost more than grading some of them again.
                self._known.clear()
            found = self._known[key] = _MARKS[judge(answer, stated_gold(gold), self._task, question)]
        return found


@lru_cache(maxsize=4096)
def stated_gold(gold: str) -> str:
    """The gold answer of a column that may hold a worked solution."""
    return gold_answer(gold)
