"""How outputs are read: what the front door opens becomes outputs of runs.

An argument of `measure` is opened once (`opened`); what a worker needs to turn its rows into outputs is a `Layout`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.measure.layout import Asked, Layout, layout_of, mapping_of
from skill_factory.measure.parts import names_of
from skill_factory.measure.row_outputs import outputs_of
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.recipe.model import Recipe, Source
from skill_factory.sources import RawSource, open_source

__all__ = ["Asked", "Layout", "Opened", "distinct_names", "opened", "outputs_of", "run_name", "source_of"]

LOOKED_AT = 1_000
"""Rows that tell how a source is read."""


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
            "question": mapping.question,
            "answer": mapping.answer,
            "response": list(mapping.response),
            "label": list(mapping.correct),
            "inner_labels": layout.inner,
            "thinking": ", ".join(mapping.thinking) or layout.thinking,
            "run": layout.run,
            "step": layout.step,
        }
        return {
            "source": self.source.spec.name,
            "run": layout.name,
            "columns": {k: v for k, v in shown.items() if v},
            "lineage": layout.ours,
        }


def opened(given: str, asked: Asked, token: str | None = None) -> Opened:
    """Open what a person named and settle how it is read. Errors: SourceError, ColumnError."""
    folder = Path(given).expanduser()
    # A build brings its own recipe: tags of another one would find no attempt in it.
    built = (folder / "sft_train").is_dir()
    recipe = _recipe_of_build(folder, asked.recipe) if built else asked.recipe
    source = source_of(given, asked.recipe.source, token)
    # One look at the first rows for everything that has to be guessed: a source on the Hub is slow to open.
    names, rows = source.names(), source.head(LOOKED_AT)
    if not rows:
        raise SourceError(f"{given} holds no rows, so there is nothing to measure.")
    mapping = mapping_of(source, names, rows, asked)
    layout = replace(layout_of(mapping, names, rows, asked, run_name(given)), names=names_of(recipe.tags))
    texts = [output.text for row in rows for output in outputs_of(row, layout)]
    # Closing tags: an opening one may be quoted from the prompt.
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
        built = recipe_or_mixture((folder / "recipe.toml").read_text(encoding="utf-8"), "recipe.toml")
    except (OSError, UnicodeDecodeError):
        return asked
    # All sources of a mixture share the tags; verdicts are read as in its first.
    return built.recipes[0] if isinstance(built, Mixture) else built


def _why(layout: Layout, names: Sequence[str], built: bool) -> str:
    if layout.ours or layout.mapping.answer or layout.mapping.correct or layout.inner:
        return ""
    # Traces show right and wrong attempts on purpose, so without lineage nothing may be said of them.
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
        # `.jsonl.gz` loses both; a file that is called nothing but `.json` keeps its name.
        name = name.removesuffix(ending) or name
    return name


def distinct_names(openings: Sequence[Opened]) -> list[Opened]:
    """Arguments of the same name are told apart by the folders they lie in."""
    # `base/outputs.jsonl` and `trained/outputs.jsonl` are two runs; under one name their figures would be mixed.
    seen = Counter(opening.layout.name for opening in openings)
    renamed = []
    for opening in openings:
        if seen[opening.layout.name] > 1 and not opening.layout.run:
            parent = Path(opening.given).parent.name or "."
            opening = replace(opening, layout=replace(opening.layout, name=f"{parent}/{opening.layout.name}"))
        renamed.append(opening)
    return renamed
