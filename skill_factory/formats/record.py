"""What a trace format is: one record. Gate, forecast, picker, docs and tests are all made from it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from skill_factory.model import Question, Skip, TracePlan
from skill_factory.recipe.model import Traces

Plans = Iterator[TracePlan | Skip]
FormatFunction = Callable[[Question, Traces], Plans]
"""From a question that passed the format's gate to plans, and to skips where the question can't yield one."""

TEACHES = ("one_attempt", "all_right", "wrong_to_right", "ends_wrong")
"""What a trace shows, as the tally counts it."""
TEACHES_WORDS: Mapping[str, str] = {
    "one_attempt": "one right attempt",
    "all_right": "several right attempts",
    "wrong_to_right": "a mistake corrected",
    "ends_wrong": "a wrong last attempt",
}
"""What a trace shows, for people: charts, comparisons and cards say it in these words."""
Shows = tuple[float, float, float, float]
"""Expected traces of one plan, in the order of TEACHES."""
NOTHING: Shows = (0.0, 0.0, 0.0, 0.0)


class Pool(NamedTuple):
    """How many kept and how many right responses a question has: all that an expectation needs to know of it."""

    kept: int
    right: int


Expected = Iterator[tuple[str, int, Shows]]
"""(label, attempts, expected traces by what they show) of one question and repeat; attempts 0 where they are drawn."""
Expectation = Callable[[Pool, Traces], Expected]


class Needs(NamedTuple):
    """What a question must have before a format can show anything of it."""

    right: int = 1
    wrong: int = 0
    attempts: int = 1
    """The smallest N at which the format exists."""
    n_responses: bool = True
    """Whether N kept responses are needed (of N prompt variants, where these must differ), whatever the format shows."""


@dataclass(frozen=True)
class Format:
    """
    A trace format. `code` and `plans` are the minimum; all else has a default that is honest about what is not known.

    Without `expects` a forecast draws some traces with `plans` and counts them.
    """

    code: str
    """What a recipe calls it."""
    plans: FormatFunction
    title: str = ""
    """What people call it; the code, where nothing is given."""
    shows: str = ""
    """What a trace of it shows, in one sentence."""
    picture: str = ""
    """An example: `✓` a right attempt, `✗` a wrong one, `•` the reflection on it, `↩` back to a right one."""
    label: str = ""
    """The label of its traces, with `{n}` for the number of attempts; the code, where nothing is given."""
    needs: Needs = field(default_factory=Needs)
    expects: Expectation | None = None
    rule: str = ""
    """What its attempts are drawn by: formats of one rule draw the same attempts. Empty where it shares with none."""
    reflects: bool = True
    """Whether a trace shows reflections: without any in the data, only formats that don't can be built."""
    for_comparison: bool = False
    """Whether it is made to be compared with, so that a picker may fold it away."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.title or self.code

    def label_of(self, attempts: int) -> str:
        """The label of a trace with so many attempts."""
        return (self.label or self.code).replace("{n}", str(attempts))
