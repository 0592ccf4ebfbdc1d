"""Numbers as people read them."""

import re
from collections.abc import Iterable


def many(number: int, noun: str) -> str:
    """A number with its noun: "1 question", "2,400 questions", "no questions", "3 retries"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {plural(noun)}" if number else f"no {plural(noun)}"


def plural(noun: str) -> str:
    """A noun for several things: "rows", "queries", "batches"."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def file_size(size: float) -> str:
    """Bytes: "812 bytes", "1.5 kB", "64 MB", "2.0 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


SECONDS, MINUTES = 90, 90 * 60
"""Durations below these are told in seconds and in minutes; longer ones in hours."""
DAYS = 48
"""Expected durations of so many hours are told in days."""


def duration(seconds: float) -> str:
    """A duration that was measured: "45 s", "12 min", "1.8 h"."""
    if seconds < SECONDS:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < MINUTES else f"{seconds / 3600:.1f} h"


def rough_duration(seconds: float) -> str:
    """A duration that is expected: "a few seconds", "about 25 seconds", "about 1.8 hours", "about 6 days"."""
    if seconds < 8:
        return "a few seconds"
    if seconds < SECONDS:
        return f"about {round(seconds / 5) * 5} seconds"
    if seconds < MINUTES:
        return f"about {round(seconds / 60)} minutes"
    hours = seconds / 3600
    if hours < DAYS:
        return f"about {hours:.1f} hours" if hours < 10 else f"about {round(hours)} hours"
    return f"about {round(hours / 24)} days"


def inflect(number: int, singular: str, plural: str) -> str:
    """The word that agrees with a number: "1 question has", "3 questions have"."""
    return singular if number == 1 else plural


def percent(part: float, whole: float = 1.0) -> str:
    """A share in percent; what is little is not called nothing, and what is nearly all is not called all."""
    if not whole:
        return "0 %"
    share = 100 * part / whole
    if 0 < share < 0.5 or 99.5 < share < 100:
        return f"{min(max(share, 0.1), 99.9):.1f} %"
    return f"{share:.0f} %"


def listed(items: list[str], last: str = "and") -> str:
    """Items as a phrase: "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def found(names: Iterable[str], most: int = 30) -> str:
    """Names that were found, for a sentence: a thousand columns, or one with a name of a page, are cut."""
    names = list(names)
    shown = ", ".join(name if len(name) <= 60 else f"{name[:59]}…" for name in names[:most])
    return f"{shown} … and {len(names) - most:,} more" if len(names) > most else shown


def rounded(number: float) -> int:
    """An estimate to three digits: 226,807 is said as 227,000."""
    whole = round(number)
    step = 10 ** max(0, len(str(whole)) - 3)
    return int(round(whole / step) * step)


_OPTION = re.compile(
    r"\s*\((?:[^()]*\s)?--[a-z][^()]*\)"
    r"|(?:(?:,?\s+or)?(?:\s+with)?|:)\s+--[a-z][a-z-]*(?:\s+(?:[\w.]+=)?(?:'[^']*'|\"[^\"]*\"|\w+))?"
)


def without_options(advice: str) -> str:
    """Advice for someone who doesn't type commands: options such as `--think after` are left out, the sentence stays."""
    return _OPTION.sub("", advice)
