"""Formats that are known, each a record in `presets.toml`: recognised by their columns, whatever the file is called."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from skill_factory.recipe.fields import NAMES
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import value_at
from skill_factory.sources.profiles import Profile, flat
from skill_factory.sources.turns import turns_of

EMPTY = ("missing", "nothing")
_LOOKED_INTO = 50


@dataclass(frozen=True)
class Preset:
    """One known format."""

    name: str
    needs: tuple[str, ...]
    """The paths that identify it; `|` stands between those of which one is enough."""
    says: str
    labels: str
    """Where right and wrong come from, in words."""
    link: str
    columns: Mapping[str, Any]
    """Fields of the mapping; a path may name several, of which the first that holds something is taken."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """What some paths have to hold (`profiles.kind_of`)."""
    shows: Mapping[str, str] = field(default_factory=dict)
    """What most texts of some columns have to contain."""
    shape: str = ""
    """`steps`: the texts of a list are the steps of one solution; `likelihoods`: numbers stand where texts would; `prompts`: the chosen conversation holds its own."""
    refuse: str = ""
    """Why such data can't be used as they are, and what to do."""
    doubt: str = ""
    """The code of a doubt that comes with the format."""
    aside: tuple[str, ...] = ()
    """Columns that are about the record and hold no data, where the others are read by their names."""

    @property
    def has_no_label(self) -> bool:
        """Whether what looks like a label in such data says something else."""
        return self.labels.startswith("nothing:")


@lru_cache(maxsize=1)
def presets() -> tuple[Preset, ...]:
    """All of `presets.toml`."""
    tree = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tuple(
        Preset(**{**one, "needs": tuple(one["needs"]), "aside": tuple(one.get("aside", ()))})
        for one in tree["preset"]
    )


def recognised(found: Mapping[str, Profile]) -> Preset | None:
    """The preset whose fingerprint the columns have; of several the one that asks for the most."""
    fitting = [preset for preset in presets() if _fits(preset, found)]
    # The one that asks for most: a log with more columns also has those of plainer formats.
    return max(fitting, key=_asks_for, default=None)


def _asks_for(preset: Preset) -> int:
    return len(preset.needs) + len(preset.kinds) + len(preset.shows) + bool(preset.shape)


def _fits(preset: Preset, found: Mapping[str, Profile]) -> bool:
    if not all(any(_is_there(path, found) for path in need.split("|")) for need in preset.needs):
        return False
    if any(found[path].kind != kind for path, kind in preset.kinds.items()):
        return False
    if any(not _shows(found[path], words) for path, words in preset.shows.items()):
        return False
    if not _holds_texts(preset, found):
        return False
    shape = _SHAPES.get(preset.shape)
    return shape is None or any(map(shape, found.values()))


def _holds_texts(preset: Preset, found: Mapping[str, Profile]) -> bool:
    """Whether the format's responses are texts here too: records of that name are another format's."""
    columns = dict(_fields(preset, found))
    paths = columns.get("response", [])
    taken = [paths] if isinstance(paths, str) else paths
    # Steps are records by nature; their rule takes the texts out.
    steps = columns.get("response_rule") == "steps"
    return steps or not any(path in found and found[path].kind in ("struct", "structs") for path in taken)


def _shows(profile: Profile, words: str) -> bool:
    texts = profile.texts
    return 2 * sum(words in text for text in texts) > len(texts)


def looks_like_steps(profile: Profile) -> bool:
    """Whether the texts of lists are steps of one solution: numbered, or never a whole answer by their length."""
    if profile.kind != "texts":
        return False
    lists = [one for one in profile.present if isinstance(one, list) and len(one) > 1]
    numbered = [one for one in lists if _is_numbered(one)]
    return bool(lists) and 2 * len(numbered) > len(lists)


def _holds_likelihoods(profile: Profile) -> bool:
    """Whether lists hold numbers, and whether each was the likeliest."""
    words = [str(one).strip() for value in profile.present for one in flat(value)]
    numbers = sum(re.fullmatch(r"-?\d+(?:\.\d+)?(?:e-?\d+)?|-inf", word) is not None for word in words)
    greedy = sum(word in ("True", "False", "0", "1") for word in words)
    return profile.path == "resps" and 0 < numbers + greedy == len(words) and 2 * greedy >= len(words)


def _holds_prompts(profile: Profile) -> bool:
    """Whether the chosen conversation begins with the prompt."""
    talks = (turns_of(one) or [] for one in profile.present) if profile.path == "chosen" else ()
    return any(turn.role == "user" for talk in talks for turn in talk)


_SHAPES: Mapping[str, Callable[[Profile], bool]] = {
    "steps": looks_like_steps,
    "likelihoods": _holds_likelihoods,
    "prompts": _holds_prompts,
}


def _is_numbered(steps: list[Any]) -> bool:
    heads = [str(step).lstrip("#* \n").lower() for step in steps]
    return all(
        head.startswith((f"step {k}", f"{k}.", f"{k})", f"paragraph {k}")) for k, head in enumerate(heads, 1)
    )


def columns_of(preset: Preset, found: Mapping[str, Profile]) -> Columns:
    """The mapping of a preset over what is there; a field none of whose paths is there stays empty."""
    return Columns(**dict(_fields(preset, found)))


def _fields(preset: Preset, found: Mapping[str, Profile]) -> Iterator[tuple[str, Any]]:
    for name, value in preset.columns.items():
        if name == "only":
            values = found[value].present if value in found else []
            # A log of several filters or metrics has each output once for each; taken all, every attempt would count
            # several times.
            if len({str(one) for one in values}) > 1:
                yield name, (value, str(values[0]))
            continue
        if name not in NAMES:
            yield name, value
            continue
        asked = value if isinstance(value, list) else [value]
        taken = [path for one in asked if (path := _first_there(one, found))]
        if taken:
            yield name, taken if isinstance(value, list) else taken[0]


def _first_there(paths: str, found: Mapping[str, Profile]) -> str:
    """The first path that holds something; where none does, the first that is there at all."""
    there = [path for path in paths.split("|") if _is_there(path, found)]
    filled = [path for path in there if path not in found or found[path].kind not in EMPTY]
    return next(iter(filled or there), "")


def _is_there(path: str, found: Mapping[str, Profile]) -> bool:
    if "@" in path:
        return all(_is_there(part, found) for part in path.split("@"))
    if "*" in path:
        return path.partition(".*")[0] in found
    parts = path.split(".")
    tops = ((".".join(parts[:k]), ".".join(parts[k:])) for k in range(1, len(parts)))
    return path in found or any(top in found and _has_key(found[top], rest) for top, rest in tops)


def _has_key(messages: Profile, rest: str) -> bool:
    """Whether messages, which are not looked into for a guess, have a field that a preset names."""
    if messages.kind not in ("messages", "dialogues"):
        return False
    values = (value_at({"talk": value}, f"talk.{rest}") for value in messages.present[:_LOOKED_INTO])
    return any(one for value in values for one in flat(value))
