"""How attempts are drawn: by a key that names what they are for, from the question's kept responses.

Formats that share a rule draw the same attempts for the same n, so that an ablation differs only in what it names.
"""

from collections.abc import Sequence

from skill_factory.draws import Draws, draw_key
from skill_factory.model import Question, Response
from skill_factory.recipe.model import Traces


def key_of(question: Question, ask: Traces, repeat: int, n: int, rule: str) -> bytes:
    """The key that a plan's attempts are drawn from."""
    # `draw_key` of the same parts, a few times as fast: each trace has a key.
    return f"{ask.seed}\x1f{question.id}\x1f{repeat}\x1f{n}\x1f{rule}".encode()


def attempts_of(question: Question, ask: Traces, repeat: int) -> int:
    """The number of attempts of a trace: N, or drawn from 2..N where the recipe says so."""
    if not ask.sample_attempts:
        return ask.attempts
    return Draws(draw_key(ask.seed, question.id, repeat, "attempts")).between(2, ask.attempts)


def ending_in(
    last_from: Sequence[Response], question: Question, ask: Traces, n: int, draws: Draws
) -> list[Response]:
    """n attempts: the last drawn from some responses, the others from all that are left."""
    last = draws.choose(last_from)
    if ask.distinct_variants:
        return [*_one_per_variant(draws, question, last.variant, n - 1), last]
    return [*others(draws, question, (last,), n - 1), last]


def others(draws: Draws, question: Question, taken: Sequence[Response], k: int) -> list[Response]:
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
