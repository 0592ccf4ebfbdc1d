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
