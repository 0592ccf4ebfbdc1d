"""The turns before an attempt, in an order that every trainer loads: the user or a result, then the assistant, in turns."""

import re
from collections.abc import Mapping, Sequence
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


def asked_by(value: Any, tools: Any, system: Any = None) -> Any:
    """
    The text that stands for the question of a conversation; None where there is no question, and what isn't one as it is.

    An assistant's turn at its end is the attempt, and no part of what is asked. `system` is a prompt from a column of its
    own. Errors: Unasked.
    """
    if shows_media(value):
        raise Unasked(RowReason.UNUSABLE_TURNS, "a picture, a sound or a file")
    if talks := _several(value):
        # Samples of one prompt are several conversations with the same beginning.
        texts = {asked_by(talk, tools, system) for talk in talks}
        if len(texts) > 1:
            raise Unasked(RowReason.UNUSABLE_TURNS, "several conversations that ask different things")
        return texts.pop()
    turns = turns_of(value)
    named = tools_of(tools if turns is None else tools or tools_beside(value))
    if named is None:
        raise Unasked(RowReason.UNUSABLE_TURNS, tools)
    if turns is None:
        if not isinstance(value, str) or not value.strip():
            return value
        turns = [Turn("user", value)]
    if not turns:
        return None
    # A trace would end in a call without its result, and nobody could say whether it was right.
    if turns[-1].calls:
        raise Unasked(RowReason.ENDS_IN_CALL, _content("", turns[-1].calls))
    before = list(turns[:-1] if turns[-1].role == "assistant" else turns)
    if not any(turn.role == "user" for turn in before):
        return None
    if isinstance(system, str) and system.strip() and before[0].role != "system":
        before.insert(0, Turn("system", system))
    return Asked(tuple(arranged(before)), named).text


def _several(value: Any) -> list[Any]:
    """Several conversations in one value, as the samples of one prompt are kept; none where it is something else."""
    if not isinstance(value, list) or len(value) < 2:
        return []
    return value if all(isinstance(one, list) and turns_of(one) for one in value) else []


def shows_media(value: Any) -> bool:
    """Whether messages hold more than text, without which they would ask something else."""
    messages = value if isinstance(value, list) else []
    contents = (one.get("content") for one in messages if isinstance(one, Mapping))
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any(isinstance(part, Mapping) and _MEDIA.match(str(part.get("type", ""))) for part in parts)


_MEDIA = re.compile("(?:input_)?(?:image|audio|video|file|document)")


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
    # What is asked ends with the user or a result, so that the attempt is the next turn.
    if len(rest) % 2 == 0:
        raise Unasked(RowReason.UNUSABLE_TURNS, " → ".join(one.role for one in joined))
    # A tool may have nothing to say; anybody else's empty turn is a fault of the data.
    if any(not turn.content.strip() and turn.role != RESULT for turn in rest):
        raise Unasked(RowReason.UNUSABLE_TURNS, "an empty turn")
    return [turn for turn in joined if turn.content.strip() or turn.role == RESULT]


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
