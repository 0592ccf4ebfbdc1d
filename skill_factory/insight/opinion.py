"""An honest opinion of some data: is it ready, why or why not, and what the next step would cost.

All rules of the opinion stand here, each with its number: which sizes are useful, when reflections judge better than
chance, and which N suits. They read the narrow table and its judgement; no text is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from skill_factory.formats.record import TEACHES
from skill_factory.insight.doubts import TENTH, Doubt
from skill_factory.insight.expected import Outlook
from skill_factory.insight.readiness import Finding, Light, Step
from skill_factory.insight.simulated import forecast
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import KEPT, Judgement, judge_questions
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.wording import inflect, many, percent, rounded

TOY, SMALL = 20, 100
"""Usable questions below which data only shows how things work, and below which it is called small."""
MOST_ATTEMPTS = 5
"""The paper's N: larger ones aren't proposed."""
NEAR = 0.9
"""An N with at least this share of the most corrected mistakes counts as well as the best; then more questions win."""
CHANCE = 0.5
"""What a reflection that never reads its response reaches, counted over right and wrong responses equally."""
COIN, WEAK, REVERSED = 0.55, 0.6, 0.4
"""Balanced shares of correct verdicts: an interval that ends below the first is a coin's; a share below the second is little
better; one below the third, beyond doubt, has the words for right and wrong exchanged."""
SAME = 0.9
"""From this share of one kind on, reflections at chance are said to call everything the same."""
SURE = 1.96
"""Standard errors to each side of a 95 % interval."""
ANSWERS_EACH = 4
"""Different answers per question that a price is for: the least that is usual."""
QUESTION_TOKENS, REFLECTION_TOKENS = 100, 200
"""Tokens of a question with its prompt, and of a reflection where the data has none to measure."""


class Ready(StrEnum):
    """The answer to "Is this data ready?"."""

    YES = "yes"
    YES_BUT = "yes_but"
    NOT_YET = "not_yet"

    @property
    def words(self) -> str:
        """As the page and the command say it."""
        return {"yes": "Yes", "yes_but": "Yes, but", "not_yet": "Not yet"}[self.value]


class Weight(StrEnum):
    """What a reason does to the answer."""

    STOPS = "stops"
    SERIOUS = "serious"
    NOTE = "note"


class Reason(NamedTuple):
    """One thing that speaks against the data."""

    code: str
    weight: Weight
    short: str
    """What stands after "Not yet:" or "Yes, but"."""
    sentence: str
    todo: str = ""
    step: Step = Step.NONE


class Price(NamedTuple):
    """What a step takes of a model, estimated; all zero for a step that asks no model."""

    requests: int = 0
    sent: int = 0
    """Tokens of prompts."""
    written: int = 0

    @property
    def tokens(self) -> int:
        """Prompts and answers together."""
        return self.sent + self.written

    def money(self, price_in: float, price_out: float) -> float:
        """At prices per million tokens, in whatever currency they are."""
        return (self.sent * price_in + self.written * price_out) / 1e6

    def line(self, price_in: float = 0.0, price_out: float = 0.0) -> str:
        """In words, with money where prices are given."""
        if not self.requests:
            return "Costs nothing: no model is asked."
        cost = self.money(price_in, price_out)
        money = (
            f", {'about ' if cost >= 0.01 else 'less than '}{max(cost, 0.01):,.2f} at your prices"
            if cost
            else ""
        )
        return f"About {many(rounded(self.requests), 'request')} and {rounded(self.tokens):,} tokens{money}."


class TradeOff(NamedTuple):
    """What an N would give."""

    attempts: int
    questions: int
    traces: int
    corrected: int
    """Traces in which a mistake is corrected."""
    tokens: int


class Skill(NamedTuple):
    """How well reflections tell right responses from wrong ones, beside what needs no reading."""

    verdicts: int
    agree: float
    """Share of the verdicts that are correct."""
    constant: float
    """What always saying `word` would reach."""
    word: str
    on_right: float
    on_wrong: float
    balanced: float
    """The mean of the last two: 0.5 for a coin, and for whoever always says the same."""
    low: float
    high: float


@dataclass(frozen=True)
class Opinion:
    """Is this data ready?"""

    answer: Ready
    grade: str
    """A: nothing speaks against it; B: small things; C: one serious thing; D: several; E: not ready."""
    reasons: tuple[Reason, ...]
    """What speaks against it, the most important first."""
    price: Price
    """Of the first reason's step."""
    table: tuple[TradeOff, ...] = ()
    skill: Skill | None = None
    cause: Doubt | None = None
    """The one thing to settle before the rest means anything."""

    @property
    def headline(self) -> str:
        """The answer in one line."""
        if not self.reasons or self.answer is Ready.YES:
            return f"{Ready.YES.words}."
        joint = ":" if self.answer is Ready.NOT_YET else ""
        return f"{self.answer.words}{joint} {self.reasons[0].short}."

    @property
    def todo(self) -> str:
        """The one next step."""
        return self.reasons[0].todo if self.reasons else "Choose the traces."

    def to_json(self) -> dict[str, Any]:
        """As `inspect --json` shows it."""
        return {
            "ready": self.answer.value,
            "grade": self.grade,
            "headline": self.headline,
            "reasons": [
                {"code": r.code, "weight": r.weight.value, "sentence": r.sentence, "todo": r.todo}
                for r in self.reasons
            ],
            "next": {"todo": self.todo, "step": self.reasons[0].step.value if self.reasons else ""}
            | self.price._asdict(),
            "attempts": [row._asdict() for row in self.table],
            "reflections": self.skill._asdict() if self.skill else None,
        }


def opinion_of(reasons: Iterable[Reason], prices: "Prices | None" = None, **more: Any) -> Opinion:
    """The opinion that follows from what speaks against some data; reasons of one weight stay in their order."""
    ranked = tuple(sorted(reasons, key=lambda reason: list(Weight).index(reason.weight)))
    weights = [reason.weight for reason in ranked]
    serious = weights.count(Weight.SERIOUS)
    if Weight.STOPS in weights:
        answer, grade = Ready.NOT_YET, "E"
    elif serious:
        answer, grade = Ready.YES_BUT, "C" if serious == 1 else "D"
    else:
        answer, grade = Ready.YES, "B" if ranked else "A"
    price = prices.of(ranked[0]) if ranked and prices else Price()
    return Opinion(answer, grade, ranked, price, **more)


def opinion(
    facts: Facts,
    judgement: Judgement,
    recipe: Recipe,
    findings: Sequence[Finding],
    table: tuple[TradeOff, ...],
    whole: bool = True,
) -> Opinion:
    """
    The opinion of facts judged under a recipe, with the lights' findings and the trade-offs beside.

    Without `whole` the facts are a sample, so nothing is said of the size.
    """
    best, skill = best_attempts(table), critic_skill(facts)
    critic = critic_reason(skill)
    reasons = [reason for finding in findings if (reason := _of_finding(finding))]
    if critic is not None:  # says more than the light
        reasons = [*(reason for reason in reasons if reason.code != "reflections"), critic]
    if best is not None:
        reasons += _size(best, len(facts.question_id)) if whole else []
        reasons += _shows_nothing(best, reasons)
    elif not any(reason.weight is Weight.STOPS for reason in reasons):
        short = "no trace can be made of it"
        reasons.append(Reason("no_trace", Weight.STOPS, short, "No question has a usable right answer."))
    return opinion_of(reasons, Prices(facts, recipe, best.questions if best else 0), table=table, skill=skill)


# -- sizes and lights ----------------------------------------------------------------------------------------------


def _of_finding(finding: Finding) -> Reason | None:
    """A light that isn't green, as a reason."""
    if finding.light is Light.GOOD:
        return None
    code = finding.topic.lower().replace(" ", "_")
    weight = Weight.NOTE
    if finding.light is Light.MISSING:
        # Without labels or final answers there is no trace; without retries or reflections, a weaker one.
        weight = Weight.STOPS if code in ("labels", "final_answers") else Weight.SERIOUS
    short = finding.headline[:1].lower() + finding.headline[1:]
    return Reason(code, weight, short, f"{finding.headline}. {finding.meaning}", finding.todo, finding.step)


def _size(best: TradeOff, every: int) -> list[Reason]:
    """Whether there are enough questions."""
    n = best.questions
    if n >= SMALL:
        return []
    of = f"{many(n, 'question')}" if n == every else f"{n:,} of {many(every, 'question')}"
    can = f"Only {of} can be used"
    todo = f"Add questions: {SMALL - n:,} more make {SMALL}; the paper used 4,000."
    if n < TOY:
        short = f"{many(n, 'question')} {inflect(n, 'is', 'are')} enough to try things out, not to train on"
        said = f"{can}. That shows how it works, but a model would learn these questions by heart."
        return [Reason("toy", Weight.STOPS, short, said, todo, Step.MORE_ANSWERS)]
    short = f"it is small: {many(n, 'usable question')}"
    said = f"{can}. Below {SMALL}, a model sees few different problems, and every number here is rough."
    return [Reason("small", Weight.SERIOUS, short, said, todo, Step.MORE_ANSWERS)]


def _shows_nothing(best: TradeOff, known: Sequence[Reason]) -> list[Reason]:
    """Whether any trace would show a mistake corrected, where no light has said why not."""
    if best.corrected or any(
        reason.code in ("several_answers", "labels") and reason.weight is not Weight.NOTE for reason in known
    ):
        return []
    return [
        Reason(
            "no_mistakes",
            Weight.SERIOUS,
            "no trace would show a mistake corrected",
            "No usable question has both right and wrong answers, so no trace can show a mistake corrected.",
            "Add answers from a weaker model, or at a higher temperature.",
            Step.MORE_ANSWERS,
        )
    ]


# -- reflections compared with chance ------------------------------------------------------------------------------


def critic_skill(facts: Facts) -> Skill | None:
    """
    How well the verdicts tell right from wrong; None unless right and wrong responses both have some.

    The interval is over questions: verdicts on one question resemble each other and don't count as so many.
    """
    given = facts.reflection_verdict >= 0
    owner = facts.reflection_response[given]
    right = facts.response_correct[owner]
    hit = (facts.reflection_verdict[given] == right.view(np.int8)).astype(np.float64)
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if not n_right or not n_wrong:
        return None
    on_right, on_wrong = float(hit[right].mean()), float(hit[~right].mean())
    off = np.where(right, (hit - on_right) / n_right, (hit - on_wrong) / n_wrong)
    questions = facts.response_question[owner]
    each = np.bincount(questions, weights=off, minlength=len(facts.question_id))
    count = len(np.unique(questions))
    spread = float((each**2).sum()) * count / max(1, count - 1) / 4
    # Where all agree the spread is nothing, though a few verdicts prove little: then it is a coin's with as many tosses.
    floor = (_spread(on_right, n_right) + _spread(on_wrong, n_wrong)) / 4
    balanced = (on_right + on_wrong) / 2
    half = SURE * sqrt(max(spread, floor))
    agree, share = float(hit.mean()), n_right / (n_right + n_wrong)
    return Skill(
        len(hit), agree, max(share, 1 - share), "right" if share >= CHANCE else "wrong", on_right, on_wrong, balanced,
        max(0.0, balanced - half), min(1.0, balanced + half),
    )  # fmt: skip


def _spread(share: float, n: int) -> float:
    smooth = (share * n + 1) / (n + 2)
    return smooth * (1 - smooth) / n


def critic_reason(skill: Skill | None) -> Reason | None:
    """What speaks against reflections with that skill; None where they clearly tell right from wrong."""
    if skill is None:
        return None
    found = (
        f"{percent(skill.agree)} of {many(skill.verdicts, 'verdict')} are correct: {percent(skill.on_right)} on right responses, "
        f"{percent(skill.on_wrong)} on wrong ones. Always saying “{skill.word}” would reach {percent(skill.constant)}; "
        f"counting right and wrong equally, this is {percent(skill.balanced)} ({percent(skill.low)} to "
        f"{percent(skill.high)}), and a coin reaches 50 %."
    )
    todo = "Let a better model reflect on the responses, or build traces without reflections."
    if skill.high < CHANCE and skill.balanced < REVERSED:
        short = "the verdicts of the reflections look exchanged"
        said = f"The verdicts contradict the labels. {found}"
        fix = "Check which words mean right and wrong, in the reflections and in the labels."
        return Reason("exchanged_verdicts", Weight.STOPS, short, said, fix, Step.VERDICT_RULE)
    if skill.high < COIN or (skill.low <= CHANCE and skill.high < WEAK):
        short = _coin_words(skill)
        said = f"{short[:1].upper()}{short[1:]}. {found}"
        return Reason("coin_flip", Weight.STOPS, short, said, todo, Step.REFLECT)
    if skill.low <= CHANCE:
        short = "too few verdicts to tell the reflections from chance"
        said = f"There are too few verdicts to tell the reflections from chance. {found}"
        more = "Get reflections on more responses, so that it can be told."
        return Reason("unproven_reflections", Weight.SERIOUS, short, said, more, Step.REFLECT)
    if skill.balanced < WEAK:
        short = "the reflections judge little better than a coin"
        said = f"The reflections judge little better than a coin. {found}"
        return Reason("weak_reflections", Weight.SERIOUS, short, said, todo, Step.REFLECT)
    return None


def _coin_words(skill: Skill) -> str:
    """What reflections do that judge no better than chance: toss a coin, or say the same of everything."""
    if max(skill.on_right, skill.on_wrong) < SAME:
        return "the reflections judge no better than a coin"
    word = "right" if skill.on_right > skill.on_wrong else "wrong"
    return f"the reflections call nearly everything {word}"


# -- which N -------------------------------------------------------------------------------------------------------


def trade_offs(
    facts: Facts, judgement: Judgement, recipe: Recipe, whole: bool = True, most: int = MOST_ATTEMPTS
) -> tuple[TradeOff, ...]:
    """
    What N = 1 … `most` would give in the recipe's formats; an N without a question is left out.

    Counted as everywhere else: on the build's own draws where these are few enough, and never on a sample's.
    """
    usual = TraceFormat.CORRECT_LAST_FULL if recipe.columns.reflections else TraceFormat.NO_REFLECTION
    formats = recipe.traces.formats if recipe.columns.reflections else (usual.value,)
    each = _tokens_of_attempt(facts, judgement, recipe)
    rows = []
    for n in range(1, most + 1):
        traces = recipe.traces.model_copy(update={"formats": formats, "attempts": n})
        asked = recipe.model_copy(update={"traces": traces})
        seen = forecast(facts, judge_questions(facts, judgement, asked), asked, *(() if whole else (0,)))
        if seen.questions:
            rows.append(_trade_off(n, seen, each))
    return tuple(rows)


def _trade_off(n: int, seen: Outlook, each: float) -> TradeOff:
    # Limits cut the traces evenly.
    every = sum(sum(shows) for shows in seen.by_attempts.values())
    part = min(1.0, seen.traces / every) if every else 0.0
    corrected = sum(shows[TEACHES.index("wrong_to_right")] for shows in seen.by_attempts.values())
    # A drawn number of attempts is about the middle of 2 and N.
    attempts = sum((k or (n + 2) / 2) * sum(shows) for k, shows in seen.by_attempts.items())
    tokens = part * (attempts * each + every * QUESTION_TOKENS)
    return TradeOff(n, seen.questions, seen.traces, round(part * corrected), round(tokens))


def _tokens_of_attempt(facts: Facts, judgement: Judgement, recipe: Recipe) -> float:
    """Tokens of a kept response with one of its kept reflections, on average."""
    chars = _mean(facts.response_chars[judgement.response_code == KEPT])
    if recipe.columns.reflections:
        chars += _mean(facts.reflection_chars[judgement.reflection_code == KEPT])
    return estimated_tokens(chars, recipe.cutoff.chars_per_token)


def _mean(sizes: Any) -> float:
    return float(sizes.mean()) if len(sizes) else 0.0


def best_attempts(table: Sequence[TradeOff]) -> TradeOff | None:
    """
    The N that suits: with the most corrected mistakes, or within a tenth of that with more questions.

    An N that another one beats in questions, traces and corrected mistakes is never taken. Where no mistake can be
    corrected, traces count instead. None for an empty table.
    """
    fixes = any(row.corrected for row in table)
    worth = {row: row.corrected if fixes else row.traces for row in table}
    near = [row for row in table if worth[row] >= NEAR * max(worth.values())]
    return max(near, key=lambda row: (row.questions, worth[row], row.traces, -row.tokens), default=None)


def trade_off_sentence(table: Sequence[TradeOff], best: TradeOff) -> str:
    """What the N gives, and what its neighbours would give and take."""
    told = f"{many(best.questions, 'question')} can be used and {inflect(best.questions, 'gives', 'give')} {_given(best)}"
    others = [row for row in table if abs(row.attempts - best.attempts) == 1 and row.attempts > 1]
    beside = [
        f"N = {row.attempts} would use {many(row.questions, 'question')} and give {_given(row)}"
        for row in others
    ]
    if best.attempts == MOST_ATTEMPTS:
        beside.append(f"the paper tried no more than {MOST_ATTEMPTS} attempts per trace")
    elif best.attempts == max(row.attempts for row in table):
        beside.append(f"no question has {best.attempts + 1} usable answers")
    return "; ".join([told, *beside]) + "."


def _given(row: TradeOff) -> str:
    return f"about {many(row.traces, 'trace')}, {row.corrected:,} with a mistake corrected"


# -- what a step costs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prices:
    """What steps would ask of a model, from sizes of the data."""

    facts: Facts
    recipe: Recipe
    questions: int = 0
    """Those that can be used."""

    def of(self, reason: Reason) -> Price:
        """The price of a reason's step; nothing for a step that asks no model."""
        if reason.code in ("toy", "small"):
            return self._more_questions()
        match reason.step:
            case Step.MORE_ANSWERS:
                return self._answers(self._lacking())
            case Step.REFLECT:
                return self._reflections(self._to_reflect(reason))
            case _:
                return Price()

    def _tokens(self, sizes: Any, default: float) -> float:
        known = estimated_tokens(_mean(sizes), self.recipe.cutoff.chars_per_token)
        return known or default

    def _answers(self, requests: int) -> Price:
        each = self._tokens(self.facts.response_chars, REFLECTION_TOKENS)
        return Price(requests, requests * QUESTION_TOKENS, round(requests * each))

    def _reflections(self, requests: int) -> Price:
        answer = self._tokens(self.facts.response_chars, REFLECTION_TOKENS)
        each = self._tokens(self.facts.reflection_chars, REFLECTION_TOKENS)
        return Price(requests, round(requests * (QUESTION_TOKENS + answer)), round(requests * each))

    def _lacking(self) -> int:
        """Answers until every question has as many different ones as is usual."""
        seen = np.stack([self.facts.response_question.astype(np.uint64), self.facts.response_id])
        owners = np.unique(seen, axis=1)[0].astype(np.int64)
        different = np.bincount(owners, minlength=len(self.facts.question_id))
        return int(np.maximum(0, ANSWERS_EACH - different).sum())

    def _to_reflect(self, reason: Reason) -> int:
        """Responses without a useful reflection: all of them where those that they have say nothing."""
        every = len(self.facts.response_id)
        if reason.code != "reflections":
            return every
        useful = self.facts.reflection_response[
            self.facts.reflection_verdict
            == self.facts.response_correct[self.facts.reflection_response].view(np.int8)
        ]
        return every - len(np.unique(useful))

    def _more_questions(self) -> Price:
        """Answers, and reflections if the data has any, for the questions that are missing."""
        more = (SMALL - self.questions) * ANSWERS_EACH
        asked = [self._answers(more), *([self._reflections(more)] if len(self.facts.reflection_id) else [])]
        return Price(*(sum(parts) for parts in zip(*asked, strict=True)))


# -- what has to be settled first ----------------------------------------------------------------------------------

CAUSES: dict[str, tuple[Weight, str]] = {
    "response_is_gold": (Weight.STOPS, "the responses are the gold answers"),
    "responses_repeat": (Weight.STOPS, "question and response look exchanged"),
    "question_gives_verdicts": (Weight.STOPS, "the questions look like reflections"),
    "answer_gives_verdicts": (Weight.STOPS, "the gold answers look like reflections"),
    "response_gives_verdicts": (Weight.STOPS, "the responses look like reflections"),
    "one_question": (Weight.STOPS, "nearly every row has the same question"),
    "pairs": (Weight.STOPS, "preferred isn't the same as right"),
    "unread_labels": (Weight.SERIOUS, "it isn't known which labels mean right"),
    "labels_contradicted": (Weight.SERIOUS, "grading contradicts the labels"),
    "gold_is_long": (Weight.SERIOUS, "response and gold answer look exchanged"),
    "short_questions": (Weight.SERIOUS, "the questions look like another column"),
    "reference_as_response": (Weight.SERIOUS, "the responses may be reference solutions"),
    "lists_as_text": (Weight.STOPS, "several texts are read as one"),
    "quotes_reference": (Weight.SERIOUS, "the responses quote the reference"),
    "answers_are_signs": (Weight.SERIOUS, "the final answers are only signs"),
}
"""Doubts that change what everything else says, the deepest first. With what they do to the answer, and in a few words.

All other doubts are notes.
"""


def _causes(doubts: Sequence[Doubt]) -> list[Doubt]:
    """The doubts that change what everything else says, the deepest first."""
    order = list(CAUSES)
    deep = (doubt for doubt in doubts if doubt.code in CAUSES and doubt.share > TENTH)
    return sorted(deep, key=lambda doubt: order.index(doubt.code))


def cause_of(doubts: Sequence[Doubt]) -> tuple[Doubt, str] | None:
    """What has to be settled first, and in a few words; None where nothing has to be."""
    deep = _causes(doubts)
    return (deep[0], CAUSES[deep[0].code][1]) if deep else None


def with_doubts(found: Opinion, doubts: Sequence[Doubt]) -> Opinion:
    """The opinion with what is doubtful in the reading: one cause at its head, the other doubts as notes."""
    deep = _causes(doubts)
    reasons = list(found.reasons)
    if deep and _weight(deep[0], reasons) is Weight.STOPS:
        # What was counted on such a reading says nothing.
        return opinion_of(
            [_of_doubt(deep[0], Weight.STOPS)], table=found.table, skill=found.skill, cause=deep[0]
        )
    if deep:
        reasons.insert(0, _of_doubt(deep[0], _weight(deep[0], reasons)))
    known = {reason.step for reason in reasons} - {Step.NONE}
    reasons += [
        _of_doubt(doubt, Weight.NOTE) for doubt in doubts if doubt not in deep[:1] and doubt.step not in known
    ]
    now = opinion_of(reasons, table=found.table, skill=found.skill, cause=deep[0] if deep else None)
    same = bool(found.reasons and now.reasons) and now.reasons[0] == found.reasons[0]
    return replace(now, price=found.price) if same else now


def _weight(doubt: Doubt, known: Sequence[Reason]) -> Weight:
    """Labels that can't be read are all the more serious where hardly any can."""
    stopped = any(reason.code == "labels" and reason.weight is Weight.STOPS for reason in known)
    return Weight.STOPS if stopped and doubt.code == "unread_labels" else CAUSES[doubt.code][0]


def _of_doubt(doubt: Doubt, weight: Weight) -> Reason:
    said = doubt.sentence.partition(". ")[0].rstrip(".")
    short = CAUSES[doubt.code][1] if doubt.code in CAUSES else said[:1].lower() + said[1:]
    return Reason(doubt.code, weight, short, doubt.sentence, doubt.fix, doubt.step)
