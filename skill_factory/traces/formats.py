"""The trace formats: which attempts, in which order, with which closing (arXiv 2512.04072, section 3).

A format is a function from a question and the recipe's `traces` part to plans, and to skips where the question can't
yield one. The question has passed its gate (`questions.usable_for`). Own formats are functions of the same shape.

Attempts are drawn from the key (seed, question, repeat, n, rule): `0C`, `*C`, `*C_full` and `no_reflection` share the
rule and so draw the same attempts for the same n, and an ablation differs only in what it names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from skill_factory.draws import Draws, draw_key
from skill_factory.errors import RecipeError
from skill_factory.model import Closing, Question, Response, Skip, TraceFormat, TracePlan
from skill_factory.reasons import TraceReason
from skill_factory.recipe.model import Traces

Plans = Iterator[TracePlan | Skip]
FormatFunction = Callable[[Question, Traces], Plans]
OwnFormats = Mapping[str, FormatFunction]
"""Formats of the caller's own, by code."""

RANDOM_RULE = "any order"
CORRECT_LAST_RULE = "correct last"
BACKTRACK_RULE = "incorrect last"
CONFIRM_RULE = "two correct last"
ALGORITHM_1_RULE = "algorithm 1"


def random_order(question: Question, ask: Traces) -> Plans:
    """`random`: n = 1..N attempts, right or wrong, in any order, the last too."""
    for repeat in range(ask.repeats):
        for n in range(1, ask.attempts + 1):
            key = _key(question, ask, repeat, n, RANDOM_RULE)
            drawn = _ending_in(question.responses, question, ask, n, Draws(key))
            yield TracePlan(question, TraceFormat.RANDOM.value, "random", repeat, drawn, Closing.PLAIN, key)


def one_correct(question: Question, ask: Traces) -> Plans:
    """`0C`: one right attempt."""
    for repeat in range(ask.repeats):
        yield _correct_last(question, ask, repeat, 1, TraceFormat.ONE_CORRECT, "0C")


def correct_last(question: Question, ask: Traces) -> Plans:
    """`*C`: N attempts, or a drawn number of them; the last is right."""
    for repeat in range(ask.repeats):
        n = _attempts(question, ask, repeat)
        yield _correct_last(question, ask, repeat, n, TraceFormat.CORRECT_LAST, f"{n}C")


def correct_last_full(question: Question, ask: Traces) -> Plans:
    """`*C_full`: as `*C`, once for every n = 1..N."""
    for repeat in range(ask.repeats):
        for n in range(1, ask.attempts + 1):
            yield _correct_last(question, ask, repeat, n, TraceFormat.CORRECT_LAST_FULL, f"{n}C")


def no_reflection(question: Question, ask: Traces) -> Plans:
    """`no_reflection`: the attempts of `*C_full`, without a word of reflection."""
    for repeat in range(ask.repeats):
        for n in range(1, ask.attempts + 1):
            yield _correct_last(
                question, ask, repeat, n, TraceFormat.NO_REFLECTION, "no_reflection", reflect=False
            )


def backtrack(question: Question, ask: Traces) -> Plans:
    """`*C*IC`: a right and a wrong attempt and others; the wrong one last; then back to the last right one."""
    right, wrong = question.right, question.wrong
    for repeat in range(ask.repeats):
        n = _attempts(question, ask, repeat)
        if n < 2 or not wrong:
            reason = TraceReason.NEEDS_TWO_ATTEMPTS if n < 2 else TraceReason.NEEDS_WRONG_RESPONSE
            yield Skip(question, TraceFormat.BACKTRACK, reason)
            continue
        key = _key(question, ask, repeat, n, BACKTRACK_RULE)
        draws = Draws(key)
        first, last = draws.choose(right), draws.choose(wrong)
        others = _others(draws, question, (first, last), n - 2)
        order = [*draws.shuffled([first, *others]), last]
        yield TracePlan(question, TraceFormat.BACKTRACK.value, "*C*IC", repeat, order, Closing.BACKTRACK, key)


def confirm(question: Question, ask: Traces) -> Plans:
    """`*CC`: others, then two right attempts that agree."""
    right = question.right
    for repeat in range(ask.repeats):
        n = _attempts(question, ask, repeat)
        if n < 2 or len(right) < 2:
            reason = TraceReason.NEEDS_TWO_ATTEMPTS if n < 2 else TraceReason.NEEDS_TWO_CORRECT
            yield Skip(question, TraceFormat.CONFIRM, reason)
            continue
        key = _key(question, ask, repeat, n, CONFIRM_RULE)
        draws = Draws(key)
        last_two = draws.some(right, 2)
        others = _others(draws, question, last_two, n - 2)
        order = [*others, *last_two]
        yield TracePlan(question, TraceFormat.CONFIRM.value, "*CC", repeat, order, Closing.CONFIRM, key)


def algorithm_1(question: Question, ask: Traces) -> Plans:
    """`algorithm1`: more right than wrong attempts, a right one last, until the right ones are used up."""
    for repeat in range(ask.repeats):
        draws = Draws(_key(question, ask, repeat, ask.attempts, ALGORITHM_1_RULE))
        right, wrong = draws.shuffled(question.right), draws.shuffled(question.wrong)
        place = 0
        while right:
            n_right = min(draws.between(1, ask.attempts), len(right))
            n_wrong = min(draws.between(0, n_right - 1), len(wrong))
            # The pools were shuffled, so taking from their ends is drawing without replacement.
            last, *others = [right.pop() for _ in range(n_right)]
            mixed = draws.shuffled(others + [wrong.pop() for _ in range(n_wrong)])
            key = _key(question, ask, repeat, place, ALGORITHM_1_RULE)
            order, code = [*mixed, last], TraceFormat.ALGORITHM_1.value
            yield TracePlan(question, code, "algorithm1", repeat, order, Closing.PLAIN, key)
            place += 1


FORMATS: Mapping[str, FormatFunction] = {
    TraceFormat.RANDOM.value: random_order,
    TraceFormat.NO_REFLECTION.value: no_reflection,
    TraceFormat.ONE_CORRECT.value: one_correct,
    TraceFormat.CORRECT_LAST.value: correct_last,
    TraceFormat.CORRECT_LAST_FULL.value: correct_last_full,
    TraceFormat.BACKTRACK.value: backtrack,
    TraceFormat.CONFIRM.value: confirm,
    TraceFormat.ALGORITHM_1.value: algorithm_1,
}

WORDS: Mapping[str, tuple[str, str]] = {
    TraceFormat.RANDOM.value: ("Any order", "Attempts in any order; right or wrong is ignored, at the end too."),
    TraceFormat.NO_REFLECTION.value: ("Retry without reflecting", "Every length, the last right; no reflections shown."),
    TraceFormat.ONE_CORRECT.value: ("Right at once", "One right attempt and its reflection."),
    TraceFormat.CORRECT_LAST.value: ("Retry until right", "N attempts; the last one is right."),
    TraceFormat.CORRECT_LAST_FULL.value: (
        "Retry until right, every length (paper)", "One trace for each length from 1 to N; the last attempt is right.",
    ),
    TraceFormat.BACKTRACK.value: ("Back to the right one", "The last attempt is wrong; the trace goes back to a right one."),
    TraceFormat.CONFIRM.value: ("Right twice", "The last two attempts are right and confirm each other."),
    TraceFormat.ALGORITHM_1.value: (
        "More right than wrong (Algorithm 1)", "Drawn numbers of attempts, until the right ones are used up.",
    ),
}  # fmt: skip
"""For people: what a format is called, and what it shows in one sentence."""


def chosen_formats(codes: Sequence[str], own: OwnFormats | None = None) -> dict[str, FormatFunction]:
    """The functions behind some codes. Errors: RecipeError that names the known codes."""
    known = {**FORMATS, **(own or {})}
    if unknown := [code for code in codes if code not in known]:
        raise RecipeError(f"No format {unknown[0]!r}. Choose from: {', '.join(known)}.")
    return {code: known[code] for code in codes}


def asked_of(question_format: str, ask: Traces) -> int:
    """How many traces the recipe asks of a question that passed the gate; 0 where only making them tells."""
    every_length = {TraceFormat.RANDOM, TraceFormat.NO_REFLECTION, TraceFormat.CORRECT_LAST_FULL}
    if question_format not in FORMATS or question_format == TraceFormat.ALGORITHM_1:
        return 0
    return ask.repeats * (ask.attempts if question_format in every_length else 1)


def _key(question: Question, ask: Traces, repeat: int, n: int, rule: str) -> bytes:
    # `draw_key` of the same parts, a few times as fast: each trace has a key.
    return f"{ask.seed}\x1f{question.id}\x1f{repeat}\x1f{n}\x1f{rule}".encode()


def _attempts(question: Question, ask: Traces, repeat: int) -> int:
    if not ask.sample_attempts:
        return ask.attempts
    return Draws(draw_key(ask.seed, question.id, repeat, "attempts")).between(2, ask.attempts)


def _correct_last(
    question: Question, ask: Traces, repeat: int, n: int, code: TraceFormat, label: str, reflect: bool = True
) -> TracePlan:
    key = _key(question, ask, repeat, n, CORRECT_LAST_RULE)
    order = _ending_in(question.right, question, ask, n, Draws(key))
    # `_value_` is `value` without a call of a function, once a trace.
    return TracePlan(question, code._value_, label, repeat, order, Closing.PLAIN, key, reflect)


def _ending_in(
    last_from: Sequence[Response], question: Question, ask: Traces, n: int, draws: Draws
) -> list[Response]:
    """n attempts: the last drawn from some responses, the others from all that are left."""
    last = draws.choose(last_from)
    if ask.distinct_variants:
        return [*_one_per_variant(draws, question, last.variant, n - 1), last]
    return [*_others(draws, question, (last,), n - 1), last]


def _others(draws: Draws, question: Question, taken: Sequence[Response], k: int) -> list[Response]:
    """k responses of the question, none of them taken already."""
    if k == 0:
        return []
    rest = list(question.responses)
    for one in taken:
        rest.remove(one)
    return draws.some(rest, k)


def _one_per_variant(draws: Draws, question: Question, taken: str, k: int) -> list[Response]:
    """k responses of k different prompt variants, none of them the one that is taken; each variant as likely."""
    groups: dict[str, list[Response]] = {}
    for response in question.responses:
        if response.variant != taken:
            groups.setdefault(response.variant, []).append(response)
    names = sorted(groups)
    return [draws.choose(groups[name]) for name in draws.some(names, k)]
