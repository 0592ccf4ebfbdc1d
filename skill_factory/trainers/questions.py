"""Questions for reinforcement learning: read from the recipe's source again, those that gave no trace first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from skill_factory.draws import Draws, draw_key, text_id
from skill_factory.errors import HandoffError, SkillFactoryError
from skill_factory.grading import Task, can_be_judged, choose_task, equivalent, gold_answer
from skill_factory.sources import RawSource, open_source, source_of_recipe
from skill_factory.sources.canonical import canonical
from skill_factory.trainers.bundle import Bundle


class Asked(NamedTuple):
    """A question with its gold answer; `used` says whether the build holds a trace of it."""

    question: str
    gold: str
    used: bool


@dataclass(frozen=True)
class Pool:
    """The source's questions that a reward can judge, and how many others there were, by reason."""

    questions: Sequence[Asked]
    no_gold: int
    several_golds: int
    unjudged: int


@dataclass(frozen=True)
class Split:
    """Questions to train on and to test with; no question, however spaced or capitalised, is in both."""

    train: Sequence[Asked]
    test: Sequence[Asked]


def read_pool(bundle: Bundle, source: str = "", task: Task = Task.AUTO, token: str | None = None) -> Pool:
    """
    The questions of the build's source with their gold answers, in the order of their first appearance.

    Several gold answers of one question: the most frequent counts, then the first in the alphabet.
    Errors: HandoffError without a mapped answer, without the source, or with a source that has changed.
    """
    columns = bundle.recipe.columns
    if not columns.answer:
        raise HandoffError(
            "The recipe maps no column to the gold answer, and a reward needs one. Build again with --map answer=COLUMN."
        )
    golds: dict[str, Counter[str]] = {}
    for piece in _same_source(bundle, source, token).pieces():
        for batch in piece.batches(columns):
            table = canonical(batch, columns).table
            for question, answer in zip(
                table["question"].to_pylist(), table["answer"].to_pylist(), strict=True
            ):
                told = golds.setdefault(question, Counter())
                if answer and answer.strip():
                    told[answer] += 1
    used = {text_id(question) for question in bundle.questions()}
    asked = [
        Asked(question, _settled(told), text_id(question) in used) for question, told in golds.items() if told
    ]
    fit = [one for one in _once_each(asked) if can_be_rewarded(one.question, one.gold, task)]
    several = sum(len(told) > 1 for told in golds.values())
    return Pool(fit, sum(not told for told in golds.values()), several, len(asked) - len(fit))


def _settled(told: Counter[str]) -> str:
    return gold_answer(min(told, key=lambda answer: (-told[answer], answer)))


def can_be_rewarded(question: str, gold: str, task: Task = Task.AUTO) -> bool:
    """Can an output earn the reward? The gold answer fits the task and, but for puzzles, passes its own grading."""
    puzzle = (choose_task(gold, question) if task == Task.AUTO else task) in (Task.COUNTDOWN, Task.GAME24)
    return can_be_judged(gold, task, question) and (puzzle or equivalent(gold, gold, task, question))


def _once_each(asked: Iterable[Asked]) -> list[Asked]:
    """Questions that differ in white space or letter case alone are one; it is used if one of them is."""
    found: dict[str, Asked] = {}
    for one in asked:
        plain = " ".join(one.question.split()).casefold()
        first = found.setdefault(plain, one)
        found[plain] = first._replace(used=first.used or one.used)
    return list(found.values())


def _same_source(bundle: Bundle, source: str, token: str | None) -> RawSource:
    spec = bundle.recipe.source
    if spec.kind == "file" and not source:
        raise HandoffError(
            f"The questions are read from the source again, a file named {spec.name!r}. Say where it is: --source PATH."
        )
    if spec.kind == "file" and not Path(source).expanduser().exists():
        raise HandoffError(f"No file at {source}. Say where {spec.name!r} is now: --source PATH.")
    try:
        opened = open_source(source or source_of_recipe(spec), spec, token)
        found = opened.pinned()
    except SkillFactoryError as error:
        raise HandoffError(f"The build's source can't be read again: {error}") from None
    if spec.digest and found.digest != spec.digest:
        raise HandoffError(
            f"{source or spec.name} is not what this build was made from: its content has digest {found.digest[:12]}…, "
            f"the build's had {spec.digest[:12]}…. Give the same data, or build again."
        )
    return opened


def split(pool: Sequence[Asked], questions: str, most: int, test_share: float, seed: int) -> Split:
    """
    A seeded choice of questions, `unused` alone or `all`, unused first, and its split; unused ones go to the test first.

    Errors: HandoffError where fewer than two questions are left.
    """
    unused = _shuffled([one for one in pool if not one.used], seed, "unused")
    used = _shuffled([one for one in pool if one.used], seed, "used") if questions == "all" else []
    chosen = [*unused, *used][: most or None]
    if len(chosen) < 2:
        more = "" if questions == "all" else " --questions all takes those of the traces too."
        raise HandoffError(
            f"{len(chosen)} questions are left to train and test with; two at least are needed.{more}"
        )
    held_out = min(len(chosen) - 1, max(1, round(test_share * len(chosen))))
    return Split(_shuffled(chosen[held_out:], seed, "train"), chosen[:held_out])


def _shuffled(items: list[Asked], seed: int, what: str) -> list[Asked]:
    ordered = sorted(items, key=lambda one: text_id(one.question))
    return Draws(draw_key(seed, "questions", what)).shuffled(ordered)
