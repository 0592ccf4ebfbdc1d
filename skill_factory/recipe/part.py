"""What every part of a recipe is made of: the base of the records, the kinds of values, and advice for a misspelt name."""

import difflib
import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from skill_factory.recipe.patterns import compiled

Texts = tuple[str, ...]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Part(BaseModel):
    """A part of the recipe: frozen, and an unknown key is an error."""

    # Not strict: TOML writes a list where a field is a tuple, and 1 where it is 1.0.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known name that a word resembles, with a space before it; empty if there is none."""
    # A typo is the usual reason, so the nearest name is the best advice.
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def checked_ids(ids: Texts) -> Texts:
    """The ids themselves, as `model.hex_id` writes them. Errors: ValueError for one of another shape."""
    for text in ids:
        if not re.fullmatch(r"[0-9a-f]{16}", text):
            raise ValueError(f"an id has 16 hexadecimal digits; found {text!r}")
    return ids


def checked_pattern(pattern: str) -> str:
    """The pattern itself, once it is known to compile. Errors: ValueError."""
    if pattern:
        compiled(pattern)
    return pattern
