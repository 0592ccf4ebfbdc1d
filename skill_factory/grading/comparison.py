"""A labelled source through the grader: which of its labels are in doubt, as rows for a page, a command or a file."""

from collections.abc import Callable, Mapping
from typing import Any

from skill_factory.draws import text_id
from skill_factory.errors import ColumnError
from skill_factory.grading.doubts import Doubt, Labelled, doubts
from skill_factory.grading.labelling import Graded, LabelReport, answer_columns, graded_rows
from skill_factory.grading.tasks import Task
from skill_factory.judge.corrections import correction_key
from skill_factory.judge.reflections import meaning_of, tagged_verdict
from skill_factory.recipe.model import Verdicts
from skill_factory.sources import RawSource


def labels_in_doubt(
    source: RawSource,
    task: Task = Task.AUTO,
    final: str = "auto",
    columns: Mapping[str, Any] | None = None,
    convert: bool = False,
    verdicts: Verdicts | None = None,
) -> tuple[LabelReport, list[Doubt]]:
    """
    The source's labels that more speaks against than for, the most doubtful first, and the report of grading.

    Errors: ColumnError where question, response or label are not mapped. Without gold answers nothing is graded, and
    twins and verdicts speak alone.
    """
    mapping = answer_columns(source, columns, needs_gold=False)
    if not mapping.correct:
        raise ColumnError(
            "There are no labels to compare with: map the column that says right or wrong, --map correct=COLUMN."
        )
    report = LabelReport(task, final, mapping, convert)
    means = meaning_of(verdicts or Verdicts())
    rows = [_labelled(one, means) for batch in graded_rows(source, report) for one in batch if one.labelled]
    return report, doubts(rows)


def _labelled(one: Graded, means: Callable[[str | None], int]) -> Labelled:
    said = [means(word or tagged_verdict(text)) for word, text in _verdicts(one)]
    key = correction_key(text_id(one.read.question), text_id(one.read.response))
    return Labelled(
        key, one.row, one.read.question, one.answer, one.read.correct, one.decision, one.why, said.count(1), said.count(0)
    )  # fmt: skip


def _verdicts(one: Graded) -> list[tuple[str | None, str]]:
    words: list[str | None] = [*one.read.verdicts]
    words += [None] * (len(one.read.reflections) - len(words))
    return list(zip(words, one.read.reflections, strict=False))


def as_row(doubt: Doubt) -> dict[str, Any]:
    """A doubt as a row of a file; `key` and `proposed` are what `labels.corrections` takes."""
    one = doubt.response
    return {
        "key": one.key, "row": one.row, "label": one.label, "proposed": doubt.proposed, "strength": round(doubt.strength, 3),
        "grade": one.grade.value, "why": one.why, "answer": one.answer, "twins": doubt.twins, "twins_against": doubt.against,
        "share": round(doubt.share, 3), "said_right": one.said_right, "said_wrong": one.said_wrong, "question": one.question,
    }  # fmt: skip
