r"""Model text as HTML to read: maths in `\[ \]`, `\( \)`, `$$` and `$`, light Markdown, code; line breaks as written.

Links and pictures stay the text that they are, so that nothing is fetched and nothing can be clicked. Everything is
escaped before any tag of ours is added, and pieces that are done stand as marks that no text can hold.
"""

import re
from html import escape

from skill_factory.insight.reading.maths import Unreadable, maths_html
from skill_factory.insight.trace_parts import fenced, visible

# What is repeated has a bound everywhere: a text of thousands of openings and no end costs each of them that much only.
_DISPLAY = re.compile(
    r"\\\[(?P<a>.{1,2000}?)\\\]|\$\$(?P<b>.{1,2000}?)\$\$|(?P<c>\\begin\{(?P<env>align|aligned|equation|gather|cases|eqnarray|multline|[pbvBV]?matrix|array)(?P<star>\*?)\}.{1,2000}?\\end\{(?P=env)(?P=star)\})",
    re.DOTALL,
)
# A dollar before a digit that is closed before a digit is money: "$5 and $10".
_INLINE = re.compile(
    r"\\\((?P<a>[^\n]{1,500}?)\\\)|(?<![\\$\w])\$(?P<b>(?!\s)(?:[^$\n\\]|\\[^\n]){0,500}?(?<!\s))\$(?![\d$\w])"
)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.{1,2000}?)(?<!`)\1(?!`)", re.DOTALL)
_FORMULA = re.compile(r"(?<!\w)\\boxed\{(?:[^{}\n]|\{[^{}\n]*\})*\}")
"""An answer in a box outside any maths, as many models close."""
# Texts have passed `visible`, which shows control characters as signs, so no text holds a mark.
_MARK = "\x02{}\x03"
_BLOCK_END = re.compile("\x04(?:[ \\t]*\n)?")
_MARKED = re.compile("\x02([0-9]+)\x03")
_TAGS = re.compile(r"&lt;/?(?:answer|verdict|think|sample|reflect)&gt;")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.MULTILINE)
# A line that begins with a minus and one letter is algebra, not an item of a list.
_BULLET = re.compile(r"^([ \t]*)[-*][ \t]+(?=[^\W\d_]{2}|\*\*|\x02)", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)(.{1,1000}?)(?<=\S)\*\*|(?<!\w)__(?=\S)(.{1,1000}?)(?<=\S)__(?!\w)")
_ITALIC = re.compile(r"(?<![*\w\\])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![*\w])")
_SLANTED = r"<i>\1</i>"
_TABLE = re.compile(
    r"^[ \t]*\|.+\|[ \t]*\n[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*\n?(?:[ \t]*\|.+\|[ \t]*(?:\n|\Z))*",
    re.MULTILINE,
)


def prose_html(text: str) -> str:
    """A text as HTML for an element that keeps line breaks."""
    html, after_block = [], False
    for is_code, piece in fenced(visible(text)):
        # A block ends its line by itself.
        html.append(
            _code_block(piece) if is_code else _prose(piece.removeprefix("\n") if after_block else piece)
        )
        after_block = is_code
    return "".join(html)


def _code_block(piece: str) -> str:
    """A fenced block without its fences; its language is named if it has one."""
    first, _, rest = piece.partition("\n")
    name = first.strip("`").strip()
    body = re.sub(r"\n?```[ \t]*$", "", rest)
    title = f'<span class="sf-lang">{escape(name)}</span>' if name else ""
    return f'<span class="sf-code">{title}{escape(body)}</span>'


class _Done:
    """Pieces that are HTML already; in the text a mark stands in the place of each."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def keep(self, html: str) -> str:
        self.pieces.append(html)
        return _MARK.format(len(self.pieces) - 1)

    def put_back(self, html: str) -> str:
        return _MARKED.sub(lambda found: self.pieces[int(found[1])], html)


def _prose(text: str) -> str:
    done = _Done()
    # First code, then maths, then Markdown: what one has put away is out of the reach of the next.
    text = _CODE.sub(lambda found: done.keep(f"<code>{escape(found[2])}</code>"), text)
    text = _DISPLAY.sub(lambda found: f"{_maths(found, done, True)}\x04", text)
    text = _INLINE.sub(lambda found: _maths(found, done, False), text)
    text = _FORMULA.sub(lambda found: _boxed(found[0], done), text)
    html = _markdown(escape(text.replace("\\$", "$")), done)
    return done.put_back(_BLOCK_END.sub("", html))


def _maths(found: re.Match[str], done: _Done, display: bool) -> str:
    # Code inside maths isn't maths: a mark in it stays for the code.
    source = next(part for part in found.groups() if part is not None)
    if "\x02" in source:
        return found[0]
    try:
        return done.keep(maths_html(source, display))
    except Unreadable:
        return done.keep(f'<span class="sf-tex">{escape(found[0])}</span>')


def _boxed(source: str, done: _Done) -> str:
    try:
        return done.keep(maths_html(source))
    except Unreadable:
        return source


def _markdown(html: str, done: _Done) -> str:
    """Light Markdown over escaped text."""
    html = _TAGS.sub(lambda found: f'<span class="sf-tag">{found[0]}</span>', html)
    html = _TABLE.sub(lambda found: done.keep(_table(found[0], done)), html)
    html = _RULE.sub('<span class="sf-rule"></span>', html)
    html = _HEADING.sub(r'<b class="sf-heading">\1</b>', html)
    html = _BULLET.sub(r"\1•  ", html)
    return _emphasised(html, done)


def _emphasised(html: str, done: _Done) -> str:
    # What is bold is put away whole, so that no slant begins inside it and ends outside.
    html = _BOLD.sub(
        lambda found: done.keep(f"<b>{done.put_back(_ITALIC.sub(_SLANTED, found[1] or found[2]))}</b>"), html
    )
    return _ITALIC.sub(_SLANTED, html)


def _table(source: str, done: _Done) -> str:
    """A table of Markdown; its cells hold emphasis, maths and code."""
    head, _, *rows = [line for line in source.split("\n") if line.strip()]

    def cells(line: str, tag: str) -> str:
        inside = line.strip().strip("|").split("|")
        return "".join(f"<{tag}>{done.put_back(_emphasised(cell.strip(), done))}</{tag}>" for cell in inside)

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<table class="sf-table"><thead><tr>{cells(head, "th")}</tr></thead><tbody>{body}</tbody></table>'
