"""The turns before an attempt, in an order that every trainer loads: the user or a result, then the assistant, in turns."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from skill_factory.asked import (
    ASSISTANT,
    CALL,
    RESULT,
    RESULTS_APART,
    SYSTEM,
    USER,
    Asked,
    Said,
    call_content,
)
from skill_factory.reasons import RowReason
from skill_factory.sources.chats.calls import Call
from skill_factory.sources.chats.tools import tools_beside, tools_of
from skill_factory.sources.turns import Turn, turns_of


class Unasked(Exception):
    """A conversation that can't be used: the reason that is counted, and what was found."""

    def __init__(self, reason: RowReason, found: object) -> None:
        super().__init__(reason)
        self.reason, self.found = reason, found


def asked_by(value: Any, tools: Any) -> str | None:
    """
    The text that stands for the question of a conversation; None where there is no question.

    An assistant's turn at its end is the attempt, and no part of what is asked. Errors: Unasked.
    """
    turns = turns_of(value)
    named = tools_of(tools if turns is None else tools or tools_beside(value))
    if named is None:
        raise Unasked(RowReason.UNUSABLE_TURNS, tools)
    if turns is None:
        alone = isinstance(value, str) and value.strip()
        return Asked((Said(USER, value),), named).text if alone else value
    if turns[-1].calls:
        raise Unasked(RowReason.ENDS_IN_CALL, _content("", turns[-1].calls))
    before = turns[:-1] if turns[-1].role == "assistant" else turns
    if not any(turn.role == "user" for turn in before):
        return None
    return Asked(tuple(arranged(before)), named).text


def arranged(turns: Sequence[Turn]) -> list[Said]:
    """
    The turns as rows hold them; neighbours of one speaker are joined. Errors: Unasked for turns in another order.

    LLaMA-Factory leaves out, without an error, every row in which speakers don't take turns.
    """
    joined = [_joined(kind, list(group)) for kind, group in groupby(turns, key=_speaker)]
    system = joined[:1] if joined and joined[0].role == SYSTEM else []
    rest = joined[len(system) :]
    for place, turn in enumerate(rest):
        if turn.role not in ((USER, RESULT), (ASSISTANT, CALL))[place % 2]:
            raise Unasked(RowReason.UNUSABLE_TURNS, " → ".join(one.role for one in joined))
    if len(rest) % 2 == 0:
        raise Unasked(RowReason.UNUSABLE_TURNS, " → ".join(one.role for one in joined))
    if any(not turn.content.strip() for turn in rest):
        raise Unasked(RowReason.UNUSABLE_TURNS, "an empty turn")
    return [turn for turn in joined if turn.content.strip()]


def _speaker(turn: Turn) -> str:
    return {"tool": RESULT}.get(turn.role, turn.role)


def _joined(speaker: str, turns: Sequence[Turn]) -> Said:
    if speaker == RESULT:
        return Said(RESULT, RESULTS_APART.join(turn.text for turn in turns))
    text = "\n\n".join(turn.text for turn in turns if turn.text.strip())
    calls = [call for turn in turns for call in turn.calls]
    if not calls:
        return Said(speaker, text)
    if turns[-1].text.strip() and not turns[-1].calls:
        raise Unasked(RowReason.UNUSABLE_TURNS, "text behind a call that has no result")
    return Said(CALL, _content(text, calls))


def _content(text: str, calls: Sequence[Call]) -> str:
    return call_content(text, [call._asdict() for call in calls])
