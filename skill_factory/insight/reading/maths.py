r"""LaTeX maths as HTML that needs no script and no font of its own: fractions, roots, scripts, matrices, aligned lines.

It is what models write in their answers, not all of LaTeX. What isn't understood raises `Unreadable`, and the caller shows
the source. Every sign of the data is escaped; the tags are ours.
"""

import re
from collections.abc import Callable
from html import escape

from skill_factory.insight.reading.symbols import (
    ACCENTS,
    BELOW,
    BINARY,
    BLACKBOARD,
    BOLD,
    ESCAPED,
    FUNCTIONS,
    GREEK,
    LARGE,
    PLAIN,
    RELATIONS,
    SPACES,
    THROUGH,
    UPRIGHT,
)

LONGEST = 2_000
"""Characters of one formula; a longer one is shown as it is."""
DEEPEST = 30
"""Groups in one another."""
# A number with its separators is one token: 1,000 has no space behind its comma.
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|[0-9]+(?:[.,][0-9]+)*|.", re.DOTALL)
_SPACED = {**dict.fromkeys("=<>", 1), **dict.fromkeys("+-*", 2)}
_FENCES = {"(": "(", ")": ")", "[": "[", "]": "]", "|": "|", ".": ""}
ROWS = {"matrix": ("", ""), "pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "Bmatrix": ("{", "}"), "vmatrix": ("|", "|"), "Vmatrix": ("‖", "‖"), "smallmatrix": ("", ""), "cases": ("{", ""), "array": ("", ""), "aligned": ("", ""), "align": ("", ""), "alignat": ("", ""), "split": ("", ""), "gather": ("", ""), "gathered": ("", ""), "equation": ("", ""), "eqnarray": ("", ""), "multline": ("", "")}  # fmt: skip
"""Environments, and what stands around them."""


class Unreadable(Exception):
    """The source isn't maths that can be set here."""


def maths_html(source: str, display: bool = False) -> str:
    """A formula as HTML, with its source as the name for a screen reader. Errors: Unreadable."""
    if len(source) > LONGEST:
        raise Unreadable
    reader = _Reader(_TOKEN.findall(source.strip()), display)
    body = reader.lines()
    css = "sf-m sf-md" if display else "sf-m"
    return f'<span class="{css}" role="math" aria-label="{escape(source.strip())}">{body}</span>'


class _Reader:
    """Reads tokens from the left; each method gives the HTML of what it has read."""

    def __init__(self, tokens: list[str], display: bool) -> None:
        self._tokens, self._at, self._display, self._depth = tokens, 0, display, 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _skip_space(self) -> None:
        while self._peek().isspace():
            self._at += 1

    def lines(self) -> str:
        """The whole formula; lines outside any environment are rows, too."""
        rows = self._rows("")
        if self._peek():
            raise Unreadable
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else _table(rows, "")

    def _rows(self, end: str) -> list[list[str]]:
        """Rows of cells, up to the end of an environment or of everything."""
        rows = [[self._until(("&", "\\\\", "\\end"))]]
        while (token := self._peek()) in ("&", "\\\\"):
            self._take()
            if token == "\\\\":
                self._optional()
                rows.append([])
            rows[-1].append(self._until(("&", "\\\\", "\\end")))
        if end and (self._take() != "\\end" or self._name() != end):
            raise Unreadable
        # A line break behind the last row begins no new one.
        if len(rows) > 1 and rows[-1] in ([""], []):
            rows.pop()
        return rows

    def _until(self, stops: tuple[str, ...]) -> str:
        parts: list[str] = []
        while self._peek() and self._peek() not in stops:
            if self._peek() == "}":
                raise Unreadable
            part = self._with_scripts()
            if part in _SIGNS and (not parts or parts[-1].startswith(_OPEN)):
                part = f"<span>{_SIGNS[part]}</span>"  # a sign of one number, not between two
            if part:
                parts.append(part)
        return "".join(parts)

    # -- one thing with what is above and below it --

    def _with_scripts(self) -> str:
        token = self._peek()
        # In a display, limits stand above and below sums; integrals keep theirs at the side.
        stacked = self._display and ((token[1:] in LARGE and "int" not in token) or token[1:] in BELOW)
        base = "" if token in ("^", "_") else self._thing()
        while self._peek() in ("\\limits", "\\nolimits"):
            self._take()
        up = down = ""
        while self._peek() in ("^", "_", "'"):
            mark = self._take()
            if mark == "'":
                up += "′"
            elif mark == "^":
                up += self._argument()
            else:
                down += self._argument()
        if not up and not down:
            return base
        if stacked:
            return f'<span class="sf-mb"><span>{up}</span><span>{base}</span><span>{down}</span></span>'
        if up and down:
            return f'{base}<span class="sf-ms"><sup>{up}</sup><sub>{down}</sub></span>'
        return f"{base}<sup>{up}</sup>" if up else f"{base}<sub>{down}</sub>"

    def _argument(self) -> str:
        """A group, a command with its own arguments, or a single sign."""
        self._skip_space()
        token = self._peek()
        if not token or token in ("}", "&", "\\\\", "\\end", "^", "_"):
            raise Unreadable
        if token.isdigit() and len(token) > 1:  # x^12 is x¹ followed by 2
            self._tokens[self._at] = token[1:]
            return token[0]
        return self._thing()

    def _thing(self) -> str:
        token = self._take()
        if token.startswith("\\") and len(token) > 1:
            return self._command(token[1:].rstrip("*"), token)
        if token.isspace():
            return ""
        if token == "{":
            return self._group()
        if token == "~":
            return "\u00a0"
        if token in ("}", "&", "$", "#", "%"):
            raise Unreadable
        return _sign(token)

    def _group(self) -> str:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable
        body = self._until(("}",))
        if self._take() != "}":
            raise Unreadable
        self._depth -= 1
        return body

    def _raw(self) -> str:
        """The text of a group, as it is written."""
        self._skip_space()
        if self._take() != "{":
            raise Unreadable
        depth, parts = 1, []
        while depth:
            token = self._take()
            if not token:
                raise Unreadable
            depth += (token == "{") - (token == "}")
            parts.append(token)
        return "".join(parts[:-1])

    def _name(self) -> str:
        return self._raw().rstrip("*")

    def _optional(self) -> str:
        """What stands in square brackets here, as it is written; empty where none do."""
        if self._peek() != "[":
            return ""
        parts = []
        while self._peek() and self._peek() != "]":
            parts.append(self._take())
        self._take()
        return "".join(parts[1:])

    # -- commands --

    def _command(self, name: str, token: str) -> str:
        if name in _BUILDERS:
            return _BUILDERS[name](self)
        if name in UPRIGHT:
            return f'<span class="sf-mt">{_unescaped(self._raw())}</span>'
        if name in BOLD:
            return f"<b>{self._argument()}</b>"
        if name in ACCENTS:
            return f"{self._argument()}{ACCENTS[name]}"
        if name in LARGE:
            return f'<span class="sf-ml">{LARGE[name]}</span>'
        if name in FUNCTIONS:
            return f'<span class="sf-mt">{name}</span>\u2009'
        if name in THROUGH:
            return ""
        if name in RELATIONS:
            return _spaced(escape(RELATIONS[name]))
        if name in BINARY:
            return _spaced(BINARY[name])
        for table in (GREEK, PLAIN, SPACES, ESCAPED):
            if name in table:
                return escape(table[name])
        raise Unreadable

    def fraction(self) -> str:
        """One over the other."""
        over, under = self._argument(), self._argument()
        return f'<span class="sf-mf"><span>{over}</span><span>{under}</span></span>'

    def binomial(self) -> str:
        """One over the other, without a line, in brackets."""
        over, under = self._argument(), self._argument()
        return f'<span class="sf-mg">(</span><span class="sf-mf sf-mn"><span>{over}</span><span>{under}</span></span><span class="sf-mg">)</span>'

    def root(self) -> str:
        """A root, with its degree if it has one."""
        self._skip_space()
        degree = self._optional()
        small = f"<sup>{escape(degree)}</sup>" if degree else ""
        return (
            f'<span class="sf-mr">{small}<span>√</span><span class="sf-mo">{self._argument()}</span></span>'
        )

    def fenced(self) -> str:
        r"""What stands between `\left` and `\right`."""
        opening = self._fence()
        body = self._until(("\\right",))
        if self._take() != "\\right":
            raise Unreadable
        closing = self._fence()
        # Brackets around something tall are tall.
        css = "sf-mg" if 'class="sf-mf' in body or 'class="sf-mx' in body else "sf-mp"
        return f'<span class="{css}">{opening}</span>{body}<span class="{css}">{closing}</span>'

    def _fence(self) -> str:
        self._skip_space()
        token = self._take()
        if token in _FENCES:
            return _FENCES[token]
        name = token[1:] if token.startswith("\\") else ""
        for table in (ESCAPED, PLAIN):
            if name in table:
                return escape(table[name])
        raise Unreadable

    def boxed(self) -> str:
        """A frame around an answer."""
        return f'<span class="sf-mbox">{self._argument()}</span>'

    def line(self, css: str) -> str:
        """Something with a line above, below or through it."""
        return f'<span class="{css}">{self._argument()}</span>'

    def blackboard(self) -> str:
        """The letters of number sets."""
        return "".join(BLACKBOARD.get(sign, escape(sign)) for sign in self._raw())

    def modulus(self) -> str:
        """In brackets, with its word."""
        return f"\u2003(mod\u2009{self._argument()})"

    def over(self, above: bool) -> str:
        """Something small above or below something."""
        small, base = self._argument(), self._argument()
        up, down = (small, "") if above else ("", small)
        return f'<span class="sf-mb"><span>{up}</span><span>{base}</span><span>{down}</span></span>'

    def environment(self) -> str:
        """A matrix, cases or aligned lines."""
        name = self._name()
        if name not in ROWS:
            raise Unreadable
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable
        if name in ("array", "alignat"):
            self._raw()
        rows = self._rows(name)
        self._depth -= 1
        left, right = ROWS[name]
        return f"{_bracket(left)}{_table(rows, name)}{_bracket(right)}"

    def skipped(self) -> str:
        """A command whose argument isn't shown."""
        self._raw()
        return ""

    def tag(self) -> str:
        """The number of an equation."""
        return f"\u2003({_unescaped(self._raw())})"


_BUILDERS: dict[str, Callable[[_Reader], str]] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), _Reader.fraction),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), _Reader.binomial),
    "sqrt": _Reader.root,
    "left": _Reader.fenced,
    "boxed": _Reader.boxed,
    "fbox": _Reader.boxed,
    "overline": lambda reader: reader.line("sf-mo"),
    "underline": lambda reader: reader.line("sf-mu"),
    "cancel": lambda reader: reader.line("sf-mk"),
    "bcancel": lambda reader: reader.line("sf-mk"),
    "mathbb": _Reader.blackboard,
    "pmod": _Reader.modulus,
    "overset": lambda reader: reader.over(True),
    "stackrel": lambda reader: reader.over(True),
    "underset": lambda reader: reader.over(False),
    "overbrace": lambda reader: reader.line("sf-mo"),
    "underbrace": lambda reader: reader.line("sf-mu"),
    "begin": _Reader.environment,
    "color": _Reader.skipped,
    "label": _Reader.skipped,
    "phantom": _Reader.skipped,
    "tag": _Reader.tag,
}


def _sign(token: str) -> str:
    if token in _SPACED:
        return _spaced(escape(token.replace("-", "−").replace("*", "∗")))
    if token.isalpha() and token.isascii():
        return f"<i>{token}</i>"
    return f"{escape(token)}\u2009" if token == "," else escape(token)


def _spaced(sign: str) -> str:
    return f'<span class="sf-mop">{sign}</span>'


_SIGNS = {_spaced(sign): sign for sign in "−+±∓"}
_OPEN = ('<span class="sf-mop">', "(", "[", "{", ",", "|")


def _unescaped(text: str) -> str:
    """The text of a `\\text{…}`: its escaped signs are meant as they are."""
    return escape(re.sub(r"\\([{}$%&#_ ])", r"\1", text))


def _table(rows: list[list[str]], name: str) -> str:
    css = "sf-mx sf-ma" if name in ("aligned", "align", "split", "alignat", "eqnarray", "") else "sf-mx"
    css += " sf-mc" if name == "cases" else ""
    lines = "".join(
        f'<span class="sf-mxr">{"".join(f"<span>{cell}</span>" for cell in row)}</span>' for row in rows
    )
    return f'<span class="{css}">{lines}</span>'


def _bracket(sign: str) -> str:
    return f'<span class="sf-mbr">{escape(sign)}</span>' if sign else ""
