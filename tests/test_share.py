"""A recipe in a link: what was put in comes out, and a stranger's link can do no harm."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import Recipe, load_recipe, preset_names
from skill_factory.recipe.share import LONGEST, packed, unpacked


@pytest.mark.parametrize("name", preset_names())
def test_a_link_gives_the_recipe_back(name: str) -> None:
    """Every shipped recipe survives the way through a link, and the link is short."""
    recipe = load_recipe(name)
    assert unpacked(packed(recipe)) == recipe
    assert len(packed(recipe)) < 400


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), max_size=5),
    st.integers(0, 9**9),
)
def test_any_words_survive(words: list[str], seed: int) -> None:
    """Words of any language come back as they were, and nothing in the link needs quoting."""
    recipe = Recipe().changed({"filters.ban": tuple(words), "traces.seed": seed})
    link = packed(recipe)
    assert unpacked(link) == recipe
    assert not set(link) & set("+/=&?# %")


@pytest.mark.parametrize("text", ["", "x", "????", "AAAA", "eJw", packed(Recipe())[:-3]])
def test_a_cut_link_is_a_sentence(text: str) -> None:
    """A link that was cut, or is none, says so."""
    with pytest.raises(RecipeError, match=r"recipe in the link"):
        unpacked(text)


def test_a_bomb_is_not_unpacked() -> None:
    """A small link that would unpack to very much is read to the limit only, and refused."""
    bomb = base64.urlsafe_b64encode(zlib.compress(b"# " + b"x" * (50 * LONGEST), 9)).decode()
    with pytest.raises(RecipeError):
        unpacked(bomb)


def test_a_link_with_unknown_fields_names_them() -> None:
    """A recipe of a later version is refused by the field that is not known here."""
    link = base64.urlsafe_b64encode(zlib.compress(b"[traces]\nattemps = 3\n")).decode()
    with pytest.raises(RecipeError, match="attemps"):
        unpacked(link)
