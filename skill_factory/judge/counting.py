"""The numbers of a judgement: what was kept and dropped, and what the charts about responses and reflections show."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from skill_factory.formats import OwnFormats, format_of
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement, reach
from skill_factory.model import Verdict
from skill_factory.reasons import Level, QuestionReason, ReflectionReason, ResponseReason
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.variants import NO_VARIANT
from skill_factory.tally import Balance, Label, LevelTally, Reach, Tally, Verdicts


def tally_judgement(
    facts: Facts, judgement: Judgement, recipe: Recipe, own: OwnFormats | None = None
) -> Tally:
    """Responses, reflections and questions: kept, or dropped by reason; and the numbers of the charts about them."""
    tally = Tally()
    for level, codes, reasons in (
        (Level.RESPONSES, judgement.response_code, list(ResponseReason)),
        (Level.REFLECTIONS, judgement.reflection_code, list(ReflectionReason)),
        (Level.QUESTIONS, judgement.question_code, list(QuestionReason)),
    ):
        found = np.bincount(codes, minlength=len(reasons) + 1).tolist()
        tally.ledger[level] = LevelTally(
            len(codes), found[0], Counter({r.value: n for r, n in zip(reasons, found[1:], strict=True) if n})
        )
    _count_responses(tally, facts, judgement)
    # Counted at every setting: where such reflections are kept, the pages and the card still say how many there are.
    if given := int(facts.reflection_gives_away.sum()):
        kept = facts.reflection_gives_away & (judgement.reflection_code == 0)
        tally.counts["given_away"] = Counter({"read": given, "kept": int(kept.sum())})
    for code in recipe.traces.formats:
        for n, usable in enumerate(reach(judgement, recipe, format_of(code, own).needs), 1):
            tally.counts["reach"][str(Reach(code, n))] = usable
    return tally


def _count_responses(tally: Tally, facts: Facts, judgement: Judgement) -> None:
    names = [name or NO_VARIANT for name in facts.variants]
    truth = ("wrong", "right")
    right = facts.response_correct.view(np.int8)
    for to, n in zip(truth, np.bincount(right[facts.response_corrected], minlength=2).tolist(), strict=True):
        if n:
            tally.counts["corrections"][to] += n
    # A variant may itself be called "(none)": numbers under one key are added.
    every = _pairs(facts.response_variant, right, 2)
    kept = judgement.response_code == 0
    for key, n in every:
        tally.counts["labels"][str(Label(names[key[0]], truth[key[1]]))] += n
    for key, n in _pairs(facts.response_variant[kept], right[kept], 2):
        tally.counts["kept_responses"][str(Label(names[key[0]], truth[key[1]]))] += n
    owner = facts.reflection_response
    # One code for label and verdict: a verdict is -1, 0 or 1, so each label has three.
    combined = right[owner].astype(np.int64) * 3 + facts.reflection_verdict + 1
    said = [Verdict(number).word for number in (-1, 0, 1)]
    for key, n in _pairs(facts.response_variant[owner], combined, 6):
        verdict = Verdicts(names[key[0]], truth[key[1] // 3], said[key[1] % 3])
        tally.counts["verdicts"][str(verdict)] += n
    width = int(judgement.question_kept.max(initial=0)) + 1
    for key, n in _pairs(judgement.question_right, judgement.question_kept, width):
        # A question without a kept response has no pass rate to show.
        if key[1]:
            tally.counts["balance"][str(Balance(*key))] = n


def _pairs(left: npt.NDArray[Any], right: npt.NDArray[Any], width: int) -> list[tuple[tuple[int, int], int]]:
    """How often each pair of codes occurs; the right code is below width."""
    values, numbers = np.unique(left.astype(np.int64) * width + right, return_counts=True)
    return [((v // width, v % width), n) for v, n in zip(values.tolist(), numbers.tolist(), strict=True)]
