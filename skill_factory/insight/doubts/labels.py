"""Doubts about labels and answers: what they mean, and whether grading agrees."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from skill_factory.grading import Decision
from skill_factory.grading import judge as grade
from skill_factory.grading.answers import gold_answer
from skill_factory.insight.doubts.sample import TENTH, Doubt, Sample
from skill_factory.insight.readiness import Step
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import excerpt
from skill_factory.sources.labels import as_number, rating
from skill_factory.sources.trying import REVERSED, label_values
from skill_factory.wording import listed, many

MOST_GRADED = 300
"""Responses that are graded to compare with their labels."""
LONGEST_GRADED = 100_000
"""Characters of an answer that is graded; a longer one isn't an answer, and grading it would take its time."""
FEWEST_REVERSED, NEARLY_ALL = 10, 0.9
"""Contradicted labels, and their share, from which right and wrong look exchanged rather than noisy."""
MOST_WORDS = 12
"""Different labels that a person is asked about."""


def unclear_labels(sample: Sample) -> Iterator[Doubt]:
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
    if (columns.right or columns.wrong) and columns.label_rule not in ("words", "steps"):
        yield Doubt(
            "unused_words",
            f"The recipe says which labels mean right or wrong ({listed([*columns.right, *columns.wrong])}), but its label rule doesn't "
            "use them.",
            "Read labels by these words: --label-rule words.",
            Step.LABEL_RULE,
            {"columns.label_rule": "words"},
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
    if columns.label_rule == "threshold" and (
        len(values) > 2 or _may_be_places(values) or _is_part_of_a_scale(values)
    ):
        most = ", ".join(
            f"{word}: {n:,}" for word, n in sorted(values.most_common(6), key=lambda pair: pair[0])
        )
        yield Doubt(
            "score_threshold",
            f"`{listed(list(columns.correct))}` is a score with {len(values):,} values ({most}); {columns.threshold:g} and above count as right.",
            "Set the smallest score that means right: --set columns.threshold=NUMBER.",
            Step.LABEL_RULE,
        )


def _may_be_places(values: Iterable[str]) -> bool:
    """Whether two numbers may be ranks, of which the smaller is the better one, or steps of a scale."""
    numbers = [as_number(value) for value in values]
    return all(number is not None and number >= 1 and number.is_integer() for number in numbers)


def _is_part_of_a_scale(values: Iterable[str]) -> bool:
    """Whether values name a scale, "3/5", and are something else than none and all of it."""
    rated = [found for value in values if (found := rating(value)) and found.out_of is not None]
    return any(one.number not in (0, one.out_of) for one in rated)


def graded_otherwise(sample: Sample) -> Iterator[Doubt]:
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
    columns = sample.recipe.columns
    if (
        contradicted >= FEWEST_REVERSED
        and contradicted >= NEARLY_ALL * judged
        and columns.label_rule in ("", "words")
    ):
        yield Doubt(
            "labels_reversed",
            f"Grading contradicts {contradicted:,} of {judged:,} labels, e.g. {example}: right and wrong look exchanged.",
            "Exchange them with one press on Data, or with --right WORD --wrong WORD; if the gold answer is another column, pick it.",
            Step.LABEL_RULE,
            _exchanged(columns),
        )
    # One or two are noise in the labels or a slip of the grader, whatever share they are.
    elif contradicted >= 3 and contradicted > TENTH * judged:
        yield Doubt(
            "labels_contradicted",
            f"Grading contradicts {contradicted:,} of {judged:,} labels, e.g. {example}.",
            "Check the columns of the label and the gold answer, or grade the responses.",
            Step.GRADE,
        )


def _exchanged(columns: Columns) -> Mapping[str, Any]:
    """The fields of the recipe that exchange right and wrong."""
    if columns.label_rule == "words":
        return {"columns.right": columns.wrong, "columns.wrong": columns.right}
    return {f"columns.{name}": value for name, value in REVERSED.items()}


def answers_alike(sample: Sample) -> Iterator[Doubt]:
    """Answers that are all punctuation, or all letters of a multiple choice."""
    found = [answer.strip() for answer in sample.answers if answer and answer.strip()]
    # Four letters may be four answers that happen to be letters.
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
