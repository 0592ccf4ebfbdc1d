"""What may be wrong with a trace, as far as the narrow table tells: what a reviewer should read first."""

from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skill_factory.insight.browse import doubts
from skill_factory.judge.facts import Facts, Flags


class Risk(StrEnum):
    """A kind of risk, the gravest first."""

    LABEL = "label in doubt"
    """Most reflections on one of its responses contradict the label."""
    GIVEN_AWAY = "answer given away"
    """A reflection on a wrong attempt states the gold answer."""
    REFLECTION = "odd reflection"
    """A reflection is five times shorter or longer than most."""
    REPETITIVE = "repetitive"
    """Two wrong attempts give the same answer."""
    LONG = "among the longest"
    """It is one of the longest fiftieth of all."""

    @property
    def bit(self) -> int:
        """Its bit in a listing's risks."""
        return 1 << list(Risk).index(self)

    @property
    def short(self) -> str:
        """A word for a narrow list."""
        return {
            Risk.LABEL: "label",
            Risk.GIVEN_AWAY: "answer",
            Risk.REFLECTION: "reflection",
            Risk.LONG: "long",
        }.get(self, self.value)

    @classmethod
    def of(cls, bits: int) -> "list[Risk]":
        """The risks of a trace."""
        return [risk for risk in cls if bits & risk.bit]

    @classmethod
    def weights(cls, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """How risky traces are: a graver risk counts more than all lesser ones together."""
        weights = np.zeros(len(bits), np.int64)
        for k, risk in enumerate(cls):
            weights += ((bits & risk.bit) > 0) * (1 << (len(cls) - k))
        return weights


MEANING = {
    Risk.LABEL: "Most reflections on one of its responses contradict the label.",
    Risk.GIVEN_AWAY: "A reflection on a wrong attempt states the gold answer.",
    Risk.REFLECTION: "A reflection is more than five times shorter or longer than most.",
    Risk.REPETITIVE: "Two wrong attempts give the same answer.",
    Risk.LONG: "It is among the longest 2 % of all traces.",
}
TIMES = 5
"""A reflection so many times shorter or longer than the median is odd."""
LONGEST = 0.98


class Responses(NamedTuple):
    """The attempts of traces, trace after trace: where each begins, and what each attempt shows."""

    starts: npt.NDArray[np.int64]
    responses: npt.NDArray[np.int64]
    reflections: npt.NDArray[np.int64]
    """-1 where none is shown."""
    right: Flags


def found_in(facts: Facts, attempts: Responses, chars: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """The risks of each trace, as bits; `chars` are the lengths of the traces."""
    shown = attempts.reflections >= 0
    said = attempts.reflections[shown]
    in_doubt = np.zeros(len(facts.response_id), np.bool_)
    in_doubt[[doubt.place for doubt in doubts(facts)]] = True
    given, odd = np.zeros(len(shown), np.bool_), np.zeros(len(shown), np.bool_)
    given[shown] = facts.reflection_gives_away[said]
    lengths = facts.reflection_chars[said]
    if len(lengths):
        usual = float(np.median(lengths))
        odd[shown] = (lengths * TIMES < usual) | (lengths > usual * TIMES)
    bits = np.zeros(len(attempts.starts), np.uint8)
    for risk, flags in (
        (Risk.LABEL, in_doubt[attempts.responses]),
        (Risk.GIVEN_AWAY, given),
        (Risk.REFLECTION, odd),
    ):
        bits |= np.logical_or.reduceat(flags, attempts.starts) * np.uint8(risk.bit)
    bits |= _repetitive(facts, attempts) * np.uint8(Risk.REPETITIVE.bit)
    # Where most are alike in length, none stands out.
    bits |= (chars > np.quantile(chars, LONGEST)) * np.uint8(Risk.LONG.bit)
    return bits


def _repetitive(facts: Facts, attempts: Responses) -> Flags:
    """Which traces show two wrong attempts with the same answer."""
    sizes = np.diff(np.append(attempts.starts, len(attempts.responses)))
    trace = np.repeat(np.arange(len(attempts.starts)), sizes)
    answers = facts.response_answer[attempts.responses]
    wrong = ~attempts.right & (answers != 0)
    trace, answers = trace[wrong], answers[wrong]
    order = np.lexsort((answers, trace))
    trace, answers = trace[order], answers[order]
    again = (trace[1:] == trace[:-1]) & (answers[1:] == answers[:-1])
    found = np.zeros(len(attempts.starts), np.bool_)
    found[trace[1:][again]] = True
    return found
