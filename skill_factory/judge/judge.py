"""From facts to usable questions: each response, reflection and question is kept, or dropped with its first reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from skill_factory.draws import order_keys
from skill_factory.formats import OwnFormats, format_of
from skill_factory.formats.record import Needs
from skill_factory.judge.facts import Facts, Flags, Places, Reading
from skill_factory.judge.kept_reflections import Critiques, by_owner
from skill_factory.model import Question, Response, made_of
from skill_factory.reasons import QuestionReason, ReflectionReason, ResponseReason
from skill_factory.recipe.model import Recipe

Codes = npt.NDArray[np.int8]
KEPT = 0
"""Code of a kept thing; a reason's code is its place in its enumeration, from 1."""

_RESPONSE = {reason: place for place, reason in enumerate(ResponseReason, 1)}
_REFLECTION = {reason: place for place, reason in enumerate(ReflectionReason, 1)}
_QUESTION = {reason: place for place, reason in enumerate(QuestionReason, 1)}


_RULED = (QuestionReason.CONTAMINATED, QuestionReason.NEAR_DUPLICATE, QuestionReason.HELD_OUT)
"""What `Clean.ruled` lists, in its order."""
_WHATEVER_ITS_RESPONSES = [
    _QUESTION[reason]
    for reason in (
        QuestionReason.EXCLUDED,
        QuestionReason.IN_OTHER_SOURCE,
        *_RULED,
        QuestionReason.OUTSIDE_PASS_RATE,
    )
]


@dataclass(frozen=True)
class Judgement:
    """What the filters of a recipe say of some facts; codes are 0 for kept, else the place of the reason, from 1."""

    response_code: Codes
    response_twin: Places
    """For each response the one that stands for it: itself, or the equal one it was joined with."""
    reflection_code: Codes
    question_code: Codes
    question_kept: Places
    """Kept responses of each question."""
    question_right: Places
    question_variants: Places
    """Prompt variants among its kept responses; a missing variant is one of its own."""


def judge(facts: Facts, recipe: Recipe, own: OwnFormats | None = None) -> Judgement:
    """Filter responses, reflections and questions; some milliseconds for a million reflections."""
    response_code = _judge_texts(facts, recipe)
    twin = _join_twins(facts, response_code)
    reflection_code = _judge_reflections(facts, recipe, twin)
    if recipe.columns.reflections:
        # Asked after the reflections are judged, and of the twin that stands for all: it has the reflections of each.
        has_kept = np.zeros(len(facts.response_id), np.bool_)
        has_kept[twin[facts.reflection_response[reflection_code == KEPT]]] = True
        _drop(response_code, ~has_kept, _RESPONSE[ResponseReason.NO_KEPT_REFLECTION])
    kept = np.flatnonzero(response_code == KEPT)
    owners = facts.response_question[kept]
    n = len(facts.question_id)
    count = np.bincount(owners, minlength=n).astype(np.int32)
    right = np.bincount(owners[facts.response_correct[kept]], minlength=n).astype(np.int32)
    variants = _variants_of_each(facts, owners, kept, n)
    question_code = _judge_questions(facts, recipe, count, right, variants, own)
    return Judgement(response_code, twin, reflection_code, question_code, count, right, variants)


def judge_questions(facts: Facts, judgement: Judgement, recipe: Recipe) -> Judgement:
    """The judgement of a recipe that differs in its traces or balance alone: a hundredth of the work."""
    seen = judgement
    codes = _judge_questions(facts, recipe, seen.question_kept, seen.question_right, seen.question_variants)
    return replace(judgement, question_code=codes)


def without(judgement: Judgement, facts: Facts, elsewhere: npt.NDArray[np.uint64]) -> Judgement:
    """The judgement where questions with these ids belong to another source of a mixture."""
    codes = judgement.question_code.copy()
    # What the recipe excludes is left out wherever it stands; any other question is dropped for this reason first.
    others = np.isin(facts.question_id, elsewhere) & (codes != _QUESTION[QuestionReason.EXCLUDED])
    codes[others] = _QUESTION[QuestionReason.IN_OTHER_SOURCE]
    return replace(judgement, question_code=codes)


def _variants_of_each(facts: Facts, owners: Places, kept: npt.NDArray[np.intp], n: int) -> Places:
    """How many different variants stand among the kept responses of each of n questions."""
    width = len(facts.variants)
    places = owners.astype(np.int64) * width + facts.response_variant[kept]
    if n * width > 100_000_000:  # thousands of variants: a table of yes and no would not fit
        each: Places = np.bincount(np.unique(places) // width, minlength=n).astype(np.int32)
        return each
    there = np.zeros(n * width, np.bool_)
    there[places] = True
    found: Places = there.reshape(n, width).sum(axis=1, dtype=np.int32)
    return found


def usable_for(judgement: Judgement, recipe: Recipe, needs: Needs, attempts: int = 0) -> Flags:
    """Which questions pass the gate of a format with such needs, at the recipe's N or another one."""
    n = attempts or recipe.traces.attempts
    held = judgement.question_code
    standing = ~np.isin(held, _WHATEVER_ITS_RESPONSES)
    right: Flags = standing & (judgement.question_right >= 1)
    if not needs.n_responses:
        return right
    passed: Flags = right & (judgement.question_kept >= n)
    if recipe.traces.distinct_variants:
        passed &= judgement.question_variants >= n
    return passed


def reach(judgement: Judgement, recipe: Recipe, needs: Needs, most: int = 10) -> list[int]:
    """Usable questions of a format with such needs at N = 1, 2, … most."""
    return [int(usable_for(judgement, recipe, needs, n).sum()) for n in range(1, most + 1)]


def written_order(facts: Facts, seed: int) -> Places:
    """The questions' places in the order in which they are written."""
    # The id settles the order where two keys are equal.
    keys = order_keys(seed, facts.question_id)
    return np.lexsort((facts.question_id, keys)).astype(np.int32)


def questions(reading: Reading, judgement: Judgement, seed: int) -> Iterator[tuple[int, Question]]:
    """The kept questions in written order, each with its place in the facts and its kept responses by id."""
    facts = reading.facts
    order = written_order(facts, seed)
    # Responses sorted by their question's rank lie as they are written, so each question takes one slice.
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    kept = np.flatnonzero(judgement.response_code == KEPT)
    kept = kept[by_owner(rank[facts.response_question[kept]], facts.response_id[kept])]
    critiques = Critiques.of(reading, judgement.reflection_code == KEPT, judgement.response_twin)
    ends = np.cumsum(judgement.question_kept[order])
    starts = ends - judgement.question_kept[order]
    spans = zip(order.tolist(), starts.tolist(), ends.tolist(), strict=True)
    usable = judgement.question_code == KEPT
    rows = kept.tolist()
    answers, variants = _answers(reading, judgement), facts.variants
    responses = made_of(
        Response,
        facts.response_id[kept].tolist(),
        rows,
        facts.response_correct[kept].tolist(),
        [answers[row] or "" for row in rows],
        [variants[code] for code in facts.response_variant[kept].tolist()],
        [reading.responses] * len(rows),
        [critiques] * len(rows),
    )
    ids = facts.question_id.tolist()
    for place, start, end in spans:
        if usable[place]:
            yield place, Question(ids[place], reading.questions[place], responses[start:end])


def _answers(reading: Reading, judgement: Judgement) -> Sequence[str | None]:
    """The final answer of each response; of twins the smallest: no order of rows chooses between " 1" and "1"."""
    twin = judgement.response_twin
    joined = np.flatnonzero(twin != np.arange(len(twin)))
    if not len(joined):
        return reading.answers
    answers = list(reading.answers)
    for place, owner in zip(joined.tolist(), twin[joined].tolist(), strict=True):
        answers[owner] = min(answers[owner] or "", answers[place] or "")
    return answers


def _drop(codes: Codes, failed: Flags, code: int) -> None:
    """Give a reason to all that fail and have none yet: the first rule that is failed counts."""
    codes[(codes == KEPT) & failed] = code


def _judge_texts(facts: Facts, recipe: Recipe) -> Codes:
    codes = np.zeros(len(facts.response_id), np.int8)
    if recipe.filters.variants:
        chosen = np.array([name in recipe.filters.variants for name in facts.variants], np.bool_)
        if recipe.columns.prompt_variant or len(recipe.columns.response) > 1:  # no column, no filter
            _drop(codes, ~chosen[facts.response_variant], _RESPONSE[ResponseReason.OTHER_VARIANT])
    # Before EMPTY: nothing is left of either kind, but only this one says why.
    _drop(codes, facts.response_cut, _RESPONSE[ResponseReason.CUT_OFF])
    _drop(codes, facts.response_empty, _RESPONSE[ResponseReason.EMPTY])
    if recipe.filters.block_tags == "drop":
        _drop(codes, facts.response_tags, _RESPONSE[ResponseReason.BLOCK_TAGS])
    shortest, longest = recipe.filters.response_chars
    _drop(codes, facts.response_chars < shortest, _RESPONSE[ResponseReason.TOO_SHORT])
    if longest:
        _drop(codes, facts.response_chars > longest, _RESPONSE[ResponseReason.TOO_LONG])
    _drop(codes, facts.response_answer == 0, _RESPONSE[ResponseReason.NO_ANSWER])
    return codes


def _join_twins(facts: Facts, codes: Codes) -> Places:
    """Equal responses of a question are one, unless their labels or answers disagree: then none counts."""
    twin = np.arange(len(codes), dtype=np.int32)
    rows = np.flatnonzero(codes == KEPT)
    # Only what passed so far is joined: a response that a filter dropped must not take its equal along.
    rows = rows[_may_repeat(facts.response_question[rows], facts.response_id[rows])]
    if not len(rows):
        return twin
    owner, ids = facts.response_question[rows], facts.response_id[rows]
    # The last two keys only settle which of equal responses stands for all: the smallest variant.
    order = np.lexsort((facts.response_variant[rows], ids, owner))
    rows, owner, ids = rows[order], owner[order], ids[order]
    first = np.ones(len(rows), np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (ids[1:] != ids[:-1])
    starts = np.flatnonzero(first)
    if len(starts) == len(rows):
        return twin
    group = np.cumsum(first) - 1
    label, answer = facts.response_correct[rows].view(np.int8), facts.response_answer[rows]
    # All values of a group are equal where its smallest is its largest.
    labels_differ = np.minimum.reduceat(label, starts) != np.maximum.reduceat(label, starts)
    answers_differ = np.minimum.reduceat(answer, starts) != np.maximum.reduceat(answer, starts)
    codes[rows[labels_differ[group]]] = _RESPONSE[ResponseReason.LABEL_CONFLICT]
    # A group that disagrees in both counts under its labels: one reason for each response.
    codes[rows[(answers_differ & ~labels_differ)[group]]] = _RESPONSE[ResponseReason.ANSWER_CONFLICT]
    joined = ~first & ~(labels_differ | answers_differ)[group]
    codes[rows[joined]] = _RESPONSE[ResponseReason.DUPLICATE]
    twin[rows[joined]] = rows[starts][group[joined]]
    return twin


def _may_repeat(owner: Places, ids: npt.NDArray[np.uint64]) -> Flags:
    """
    Marks every (owner, id) that occurs more than once, and a few others that share bits with one.

    Sorting one key is many times faster than sorting by two, and only what is marked needs the exact look.
    """
    with np.errstate(over="ignore"):
        # An odd factor without a pattern (2^64 by the golden ratio) spreads small places over all 64 bits.
        keys = ids ^ (owner.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    ordered = np.sort(keys)
    # A table of 1 MB by the last 20 bits: what shares them by chance is sorted for nothing, but nothing is missed.
    marked = np.zeros(1 << 20, np.bool_)
    marked[ordered[1:][ordered[1:] == ordered[:-1]] & np.uint64(0xFFFFF)] = True
    repeated: Flags = marked[keys & np.uint64(0xFFFFF)]
    return repeated


def _judge_reflections(facts: Facts, recipe: Recipe, twin: Places) -> Codes:
    codes = np.zeros(len(facts.reflection_id), np.int8)
    _drop(codes, facts.reflection_empty, _REFLECTION[ReflectionReason.EMPTY])
    if recipe.filters.block_tags == "drop":
        _drop(codes, facts.reflection_tags, _REFLECTION[ReflectionReason.BLOCK_TAGS])
    shortest, longest = recipe.filters.reflection_chars
    _drop(codes, facts.reflection_chars < shortest, _REFLECTION[ReflectionReason.TOO_SHORT])
    if longest:
        _drop(codes, facts.reflection_chars > longest, _REFLECTION[ReflectionReason.TOO_LONG])
    truth = facts.response_correct[facts.reflection_response].view(np.int8)
    # Before the comparison with the label: a missing verdict (-1) differs from both.
    _drop(codes, facts.reflection_verdict < 0, _REFLECTION[ReflectionReason.NO_VERDICT])
    _drop(codes, facts.reflection_verdict != truth, _REFLECTION[ReflectionReason.WRONG_VERDICT])
    _drop(codes, facts.reflection_banned, _REFLECTION[ReflectionReason.BANNED_WORD])
    if recipe.filters.given_away == "drop":
        _drop(codes, facts.reflection_gives_away, _REFLECTION[ReflectionReason.GIVES_AWAY_ANSWER])
    rows = np.flatnonzero(codes == KEPT)
    owner, ids = twin[facts.reflection_response[rows]], facts.reflection_id[rows]
    repeated = _may_repeat(owner, ids)
    rows, owner, ids = rows[repeated], owner[repeated], ids[repeated]
    order = np.lexsort((ids, owner))
    owner, ids = owner[order], ids[order]
    again = np.zeros(len(rows), np.bool_)
    again[1:] = (owner[1:] == owner[:-1]) & (ids[1:] == ids[:-1])
    codes[rows[order[again]]] = _REFLECTION[ReflectionReason.DUPLICATE]
    return codes


def _judge_questions(
    facts: Facts,
    recipe: Recipe,
    count: Places,
    right: Places,
    variants: Places,
    own: OwnFormats | None = None,
) -> Codes:
    codes = np.zeros(len(facts.question_id), np.int8)
    if recipe.balance.exclude:
        unwanted = np.array([int(one, 16) for one in recipe.balance.exclude], np.uint64)
        _drop(codes, np.isin(facts.question_id, unwanted), _QUESTION[QuestionReason.EXCLUDED])
    # What a person keeps by name outweighs what was found, and their own list too.
    if named := {*recipe.clean.drop} - {*recipe.clean.keep}:
        unwanted = np.array([int(one, 16) for one in named], np.uint64)
        _drop(codes, np.isin(facts.question_id, unwanted), _QUESTION[QuestionReason.CONTAMINATED])
    for reason, ids in zip(_RULED, recipe.clean.ruled, strict=True):
        if ids:
            _drop(codes, np.isin(facts.question_id, np.frombuffer(ids, "<u8")), _QUESTION[reason])
    # Without a kept response there is no rate; such a question falls for having too few.
    low, high = recipe.balance.pass_rate
    share = right / np.maximum(count, 1)
    _drop(codes, (count > 0) & ((share < low) | (share > high)), _QUESTION[QuestionReason.OUTSIDE_PASS_RATE])
    standing = codes == KEPT
    n = recipe.traces.attempts
    gates = {format_of(code, own).needs.n_responses for code in recipe.traces.formats}
    gated = True in gates
    if gated:
        _drop(codes, count < n, _QUESTION[QuestionReason.TOO_FEW_RESPONSES])
    _drop(codes, right < 1, _QUESTION[QuestionReason.NO_CORRECT_RESPONSE])
    if recipe.traces.distinct_variants and gated:
        _drop(codes, variants < n, _QUESTION[QuestionReason.TOO_FEW_VARIANTS])
    if False in gates:  # a format that needs one right response takes what the others must leave
        codes[standing & (right >= 1)] = KEPT
    return codes
