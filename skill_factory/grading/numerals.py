r"""Numbers in digits and words, exact: `1,234.5`, `12 500`, `-3/4`, `2 1/4`, `3.2 x 10^5`, `1.25 million`, `0.\overline{3}`, `two thirds`, `三分之二`.

A text is a number as a whole or not at all. Commas and spaces must group thousands (or lakhs); a full stop is always
the decimal point, so that `12.500` is twelve and a half.
"""

import re
from fractions import Fraction
from typing import NamedTuple


class Head(NamedTuple):
    """A number that a text begins with, and what follows it."""

    value: Fraction
    rest: str


_GROUPED = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9,])|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?![0-9,])|[1-9][0-9]{0,2}(?:'[0-9]{3})+(?![0-9'])|[1-9][0-9]{0,2}(?: [0-9]{3})+(?![0-9 /])(?!/)|[0-9]+"
DECIMAL = rf"(?:(?:{_GROUPED})(?:\.(?:[0-9]+|(?![0-9.])))?|\.[0-9]+)"
_TEN = r"(?: ?(?:\*|[xX]|\\times|\\cdot) ?10 ?(?:\^|\*\*) ?(?:\{ ?(?P<ten>[+-]? ?[0-9]{1,3}) ?\}|\((?P<ten2>[+-]?[0-9]{1,3})\)|(?P<ten3>[+-]?[0-9]{1,3}))|[eE](?P<exp>[+-]?[0-9]{1,3})(?![0-9]))"
_HEAD = re.compile(
    r"(?P<sign>[+-]? ?)(?:"
    r"(?P<whole>[0-9]{1,40})(?: | and )(?P<top>[0-9]{1,40}) ?/ ?(?P<bottom>[0-9]{1,40})(?![0-9.]| ?/)"
    r"|\(?(?P<num>-?[0-9]{1,40})\)? ?/ ?\(?(?P<den>-?[0-9]{1,40})\)?(?![0-9.]| ?/)"
    rf"|(?P<digits>{DECIMAL})(?![0-9]|[.,][0-9]){_TEN}?)"
)
_REPEATING = re.compile(
    r"(?P<sign>[+-]? ?)(?P<whole>[0-9]{0,20})\.(?P<once>[0-9]{0,20})"
    r"(?:\\(?:overline|bar|dot|overbar) ?(?:\{ ?(?P<again>[0-9]{1,20}) ?\}|(?P<digit>[0-9]))|(?P<lined>(?:[0-9]\u0305){1,20}))(?![0-9.,])"
)
_GOES_ON = re.compile(
    r"(?P<sign>[+-]? ?)(?P<whole>[0-9]{1,20})\.(?P<once>[0-9]{0,20}?)(?P<digit>[0-9])(?P=digit){2,} ?(?:\.\.\.|\\ldots)(?P<again>)(?P<lined>)"
)
"""`0.333...`: the last digit stands three times or more; twice may be chance, as in `1.4422...`."""
LONGEST_NUMBER = 300
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12} | {
    "mn": 10**6, "bn": 10**9, "tn": 10**12, "lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7,
    "dozen": 12, "dozens": 12, "quadrillion": 10**15,
}  # fmt: skip


def number_head(text: str) -> Head | None:
    """The number in digits at the beginning of a text, its scale (`million`) included."""
    if len(text) > LONGEST_NUMBER:
        return None
    if repeating := _REPEATING.match(text) or _GOES_ON.match(text):
        return Head(_repeated(repeating), text[repeating.end() :])
    found = _HEAD.match(text)
    if found is None:
        return None
    value = _value(found)
    if value is None:
        return None
    rest = text[found.end() :]
    scale = re.match(r"(?: ?)([a-z]+)(?![A-Za-z])", rest)
    if scale and scale[1] in SCALES and (rest[0] == " " or len(scale[1]) > 1):
        further = number_head(f"1{rest[scale.end() :]}") if _scaled(rest[scale.end() :]) else None
        scaled = value * SCALES[scale[1]]
        return Head(scaled * further.value, further.rest) if further else Head(scaled, rest[scale.end() :])
    return Head(value, rest)


def _repeated(found: re.Match[str]) -> Fraction:
    r"""The value of a decimal whose last digits go on without end: `0.1\overline{6}` is 1/6."""
    once, again = found["once"], found["again"] or found["digit"] or found["lined"].replace("\u0305", "")
    tail = Fraction(int(again), (10 ** len(again) - 1) * 10 ** len(once))
    value = Fraction(f"{found['whole'] or 0}.{once or 0}") + tail
    return -value if "-" in found["sign"] else value


def _scaled(rest: str) -> bool:
    word = rest.split()[:1]
    return bool(word) and rest.startswith(" ") and word[0] in SCALES


def _value(found: re.Match[str]) -> Fraction | None:
    negative = "-" in found["sign"]
    if found["bottom"]:
        whole, top, bottom = int(found["whole"]), int(found["top"]), int(found["bottom"])
        value = whole + Fraction(top, bottom) if 0 < top < bottom else None
    elif found["den"]:
        value = Fraction(int(found["num"]), int(found["den"])) if int(found["den"]) else None
    else:
        value = Fraction(re.sub(r"[, ']", "", found["digits"].removesuffix(".")))
    if value is None:
        return None
    ten = found["ten"] or found["ten2"] or found["ten3"] or found["exp"] or "0"
    return (-value if negative else value) * Fraction(10) ** int(ten.replace(" ", ""))


_ONES = dict(
    zip(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"],
        range(20), strict=True,
    )
)  # fmt: skip
_TENS = dict(
    zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True)  # noqa: SIM905
)
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8} | {
    "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "sixteenth": 16, "twentieth": 20, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip


_PLACES = dict(zip(["first", "second", *list(_PARTS)[1:2]], (1, 2, 3), strict=True)) | {
    name: value for name, value in _PARTS.items() if value > 3 and name != "quarter"
}  # fmt: skip
_PLACES |= {f"{name}teenth": value + 10 for name, value in zip(("thir", "four", "fif", "seven", "eigh", "nine"), (3, 4, 5, 7, 8, 9), strict=True)}  # fmt: skip
_PLACES |= {f"{name[:-1]}ieth": value for name, value in _TENS.items()}


def place_in_order(text: str) -> int | None:
    """The number of a place in an order, `3rd`, `the twenty-first`, `second place`; a bare `third` is one too."""
    found = re.fullmatch(
        r"(?:the )?(?:([0-9]{1,6})(st|nd|rd|th)|([a-z]+)(?:[- ](?!place|one$)([a-z]+))?)(?: place| one)?",
        text.lower(),
    )
    if not found:
        return None
    if found[1]:
        number = int(found[1])
        # Only the right ending: `3th` is a slip of the pen, or something else.
        usual = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return number if found[2] == usual else None
    if not found[4]:
        return _PLACES.get(found[3])
    ones = _PLACES.get(found[4], 10)
    return _TENS[found[3]] + ones if found[3] in _TENS and ones < 10 else None


def spoken(text: str) -> Fraction | None:
    """The number that words say: `twenty-five`, `minus three`, `two thirds`, `4 and a half`, `三分之二`, `二十五`."""
    if len(text) > 80:
        return None
    words = text.lower().replace("-", " - ").split()
    if not words:
        return None
    if words[0] in ("minus", "negative", "-"):
        value = _positive(text.strip()[len(words[0]) :].strip())
        return -value if value is not None else None
    words = [word for word in words if word != "-"]
    if words[-1] == "dozen" and words[:-1] in ([], ["a"], ["one"], ["half", "a"]):
        return Fraction(6 if "half" in words else 12)
    return _fraction_words(words) if text.isascii() else chinese(text)


def _positive(text: str) -> Fraction | None:
    """What stands behind `minus`: a number in words or digits without a sign of its own."""
    head = number_head(text) if text[:1].isdigit() or text[:1] == "." else None
    return head.value if head and not head.rest else spoken(text) if text[:1].isalpha() else None


def _fraction_words(words: list[str]) -> Fraction | None:
    """Whole words, `… and a half`, `two thirds`, `7 tenths`."""
    part = words[-1].removesuffix("s") if words[-1] != "halves" else "half"
    if part not in _PARTS:
        return _counted_words(words) if len(words) > 1 or words[0].isalpha() else None
    head = words[:-1]
    split = len(head) - head[::-1].index("and") - 1 if "and" in head else -1
    whole = _counted_words(head[:split]) if split > 0 else Fraction(0)
    above = head[split + 1 :]
    top = Fraction(1) if above in ([], ["a"], ["an"]) else _counted_words(above)
    if whole is None or top is None or top.denominator > 1 or (split > 0 and not 0 < top < _PARTS[part]):
        return None
    return whole + top / _PARTS[part]


def _counted_words(words: list[str]) -> Fraction | None:
    if len(words) == 1 and re.fullmatch("[0-9]{1,12}", words[0]):
        return Fraction(int(words[0]))
    whole = _whole_words(words)
    return None if whole is None else Fraction(whole)


def _whole_words(words: list[str]) -> int | None:
    """`one hundred and five` and its like; None unless every word has its place."""
    total, below, least = 0, 0, 10**18
    any_ones = place = 0
    for word in words:
        if word in _ONES or word in _TENS:
            value = _ONES.get(word, _TENS.get(word, 0))
            room = (
                10 if below % 100 >= 20 and below % 10 == 0 else 100 if below % 100 == 0 and place != 1 else 0
            )
            # “twenty five” is a number, “five twenty” and “ten five” are two.
            if value >= (room or 1) or (value == 0 and len(words) > 1) or not room:
                return None
            below, any_ones, place = below + value, 1, 1 if value < 20 else 2
        elif word == "hundred" and (0 < below < 10 or (not any_ones and not below)):
            below, place = max(below, 1) * 100, 0
        elif word in ("thousand", "million", "billion", "trillion") and SCALES[word] < least and below:
            least = SCALES[word]
            total, below, place = total + below * least, 0, 0
        elif word == "a" and not below and not total and len(words) > 1 and words[1] in SCALES:
            below, place = 1, 1
        elif not (word == "and" and place == 0 and (below or total)):
            return None
    return total + below if any_ones or below or total else None


_HAN = dict(zip("〇一二三四五六七八九", range(10), strict=True)) | {"零": 0, "两": 2, "兩": 2, "○": 0}
_HAN_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}


def chinese(text: str) -> Fraction | None:
    """A number in Han digits, `5万`, a fraction as `三分之二`; hundredths (`百分之…`) are read with their unit."""
    text = text.strip()
    if scaled := re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([百千万萬亿億])", text):
        return Fraction(scaled[1]) * (_HAN_TENS | _HAN_SCALES)[scaled[2]]
    if text.startswith(("负", "負")):
        value = chinese(text[1:])
        return -value if value is not None else None
    below, divided, above = text.partition("分之")
    if divided:
        lower, upper = _han(below), _han(above)
        return Fraction(upper, lower) if upper is not None and lower else None
    if text in ("一半", "半"):
        return Fraction(1, 2)
    whole = _han(text)
    return None if whole is None else Fraction(whole)


def _han(text: str) -> int | None:
    if re.fullmatch("[0-9]{1,15}", text):
        return int(text)
    if not text or not all(sign in _HAN or sign in _HAN_TENS or sign in _HAN_SCALES for sign in text):
        return None
    # Without tens and hundreds, digits are read one after the other: 二〇二一 is 2021.
    if len(text) > 1 and all(sign in _HAN for sign in text):
        return int("".join(str(_HAN[sign]) for sign in text))
    total = below = digit = 0
    least = 10**12
    for sign in text:
        if sign in _HAN:
            if digit:
                return None
            digit = _HAN[sign]
        elif sign in _HAN_TENS:
            below, digit = below + (digit or 1) * _HAN_TENS[sign], 0
        else:
            if _HAN_SCALES[sign] >= least:
                return None
            least = _HAN_SCALES[sign]
            total, below, digit = total + (below + digit) * least, 0, 0
    return total + below + digit
