"""How outputs are read: what the front door opens becomes outputs of runs, row by row. All of the reading is in this file.

An argument of `measure` is opened once (`opened`); what a worker needs to turn its rows into outputs is a `Layout`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from skill_factory import wording
from skill_factory.errors import ColumnError, SourceError
from skill_factory.grading.answers import USUAL_NAMES, BlockNames
from skill_factory.measure.outputs import Lineage, Output
from skill_factory.measure.parts import names_of, with_thinking
from skill_factory.measure.runs import DIFFICULTY
from skill_factory.recipe.model import Columns, Recipe, Source, recipe_from_toml
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.columns import Row, is_nan, is_unicode, value_at
from skill_factory.sources.guessing import guess
from skill_factory.traces.conversations import MESSAGES, Turn, turns_of

LOOKED_AT = 1_000
"""Rows that tell how a source is read."""
RUN_COLUMNS = ("run", "model", "checkpoint")
STEP_COLUMNS = ("step", "global_step")
THINKING = ("reasoning_content", "reasonings", "thinking")
"""Names of a column, or of a field beside a text, that holds the thinking alone."""
MESSAGE_THINKING = (*THINKING, "reasoning")
INNER = "__internal_answers__eval_is_correct"
"""The paper's EVAL sets keep the marks of inner answers under the response column's name and this."""
OTHER_PATHS = {
    "question": ("doc.question", "doc.query", "prompt", "input", "messages", "conversations"),
    "answer": ("gts", "target", "doc.answer", "doc.choices"),
    "response": ("resps", "model_response.text", "completion", "output", "completions", "choices"),
}
"""Where logs keep what the usual names don't lead to."""
Text = tuple[str | None, str | None]
"""An output and its thinking, where that stands beside it."""
_TRUE = {"true", "1", "1.0", "yes", "correct", "right", "c", "pass"}
_FALSE = {"false", "0", "0.0", "no", "incorrect", "wrong", "i", "fail"}
_TEMPLATE_TURN = re.compile(r"<\|im_start\|>user\n(.*?)(?:<\|im_end\|>|$)", re.DOTALL)


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
    """Which column of a source holds what; it travels to workers."""

    name: str
    """The run's name where no column gives one."""
    question: str = ""
    answer: str = ""
    response: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """One, or one for each response column."""
    inner: str = ""
    thinking: str = ""
    run: str = ""
    step: str = ""
    by: tuple[str, ...] = ()
    names: BlockNames = USUAL_NAMES
    ours: bool = False
    """Traces of ours: their lineage columns say what is right."""

    def paths(self) -> tuple[str, ...]:
        """Every column that is read."""
        found = [
            self.question, self.answer, *self.response, *self.labels, self.inner, self.thinking, self.run, self.step,
            *(one for one in self.by if one),
        ]  # fmt: skip
        return tuple(dict.fromkeys([*filter(None, found), *(("attempts", "spans") if self.ours else ())]))

    def columns(self) -> Columns:
        """The columns in the form in which a source is asked for them."""
        return Columns(response=self.paths())


@dataclass(frozen=True)
class Opened:
    """An argument of `measure`, opened: its source, its layout, and the recipe that its tags and verdicts follow."""

    given: str
    source: RawSource
    layout: Layout
    recipe: Recipe
    tagged: bool
    """Whether some of its first outputs use answer tags."""
    why: str = ""
    """Why nothing in it can be judged; empty where it can."""

    @property
    def notes(self) -> list[str]:
        """What a reader should know of how it was read."""
        alone = (
            f"{self.layout.name}: no column holds questions, so every output counts as a question of its own."
        )
        return [] if self.layout.question else [alone]

    def told(self) -> dict[str, Any]:
        """How it was read, as JSON values."""
        shown = {
            "question": self.layout.question, "answer": self.layout.answer, "response": list(self.layout.response),
            "label": list(self.layout.labels), "inner_labels": self.layout.inner, "thinking": self.layout.thinking,
            "run": self.layout.run, "step": self.layout.step,
        }  # fmt: skip
        return {
            "source": self.source.spec.name,
            "run": self.layout.name,
            "columns": {k: v for k, v in shown.items() if v},
            "lineage": self.layout.ours,
        }


def opened(given: str, asked: Asked, token: str | None = None) -> Opened:
    """Open what a person named and settle how it is read. Errors: SourceError, ColumnError."""
    folder = Path(given).expanduser()
    built = (folder / "sft_train").is_dir()
    recipe = _recipe_of_build(folder, asked.recipe) if built else asked.recipe
    source = source_of(given, asked.recipe.source, token)
    names, rows = source.names(), source.head(LOOKED_AT)
    if not rows:
        raise SourceError(f"{given} holds no rows, so there is nothing to measure.")
    layout = replace(layout_of(names, rows, asked, run_name(given)), names=names_of(recipe.tags))
    texts = [output.text for row in rows for output in outputs_of(row, layout)]
    endings = {f"</{name}>" for name in (recipe.tags.answer, "answer")}
    tagged = any(ending in text for ending in endings for text in texts)
    return Opened(given, source, layout, recipe, tagged, _why(layout, names, built))


def source_of(given: str, part: Source, token: str | None = None) -> RawSource:
    """The source in what a person named: of a build folder, its traces. Errors: SourceError."""
    traces = Path(given).expanduser() / "sft_train"
    return open_source(str(traces) if traces.is_dir() else given, part, token)


def _recipe_of_build(folder: Path, asked: Recipe) -> Recipe:
    """The recipe that a build was made by: its tags and its verdict rule are those of its traces."""
    try:
        return recipe_from_toml((folder / "recipe.toml").read_text(encoding="utf-8"), "recipe.toml")
    except (OSError, UnicodeDecodeError):
        return asked


def _why(layout: Layout, names: Sequence[str], built: bool) -> str:
    if layout.ours or layout.answer or layout.labels or layout.inner:
        return ""
    if built or any(name in names for name in ("sft_template_type_idx",)):
        return (
            "these traces have no lineage columns (attempts, spans), so nothing says which attempts are right"
        )
    return ""


def run_name(given: str) -> str:
    """The name of a file without its endings, or of a folder or dataset; of a glob, its folder's."""
    path = Path(given.rstrip("/"))
    if any(sign in path.name for sign in "*?["):
        path = path.parent
    name = path.name or given
    for ending in (".gz", ".zst", ".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".eval", ".xlsx"):
        name = name.removesuffix(ending) or name
    return name


def distinct_names(openings: Sequence[Opened]) -> list[Opened]:
    """Arguments of the same name are told apart by the folders they lie in."""
    seen = Counter(one.layout.name for one in openings)
    found = []
    for one in openings:
        if seen[one.layout.name] > 1 and not one.layout.run:
            parent = Path(one.given).parent.name or "."
            one = replace(one, layout=replace(one.layout, name=f"{parent}/{one.layout.name}"))
        found.append(one)
    return found


# -- which column holds what ---------------------------------------------------------------------------------------


def layout_of(names: Sequence[str], rows: Sequence[Row], asked: Asked, name: str) -> Layout:
    """The layout of a source from its columns and first rows. Errors: ColumnError."""
    mapping = _mapping(names, rows, asked)
    response = mapping["response"]
    if not response:
        raise ColumnError(
            f"No column holds outputs. Found: {wording.found(names)}. Choose one, e.g. --map response={names[0]}."
        )
    by = tuple(one for one in asked.by if one != DIFFICULTY or _there(one, names, rows))
    for path, flag in ((asked.run, "--run"), *((one, "--by") for one in by)):
        if path and not _there(path, names, rows):
            raise ColumnError(f"There is no column {path!r} for {flag}. Found: {wording.found(names)}.")
    ours = response[0] in MESSAGES and "attempts" in names and "spans" in names
    return Layout(
        name, mapping["question"], "" if ours else mapping["answer"], response, () if ours else mapping["labels"],
        _first_of([f"{response[0]}{INNER}"], names, rows), _thinking_path(response[0], names, rows),
        asked.run or _first_of(RUN_COLUMNS, names, rows), _first_of(STEP_COLUMNS, names, rows),
        tuple(one if one in by else "" for one in asked.by), ours=ours,
    )  # fmt: skip


def _mapping(names: Sequence[str], rows: Sequence[Row], asked: Asked) -> dict[str, Any]:
    """Question, gold answer, outputs and their label: as given, else as the front door guesses, else as logs have them."""
    guessed = guess(list(names), list(rows))
    given = {k: v for k, v in asked.recipe.columns.model_dump().items() if v} | dict(asked.columns)
    talk = next((one for one in MESSAGES if one in names), "")
    paths = {field: _first_of(places, names, rows) for field, places in OTHER_PATHS.items()}
    stored = next((one.removesuffix(INNER) for one in names if one.endswith(INNER)), "")
    stored = stored if stored in names else ""
    traces = talk if "spans" in names else ""
    response = _paths(
        given.get("response") or stored or traces or guessed.response or talk or paths["response"]
    )
    marks = f"{stored}__eval_is_correct" if response == (stored,) else guessed.correct
    labels = [one for one in _paths(given.get("correct") or marks) if _there(one, names, rows)]
    alone = talk if response == (talk,) else paths["question"]
    question = given.get("question") or guessed.question or alone
    return {
        "question": "" if question in response and question not in MESSAGES else question,
        "answer": given.get("answer", guessed.answer or paths["answer"]),
        "response": response,
        "labels": tuple(labels) if len(labels) in (1, len(response)) else (),
    }


def _paths(value: Any) -> tuple[str, ...]:
    return ((value,) if value else ()) if isinstance(value, str) else tuple(value)


def _first_of(paths: Sequence[str], names: Sequence[str], rows: Sequence[Row]) -> str:
    return next((path for path in paths if _there(path, names, rows)), "")


def _there(path: str, names: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether a path leads to something in the first rows."""
    top = path if path in names else path.partition(".")[0]
    if top not in names:
        return False
    return top == path or any(value_at(row, path) is not None for row in rows)


def _thinking_path(response: str, names: Sequence[str], rows: Sequence[Row]) -> str:
    """A column of thinking beside the outputs, on the same level."""
    before, dot, _ = response.rpartition(".")
    paths = [f"{before}{dot}{name}" for name in THINKING]
    found = _first_of([path for path in paths if path != response], names, rows)
    return found if any(_strings(value_at(row, found)) for row in rows) and found else ""


def _strings(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


# -- a row becomes outputs -----------------------------------------------------------------------------------------


def outputs_of(row: Row, layout: Layout, dropped: Counter[str] | None = None) -> Iterator[Output]:
    """The outputs of a row; what can't be read is counted by its reason."""
    dropped = Counter() if dropped is None else dropped
    question = question_of(value_at(row, layout.question)) if layout.question else ""
    if layout.question and not question.strip():
        dropped["no_question"] += 1
        return
    texts = [one for path in layout.response for one in texts_of(value_at(row, path))]
    if not texts:
        dropped["no_output"] += 1
        return
    thinking = _in_step(_strings_or_none(value_at(row, layout.thinking)), len(texts))
    labels = _in_step([one for path in layout.labels for one in _many(value_at(row, path))], len(texts))
    inner = _in_step(_nested(value_at(row, layout.inner), len(texts)), len(texts))
    gold, lineage = gold_of(value_at(row, layout.answer)), _lineage(row) if layout.ours else None
    run, step = _run_of(row, layout), _number_of(value_at(row, layout.step))
    by = tuple(_shown(value_at(row, path)) if path else "" for path in layout.by)
    for k, (text, own) in enumerate(texts):
        if text is None:
            dropped["no_output"] += 1
            continue
        if not is_unicode(text):
            dropped["not_text"] += 1
            continue
        whole = with_thinking(own or thinking[k], text, layout.names)
        yield Output(run, step, question, gold, whole, by, truth_of(labels[k]), inner[k], lineage)


def question_of(value: Any) -> str:
    """The question in a text, in a decoded chat prompt, or in the last user turn of messages."""
    if isinstance(value, str):
        turns = _TEMPLATE_TURN.findall(value)
        return turns[-1] if turns else value
    if isinstance(value, list):
        users = [turn.text for turn in _turns(value) if turn.role == "user"]
        return users[-1] if users else ""
    return "" if value is None or is_nan(value) else str(value)


def texts_of(value: Any) -> list[Text]:
    """
    The outputs in a value, each with its thinking where that stands beside it: text, texts, messages, records.

    One that is missing from a list keeps its place, as None, so that labels and thinking stay in step.
    """
    if isinstance(value, str):
        return [(value, None)]
    if isinstance(value, Mapping):
        return _texts_of_record(value)
    if not isinstance(value, list):
        return []
    if any(isinstance(one, Mapping) and ("role" in one or "from" in one) for one in value):
        return _last_reply(value)
    return [text for one in value for text in (texts_of(one) if one is not None else [(None, None)])]


def _texts_of_record(record: Mapping[str, Any]) -> list[Text]:
    for name in ("content", "text", "response", "completion", "generation", "output", "message"):
        if record.get(name) is not None:
            inside = texts_of(record[name])
            return [(text, own or _beside(record)) for text, own in inside]
    return [("", thinking)] if (thinking := _beside(record)) else []


def _beside(record: Mapping[str, Any]) -> str | None:
    return next((record[name] for name in MESSAGE_THINKING if isinstance(record.get(name), str)), None)


def _last_reply(messages: list[Any]) -> list[Text]:
    turns = [one for one in messages if isinstance(one, Mapping)]
    replies = [one for one, turn in zip(turns, _turns(turns), strict=True) if turn.role == "assistant"]
    if not replies:
        return []
    text = _turns([replies[-1]])[0].text
    return [(text, _beside(replies[-1]))]


def _turns(messages: list[Any]) -> list[Turn]:
    return turns_of({"messages": messages})


def gold_of(value: Any) -> str | None:
    """The gold answer as text; of a list its first, and numbers as they are written."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or is_nan(value) or isinstance(value, Mapping):
        return None
    text = str(value)
    return text if text.strip() and is_unicode(text) else None


def truth_of(value: Any) -> bool | None:
    """A stored label; None for one that is neither yes nor no."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _strings_or_none(value: Any) -> list[Any]:
    return [one if isinstance(one, str) else None for one in _many(value)]


def _nested(value: Any, outputs: int) -> list[Any]:
    """The stored marks of each output's inner answers."""
    if not isinstance(value, list):
        return [None]
    if outputs == 1 and not any(isinstance(one, list) for one in value):
        value = [value]
    return [None if one is None else [truth_of(mark) for mark in one] for one in value]


def _in_step(values: list[Any], outputs: int) -> list[Any]:
    """One value for each output; those of another number can't be told apart, so they are none."""
    return values if len(values) == outputs else [None] * outputs


def _lineage(row: Row) -> Lineage | None:
    attempts, spans = row.get("attempts"), row.get("spans")
    if not isinstance(attempts, list) or not isinstance(spans, list):
        return None
    right = [bool(one.get("correct")) for one in attempts]
    return Lineage(right, [(one["kind"], one["start"], one["end"]) for one in spans])


def _run_of(row: Row, layout: Layout) -> str:
    value = value_at(row, layout.run) if layout.run else None
    return layout.name if value is None or is_nan(value) else _shown(value)


def _shown(value: Any) -> str:
    if value is None or is_nan(value):
        return "(none)"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _number_of(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
