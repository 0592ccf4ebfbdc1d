"""Markdown that holds any text as it is: tables, fences, inline code."""

import re
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first, and the last of a wide one, hold numbers."""
    right = [" | ".join(head), " | ".join("---" if i == 0 else "---:" for i in range(len(head)))]
    if len(head) > 3:
        # In a wide table, such as the ledger, the last column holds words.
        right[1] = " | ".join(["---", *["---:"] * (len(head) - 2), "---"])
    return "\n".join(f"| {line} |" for line in [*right, *(" | ".join(row) for row in rows)])


def fenced(text: str, language: str = "text") -> str:
    """The text as it is, in a fence longer than any run of backticks in it."""
    # A trace may contain fences of its own; only a longer one encloses it.
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def inline(text: str) -> str:
    """A short text as inline code, safe inside a table."""
    # A bar would end the table's cell, and a line break its row.
    flat = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    mark = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{mark}{pad}{flat}{pad}{mark}" if flat else "(none)"
