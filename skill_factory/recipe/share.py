"""A recipe as part of a link: packed TOML, so that no server has to keep anything."""

import base64
import binascii
import zlib

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import Recipe, recipe_from_toml

LONGEST = 200_000
"""The most characters of TOML that a link may unpack to: a link is a stranger's text."""

LONGEST_LINK = 60_000
"""Characters of a link's recipe; browsers and proxies give up before that."""


def packed(recipe: Recipe) -> str:
    """The recipe as text for a URL."""
    # Without the padding, which browsers and mail programs like to percent-encode.
    return base64.urlsafe_b64encode(zlib.compress(recipe.to_toml().encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> Recipe:
    """The recipe that was `packed` into a text. Errors: RecipeError for a link that was cut or changed."""
    if len(text) > LONGEST_LINK:
        raise RecipeError(
            f"The link's recipe is longer than a recipe can be: {len(text):,} characters, and {LONGEST_LINK:,} can be read. "
            "Save the recipe as a file and open that."
        )
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        whole = zlib.decompressobj()
        # Bounded while unpacking: a few hundred bytes of a link could otherwise become gigabytes.
        toml = whole.decompress(data, LONGEST).decode()
    except (ValueError, binascii.Error, zlib.error):
        raise _unreadable() from None
    if not whole.eof:  # cut off, or longer than any recipe
        raise _unreadable()
    return recipe_from_toml(toml, "The recipe in the link")


def _unreadable() -> RecipeError:
    return RecipeError("The recipe in the link can't be read. Copy the whole link and try again.")
