"""The prose of the package and its docs is plain English, in the kinds that a pattern can find."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT

KINDS = {
    "write “isn't a …”, not “is no …”": r"(?<![Tt]here )\b(?:is|are|was|were) no (?!limit|longer|more\b|one\b)",
    "write “again”, not “anew”": r"\banew\b",
    "write “fix”, not “mend”": r"\b[Mm]end(?:s|ed|ing)?\b",
    "write “expected” or “forecast”": r"\b[Ff]or(?:etell|etold|eseen|esee)\w*",
    "write “dataset” as one word": r"\b[Dd]ata[ -]sets?\b",
}
WRITTEN_BY_OTHERS = ("reliability.md", "benchmarks.md", "benchmarks-app.md", "first-use.md")
"""Pages that commands write from measurements, and one that quotes the app as it was."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what people read in a file: of a Python file its strings and comments."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT) or token.type == getattr(
            tokenize, "FSTRING_MIDDLE", -1
        ):
            yield token.start[0], token.string


def prose() -> Iterator[Path]:
    """All files whose prose people read."""
    for folder in ("skill_factory", "pages"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".tmpl", ".md", ".html"):
                yield path
    yield from (ROOT / "app.py", ROOT / "serve.py", ROOT / "Makefile", *sorted(ROOT.glob("*.md")))
    yield from (path for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in WRITTEN_BY_OTHERS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_reads_like_a_translation(kind: str) -> None:
    """What a native engineer would write another way is found by its words."""
    pattern = re.compile(KINDS[kind])
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in prose()
        for line, text in texts(path)
        if pattern.search(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x is no file", 0),
        ("there is no file", None),
        ("0 is no limit", None),
        ("it is no longer there", None),
        ("written anew", 1),
        ("Mend it first", 2),
        ("recommended", None),
        ("what a page foretells", 3),
        ("a data set", 4),
        ("two datasets", None),
    ],
)
def test_the_patterns_find_the_kinds_and_nothing_else(text: str, kind: int | None) -> None:
    """Each pattern finds its kind, and leaves sentences alone that are fine."""
    hits = [number for number, pattern in enumerate(KINDS.values()) if re.search(pattern, text)]
    assert hits == ([] if kind is None else [kind])
