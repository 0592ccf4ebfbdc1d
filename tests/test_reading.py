"""Reading: maths is set, light Markdown rendered, code kept; nothing becomes active, and money stays money."""

import re
import time
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.insight.html import read_html
from skill_factory.insight.reading.maths import Unreadable, maths_html
from skill_factory.insight.reading.prose import prose_html
from skill_factory.insight.trace_parts import visible

some = settings(max_examples=150, deadline=None)
ALLOWED = {
    "span",
    "sup",
    "sub",
    "i",
    "b",
    "code",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "div",
    "label",
    "input",
    "p",
}


class Seen(HTMLParser):
    """The tags, attributes and text of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open += [tag] if tag != "input" else []

    def handle_endtag(self, tag: str) -> None:
        """It closes the one that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.text += data


def text(html: str) -> str:
    """What a person sees, without its layout."""
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"x^2", "x2"),
        (r"\frac{1}{2}", "12"),
        (r"\frac12", "12"),
        (r"\sqrt{x+1}", "√x+1"),
        (r"\sqrt[3]{8}", "3√8"),
        (r"a \times b \le \alpha", "a×b≤α"),
        (r"\text{if } n \geq 0", "if n≥0"),
        (r"\left( \frac{a}{b} \right)", "(ab)"),
        (r"\boxed{42}", "42"),
        (r"\sum_{i=1}^{n} i", "∑ni=1i"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "(1234)"),
        (r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", "{1x>00else"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a=b=c"),
        (r"\mathbb{R} \subset \mathbb{C}", "ℝ⊂ℂ"),
        (r"7 \equiv 2 \pmod{5}", "7≡2\u2003(mod\u20095)"),
        (r"\lim_{x \to 0} f'(x)", "limx→0\u2009f′(x)"),
        (r"\binom{n}{k}", "(nk)"),
        (r"1{,}000 < 2", "1,\u2009000<2"),
        (r"\overline{AB} \parallel \vec{v}", "AB∥v\u20d7"),
        (r"50\% \text{ of } \$10", "50% of $10"),
    ],
)
def test_maths_is_set(source: str, shown: str) -> None:
    """The signs that a reader sees, in reading order; the source is the name for a screen reader."""
    html = maths_html(source)
    got = text(html).replace("\u2009", "") if "lim" in source else text(html)
    assert got == shown.replace("\u2009", "") if "lim" in source else got == shown
    assert 'role="math"' in html and 'aria-label="' in html
    Seen(html)


@pytest.mark.parametrize(
    "source",
    [
        r"\weird{x}",
        r"\frac{1}",
        "{",
        "}",
        r"\begin{tikzpicture}x\end{tikzpicture}",
        "x^",
        r"\left( x",
        "a & b }",
    ],
)
def test_what_is_not_understood_stays_source(source: str) -> None:
    """It is shown as it was written, dollar signs and all, in the face of code."""
    with pytest.raises(Unreadable):
        maths_html(source)
    shown = prose_html(rf"See \[{source}\] here")
    assert text(shown) == rf"See \[{source}\] here" and "sf-tex" in shown


@pytest.mark.parametrize(
    ("written", "has"),
    [
        ("So \\[ x^2 \\] holds", "sf-md"),
        ("So \\( x^2 \\) holds", 'class="sf-m"'),
        ("So $x^2$ holds", 'class="sf-m"'),
        ("So $$x^2$$ holds", "sf-md"),
        ("\\begin{align*}a&=b\\\\c&=d\\end{align*}", "sf-ma"),
        ("The answer is \\boxed{\\frac{1}{2}}.", "sf-mbox"),
        ("**bold $x$** and *slanted*", "<b>bold <span"),
        ("and *slanted* too", "<i>slanted</i>"),
        ("## Step 1: plan", '<b class="sf-heading">Step 1: plan</b>'),
        ("- first\n- second", "•  first\n•  second"),
        ("use `f(x)` here", "<code>f(x)</code>"),
        ("| a | b |\n|---|---|\n| 1 | $x$ |", "<td>1</td>"),
        ("```python\nprint(1)\n```", "sf-code"),
        ("<answer>7</answer>", '<span class="sf-tag">&lt;answer&gt;</span>7'),
    ],
)
def test_light_markdown_is_rendered(written: str, has: str) -> None:
    """Each of the marks that models write."""
    assert has in prose_html(written)


@pytest.mark.parametrize(
    "written",
    [
        "It costs $5 and $10.",
        "from $2-$3 a day",
        "She has $20 and spends $5; $15 are left.",
        "US$5 and CA$7",
        "2 * 3 * 4 = 24",
        "2*3*4",
        "snake_case_name and __init__x",
        "- 5 = -5",
        "- x = 3",
        "[a link](javascript:alert(1)) and ![p](http://127.0.0.1:9/p.png)",
        "a | b, not a table",
        "5 > 3 & 2 < 4",
    ],
)
def test_what_is_no_markup_is_left_alone(written: str) -> None:
    """Money, products, names and links are shown letter by letter."""
    html = prose_html(written)
    assert text(html) == written
    assert not Seen(html).tags


def test_code_holds_no_maths_and_no_markdown() -> None:
    """In a block or between backticks, everything stays as it is."""
    inside = "a $x$ **b** \\[ y \\]"
    assert inside in text(prose_html(f"`{inside}`"))
    assert inside in text(prose_html(f"```\n{inside}\n```"))
    assert "sf-m" not in prose_html(f"`{inside}`")


@some
@given(st.text(max_size=120))
def test_any_text_becomes_passive_html(written: str) -> None:
    """Only our own tags and attributes, each closed."""
    seen = Seen(read_html(written))
    assert seen.tags <= ALLOWED and not seen.open
    assert seen.attributes <= {"class", "role", "aria-label", "type"}


MARKS = st.lists(
    st.sampled_from(
        [
            "$",
            "$$",
            "\\[",
            "\\]",
            "\\(",
            "\\)",
            "\\frac",
            "{",
            "}",
            "^",
            "_",
            "**",
            "*",
            "`",
            "```\n",
            "\n",
            "|",
            "---",
            "# ",
            "- ",
            "x",
            "12",
            " ",
            "&",
            "\\\\",
            "\\begin{cases}",
            "\\end{cases}",
            "\\left(",
            "\\right)",
            "\\sqrt",
            "\\text{",
            "<script>alert(1)</script>",
            "<img src=x onerror=y>",
            '"',
            "'",
            "\x02",
            "\x020\x03",
            "\\boxed{",
            "javascript:",
        ]
    ),
    max_size=40,
).map("".join)


@some
@given(MARKS)
def test_any_heap_of_marks_becomes_passive_html(written: str) -> None:
    """However the marks are nested or broken off."""
    seen = Seen(read_html(written))
    assert seen.tags <= ALLOWED and not seen.open
    assert seen.attributes <= {"class", "role", "aria-label", "type"}


@some
@given(
    st.text(
        st.characters(whitelist_categories=["L", "N", "Zs"], whitelist_characters=".,;:!?\n\"'<>&()="),
        max_size=200,
    )
)
def test_plain_text_stays_letter_by_letter(written: str) -> None:
    """Without marks, what is read is what is written."""
    assert text(prose_html(written)) == visible(written)


@pytest.mark.parametrize(
    "written",
    [
        "{" * 3_000,
        "$" + "{" * 2_000 + "}" * 2_000 + "$",
        "\\[" * 20_000,
        "*" * 30_000,
        "`" * 30_000,
        "|" * 20_000,
        "$x" * 20_000,
        "\\begin{align}" * 2_000,
        "\\boxed{" * 5_000,
        "**a" * 10_000,
        "__a" * 10_000,
        "| a |\n|---|\n" * 2_000,
        "\\(" * 20_000,
    ],
)
def test_hostile_repetition_takes_no_time(written: str) -> None:
    """A text made to keep the server busy doesn't."""
    began = time.process_time()
    Seen(prose_html(written))
    assert time.process_time() - began < 3
