"""Labels in doubt: the stored label, our grade, the question's other answers and the reflections' verdicts side by side.

Each witness speaks for or against a label with a weight that says how far it can be trusted; what they sum up to
orders the queue. Our grade counts most, where it is one; twins are responses of the question with the same final
answer, which can't be right and wrong at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from skill_factory.asked import asked
from skill_factory.draws import text_id
from skill_factory.errors import ColumnError
from skill_factory.grading.decisions import Decision
from skill_factory.grading.equivalence import equivalent
from skill_factory.grading.labelling import Graded, LabelReport, answer_columns, graded_response, graded_rows
from skill_factory.grading.plain import form, plain
from skill_factory.grading.tasks import Task
from skill_factory.judge.corrections import correction_key
from skill_factory.judge.reflections import meaning_of, tagged_verdict
from skill_factory.recipe.model import Columns, Verdicts
from skill_factory.sources import RawSource
from skill_factory.sources.columns import CanonicalRow

GRADE, TWINS, VERDICTS, MAJORITY = 3.0, 2.0, 1.5, 0.5
"""What a witness adds when it contradicts a label, and takes away when it agrees."""
MOST_ANSWERS = 12
"""Different answers of a question that are compared each with each; further ones are themselves."""


class Labelled(NamedTuple):
    """One response as others see it; `key` names it in a recipe's corrections."""

    key: str
    row: int
    question: str
    answer: str | None
    label: bool
    grade: Decision
    why: str = ""
    said_right: int = 0
    """Reflections whose verdict is right."""
    said_wrong: int = 0


class Doubt(NamedTuple):
    """A label and the witnesses: how many twins bear the other label, and how the question's answers stand."""

    response: Labelled
    strength: float
    """Above 0 where more speaks against the label than for it."""
    twins: int
    against: int
    """Twins with the other label."""
    share: float
    """Of the question's answers, those that are the same as this one."""

    @property
    def proposed(self) -> bool:
        """What the label would be after a correction."""
        return not self.response.label


def doubts(responses: Iterable[Labelled]) -> list[Doubt]:
    """The labels that more speaks against than for, the most doubtful first; rows of a question may stand anywhere."""
    questions: dict[str, list[Labelled]] = defaultdict(list)
    for one in responses:
        questions[one.question].append(one)
    found = [doubt for rows in questions.values() for doubt in _of_question(rows) if doubt.strength > 0]
    return sorted(found, key=lambda doubt: (-doubt.strength, doubt.response.key, doubt.response.row))


def _of_question(rows: list[Labelled]) -> Iterator[Doubt]:
    classes = _same_answers(rows)
    given = sum(one.answer is not None for one in rows)
    most = max((len(members) for members in classes.values()), default=0)
    place = {id(one): members for members in classes.values() for one in members}
    for one in rows:
        members = place.get(id(one), [one])
        twins, against = len(members) - 1, sum(other.label != one.label for other in members)
        share = len(members) / given if one.answer is not None and given else 0.0
        yield Doubt(
            one, _strength(one, twins, against, share, len(members) == most, given), twins, against, share
        )


def _strength(one: Labelled, twins: int, against: int, share: float, leads: bool, given: int) -> float:
    total = 0.0
    if one.grade != Decision.UNJUDGED:
        total += GRADE if (one.grade == Decision.RIGHT) != one.label else -GRADE
    if twins:
        total += TWINS * (2 * against - twins) / twins
    said = one.said_right + one.said_wrong
    if said:
        contradict = one.said_wrong if one.label else one.said_right
        # One more in the denominator than verdicts, so that a single one doesn't speak with full weight.
        total += VERDICTS * (2 * contradict - said) / (said + 1)
    # Of two answers one is always half of them.
    if given > 2:
        agreed = leads and share >= 0.5
        total += MAJORITY * share if agreed != one.label else -MAJORITY * share
    return total


def _same_answers(rows: list[Labelled]) -> dict[int, list[Labelled]]:
    """The responses of a question by their final answer, as grading compares it."""
    by_form: dict[str, list[Labelled]] = defaultdict(list)
    for one in rows:
        if one.answer is not None and one.answer.strip():
            by_form[form(one.answer) or plain(one.answer)].append(one)
    classes: dict[int, list[Labelled]] = {}
    first: list[str] = []
    for members in by_form.values():
        answer = members[0].answer or ""
        # Answers written alike are one already; only their different writings are graded against each other.
        known = next((n for n, other in enumerate(first[:MOST_ANSWERS]) if equivalent(answer, other)), None)
        if known is None:
            first.append(answer)
            known = len(first) - 1
        classes.setdefault(known, []).extend(members)
    return classes


def witnesses(doubt: Doubt, excerpt: Callable[[str, int], str]) -> str:
    """The witnesses of one doubt in a line, for a person."""
    one = doubt.response
    parts = [f"label {_word(one.label)}"]
    parts.append(
        f"graded {one.grade.value}" + (f" ({one.why})" if one.why and one.grade != Decision.UNJUDGED else "")
    )
    if doubt.twins:
        parts.append(
            f"{doubt.against} of {doubt.twins} with the same answer are labelled {_word(not one.label)}"
        )
    if one.said_right + one.said_wrong:
        said = one.said_wrong if one.label else one.said_right
        parts.append(f"{said} of {one.said_right + one.said_wrong} reflections say {_word(not one.label)}")
    if doubt.share:
        parts.append(f"{doubt.share:.0%} of the question's answers agree with it")
    return f"{'; '.join(parts)}: {excerpt(one.answer or '(no answer)', 60)}"


def _word(label: bool) -> str:
    return "right" if label else "wrong"


# -- a whole source -------------------------------------------------------------------------------------------------


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


def doubts_of(responses: Iterable[tuple[int, CanonicalRow]], verdicts: Verdicts) -> list[Doubt]:
    """The same for labelled responses that were read already, each with the number of its row."""
    report, means = LabelReport(Task.AUTO, "auto", Columns()), meaning_of(verdicts)

    def rows() -> Iterator[Labelled]:
        for report.rows, read in responses:
            yield _labelled(graded_response(read, report, True), means)

    return doubts(rows())


def _labelled(one: Graded, means: Callable[[str | None], int]) -> Labelled:
    said = [means(word or tagged_verdict(text)) for word, text in _verdicts(one)]
    key = correction_key(text_id(one.read.question), text_id(one.read.response))
    return Labelled(
        key,
        one.row,
        one.read.question,
        one.answer,
        one.read.correct,
        one.decision,
        one.why,
        said.count(1),
        said.count(0),
    )


def _verdicts(one: Graded) -> list[tuple[str | None, str]]:
    words: list[str | None] = [*one.read.verdicts]
    words += [None] * (len(one.read.reflections) - len(words))
    return list(zip(words, one.read.reflections, strict=False))


def as_row(doubt: Doubt) -> dict[str, Any]:
    """A doubt as a row of a file; `key` and `proposed` are what `labels.corrections` takes."""
    one = doubt.response
    return {
        "key": one.key,
        "row": one.row,
        "label": one.label,
        "proposed": doubt.proposed,
        "strength": round(doubt.strength, 3),
        "grade": one.grade.value,
        "why": one.why,
        "answer": one.answer,
        "twins": doubt.twins,
        "twins_against": doubt.against,
        "share": round(doubt.share, 3),
        "said_right": one.said_right,
        "said_wrong": one.said_wrong,
        "question": asked(one.question).cell,
    }
