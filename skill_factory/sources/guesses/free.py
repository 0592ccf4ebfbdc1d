"""Which columns are still free, and how their texts go within a question."""

from collections.abc import Mapping, Sequence
from typing import Any

from skill_factory.sources.profiles import Profile, flat

TEXTS = ("text", "texts", "nested")


TALKS = ("messages", "dialogues")


def put(told: dict[str, Any], field: str, path: Any) -> None:
    if path:
        told[field] = path


def _taken(told: Mapping[str, Any]) -> set[str]:
    return {
        path for value in told.values() for path in (value if isinstance(value, list | tuple) else [value])
    }


def still_free(told: Mapping[str, Any], found: Mapping[str, Profile], kinds: Sequence[str]) -> list[Profile]:
    taken = _taken(told)
    return [
        one
        for path, one in found.items()
        if one.kind in kinds and path not in taken and not any(t.startswith(f"{path}.") for t in taken)
    ]


def differs_within(profile: Profile, question: Profile) -> bool:
    """Whether rows of one question hold different values, or lists of several."""
    groups: dict[str, set[str]] = {}
    for asked, value in zip(question.values, profile.values, strict=True):
        groups.setdefault(str(asked), set()).update(str(one) for one in flat(value) if one is not None)
    several = sum(len(one) > 1 for one in groups.values())
    # Half of the questions are enough: some were asked once, or answered alike.
    return 2 * several >= len(groups) and several > 0


def repeats(profile: Profile) -> bool:
    """Whether values come several times."""
    return profile.different * 3 <= len(profile.present) * 2
