"""Which answer rule would find something: each one tried on some responses, so that a person can pick."""

import pyarrow as pa

from skill_factory.judge.responses import final_answer
from skill_factory.recipe.model import Answers

TRIED = ("column", "tag", "boxed", "gold")
"""The rules that need no pattern."""


def answers_found(table: pa.Table) -> dict[str, tuple[int, int]]:
    """Rule → (responses in which it alone finds an answer, responses), for canonical rows."""
    rows = list(
        zip(
            *(table[name].to_pylist() for name in ("response", "extracted", "answer", "correct")), strict=True
        )
    )
    found = {}
    for rule in TRIED:
        find = final_answer(Answers.model_validate({"rules": (rule,)}))
        found[rule] = (sum(find(*row) is not None for row in rows), len(rows))
    return found
