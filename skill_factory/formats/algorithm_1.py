"""`algorithm1`: more right than wrong attempts, until the right ones are used up (arXiv 2512.04072, Algorithm 1)."""

from functools import lru_cache

from skill_factory.draws import Draws
from skill_factory.formats.chances import scaled, summed
from skill_factory.formats.drawing import key_of
from skill_factory.formats.record import NOTHING, Expected, Format, Needs, Plans, ResponseCounts, Shows
from skill_factory.model import Closing, Question, TraceFormat, TracePlan
from skill_factory.recipe.model import Traces

RULE = "algorithm 1"


def algorithm_1(question: Question, ask: Traces) -> Plans:
    """`algorithm1`: more right than wrong attempts, a right one last, until the right ones are used up."""
    for repeat in range(ask.repeats):
        draws = Draws(key_of(question, ask, repeat, ask.attempts, RULE))
        right, wrong = draws.shuffled(question.right), draws.shuffled(question.wrong)
        place = 0
        while right:
            # As in the paper: drawn first, then cut to what is left.
            n_right = min(draws.between(1, ask.attempts), len(right))
            n_wrong = min(draws.between(0, n_right - 1), len(wrong))
            # The pools were shuffled, so taking from their ends is drawing without replacement.
            last, *others = [right.pop() for _ in range(n_right)]
            mixed = draws.shuffled(others + [wrong.pop() for _ in range(n_wrong)])
            key = key_of(question, ask, repeat, place, RULE)
            order, code = [*mixed, last], TraceFormat.ALGORITHM_1.value
            yield TracePlan(question, code, "algorithm1", repeat, order, Closing.PLAIN, key)
            # Numbered, since the same number of attempts may come again and would draw the same phrases.
            place += 1


def expected(counts: ResponseCounts, ask: Traces) -> Expected:
    """The traces of drawn numbers of attempts, until the right responses are used up."""
    yield "algorithm1", 0, _until_used_up(counts.right, counts.kept - counts.right, ask.attempts)


@lru_cache(maxsize=20_000)
def _until_used_up(right: int, wrong: int, most: int) -> Shows:
    """Expected traces until the right responses are used up (arXiv 2512.04072, Algorithm 1)."""
    if not right:
        return NOTHING
    expected = NOTHING
    # The numbers of right and wrong attempts are drawn as `algorithm_1` draws them, each equally likely.
    for wanted_right in range(1, most + 1):
        n_right = min(wanted_right, right)
        for wanted_wrong in range(n_right):
            n_wrong = min(wanted_wrong, wrong)
            trace = (float(n_right == 1), float(n_right > 1 and not n_wrong), float(n_wrong > 0), 0.0)
            rest = _until_used_up(right - n_right, wrong - n_wrong, most)
            expected = summed(expected, scaled(summed(trace, rest), 1 / most / n_right))
    return expected


ALGORITHM_1 = Format(
    TraceFormat.ALGORITHM_1.value,
    algorithm_1,
    title="More right than wrong (Algorithm 1)",
    shows="Right and wrong attempts in drawn numbers, until the right ones are used up.",
    picture="✓•✗•✓•",
    label="algorithm1",
    # It uses up whatever is there, so it asks for no N responses.
    needs=Needs(n_responses=False),
    expects=expected,
    rule=RULE,
    for_comparison=True,
)
