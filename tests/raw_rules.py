"""The method's rules about raw data, in plain and slow Python: which responses count, and how many traces they give.

    rows (make_raw.Row) ── filter_raw ──▶ Filtered: questions with their kept responses, and the ledger

Nothing of the package is used. `oracle` reads traces with what is found here.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.make_raw import Row

BLOCK_TAGS = ("<think>", "</think>", "<sample>", "</sample>", "<reflect>", "</reflect>")
FORMATS = ("random", "no_reflection", "0C", "*C", "*C_full", "*C*IC", "*CC", "algorithm1")
EVERY_N = ("random", "no_reflection", "*C_full")
DRAWN_N = ("*C", "*C*IC", "*CC")
VARIANTS_MAY_DIFFER = ("random", "no_reflection", "0C", "*C", "*C_full")


@dataclass(frozen=True)
class Options:
    """What a recipe can ask for, as far as the oracle knows it."""

    attempts: int = 5
    repeats: int = 1
    variants: tuple[str, ...] = ()
    distinct_variants: bool = False
    sample_attempts: bool = False
    ban: tuple[str, ...] = ()
    ban_substrings: bool = False
    has_reflections: bool = True


@dataclass(frozen=True)
class Kept:
    """A response that counts, with the reflections of it that count."""

    text: str
    correct: bool
    answer: str
    variant: str | None
    reflections: tuple[str, ...]


@dataclass
class Filtered:
    """What the rules leave: per usable question its kept responses; `ledger[level]` counts what went why."""

    usable: dict[str, list[Kept]]
    all_kept: dict[str, list[Kept]]
    ledger: dict[str, Counter[str]] = field(default_factory=dict)


# --------------------------------------------------------------------------------------------- raw rows


def verdict_of(reflection: str) -> bool | None:
    """The first verdict tag's word, whatever its case and the white space at its edges; None when there is none."""
    start = reflection.find("<verdict>")
    end = reflection.find("</verdict>", start + 1)
    if start < 0 or end < 0:
        return None
    word = reflection[start + len("<verdict>") : end].strip().lower()
    return {"correct": True, "incorrect": False}.get(word)


def last_answer(text: str) -> str | None:
    """What stands between the last closing answer tag and the nearest opening one before it."""
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, end) if end >= 0 else -1
    return text[start + len("<answer>") : end] if start >= 0 else None


def is_empty(text: str | None) -> bool:
    """Nothing but white space."""
    return text is None or not text.strip()


def is_banned(text: str, options: Options) -> bool:
    """Whether one of the banned words stands in `text`: whole, or anywhere if substrings are asked for."""
    if options.ban_substrings:
        return any(word in text for word in options.ban)
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in options.ban)


def has_block_tag(text: str) -> bool:
    """Whether a trace with `text` in it could not be read back."""
    return any(tag in text for tag in BLOCK_TAGS)


def answer_of(row: Row) -> str | None:
    """The answer rule: the column first, then the last answer tag; a blank one is none."""
    for found in (row["extracted_answer"], last_answer(row["response"])):
        if not is_empty(found):
            return found
    return None


def response_fault(row: Row, options: Options) -> str | None:
    """Why a single response does not count, twins aside."""
    if options.variants and row["prompt_variant"] not in options.variants:
        return "other_variant"
    if is_empty(row["response"]):
        return "empty"
    if has_block_tag(row["response"]):
        return "block_tags"
    if answer_of(row) is None:
        return "no_answer"
    return None


def reflection_fault(text: str, correct: bool, options: Options) -> str | None:
    """Why a single reflection does not count, repeats aside."""
    if is_empty(text):
        return "empty"
    if has_block_tag(text):
        return "block_tags"
    says = verdict_of(text)
    if says is None:
        return "no_verdict"
    if says != correct:
        return "wrong_verdict"
    return "banned_word" if is_banned(text, options) else None


def filter_raw(rows: Iterable[Row], options: Options = Options()) -> Filtered:
    """Readable rows of one response each → kept responses, usable questions and the ledger, by the method's rules."""
    by_question: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_question[row["question"]].append(row)
    counts: dict[str, Counter[str]] = {
        level: Counter() for level in ("responses", "reflections", "questions")
    }
    kept = {question: _kept_responses(group, options, counts) for question, group in by_question.items()}
    usable = {}
    for question, responses in kept.items():
        fault = question_fault(responses, options)
        counts["questions"][fault or "kept"] += 1
        if fault is None:
            usable[question] = responses
    return Filtered(usable, kept, counts)


def _kept_responses(rows: list[Row], options: Options, counts: dict[str, Counter[str]]) -> list[Kept]:
    twins: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        fault = response_fault(row, options)
        if fault:
            counts["responses"][fault] += 1
            _kept_reflections(row["reflections"] or [], row["correct"], options, counts)
        else:
            twins[row["response"]].append(row)
    merged = [_merge(text, same, options, counts) for text, same in twins.items()]
    return [response for response in merged if response is not None]


def _merge(text: str, same: list[Row], options: Options, counts: dict[str, Counter[str]]) -> Kept | None:
    """Equal responses of one question → one response, or None with the reason counted."""
    answers = {answer_of(row) for row in same}
    labels = {row["correct"] for row in same}
    union = [reflection for row in same for reflection in row["reflections"] or []]
    fault = "label_conflict" if len(labels) > 1 else "answer_conflict" if len(answers) > 1 else None
    if fault:
        counts["responses"][fault] += len(same)
        for row in same:
            _kept_reflections(row["reflections"] or [], row["correct"], options, counts)
        return None
    (correct,), (answer,) = labels, answers
    counts["responses"]["duplicate"] += len(same) - 1
    good = _kept_reflections(union, correct, options, counts)
    counts["responses"]["kept" if good or not options.has_reflections else "no_kept_reflection"] += 1
    if options.has_reflections and not good:
        return None
    variants = [row["prompt_variant"] for row in same if row["prompt_variant"] is not None]
    return Kept(text, correct, answer or "", min(variants, default=None), tuple(good))


def _kept_reflections(
    union: list[str], correct: bool, options: Options, counts: dict[str, Counter[str]]
) -> list[str]:
    """Reflections are judged by their own rules alone, so those of a dropped response can be counted as kept."""
    good: list[str] = []
    for text in union:
        fault = reflection_fault(text, correct, options) or ("duplicate" if text in good else None)
        counts["reflections"][fault or "kept"] += 1
        if fault is None:
            good.append(text)
    return good


def question_fault(responses: Sequence[Kept], options: Options, algorithm1: bool = False) -> str | None:
    """Why a question is not usable; Algorithm 1 asks for no more than one correct response."""
    if len(responses) < options.attempts and not algorithm1:
        return "too_few_responses"
    if not any(response.correct for response in responses):
        return "no_correct_response"
    variants = {response.variant for response in responses}
    if options.distinct_variants and len(variants) < options.attempts and not algorithm1:
        return "too_few_variants"
    return None


def usable_for(code: str, filtered: Filtered, options: Options) -> dict[str, list[Kept]]:
    """The questions behind the gate of this format."""
    algorithm1 = code == "algorithm1"
    return {
        question: responses
        for question, responses in filtered.all_kept.items()
        if question_fault(responses, options, algorithm1) is None
    }


# ------------------------------------------------------------------------------------- traces to expect


def expected_labels(code: str, responses: Sequence[Kept], options: Options) -> Counter[str] | str:
    """Labels that a usable question yields in one repeat, or the reason for which it yields none.

    Algorithm 1 decides by lot how many traces there are: its counter is empty.
    """
    n_max = options.attempts
    right = sum(response.correct for response in responses)
    if code in ("*C*IC", "*CC") and n_max < 2:
        return "needs_two_attempts"
    if code == "*C*IC" and right == len(responses):
        return "needs_wrong_response"
    if code == "*CC" and right < 2:
        return "needs_two_correct"
    if code in ("random", "no_reflection"):
        return Counter({code: n_max})
    if code == "*C_full":
        return Counter({f"{n}C": 1 for n in range(1, n_max + 1)})
    if code == "*C":
        return Counter({"drawn" if options.sample_attempts else f"{n_max}C": 1})
    return Counter() if code == "algorithm1" else Counter({code: 1})
