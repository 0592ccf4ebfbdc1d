"""Outputs with planted counts: a generator that knows what it wrote, and knows nothing of the counter.

Half of them lack the opening think tag (a chat template wrote it into the prompt), some are cut off, some go round in
circles, some hold tags inside code blocks.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Planted:
    """Rows as a run leaves them, and what was planted in them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Skill:
    """How a made-up model behaves: chances of each thing."""

    right: float = 0.4
    """That an attempt is right."""
    judges_right: float = 0.8
    """That a right attempt is called correct."""
    judges_wrong: float = 0.7
    """That a wrong attempt is called incorrect."""
    silent: float = 0.1
    """That a reflection gives no verdict."""
    goes_on: float = 0.6
    """That another attempt follows."""
    cut_off: float = 0.05
    circles: float = 0.05
    code: float = 0.1
    spread: float = 0.25
    """How much easier or harder one question is than another."""


def plant(questions: int, samples: int = 4, seed: int = 0, skill: Skill = Skill()) -> Planted:
    """Some outputs for each of some questions."""
    rng = random.Random(seed)
    planted = Planted()
    for number in range(questions):
        gold, ease = 10 + number, rng.uniform(-skill.spread, skill.spread)
        for _ in range(samples):
            text = _output(rng, skill, min(1.0, max(0.0, skill.right + ease)), gold, planted.counts)
            planted.rows.append(
                {"question": f"What is {number} + 10?", "answer": str(gold), "response": text}
            )
    return planted


def _output(rng: random.Random, skill: Skill, chance: float, gold: int, counts: Counter[str]) -> str:
    counts["outputs"] += 1
    text = "<think>\n" if rng.random() < 0.5 else ""
    before: bool | None = None
    cut = rng.random() < skill.cut_off
    while True:
        right = rng.random() < chance
        text += _attempt(rng, skill, right, gold, counts)
        _note_move(before, right, counts)
        counts["first"] += before is None and right
        before, says = right, _verdict(rng, skill, right)
        counts[f"{'right' if right else 'wrong'}_{says}"] += 1
        counts["reflections"] += 1
        word = "" if says == "none" else f"\n<verdict>{says.capitalize()}</verdict>"
        text += f"<reflect>\nI look at it again.{word}\n</reflect>\n"
        if rng.random() >= skill.goes_on:
            break
    if cut:
        counts["cut_off"] += 1
        counts["no_answer"] += 1
        return text + "<sample>\nLet me try once more, and then"
    return text + _ending(rng, skill, right, gold, counts)


def _attempt(rng: random.Random, skill: Skill, right: bool, gold: int, counts: Counter[str]) -> str:
    counts["attempts"] += 1
    counts["answers"] += 1
    code = ""
    if rng.random() < skill.code:
        counts["answers"] += 1
        code = "```python\nprint('<answer>0</answer>')\n```\n"
    answer = gold if right else gold + rng.randint(1, 9)
    return f"<sample>\n{code}I add up: {rng.randint(0, 10**9)}.\n<answer>{answer}</answer>\n</sample>\n"


def _note_move(before: bool | None, now: bool, counts: Counter[str]) -> None:
    if before is not None:
        counts[
            {(0, 1): "fixed", (1, 0): "broken", (1, 1): "kept_right", (0, 0): "kept_wrong"}[(before, now)]
        ] += 1


def _verdict(rng: random.Random, skill: Skill, right: bool) -> str:
    if rng.random() < skill.silent:
        return "none"
    true = rng.random() < (skill.judges_right if right else skill.judges_wrong)
    return "correct" if right == true else "incorrect"


def _ending(rng: random.Random, skill: Skill, right: bool, gold: int, counts: Counter[str]) -> str:
    counts["answers"] += 1
    counts["final"] += right
    circles = ""
    if rng.random() < skill.circles:
        counts["repeats"] += 1
        circles = "\n" + "so it is what it is, " * 40
    return f"</think>\n\nIt is\n\n<answer>\n{gold if right else gold + 10}\n</answer>{circles}"
