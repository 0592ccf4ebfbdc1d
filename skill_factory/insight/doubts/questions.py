"""Doubts about questions: one question for all rows, nearly equal texts, two gold answers, templates and wrappers."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from skill_factory.asked import question_in
from skill_factory.insight.doubts.sample import Doubt, Sample
from skill_factory.insight.readiness import Step
from skill_factory.sources.columns import excerpt
from skill_factory.sources.turns import without_template
from skill_factory.wording import listed, many

_TEMPLATE_SIGNS = (
    "<|im_start|>",
    "<|start_header_id|>",
    "[INST]",
    "<start_of_turn>",
    "<｜User｜>",
    "<|user|>",
    "<|header_start|>",
    "<|start_of_role|>",
    "<|im_user|>",
    "<|USER_TOKEN|>",
)


def groups_of_questions(sample: Sample) -> Iterator[Doubt]:
    """One question for everything, or for most."""
    # By row: a question with thousands of samples in its row is one row.
    asked = dict(zip(sample.row_of or range(len(sample.questions)), sample.questions, strict=True))
    counted = Counter(asked.values())
    if not counted:
        return
    text, most = counted.most_common(1)[0]
    n = len(asked)
    fix = "Pick the column that holds the question itself (--map question=COLUMN)."
    column = sample.recipe.columns.question
    if len(counted) == 1 and n > 8:
        yield Doubt(
            "one_question",
            f"`{column}` has the same value in all {n:,} rows: “{excerpt(question_in(text), 50)}”.",
            fix,
            pick=("question",),
        )
    # Up to twenty rows, many attempts at one question are just a small sample.
    elif 2 * most > n > 20:
        yield Doubt(
            "one_question",
            f"`{column}` is “{excerpt(question_in(text), 50)}” in {most:,} of {n:,} rows.",
            fix,
            pick=("question",),
        )


def near_questions(sample: Sample) -> Iterator[Doubt]:
    """Questions whose difference nobody can see."""
    different = set(sample.questions)
    # NFKC makes equal what looks equal: é in one sign or in two, digits of full width, spaces that don't break.
    seen = Counter(" ".join(unicodedata.normalize("NFKC", text).split()) for text in different)
    close = sum(n for n in seen.values() if n > 1)
    if close:
        yield Doubt(
            "near_questions",
            f"{many(close, 'question')} differ from another one only in white space or in how a letter is encoded, so their responses aren't grouped together.",
            "Write each question the same way everywhere, then use the file again.",
        )


def apart_by_turns(sample: Sample) -> Iterator[Doubt]:
    """Attempts at the same words that don't meet, since each saw other turns, or other results of a tool."""
    if sample.recipe.columns.question_rule != "conversation":
        return
    rows = dict(zip(sample.row_of or range(len(sample.questions)), sample.questions, strict=True)).values()
    whole, words = len(set(rows)), len(set(map(question_in, rows)))
    # Half the wordings, but hardly a question twice: fewer than five rows for four questions.
    if len(rows) > 8 and 2 * words <= len(rows) < 1.25 * whole:
        yield Doubt(
            "apart_by_turns",
            f"{len(rows):,} conversations ask {many(words, 'question')} in the same words, but after other turns or results of "
            f"tools, so they count as {whole:,} questions and hardly any two attempts meet.",
            "Read them together without calls and results (--question-rule first_turn).",
            Step.QUESTION_RULE,
            {"columns.question_rule": "first_turn"},
        )


def two_golds(sample: Sample) -> Iterator[Doubt]:
    """Questions with several gold answers."""
    golds: dict[str, set[str]] = {}
    for question, gold in zip(sample.questions, sample.golds, strict=True):
        if gold is not None and gold.strip():
            golds.setdefault(question, set()).add(gold.strip())
    several = [question for question, found in golds.items() if len(found) > 1]
    if several:
        example = listed([f"“{excerpt(gold, 20)}”" for gold in sorted(golds[several[0]])[:2]])
        have = "has" if len(several) == 1 else "have"
        yield Doubt(
            "two_golds",
            f"{len(several):,} of {many(len(golds), 'question')} {have} two or more different gold answers, e.g. {example}. Grading and verl's files would use only one of them.",
            "Check which column is the gold answer (--map answer=COLUMN), or fix these rows.",
        )


def template_words(sample: Sample) -> Iterator[Doubt]:
    """Words of a chat template within questions."""
    different = set(map(question_in, sample.questions))
    found = sum(
        any(sign in text for sign in _TEMPLATE_SIGNS) or without_template(text) is not None
        for text in different
    )
    if found:
        yield Doubt(
            "template_words",
            f"{found:,} of {many(len(different), 'question')} contain words of a chat template, which the model would see in every trace.",
            "Remove them with --question-rule chat.",
            Step.QUESTION_RULE,
            {"columns.question_rule": "chat"},
        )


def shared_wrapper(sample: Sample) -> Iterator[Doubt]:
    """Words that all questions begin or end with."""
    different = sorted(set(map(question_in, sample.questions)))
    if len(different) < 3:
        return
    head = _shared(different)
    tail = _shared([text[::-1] for text in different])[::-1]
    for words, where in ((head, "begin"), (tail, "end")):
        text = words.strip()
        if len(text) >= 20 and _INSTRUCTS.search(text):
            yield Doubt(
                "shared_wrapper",
                f"All questions {where} with the same words, “{excerpt(text, 60)}”.",
                'Keep them if the model should see them. Otherwise, name the marks around the question (--set columns.question_rule="between").',
            )


_INSTRUCTS = re.compile(
    r"step by step|boxed|answer|solve|you are|question\s*:|problem\s*:|assistant|think|請|请|reply|respond|format",
    re.IGNORECASE,
)
"""What tells an instruction, or examples, from questions that are merely similar."""


def _shared(texts: Sequence[str]) -> str:
    # What the first and the last in alphabetical order begin with, all between them begin with too.
    first, last = min(texts), max(texts)
    n = next(
        (k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:n]
