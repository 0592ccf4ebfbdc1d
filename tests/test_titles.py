"""Plain names of the recipe's fields: every field has one, on its control and in tables alike."""

from skill_factory.recipe.mixture import Ingredient, Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.titles import TITLES, title_of


def test_every_field_has_a_plain_name_of_its_own() -> None:
    """Nothing is missing or left over, no two fields are called the same, and none as in the file."""
    fields = set(Recipe().flat())
    assert set(TITLES) == fields
    assert len(set(TITLES.values())) == len(fields)
    assert not [title for title in TITLES.values() if "_" in title or "." in title]


def test_a_source_of_a_mixture_is_named_with_its_field() -> None:
    """Two sources have the same fields, so their names stand in front; a mixture's own fields have names too."""
    sources = tuple(Ingredient(name=name, weight=1, recipe=Recipe()) for name in ("puzzles", "v1.5"))
    named = {field: title_of(field) for field in Mixture(sources=sources).flat()}
    assert named["v1.5.traces.attempts"] == "v1.5: maximum attempts (N)"
    assert named["puzzles.weight"] == "puzzles: weight"
    assert named["traces"] == "Traces in all"
    assert not [field for field, title in named.items() if field == title]
