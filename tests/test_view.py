"""What the trace view promises: all of the trace is there, nothing in it runs, and colour is never alone."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.insight.html import (
    html_page,
    raw_html,
    stylesheet,
    terminal,
    text_html,
    trace_html,
)
from skill_factory.insight.trace_parts import (
    characters,
    fenced,
    first_line,
    folded,
    path_of,
    story,
    tokens_at,
    visible,
)
from skill_factory.model import SegmentKind, Trace, TraceFormat
from tests.toy_traces import QUESTION, every_format, responses, traces

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> [x](javascript:alert(3)) ![p](http://tracker/p.png) "
    "</div></body> &lt;b&gt; \x1b[31mred\x1b[0m \u202etxt.exe\u202c \x00"
)
OUR_TAGS = {"div", "p", "b", "span", "a", "label", "input"}


class Elements(HTMLParser):
    """The elements and attributes of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """A trace of three attempts, at least one of them wrong."""
    found = traces(tmp_path, responses(right=1, wrong=2), traces__formats=["*C"])
    return found[0]


def test_every_text_of_a_trace_of_every_format_is_shown(tmp_path: Path) -> None:
    """Question, attempts, reflections, phrases and answer stand in cards, raw text and terminal."""
    found = every_format(tmp_path, responses())
    assert {trace.plan.format for trace in found} == set(TraceFormat)
    for trace in found:
        shown = Elements(trace_html(trace)).text
        lines = re.sub(r"\s+", " ", re.sub(r"[┃│]", " ", terminal(trace, colour=False)))
        for segment in trace.segments:
            if segment.kind is not SegmentKind.LAYOUT:
                assert segment.text in shown
                assert " ".join(segment.text.split()) in lines
        assert QUESTION in shown
        assert Elements(raw_html(trace)).text == trace.text


def test_right_and_wrong_are_told_in_words_and_signs(trace: Trace) -> None:
    """Without any colour the head of an attempt says which it is."""
    shown = Elements(trace_html(trace)).text
    assert "Attempt 1 of 3✗ wrong" in shown
    assert "Attempt 3 of 3✓ right" in shown
    assert "verdict: ✗ wrong" in shown
    assert "Final answer, from attempt 3 ✓ right" in shown
    plain = terminal(trace, colour=False)
    assert "\x1b" not in plain
    assert "Attempt 1 of 3 · ✗ wrong" in plain
    assert "\x1b[38;5;208m" in terminal(trace, colour=True)


def test_going_back_names_the_attempt(tmp_path: Path) -> None:
    """A trace that goes back says to which attempt, in the map, the closing and the final answer."""
    (found,) = traces(tmp_path, responses(right=1, wrong=2), traces__formats=["*C*IC"])
    seen = story(found)
    assert seen.answering < len(seen.cards)
    assert path_of(seen).endswith(f"↩ {seen.answering}")
    text = Elements(trace_html(found)).text
    assert f"Back to attempt {seen.answering}✓ right" in text
    assert f"Final answer, from attempt {seen.answering} ✓ right" in text


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """No element, attribute or link comes from the data; control characters are shown, not obeyed."""
    found = traces(
        tmp_path, responses(question=f"{QUESTION} {HOSTILE}", extra=HOSTILE), traces__formats=["*CC"]
    )
    for piece in (trace_html(found[0]), raw_html(found[0])):
        seen = Elements(piece)
        assert set(seen.tags) <= OUR_TAGS
        assert {name for name, _ in seen.attributes} <= {
            "class",
            "id",
            "href",
            "role",
            "aria-label",
            "aria-hidden",
            "target",
            "type",
        }
        assert all(value.startswith("#") for name, value in seen.attributes if name == "href" and value)
    assert HOSTILE.split(" \x1b")[0] in Elements(trace_html(found[0])).text
    assert "␛[31mred" in Elements(trace_html(found[0])).text
    assert "⟨U+202E⟩txt.exe" in Elements(trace_html(found[0])).text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", terminal(found[0], colour=False))


def test_the_page_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    """One file: no script, no address but anchors in it, and a policy that forbids the rest; every anchor exists."""
    found = every_format(tmp_path, responses(extra=HOSTILE))
    page = html_page(found, "Traces <of> mine", "All & more.")
    seen = Elements(page)
    assert "script" not in seen.tags and "img" not in seen.tags and "link" not in seen.tags
    assert not {name for name, _ in seen.attributes} & {"src", "style", "onclick", "onerror"}
    assert "default-src 'none'" in page
    assert "url(" not in stylesheet() + stylesheet("view_page.css")
    ids = [value for name, value in seen.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    anchors = {value for name, value in seen.attributes if name == "href"}
    assert anchors and anchors <= {f"#{one}" for one in ids}
    assert page.count('<details class="page-trace"') == len(found)
    assert "Traces &lt;of&gt; mine" in page and "All &amp; more." in page
    assert page.endswith("</html>\n")


@given(st.text())
def test_text_is_readable_again_from_html(text: str) -> None:
    """What is shown of a text is the text, but for characters made visible."""
    assert Elements(text_html(text)).text.removesuffix("Show allShow less") == visible(text)
    assert unescape(re.sub(r"<[^>]*>", "", text_html(text))).removesuffix("Show allShow less") == visible(
        text
    )


@given(st.text())
def test_nothing_visible_steers_a_terminal(text: str) -> None:
    """No control character but tab and line break is left, nor one that turns the direction; all else stays."""
    shown = visible(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", shown)
    if text.isprintable():
        assert shown == text


def test_joiners_of_scripts_and_emoji_stay() -> None:
    """Persian half-spaces and family emoji are not torn apart."""
    assert visible("می\u200cخواهم 👩\u200d👧") == "می\u200cخواهم 👩\u200d👧"


def test_long_texts_fold() -> None:
    """A text of many lines, or of one very long line, folds; a short one does not."""
    assert folded("line\n" * 30)
    assert folded("word " * 600)
    assert not folded("line\n" * 10)
    assert "Show all" in text_html("line\n" * 30)
    assert "Show all" not in text_html("short")


def test_code_keeps_its_fences_and_its_face() -> None:
    """A fenced block is one piece of code; an unclosed fence is prose."""
    text = "Before\n```python\nx = 1\n\ny = 2\n```\nafter ```inline``` end"
    assert [(is_code, len(piece)) for is_code, piece in fenced(text)] == [(False, 7), (True, 26), (False, 23)]
    assert "".join(piece for _, piece in fenced(text)) == text
    assert fenced("```\nnever closed") == [(False, "```\nnever closed")]
    assert '<span class="sf-code">```python' in text_html(text)


def test_lengths_are_told_in_words() -> None:
    """One character, many characters, and tokens said to be an estimate."""
    assert characters("a") == "1 character"
    assert characters("a" * 1200) == "1,200 characters"
    assert tokens_at(3.5)("a" * 3500) == "≈ 1,000 tokens"
    assert tokens_at(3.5)("a") == "≈ 1 token"


def test_a_first_line_is_short_and_one_line() -> None:
    """Line breaks become spaces, and what is too long ends with an ellipsis."""
    assert first_line("a\nb") == "a b"
    assert len(first_line("word " * 100, 50)) <= 50
    assert first_line("word " * 100, 50).endswith("…")


def test_terminal_lines_keep_to_the_width(tmp_path: Path) -> None:
    """Long lines are broken at the width, and a text's own indentation stays."""
    rows = responses(extra="\n    indented " + "word " * 60)
    lines = terminal(traces(tmp_path, rows)[0], colour=False, width=72).split("\n")
    assert max(len(line) for line in lines) <= 72
    assert any(line.startswith("┃     indented word") for line in lines)


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


GROUNDS = {
    "card": ("right", "wrong", "reflect", "quiet", "ink"),
    "right-tint": ("right", "quiet", "ink"),
    "wrong-tint": ("wrong", "quiet", "ink"),
}
"""Which text colours stand on which ground."""


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ground", "text"), [(g, t) for g, texts in GROUNDS.items() for t in texts])
def test_contrast_is_enough(mode: int, ground: str, text: str) -> None:
    """Every text colour has a contrast of 4.5 : 1 at least on the grounds it stands on."""
    colours = {
        name: pair[mode]
        for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", stylesheet())
    }
    one, other = luminance(colours[text]), luminance(colours[ground])
    assert (max(one, other) + 0.05) / (min(one, other) + 0.05) >= 4.5
