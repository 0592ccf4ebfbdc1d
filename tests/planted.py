"""Leaks at five levels of editing, as people and pipelines make them, and the questions they are planted in."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from tests import command

SHARED = command.ROOT.parent / "shared" / "data"
WRAPPERS = (
    "Solve the following problem step by step. Put your final answer within <answer> tags.\n\n{}\n\nThink carefully.",
    "You are a helpful assistant.\nQuestion: {}\nAnswer:",
    "Here is a task for you: {} Show all 3 steps of your work.",
)
SENTENCES = (
    "This is a well-known exercise that many students like.",
    "Assume that nothing else changes in the meantime.",
    "There were 12 people in the room when this was asked.",
)
OTHER_WORDS = {
    "find": "determine",
    "what is": "determine",
    "how many": "what number of",
    "create": "write",
    "using": "with",
    "uses": "takes",
    "each": "every",
    "buys": "purchases",
    "has": "owns",
    "sells": "trades",
    "makes": "produces",
    "total": "whole amount",
    "much": "great an amount",
    "does": "will",
    "compute": "work out",
    "express": "give",
    "let": "suppose",
    "such that": "so that",
    "equals": "gives",
    "the": "that",
    "only": "just",
    "number": "figure",
    "for": "at",
    "and": "as well as",
    "goes": "travels",
}

Edit = Callable[[str, random.Random], str]


def _cased(text: str, draw: random.Random) -> str:
    spaced = re.sub(r"\s+", lambda _: draw.choice([" ", "  ", "\n"]), text)
    return spaced.upper() if draw.random() < 0.5 else spaced.lower()


def _with_sentence(text: str, draw: random.Random) -> str:
    parts = re.split(r"(?<=[.?!])\s+", text)
    place = draw.randrange(len(parts) + 1)
    return " ".join([*parts[:place], draw.choice(SENTENCES), *parts[place:]])


def _paraphrased(text: str, draw: random.Random) -> str:
    for word, other in OTHER_WORDS.items():
        text = re.sub(rf"\b{word}\b", other, text, flags=re.IGNORECASE)
    return text


EDITS: dict[str, Edit] = {
    "verbatim": lambda text, draw: text,
    "case and space": _cased,
    "wrapper added": lambda text, draw: draw.choice(WRAPPERS).format(text),
    "a sentence added": _with_sentence,
    "paraphrased by rule, numbers kept": _paraphrased,
}


def real_questions() -> dict[str, list[str]]:
    """The different questions of three public sets that lie beside the project, where they do; else nothing."""
    if not SHARED.is_dir():
        return {}
    files = {"Countdown": "raw_countdown.parquet", "MATH": "raw_realcritic_math.parquet"}
    found = {name: _column(SHARED / file) for name, file in files.items()}
    lines = (SHARED / "gsm8k_example_model_solutions.jsonl").read_text(encoding="utf-8").splitlines()
    return found | {"GSM8K": sorted({json.loads(line)["question"] for line in lines})}


def _column(path: Path) -> list[str]:
    return sorted(set(pq.read_table(path, columns=["question"])["question"].to_pylist()))
