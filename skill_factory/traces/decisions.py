"""What a person decided about single traces, kept in the recipe under keys that need no text.

A key is the question's id and a hash of what a reviewer judges: format, trace type, repeat, closing, and which responses
and reflections are shown in which order. So a decision holds as long as the trace shows the same, whatever phrases join
its parts, and it is known from the narrow table alone: a build renders nothing for it, a page of a million traces neither.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from xxhash import xxh3_64_intdigest

from skill_factory.model import TracePlan, hex_id
from skill_factory.recipe.model import Review


class Decision(StrEnum):
    """What a person decided about a trace."""

    NONE = "none"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


def decision_key(plan: TracePlan) -> str:
    """The key of a trace in `review`."""
    attempts = plan.attempts
    return key_of(
        plan.question.id,
        (plan.format, plan.label, plan.repeat, plan.closing.value),
        [attempt.response.id for attempt in attempts],
        [0 if attempt.reflection is None else attempt.reflection.id for attempt in attempts],
    )


def key_of(
    question: int, kind: tuple[str, str, int, str], responses: Sequence[int], reflections: Sequence[int]
) -> str:
    """`decision_key` from ids: kind is format, trace type, repeat and closing; 0 stands for no reflection."""
    parts = [*map(str, kind), *map(str, responses), "", *map(str, reflections)]
    return f"{hex_id(question)}-{hex_id(xxh3_64_intdigest(chr(31).join(parts).encode()))}"


class Decisions:
    """The decisions of a recipe, quick to ask for the many traces that nobody decided about."""

    def __init__(self, review: Review) -> None:
        self.of = dict.fromkeys(review.accepted, Decision.ACCEPTED)
        self.of |= dict.fromkeys(review.rejected, Decision.REJECTED)
        self.questions = frozenset(questions_of(self.of))

    def __bool__(self) -> bool:
        return bool(self.of)

    def about(self, plan: TracePlan) -> Decision:
        """What was decided about a trace; its key is made only if its question has any decision."""
        if plan.question.id not in self.questions:
            return Decision.NONE
        return self.of.get(decision_key(plan), Decision.NONE)


def questions_of(keys: Iterable[str]) -> set[int]:
    """The ids of the questions that keys belong to."""
    return {int(key[:16], 16) for key in keys}


def decided(review: Review, key: str, decision: Decision) -> dict[str, tuple[str, ...]]:
    """The changes to a recipe that make a decision about a trace, or take it back."""
    accepted = [one for one in review.accepted if one != key]
    rejected = [one for one in review.rejected if one != key]
    if decision is not Decision.NONE:
        (accepted if decision is Decision.ACCEPTED else rejected).append(key)
    return {"review.accepted": tuple(accepted), "review.rejected": tuple(rejected)}


def noted(review: Review, key: str, note: str) -> dict[str, dict[str, str]]:
    """The change to a recipe that keeps a remark on a trace; an empty one takes it back."""
    others = {one: text for one, text in review.notes.items() if one != key}
    return {"review.notes": {**others, key: note} if note else others}
