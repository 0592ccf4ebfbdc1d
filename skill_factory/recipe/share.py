"""A recipe as a piece of a link: packed TOML, nothing that a server would have to keep."""

import base64
import binascii
import zlib

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import Recipe, recipe_from_toml

LONGEST = 200_000
"""Characters of TOML that a link may unpack to: a link is a stranger's text."""

LONGEST_LINK = 60_000
"""Characters of a link's recipe; browsers and proxies give up before that."""


def packed(recipe: Recipe) -> str:
    """The recipe as text that can stand in a URL."""
    return base64.urlsafe_b64encode(zlib.compress(recipe.to_toml().encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> Recipe:
    """The inverse of `packed`. Errors: RecipeError for a link that was cut or changed."""
    if len(text) > LONGEST_LINK:
        raise RecipeError(
            f"The link's recipe is longer than a recipe can be: {len(text):,} characters, and {LONGEST_LINK:,} can be read. "
            "Save the recipe as a file and open that."
        )
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        whole = zlib.decompressobj()
        toml = whole.decompress(data, LONGEST).decode()
    except (ValueError, binascii.Error, zlib.error):
        raise _unreadable() from None
    if not whole.eof:  # cut off, or longer than any recipe
        raise _unreadable()
    return recipe_from_toml(toml, "the link's recipe")


def _unreadable() -> RecipeError:
    return RecipeError("The link's recipe can't be read. Was the link copied whole?")
