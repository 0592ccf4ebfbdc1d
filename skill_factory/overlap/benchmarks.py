"""Benchmarks as people name them, opened: files, folders of them, Hub datasets; each pinned by digest or commit."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from skill_factory import wording
from skill_factory.asked import spoken_in
from skill_factory.errors import SourceError
from skill_factory.judge.first_questions import different_questions
from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.model import Benchmark, Columns, Source
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import Row, gold_of, of_question
from skill_factory.sources.guessing import guess
from skill_factory.sources.trying import with_proposals

SAMPLE_ROWS = 200
NAMES = ("question", "problem", "prompt", "query", "instruction", "input", "text", "task")
"""Columns that hold questions where nothing else tells, the likeliest first."""
SPLITS = ("test", "validation", "train")
"""Splits of a benchmark on the Hub, the likeliest to be one first."""
MOST_QUESTIONS = 1_000_000
"""Questions of all benchmarks together, which are held in memory."""


@dataclass(frozen=True)
class OpenBenchmark:
    """A benchmark and where its questions are read."""

    about: Benchmark
    source: RawSource
    columns: Columns
    """Where its questions are."""
    reading: Columns
    """Where its answers and solutions are, as far as these can be told."""

    def solutions(self) -> Iterator[str]:
        """Its answers and solutions, those of one question after the other; some may come several times. Errors: SourceError."""
        for piece in self.source.pieces():
            for batch in piece.batches(self.reading):
                for row in batch.to_pylist() if isinstance(batch, pa.RecordBatch) else batch:
                    if gold := gold_of(row, self.reading):
                        yield gold
                if self.reading.response:
                    table = canonical(batch, self.reading, unlabelled=True).table
                    yield from (text for text in table["response"].to_pylist() if text)

    def questions(self) -> Iterator[str]:
        """Its questions, of a conversation all that the user says; some may come several times. Errors: SourceError."""
        for _, texts in different_questions(self.source, self.columns):
            yield from map(spoken_in, texts)


def opened(clean: Clean, given: Sequence[str] = (), token: str | None = None) -> list[OpenBenchmark]:
    """
    The benchmarks that a recipe is compared with: those given, otherwise those that it names.

    Errors: SourceError where one can't be opened, holds no questions, or isn't what the recipe names.
    """
    if given:
        return [_open(text, Benchmark(), token) for one in given for text in _each(one)]
    return [_again(about, token) for about in clean.against if not about.decided]


def _each(text: str) -> list[str]:
    """The files of a folder, each a benchmark of its own; anything else is itself."""
    if not os.path.isdir(text):
        return [text]
    files = [
        str(path) for path in sorted(Path(text).iterdir()) if path.is_file() and path.name[0] not in "._"
    ]
    if not files:
        raise SourceError(f"The folder {text} holds no files. Put the benchmarks into it, one file each.")
    return files


def _again(about: Benchmark, token: str | None) -> OpenBenchmark:
    """A benchmark that a recipe names."""
    if about.kind == "file" or not about.name:
        raise SourceError(
            f"The recipe compares the questions with a file named {about.name!r}, and a recipe doesn't know where that is. "
            "Give it: --against FILE."
        )
    name = f"demo:{about.name}" if about.kind == "demo" else about.name
    return _open(name, about, token)


def _open(text: str, asked: Benchmark, token: str | None) -> OpenBenchmark:
    found = _source(text, asked, token)
    names, rows = found.names(), found.head(SAMPLE_ROWS)
    told = guess(names, rows)
    columns = _columns(told, names, rows, text, asked.question)
    spec = found.pinned()
    about = Benchmark(
        kind=spec.kind,
        name=spec.name,
        config=spec.config,
        split=spec.split if spec.kind == "hub" else "",
        revision=spec.revision,
        digest=spec.digest,
        question=columns.question,
    )
    # A set may hold answers where nothing tells its question: then that is named by what it asks.
    reading = told.model_copy(update=columns.model_dump(include={"question", "question_rule"}))
    return OpenBenchmark(about, found, columns, reading)


def _source(text: str, asked: Benchmark, token: str | None) -> RawSource:
    """The source of a benchmark; on the Hub the split that is asked for, otherwise the likeliest that there is."""
    spec = Source(config=asked.config, split=asked.split or SPLITS[0], revision=asked.revision)
    try:
        return open_source(text, spec, token)
    except SourceError as error:
        if asked.split or "has no split" not in str(error):
            raise
    known = _splits(text, spec, token)
    split = next((name for name in SPLITS if name in known), known[0])
    return open_source(text, spec.model_copy(update={"split": split}), token)


def _splits(text: str, spec: Source, token: str | None) -> list[str]:
    from skill_factory.hub.look import look

    name, _, revision = text.partition("@")
    config = look(name, token, revision or spec.revision or None).config(spec.config)
    return [split.name for split in config.splits] if config else list(SPLITS)


def _columns(found: Columns, names: Sequence[str], rows: Sequence[Row], text: str, asked: str) -> Columns:
    """Where the questions are and how they are read, as of any data: of messages the user's turn, of prompts no template."""
    if found.question and asked in ("", found.question):
        return of_question(found)
    return with_proposals(Columns(question=asked or _question_column(names, rows, text)), rows, set())


def _question_column(names: Sequence[str], rows: Sequence[Row], text: str) -> str:
    for name in NAMES:
        if fitting := [one for one in names if one.lower() == name]:
            return fitting[0]
    texts = [one for one in names if rows and all(isinstance(row.get(one), str) for row in rows)]
    if len(texts) == 1:
        return texts[0]
    raise SourceError(
        f"No column of the benchmark {text} can be told to hold its questions; found {wording.found(names)}. "
        "Rename the one that does to `question`."
    )
