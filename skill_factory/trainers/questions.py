"""Questions for reinforcement learning: read again from the recipe's source, chosen at random or by their pass rate."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from skill_factory.asked import question_in
from skill_factory.draws import Draws, draw_key, text_id
from skill_factory.errors import HandoffError, SkillFactoryError
from skill_factory.grading import Task, can_be_judged, choose_task, equivalent, gold_answer
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.model import Columns, Recipe, Source
from skill_factory.sources import RawSource, open_source, source_of_recipe
from skill_factory.sources.canonical import canonical
from skill_factory.trainers.bundle import Bundle


class GoldQuestion(NamedTuple):
    """
    A question with its gold answer; `used` says whether the build has a trace of it, `held` whether it holds it out.

    `right` of `answered` responses in the source are right.
    """

    question: str
    gold: str
    used: bool
    right: int = 0
    answered: int = 0
    held: bool = False

    @property
    def pass_rate(self) -> float | None:
        """How often the model that made the raw data was right; None if it was never asked."""
        return self.right / self.answered if self.answered else None


def mean_pass_rate(questions: Iterable[GoldQuestion]) -> float | None:
    """The mean pass rate of questions that have one."""
    rates = [rate for question in questions if (rate := question.pass_rate) is not None]
    return sum(rates) / len(rates) if rates else None


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
    labels: dict[str, Counter[bool]] = {}
    for recipe, place in _each_source(bundle.recipe, source):
        found, right = _golds_of(recipe.columns, _same_source(recipe.source, place, token))
        for question, answers in found.items():
            # A question in two sources of a mixture is the first one's, and so is its gold answer.
            if question not in golds:
                golds[question], labels[question] = answers, right[question]
    # Ids, not texts: a build may hold a million questions.
    used = {text_id(question) for question in bundle.questions()}
    out, held = bundle.kept_out(), bundle.held_out()
    questions = [
        GoldQuestion(
            question,
            _settled(answers),
            text_id(question) in used,
            labels[question][True],
            labels[question].total(),
            text_id(question) in held,
        )
        for question, answers in golds.items()
        # What a benchmark asks must not be trained on by reward either.
        if answers and text_id(question) not in out
    ]
    # A gold answer that the grader can't even find equal to itself would punish every output.
    fit = [
        known
        for known in _once_each(questions)
        if can_be_rewarded(question_in(known.question), known.gold, task)
    ]
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


def _golds_of(
    columns: Columns, source: RawSource
) -> tuple[dict[str, Counter[str]], dict[str, Counter[bool]]]:
    """How often each gold answer and each label of a source's questions occurs. Errors: HandoffError without answers."""
    if not columns.answer:
        raise HandoffError(
            "A reward needs gold answers, and the recipe maps no column to them. Build again with --map answer=COLUMN."
        )
    # A source has a row for each response, so the same question comes many times.
    golds: dict[str, Counter[str]] = {}
    labels: dict[str, Counter[bool]] = {}
    for piece in source.pieces():
        for batch in piece.batches(columns):
            # Read as the build reads it, or a question would be another one here.
            table = canonical(batch, columns).table
            read = (table[name].to_pylist() for name in ("question", "answer", "correct"))
            for question, answer, correct in zip(*read, strict=True):
                labels.setdefault(question, Counter())[bool(correct)] += 1
                answers = golds.setdefault(question, Counter())
                if answer and answer.strip():
                    answers[answer] += 1
    return golds, labels


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
        if first is not question:
            by_words[plain] = first._replace(
                used=first.used or question.used,
                right=first.right + question.right,
                answered=first.answered + question.answered,
                held=first.held or question.held,
            )
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


def within(pool: Sequence[GoldQuestion], window: tuple[float, float] | None) -> list[GoldQuestion]:
    """The questions whose pass rate lies in a window, its ends included; all of them without a window."""
    if window is None:
        return list(pool)
    low, high = window
    return [question for question in pool if (rate := question.pass_rate) is not None and low <= rate <= high]


def split_questions(
    pool: Sequence[GoldQuestion], questions: str, most: int, test_share: float, seed: int
) -> Split:
    """
    A seeded choice of questions and its split: `random` ones; `unused` ones alone; or `all`, unused ones first and in
    the test before others. Where the build holds questions out, these are the test, whatever its share.

    Errors: HandoffError if fewer than two questions are left.
    """
    if held := [question for question in pool if question.held]:
        return _split_as_built(pool, held, questions, most, seed)
    chosen = _in_order(pool, questions, seed)[: most or None]
    if len(chosen) < 2:
        more = " --questions random takes those with traces too." if questions == "unused" else ""
        raise HandoffError(f"Training and testing need at least two questions; found {len(chosen)}.{more}")
    # At least one to test with, and at least one to train on.
    held_out = min(len(chosen) - 1, max(1, round(test_share * len(chosen))))
    return Split(_shuffled(chosen[held_out:], seed, "train"), chosen[:held_out])


def _split_as_built(
    pool: Sequence[GoldQuestion], held: list[GoldQuestion], questions: str, most: int, seed: int
) -> Split:
    train = _in_order([one for one in pool if not one.held], questions, seed)[: most or None]
    if not train:
        # Drawn from all, or all of them: then every question is held out.
        more = (
            "--questions random takes those with traces too."
            if questions == "unused"
            else "Hold out fewer in the build."
        )
        raise HandoffError(f"No question is left to train on beside those that are held out. {more}")
    return Split(_shuffled(train, seed, "train"), _shuffled(held, seed, "test"))


def _in_order(pool: Sequence[GoldQuestion], questions: str, seed: int) -> list[GoldQuestion]:
    if questions == "random":
        # Those without a trace are those that the model never solved: alone they are much too hard, in both halves.
        return _shuffled(list(pool), seed, "random")
    ordered = _shuffled([question for question in pool if not question.used], seed, "unused")
    if questions == "all":
        ordered += _shuffled([question for question in pool if question.used], seed, "used")
    return ordered


def _shuffled(items: list[GoldQuestion], seed: int, what: str) -> list[GoldQuestion]:
    # Sorted first, so that the choice depends on the questions and the seed, not on the order of rows.
    ordered = sorted(items, key=lambda question: text_id(question.question))
    return Draws(draw_key(seed, "questions", what)).shuffled(ordered)
