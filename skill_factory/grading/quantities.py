r"""Numbers and constants with their units: `$1,234.50`, `18 eggs`, `\frac{\sqrt 3}{2}`, `12.5\%`, `12\pi \text{ cm}^2`, `3小时`.

The rules, once: a text is an amount as a whole or not at all; values are exact (`0.33` is not `1/3`); a unit that only
one side names is let go, two that differ are not; nothing is converted unless that is asked for, but percent, which
equals its hundredth and, above 1, the bare number (`50%` is `0.5` and is `50`).
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from skill_factory.grading.expressions import Term, read_statement
from skill_factory.grading.numerals import chinese, number_head, spoken
from skill_factory.grading.plain import LONGEST, stated
from skill_factory.grading.units import UNITS, converted, read_unit, same_unit
from skill_factory.grading.values import letters_of, value_at

NOTHING: frozenset[str] = frozenset()


class Amount(NamedTuple):
    """A constant and its unit in one spelling (empty: none named)."""

    term: Term
    unit: str = ""
    standing: bool = False
    """A sum or product of plain numbers that was not worked out, `9 * 2`."""

    @property
    def value(self) -> Fraction | None:
        """The exact value, where it is rational."""
        return exact_value(self.term)


@lru_cache(maxsize=256)
def exact_value(term: Term) -> Fraction | None:
    """What a constant is worth, or None if that isn't a fraction."""
    if term.what == "number":
        return term.number
    found = value_at(term, [], 0)
    return found.number if found is not None and isinstance(found.number, Fraction) else None


def number_term(value: Fraction) -> Term:
    """A number as a term."""
    return Term("number", number=value)


_MONEY = re.compile(
    r"(?P<sign>[+-]? ?)(?P<money>US\$|[A-Z]{3}(?= ?[0-9.])|\$|€|£|¥|₹|₩|Rs\.?(?= ?[0-9])) ?(?P<sign2>[+-]?)(?P<rest>.+)"
)
_BIG_MONEY = {
    "k": 1000,
    "K": 1000,
    "M": 10**6,
    "m": 10**6,
    "B": 10**9,
    "b": 10**9,
    "bn": 10**9,
    "mn": 10**6,
    "T": 10**12,
}
_STARTS = re.compile(
    r"[0-9A-Za-z)}!](?= ?(?:\^ ?\{? ?\\circ|[%\"'°]))|[0-9)}!](?= [A-Za-z$€£])|\\pi(?= [A-Za-z])|[0-9)}](?=[^\x00-\x7f])"
)


def read_amount(text: str, asked: frozenset[str] = NOTHING) -> Amount | None:
    """The one amount that a plain text states, or None; `asked` are words of the question that may be counted."""
    text = stated(text) if len(text) <= LONGEST else ""
    if not text:
        return None
    return _money(text, asked) or _measured(text, asked) or _said(text, asked) or _constant(text, asked)


def _money(text: str, asked: frozenset[str]) -> Amount | None:
    found = _MONEY.fullmatch(text)
    if not found or not (unit := read_unit(found["money"].removesuffix("."))):
        return None
    rest = found["rest"].strip()
    # K, M and B mean thousands and millions behind money only: `5 m` are metres.
    short = re.fullmatch(r"([0-9.,]+) ?(k|K|M|m|B|b|bn|mn|T)", rest)
    head = number_head(short[1] if short else rest)
    if head is None or rest[:1] in "+-" or (short and head.rest):
        return None
    value = head.value * (_BIG_MONEY[short[2]] if short else 1)
    sign = -1 if "-" in found["sign"] + found["sign2"] else 1
    after = "" if short else head.rest.strip()
    whole = _after_money(unit, after, asked)
    return Amount(number_term(value * sign), whole) if whole else None


def _after_money(unit: str, after: str, asked: frozenset[str]) -> str | None:
    """The unit of `$5`, `$5 USD`, `$5 per day`; None where what follows says something else."""
    if not after:
        return unit
    if after.startswith(("per ", "a ", "an ", "/", "each")):
        return unit if after == "each" else read_unit(f"{unit} {after}", asked)
    again = read_unit(after, asked)
    return again if again is not None and again.split("/")[0] == unit else None


def _measured(text: str, asked: frozenset[str]) -> Amount | None:
    """A number in digits with what follows it."""
    head = number_head(text)
    if head is None:
        return None
    if not head.rest:
        return Amount(number_term(head.value))
    touching = head.rest[0].isascii() and head.rest[0].isalpha()
    if touching and len(head.rest) == 1:
        return None  # `5x` and `5m` may be products
    unit = _feet(head.rest) or read_unit(
        head.rest.strip().lstrip("-")
        if head.rest[0] == "-" and head.rest[1:2].isalpha()
        else head.rest.strip(),
        asked,
    )
    if unit is None or (touching and read_unit(head.rest) is None):
        return None
    return Amount(number_term(head.value), unit)


def _feet(rest: str) -> str | None:
    return "foot" if rest.strip() == "'" else None


def _said(text: str, asked: frozenset[str]) -> Amount | None:
    """A number in words, with or without a unit."""
    if text.startswith("百分之") and (share := chinese(text[3:])) is not None:
        return Amount(number_term(share), "%")
    if not re.search("[A-Za-z]{3}|[^\x00-\x7f]", text):
        return None
    if (value := spoken(text)) is not None:
        return Amount(number_term(value))
    if not text.isascii():
        return _said_in_han(text)
    words = text.split()
    for cut in range(len(words) - 1, max(0, len(words) - 6), -1):
        unit = read_unit(" ".join(words[cut:]), asked)
        if unit is not None and (value := spoken(" ".join(words[:cut]))) is not None:
            return Amount(number_term(value), unit)
    return None


def _said_in_han(text: str) -> Amount | None:
    for cut in range(1, min(6, len(text))):
        if (unit := UNITS.get(text[cut:].strip())) and (value := chinese(text[:cut])) is not None:
            return Amount(number_term(value), unit)
    return None


def _constant(text: str, asked: frozenset[str]) -> Amount | None:
    """Roots, powers, π and the like, with a unit behind a space or none."""
    if whole := constant_term(text):
        return Amount(whole, "", _standing(whole, text))
    # A unit stands at the end, so only the last places are tried.
    for found in list(_STARTS.finditer(text))[-8:]:
        head, rest = text[: found.end()], text[found.end() :]
        if (unit := read_unit(rest, asked)) and (term := constant_term(head)):
            return Amount(term, unit, _standing(term, head))
    return None


@lru_cache(maxsize=256)
def constant_term(text: str) -> Term | None:
    """A text without letters as a term with a value, or None."""
    statement = read_statement(text)
    if statement is None or statement.relation or letters_of(statement.term):
        return None
    return statement.term if value_at(statement.term, [], 0) is not None else None


_OPERATED = re.compile(r"[0-9a-zA-Z)}\]!] ?(?:[-+*]|\\cdot|\\times)")


def _standing(term: Term, text: str) -> bool:
    return bool(_OPERATED.search(text)) and _plain(term)


def _plain(term: Term) -> bool:
    """Are there but numbers, joined by the four operations and whole powers?"""
    if term.what == "number":
        return True
    whole = term.what != "^" or (term.parts[1].what == "number" and term.parts[1].number.denominator == 1)
    return term.what in ("+", "*", "/", "^") and whole and all(map(_plain, term.parts))


def units_fit(answer: Amount, gold: Amount) -> bool:
    """May the two be compared by value: the same unit, or one of them none?"""
    return not answer.unit or not gold.unit or same_unit(answer.unit, gold.unit)


def same_share(answer: Amount, gold: Amount) -> bool:
    """Percent against a bare number: its hundredth, and above 1 the number itself."""
    share, bare = (answer, gold) if answer.unit == "%" else (gold, answer)
    if share.value is None or bare.value is None:
        return False
    # Up to 1 only the hundredth counts: otherwise 1 % would be 1.
    return share.value / 100 == bare.value or (share.value == bare.value and abs(bare.value) > 1)


def same_after_conversion(answer: Amount, gold: Amount) -> bool:
    """Equal in another unit of the same measure: 3 hours and 180 minutes."""
    if answer.value is None or gold.value is None or not answer.unit or not gold.unit:
        return False
    return converted(answer.value, answer.unit) == converted(gold.value, gold.unit)
