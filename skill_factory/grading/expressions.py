r"""Short algebra read into a tree: `2x+1`, `\frac{\sqrt{3}}2`, `\sin^2 x`, `9\frac13`, `5!`, `x \le 3`. Linear in the text.

What people read in two ways is not read at all, instead of being guessed: `1/2x`, `x^23`, `\sqrt 16`, `\sin x \cdot y`,
`f(x)`, `2\frac12 x`, `{a+b}c`. Letters stand side by side as products; `\log` is of base 10, as in math-verify.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from skill_factory.grading.plain import LONGEST


class Term(NamedTuple):
    """A number, a letter, or what is done (`+ * / ^`, a function's name) to other terms."""

    what: str
    parts: tuple["Term", ...] = ()
    number: Fraction = Fraction(0)


class Statement(NamedTuple):
    """An expression, where `relation` is empty, or an equation or inequality: left side minus right side."""

    relation: str
    term: Term


MOST_SIGNS = 100
"""Numbers, letters, commands and signs of one text: they bound the work, and an answer has thirty."""
FUNCTIONS = frozenset("sin cos tan cot sec csc arcsin arccos arctan ln log exp".split())  # noqa: SIM905
_GREEK = frozenset("theta alpha beta gamma lambda mu omega phi".split())  # noqa: SIM905
_RELATIONS = {"=": "=", "<": "<", ">": ">", "\\lt": "<", "\\gt": ">", "\\ne": "\\ne", "\\neq": "\\ne"} | {
    "\\le": "\\le",
    "\\leq": "\\le",
    "<=": "\\le",
    "\\ge": "\\ge",
    "\\geq": "\\ge",
    ">=": "\\ge",
}
_WORDS = frozenset("on no is of or so do go he we if to up us in it my me by".split())  # noqa: SIM905
"""Two letters that aren't a product: `on` is not `no`."""
_SIGN = re.compile(r" *(\\[A-Za-z]+|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[<>]=|[A-Za-z]+|[^ ])")
_MOST_DEEP = 12
_DIVIDED = frozenset(["/", "\\div"])
_TIMES = frozenset(["*", "\\cdot", "\\times"])
_FRACTIONS = frozenset(["\\frac", "\\dfrac", "\\tfrac", "\\binom"])
_ROUNDED = {"\\lfloor": ("floor", "\\rfloor"), "\\lceil": ("ceil", "\\rceil")}
_VOWELS = frozenset("aeiou")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
MINUS_ONE = Term("number", number=Fraction(-1))


class _Unreadable(Exception):
    """The text isn't algebra that is read here in one way only."""


@lru_cache(maxsize=64)  # the parts of a set are compared each with each
def read_statement(text: str) -> Statement | None:
    """The expression, equation or inequality that the text is, or None."""
    if len(text) > LONGEST or not text.isascii():
        return None
    try:
        return _Reader(text).statement()
    except _Unreadable:
        return None


class _Reader:
    """One pass over the signs of a text; each method reads what it is named after and stands behind it."""

    def __init__(self, text: str) -> None:
        self.signs: list[str] = []
        for sign in _SIGN.findall(_in_one_spelling(text)):
            letters = sign.isalpha() and sign not in FUNCTIONS and sign not in ("sqrt", "pi")
            self.signs += list(sign) if letters else [sign]
            # `abc` is a product; a word has a vowel, or is one of the short ones.
            if letters and (sign.lower() in _WORDS or (len(sign) > 2 and _VOWELS & set(sign.lower()))):
                raise _Unreadable  # a word
        if len(self.signs) > MOST_SIGNS:
            raise _Unreadable
        self.at = self.depth = self.bars = 0

    def statement(self) -> Statement:
        left = self.sum()
        relation = _RELATIONS.get(self.next())
        if relation is None:
            self.expect("")
            return Statement("", left)
        self.at += 1
        right = self.sum()
        self.expect("")
        return Statement(relation, Term("+", (left, _negative(right))))

    def next(self, further: int = 0) -> str:
        place = self.at + further
        return self.signs[place] if place < len(self.signs) else ""

    def take(self) -> str:
        self.at += 1
        return self.next(-1)

    def expect(self, sign: str) -> None:
        if self.take() != sign:
            raise _Unreadable

    def sum(self) -> Term:
        terms = [self.product()]
        while self.next() in ("+", "-"):
            negative = self.take() == "-"
            term = self.product()
            terms.append(_negative(term) if negative else term)
        return Term("+", tuple(terms)) if len(terms) > 1 else terms[0]

    def product(self) -> Term:
        made = self.signed()
        while self.next() in _TIMES or self.next() in _DIVIDED:
            if self.take() in _TIMES:
                made = Term("*", (made, self.signed()))
                continue
            made = Term("/", (made, self.power()))
            if self.begins_factor():
                raise _Unreadable  # `1/2x`
        return made

    def signed(self) -> Term:
        negative = False
        while self.next() in ("+", "-"):
            negative ^= self.take() == "-"
        term = self.factors()
        return _negative(term) if negative else term

    def factors(self) -> Term:
        r"""What stands side by side: `2\pi r`, `(x+1)(x-1)`, and the mixed number `9\frac13`."""
        # A whole number before a fraction is added to it, where everything else side by side is multiplied.
        mixed = self.next().isdigit() and self.next(1) in _FRACTIONS and self.next(1) != "\\binom"
        parts = [self.power()]
        while self.begins_factor():
            if self.next()[0].isdigit() or self.next() == "{":
                raise _Unreadable  # `2 3`, `2{3}`
            parts.append(self.power())
        if mixed and _whole(parts[1]):
            if len(parts) > 2 or not 0 < parts[1].parts[0].number < parts[1].parts[1].number:
                raise _Unreadable  # is `2\frac12 x` five halves of x?
            return Term("+", tuple(parts))
        return Term("*", tuple(parts)) if len(parts) > 1 else parts[0]

    def begins_factor(self) -> bool:
        sign = self.next()
        if sign == "|":
            return not self.bars
        return sign in _CLOSING or sign[:1].isalnum() or self.command() in _FACTORS

    def command(self) -> str:
        return self.next().removeprefix("\\")

    def power(self) -> Term:
        applied = self.command() in FUNCTIONS
        base = self.applied() if applied else self.atom()
        if self.next() == "!":
            return self.factorial(base, applied)
        if self.next() != "^":
            return base
        if applied and base.what == "^":
            raise _Unreadable  # `\sin^2(x)^2`
        return Term("^", (base, self.exponent()))

    def factorial(self, base: Term, applied: bool) -> Term:
        self.at += 1
        if applied or self.next() in ("!", "^", "_"):
            raise _Unreadable  # `\\sin x!`, `3!!`, `3!^2`
        return Term("!", (base,))

    def exponent(self) -> Term:
        self.expect("^")
        if self.next() in ("{", "("):
            raised = self.bracketed()
        elif self.next().isalnum() and len(self.next()) == 1:
            raised = self.atom(plain=True)
        else:
            raise _Unreadable  # `x^23`, `x^-1`, `^\circ`
        if self.next() in ("^", "_"):
            raise _Unreadable
        return raised

    def bracketed(self) -> Term:
        closing = _CLOSING[self.take()]
        self.depth += 1
        if self.depth > _MOST_DEEP:
            raise _Unreadable
        # Within brackets a bar opens a new absolute value, whatever is open outside.
        bars, self.bars = self.bars, 0
        inside = self.sum()
        self.bars = bars
        self.expect(closing)
        self.depth -= 1
        return inside

    def atom(self, plain: bool = False) -> Term:
        r"""A number, letter, bracket, fraction, root or absolute value; `plain` takes no subscript."""
        sign = self.next()
        if sign[:1].isdigit() or (sign[:1] == "." and len(sign) > 1):
            return Term("number", number=self.digits())
        if sign in ("(", "["):
            return self.bracketed()
        if sign == "{":
            return self.braced()
        if sign == "|":
            return self.absolute()
        if sign in _FRACTIONS:
            return self.fraction()
        if sign in _ROUNDED:
            return self.rounded()
        if self.command() == "sqrt":
            return self.root()
        if self.command() == "pi":
            self.at += 1
            return Term("pi")
        return self.letter(plain)

    def digits(self) -> Fraction:
        number = self.take()
        if self.next() == "," or self.next() == "_":
            raise _Unreadable
        return Fraction(number)

    def braced(self) -> Term:
        """Braces hold one piece: TeX does not show them, so that `{a+b}c` would look like another sum."""
        inside = self.bracketed()
        if inside.what in ("+", "*", "/") or inside.number < 0:
            raise _Unreadable
        return inside

    def absolute(self) -> Term:
        self.at += 1
        self.bars += 1
        if self.bars > 1:
            raise _Unreadable
        inside = self.sum()
        self.expect("|")
        self.bars -= 1
        return Term("abs", (inside,))

    def fraction(self) -> Term:
        binomial = self.take() == "\\binom"
        if self.next().isdigit() and len(self.next()) == 2:  # `\frac12`
            upper, lower = (Term("number", number=Fraction(digit)) for digit in self.take())
        else:
            upper, lower = self.argument(), self.argument(last=True)
        return Term("binom" if binomial else "/", (upper, lower))

    def rounded(self) -> Term:
        """The whole number below or above."""
        name, closing = _ROUNDED[self.take()]
        inside = self.sum()
        self.expect(closing)
        return Term(name, (inside,))

    def argument(self, last: bool = False) -> Term:
        r"""What a command takes: braces, or one sign; `\frac123` and `\sqrt 16` are unclear."""
        if self.next() == "{":
            return self.bracketed()
        if len(self.next()) == 1 and self.next().isalnum():
            found = self.atom(plain=True)
            if last and self.next()[:1].isdigit():
                raise _Unreadable
            return found
        raise _Unreadable

    def root(self) -> Term:
        self.at += 1
        index = Term("number", number=Fraction(2))
        if self.next() == "[":
            index = self.bracketed()
        inside = self.bracketed() if self.next() == "(" else self.argument(last=True)
        if index.what != "number" or not index.number:
            raise _Unreadable
        return Term("^", (inside, Term("number", number=1 / index.number)))

    def letter(self, plain: bool) -> Term:
        sign = self.take()
        name = sign.removeprefix("\\")
        if not (len(sign) == 1 and sign.isascii() and sign.isalpha() and sign != "I") and name not in _GREEK:
            raise _Unreadable
        if plain:
            return Term(name)
        if self.next() == "_":
            self.at += 1
            name += "_" + self.subscript()
        if self.next() == "(" and (name[0] in "fghFGH" or self.next(2) == ")"):
            raise _Unreadable  # a function of one's own, `f(x)`
        return Term(name)

    def subscript(self) -> str:
        if self.next() == "{" and self.next(2) == "}":
            self.at += 1
            found = self.take()
            self.at += 1
        else:
            found = self.take()
            if len(found) > 1:
                raise _Unreadable
        if not found.isalnum():
            raise _Unreadable
        return found

    def applied(self) -> Term:
        """A function with its exponent or base and what it is applied to."""
        name = self.command()
        self.at += 1
        base = Term("number", number=Fraction(10))
        if name == "log" and self.next() == "_":
            self.at += 1
            base = self.argument()
        raised = self.exponent() if self.next() == "^" else None
        # By convention sin^{-1} is the inverse function, not one over the sine.
        if raised == MINUS_ONE and name in ("sin", "cos", "tan"):
            name, raised = f"arc{name}", None
        if raised is not None and (raised.what != "number" or raised.number < 1):
            raise _Unreadable
        inside = self.applied_to()
        made = Term("ln" if name == "log" else name, (inside,))
        made = Term("/", (made, Term("ln", (base,)))) if name == "log" else made
        return Term("^", (made, raised)) if raised else made

    def applied_to(self) -> Term:
        r"""A bracket, or a product that no one reads otherwise: `\sin 2x`, but neither `\sin x/2` nor `\sin x(x+1)`."""
        if self.next() == "(":
            return self.bracketed()
        if self.next() in ("[", "|", "{"):
            parts = [self.bracketed() if self.next() == "{" else self.atom()]
            simple = not self.begins_factor() and self.next() != "^"
        else:
            parts = self.bare()
            simple = len(parts) == 1 or not any(part.parts or part.what == "e" for part in parts)
        if not parts or not simple or self.next() in _TIMES or self.next() in _DIVIDED:
            raise _Unreadable
        return Term("*", tuple(parts)) if len(parts) > 1 else parts[0]

    def bare(self) -> list[Term]:
        parts: list[Term] = []
        while self.begins_factor() and self.command() not in FUNCTIONS:
            if parts and (self.next()[0].isdigit() or self.next() in ("(", "[", "{", "|")):
                raise _Unreadable
            parts.append(self.power())
        return parts


_FACTORS = FUNCTIONS | _GREEK | {"frac", "dfrac", "tfrac", "binom", "lfloor", "lceil", "sqrt", "pi"}


_TRIGONOMETRIC = re.compile("sin|cos|tan|cot|sec|csc")
_DEGREES = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?\^ ?(?:\\circ(?![a-z])|\{ ?\\circ ?\})")


def _in_one_spelling(text: str) -> str:
    r"""`{a \over b}` as a fraction, `{n \choose k}` as a binomial, `**` as a power."""
    text = re.sub(r"\\(?:left|right)(?![A-Za-z])", " ", text).replace("**", "^")
    # `x^-1` isn't read, since TeX raises the minus alone; 10^-3 has one meaning as people write it.
    text = re.sub(r"(?<![0-9A-Za-z.})])10 ?\^ ?-([0-9]{1,3})(?![0-9.])", r"10^{-\1}", text)
    # Only beside a function: `30^\circ` as an answer is an angle, and keeps its unit.
    if _TRIGONOMETRIC.search(text):
        text = _DEGREES.sub(r"(\1\\pi/180)", text)
    text = re.sub(r"\{([^{}]{1,80})\\over(?![a-z])([^{}]{1,80})\}", r"\\frac{\1}{\2}", text)
    return re.sub(r"\{([^{}]{1,80})\\choose(?![a-z])([^{}]{1,80})\}", r"\\binom{\1}{\2}", text)


def _negative(term: Term) -> Term:
    return term._replace(number=-term.number) if term.what == "number" else Term("*", (MINUS_ONE, term))


def _whole(term: Term) -> bool:
    """Is this a fraction of two whole numbers?"""
    return term.what == "/" and all(
        part.what == "number" and part.number.denominator == 1 for part in term.parts
    )
