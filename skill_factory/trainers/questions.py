"""Questions for reinforcement learning: read again from the recipe's source, those without a trace first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from skill_factory.draws import Draws, draw_key, text_id
from skill_factory.errors import HandoffError, SkillFactoryError
from skill_factory.grading import Task, can_be_judged, choose_task, equivalent, gold_answer
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.model import Columns, Recipe, Source
from skill_factory.sources import RawSource, open_source, source_of_recipe
from skill_factory.sources.canonical import canonical
from skill_factory.trainers.bundle import Bundle


class GoldQuestion(NamedTuple):
    """A question with its gold answer; `used` says whether the build has a trace of it."""

    question: str
    gold: str
    used: bool


@dataclass(frozen=True)
class QuestionPool:
    """The questions of a source that a reward can judge, and how many others there were, by reason."""

    questions: Sequence[GoldQuestion]
    no_gold: int
    several_golds: int
    unjudged: int


@dataclass(frozen=True)
class Split:
    """Questions to train on and to test with; none is in both, not even with other spaces or capitals."""

    train: Sequence[GoldQuestion]
    test: Sequence[GoldQuestion]


def read_questions(
    bundle: Bundle, source: str | Sequence[str] = "", task: Task = Task.AUTO, token: str | None = None
) -> QuestionPool:
    """
    The questions of the build's source with their gold answers, in the order in which they first appear.

    If a question has several gold answers, the most frequent one counts, then the first in the alphabet. Errors:
    HandoffError without a column for the answer, without the source, or with a source that has changed.
    """
    golds: dict[str, Counter[str]] = {}
    for recipe, place in _each_source(bundle.recipe, source):
        found = _golds_of(recipe.columns, _same_source(recipe.source, place, token))
        for question, answers in found.items():
            # A question in two sources of a mixture is the first one's, and so is its gold answer.
            golds.setdefault(question, answers)
    # Ids, not texts: a build may hold a million questions.
    used = {text_id(question) for question in bundle.questions()}
    questions = [
        GoldQuestion(question, _settled(answers), text_id(question) in used)
        for question, answers in golds.items()
        if answers
    ]
    # A gold answer that the grader can't even find equal to itself would punish every output.
    fit = [known for known in _once_each(questions) if can_be_rewarded(known.question, known.gold, task)]
    several = sum(len(answers) > 1 for answers in golds.values())
    return QuestionPool(
        fit, sum(not answers for answers in golds.values()), several, len(questions) - len(fit)
    )


def _each_source(recipe: AnyRecipe, given: str | Sequence[str]) -> list[tuple[Recipe, str]]:
    """The recipe of each source, and where the source is, as far as that was given."""
    places = [given] if isinstance(given, str) else list(given)
    if isinstance(recipe, Recipe):
        return [(recipe, places[-1] if places else "")]
    named = dict(place.partition("=")[::2] for place in places if place)
    if strange := [name for name in named if name not in [one.name for one in recipe.sources]]:
        known = ", ".join(one.name for one in recipe.sources)
        raise HandoffError(
            f"The build is a mixture of {known}; say where each one is by its name: --source NAME=PATH. Found {strange[0]!r}."
        )
    return [(one.recipe, named.get(one.name, "")) for one in recipe.sources]


def _golds_of(columns: Columns, source: RawSource) -> dict[str, Counter[str]]:
    """The questions of a source, and how often each gold answer of one occurs. Errors: HandoffError without answers."""
    if not columns.answer:
        raise HandoffError(
            "A reward needs gold answers, and the recipe maps no column to them. Build again with --map answer=COLUMN."
        )
    # A source has a row for each response, so the same question comes many times.
    golds: dict[str, Counter[str]] = {}
    for piece in source.pieces():
        for batch in piece.batches(columns):
            # Read as the build reads it, or a question would be another one here.
            table = canonical(batch, columns).table
            for question, answer in zip(
                table["question"].to_pylist(), table["answer"].to_pylist(), strict=True
            ):
                answers = golds.setdefault(question, Counter())
                if answer and answer.strip():
                    answers[answer] += 1
    return golds


def _settled(answers: Counter[str]) -> str:
    # The alphabet decides a tie, so that the order of rows doesn't.
    return gold_answer(min(answers, key=lambda answer: (-answers[answer], answer)))


def can_be_rewarded(question: str, gold: str, task: Task = Task.AUTO) -> bool:
    """Whether an output can earn the reward: the gold answer fits the task and, except in puzzles, grades as right itself."""
    # A puzzle's gold is one solution of many, and is graded by arithmetic instead.
    puzzle = (choose_task(gold, question) if task == Task.AUTO else task) in (Task.COUNTDOWN, Task.GAME24)
    return can_be_judged(gold, task, question) and (puzzle or equivalent(gold, gold, task, question))


def _once_each(questions: Iterable[GoldQuestion]) -> list[GoldQuestion]:
    """Questions that differ only in white space or letter case become one, which is used if any of them is."""
    by_words: dict[str, GoldQuestion] = {}
    for question in questions:
        # Otherwise the same question with another space could be trained on and tested with.
        plain = " ".join(question.question.split()).casefold()
        first = by_words.setdefault(plain, question)
        by_words[plain] = first._replace(used=first.used or question.used)
    return list(by_words.values())


def _same_source(spec: Source, source: str, token: str | None) -> RawSource:
    # A recipe holds no paths, since they mean nothing on another machine.
    if spec.kind == "file" and not source:
        raise HandoffError(
            f"The questions are read again from the source, a file named {spec.name!r}. Say where it is: --source PATH."
        )
    if spec.kind == "file" and not Path(source).expanduser().exists():
        raise HandoffError(f"There is no file at {source}. Say where {spec.name!r} is now: --source PATH.")
    try:
        opened = open_source(source or source_of_recipe(spec), spec, token)
        source_now = opened.pinned()
    except SkillFactoryError as error:
        raise HandoffError(f"The build's source can't be read again: {error}") from None
    if spec.digest and source_now.digest != spec.digest:
        raise HandoffError(
            f"{source or spec.name} isn't what this build was made from: its digest is {source_now.digest[:12]}…, that of "
            f"the build's source {spec.digest[:12]}…. Give the same data, or build again."
        )
    return opened


def split_questions(
    pool: Sequence[GoldQuestion], questions: str, most: int, test_share: float, seed: int
) -> Split:
    """
    A seeded choice of questions (`unused` ones, or `all` with the unused first) and its split; the test takes unused
    ones first.

    Errors: HandoffError if fewer than two questions are left.
    """
    unused = _shuffled([question for question in pool if not question.used], seed, "unused")
    used = (
        _shuffled([question for question in pool if question.used], seed, "used")
        if questions == "all"
        else []
    )
    # Unused ones first: a question that was trained on by its traces says little when it is asked again.
    chosen = [*unused, *used][: most or None]
    if len(chosen) < 2:
        more = "" if questions == "all" else " --questions all takes those with traces too."
        raise HandoffError(f"Training and testing need at least two questions; found {len(chosen)}.{more}")
    # At least one to test with, and at least one to train on.
    held_out = min(len(chosen) - 1, max(1, round(test_share * len(chosen))))
    return Split(_shuffled(chosen[held_out:], seed, "train"), chosen[:held_out])


def _shuffled(items: list[GoldQuestion], seed: int, what: str) -> list[GoldQuestion]:
    # Sorted first, so that the choice depends on the questions and the seed, not on the order of rows.
    ordered = sorted(items, key=lambda question: text_id(question.question))
    return Draws(draw_key(seed, "questions", what)).shuffled(ordered)
