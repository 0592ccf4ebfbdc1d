r"""Numbers with their units: `$1,234.50`, `18 eggs`, `1 1/2`, `\frac{3}{4}`, `12.5\%`, `3 * 10^5`, `x = 7`.

The rules, once: commas must group thousands; values are exact (`0.33` is not `1/3`); a unit that only one side names
is let go, two that differ are not; nothing is converted (`1 km` is not `1000 m`) but percent, which equals its
hundredth and, above 1, the bare number (`50%` is `0.5` and is `50`); `7 = 7` and `x = 7` give 7, `8 = 7` gives nothing.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from skill_factory.grading.countdown import arithmetic, calculate
from skill_factory.grading.plain import LONGEST, plain


class Quantity(NamedTuple):
    """An exact value, its unit in one spelling (empty: none named) and the letter it was assigned to, if any."""

    value: Fraction
    unit: str = ""
    letter: str = ""


_SPELLINGS = {
    "$": "$ usd dollar dollars us$ \\$",
    "cent": "cent cents ¢",
    "€": "€ eur euro euros",
    "£": "£ gbp pound_sterling",
    "¥": "¥ yen",
    "%": "% \\% percent percents per_cent",
    "degree": "degree degrees deg ^\\circ ^{\\circ} \\degree",
    "m": "m meter meters metre metres",
    "km": "km kilometer kilometers kilometre kilometres",
    "cm": "cm centimeter centimeters centimetre centimetres",
    "mm": "mm millimeter millimeters",
    "inch": "in inch inches",
    "foot": "ft foot feet",
    "yard": "yd yard yards",
    "mile": "mi mile miles",
    "g": "g gram grams",
    "kg": "kg kilogram kilograms kilo kilos",
    "mg": "mg milligram milligrams",
    "lb": "lb lbs pound pounds",
    "ounce": "oz ounce ounces",
    "liter": "l liter liters litre litres",
    "ml": "ml milliliter milliliters",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "km/hour": "kmh kph",
    "mile/hour": "mph",
}
_UNITS = {spelling.replace("_", " "): unit for unit, all_ in _SPELLINGS.items() for spelling in all_.split()}
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
# Words that change a number instead of naming what is counted: `10 or more` is not `10`.
_NO_UNITS = frozenset("or and not to more less than least most about over plus minus times no by".split())  # noqa: SIM905

_FRACTION = re.compile(r"\\[dt]?frac *(?:\{ *(-?[0-9]{1,40}) *\} *\{ *(-?[0-9]{1,40}) *\}|([0-9]) ?([0-9]))")
_NUMBER = re.compile(
    r"(?P<sign>[+-]? ?)(?P<money>\\?\$|US\$|[€£¥])? ?(?P<sign2>[+-]?)"
    r"(?:(?P<whole>[0-9]{1,40})(?: |(?=\())\(?(?P<top>[0-9]{1,40})\)?/\(?(?P<bottom>[0-9]{1,40})\)?(?![0-9])"
    r"|\(?(?P<num>-?[0-9]{1,40})\)? ?/ ?\(?(?P<den>-?[0-9]{1,40})\)?(?![0-9.])"
    r"|(?P<digits>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])|[0-9]+)?(?:\.[0-9]+)?)(?![0-9]))"
    r"(?: ?\* ?10\^\{?(?P<ten>[+-]?[0-9]{1,2})\}?|[eE](?P<exp>[+-]?[0-9]{1,2})(?![0-9]))?"
)


def read_quantity(text: str) -> Quantity | None:
    """The one number that the text states, or None; over 300 characters it is no number."""
    if len(text) > LONGEST:
        return None
    text = plain(text)
    letter = ""
    head, equals, rest = text.rpartition("=")
    if equals:
        letter = head.strip()
        if not re.fullmatch(r"[A-Za-z](?:_\{?[A-Za-z0-9]\}?)?", letter):
            letter = ""
            if not _restates(head, rest):
                return None
        text = rest.strip()
    else:
        text = _LEAD.sub("", text)
    found = _quantity(_FRACTION.sub(lambda f: f" ({f[1] or f[3]})/({f[2] or f[4]})", text).strip())
    return found and found._replace(letter=letter)


_LEAD = re.compile(
    r"^(?:(?:so|thus|therefore|hence),? )?(?:the )?(?:final )?(?:answer|result|total|value)(?: is|:)? ",
    re.IGNORECASE,
)


def _restates(left: str, right: str) -> bool:
    """Is `left = right` true arithmetic, or are there words alone on the left?"""
    if not re.search("[0-9]", left):
        return bool(re.fullmatch(r"[A-Za-z ,']+", left.strip()))
    made, stated = calculate(arithmetic(left)), _quantity(right.strip())
    return made is not None and stated is not None and made.value == stated.value


def _quantity(text: str) -> Quantity | None:
    text = (
        text.replace("\\!", "")
        .replace("{,}", ",")
        .replace("\\,", " ")
        .replace("\\ ", " ")
        .replace("\\times", "*")
    )
    text = text.replace("\\cdot", "*")
    found = _NUMBER.match(text)
    if not found or not any(found[part] for part in ("whole", "num", "digits")):
        return None
    value = _value(found)
    unit = _unit(text[found.end() :], found["money"] or "")
    if value is None or unit is None:
        return None
    return Quantity(value * unit[0], unit[1])


def _value(found: re.Match[str]) -> Fraction | None:
    if found["bottom"]:
        parts = (int(found["whole"]), int(found["top"]), int(found["bottom"]))
        value = parts[0] + Fraction(parts[1], parts[2]) if parts[2] else None
    elif found["den"]:
        value = Fraction(int(found["num"]), int(found["den"])) if int(found["den"]) else None
    else:
        value = Fraction(found["digits"].replace(",", ""))
    if value is None:
        return None
    negative = "-" in found["sign"] or "-" in found["sign2"]
    return (-value if negative else value) * Fraction(10) ** int(found["ten"] or found["exp"] or 0)


def _unit(rest: str, money: str) -> tuple[int, str] | None:
    """The scale (`million`) and unit that follow a number; None where what follows is no unit."""
    touching = bool(rest) and not rest[0].isspace() and not rest.startswith("\\")
    words = re.sub(r"\\(?:text|mathrm|textbf|mbox) ?\{([^{}]*)\}", r" \1 ", rest).lower().split()
    scale = _SCALES.get(words[0], 1) if words else 1
    named = " ".join(words[1:] if scale != 1 else words).removesuffix(".")
    if not named:
        return scale, _UNITS[money.lower()] if money else ""
    if touching and (named not in _UNITS or (len(named) == 1 and named.isalpha())):
        return None  # `5x` and `5m` may be products
    unit = _rate(
        f"{money.lower()} {named}" if money and named.startswith(("per ", "a ", "/", "each")) else named
    )
    contradiction = money and unit and unit.split("/")[0] != _UNITS[money.lower()]
    return None if unit is None or contradiction else (scale, unit)


def _rate(named: str) -> str | None:
    """`dollars per day`, `$ a day`, `$ / day` → `$/day`; None where a part is no unit."""
    parts = [
        _counted(part.strip()) for part in re.split(r" (?:per|an?|each) |/", named.removesuffix(" each"))
    ]
    return "/".join(part for part in parts if part) if all(parts) and len(parts) < 3 else None


def _counted(name: str) -> str | None:
    """One spelling of a unit, a power of one, or what is counted (up to six words that change no number)."""
    if name in _UNITS:
        return _UNITS[name]
    raised = re.fullmatch(r"(square |cubic |sq\.? )?([a-z]{1,20})( squared| cubed|\^\{?[23]\}?)?", name)
    if raised and (raised[1] or raised[3]) and raised[2] in _UNITS:
        return f"{_UNITS[raised[2]]}^{3 if 'cub' in name or '3' in name else 2}"
    words = name.split()
    countable = (
        len(name) > 1 and len(words) <= 6 and not _NO_UNITS & set(words) and re.fullmatch(r"[a-z' -]+", name)
    )
    return " ".join(_singular(word) for word in words) if countable else None


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def same_quantity(answer: Quantity, gold: Quantity) -> bool:
    """Equal values under units that do not contradict each other."""
    if answer.letter and gold.letter and answer.letter != gold.letter:
        return False
    if answer.unit and gold.unit and answer.unit != gold.unit and "%" not in (answer.unit, gold.unit):
        return False
    if answer.unit == gold.unit or "%" not in (answer.unit, gold.unit):
        return answer.value == gold.value
    share, bare = (answer, gold) if answer.unit == "%" else (gold, answer)
    if bare.unit:
        return False
    return share.value / 100 == bare.value or (share.value == bare.value and abs(bare.value) > 1)
