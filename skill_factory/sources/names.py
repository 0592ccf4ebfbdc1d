"""Names that columns go by, in a dozen languages, as data."""

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def known_names() -> dict[str, tuple[str, ...]]:
    """Field → the names it goes by, most telling first, as `bare` writes them."""
    tree = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {field: tuple(dict.fromkeys(map(bare, names))) for field, names in tree.items()}


def bare(name: str) -> str:
    """A name without case, spaces, underscores and hyphens."""
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFC", name).casefold())


def place_of(field: str, path: str) -> int | None:
    """How far down the list of a field's names the last part of a path stands; None where it does not."""
    names = known_names()[field]
    name = bare(path.rpartition(".")[2])
    return names.index(name) if name in names else None


def ends_as(field: str, path: str) -> bool:
    """Whether the name ends in a word that is the field's: `deepseek_solution` for a response."""
    first, _, last = path.rpartition(".")[2].rpartition("_")
    return bool(first) and place_of(field, last) is not None


_TURNS_ROUND = {"no", "not", "non", "free", "without", "zero"}
"""Words that turn another word round: `no_error` says right, `not_solved` wrong."""


_GOOD = {
    "solved",
    "successful",
    "success",
    "satisfied",
    "verified",
    "proven",
    "passed",
    "answered",
    "resolved",
    "finished",
    "accepted",
    "acceptable",
    "faithful",
    "supported",
    "grounded",
    "sound",
    "true",
}
"""Words of success that a prefix turns round: `unsolved`."""


def _denied(word: str) -> bool:
    return word[:2] in ("un", "in") and word[2:] in _GOOD


def says_wrong(path: str) -> bool:
    """Whether the last part of a path names what is wrong, so that "yes" in its column means wrong: `is_wrong`, `failed`."""
    name = unicodedata.normalize("NFC", path.rpartition(".")[2])
    words = set(re.split(r"[\s_\-]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()))
    wrong = known_names()["says_wrong"]
    # Scripts without spaces write several words as one.
    named = (
        bool(words & set(wrong))
        or any(_denied(word) for word in words)
        or any(not word.isascii() and word in name.casefold() for word in wrong)
    )
    # `not_wrong` says right, `not_solved` says wrong.
    return not words & _TURNS_ROUND if named else "not" in words
