"""What a trace format is: one record, from which gate, forecast, picker, docs and tests are made."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from skill_factory.model import Question, Skip, TracePlan
from skill_factory.recipe.model import Traces

Plans = Iterator[TracePlan | Skip]
FormatFunction = Callable[[Question, Traces], Plans]
"""From a question that passed the format's gate to plans, or to skips where the question can't give one."""

TEACHES = ("one_attempt", "all_right", "wrong_to_right", "ends_wrong")
"""What a trace shows, as the tally counts it."""
TEACHES_WORDS: Mapping[str, str] = {
    "one_attempt": "one right attempt",
    "all_right": "several right attempts",
    "wrong_to_right": "a mistake corrected",
    "ends_wrong": "a wrong last attempt",
}
"""What a trace shows, in the words of charts, comparisons and cards."""
Shows = tuple[float, float, float, float]
"""Expected traces by what they show, in the order of TEACHES."""
NOTHING: Shows = (0.0, 0.0, 0.0, 0.0)


class ResponseCounts(NamedTuple):
    """How many kept and how many right responses a question has: all that an expectation needs to know about it."""

    kept: int
    right: int


Expected = Iterator[tuple[str, int, Shows]]
"""(label, attempts, expected traces by what they show) of one question and repeat; 0 attempts where they are drawn."""
Expectation = Callable[[ResponseCounts, Traces], Expected]


class Needs(NamedTuple):
    """What a question must have before a format can make a trace of it."""

    right: int = 1
    wrong: int = 0
    attempts: int = 1
    """The smallest N at which the format makes sense."""
    n_responses: bool = True
    """Whether N kept responses are needed (of N prompt variants, if these must differ), however many the format shows."""


@dataclass(frozen=True)
class Format:
    """
    A trace format. `code` and `plans` are the minimum; everything else has a default that claims nothing.

    Without `expects`, a forecast draws some traces with `plans` and counts them.
    """

    code: str
    """The name in recipes."""
    plans: FormatFunction
    title: str = ""
    """The name for people; empty stands for the code."""
    shows: str = ""
    """What a trace of this format shows, in one sentence."""
    picture: str = ""
    """An example in signs: `✓` a right attempt, `✗` a wrong one, `•` a reflection, `↩` the way back to a right attempt."""
    label: str = ""
    """The label (trace type) of its traces, with `{n}` for the number of attempts; empty stands for the code."""
    needs: Needs = field(default_factory=Needs)
    expects: Expectation | None = None
    always: bool = False
    """Whether a question that passes the gate gives exactly as many traces as `expects` lists, if N isn't drawn."""
    rule: str = ""
    """The rule that draws the attempts: formats with the same rule draw the same ones. Empty for a rule of its own."""
    reflects: bool = True
    """Whether a trace shows reflections. Data without reflections allows only formats that show none."""
    draws_attempts: bool = False
    """Whether the number of attempts is drawn where a recipe asks for it (`traces.sample_attempts`)."""
    for_comparison: bool = False
    """Whether the format is meant for comparisons, so that a picker may fold it away."""

    @property
    def name(self) -> str:
        """The name for people."""
        return self.title or self.code

    def label_of(self, attempts: int) -> str:
        """The label of a trace with that many attempts."""
        # Not `format`: a label of a user's own may hold other braces.
        return (self.label or self.code).replace("{n}", str(attempts))
