"""A workspace's folder: the versions in it, which one is shown, and how to read it when a file in it is torn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skill_factory.wording import listed


@dataclass(frozen=True)
class Version:
    """What was worked on at one moment; undoing leads from one of these to the one before."""

    source: str = ""
    """What `open_source` takes."""
    label: str = ""
    """What the page calls the source."""
    recipe: str = ""
    """The recipe as TOML."""
    proposed: Mapping[str, Any] = field(default_factory=dict)
    """Rules that were proposed for the data, by field."""
    suited: bool = False
    """Whether the number of attempts was already proposed for the data."""
    mix: Mapping[str, Any] = field(default_factory=dict)
    """All sources of a mixture and how much each gives, as the page's `Mix` says it; empty where there is one source."""

    def same_work(self, other: "Version") -> bool:
        """Whether a visitor would see no difference: the same data under the same recipe, whichever source is shown."""
        return self._work() == other._work()

    def _work(self) -> tuple[Any, ...]:
        if not self.mix:
            return self.source, self.recipe
        parts = [
            tuple(one[key] for key in ("name", "amount", "source", "recipe")) for one in self.mix["parts"]
        ]
        return self.mix["by"], self.mix["total"], self.mix["clean"], parts

    @property
    def title(self) -> str:
        """What lists call it: its data, all of it."""
        if self.mix:
            return listed([str(one["name"]) for one in self.mix["parts"]])
        return self.label or self.source or "Recipe without data"

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source in it, as `open_source` takes it."""
        return (self.source, *(one["source"] for one in self.mix.get("parts", ())))


@dataclass(frozen=True)
class Kept:
    """A workspace as it was when it was last read or written."""

    path: Path
    owner: str
    """Whose it is on a shared server; empty at home."""
    started: float
    version: Version
    listed: tuple[str, ...]
    """The versions' files, the oldest first."""
    at: int
    """Which of them is shown."""
    number: int
    """One more with each write."""
    name: str = ""
    """What the visitor calls it; empty until they do."""
    job: str = ""
    """The last build."""
    cutoff: int = 0
    """Tokens at which the visitor's trainer cuts; 0 if unknown."""
    page: str = ""
    """The page that was open last."""
    outputs: tuple[str, ...] = ()
    """What Measure measures: paths and names."""
    lost: int = 0
    """Files that couldn't be read and were passed over."""
    stamp: tuple[int, int] = (0, 0)
    """What tells this `now.json` from a later one."""

    @property
    def id(self) -> str:
        """Its key."""
        return self.path.name

    @property
    def title(self) -> str:
        """What lists call it."""
        return self.name or self.version.title

    @property
    def changed(self) -> float:
        """When it was last written, in seconds since the epoch."""
        return self.stamp[0] / 1e9

    @property
    def undoable(self) -> int:
        """Versions before the one that is shown."""
        return self.at

    @property
    def redoable(self) -> int:
        """Versions after the one that is shown."""
        return len(self.listed) - 1 - self.at

    @property
    def outdated(self) -> bool:
        """Whether somebody else has written it, or deleted it, since."""
        return stamp_of(self.path) != self.stamp


def read(path: Path) -> Kept | None:
    """What a folder holds, with the nearest version that can be read; None if there is none."""
    stamp = stamp_of(path)
    made, now = _tree(path / "made.json") or {}, _tree(path / "now.json")
    versions = now.get("versions") if now else None
    lost = 0 if made else 1
    # Every value may be anything: the file may have been torn, or edited by hand.
    if not isinstance(versions, list) or not versions or not all(str(one).isdecimal() for one in versions):
        # The list is gone, the versions may not be.
        now, lost = {}, lost + 1
        versions = sorted(one.stem for one in path.glob("[0-9]*.json"))
    listed = tuple(str(name) for name in versions)
    last = len(listed) - 1
    found = _nearest(path, listed, min(max(_whole(now, "at", last), 0), last))
    if found is None:
        return None
    at, version, torn = found
    return Kept(
        path,
        str(made.get("owner", "")),
        float(_whole(made, "started", 0)),
        version,
        listed,
        at,
        _whole(now, "number", max(_numbers(path))),
        str((now or {}).get("name", "")),
        str((now or {}).get("job", "")),
        _whole(now, "cutoff", 0),
        str((now or {}).get("page", "")),
        _texts(now, "outputs"),
        lost + torn,
        stamp,
    )


def _nearest(path: Path, listed: tuple[str, ...], at: int) -> tuple[int, Version, int] | None:
    """The version at a place, or the nearest that can be read, the earlier ones first; and how many couldn't be read."""
    order = [*range(at, -1, -1), *range(at + 1, len(listed))]
    for torn, place_ in enumerate(order):
        version = version_of(path / f"{listed[place_]}.json")
        if version is not None:
            return place_, version, torn
    return None


def version_of(path: Path) -> Version | None:
    """The version in a file; None if it is missing or torn."""
    tree = _tree(path)
    # Exactly these fields: a version with others was written by another version of this app.
    if tree is None or {*tree, "mix"} != set(Version.__dataclass_fields__):
        return None
    texts = all(isinstance(tree[name], str) for name in ("source", "label", "recipe"))
    whole = texts and isinstance(tree["proposed"], dict) and _is_mix(tree.get("mix", {}))
    return Version(**tree) if whole else None


_PART: dict[str, Any] = {"name": str, "amount": int | float, "source": str, "label": str, "recipe": str}
_PART |= {"proposed": dict, "suited": bool}


def _is_mix(tree: Any) -> bool:
    """Whether a value has the form of a page's `Mix`: a file may have been torn, or edited by hand."""
    if tree == {}:
        return True
    if not isinstance(tree, dict) or set(tree) != {"parts", "at", "by", "total", "clean"}:
        return False
    parts, at = tree["parts"], tree["at"]
    if not isinstance(parts, list) or not isinstance(at, int) or not 0 <= at < len(parts):
        return False
    told = (
        tree["by"] in ("weight", "count")
        and isinstance(tree["total"], int)
        and isinstance(tree["clean"], dict)
    )
    return told and all(
        isinstance(one, dict)
        and set(one) == set(_PART)
        and all(isinstance(one[name], kind) for name, kind in _PART.items())
        for one in parts
    )


def _tree(path: Path) -> dict[str, Any] | None:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return tree if isinstance(tree, dict) else None


def _whole(tree: Mapping[str, Any] | None, name: str, default: int) -> int:
    value = (tree or {}).get(name, default)
    return value if isinstance(value, int) else default


def _texts(tree: Mapping[str, Any] | None, name: str) -> tuple[str, ...]:
    value = (tree or {}).get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _numbers(path: Path) -> list[int]:
    return [0, *(int(one.stem) for one in path.glob("[0-9]*.json") if one.stem.isdecimal())]


def stamp_of(path: Path) -> tuple[int, int]:
    """When `now.json` was written, and as which file; zeros if it is missing."""
    try:
        found = (path / "now.json").stat()
    except OSError:
        return 0, 0
    # Both, since two writes may fall into one tick of the clock.
    return found.st_mtime_ns, found.st_ino
