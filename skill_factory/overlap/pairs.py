"""A question of one's own beside what it looks like, and what the two agree in."""

from dataclasses import dataclass
from typing import Any

from skill_factory.model import hex_id
from skill_factory.overlap.agreement import SAID, Agreement


@dataclass(frozen=True)
class Pair:
    """A question of the source and the other one that it looks like."""

    question_id: int
    question: str
    benchmark: str
    """The benchmark's name; empty where the other question is one of the source too."""
    other: str
    """The other question, or the solution that stands in a response."""
    agreement: Agreement
    response: str = ""
    """The response in which the other text stands; empty where the questions agree."""

    def to_json(self, texts: bool = True) -> dict[str, Any]:
        """The pair as JSON values; without texts where it gets published, so that no benchmark does."""
        told: dict[str, Any] = {"question_id": hex_id(self.question_id), "benchmark": self.benchmark}
        if texts and self.response:
            told |= {"question": self.question, "response": self.response, "benchmark_solution": self.other}
        elif texts:
            told |= {"question": self.question, "benchmark_question": self.other}
        by = self.agreement.by
        return told | {"agrees_by": by.value, "agrees_in": SAID[by], "share": round(self.agreement.share, 3)}
