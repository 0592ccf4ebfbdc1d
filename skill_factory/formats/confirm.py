"""`*CC`: the last two attempts are right and agree."""

from math import comb

from skill_factory.draws import Draws
from skill_factory.formats.chances import scaled, sizes
from skill_factory.formats.drawing import attempts_of, key_of, others
from skill_factory.formats.record import Expected, Format, Needs, Plans, ResponseCounts, Shows
from skill_factory.model import Closing, Question, Skip, TraceFormat, TracePlan
from skill_factory.reasons import TraceReason
from skill_factory.recipe.model import Traces

RULE = "two correct last"


def confirm(question: Question, ask: Traces) -> Plans:
    """`*CC`: any attempts, then two right ones that agree."""
    right = question.right
    for repeat in range(ask.repeats):
        n = attempts_of(question, ask, repeat)
        if n < 2 or len(right) < 2:
            reason = TraceReason.NEEDS_TWO_ATTEMPTS if n < 2 else TraceReason.NEEDS_TWO_CORRECT
            yield Skip(question, TraceFormat.CONFIRM, reason)
            continue
        key = key_of(question, ask, repeat, n, RULE)
        draws = Draws(key)
        # Two different responses: one that confirms itself would teach nothing.
        last_two = draws.some(right, 2)
        rest = others(draws, question, last_two, n - 2)
        order = [*rest, *last_two]
        yield TracePlan(question, TraceFormat.CONFIRM.value, "*CC", repeat, order, Closing.CONFIRM, key)


def expected(counts: ResponseCounts, ask: Traces) -> Expected:
    """One trace per repeat, of N attempts or of a drawn number of them."""
    for n in sizes(ask):
        yield "*CC", n, scaled(_two_right_last(counts, n), 1 / len(sizes(ask)))


def _two_right_last(counts: ResponseCounts, n: int) -> Shows:
    # The last two are right, so the others decide whether all are.
    all_right = comb(counts.right - 2, n - 2) / comb(counts.kept - 2, n - 2)
    return 0.0, all_right, 1 - all_right, 0.0


CONFIRM = Format(
    TraceFormat.CONFIRM.value,
    confirm,
    title="Right, then confirmed",
    shows="The last two attempts are right and confirm each other.",
    picture="✗•✓•✓•",
    label="*CC",
    needs=Needs(right=2, attempts=2),
    expects=expected,
    rule=RULE,
    draws_attempts=True,
)
