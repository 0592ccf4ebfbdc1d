"""Dates, days and times of day: never arithmetic. `4 March 2021` is `March 4, 2021`; `04/03/2021` is only itself."""

import re
from typing import NamedTuple


class Moment(NamedTuple):
    """A date (year or 0, month, day), a time of day in minutes with its half of the day, or a writing that has two readings."""

    date: tuple[int, int, int] | None = None
    minutes: int | None = None
    half: str = ""
    """`am` or `pm`; empty where none is said."""
    seconds: int = 0
    unclear: str = ""
    """`04/03/2021` in its own signs: the fourth of March or the third of April."""


_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = {name: place for place, name in enumerate(_MONTH_NAMES.split(), 1)}
_MONTHS |= {name[:3]: place for name, place in _MONTHS.items()} | {"sept": 9}
_DAYS = {name: name[:3] for name in "monday tuesday wednesday thursday friday saturday sunday".split()}  # noqa: SIM905
_DAYS |= {
    "mon": "mon",
    "tue": "tue",
    "tues": "tue",
    "wed": "wed",
    "thu": "thu",
    "thur": "thu",
    "thurs": "thu",
    "fri": "fri",
    "sat": "sat",
    "sun": "sun",
}
_ISO = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_SLASHED = re.compile(r"([0-9]{1,2}) ?([-/.]) ?([0-9]{1,2}) ?\2 ?([0-9]{4}|[0-9]{2})")
_HAN = re.compile(r"(?:([0-9]{4})年)?([0-9]{1,2})月([0-9]{1,2})[日号]")
_TIME = re.compile(
    r"([0-9]{1,2})(?:[:.]([0-9]{2}))?(?::([0-9]{2}))? ?(a\.? ?m\.?|p\.? ?m\.?|o'clock|noon|midnight)?(?: ?(am|pm))?",
    re.IGNORECASE,
)
_HOURS = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        range(1, 13),
        strict=True,
    )
)


def read_moment(text: str) -> Moment | None:
    """The date or the time of day that a plain text is as a whole, or None."""
    if len(text) > 40:
        return None
    return _date(text) or _time(text) or _told_time(text.lower())


def _date(text: str) -> Moment | None:
    if found := _ISO.fullmatch(text):
        return _dated(int(found[1]), int(found[3]), int(found[4]))
    if found := _HAN.fullmatch(text):
        return _dated(int(found[1] or 0), int(found[2]), int(found[3]))
    if found := _SLASHED.fullmatch(text):
        one, other, year = int(found[1]), int(found[3]), found[4]
        if (
            # A number above twelve can only be the day; with points (`4.3.2021`) it may be a version or a section.
            len(year) == 4
            and found[2] != "."
            and (one == other or max(one, other) > 12)
            and min(one, other) <= 12
        ):
            return _dated(int(year), *sorted((one, other)))
        return Moment(unclear="/".join((str(one), str(other), year)))
    return _named_date(text.lower())


def _named_date(text: str) -> Moment | None:
    words = re.sub(r"[,.]| of | the ", " ", f" {text} ").split()
    # “Monday, 4 March”: the day of the week follows from the date.
    words = [word for word in words if word not in _DAYS or len(words) == 1]
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    numbers = [re.sub("(?<=[0-9])(?:st|nd|rd|th)$", "", word) for word in words if word not in _MONTHS]
    if (
        len(months) != 1
        or not all(number.isdecimal() and number.isascii() for number in numbers)
        or not numbers
    ):
        return None
    days = [int(number) for number in numbers if len(number) < 3]
    years = [int(number) for number in numbers if len(number) == 4]
    if len(days) + len(years) != len(numbers) or len(days) > 1 or len(years) > 1:
        return None
    return _dated((years or [0])[0], months[0], (days or [0])[0])


def _dated(year: int, month: int, day: int) -> Moment | None:
    return Moment((year, month, day)) if 1 <= month <= 12 and 0 <= day <= 31 else None


def _time(text: str) -> Moment | None:
    found = _TIME.fullmatch(text)
    if not found or not (found[2] or found[4] or found[5]):
        return None
    # `2.30` is a number unless am or pm says that it is a time.
    if ("." in text[:3] and not found[4] and not found[5]) or (found[4] and found[5]):
        return None
    said = re.sub(r"[. ]", "", (found[4] or found[5] or "").lower())
    half = {"noon": "pm", "midnight": "am"}.get(said, said if said in ("am", "pm") else "")
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if (
        hour > 24
        or minute > 59
        or second > 59
        or (half and not 0 < hour < 13)
        or (said == "noon" and hour != 12)
    ):
        return None
    if hour > 12:
        hour, half = hour - 12, "pm"
    # `09:30` is a time of a clock of 24 hours, so it is before noon.
    elif found[1].startswith("0") and len(found[1]) == 2 and not half:
        half = "am"
    return Moment(minutes=hour % 12 * 60 + minute, half=half, seconds=second)


def _told_time(text: str) -> Moment | None:
    if text in ("noon", "midday", "midnight"):
        return Moment(minutes=0, half="am" if text == "midnight" else "pm")
    found = re.fullmatch(
        r"(?:(half|quarter) (past|to) )?([a-z]+)(?: o'clock)?(?: in the (morning|afternoon|evening))?", text
    )
    if (
        not found
        or found[3] not in _HOURS
        or not (found[1] or "o'clock" in text)
        or (found[1] == "half" and found[2] == "to")
    ):
        return None
    minutes = _HOURS[found[3]] * 60 + {None: 0, "half": 30, "quarter": 15}[found[1]] * (
        -1 if found[2] == "to" else 1
    )
    half = {None: "", "morning": "am"}.get(found[4], "pm")
    return Moment(minutes=minutes % 720, half=half)


def read_day(text: str) -> str | None:
    """A day of the week in one spelling, in English."""
    return _DAYS.get(text.lower())


def same_moment(one: Moment, other: Moment) -> bool | None:
    """The same moment; None where one side says which half of the day, or which year, and the other doesn't."""
    if one.unclear or other.unclear:
        return True if one == other else None if one.date or other.date else False
    if one.date and other.date:
        whole = one.date[1:] == other.date[1:]
        years = one.date[0], other.date[0]
        return (None if whole and 0 in years and years[0] != years[1] else one == other) if whole else False
    if one.minutes is None or other.minutes is None:
        return False
    if (one.minutes, one.seconds) != (other.minutes, other.seconds):
        return False
    return None if "" in (one.half, other.half) and one.half != other.half else one.half == other.half
