"""What pages ask of a visitor's data: at home in the server itself, on a shared one in a limited child (`limited.py`).

Each function takes values and gives values that can travel (`wire.py`). A source comes as its address and is opened here,
once for all requests of a child.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from skill_factory.build import pipeline
from skill_factory.build.pipeline import Preview, build_partition
from skill_factory.build.prepare import SAMPLE_ROWS, check_refused, ready_recipe, settle, settled_columns
from skill_factory.errors import ColumnError, NothingUsable, SourceError
from skill_factory.grading import task_named
from skill_factory.grading.doubts import Doubt as LabelDoubt
from skill_factory.grading.doubts import labels_in_doubt
from skill_factory.grading.labelling import LabelReport, label
from skill_factory.hub.layout import Config
from skill_factory.insight import built
from skill_factory.insight.browse import Doubt, Item, Wanted, as_csv, as_jsonl, as_row, doubtful_rows, items
from skill_factory.insight.compare import Pair, pairs, prospects
from skill_factory.insight.estimate import Pace
from skill_factory.insight.expected import Outlook
from skill_factory.insight.fitness import Fitness, fitness
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.insight.living import question as living
from skill_factory.insight.living.question import Told
from skill_factory.insight.simulated import forecast
from skill_factory.judge import source_facts
from skill_factory.judge.first_questions import MORE, first_rows, rows_of_questions
from skill_factory.judge.judge import Judgement, judge, judge_questions
from skill_factory.judge.lookup import Disputed, broken_rows, disputed, find_questions
from skill_factory.judge.source_facts import Narrow
from skill_factory.judge.trials import all_tried
from skill_factory.model import Trace
from skill_factory.publish.files import read_build, with_card
from skill_factory.publish.plan import Mode, PushPlan, plan_push
from skill_factory.recipe.model import Columns, Recipe, Source, Tags, Verdicts
from skill_factory.sources import Piece, RawSource, WithNotes, open_source
from skill_factory.sources.columns import CANONICAL, RowError, excerpt
from skill_factory.sources.guessing import guess
from skill_factory.sources.trying import Choice, Rule
from skill_factory.tally import Tally
from skill_factory.trainers import TRAINERS, Exported, Options, export_build

T = TypeVar("T")
SHOWN_ROWS = 20
"""Rows that pages show as they are."""
SHOWN_CHARS = 2_000
"""Characters of a value in them."""
SHOWN_ITEMS = 50
MOST_COLUMNS = 2_000
"""Columns of a table that a page can offer."""
KEPT = 4
"""Sources and judgements that a child keeps for its next request."""


@dataclass(frozen=True)
class Address:
    """A source by what opens it; `asked` None means the part that a Hub dataset has for training."""

    text: str
    asked: Source | None = None
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Described:
    """What a page has to know of a source at once. Stands for the source where that lies in a child."""

    spec: Source
    size: int
    rows: int
    paths: tuple[Path, ...] | None
    """Files of this machine; None for a source that is none."""
    columns: tuple[str, ...]
    first: tuple[dict[str, Any], ...]
    """The first rows, long values cut."""

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows, as far as they are known here."""
        return list(self.first[:rows])

    def pieces(self) -> list[Piece]:
        """None: what reads all of a source runs where the source is."""
        return []

    def pinned(self) -> Source:
        """The spec as it was found."""
        return self.spec


# -- opening -------------------------------------------------------------------------------------------------------


@dataclass
class Opened:
    """A source whose names and first rows are read once."""

    raw: RawSource
    _names: list[str] = field(default_factory=list)
    _head: list[dict[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    @property
    def spec(self) -> Source:
        """Kind, name and part."""
        return self.raw.spec

    def names(self) -> list[str]:
        """Names of the columns."""
        self._names = self._names or self.raw.names()
        return self._names

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows."""
        if rows > SAMPLE_ROWS:
            return self.raw.head(rows)
        self._head = self._head or self.raw.head(SAMPLE_ROWS)
        return self._head[:rows]

    def pieces(self) -> list[Piece]:
        """All of it, in parts."""
        return self.raw.pieces()

    def notes(self) -> list[str]:
        """What the source has to say of its files."""
        return self.raw.notes() if isinstance(self.raw, WithNotes) else []


_opened: dict[Any, Opened] = {}
_judged: dict[Any, Judgement] = {}


def once(kept: dict[Any, T], key: Any, make: Callable[[], T]) -> T:
    """The value under a key; the one that was not asked for longest goes where there are too many."""
    found = kept.pop(key, None) or make()
    kept[key] = found
    for old in list(kept)[:-KEPT]:
        kept.pop(old, None)  # at home two tabs may do this at once
    return found


def at(source: "Address | RawSource") -> RawSource:
    """The source at an address; what is a source already stays as it is. Errors: SourceError, HubError."""
    if not isinstance(source, Address):
        return source
    return once(_opened, (source, _stamp(Path(source.text))), lambda: opened(source))


def _stamp(path: Path) -> tuple[Any, ...]:
    """What tells a file or folder from what it was before; () for what is neither."""
    if not os.path.exists(path):
        return ()
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple((str(one), one.stat().st_mtime_ns, one.stat().st_size) for one in inside if one.is_file())


def opened(address: Address) -> Opened:
    """Open a source again. Errors: SourceError, HubError."""
    asked = address.asked or first_part(address.text, address.token)
    return Opened(open_source(address.text, asked, address.token or None))


def first_part(text: str, token: str) -> Source | None:
    """The default config of a Hub dataset and its split `train`, or the first one where there is none of that name."""
    from skill_factory.sources.hub import looks_like_repo

    if os.path.exists(text) or not looks_like_repo(text):
        return None
    repo, _, revision = text.partition("@")
    configs = parts_of(repo, revision, token)
    marked = [one for one in configs if one.is_default or one.name == "default"]
    config = next(iter((*marked, *configs)), None)
    splits = [split.name for split in config.splits] if config else []
    return Source(kind="hub", name=repo, split="train" if "train" in splits else next(iter(splits), "train"))


def parts_of(repo: str, revision: str, token: str) -> list[Config]:
    """The configs and splits of a Hub dataset. Errors: HubError."""
    from skill_factory.hub import look

    return list(look.look(repo, token or None, revision or None, rows=False).configs)


def described(source: "Address | RawSource") -> Described:
    """What a page shows of a source. Errors: SourceError where it has no rows, or more columns than a page can offer."""
    found = at(source)
    names, rows = found.names(), found.head(SAMPLE_ROWS)
    if len(names) > MOST_COLUMNS:
        raise SourceError(
            f"The data has {len(names):,} columns, and at most {MOST_COLUMNS:,} can be shown. "
            "Keep those with question, response, label and reflections."
        )
    if not names or not rows:
        raise SourceError(f"{found.spec.name} has no rows. Choose data with at least one.")
    shown = tuple({name: brief(row.get(name)) for name in names} for row in rows[:SHOWN_ROWS])
    return Described(found.spec, found.size, found.rows, getattr(found, "paths", None), tuple(names), shown)


def entered(source: "Address | RawSource", recipe: Recipe) -> tuple[Described, Recipe]:
    """
    What a page shows of a source, and the recipe with its columns where all are there, else with guessed ones.

    Errors: as `described`; SourceError for a known format that can't be used as it is.
    """
    found = at(source)
    told = described(found)
    columns = recipe.columns if _all_there(recipe.columns, found) else Columns()
    settled = settle(found, recipe.model_copy(update={"columns": columns}))
    check_refused(settled)
    return told, settled.recipe


def _all_there(columns: Columns, found: RawSource) -> bool:
    if not columns.response:
        return False
    try:
        return settled_columns(found, columns) == columns
    except ColumnError:
        return False


def guessed(source: "Address | RawSource") -> Columns:
    """The columns as they are guessed. Errors: SourceError."""
    found = at(source)
    return guess(found.names(), found.head(SAMPLE_ROWS))


def remapped(source: "Address | RawSource", recipe: Recipe, changes: dict[str, Any]) -> Columns:
    """The columns with some of them chosen otherwise, and the rules that suit those. Errors: ColumnError, SourceError."""
    return settle(at(source), recipe, changes).columns


def inspected(source: "Address | RawSource", recipe: Recipe, rows: int) -> Inspection | None:
    """What the first rows look like and what is doubtful in their reading; None where a needed column is missing."""
    try:
        return inspect(at(source), recipe, most_rows=rows)
    except (ColumnError, SourceError):
        return None  # the pickers say which column is missing


def without_format(source: "Address | RawSource", recipe: Recipe) -> Recipe:
    """The recipe with columns and rules guessed by name and shape alone. Errors: SourceError."""
    return settle(at(source), recipe.model_copy(update={"columns": Columns(guess="names")})).recipe


def tried(source: "Address | RawSource", recipe: Recipe) -> dict[Rule, list[Choice]]:
    """What each choice of each rule of reading finds in the first rows. Errors: SourceError."""
    return all_tried(recipe, at(source).head(SAMPLE_ROWS))


def brief(value: Any, depth: int = 0) -> Any:
    """A value as far as a page shows it: long texts and lists cut, and no kinds but those of JSON."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:SHOWN_CHARS]
    if isinstance(value, list | tuple) and depth < 4:
        return [brief(one, depth + 1) for one in value[:SHOWN_ITEMS]]
    if isinstance(value, dict) and depth < 4:
        return {str(name)[:200]: brief(one, depth + 1) for name, one in islice(value.items(), SHOWN_ITEMS)}
    return excerpt(value, 300)


def settled(source: "Address | RawSource", columns: Columns) -> Columns:
    """`settled_columns` of a source. Errors: ColumnError, SourceError."""
    return settled_columns(at(source), columns)


# -- the narrow table, and what follows from it --------------------------------------------------------------------


def sample(source: "Address | RawSource", recipe: Recipe) -> Narrow:
    """Facts of the first rows. Errors: SourceError."""
    return source_facts.sample_facts(at(source), recipe)


def judged(narrow: Narrow, name: str, recipe: Recipe, most: int | None) -> tuple[Judgement, Outlook]:
    """What the recipe's filters say of a table of that name, and what a build would give; of `most` traces as drawn."""
    facts = narrow.facts
    filters = (name, narrow.whole, recipe.columns, recipe.filters)
    found = once(_judged, filters, lambda: judge(facts, recipe))
    here = judge_questions(facts, found, recipe)
    # A sample's draws are not those of the whole: there the expectation says more.
    return here, forecast(facts, here, recipe, **({} if most is None else {"most": most}))


def fit(narrow: Narrow, judgement: Judgement, recipe: Recipe) -> Fitness:
    """The report on the data: lights, the proposed N, what is possible."""
    return fitness(narrow.facts, judgement, narrow.rows, recipe, narrow.whole)


def first_table(source: "Address | RawSource", recipe: Recipe, questions: int) -> tuple[pa.Table, bool]:
    """`first_rows` of a source. Errors: SourceError."""
    return first_rows(at(source), recipe, questions)


def first_bytes(source: "Address | RawSource", columns: Columns, size: int, rows: int = 0) -> pa.Table:
    """Canonical rows of about so many bytes of text, and no more than so many rows. Errors: SourceError."""
    tables = source_facts.first_tables(at(source), columns, size)[0]
    table = pa.concat_tables([CANONICAL.empty_table(), *tables])
    return table.slice(0, rows) if rows else table


def previewed(source: "Address | RawSource", recipe: Recipe, questions: int) -> Preview:
    """`pipeline.preview`, or an empty one where nothing can be used. Errors: SourceError, ColumnError."""
    found = at(source)
    more = (first_rows(found, recipe, questions * MORE**times) for times in count(1))
    try:
        return pipeline.preview(found, recipe, questions=questions, read_first=lambda *_: more)
    except NothingUsable:
        return Preview([], Tally(), recipe)  # a state that pages speak of, not an error


def made_of(table: pa.Table, recipe: Recipe) -> Tally:
    """The tally of all traces of some canonical rows."""
    part = build_partition(table, recipe)
    for _ in part.rows:
        pass
    return part.tally


def traces_of(table: pa.Table, recipe: Recipe, questions: int = 0) -> list[Trace]:
    """The traces of some canonical rows, of the first so many questions that give any."""
    found: dict[int, list[Trace]] = {}
    for trace in build_partition(table, recipe).traces:
        found.setdefault(trace.plan.question.id, []).append(trace)
        if questions and len(found) > questions:
            break
    kept = list(found.values())[: questions or None]
    return [trace for traces in kept for trace in traces]


def whole_questions(head: pa.Table, rows: int) -> tuple[pa.Table, bool]:
    """
    Of the first rows of a source with so many rows (0: unknown), those of whole questions; and whether that is known.

    It isn't where the rows of a question don't stand together.
    """
    if rows and head.num_rows >= rows:
        return head, True
    grouped, complete = source_facts.complete_questions(head)
    return (complete, True) if grouped else (head, False)


def first_to_show(rows: pa.Table, recipe: Recipe) -> int:
    """`question.first_to_show`: the question among some rows with which a page begins."""
    return living.first_to_show(rows, recipe)


def told(rows: pa.Table, recipe: Recipe, question: int) -> Told:
    """`question.told`: the traces of one question among some rows, or why there are none."""
    return living.told(rows, recipe, question)


def changed_questions(rows: pa.Table, before: Recipe, after: Recipe) -> list[int]:
    """`question.changed_questions`: those among some rows whose traces a change changes."""
    return living.changed_questions(rows, before, after)


def questions_in(rows: pa.Table, recipe: Recipe) -> list[int]:
    """`question.questions_in`: the ids of the questions in some rows."""
    return living.questions_in(rows, recipe)


def compared(rows: pa.Table, left: Recipe, right: Recipe) -> list[Pair]:
    """The same questions under two recipes."""
    return pairs(rows, left, right)


def both(left: Narrow, right: Narrow, mine: Recipe, other: Recipe) -> tuple[Outlook, Outlook]:
    """What two recipes would give."""
    return prospects(left.facts, mine), prospects(right.facts, other)


def questions_with(
    source: "Address | RawSource", recipe: Recipe, words: str, most: int
) -> list[tuple[int, str]]:
    """`lookup.find_questions` of a source. Errors: SourceError."""
    return list(find_questions(at(source), recipe, words, most))


def rows_of(source: "Address | RawSource", recipe: Recipe, questions: list[int]) -> pa.Table:
    """The canonical rows of some questions, by id. Errors: SourceError."""
    return rows_of_questions(at(source), recipe, questions)


def checked(source: "Address | RawSource", recipe: Recipe) -> None:
    """Errors: ColumnError, RecipeError where a recipe can't be used on a source."""
    ready_recipe(at(source), recipe)


def pace(source: "Address | RawSource", recipe: Recipe, size: int) -> Pace:
    """How quickly some first rows become traces."""
    table = first_bytes(source, recipe.columns, size)
    began = time.perf_counter()
    made_of(table, recipe)
    return Pace(table.num_rows, time.perf_counter() - began)


# -- texts ---------------------------------------------------------------------------------------------------------


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


def push_plan(folder: Path, repo: str, mode: Mode, public: bool, card: str, token: str) -> PushPlan:
    """What publishing a build under that card would change. Errors: HubError."""
    build = with_card(read_build(folder), card.encode())
    return plan_push(folder, repo, mode, token, public=public, build=build)


def exported(folder: Path, trainer: str, out: Path, options: Options, token: str) -> Exported:
    """A trainer's files, made from a build. Errors: HandoffError."""
    return export_build(folder, TRAINERS[trainer], out, options, token or None)
