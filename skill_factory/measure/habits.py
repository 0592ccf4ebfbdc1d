"""Words that go with four habits of thought, counted as words and no more.

The habits are those of Gandhi et al. (arXiv 2503.01307): verification, backtracking, subgoals, backward chaining. The
phrases are our own. A model that says "wait," need not have come back from anything, so these counts never mix with
what tags show.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

HABITS = ("verification", "backtracking", "subgoals", "backward_chaining")


@lru_cache(maxsize=1)
def phrases() -> Mapping[str, tuple[str, ...]]:
    """The phrases of each habit, lower case."""
    book = tomllib.loads((Path(__file__).parent / "habits.toml").read_text(encoding="utf-8"))
    return {habit: tuple(book[habit]) for habit in HABITS}


def count_words(text: str) -> tuple[int, ...]:
    """How often phrases of each habit stand in a text, in the order of HABITS."""
    # Models write "let's" with either apostrophe; the phrases have the plain one.
    lowered = text.lower().replace("’", "'")
    return tuple(sum(lowered.count(phrase) for phrase in book) for book in phrases().values())
