"""Turns of a conversation: messages as records, and prompts that a chat template made one text of."""

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from skill_factory.sources.chats.calls import CALL_ROLES, Call, calls_of, result_text, results_in_parts
from skill_factory.sources.thinking import joined

_ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "question": "user",
    "client": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "ai": "assistant",
    "answer": "assistant",
    **dict.fromkeys(CALL_ROLES, "assistant"),
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "tool_result": "tool",
    "function_response": "tool",
    "ipython": "tool",
    "environment": "tool",
}
_ROLE_NAMES = ("role", "from", "speaker", "author")
_TEXT_NAMES = ("content", "value", "text", "message", "prompt", "parts")
_CALL_NAMES = ("tool_calls", "function_call")
_THINKING_NAMES = ("reasoning_content", "reasoning", "thinking", "thought")
_THINKING_PARTS = ("thinking", "reasoning", "redacted_thinking")
"""Types of parts and items that hold the thinking before an answer."""
_SAID_BY_TYPE = ("human", "ai", "system", "tool")
"""Types that name the speaker, as LangChain writes its messages."""


class Turn(NamedTuple):
    """One turn: who spoke, and what."""

    role: str
    text: str
    calls: tuple[Call, ...] = ()
    """The calls of tools that an assistant's turn makes; its text is what stands beside them."""


def turns_of(value: Any) -> list[Turn] | None:
    """The turns of messages, also of ones written as JSON text; None for what isn't messages."""
    if isinstance(value, str) and value.lstrip()[:2].replace(" ", "") in ("[{", "["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    # A batch of one conversation.
    if len(value) == 1 and isinstance(value[0], list):
        return turns_of(value[0])
    if _are_parts(value):
        value = [{"role": "assistant", "content": value}]
    turns = [_turn(one) for one in value if not _is_thinking(one)]
    return None if any(one is None for one in turns) else [one for one in turns if one]


def is_message(value: Any) -> bool:
    """Whether a record is one message: of a speaker's name and a text alone, or with a content in parts."""
    if not isinstance(value, Mapping) or _turn(value) is None:
        return False
    content = value.get("content")
    return value.keys() == {"from", "value"} or (
        isinstance(content, list) and any(isinstance(one, Mapping) and "type" in one for one in content)
    )


def _is_thinking(item: Any) -> bool:
    """Whether an item among messages is the thinking before one, and no turn."""
    return isinstance(item, Mapping) and item.get("type") in _THINKING_PARTS and "role" not in item


def _are_parts(value: Sequence[Any]) -> bool:
    """Whether a list is the content of one answer, in parts: some thinking, then text."""
    types = [one.get("type") if isinstance(one, Mapping) and "role" not in one else None for one in value]
    return (
        any(kind in _THINKING_PARTS for kind in types)
        and "text" in types
        and all(kind in ("text", *_THINKING_PARTS) for kind in types)
    )


def _turn(message: Any) -> Turn | None:
    if not isinstance(message, Mapping):
        return None
    inner = message.get("kwargs") or message.get("data")
    if isinstance(inner, Mapping) and "content" in inner:
        message = {**inner, "type": inner.get("type", message.get("type"))}
    role = next((message[name] for name in _ROLE_NAMES if isinstance(message.get(name), str)), None)
    if role is None and message.get("type") in _SAID_BY_TYPE:
        role = message["type"]
    known = _ROLES.get(str(role).lower()) if role else None
    if known is None or not any(name in message for name in (*_TEXT_NAMES, *_CALL_NAMES)):
        return None
    content = next((message[n] for n in _TEXT_NAMES if message.get(n) is not None), "")
    if known == "tool":
        return Turn(known, result_text(content))
    if known == "user" and (results := results_in_parts(content)) is not None:
        return Turn("tool", results)
    if known != "assistant":
        return Turn(known, _text(content))
    thinking = next((_text(message[n]) for n in _THINKING_NAMES if message.get(n)), "")
    thinking = thinking or _thought(message.get("content"))
    text, calls = calls_of(message, str(role).lower(), _text(content))
    return Turn(known, joined(thinking, text), calls)


def _text(content: Any) -> str:
    """The text of a content that is a text, or a list of parts of which some are texts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        said = [one for one in content if not _is_thinking(one)]
        parts = [one.get("text") if isinstance(one, Mapping) else one for one in said]
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def _thought(content: Any) -> str:
    """The thinking among the parts of a content."""
    parts = [one for one in content if _is_thinking(one)] if isinstance(content, list) else []
    texts = [one.get(name) for one in parts for name in ("thinking", "reasoning", "text")]
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def last_of(turns: Sequence[Turn], role: str) -> str | None:
    """The text of the last turn of a role."""
    return next((one.text for one in reversed(turns) if one.role == role), None)


def first_of(turns: Sequence[Turn], role: str) -> str | None:
    """The text of the first turn of a role."""
    return next((one.text for one in turns if one.role == role), None)


# -- prompts that were decoded to one text -------------------------------------------------------------------------

_OPEN_ENDED = r"(?:\s*<think(?:ing)?>\s*|\s*\\n)*\s*$"
_TEMPLATES = tuple(
    (re.compile(user, re.DOTALL), re.compile(end, re.DOTALL))
    for user, end in (
        (
            r"<\|im_start\|>user(?:<\|im_sep\|>)?\s*\n?",
            r"(?:\s*/(?:no_)?think)?\s*(?:<\|im_end\|>|<\|im_start\|>)",
        ),
        (r"<\|start_header_id\|>user<\|end_header_id\|>\s*", r"<\|eot_id\|>|<\|start_header_id\|>"),
        (r"<\|start\|>user<\|message\|>", r"<\|end\|>|<\|start\|>"),
        (r"<start_of_turn>user\s*\n?", r"<end_of_turn>|<start_of_turn>"),
        (r"<\|header_start\|>user<\|header_end\|>\s*", r"<\|eot\|>|<\|header_start\|>"),
        (r"<\|im_user\|>user<\|im_middle\|>", r"<\|im_end\|>|<\|im_assistant\|>"),
        (r"<\|start_of_role\|>user<\|end_of_role\|>", r"<\|end_of_text\|>|<\|start_of_role\|>"),
        (r"<\|USER_TOKEN\|>", r"<\|END_OF_TURN_TOKEN\|>|<\|START_OF_TURN_TOKEN\|>"),
        (r"\[\|user\|\]\s*", r"\[\|assistant\|\]|\[\|endofturn\|\]"),
        (r"<extra_id_1>User\s*\n?", r"<extra_id_1>"),
        (r"\]~b\]user\s*\n?", r"\[e~\[|\]~b\]ai"),
        (r"<｜User｜>", r"<｜Assistant｜>|<｜end▁of▁sentence｜>"),
        (r"<\|User\|>", r"<\|Assistant\|>"),
        (r"<\|user\|>\s*\n?", r"<\|end\|>|<\|assistant\|>|</s>|<\|endoftext\|>"),
        (
            r"(?:^|\n)### (?:Instruction|Question|Problem|User|Human):\s*",
            r"\n+### (?:Response|Answer|Solution|Assistant):",
        ),
        (r"\[INST\](?:\s*<<SYS>>.*?<</SYS>>)?\s*", r"\[/INST\]"),
    )
)
_BEGINS = re.compile(r"\s*(?:<[|｜][^<>\n]{1,40}[|｜]>|<s>|<bos>|\[INST\]|<start_of_turn>)")
"""How a prompt begins that a template made."""
WHOLE_TALKS = (
    ("<|im_start|>user\n", "<|im_end|>", "<|im_start|>assistant\n", "<|im_end|>"),
    ("<|start_header_id|>user<|end_header_id|>", "<|eot_id|>", "<|start_header_id|>assistant<|end_header_id|>", "<|eot_id|>"),
    ("<start_of_turn>user\n", "<end_of_turn>", "<start_of_turn>model\n", "<end_of_turn>"),
    ("<｜User｜>", "<｜Assistant｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    ("[INST]", "[/INST]", "[/INST]", "</s>"),
    ("### Instruction:", "### Response:", "### Response:", ""),
    ("\n\nHuman:", "\n\nAssistant:", "\n\nAssistant:", ""),
    *((f"{asked}:", f"\n{said}:", f"\n{said}:", "") for asked, said in (
        ("### Question", "### Answer"), ("### Problem", "### Solution"), ("Question", "Answer"), ("Question", "Response"),
        ("Question", "Solution"), ("Problem", "Solution"), ("Problem", "Answer"), ("Q", "A"), ("Prompt", "Response"),
        ("问题", "回答"), ("问题", "答案"), ("Frage", "Antwort"), ("Pregunta", "Respuesta"), ("Вопрос", "Ответ"), ("質問", "回答"),
    )),
)  # fmt: skip
"""Marks before and after the question, and before and after the response, in texts that hold a whole conversation."""
END_MARKS = (
    "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "</s>", "<eos>", "<end_of_turn>", "<|return|>", "<|end|>",
    "<｜end▁of▁sentence｜>", "<|eot|>", "<|EOT|>", "<|endofturn|>", "<|END_OF_TURN_TOKEN|>",
)  # fmt: skip
"""Marks that end a turn, which a decoder leaves where special tokens aren't skipped."""
_ROLE_WORDS = re.compile(r"(?<![A-Za-z])(system|user|assistant)\n")
_SPOKEN = re.compile(
    r"(?:^|\n|(?<=[.!?] ))\s*(Human|User|USER|H)\s*:\s*(.*?)(?:\n\s*)?(?:\n|(?<=\s))(?:Assistant|ASSISTANT|AI|A)\s*:"
    + _OPEN_ENDED,
    re.DOTALL,
)


def without_template(text: str) -> str | None:
    """What the user said last in a prompt that a chat template made; None for a text that shows no template."""
    for user, end in _TEMPLATES:
        if (last := _last_match(user, text)) is not None:
            stop = end.search(text, last.end())
            if stop is None and not _BEGINS.match(text):
                continue  # a question that speaks of such signs
            return text[last.end() : stop.start() if stop else len(text)].strip()
    return _by_role_words(text) or _spoken(text)


def _by_role_words(text: str) -> str | None:
    """`system\\n…\\nuser\\n…\\nassistant\\n`: what is left of a template when its own signs are taken for nothing."""
    if not text.lstrip().startswith(("system\n", "user\n")):
        return None
    words = list(_ROLE_WORDS.finditer(text))
    users = [k for k, one in enumerate(words) if one[1] == "user"]
    if not users or words[-1][1] != "assistant" or not re.fullmatch(_OPEN_ENDED, text[words[-1].end() :]):
        return None
    k = users[-1]
    return text[words[k].end() : words[k + 1].start()].strip()


def _spoken(text: str) -> str | None:
    """`User: … Assistant:`, as the prompts of base models are written."""
    found = _last_match(_SPOKEN, text)
    return found[2].strip() if found else None


def _last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)
