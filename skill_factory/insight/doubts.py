"""What makes a reading doubtful: one judgement behind the lights, `inspect` and the strip.

A doubt has a code, a sentence with the true cause, and one thing to do. The sample that is judged holds every response
that was read, labelled or not, as canonical rows.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from skill_factory.build.prepare import Settled
from skill_factory.grading import Decision
from skill_factory.grading import judge as grade
from skill_factory.grading.answers import gold_answer
from skill_factory.insight.readiness import Step
from skill_factory.judge.responses import final_answer
from skill_factory.judge.trials import words_in_tags
from skill_factory.reasons import Level, ResponseReason, sentence
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.columns import excerpt
from skill_factory.sources.shapes import is_named_reference
from skill_factory.sources.trying import label_values
from skill_factory.sources.turns import without_template
from skill_factory.tally import Tally
from skill_factory.wording import listed, many, percent

TENTH = 0.1
MOST_GRADED = 300
"""Responses that are graded to compare with their labels."""
LONGEST_GRADED = 100_000
MOST_WORDS = 12
"""Different labels that a person is asked about."""
_TEMPLATE_SIGNS = (
    "<|im_start|>",
    "<|start_header_id|>",
    "[INST]",
    "<start_of_turn>",
    "<｜User｜>",
    "<|user|>",
)


@dataclass(frozen=True)
class Doubt:
    """One reason to look twice."""

    code: str
    sentence: str
    fix: str
    """The one thing to do."""
    step: Step = Step.NONE
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe that fix it, if a press can."""
    pick: Sequence[str] = ()
    """Fields of a row whose columns are in question."""
    words: Sequence[str] = ()
    """Values that a person has to give a meaning."""
    share: float = 1.0
    """How much of the data it concerns."""

    def to_json(self) -> dict[str, str]:
        """The doubt as `inspect --json` shows it."""
        return {"code": self.code, "sentence": self.sentence, "fix": self.fix}


@dataclass(frozen=True)
class Sample:
    """What was read of a source, to be judged."""

    settled: Settled
    table: pa.Table
    """Canonical rows; `correct` is null where nothing says right or wrong."""
    tally: Tally
    """What was kept and dropped of the labelled ones under the recipe."""
    row_of: Sequence[int] = ()
    """The row of the source that each response came from."""

    @property
    def recipe(self) -> Recipe:
        """As it was settled."""
        return self.settled.recipe

    @cached_property
    def questions(self) -> list[str]:
        """The question of each response."""
        found: list[str] = self.table["question"].to_pylist()
        return found

    @cached_property
    def golds(self) -> list[str | None]:
        """The gold answer next to each response."""
        found: list[str | None] = self.table["answer"].to_pylist()
        return found

    @cached_property
    def responses(self) -> list[str]:
        """The responses."""
        found: list[str] = self.table["response"].to_pylist()
        return found

    @cached_property
    def labels(self) -> list[bool | None]:
        """Whether each is right."""
        found: list[bool | None] = self.table["correct"].to_pylist()
        return found

    @cached_property
    def answers(self) -> list[str | None]:
        """The final answer of each, by the recipe's rules."""
        find = final_answer(self.recipe.answers)
        extracted = self.table["extracted"].to_pylist()
        every = zip(self.responses, extracted, self.golds, self.labels, strict=True)
        return [find(text, took, gold, right is True) for text, took, gold, right in every]


def doubts(sample: Sample) -> list[Doubt]:
    """All doubts about a reading; first those about columns mistaken for others."""
    return [doubt for check in _CHECKS for doubt in check(sample)]


# -- what was taken for what ---------------------------------------------------------------------------------------


def _reference_as_response(sample: Sample) -> Iterator[Doubt]:
    """A response that is the gold answer or the reference solution."""
    beside = [
        (text.strip(), gold.strip())
        for text, gold in zip(sample.responses, sample.golds, strict=True)
        if gold
    ]
    same = sum(text == gold for text, gold in beside)
    column = listed(list(sample.recipe.columns.response))
    if beside and 2 * same > len(beside):
        yield Doubt(
            "response_is_gold",
            f"`{column}` equals the gold answer in {same:,} of {many(len(beside), 'response')}, so it isn't the work of a model.",
            "Pick the column that holds what the model wrote (--map response=COLUMN).",
            pick=("response",),
        )
    elif sample.recipe.columns.answer and any(
        "." not in p and is_named_reference(p) for p in sample.recipe.columns.response
    ):
        yield Doubt(
            "reference_as_response",
            f"`{column}` comes next to an answer. In most published datasets such a column is the reference solution, not a model's response.",
            "Pick the column that holds what the model wrote (--map response=COLUMN), or continue if this is it.",
            pick=("response",),
        )


def _by_shape(sample: Sample) -> Iterator[Doubt]:
    """Fields that no column name gave away."""
    told = {f: listed(list(_paths(sample.recipe.columns, f))) for f in sample.settled.guess.by_shape}
    for name, words in (
        ("question", "The question"),
        ("response", "The response"),
        ("correct", "Right or wrong"),
    ):
        paths = told.get(name)
        # The turns of messages say who speaks: that isn't a guess.
        if paths and not getattr(sample.recipe.columns, f"{name}_rule", ""):
            yield Doubt(
                f"guessed_{name}",
                f"{words} is read from `{paths}` because of its content; no column name says so.",
                f"Check the examples. If they are something else, pick the column (--map {name}=COLUMN).",
            )


def _paths(columns: Any, name: str) -> Sequence[str]:
    value = getattr(columns, name)
    return [value] if isinstance(value, str) else value


def _roles_exchanged(sample: Sample) -> Iterator[Doubt]:
    """Texts of the wrong kind for their role, as when two columns have each other's names."""
    n = len(sample.responses)
    asked, said = len(set(sample.questions)), len(set(sample.responses))
    length = sum(map(len, set(sample.questions))) / max(1, asked)
    response_length = sum(map(len, sample.responses)) / max(1, n)
    golds = [gold for gold in sample.golds if gold]
    gold_length = sum(map(len, golds)) / max(1, len(golds))
    fix = "Check which column is which, and pick them by hand (--map question=COLUMN --map response=COLUMN)."
    if n > 4 and asked > said and 2 * said <= n:
        yield Doubt(
            "responses_repeat",
            f"There are {asked:,} different questions but only {said:,} different responses, so the two columns look swapped.",
            fix,
            changes=_exchanged(sample.recipe.columns),
            pick=("question", "response"),
        )
    if n and length < 10 and gold_length > length:
        yield Doubt(
            "short_questions",
            f"The questions are only {length:.0f} characters long on average, e.g. “{excerpt(sample.questions[0], 30)}”, so this may be another column.",
            fix,
            pick=("question",),
        )
    if golds and gold_length > 40 and gold_length > 1.5 * response_length and not sample.recipe.columns.think:
        yield Doubt(
            "gold_is_long",
            f"The gold answers are longer than the responses ({gold_length:.0f} and {response_length:.0f} characters), so the two columns look swapped.",
            fix,
            pick=("response", "answer"),
        )
    for name, texts in (("question", sample.questions), ("answer", golds), ("response", sample.responses)):
        judging = sum("</verdict>" in text for text in texts)
        if texts and 2 * judging > len(texts):
            yield Doubt(
                f"{name}_gives_verdicts",
                f"{judging:,} of {len(texts):,} texts in the column read as the {name} contain a <verdict>, so they are reflections.",
                fix,
                pick=(name, "reflections"),
            )


def _exchanged(columns: Columns) -> Mapping[str, Any]:
    """Question and response with each other's columns, where each has one."""
    if len(columns.response) != 1:
        return {}
    return {"columns.question": columns.response[0], "columns.response": (columns.question,)}


def _lists_as_text(sample: Sample) -> Iterator[Doubt]:
    """Lists that were written as text into a column of texts: several texts would be read as one."""
    reflections = [text for texts in sample.table["reflections"].to_pylist() for text in texts]
    columns = sample.recipe.columns
    for paths, texts in ((columns.response, sample.responses), (columns.reflections, reflections)):
        listed_texts = sum(text.startswith(("['", '["')) and text.rstrip().endswith("]") for text in texts)
        if texts and 2 * listed_texts > len(texts):
            yield Doubt(
                "lists_as_text",
                f"`{listed(list(paths))}` holds lists written as text, e.g. {excerpt(texts[0], 40)}, so several texts are read as one.",
                "Write the column as lists, or give the CSV file that it came from: there such lists are read.",
                share=listed_texts / len(texts),
            )


def _files_differ(sample: Sample) -> Iterator[Doubt]:
    """Files of one source that have different columns."""
    for note in sample.settled.notes:
        yield Doubt(
            "columns_differ",
            note,
            "Continue if that is intended. Otherwise, use files with the same columns.",
        )


# -- questions -----------------------------------------------------------------------------------------------------


def _question_groups(sample: Sample) -> Iterator[Doubt]:
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
            f"`{column}` has the same value in all {n:,} rows: “{excerpt(text, 50)}”.",
            fix,
            pick=("question",),
        )
    elif 2 * most > n > 20:
        yield Doubt(
            "one_question",
            f"`{column}` is “{excerpt(text, 50)}” in {most:,} of {n:,} rows.",
            fix,
            pick=("question",),
        )


def _near_questions(sample: Sample) -> Iterator[Doubt]:
    """Questions whose difference nobody can see."""
    different = set(sample.questions)
    seen = Counter(" ".join(unicodedata.normalize("NFKC", text).split()) for text in different)
    close = sum(n for n in seen.values() if n > 1)
    if close:
        yield Doubt(
            "near_questions",
            f"{many(close, 'question')} differ from another one only in white space or in how a letter is encoded, so their responses aren't grouped together.",
            "Write each question the same way everywhere, then use the file again.",
        )


def _two_golds(sample: Sample) -> Iterator[Doubt]:
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


def _template_words(sample: Sample) -> Iterator[Doubt]:
    """Words of a chat template within questions."""
    different = set(sample.questions)
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


def _shared_wrapper(sample: Sample) -> Iterator[Doubt]:
    """Words that all questions begin or end with."""
    different = sorted(set(sample.questions))
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
    first, last = min(texts), max(texts)
    n = next(
        (k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:n]


# -- labels and answers --------------------------------------------------------------------------------------------


def _labels(sample: Sample) -> Iterator[Doubt]:
    """Labels that can't be read, or that come from a threshold over many numbers."""
    columns = sample.recipe.columns
    preset = sample.settled.guess.preset
    if preset is not None and preset.doubt == "pairs" and not columns.label_rule:
        yield Doubt(
            "pairs",
            "The responses come in pairs, one preferred over the other. Preferred isn't the same as right.",
            "Grade them, or count the first of each pair as right with --label-rule first.",
            Step.LABEL_RULE,
            {"columns.label_rule": "first"},
        )
    values = label_values(columns, sample.settled.rows)
    unread = sample.labels.count(None)
    if columns.correct and unread and values:
        shown = listed([f"“{excerpt(word, 20)}”" for word, _ in values.most_common(4)])
        yield Doubt(
            "unread_labels",
            f"`{listed(list(columns.correct))}` contains {shown}, from which {unread:,} of {many(len(sample.labels), 'response')} can't be labelled right or wrong.",
            "Say which words mean right and wrong: --right WORD --wrong WORD.",
            Step.LABEL_RULE,
            pick=("correct",),
            words=[word for word, _ in values.most_common(MOST_WORDS)],
            # Whoever has said what words mean has left the others out.
            share=0.0 if columns.label_rule == "words" else unread / len(sample.labels),
        )
    if columns.label_rule == "threshold" and len(values) > 2:
        most = ", ".join(
            f"{word}: {n:,}" for word, n in sorted(values.most_common(6), key=lambda pair: pair[0])
        )
        yield Doubt(
            "score_threshold",
            f"`{listed(list(columns.correct))}` is a score with {len(values):,} values ({most}); {columns.threshold:g} and above count as right.",
            "Set the smallest score that means right: --set columns.threshold=NUMBER.",
            Step.LABEL_RULE,
        )


def _graded_otherwise(sample: Sample) -> Iterator[Doubt]:
    """Labels that grading contradicts."""
    judged = contradicted = 0
    example = ""
    for question, gold, answer, right in zip(
        sample.questions, sample.golds, sample.answers, sample.labels, strict=True
    ):
        if not gold or not answer or right is None or judged >= MOST_GRADED or len(answer) > LONGEST_GRADED:
            continue
        decision = grade(answer, gold_answer(gold), "auto", question)
        if decision is Decision.UNJUDGED:
            continue
        judged += 1
        if (decision is Decision.RIGHT) != right:
            contradicted += 1
            example = (
                example
                or f"“{excerpt(answer, 20)}” is labelled {'right' if right else 'wrong'} though the gold answer is “{excerpt(gold, 20)}”"
            )
    if contradicted >= 3 and contradicted > TENTH * judged:
        yield Doubt(
            "labels_contradicted",
            f"Grading contradicts {contradicted:,} of {judged:,} labels, e.g. {example}.",
            "Check the columns of the label and the gold answer, or grade the responses.",
            Step.GRADE,
        )


def _answers_alike(sample: Sample) -> Iterator[Doubt]:
    """Answers that are all punctuation, or all letters of a multiple choice."""
    found = [answer.strip() for answer in sample.answers if answer and answer.strip()]
    if len(found) < 5:
        return
    if all(not any(sign.isalnum() for sign in answer) for answer in found):
        yield Doubt(
            "answers_are_signs",
            f"The final answers contain neither letters nor digits, e.g. “{excerpt(found[0], 20)}”.",
            "Pick another answer rule (boxed, stated, a pattern).",
            Step.ANSWER_RULE,
        )
    elif all(len(answer.strip("()[]. ")) == 1 and answer.strip("()[]. ").isalpha() for answer in found):
        yield Doubt(
            "answers_are_letters",
            "All final answers are single letters of a multiple choice, so some are right by chance, whatever the working says.",
            "Continue with this in mind, or use questions with open answers.",
        )


# -- what is lost --------------------------------------------------------------------------------------------------

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


def _drops(sample: Sample) -> Iterator[Doubt]:
    """Every reason that drops more than a tenth of the responses, with what to do about it."""
    rows = sample.tally.ledger[Level.ROWS]
    for reason, number in rows.dropped.most_common():
        if reason not in ("no_label", "left_out") and number > TENTH * rows.read:
            examples = sample.tally.examples.get(reason, [])
            shown = f", e.g. {examples[0]}" if examples else ""
            yield Doubt(
                f"drop_{reason}",
                f"{number:,} of {many(rows.read, 'row')} can't be read: {sentence(Level.ROWS, reason)}{shown}.",
                "Pick the columns by hand (--map FIELD=COLUMN), or fix these rows.",
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


def _given_away(sample: Sample) -> Iterator[Doubt]:
    """Reflections on wrong responses that state the gold answer: they teach copying it."""
    number = sample.tally.counts["given_away"]["kept"]
    read = sample.tally.ledger[Level.REFLECTIONS].kept
    if number > TENTH * read:
        yield Doubt(
            "gives_away_answer",
            f"{number:,} of {read:,} reflections on wrong responses state the gold answer, so a trace can copy it instead of trying again.",
            "Cut them after their verdict with --given-away cut, or drop them with --given-away drop.",
            Step.NONE,
            {"filters.given_away": "cut"},
        )


_TOLD = re.compile(
    r"\b(?:the|provided|given)\s+(?:reference|ground[- ]truth|gold(?:en)?|provided|given)\s+(?:answer|solution)\b(?!\s+(?:choice|option))|"
    r"参考答案|标准答案|模範解答|Musterlösung|réponse de référence|respuesta de referencia",
    re.IGNORECASE,
)
LONG_REFERENCE = 60
"""Characters from which a gold answer is a solution, which isn't copied into a response by accident."""


def _quotes_reference(sample: Sample) -> Iterator[Doubt]:
    """Responses that speak of the reference answer, or hold the reference solution word for word: they were given it."""
    quoting = 0
    for text, gold in zip(sample.responses, sample.golds, strict=True):
        solution = (gold or "").strip()
        copied = len(solution) >= LONG_REFERENCE and solution in text and text.strip() != solution
        quoting += copied or bool(_TOLD.search(text))
    if quoting > TENTH * len(sample.responses):
        yield Doubt(
            "quotes_reference",
            f"{quoting:,} of {many(len(sample.responses), 'response')} quote the reference answer or solution, so the model was given it and a trace would teach quoting.",
            "Sample again without the answer in the prompt, or continue if the answer belongs to the question.",
            Step.MORE_ANSWERS,
            share=quoting / len(sample.responses),
        )


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


Check = Callable[[Sample], Iterator[Doubt]]
_CHECKS: tuple[Check, ...] = (
    _reference_as_response,
    _by_shape,
    _roles_exchanged,
    _lists_as_text,
    _files_differ,
    _question_groups,
    _two_golds,
    _labels,
    _graded_otherwise,
    _drops,
    _given_away,
    _quotes_reference,
    _near_questions,
    _template_words,
    _answers_alike,
    _shared_wrapper,
)
