"""`*C*IC`: the last attempt is wrong, and the trace goes back to a right one."""

from skill_factory.draws import Draws
from skill_factory.formats.chances import sizes
from skill_factory.formats.drawing import attempts_of, key_of, others
from skill_factory.formats.record import Expected, Format, Needs, Plans, ResponseCounts
from skill_factory.model import Closing, Question, Skip, TraceFormat, TracePlan
from skill_factory.reasons import TraceReason
from skill_factory.recipe.model import Traces

RULE = "incorrect last"


def backtrack(question: Question, ask: Traces) -> Plans:
    """`*C*IC`: a right attempt among others, a wrong one last; then the trace goes back to the last right one."""
    right, wrong = question.right, question.wrong
    for repeat in range(ask.repeats):
        n = attempts_of(question, ask, repeat)
        if n < 2 or not wrong:
            reason = TraceReason.NEEDS_TWO_ATTEMPTS if n < 2 else TraceReason.NEEDS_WRONG_RESPONSE
            yield Skip(question, TraceFormat.BACKTRACK, reason)
            continue
        key = key_of(question, ask, repeat, n, RULE)
        draws = Draws(key)
        # A right one is drawn before the rest, so that there is always one to go back to.
        first, last = draws.choose(right), draws.choose(wrong)
        rest = others(draws, question, (first, last), n - 2)
        # Shuffled with the others: the right attempt shouldn't always be the first.
        order = [*draws.shuffled([first, *rest]), last]
        yield TracePlan(question, TraceFormat.BACKTRACK.value, "*C*IC", repeat, order, Closing.BACKTRACK, key)


def expected(counts: ResponseCounts, ask: Traces) -> Expected:
    """Every trace leaves a wrong attempt for a right one."""
    for n in sizes(ask):
        yield "*C*IC", n, (0.0, 0.0, 1 / len(sizes(ask)), 0.0)


BACKTRACK = Format(
    TraceFormat.BACKTRACK.value,
    backtrack,
    title="Back to the right one",
    shows="The last attempt is wrong; the trace goes back to a right one.",
    picture="✓•✗•↩✓",
    label="*C*IC",
    # `right=1` is the default and needed too: the trace ends with it.
    needs=Needs(wrong=1, attempts=2),
    expects=expected,
    rule=RULE,
    draws_attempts=True,
)
