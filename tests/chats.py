"""Conversations as people have them: a question, a call of a tool, its result, and attempts at an answer."""

import json
from pathlib import Path
from typing import Any

Message = dict[str, Any]

TOOL = {
    "type": "function",
    "function": {
        "name": "calculate",
        "description": "Works out an expression.",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string"}},
            "required": ["expression"],
        },
    },
}
SYSTEM = "You are careful."


def question(q: int) -> str:
    """What the user asks."""
    return f"Each of {q + 2} shelves holds {q + 7} books, and a box holds {q + 1} more. How many books are there?"


def gold(q: int) -> int:
    """The right answer."""
    return (q + 2) * (q + 7) + q + 1


def expression(q: int) -> str:
    """What the tool is asked for."""
    return f"{q + 2}*{q + 7}+{q + 1}"


def said(q: int, k: int) -> str:
    """An attempt; every second one is right."""
    value = gold(q) if k % 2 == 0 else gold(q) + k
    return f"Attempt {k}: I add the box to the shelves.\n<answer>{value}</answer>"


def openai(q: int, k: int) -> list[Message]:
    """A conversation with a call, as OpenAI's messages."""
    call = {"name": "calculate", "arguments": json.dumps({"expression": expression(q)})}
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question(q)},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"c{q}", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": f"c{q}", "content": str(gold(q))},
        {"role": "assistant", "content": said(q, k)},
    ]


def talk(q: int, k: int) -> list[Message]:
    """A conversation of several turns without tools."""
    return [
        {"role": "user", "content": f"I have {q + 2} shelves."},
        {"role": "assistant", "content": "Good. What is on them?"},
        {"role": "user", "content": question(q)},
        {"role": "assistant", "content": said(q, k)},
    ]


def rows(make: Any = openai, questions: int = 8, attempts: int = 4, **more: Any) -> list[dict[str, Any]]:
    """Rows of raw data: a conversation each, whether it ends right, and a reflection on its end."""
    return [
        {
            "messages": make(q, k),
            "answer": str(gold(q)),
            "correct": k % 2 == 0,
            "reflections": [f"I add again. <verdict>{'Correct' if k % 2 == 0 else 'Incorrect'}</verdict>"],
            **more,
        }
        for q in range(questions)
        for k in range(attempts)
    ]


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    """Rows as lines of JSON."""
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path
