"""The phrase book: the words between the model's own texts, and which of them fit where."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import POOLS, Phrases

SHIPPED = Path(__file__).with_name("phrases.toml")


@dataclass(frozen=True)
class PhraseBook:
    """Pools of one-line phrases. The first three are glue between attempts; the rest comes after the thinking."""

    generic: Sequence[str]
    correct: Sequence[str]
    incorrect: Sequence[str]
    ending: Sequence[str]
    backtrack: Sequence[str]
    confirm: Sequence[str]

    def __post_init__(self) -> None:
        # `parse` tells the closings apart by their first phrase, so no phrase may be in two of these pools.
        closing = [*self.ending, *self.backtrack, *self.confirm]
        if twice := [phrase for phrase in closing if closing.count(phrase) > 1]:
            raise RecipeError(
                f"The phrase {twice[0]!r} is in two of the pools ending, backtrack and confirm, so a trace couldn't be "
                "read back. Keep it in one of them."
            )

    @cached_property
    def glue_after(self) -> Mapping[bool, Sequence[str]]:
        """The glue that fits after a right attempt (True) and after a wrong one (False)."""
        return {
            True: _union(self.correct, self.generic),
            False: _union(self.incorrect, self.generic),
        }


@lru_cache(maxsize=16)
def shipped_phrases(language: str = "") -> dict[str, tuple[str, ...]]:
    """The phrases that come with the package, by pool, in English or another language (`language.py`)."""
    path = SHIPPED.with_name(f"phrases.{language}.toml") if language else SHIPPED
    pools = tomllib.loads(path.read_text(encoding="utf-8"))["phrases"]
    return {pool: tuple(pools[pool]) for pool in POOLS}


def phrase_book(own: Phrases) -> PhraseBook:
    """The shipped phrases, with a recipe's own added or in their place. Errors: RecipeError for an empty pool."""
    pools = {}
    for pool, shipped in shipped_phrases(own.language).items():
        # Replaced first, then added: both together mean "these, and those".
        pools[pool] = _union(own.replace.get(pool, shipped), own.add.get(pool, ()))
        if not pools[pool]:
            raise RecipeError(f"The phrase pool {pool!r} is empty; give it at least one phrase.")
    return PhraseBook(**pools)


def _union(*pools: Sequence[str]) -> tuple[str, ...]:
    # Each phrase once, or adding a shipped one would make it twice as likely.
    return tuple(dict.fromkeys(phrase for pool in pools for phrase in pool))
