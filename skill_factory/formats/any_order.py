"""`random`: attempts in any order."""

from math import comb

from skill_factory.draws import Draws
from skill_factory.formats.drawing import ending_in, key_of
from skill_factory.formats.record import Expected, Format, Plans, ResponseCounts, Shows
from skill_factory.model import Closing, Question, TraceFormat, TracePlan
from skill_factory.recipe.model import Traces

RULE = "any order"


def random_order(question: Question, ask: Traces) -> Plans:
    """`random`: n = 1..N attempts in any order; right or wrong is ignored, for the last one too."""
    for repeat in range(ask.repeats):
        for n in range(1, ask.attempts + 1):
            key = key_of(question, ask, repeat, n, RULE)
            drawn = ending_in(question.responses, question, ask, n, Draws(key))
            yield TracePlan(question, TraceFormat.RANDOM.value, "random", repeat, drawn, Closing.PLAIN, key)


def expected(counts: ResponseCounts, ask: Traces) -> Expected:
    """One trace for each n = 1..N."""
    for n in range(1, ask.attempts + 1):
        yield "random", n, _any_order(counts, n)


def _any_order(counts: ResponseCounts, n: int) -> Shows:
    ends_right = counts.right / counts.kept
    # One attempt can't correct anything: it is right, or the trace ends wrong.
    if n == 1:
        return ends_right, 0.0, 0.0, 1 - ends_right
    # All choices of n from the right ones, of all choices.
    all_right = comb(counts.right, n) / comb(counts.kept, n)
    return 0.0, all_right, ends_right - all_right, 1 - ends_right


RANDOM = Format(
    TraceFormat.RANDOM.value,
    random_order,
    title="Any order",
    shows="Attempts in any order; right or wrong is ignored, for the last one too.",
    picture="✗• ✓•✗•",
    label="random",
    expects=expected,
    always=True,
    rule=RULE,
    for_comparison=True,
)
