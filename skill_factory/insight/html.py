"""Traces for the eye: as HTML for the app, as one page that can be mailed, and as lines for a terminal.

Everything from the data is escaped, and characters that could steer a terminal or hide text are made visible. The HTML
holds no script and refers to nothing outside itself. Nothing is said by colour alone: ✓ or ✗ and a word go with it.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from skill_factory.asked import asked, question_in
from skill_factory.insight.pictures import INLINE, Composition, of_traces, pictures
from skill_factory.insight.reading.prose import prose_html
from skill_factory.insight.trace_parts import (
    Card,
    Measure,
    Story,
    characters,
    fenced,
    first_line,
    folded,
    mark,
    path_of,
    story,
    truth_word,
    visible,
)
from skill_factory.model import SegmentKind, Trace, hex_id
from skill_factory.recipe.variants import variant_words
from skill_factory.wording import many

_OWN_TAGS = re.compile(r"&lt;/?(?:answer|verdict)&gt;")


@lru_cache(maxsize=2)
def stylesheet(name: str = "view.css") -> str:
    """The style rules of the trace view, needed once on a page that shows traces."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


# -- HTML ----------------------------------------------------------------------------------------------------------


def trace_html(trace: Trace, key: str = "trace", measure: Measure = characters) -> str:
    """A trace as cards, from the question to the final answer. `key` keeps the anchors of several traces apart."""
    return story_html(story(trace), key, measure)


def story_html(shown: Story, key: str = "trace", measure: Measure = characters) -> str:
    """As `trace_html`, of a trace that was read back."""
    parts = [
        _map(shown, key),
        question_html(shown.question),
        *(_card(card, len(shown.cards), key, measure) for card in shown.cards),
        *_closing(shown),
        _final(shown, key),
    ]
    return frame("".join(parts), key)


def raw_html(trace: Trace, key: str = "raw") -> str:
    """The assistant's turn letter by letter, with its layout dimmed."""
    right = iter(trace.plan.right)
    pieces = []
    for segment in trace.segments:
        css = _RAW[segment.kind]
        if segment.kind is SegmentKind.SAMPLE:
            css += f" sf-{truth_word(next(right))}"
        elif segment.kind is SegmentKind.SAMPLE_AGAIN:
            css += " sf-right"
        pieces.append(f'<span class="{css}">{safe(segment.text)}</span>')
    return frame(f'<div class="sf-raw sf-text">{"".join(pieces)}</div>', key)


_RAW = {
    SegmentKind.LAYOUT: "sf-layout",
    SegmentKind.SAMPLE: "sf-tried",
    SegmentKind.SAMPLE_AGAIN: "sf-tried",
    SegmentKind.REFLECT: "sf-said",
    SegmentKind.GLUE: "sf-phrase",
    SegmentKind.BACKTRACK: "sf-phrase",
    SegmentKind.CONFIRM: "sf-phrase",
    SegmentKind.ENDING: "sf-phrase",
    SegmentKind.ANSWER: "sf-answer",
}


def question_html(question: str) -> str:
    """The user's turn; the conversation around it, and the tools, are folded above."""
    shown = f'<p class="sf-name">Question</p>{read_html(question_in(question))}'
    return f'<div class="sf-question">{around_html(question)}{shown}</div>'


def around_html(question: str) -> str:
    """The conversation around a question and the tools, folded; empty for a question alone."""
    whole = asked(question)
    if whole.alone:
        return ""
    said = [f'<p class="sf-name">{safe(name)}</p>{text_html(text)}' for name, text in whole.named()]
    what = many(len(whole.turns) - 1, "other turn") + (", with tools" if whole.tools else "")
    return f"<details><summary>Conversation: {what}</summary>{''.join(said)}</details>"


def read_html(text: str) -> str:
    """Model text to read: with maths set and light Markdown rendered (`reading/`); long texts fold."""
    return _folding(text, prose_html(text))


def text_html(text: str) -> str:
    """Model text letter by letter, with its own line breaks and code in a monospaced font; long texts fold."""
    body = "".join(
        f'<span class="sf-code">{safe(piece)}</span>' if is_code else _dimmed(piece)
        for is_code, piece in fenced(text)
    )
    return _folding(text, body)


def _folding(text: str, body: str) -> str:
    shown = f'<div class="sf-text">{body}</div>'
    if not folded(text):
        return shown
    # A checkbox and a style rule fold the text: there is no script in this HTML.
    more = '<span class="sf-all">Show all</span><span class="sf-less">Show less</span>'
    return f'<div class="sf-fold">{shown}<label class="sf-more"><input type="checkbox">{more}</label></div>'


def html_page(
    traces: Sequence[Trace],
    title: str,
    note: str = "",
    measure: Measure = characters,
    of: Composition | None = None,
) -> str:
    """
    One self-contained page with all traces, the first one open; no script, nothing fetched.

    `of` is what its pictures show, where that is more than these traces.
    """
    questions = len({trace.plan.question.id for trace in traces})
    summary = f"{many(len(traces), 'trace')} from {many(questions, 'question')}. {note}".strip()
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            # The browser enforces what the page promises: nothing runs, nothing is fetched.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{safe(title)}</title>\n<style>\n{stylesheet()}{stylesheet('view_page.css')}</style>\n</head>",
            f'<body>\n<h1>{safe(title)}</h1>\n<p class="page-note">{safe(summary)}</p>',
            *_page_pictures(of or of_traces(traces)),
            *_page_traces(traces, measure),
            "</body>\n</html>\n",
        ]
    )


def _page_pictures(of: Composition) -> Iterator[str]:
    if of.traces > 1:  # of a single trace, a picture says nothing
        yield f'<div class="page-pictures">{"".join(one.svg(INLINE) for one in pictures(of))}</div>'


def _page_traces(traces: Iterable[Trace], measure: Measure) -> Iterator[str]:
    for place, trace in enumerate(traces, 1):
        shown = story(trace)
        head = f"<b>{path_of(shown)}</b> {safe(first_line(shown.question))} <span>{safe(shown.name)}</span>"
        raw = f'<details class="page-raw"><summary>Raw text</summary>{raw_html(trace, f"t{place}-raw")}</details>'
        yield (
            f'<details class="page-trace" id="{hex_id(trace.id)}"{" open" if place == 1 else ""}>'
            f"<summary>{head}</summary>{trace_html(trace, f't{place}', measure)}{raw}</details>"
        )


def frame(body: str, key: str) -> str:
    """The element around a whole view, where the style rules begin."""
    return f'<div class="sf" id="{escape(key)}">{body}</div>'


def safe(text: str) -> str:
    """Text from the data, made safe for HTML."""
    return escape(visible(text))


def _dimmed(text: str) -> str:
    """Escaped text with the model's own tags dimmed."""
    return _OWN_TAGS.sub(lambda match: f'<span class="sf-tag">{match[0]}</span>', safe(text))


def _map(shown: Story, key: str) -> str:
    """A pill for each attempt and one for the answer; they are links if a key says to which view."""
    steps = [
        _pill(f"{mark(card.correct)} {card.place}", f"sf-{truth_word(card.correct)}", key, str(card.place))
        for card in shown.cards
    ]
    if shown.again:
        steps.append(_pill(f"↩ {shown.answering}", "sf-right", key, "answer"))
    steps.append(_pill("Answer", "", key, "answer"))
    arrow = '<span class="sf-arrow" aria-hidden="true">›</span>'
    return (
        f'<div class="sf-map" role="navigation" aria-label="Attempts of this trace">{arrow.join(steps)}</div>'
    )


def _pill(words: str, css: str, key: str, place: str) -> str:
    if key:
        return f'<a class="{css}" href="#{escape(key)}-{place}" target="_self">{words}</a>'
    return f'<span class="{css}">{words}</span>'


def _card(card: Card, of: int, key: str, measure: Measure) -> str:
    meta = " · ".join([*([variant_words(card.variant)] if card.variant else []), measure(card.text)])
    head = (
        f'<div class="sf-head"><b>Attempt {card.place} of {of}</b>{truth(card.correct)}'
        f'<span class="sf-meta">{safe(meta)}</span></div>'
    )
    body = f'<div class="sf-body">{read_html(card.text)}</div>{_reflection(card)}'
    css = f"sf-card sf-{truth_word(card.correct)}"
    return f'<div class="{css}" id="{escape(key)}-{card.place}">{head}{body}</div>{_phrase_line(card.glue)}'


def truth(correct: bool) -> str:
    """Right or wrong, by sign, word and colour."""
    return f'<span class="sf-mark">{mark(correct)} {truth_word(correct)}</span>'


def _reflection(card: Card) -> str:
    if card.reflection is None:
        return ""
    # Only a reflection whose verdict agrees with the label is kept, so its verdict is the card's own.
    chip = f'<span class="sf-chip">verdict: {mark(card.correct)} {truth_word(card.correct)}</span>'
    name = f'<p class="sf-name">Reflection on attempt {card.place} {chip}</p>'
    return f'<div class="sf-reflect">{name}{read_html(card.reflection)}</div>'


def _phrase_line(phrase: str) -> str:
    return f'<p class="sf-glue"><span>{safe(phrase)}</span></p>' if phrase else ""


def _closing(shown: Story) -> Iterator[str]:
    if shown.cards[-1].glue == "" and (shown.phrase or shown.ending):
        yield _phrase_line(shown.phrase)
    if shown.again:
        head = f'<div class="sf-head"><b>Back to attempt {shown.answering}</b>{truth(True)}</div>'
        yield f'<div class="sf-card sf-right">{head}<div class="sf-body">{read_html(shown.again)}</div></div>'
    yield _phrase_line(shown.ending)


def _final(shown: Story, key: str) -> str:
    right = shown.cards[shown.answering - 1].correct
    name = f"Final answer, from attempt {shown.answering}"
    return (
        f'<div class="sf-final sf-{truth_word(right)}" id="{escape(key)}-answer">'
        f'<p class="sf-name">{name} {truth(right)}</p>'
        f'<div class="sf-text sf-answer">{prose_html(shown.answer)}</div></div>'
    )


# -- terminal ------------------------------------------------------------------------------------------------------

Paint = Callable[[str, str], str]
_COLOURS = {"right": "38;5;33", "wrong": "38;5;208", "said": "38;5;103", "quiet": "38;5;245", "bold": "1"}


def terminal(trace: Trace, colour: bool = True, width: int = 100, measure: Measure = characters) -> str:
    """A trace as lines for a terminal, wrapped to `width`; without colour, signs and words say the same."""
    shown = story(trace)

    def paint(style: str, text: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colour else text

    title = f"{path_of(shown)}   {shown.name} ({shown.label})   {hex_id(trace.id)}"
    lines = [paint("bold", visible(title)), ""]
    lines += [paint("quiet", "Question"), *_wrapped(asked(shown.question).transcript, "  ", width), ""]
    for card in shown.cards:
        lines += _terminal_card(card, len(shown.cards), width, paint, measure)
    if shown.phrase:
        lines += [paint("quiet", line) for line in _wrapped(f"— {shown.phrase}", "", width)] + [""]
    if shown.again:
        bar = paint("right", "┃ ")
        lines += [paint("right", f"┃ Back to attempt {shown.answering} · ✓ right")]
        lines += [bar + line for line in _wrapped(shown.again, "", width - 2)] + [""]
    lines += [paint("quiet", line) for line in _wrapped(f"— {shown.ending}", "", width)]
    lines += ["", paint("bold", f"Final answer, from attempt {shown.answering}")]
    lines += _wrapped(shown.answer, "  ", width)
    return "\n".join(lines)


def _terminal_card(card: Card, of: int, width: int, paint: Paint, measure: Measure) -> Iterator[str]:
    style = truth_word(card.correct)
    meta = [f"Attempt {card.place} of {of}", f"{mark(card.correct)} {style}"]
    meta += [variant_words(card.variant)] if card.variant else []
    yield paint(style, visible(f"┃ {' · '.join([*meta, measure(card.text)])}"))
    yield from (paint(style, "┃ ") + line for line in _wrapped(card.text, "", width - 2))
    if card.reflection is not None:
        yield paint(style, "┃")
        yield paint(style, "┃ ") + paint("said", f"  Reflection · verdict: {mark(card.correct)} {style}")
        for line in _wrapped(card.reflection, "  │ ", width - 2):
            yield paint(style, "┃ ") + paint("said", line)
    yield ""
    if card.glue:
        yield from (paint("quiet", line) for line in _wrapped(f"— {card.glue}", "", width))
        yield ""


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    """The text's own lines, each broken where it is too long; its spaces are kept."""
    lines = []
    for line in visible(text).split("\n"):
        # Spaces and minus signs of a formula stay as they are.
        pieces = textwrap.wrap(
            line, max(20, width - len(indent)), replace_whitespace=False, break_on_hyphens=False
        )
        lines += [indent + piece.rstrip() for piece in pieces or [""]]
    return lines
