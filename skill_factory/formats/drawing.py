"""How attempts are drawn: from the question's kept responses, by a key that names what they are for.

Formats that share a rule draw the same attempts for the same n, so that an ablation differs only in what it names.
"""

from collections.abc import Sequence

from skill_factory.draws import Draws, draw_key
from skill_factory.model import Question, Response
from skill_factory.recipe.model import Traces


def key_of(question: Question, ask: Traces, repeat: int, n: int, rule: str) -> bytes:
    """The key that a plan's attempts are drawn from."""
    # Equal to `draw_key` of the same parts, and several times as fast: every trace needs a key.
    return f"{ask.seed}\x1f{question.id}\x1f{repeat}\x1f{n}\x1f{rule}".encode()


def attempts_of(question: Question, ask: Traces, repeat: int) -> int:
    """The number of attempts in a trace: N, or drawn from 2..N if the recipe says so."""
    if not ask.sample_attempts:
        return ask.attempts
    # Without the format in its key: formats that are compared draw the same numbers.
    return Draws(draw_key(ask.seed, question.id, repeat, "attempts")).between(2, ask.attempts)


def ending_in(
    last_from: Sequence[Response], question: Question, ask: Traces, n: int, draws: Draws
) -> list[Response]:
    """n attempts: the last one drawn from the given responses, the others from all that are left."""
    last = draws.choose(last_from)
    if ask.distinct_variants:
        return [*_one_per_variant(draws, question, last.variant, n - 1), last]
    return [*others(draws, question, (last,), n - 1), last]


def others(draws: Draws, question: Question, taken: Sequence[Response], k: int) -> list[Response]:
    """k responses of the question, none of them among those taken."""
    if k == 0:
        return []
    rest = list(question.responses)
    for response in taken:
        # Without replacement: the same text twice in a trace would teach repeating.
        rest.remove(response)
    return draws.some(rest, k)


def _one_per_variant(draws: Draws, question: Question, taken: str, k: int) -> list[Response]:
    """k responses of k different prompt variants other than the taken one; all variants are equally likely."""
    groups: dict[str, list[Response]] = {}
    for response in question.responses:
        if response.variant != taken:
            groups.setdefault(response.variant, []).append(response)
    names = sorted(groups)  # in an order of their own, so that the draw doesn't depend on the order of rows
    return [draws.choose(groups[name]) for name in draws.some(names, k)]
