"""How outputs are read: what the front door opens becomes outputs of runs, row by row. All of the reading is in this file.

An argument of `measure` is opened once (`opened`); what a worker needs to turn its rows into outputs is a `Layout`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from skill_factory import wording
from skill_factory.build.prepare import settle
from skill_factory.errors import ColumnError, SourceError
from skill_factory.grading.answers import USUAL_NAMES, BlockNames
from skill_factory.measure.outputs import Lineage, Output
from skill_factory.measure.parts import names_of, with_thinking
from skill_factory.measure.runs import DIFFICULTY
from skill_factory.measure.values import (
    THINKING,
    Text,
    gold_of,
    in_step,
    many,
    nested_marks,
    number_of,
    question_of,
    shown_value,
    strings_or_none,
    texts_of,
    truth_of,
)
from skill_factory.recipe.model import Columns, Recipe, Source, recipe_from_toml
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.columns import Row, is_nan, is_unicode, value_at
from skill_factory.sources.reading import Rules, rules_for
from skill_factory.traces.conversations import MESSAGES

LOOKED_AT = 1_000
"""Rows that tell how a source is read."""
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
        more = [
            self.inner,
            self.thinking,
            self.run,
            self.step,
            *self.by,
            *(("attempts", "spans") if self.ours else ()),
        ]
        asked = {f: getattr(self.mapping, f) for f in _ASKED}
        return Columns(**asked, reflections=tuple(dict.fromkeys(filter(None, more))))


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
    def unread(self) -> str:
        """Why verdicts may be there and can't be read; empty where they can."""
        if self.recipe.verdicts.rule != "column":
            return ""
        return "the recipe reads verdicts from a column, and an output has none beside it"

    @property
    def notes(self) -> list[str]:
        """What a reader should know of how it was read."""
        alone = (
            f"{self.layout.name}: no column holds questions, so every output counts as a question of its own."
        )
        return [] if self.layout.mapping.question else [alone]

    def told(self) -> dict[str, Any]:
        """How it was read, as JSON values."""
        mapping, layout = self.layout.mapping, self.layout
        shown = {
            "question": mapping.question, "answer": mapping.answer, "response": list(mapping.response),
            "label": list(mapping.correct), "inner_labels": layout.inner,
            "thinking": ", ".join(mapping.thinking) or layout.thinking, "run": layout.run, "step": layout.step,
        }  # fmt: skip
        return {
            "source": self.source.spec.name,
            "run": layout.name,
            "columns": {k: v for k, v in shown.items() if v},
            "lineage": layout.ours,
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
    mapping = mapping_of(source, names, rows, asked)
    layout = replace(layout_of(mapping, names, rows, asked, run_name(given)), names=names_of(recipe.tags))
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
    if layout.ours or layout.mapping.answer or layout.mapping.correct or layout.inner:
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


def mapping_of(source: RawSource, names: Sequence[str], rows: Sequence[Row], asked: Asked) -> Columns:
    """
    The mapping as the front door settles it; where it finds no outputs, from the places in which logs keep them.

    Errors: ColumnError where no column holds outputs.
    """
    talk = next((one for one in MESSAGES if one in names), "")
    if talk and {"attempts", "spans"} <= set(names):
        return Columns(question=talk, response=(talk,))
    settled = settle(source, asked.recipe, dict(asked.columns)).columns
    if settled.response and not (talk and not settled.question):
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
    question = settled.question or (talk if response == talk else paths["question"])
    answer = settled.answer or paths["answer"]
    return settled.model_copy(update={"question": question, "answer": answer, "response": (response,)})


def layout_of(mapping: Columns, names: Sequence[str], rows: Sequence[Row], asked: Asked, name: str) -> Layout:
    """The layout of a source: its mapping, and the columns that only a measurement reads. Errors: ColumnError."""
    by = tuple(one for one in asked.by if one != DIFFICULTY or _there(one, names, rows))
    for path, flag in ((asked.run, "--run"), *((one, "--by") for one in by)):
        if path and not _there(path, names, rows):
            raise ColumnError(f"There is no column {path!r} for {flag}. Found: {wording.found(names)}.")
    response = mapping.response[0]
    return Layout(
        name, mapping, _first_of([f"{response}{INNER}"], names, rows),
        "" if mapping.thinking else _thinking_path(response, names, rows),
        asked.run or _first_of(RUN_COLUMNS, names, rows), _first_of(STEP_COLUMNS, names, rows),
        tuple(one if one in by else "" for one in asked.by),
        ours=response in MESSAGES and "attempts" in names and "spans" in names,
    )  # fmt: skip


def _first_of(paths: Sequence[str], names: Sequence[str], rows: Sequence[Row]) -> str:
    return next((path for path in paths if _there(path, names, rows)), "")


def _there(path: str, names: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether a path leads to something in the first rows."""
    top = path if path in names else path.partition(".")[0]
    if top not in names:
        return False
    return top == path or any(_holds(value_at(row, path)) for row in rows)


def _holds(value: Any) -> bool:
    """Whether a path led to something; through a list of records it gives a list, even where none has the field."""
    return any(map(_holds, value)) if isinstance(value, list) else value is not None


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
    mapping = layout.mapping
    if mapping.only and str(value_at(row, mapping.only[0])) != mapping.only[1]:
        dropped["left_out"] += 1
        return
    rules = _rules_of(mapping)
    question = question_of(rules.question(row)) if mapping.question else ""
    if mapping.question and not question.strip():
        dropped["no_question"] += 1
        return
    texts = [one for place, path in enumerate(mapping.response) for one in _texts(row, layout, place, path)]
    if not texts:
        dropped["no_output"] += 1
        return
    thinking = in_step(strings_or_none(value_at(row, layout.thinking)), len(texts))
    labels = in_step(_labels(row, mapping), len(texts))
    inner = in_step(nested_marks(value_at(row, layout.inner), len(texts)), len(texts))
    gold, lineage = gold_of(value_at(row, mapping.answer)), _lineage(row) if layout.ours else None
    run, step = _run_of(row, layout), number_of(value_at(row, layout.step))
    by = tuple(shown_value(value_at(row, path)) if path else "" for path in layout.by)
    for k, (text, own) in enumerate(texts):
        if text is None or not is_unicode(text):
            dropped["no_output" if text is None else "not_text"] += 1
            continue
        whole = with_thinking(own or thinking[k], text, layout.names)
        yield Output(run, step, question, gold, whole, by, labels[k], inner[k], lineage)


@lru_cache(maxsize=16)
def _rules_of(mapping: Columns) -> Rules:
    return rules_for(mapping, value_at)


def _texts(row: Row, layout: Layout, place: int, path: str) -> list[Text]:
    """The outputs of a column by the response rule, thinking of a column of its own included, whatever shape they have."""
    mapping = layout.mapping
    value = value_at(row, path)
    if not mapping.response_rule and not mapping.thinking:
        return texts_of(value)
    if (
        mapping.response_rule == "last_turn"
        and (own := texts_of(value))
        and any(thinking for _, thinking in own)
    ):
        return own  # thinking stands beside the turn, which the rule alone would lose
    thinking = mapping.thinking[min(place, len(mapping.thinking) - 1)] if mapping.thinking else ""
    items = _rules_of(mapping).responses(value, value_at(row, thinking) if thinking else None)
    return [text for one in items for text in (texts_of(one) if one is not None else [(None, None)])]


def _labels(row: Row, mapping: Columns) -> list[bool | None]:
    """Stored labels by the label rule; words that everybody knows where there is none."""
    values = [one for path in mapping.correct for one in many(value_at(row, path))]
    others = [many(value_at(row, path)) for path in mapping.correct_else]
    if all(one is None for one in values):
        values = next((found for found in others if any(one is not None for one in found)), values)
    if mapping.label_rule == "steps":
        return [_rules_of(mapping).label(value_at(row, path)) for path in mapping.correct]
    if mapping.label_rule:
        return [_rules_of(mapping).label(one) for one in values]
    return [truth_of(one) for one in values]


def _lineage(row: Row) -> Lineage | None:
    attempts, spans = row.get("attempts"), row.get("spans")
    if not isinstance(attempts, list) or not isinstance(spans, list):
        return None
    right = [bool(one.get("correct")) for one in attempts]
    return Lineage(right, [(one["kind"], one["start"], one["end"]) for one in spans])


def _run_of(row: Row, layout: Layout) -> str:
    value = value_at(row, layout.run) if layout.run else None
    return layout.name if value is None or is_nan(value) else shown_value(value)
