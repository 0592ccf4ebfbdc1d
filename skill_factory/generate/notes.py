"""What a person should be told of a run's answers: doubts and repairs that a row by itself doesn't show."""

from collections import Counter
from collections.abc import Iterable, Mapping

from skill_factory.generate.request import Answer, Sampling

EQUAL = "equal_answers"
"""Answers whose text another answer to the same question, or reflection on the same response, has too."""
JOINED = "thinking_joined"
"""Answers whose thinking the server had moved into a field of its own."""
ESTIMATED = "tokens_estimated"
"""Answers of the store whose tokens the server didn't count, or not in a way that could be true."""
SHARE_SAID = 0.05
"""Short answers meet by chance; of this share on, it is said."""


def count_answer(answer: Answer, counts: Counter[str]) -> None:
    """Count how an answer ended and what had to be repaired."""
    counts[f"finish_{answer.finish}"] += 1
    counts[JOINED] += bool(answer.thinking)


def count_equal(texts: Iterable[str], counts: Counter[str]) -> None:
    """Count the texts that are there already, of those that were asked for as different samples of one prompt's answer."""
    # Of n equal texts n - 1 bring nothing new.
    counts[EQUAL] += sum(times - 1 for times in Counter(texts).values())


def notes_on(kind: str, counts: Mapping[str, int], sampling: Sampling) -> tuple[str, ...]:
    """A sentence for each thing worth knowing, from the counts of a finished run."""
    equal, joined, estimated = (counts.get(name, 0) for name in (EQUAL, JOINED, ESTIMATED))
    answers, of = ("reflections_made", "response") if kind == "reflections" else ("rows", "question")
    number = counts.get(answers, 0)
    notes = []
    # Paid for and worth nothing: a build drops equal ones as duplicates.
    if equal and equal >= SHARE_SAID * number:
        notes.append(
            f"{equal:,} of {number:,} {kind} equal another one for the same {of}. {_advice(sampling)}"
        )
    if joined:
        notes.append(
            f"{joined:,} answers came with their thinking in a field of its own; it is back inside <think> tags."
        )
    if estimated:
        notes.append(
            f"The server gave no usable count of tokens for {estimated:,} answers; "
            "theirs are estimated from their characters."
        )
    return tuple(notes)


def _advice(sampling: Sampling) -> str:
    if sampling.temperature == 0:
        return "At temperature 0 a model says the same again: raise --temperature, or ask for fewer."
    return "The server may not be sampling: check that it uses temperature and seed, and that no cache answers for it."
