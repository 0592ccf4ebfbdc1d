"""Counts of outputs, written from docs/measure.md alone and as plainly as possible: one output after the other, no arrays.

Apart from the grader, nothing of `skill_factory.measure` is used here.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from skill_factory.grading import judge

TAG = re.compile(r"<(/?)(think|sample|reflect)>")
WHOLE_ANSWER = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL)


class Told(NamedTuple):
    """An output as the oracle reads it."""

    attempts: list[tuple[int, int, str | None]]
    reflections: list[tuple[int, str]]
    final: str | None
    cut_off: bool
    answers: int


def last_answer(text: str) -> str | None:
    """What stands between the last `</answer>` and the nearest `<answer>` before it."""
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, max(end, 0))
    return text[start + 8 : end].strip() if end >= 0 and start >= 0 else None


def blocks(text: str) -> list[tuple[str, int, int, bool]]:
    """(name, start, end, closed) of the content of each sample and reflect block."""
    tags = [(m[1] == "/", m[2], m.start(), m.end()) for m in TAG.finditer(text)]
    found = []
    for i, (closing, name, _, after) in enumerate(tags):
        if closing or name == "think":
            continue
        end, closed = (tags[i + 1][2] if i + 1 < len(tags) else len(text)), False
        for also_closing, other, place, _ in tags[i + 1 :]:
            if other == "think" or (other == name and not also_closing):
                break
            if other == name:
                end, closed = place, True
                break
        found.append((name, after, end, closed))
    return found


def read(text: str) -> Told:
    """An output taken apart."""
    found = blocks(text)
    closing = text.rfind("</think>")
    cut_off, final, thinking = False, None, 0
    if closing >= 0:
        after = text[closing + 8 :]
        thinking = closing + 8
        cut_off = "<think>" in after
        if not cut_off and after.rfind("</answer>") > after.rfind("<answer>") >= 0:
            final = after[after.rfind("<answer>") + 8 : after.rfind("</answer>")].strip()
    elif found:
        ends = [end + len(name) + 3 for name, _, end, closed in found if closed]
        final = last_answer(text[max(ends) :]) if ends else None
        cut_off = final is None
        thinking = len(text) if cut_off else max(ends)
    elif "<think>" in text:
        cut_off, thinking = True, len(text)
    elif text.rfind("</answer>") > text.rfind("<answer>") >= 0:
        final = text[text.rfind("<answer>") + 8 : text.rfind("</answer>")].strip()
    if cut_off:
        thinking = len(text)
    samples = [one for one in found if one[0] == "sample"]
    attempts = [
        (start, end, last_answer(text[start:end]))
        for _, start, end, closed in samples
        if closed or last_answer(text[start:end]) is not None
    ]
    if not samples:
        attempts = [(m.end() - 1, m.end(), m[1].strip()) for m in inner_answers(text[:thinking])]
    reflections = [(start, verdict(text[start:end])) for name, start, end, _ in found if name == "reflect"]
    return Told(attempts, reflections, final, cut_off, text.count("<answer>"))


def inner_answers(text: str) -> list[re.Match[str]]:
    """Each closing answer tag with the nearest opening one before it, left to right."""
    return list(WHOLE_ANSWER.finditer(text))


def verdict(text: str) -> str:
    """What a reflection says."""
    match = re.search(r"<verdict>(.*?)</verdict>", text, re.DOTALL)
    word = match[1].strip().lower() if match else ""
    return word if word in ("correct", "incorrect") else "none"


def grade(answer: str | None, gold: str | None, question: str) -> str:
    """right, wrong or unjudged."""
    return "unjudged" if not gold else judge(answer, gold, question=question).value


def count(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """Every count of a run: rows of question, answer (gold) and response."""
    c: Counter[str] = Counter()
    for row in rows:
        told = read(row["response"])
        marks = [grade(a, row["answer"], row["question"]) for *_, a in told.attempts]
        final = grade(told.final, row["answer"], row["question"]) == "right"
        c["outputs"] += 1
        c["attempts"] += len(marks)
        c["answers"] += told.answers
        c["reflections"] += len(told.reflections)
        c["cut_off"] += told.cut_off
        c["no_answer"] += told.final is None
        c["unjudged"] += marks.count("unjudged")
        c["final"] += final
        c["first"] += marks[0] == "right" if marks else final
        c["any"] += "right" in marks if marks else final
        c["with_attempts"] += bool(marks)
        starts = [start for start, *_ in told.attempts]
        c["reflections_unpaired"] += sum(not starts or at < starts[0] for at, _ in told.reflections)
        for k, mark in enumerate(marks):
            last = starts[k + 1] if k + 1 < len(starts) else len(row["response"]) + 1
            said = [v for at, v in told.reflections if starts[k] < at <= last and v != "none"]
            if mark != "unjudged":
                c[f"{mark}_{said[-1] if said else 'none'}"] += 1
        for before, after in itertools.pairwise(marks):
            names = {
                ("wrong", "right"): "fixed",
                ("right", "wrong"): "broken",
                ("right", "right"): "kept_right",
                ("wrong", "wrong"): "kept_wrong",
            }
            c[names.get((before, after), "moves_unjudged")] += 1
    return c


def f1(counts: Counter[str], said: str) -> float | None:
    """F1 with a verdict as the positive class; None without a case."""
    true = {"correct": "right", "incorrect": "wrong"}[said]
    false = {"correct": "wrong", "incorrect": "right"}[said]
    hits = counts[f"{true}_{said}"]
    cases = sum(counts[f"{true}_{v}"] for v in ("correct", "incorrect", "none"))
    claims = hits + counts[f"{false}_{said}"]
    return 2 * hits / (cases + claims) if cases else None
