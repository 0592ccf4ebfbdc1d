"""The front matter of a card: its YAML, read within bounds, and what it tells of rows."""

import re
from collections.abc import Mapping
from typing import Any

from skill_factory.recipe.bounds import nested_brackets

LONGEST_FRONT = 1_000_000
"""Characters of a card's YAML that are read; the `datasets` library writes some thousand."""
DEEPEST_FRONT = 100
"""Lists and mappings in brackets inside one another."""
MOST_MERGED = 1_000
"""Fields that a mapping of a card may take over from others; each `<<` may double them."""


def front_matter(card: str) -> dict[str, Any]:
    """The YAML fields of a card; {} if there are none or they can't be read."""
    import yaml  # type: ignore[import-untyped]

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """YAML in which no mapping grows without end."""

        def flatten_mapping(self, node: Any) -> None:
            # After each `<<`: ten lines of them could otherwise double a mapping into gigabytes.
            super().flatten_mapping(node)
            if len(node.value) > MOST_MERGED:
                raise yaml.YAMLError("a mapping takes over too much")

    head = re.match(r"\ufeff?\s*---[ \t]*\r?\n(.*?\n)?---[ \t]*(\r?\n|$)", card[:LONGEST_FRONT], re.DOTALL)
    # Counted before it is parsed, since the parser is what would take too long.
    if head and nested_brackets(head[1] or "") > DEEPEST_FRONT:
        return {}
    try:
        fields = Loader(head[1] or "").get_single_data() if head else None
    # The data can be read without its card: the files' names decide then.
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError):
        return {}
    return fields if isinstance(fields, dict) else {}


def told_rows(config: str, card: Mapping[str, Any]) -> dict[str, int]:
    """Rows per split, where the card's `dataset_info` tells them; what it doesn't tell plainly is left out."""
    info = card.get("dataset_info")
    entries = [info] if isinstance(info, Mapping) else info if isinstance(info, list) else []
    fitting = [
        entry
        for entry in entries
        if isinstance(entry, Mapping) and entry.get("config_name", "default") == config
    ]
    splits = [
        split for entry in fitting if isinstance(entry.get("splits"), list) for split in entry["splits"]
    ]
    return {
        str(entry["name"]): entry["num_examples"]
        for entry in splits
        if isinstance(entry, Mapping)
        and isinstance(entry.get("name"), str | int | float)
        # Exactly an int: YAML's `yes` would be a bool, which Python counts as 1.
        and type(entry.get("num_examples")) is int
        and entry["num_examples"] >= 0
    }
