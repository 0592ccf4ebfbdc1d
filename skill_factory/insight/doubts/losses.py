"""Doubts about what a recipe loses, with the remedy of each reason, and about answers that were given away."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from skill_factory.insight.doubts.sample import TENTH, Doubt, Sample
from skill_factory.insight.readiness import Step
from skill_factory.judge.trials import words_in_tags
from skill_factory.reasons import Level, ResponseReason, sentence
from skill_factory.sources.columns import excerpt, value_at
from skill_factory.wording import listed, many, percent

_REMEDIES: dict[str, tuple[str, Step, Mapping[str, Any]]] = {
    ResponseReason.BLOCK_TAGS: (
        "Use the text after the thinking with --think after, or keep such tags as text with --set filters.block_tags=escape.",
        Step.THINK_RULE,
        {"columns.think": "after"},
    ),
    ResponseReason.NO_ANSWER: (
        'Pick an answer rule that finds it: --set answers.rules=\'["boxed", "stated"]\' or --answer-regex PATTERN.',
        Step.ANSWER_RULE,
        {},
    ),
    ResponseReason.NO_KEPT_REFLECTION: (
        "Make more reflections on these responses (generate reflections), or continue without them.",
        Step.REFLECT,
        {},
    ),
    ResponseReason.CUT_OFF: ("Sample with more tokens, or continue without them.", Step.NONE, {}),
    ResponseReason.LABEL_CONFLICT: (
        "Check the label column, or grade the responses (grade).",
        Step.GRADE,
        {},
    ),
    ResponseReason.ANSWER_CONFLICT: (
        "Leave the column of final answers out (--map extracted_answer=).",
        Step.ANSWER_RULE,
        {},
    ),
    ResponseReason.DUPLICATE: (
        "Sample at a higher temperature for answers that differ.",
        Step.MORE_ANSWERS,
        {},
    ),
}


def remedy(reason: str) -> tuple[str, Step, Mapping[str, Any]]:
    """How to get back responses that were dropped for a reason: in words, as a control, as fields of the recipe."""
    return _REMEDIES.get(reason, ("Change the filter that drops them.", Step.NONE, {}))


_FILL_DOWN = (
    "The question stands in the first row of each block alone, as spreadsheets save merged cells: fill it down in the "
    "spreadsheet and save it again, or give the spreadsheet itself (.xlsx)."
)


def _stands_once(sample: Sample) -> bool:
    """Whether questions stand above several rows without one, of which each has a response."""
    columns = sample.settled.columns
    if len(columns.response) != 1:
        return False
    pairs = [
        (value_at(row, columns.question), value_at(row, columns.response[0])) for row in sample.settled.rows
    ]
    blank = [response for question, response in pairs if not question]
    return bool(pairs) and bool(pairs[0][0]) and 2 * len(blank) > len(pairs) and all(blank)


def dropped_responses(sample: Sample) -> Iterator[Doubt]:
    """Every reason that drops more than a tenth of the responses, with what to do about it."""
    rows = sample.tally.ledger[Level.ROWS]
    for reason, number in rows.dropped.most_common():
        # Rows without a label have a doubt of their own, and what `columns.only` leaves out isn't lost.
        if reason not in ("no_label", "left_out") and number > TENTH * rows.read:
            examples = sample.tally.examples.get(reason, [])
            shown = f", e.g. {examples[0]}" if examples else ""
            yield Doubt(
                f"drop_{reason}",
                f"{number:,} of {many(rows.read, 'row')} can't be read: {sentence(Level.ROWS, reason)}{shown}.",
                _FILL_DOWN
                if reason == "no_question" and _stands_once(sample)
                else "Pick the columns by hand (--map FIELD=COLUMN), or fix these rows.",
            )
    responses = sample.tally.ledger[Level.RESPONSES]
    for reason, number in responses.dropped.most_common():
        if reason == ResponseReason.ROW_DROPPED or number <= TENTH * responses.read:
            continue
        fix, step, changes = remedy(reason)
        cause = sentence(Level.RESPONSES, reason)
        if reason == ResponseReason.BLOCK_TAGS and _think_tags(sample):
            cause = f"they contain <think> … </think>, the thinking of a reasoning model ({many(_think_tags(sample), 'response')})"
        if reason == ResponseReason.NO_KEPT_REFLECTION and (verdictless := _without_verdict(sample)):
            cause, fix, step, changes = verdictless
        yield Doubt(
            f"drop_{reason}",
            f"{number:,} of {many(responses.read, 'response')} ({percent(number, responses.read)}) are dropped: {cause}.",
            fix,
            step,
            changes,
        )


def answers_given_away(sample: Sample) -> Iterator[Doubt]:
    """Reflections on wrong responses that state the gold answer: they teach copying it."""
    number = sample.tally.counts["given_away"]["kept"]
    read = sample.tally.ledger[Level.REFLECTIONS].kept
    if number > TENTH * read:
        yield Doubt(
            "gives_away_answer",
            f"{number:,} of {read:,} kept reflections stand on wrong responses and state the gold answer, so a trace can copy it instead of trying again.",
            "Cut them after their verdict with --given-away cut, or drop them with --given-away drop.",
            Step.NONE,
            {"filters.given_away": "cut"},
        )


_TOLD = re.compile(
    r"\b(?:the|provided|given)\s+(?:reference|ground[- ]truth|gold(?:en)?|provided|given)\s+(?:answer|solution)\b(?!\s+(?:choice|option))|"
    r"参考答案|标准答案|模範解答|Musterlösung|réponse de référence|respuesta de referencia",
    re.IGNORECASE,
)
_MAY_TELL = (
    "reference",
    "ground",
    "gold",
    "provided",
    "given",
    "参考答案",
    "标准答案",
    "模範解答",
    "musterlösung",
    "réponse de",
    "respuesta de",
)
"""One of these stands in every text that tells of it; looking for them costs a tenth of the pattern."""
LONG_REFERENCE = 60
"""Characters from which a gold answer is a solution, which isn't copied into a response by accident."""


def quotes_reference(sample: Sample) -> Iterator[Doubt]:
    """Responses that speak of the reference answer, or hold the reference solution word for word: they were given it."""
    quoting = 0
    for text, gold in zip(sample.responses, sample.golds, strict=True):
        solution = (gold or "").strip()
        # Where the two are equal, the column is the reference: `response_is_gold` says so.
        copied = len(solution) >= LONG_REFERENCE and solution in text and text.strip() != solution
        quoting += copied or _tells(text)
    if quoting > TENTH * len(sample.responses):
        yield Doubt(
            "quotes_reference",
            f"{quoting:,} of {many(len(sample.responses), 'response')} quote the reference answer or solution, so the model was given it and a trace would teach quoting.",
            "Sample again without the answer in the prompt, or continue if the answer belongs to the question.",
            Step.MORE_ANSWERS,
            share=quoting / len(sample.responses),
        )


def _tells(text: str) -> bool:
    """Whether a response speaks of the answer that it was given."""
    lower = text.lower()
    return any(word in lower for word in _MAY_TELL) and bool(_TOLD.search(text))


def _think_tags(sample: Sample) -> int:
    name = sample.recipe.tags.think
    return sum(f"</{name}>" in text or f"<{name}>" in text for text in sample.responses)


def _without_verdict(sample: Sample) -> tuple[str, str, Step, Mapping[str, Any]] | None:
    """The cause if the reflections don't judge wrongly, but no verdict could be read from them."""
    level = sample.tally.ledger[Level.REFLECTIONS]
    reason, number = next(iter(level.dropped.most_common(1)), ("", 0))
    if reason == "block_tags":
        said = "their reflections contain <think> … </think>"
        return (
            said,
            "Use the text after the thinking with --think after.",
            Step.THINK_RULE,
            {"columns.think": "after"},
        )
    if reason != "no_verdict" or 2 * number < level.read:
        return None
    reflections = [text for texts in sample.table["reflections"].to_pylist() for text in texts]
    stood = words_in_tags(reflections)
    words = listed([f"“{excerpt(word, 20)}” {n:,} times" for word, n in stood])
    found = f"no verdict can be read from their reflections ({f'their tags say {words}' if stood else 'none has a <verdict> tag'})"
    fix = "Say where it is: --verdict-regex PATTERN, or which words mean right: --set verdicts.correct='[\"WORD\"]'."
    return found, fix, Step.VERDICT_RULE, {}


_MARK = re.compile(
    r"\s*[\[(<*]{1,2}(?:pass(?:ed)?|fail(?:ed)?|(?:in)?correct|right|wrong|true|false)[\])>*]{1,2}\s",
    re.IGNORECASE,
)


def marked_responses(sample: Sample) -> Iterator[Doubt]:
    """Responses that begin with a mark of right or wrong, as some evaluations write them: every attempt would show it."""
    marks = [found[0].strip() for text in sample.responses if (found := _MARK.match(text))]
    if 2 * len(marks) > len(sample.responses) and len(set(marks)) > 1:
        yield Doubt(
            "marked_responses",
            f"{len(marks):,} of {many(len(sample.responses), 'response')} begin with a mark such as “{marks[0]}”, which every attempt "
            "would show.",
            "Take the marks off, and give them a column of their own as labels.",
            pick=("response",),
        )
