"""Which column of a source holds what: the layout by which rows are read as outputs. It travels to workers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from skill_factory import wording
from skill_factory.build.prepare import settle
from skill_factory.errors import ColumnError
from skill_factory.grading.answers import USUAL_NAMES, BlockNames
from skill_factory.measure.runs import DIFFICULTY
from skill_factory.measure.values import THINKING
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources import RawSource
from skill_factory.sources.columns import Row, value_at
from skill_factory.traces.conversations import MESSAGES

RUN_COLUMNS = ("run", "model", "checkpoint")
STEP_COLUMNS = ("step", "global_step", "checkpoint")
INNER = "__internal_answers__eval_is_correct"
"""The paper's EVAL sets keep the marks of inner answers under the response column's name and this."""
OTHER_PATHS = {
    "question": ("doc.question", "doc.query", "prompt", "input", "messages", "conversations"),
    "answer": ("gts", "target", "doc.answer", "doc.choices"),
    "response": (
        "resps",
        "model_response.text",
        "completion",
        "output",
        "completions",
        "choices",
        "text",
        "generated_text",
    ),
}
"""Where logs keep what the usual names don't lead to."""
_ASKED = ("question", "question_rest", "answer", "response", "correct", "correct_else", "thinking", "only")
"""Fields of a mapping that are read here; its reflections, variants and verdicts are not."""


@dataclass(frozen=True)
class Asked:
    """What a person asked for, beside the outputs."""

    recipe: Recipe = field(default_factory=Recipe)
    columns: tuple[tuple[str, Any], ...] = ()
    """Overrides of the mapping, field by field."""
    run: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """Which column of a source holds what, and how it is read; it travels to workers."""

    name: str
    """The run's name where no column gives one."""
    mapping: Columns = field(default_factory=Columns)
    """Question, gold answer, outputs, labels and thinking, with the rules of reading."""
    inner: str = ""
    thinking: str = ""
    """A column of thinking that the mapping doesn't know of."""
    run: str = ""
    step: str = ""
    by: tuple[str, ...] = ()
    names: BlockNames = USUAL_NAMES
    ours: bool = False
    """Traces of ours: their lineage columns say what is right."""

    def columns(self) -> Columns:
        """All that is read, in the form in which a source is asked for it."""
        # Columns beside the mapping travel as if they held reflections, the one field that takes any number of columns.
        more = [
            self.inner,
            self.thinking,
            self.run,
            self.step,
            *self.by,
            *(("attempts", "spans") if self.ours else ()),
        ]
        mapped = {f: getattr(self.mapping, f) for f in _ASKED}
        return Columns(**mapped, reflections=tuple(dict.fromkeys(filter(None, more))))


def mapping_of(source: RawSource, names: Sequence[str], rows: Sequence[Row], asked: Asked) -> Columns:
    """
    The mapping as the front door settles it; where it finds no outputs, from the places in which logs keep them.

    Errors: ColumnError where no column holds outputs.
    """
    talk = next((column for column in MESSAGES if column in names), "")
    # A build of ours: its lineage columns say more than any guess.
    if talk and {"attempts", "spans"} <= set(names):
        return Columns(question=talk, response=(talk,))
    settled = settle(source, asked.recipe, dict(asked.columns)).columns
    # Messages that the front door took for a column of responses without a question are read as conversations below.
    if settled.response and not (talk and not settled.question):
        # Somebody who said `--map answer=` wants no gold answer, so none is looked for.
        gold = settled.answer or (
            "" if "answer" in dict(asked.columns) else _first_of(OTHER_PATHS["answer"], names, rows)
        )
        return settled.model_copy(update={"answer": gold})
    paths = {field: _first_of(places, names, rows) for field, places in OTHER_PATHS.items()}
    response = talk or paths["response"]
    if not response:
        raise ColumnError(
            f"No column holds outputs. Found: {wording.found(names)}. Choose one, e.g. --map response={names[0]}."
        )
    # A conversation holds its question too; its last user turn is taken.
    question = settled.question or (talk if response == talk else paths["question"])
    answer = settled.answer or paths["answer"]
    return settled.model_copy(update={"question": question, "answer": answer, "response": (response,)})


def layout_of(mapping: Columns, names: Sequence[str], rows: Sequence[Row], asked: Asked, name: str) -> Layout:
    """The layout of a source: its mapping, and the columns that only a measurement reads. Errors: ColumnError."""
    by = tuple(column for column in asked.by if column != DIFFICULTY or _there(column, names, rows))
    for path, flag in ((asked.run, "--run"), *((column, "--by") for column in by)):
        # A misspelt column would put all outputs into one group "(none)".
        if path and not _there(path, names, rows):
            raise ColumnError(f"There is no column {path!r} for {flag}. Found: {wording.found(names)}.")
    response = mapping.response[0]
    return Layout(
        name,
        mapping,
        _first_of([f"{response}{INNER}"], names, rows),
        "" if mapping.thinking else _thinking_path(response, names, rows),
        asked.run or _first_of(RUN_COLUMNS, names, rows),
        _first_of(STEP_COLUMNS, names, rows),
        # A split by `difficulty` reads no column, but keeps its place among the others.
        tuple(column if column in by else "" for column in asked.by),
        ours=response in MESSAGES and "attempts" in names and "spans" in names,
    )


def _first_of(paths: Sequence[str], names: Sequence[str], rows: Sequence[Row]) -> str:
    return next((path for path in paths if _there(path, names, rows)), "")


def _there(path: str, names: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether a path leads to something in the first rows."""
    top = path if path in names else path.partition(".")[0]
    if top not in names:
        return False
    # A column may be empty in the first rows; a path into records has to lead somewhere, or every name would do.
    return top == path or any(_holds(value_at(row, path)) for row in rows)


def _holds(value: Any) -> bool:
    """Whether a path led to something; through a list of records it gives a list, even where none has the field."""
    return any(map(_holds, value)) if isinstance(value, list) else value is not None


def _thinking_path(response: str, names: Sequence[str], rows: Sequence[Row]) -> str:
    """A column of thinking beside the outputs, on the same level."""
    before, dot, _ = response.rpartition(".")
    paths = [f"{before}{dot}{name}" for name in THINKING]
    column = _first_of([path for path in paths if path != response], names, rows)
    # Some logs have the column and leave it empty.
    return column if any(_strings(value_at(row, column)) for row in rows) and column else ""


def _strings(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
