"""What pages ask of texts, labels and builds, like `looking.py`: values in, values out, at home or in a limited child."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from skill_factory.grading import task_named
from skill_factory.grading.doubts import Doubt as LabelDoubt
from skill_factory.grading.doubts import labels_in_doubt
from skill_factory.grading.labelling import LabelReport, label
from skill_factory.insight import built
from skill_factory.insight.browse import Doubt, Item, Wanted, as_csv, as_jsonl, as_row, doubtful_rows, items
from skill_factory.insight.difference import Difference, difference, open_built
from skill_factory.insight.lit import lit_example
from skill_factory.judge.judge import Judgement
from skill_factory.judge.lookup import Disputed, broken_rows, disputed
from skill_factory.judge.source_facts import Narrow
from skill_factory.publish.files import with_card
from skill_factory.publish.plan import Mode, PushPlan, plan_push
from skill_factory.publish.raw_set import read_folder
from skill_factory.recipe.model import Columns, Recipe, Tags, Verdicts
from skill_factory.sources import RawSource
from skill_factory.sources.columns import RowError
from skill_factory.trainers import FOR_TOKENS, TRAINERS, Exported, Options, export_build
from skill_factory.work.opening import Address, Opened, at


def some_items(
    source: "Address | RawSource",
    recipe: Recipe,
    narrow: Narrow,
    judgement: Judgement,
    wanted: Wanted,
    most: int,
) -> list[Item]:
    """The first of `browse.items`. Errors: SourceError."""
    return list(islice(items(at(source), recipe, narrow, judgement, wanted), most))


def items_file(
    source: "Address | RawSource",
    recipe: Recipe,
    narrow: Narrow,
    judgement: Judgement,
    wanted: Wanted,
    kind: str,
) -> str:
    """All of `browse.items` as a file to download, `csv` or `jsonl`. Errors: SourceError."""
    make = {"csv": as_csv, "jsonl": as_jsonl}[kind]
    found = items(at(source), recipe, narrow, judgement, wanted)
    return make(as_row(one, wanted.level) for one in found)


def in_doubt(
    source: "Address | RawSource", recipe: Recipe, narrow: Narrow, places: list[int]
) -> dict[int, Disputed]:
    """`lookup.disputed` of a source. Errors: SourceError."""
    return disputed(at(source), recipe, narrow, places)


def doubts_file(source: "Address | RawSource", recipe: Recipe, narrow: Narrow, found: Sequence[Doubt]) -> str:
    """Labels in doubt as a file to download. Errors: SourceError."""
    return as_csv(doubtful_rows(at(source), recipe, narrow, found))


def some_broken(source: "Address | RawSource", recipe: Recipe, most: int) -> list[tuple[int, RowError]]:
    """The first rows that can't be read. Errors: SourceError."""
    return list(islice(broken_rows(at(source), recipe), most))


@dataclass(frozen=True)
class _Rows:
    """Rows in memory as a piece of a source."""

    rows: list[dict[str, Any]]
    size = 0

    def batches(self, columns: Columns) -> Any:
        """All of them."""
        yield self.rows


@dataclass
class _First(Opened):
    """The first rows of a source, as a source of their own."""

    most: int = 200

    def pieces(self) -> list[Any]:
        """The one that is in memory."""
        return [_Rows(self.raw.head(self.most))]


def graded(
    source: "Address | RawSource", task: str, final: str, columns: dict[str, Any], rows: int, shown: int
) -> LabelReport:
    """Labels for the first rows, some of each kind shown. Errors: ColumnError, SourceError."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        # Labelling writes a file; for a look at the first rows it goes into a folder that is thrown away.
        first = _First(at(source), most=rows)
        return label(first, Path(folder) / "sample.parquet", task_named(task), final, columns, shown)


def doubted_labels(
    source: "Address | RawSource", columns: dict[str, Any], verdicts: Verdicts, rows: int
) -> list[LabelDoubt]:
    """The labels of the first rows that more speaks against than for. Errors: ColumnError, SourceError."""
    return labels_in_doubt(_First(at(source), most=rows), columns=columns, verdicts=verdicts)[1]


# -- what was built ------------------------------------------------------------------------------------------------


def built_index(folder: Path, doubtful: list[str]) -> built.Index:
    """`built.index` of a build."""
    return built.index(folder, doubtful)


def built_search(folder: Path, words: str) -> built.Numbers:
    """`built.search` of a build."""
    return built.search(folder, words)


def built_shown(folder: Path, places: list[int], tags: Tags) -> list[built.Shown]:
    """`built.shown` of a build."""
    return built.shown(folder, places, tags)


def built_lint(folder: Path, most: int, tags: Tags) -> built.Linted:
    """`built.linted` of a build."""
    return built.linted(folder, most, tags)


def built_difference(first: Path, second: Path) -> Difference:
    """What differs between two builds. Errors: BuildFolderError."""
    return difference(open_built(str(first)), open_built(str(second)))


def push_plan(folder: Path, repo: str, mode: Mode, public: bool, card: str, token: str) -> PushPlan:
    """What publishing a build under that card would change. Errors: HubError."""
    build = with_card(read_folder(folder), card.encode())
    return plan_push(folder, repo, mode, token, public=public, build=build)


def exported(folder: Path, trainer: str, out: Path, options: Options, token: str) -> Exported:
    """A trainer's files, made from a build. Errors: HandoffError."""
    return export_build(folder, (TRAINERS | FOR_TOKENS)[trainer], out, options, token or None)


def lit(folder: Path, loss: str, tags: Tags) -> str:
    """A trace of a build with what is trained marked, as HTML. Errors: HandoffError."""
    return lit_example(folder, loss, tags)
