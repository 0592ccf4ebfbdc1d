r"""What an answer says, read as a whole or not at all: an amount, a formula, an interval, a list, a date, words.

The first reading that takes in every sign counts. What holds mathematics and fits none is `Unread`: nobody may call it
wrong. Words are words, and never a number with something behind it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from skill_factory.grading.expressions import Statement, read_statement
from skill_factory.grading.groups import Group, read_group
from skill_factory.grading.moments import Moment, read_day, read_moment
from skill_factory.grading.nouns import CHANGING
from skill_factory.grading.numerals import place_in_order
from skill_factory.grading.plain import LONGEST, form, stated, worded
from skill_factory.grading.quantities import NOTHING, Amount, constant_term, exact_value, read_amount
from skill_factory.grading.regions import Region, read_region
from skill_factory.grading.units import read_unit


class Words(NamedTuple):
    """Plain words in one spelling."""

    text: str


class Literal(NamedTuple):
    """What equals its own writing alone: a score, a ratio, a number in a base, yes, a day."""

    kind: str
    text: str


class Formula(NamedTuple):
    """An expression with letters, an equation or an inequality."""

    statement: Statement


class Named(NamedTuple):
    """A name and what it stands for: `x = 5`, `f(x) = x^2`, `Area = 12 cm^2`, `P(3,-1)`."""

    name: str
    text: str
    """What stands behind the name, not yet read."""


class Unread(NamedTuple):
    """What no rule could read, with the reason."""

    why: str


Reading = Words | Literal | Moment | Amount | Formula | Region | Group | Named | Unread

_AGREEING = {
    "yes": "yes yeah yep yup 是 是的 はい 네 예 sí oui ja да",
    "no": "no nope 否 不是 いいえ 아니요 아니오 non nein нет",
} | {
    "true": "true 正确 正確 对 真 正しい 참",
    "false": "false 错误 錯誤 错 假 间違い 誤り 거짓",
}
_SAID = {word: meaning for meaning, all_ in _AGREEING.items() for word in all_.split()}
_RESTATED = re.compile(
    r"(yes|no),? (?:it|they|he|she|that|this|there|we|you|i) (?:is|are|was|were|does|do|did|can|will|has|have)( not|n't)?( correct| right| true)?",
    re.IGNORECASE,
)
_FIXED = {
    "\\infty": "infinity",
    "+\\infty": "infinity",
    "infinity": "infinity",
    "-\\infty": "minus infinity",
    "-infinity": "minus infinity",
    "undefined": "undefined",
    "not defined": "undefined",
    "\\emptyset": "nothing",
    "{}": "nothing",
    "\\{\\}": "nothing",
    "empty set": "nothing",
    "the empty set": "nothing",
    "no solution": "nothing",
    "no solutions": "nothing",
    "no real solution": "nothing",
    "no real solutions": "nothing",
    "无解": "nothing",
    "dne": "does not exist",
    "does not exist": "does not exist",
    "doesn't exist": "does not exist",
    "do not exist": "does not exist",
}
_DIGITS = r"[0-9]+(?:\.[0-9]+)?"
_SCORE = re.compile(rf"{_DIGITS}(?: ?- ?{_DIGITS})+")
_RATIO = re.compile(rf"{_DIGITS}(?: ?: ?{_DIGITS})+")
_SLASHES = re.compile(r"[0-9]+(?: ?/ ?[0-9]+){2,}")
_BASED = re.compile(
    r"\(?([0-9A-Za-z]*[0-9][0-9A-Za-z]*)\)?_ ?(?:\{ ?([0-9A-Za-z]{1,10}) ?\}|([0-9A-Za-z]{1,2}))"
)
_BASED_IN_WORDS = re.compile(
    r"([0-9A-Fa-f]*[0-9][0-9A-Fa-f]*),? (?:\((?:in )?base[ -]([0-9a-z]{1,10})\)|(?:in )?base[ -]([0-9a-z]{1,10}))"
)
_PREFIXED = re.compile(r"0([bB](?=[01]+$)|[oO](?=[0-7]+$)|[xX])([0-9A-Fa-f]+)")
_SPANNED = re.compile(rf"(?:a )?(?:ratio of )?({_DIGITS}) to ({_DIGITS})")
_SHARED = re.compile(r"([0-9]{1,12}) (?:out of(?: every)?|in(?: every)?) ([1-9][0-9]{0,11})")
PLACE, SPANNED, SHARE, IN_PARTS = "place in an order", "ratio or range", "share", "quantity in parts"
_BASES = {
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "sixteen": "16",
}


@lru_cache(maxsize=512)
def read(text: str, asked: frozenset[str] = NOTHING) -> Reading:
    """What the text says; `asked` are words of the question that an amount may count."""
    if len(text) > LONGEST:
        return Unread("it is too long to be an answer")
    text = stated(text)
    if not text:
        return Unread("it is empty")
    # From the strictest reading to the loosest: the last one takes nearly anything as words.
    return _fixed(text) or read_moment(text) or read_amount(text, asked) or _structured(text) or _worded(text)


def _fixed(text: str) -> Literal | None:
    """What has one writing, or a few."""
    small = text.lower()
    if said := _SAID.get(small):
        return Literal("yes or no", said)
    if restated := _RESTATED.fullmatch(small):
        agrees = (restated[1] == "no") == bool(restated[2])
        return Literal("yes or no", restated[1]) if agrees else None
    if small in _FIXED:
        return Literal("value", _FIXED[small])
    if day := read_day(text):
        return Literal("day", day)
    for kind, pattern in (("score or range", _SCORE), ("date or chain of fractions", _SLASHES)):
        if pattern.fullmatch(text) and read_moment(text) is None:
            return Literal(kind, text.replace(" ", ""))
    if _RATIO.fullmatch(text) and read_moment(text) is None:
        return Literal("ratio", text.replace(" ", ""))
    if (place := place_in_order(text)) is not None:
        return Literal(PLACE, str(place))
    if shared := _SHARED.fullmatch(small):
        return Literal(SHARE, f"{shared[1]}/{shared[2]}")
    if spanned := _SPANNED.fullmatch(small):
        return Literal(SPANNED, f"{spanned[1]} {spanned[2]}")
    if parts := _in_parts(text):
        return Literal(IN_PARTS, parts)
    if prefixed := _PREFIXED.fullmatch(text):
        base = {"b": "2", "o": "8", "x": "16"}[prefixed[1].lower()]
        return Literal("number in a base", f"{prefixed[2].upper()} in base {base}")
    if based := _BASED.fullmatch(text) or _BASED_IN_WORDS.fullmatch(text):
        base = (based[2] or based[3]).lower()
        return (
            Literal("number in a base", f"{based[1].upper()} in base {_BASES.get(base, base)}")
            if _is_based(based[1], base)
            else None
        )
    return None


_ONE_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+),?(?: and)?")
_PARTED = (
    ("year", "month", "week", "day", "hour", "minute", "second"),
    ("mile", "yard", "foot", "inch"),
    ("km", "m", "cm", "mm"),
    ("kg", "g"),
    ("pound", "ounce"),
    ("dollar", "cent"),
)
"""Units of one measure, the largest first: what is told in parts goes down."""


def _in_parts(text: str) -> str | None:
    """`2 hours 30 minutes`, `5 ft 3 in`: parts of one quantity, each in the next smaller unit."""
    parts = _ONE_PART.findall(text)
    if not 2 <= len(parts) <= 4 or len(text) > 60 or _ONE_PART.sub("", text).strip():
        return None
    units = [read_unit(unit) for _, unit in parts]
    for down in _PARTED:
        names = [read_unit(name) for name in down]
        places = [names.index(unit) for unit in units if unit in names and unit]
        if len(places) == len(units) and places == sorted(set(places)):
            return " ".join(
                f"{float(number):g} {unit}" for (number, _), unit in zip(parts, units, strict=True)
            )
    return None


def _is_based(digits: str, base: str) -> bool:
    return digits.isdigit() or (base in ("16", "sixteen", "12", "11") and digits.isalnum())


def _structured(text: str) -> Reading | None:
    # A vector in angle brackets, which read as two inequalities otherwise.
    text = re.sub(r"^<([^<>=]+,[^<>=]+)>$", r"\\langle \1\\rangle ", text)
    if re.search(r"(?<![<>=!\\])=(?![=<>])", text):
        return _equated(text)
    if (named := re.fullmatch(r"([A-Z]'?)(?:_\{?\w\}?)? ?(\(.*,.*\))", text)) and read_group(named[2]):
        return Named(named[1], named[2])
    if region := read_region(text):
        return region
    inside = re.fullmatch(r"(\\?[A-Za-z]+(?:_\{?\w\}?)?) ?\\in(?![a-z]) ?(.+)", text)
    if inside and read_group(inside[2]):
        return Named(_name(inside[1]) or inside[1], inside[2])
    if (formula := read_statement(text)) and not _is_a_word(text):
        return Formula(formula)
    group = read_group(text)
    return group if group and _listable(group) else None


def _listable(group: Group) -> bool:
    """A list of words is short words side by side, and no sentence with commas; `no, yes` takes something back."""
    for item in group.items:
        if (
            item.lower() in _SAID
            or _NEGATED.search(item)
            or (len(item.split()) > 4 and re.search("[a-z]{3}", item) and "\\" not in item)
        ):
            return False
    return True


_NEGATED = re.compile(r"\b(?:not|no|never|except|without|but|incorrect|wrong)\b", re.IGNORECASE)
_SHORT_WORDS = frozenset(
    [
        "am",
        "an",
        "as",
        "at",
        "be",
        "by",
        "do",
        "go",
        "ha",
        "he",
        "hi",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "no",
        "of",
        "oh",
        "ok",
        "on",
        "or",
        "pa",
        "so",
        "to",
        "up",
        "us",
        "we",
        "ox",
        "ad",
        "id",
        "tv",
        "uk",
        "un",
        "eu",
    ]
)


def _is_a_word(text: str) -> bool:
    letters = text.replace(" ", "")
    return (
        letters.isalpha()
        and text.isascii()
        and (text.lower() in _SHORT_WORDS or (any(len(word) > 2 for word in text.split()) and " " in text))
    )


def _worded(text: str) -> Reading:
    r"""Words, or unread mathematics: a sign of it, or letters in a formula's dress."""
    if re.search(r"[\\^=<>_{}|√∫∑]", text) or not re.search(r"[^\W\d_]{2}|[^\x00-\x7f]", text):
        return Unread("no rule reads these signs as a whole")
    return Words(worded(text))


# -- names ------------------------------------------------------------------------------------------------------------

_LETTERED = re.compile(
    r"\\?[A-Za-z]+'?(?:_ ?(?:\{[^{}]{1,12}\}|[0-9A-Za-z]))?'?(?: ?\([^()=]{1,20}\))?|\|[A-Z]{1,3}\||(?:\\(?:angle|triangle|overline|vec|widehat|mathbf) ?\{?)+[A-Z]{1,3}\}?|m ?\\angle [A-Z]{1,3}"
)
_SUM_OF_LETTERS = re.compile(r"-?[A-Za-z](?: ?[-+*:] ?[A-Za-z]| ?[A-Za-z])+")
_PHRASE = re.compile(r"[A-Za-z][A-Za-z' -]*(?:\([^()]{1,20}\))?")


def _name(text: str) -> str | None:
    """A name in one spelling; None for what could be an expression of its own, `2x`, or takes something back."""
    text = text.strip()
    words = re.findall("[a-z']+", text.lower())
    if text.lower() in ("e", "\\pi", "i") or any(
        word in CHANGING and len(word) > 1 and word not in _MEASURED for word in words
    ):
        return None
    if any(pattern.fullmatch(text) for pattern in (_LETTERED, _SUM_OF_LETTERS)) or (
        _PHRASE.fullmatch(text) and len(words) < 7
    ):
        return re.sub("[ {}]", "", text)
    return None


_MEASURED = frozenset("the a an of in at for to power perimeter square".split())  # noqa: SIM905


def _equated(text: str) -> Reading:
    group = read_group(text)
    if group and len(group.items) > 1 and all("=" in item for item in group.items):
        return group
    sides = [side.strip() for side in re.split(r"(?<![<>=!\\])=(?![=<>])", text)]
    if not all(sides):
        return Unread("one side of the equals sign is empty")
    if len(sides) == 2 and (named := _names_of_a_point(*sides)):
        return named
    first, last = _name(sides[0]), _name(sides[-1])
    # The name first: in `x = y` either may be the name, and people write it on the left.
    if first and len(sides) == 2:
        return Named(first, sides[1])
    if last and len(sides) == 2 and not _has_letters(sides[0]):
        return Named(last, sides[0])
    if len(sides) > 2 or not any(map(_has_letters, sides)):
        return _worked_out(sides[1:] if first else sides, first or "")
    formula = read_statement(text)
    return Formula(formula) if formula else Unread("no rule reads this equation")


def _names_of_a_point(left: str, right: str) -> Group | None:
    """`(x,y) = (1,2)` as `x = 1, y = 2`."""
    names, values = read_group(left), read_group(right)
    if (
        not names
        or not values
        or names.brackets != "()"
        or values.brackets != "()"
        or len(names.items) != len(values.items)
    ):
        return None
    if not all(re.fullmatch("[A-Za-z]", name) for name in names.items):
        return None
    return Group(
        "", tuple(f"{name} = {value}" for name, value in zip(names.items, values.items, strict=True))
    )


def _has_letters(text: str) -> bool:
    return bool(re.search("[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", text)))


def _worked_out(sides: list[str], name: str) -> Reading:
    """`9 * 2 = 18` says 18, where the sides are equal; a false equation says nothing but itself."""
    amounts = [read_amount(side) or _bare(side) for side in sides]
    values = {exact_value(one.term) for one in amounts if one}
    if not all(amounts) or len(values) != 1 or None in values:
        return (
            Literal("equation", form("=".join(sides)))
            if all(amounts)
            else Unread("no rule reads this equation")
        )
    text = next(
        (
            side
            for side, one in zip(reversed(sides), reversed(amounts), strict=True)
            if one and not one.standing
        ),
        sides[-1],
    )
    return Named(name, text) if name else read_amount(text) or Unread("no rule reads this equation")


def _bare(side: str) -> Amount | None:
    """A side as a constant; a difference of two numbers is one here."""
    term = constant_term(side)
    return Amount(term, "", True) if term else None
