"""What an attempt answers: a question, and the conversation around it where there is one.

A build knows a question by its text, from which ids, draws and partitions are made. A question that is part of a
conversation has a text too: all turns before the attempt, written in one way. So the same question after other turns, or
after other results of a tool, is another question, and a question that stands alone is what it always was.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

USER, ASSISTANT, SYSTEM, CALL, RESULT = "user", "assistant", "system", "function_call", "observation"
"""Who says a turn, by the names of LLaMA-Factory's ShareGPT format; CALL is the assistant's too."""
_MARK = "\x10conversation "
"""Begins the text of a question with a conversation: no text of a person begins with this control character."""

RESULTS_APART = "\n</tool_response>\n<tool_response>\n"
"""What LLaMA-Factory puts between the results of calls that were made at once, since it has one turn for all of them."""
_NAMES = {USER: "User", ASSISTANT: "Assistant", SYSTEM: "System", CALL: "Call of a tool", RESULT: "Result"}
_CALL_MARKS = ("<tool_call>", "</tool_call>")


class Said(NamedTuple):
    """A turn before the attempt; the content of a call is what `call_content` makes."""

    role: str
    content: str


@dataclass(frozen=True)
class Asked:
    """Everything that stands before an attempt, in order: at least one turn of the user."""

    turns: tuple[Said, ...]
    tools: str = ""
    """The tools that the assistant may call, as JSON; empty where the data names none."""

    @property
    def alone(self) -> bool:
        """Whether there is the question and nothing else."""
        return len(self.turns) == 1 and not self.tools

    @property
    def roles(self) -> tuple[str, ...]:
        """Who speaks, turn by turn."""
        return tuple(turn.role for turn in self.turns)

    @property
    def place(self) -> int:
        """Where the question stands among the turns: the last that the user said."""
        return max((k for k, turn in enumerate(self.turns) if turn.role == USER), default=0)

    @property
    def question(self) -> str:
        """The question itself, without the conversation."""
        return self.turns[self.place].content if self.turns else ""

    @property
    def spoken(self) -> str:
        """All that the user said, as one text: what is compared with the questions of others."""
        return "\n\n".join(turn.content for turn in self.turns if turn.role == USER)

    @property
    def text(self) -> str:
        """The text that stands for the question in a build; of a question alone, the question itself."""
        if self.alone:
            return self.question
        return _MARK + json.dumps([self.tools, self.turns], ensure_ascii=False, separators=(",", ":"))

    @property
    def cell(self) -> str:
        """What a file of rows holds in its column of questions: the question, or messages as JSON, from which it is read again."""
        if self.alone:
            return self.question
        messages: list[dict[str, str]] = [turn._asdict() for turn in self.turns]
        if self.tools:
            if messages[0]["role"] != SYSTEM:
                messages.insert(0, {"role": SYSTEM, "content": ""})
            messages[0]["tools"] = self.tools
        return json.dumps(messages, ensure_ascii=False)

    @property
    def transcript(self) -> str:
        """The question, or the whole conversation with names before its turns, as one text to read."""
        if len(self.turns) == 1:
            return self.question
        return "\n\n".join(f"{_NAMES[turn.role]}: {turn.content}" for turn in self.turns)

    def named(self) -> list[tuple[str, str]]:
        """The tools and all turns in order, each with its name for people."""
        tools = [("Tools", self.tools)] if self.tools else []
        return [*tools, *((_NAMES[turn.role], turn.content) for turn in self.turns)]


@lru_cache(maxsize=64)  # the traces of a question come one after the other, and a conversation may be long
def asked(text: str) -> Asked:
    """What a question's text in a build stands for."""
    if text.startswith(_MARK):
        try:
            tools, turns = json.loads(text.removeprefix(_MARK))
            found = Asked(tuple(Said(role, content) for role, content in turns), tools)
        except (ValueError, TypeError, RecursionError):
            pass  # a text of the data that only begins like one
        else:
            said = (one for turn in found.turns for one in turn)
            if all(isinstance(one, str) for one in (tools, *said)) and USER in found.roles:
                return found
    return Asked((Said(USER, text),))


def question_in(text: str) -> str:
    """The question itself in a question's text, for people and graders."""
    return asked(text).question if text.startswith(_MARK) else text


def spoken_in(text: str) -> str:
    """All that the user said in a question's text."""
    return asked(text).spoken if text.startswith(_MARK) else text


def call_content(text: str, calls: Sequence[Mapping[str, Any]]) -> str:
    """Calls (`name` and `arguments`) as the content of a turn: JSON, a list where there are several."""
    told = json.dumps(calls[0] if len(calls) == 1 else list(calls), ensure_ascii=False)
    # LLaMA-Factory takes text beside a call only where the call stands between these marks.
    return f"{text}\n{_CALL_MARKS[0]}{told}{_CALL_MARKS[1]}" if text else told


def calls_in(content: str) -> tuple[str, list[dict[str, Any]]]:
    """The inverse of `call_content`: (text, calls)."""
    before, mark, rest = content.rpartition(_CALL_MARKS[0])
    try:
        told = json.loads(rest.removesuffix(_CALL_MARKS[1]) if mark else content)
    except (ValueError, RecursionError):
        return content, []  # nothing that we wrote
    calls = told if isinstance(told, list) else [told]
    if not all(isinstance(one, dict) and {"name", "arguments"} <= one.keys() for one in calls):
        return content, []
    return before.removesuffix("\n"), calls


def asked_in_row(row: Mapping[str, Any]) -> Asked:
    """What a row of a built dataset asks: its turns but the last."""
    return of_turns(row["conversations"][:-1], row.get("tools"))


def of_turns(turns: Iterable[Mapping[str, Any]], tools: str | None = None) -> Asked:
    """Turns of a row as what they ask."""
    return Asked(tuple(Said(turn["role"], turn["content"]) for turn in turns), tools or "")
