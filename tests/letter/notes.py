"""What a person can copy out of TRAINING.md: its commands, and which models' names stand in it."""

import re
from typing import NamedTuple

PROGRAMS = (
    "python",
    "python3",
    "bash",
    "uv",
    "pip",
    "llamafactory-cli",
    "axolotl",
    "swift",
    "deepspeed",
    "vf-eval",
    "skill-factory",
    "firectl",
    "together",
    "curl",
)
"""First words of a command."""
NAMED = {
    "qwen2.5": r"Qwen ?2\.?5|qwen-?2\.?5|qwen_25|`qwen`",
    "qwen3": r"Qwen3|qwen3",
    "deepseek_r1": r"\bR1\b|[Dd]eep[Ss]eek",
    "llama": r"Llama ?\d|llama3",
    "smollm": r"SmolLM",
    "olmo": r"Olmo",
    "gemma": r"[Gg]emma",
    "phi": r"\bPhi\b|phi-?\d",
    "mistral": r"[Mm]istral",
}
"""Families of models, and how notes name them."""


class Command(NamedTuple):
    """A command of the notes, as it is copied, and whether it stands on a line of its own or within a sentence."""

    text: str
    alone: bool


def commands(notes: str) -> list[Command]:
    """Every command in the order in which it stands there, each once."""
    found: dict[str, Command] = {}
    for line in notes.splitlines():
        # Indented by four and no list: the lines that are meant to be copied.
        if re.match(r" {4}[^ \-*]", line) and _is_command(line.strip()):
            text = line.strip()
            found.setdefault(_bare(text), Command(text, True))
    within = re.findall(r"`([^`]+)`", notes.replace("\n  ", " "))
    for text in map(str.strip, within):
        if _is_command(text):
            found.setdefault(_bare(text), Command(text, False))
    return list(found.values())


def _is_command(text: str) -> bool:
    words = text.split()
    # `python` alone is the name of a program; a command has something to do.
    return len(words) > 1 and words[0] in PROGRAMS


def _bare(text: str) -> str:
    return text.partition(" #")[0].strip()


def families(notes: str) -> set[str]:
    """The families of models that the notes speak of."""
    return {family for family, pattern in NAMED.items() if re.search(pattern, notes)}


def placeholders(command: str) -> list[str]:
    """Words in capitals, which a person would have to replace: `MODEL`, `FILE`; not the value of a variable."""
    return [word for word in command.split() if re.fullmatch(r"[A-Z]{3,}", word)]
