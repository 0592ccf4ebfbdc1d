"""`*C_full`, `*C`, `0C` and `no_reflection`: the last attempt is right. They share a rule, and so their attempts."""

from skill_factory.draws import Draws
from skill_factory.formats.chances import right_last, scaled, sizes
from skill_factory.formats.drawing import attempts_of, ending_in, key_of
from skill_factory.formats.record import Expected, Format, Plans, ResponseCounts
from skill_factory.model import Closing, Question, TraceFormat, TracePlan
from skill_factory.recipe.model import Traces

RULE = "correct last"


def one_correct(question: Question, ask: Traces) -> Plans:
    """`0C`: one right attempt."""
    for repeat in range(ask.repeats):
        yield _correct_last(question, ask, repeat, 1, TraceFormat.ONE_CORRECT, "0C")


def correct_last(question: Question, ask: Traces) -> Plans:
    """`*C`: N attempts, or a drawn number of them; the last one is right."""
    for repeat in range(ask.repeats):
        n = attempts_of(question, ask, repeat)
        yield _correct_last(question, ask, repeat, n, TraceFormat.CORRECT_LAST, f"{n}C")


def correct_last_full(question: Question, ask: Traces) -> Plans:
    """`*C_full`: as `*C`, once for every n = 1..N."""
    for repeat in range(ask.repeats):
        for n in range(1, ask.attempts + 1):
            # Each length draws attempts of its own; a short trace isn't the beginning of a longer one.
            yield _correct_last(question, ask, repeat, n, TraceFormat.CORRECT_LAST_FULL, f"{n}C")


def no_reflection(question: Question, ask: Traces) -> Plans:
    """`no_reflection`: the attempts of `*C_full`, without reflections."""
    for repeat in range(ask.repeats):
        for n in range(1, ask.attempts + 1):
            yield _correct_last(
                question, ask, repeat, n, TraceFormat.NO_REFLECTION, "no_reflection", reflect=False
            )


def _correct_last(
    question: Question, ask: Traces, repeat: int, n: int, code: TraceFormat, label: str, reflect: bool = True
) -> TracePlan:
    key = key_of(question, ask, repeat, n, RULE)
    order = ending_in(question.right, question, ask, n, Draws(key))
    # `_value_` is `value` without a function call, which counts once per trace.
    return TracePlan(question, code._value_, label, repeat, order, Closing.PLAIN, key, reflect)


def _expected_one(counts: ResponseCounts, ask: Traces) -> Expected:
    yield "0C", 1, right_last(counts, 1)


def _expected_n(counts: ResponseCounts, ask: Traces) -> Expected:
    for n in sizes(ask):
        yield f"{n}C", n, scaled(right_last(counts, n), 1 / len(sizes(ask)))


def _expected_every(counts: ResponseCounts, ask: Traces) -> Expected:
    for n in range(1, ask.attempts + 1):
        yield f"{n}C", n, right_last(counts, n)


def _expected_bare(counts: ResponseCounts, ask: Traces) -> Expected:
    for n in range(1, ask.attempts + 1):
        yield "no_reflection", n, right_last(counts, n)


CORRECT_LAST_FULL = Format(
    TraceFormat.CORRECT_LAST_FULL.value,
    correct_last_full,
    title="Retry until right, every length (paper)",
    shows="One trace for each length from 1 to N; the last attempt is right.",
    picture="✓• ✗•✓• ✗•✗•✓•",
    label="{n}C",
    expects=_expected_every,
    always=True,
    rule=RULE,
)
CORRECT_LAST = Format(
    TraceFormat.CORRECT_LAST.value,
    correct_last,
    title="Retry until right",
    shows="N attempts; the last one is right.",
    picture="✗•✗•✓•",
    label="{n}C",
    expects=_expected_n,
    always=True,
    rule=RULE,
    draws_attempts=True,
)
ONE_CORRECT = Format(
    TraceFormat.ONE_CORRECT.value,
    one_correct,
    title="Right at once",
    shows="One right attempt and its reflection.",
    picture="✓•",
    label="0C",
    expects=_expected_one,
    always=True,
    rule=RULE,
)
NO_REFLECTION = Format(
    TraceFormat.NO_REFLECTION.value,
    no_reflection,
    title="Retry without reflecting",
    shows="Every length from 1 to N, the last attempt right; no reflections.",
    picture="✓ ✗✓ ✗✗✓",
    label="no_reflection",
    expects=_expected_bare,
    always=True,
    rule=RULE,
    reflects=False,
    for_comparison=True,
)
