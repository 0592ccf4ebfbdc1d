"""One output taken apart, for the eye: each attempt graded, each verdict right or wrong, in the style of the trace view."""

import re
from collections.abc import Iterator
from html import escape

from skill_factory.insight.html import frame, question_html, safe, text_html
from skill_factory.measure.circles import goes_in_circles
from skill_factory.measure.counting import Marked
from skill_factory.measure.outputs import RIGHT, UNJUDGED
from skill_factory.measure.parts import CORRECT, NONE, Reflected

_MARKS = {RIGHT: ("right", "✓ right"), 0: ("wrong", "✗ wrong"), UNJUDGED: ("none", "? unjudged")}
_TAGS = re.compile(r"</?[A-Za-z][\w-]*>")


def output_html(marked: Marked, key: str = "output") -> str:
    """An output as cards: question, attempts with their reflections, what stands between them, final answer."""
    parts = [_map(marked, key), question_html(marked.output.question), *_facts(marked)]
    parts += [*_cards(marked, key), _final(marked, key)]
    return frame("".join(parts), key)


def facts_of(marked: Marked) -> list[str]:
    """What is wrong with an output, in words."""
    said = {
        "cut off": marked.parts.cut_off,
        "malformed": marked.parts.malformed,
        "goes round in circles": goes_in_circles(marked.parts.text),
        "no final answer": marked.parts.final is None and not marked.parts.cut_off,
        "its final answer isn't that of an attempt": marked.differs,
    }
    return [words for words, holds in said.items() if holds]


def _facts(marked: Marked) -> list[str]:
    facts = facts_of(marked)
    return [f'<p class="sf-glue"><span>{escape("; ".join(facts))}</span></p>'] if facts else []


def _map(marked: Marked, key: str) -> str:
    pills = [
        f'<a class="sf-{_MARKS[mark][0]}" href="#{escape(key)}-{k}" target="_self">{_MARKS[mark][1][0]} {k}</a>'
        for k, mark in enumerate(marked.marks, 1)
    ]
    pills.append(f'<a href="#{escape(key)}-answer" target="_self">Answer</a>')
    arrow = '<span class="sf-arrow" aria-hidden="true">›</span>'
    return f'<div class="sf-map" role="navigation" aria-label="Attempts of this output">{arrow.join(pills)}</div>'


def _cards(marked: Marked, key: str) -> Iterator[str]:
    text, at = marked.parts.text, 0
    judging = marked.parts.judging()
    # Reflections before any attempt judge nothing, and are shown where they stand.
    for reflection in (r for place, r in judging if place < 0):
        yield _between(text[at : reflection.start])
        yield _reflection(marked, reflection, None)
        at = reflection.end
    for k, (tried, mark) in enumerate(zip(marked.parts.attempts, marked.marks, strict=True)):
        yield _between(text[at : tried.start])
        css, words = _MARKS[mark]
        own = [r for place, r in judging if place == k]
        answer = (
            f'<span class="sf-meta">answer: {safe(tried.answer)}</span>' if tried.answer is not None else ""
        )
        head = f'<div class="sf-head"><b>Attempt {k + 1} of {len(marked.marks)}</b><span class="sf-mark">{words}</span>{answer}</div>'
        body = f'<div class="sf-body">{text_html(text[tried.start : tried.end].strip(chr(10)))}</div>'
        said = "".join(_reflection(marked, r, mark) for r in own)
        yield f'<div class="sf-card sf-{css}" id="{escape(key)}-{k + 1}">{head}{body}{said}</div>'
        # Continue behind whichever came last; some models reflect inside their attempt.
        at = max([tried.end, *(r.end for r in own)])
    yield _between(text[at : marked.parts.thinking] if at <= marked.parts.thinking else "")


def _reflection(marked: Marked, reflection: Reflected, mark: int | None) -> str:
    text = marked.parts.text[reflection.start : reflection.end].strip("\n")
    return f'<div class="sf-reflect"><p class="sf-name">Reflection {_chip(reflection.verdict, mark)}</p>{text_html(text)}</div>'


def _chip(verdict: int, mark: int | None) -> str:
    """What a reflection says, and whether that is so."""
    if verdict == NONE:
        return '<span class="sf-chip">no verdict</span>'
    said = "correct" if verdict == CORRECT else "incorrect"
    if mark is None or mark == UNJUDGED:
        return f'<span class="sf-chip">verdict: {said}</span>'
    true = (verdict == CORRECT) == (mark == RIGHT)
    css, sign = ("right", "✓ true") if true else ("wrong", "✗ not true")
    return f'<span class="sf-{css}"><span class="sf-chip">verdict: {said} · {sign}</span></span>'


def _between(text: str) -> str:
    """What stands between the blocks, without the tags around it."""
    words = _TAGS.sub("", text).strip()
    return f'<p class="sf-glue"><span>{safe(words)}</span></p>' if words else ""


def _final(marked: Marked, key: str) -> str:
    css, words = _MARKS[marked.final]
    answer = marked.parts.final
    shown = safe(answer) if answer is not None else "(none: cut off)" if marked.parts.cut_off else "(none)"
    gold = (
        f'<p class="sf-meta">gold answer: {safe(marked.output.gold)}</p>'
        if marked.output.gold is not None
        else ""
    )
    return (
        f'<div class="sf-final sf-{css}" id="{escape(key)}-answer"><p class="sf-name">Final answer '
        f'<span class="sf-mark">{words}</span></p><div class="sf-text sf-answer">{shown}</div>{gold}</div>'
    )
