"""Numbers as people read them."""

from collections.abc import Iterable


def many(number: int, noun: str) -> str:
    """A number with its noun: "1 question", "2,400 questions", "no questions"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}" if number else f"no {plural}"


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
