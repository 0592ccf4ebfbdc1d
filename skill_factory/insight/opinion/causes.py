"""What has to be settled before anything else means something, and an opinion with what is doubtful."""

from collections.abc import Sequence
from dataclasses import replace

from skill_factory.insight.doubts import TENTH, Doubt
from skill_factory.insight.opinion.answer import Opinion, opinion_of
from skill_factory.insight.opinion.reasons import Reason, Weight
from skill_factory.insight.readiness import Step

CAUSES: dict[str, tuple[Weight, str]] = {
    "response_is_gold": (Weight.STOPS, "the responses are the gold answers"),
    "responses_repeat": (Weight.STOPS, "question and response look exchanged"),
    "question_gives_verdicts": (Weight.STOPS, "the questions look like reflections"),
    "answer_gives_verdicts": (Weight.STOPS, "the gold answers look like reflections"),
    "response_gives_verdicts": (Weight.STOPS, "the responses look like reflections"),
    "one_question": (Weight.STOPS, "nearly every row has the same question"),
    "pairs": (Weight.STOPS, "preferred isn't the same as right"),
    "unread_labels": (Weight.SERIOUS, "it isn't known which labels mean right"),
    "labels_reversed": (Weight.STOPS, "right and wrong look exchanged"),
    "labels_contradicted": (Weight.SERIOUS, "grading contradicts the labels"),
    "gold_is_long": (Weight.SERIOUS, "response and gold answer look exchanged"),
    "short_questions": (Weight.SERIOUS, "the questions look like another column"),
    "short_responses": (Weight.SERIOUS, "the responses look like another column"),
    "reference_as_response": (Weight.SERIOUS, "the responses may be reference solutions"),
    "lists_as_text": (Weight.STOPS, "several texts are read as one"),
    "split_texts": (Weight.STOPS, "each word is read as a response"),
    "marked_responses": (Weight.SERIOUS, "the responses begin with their labels"),
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
