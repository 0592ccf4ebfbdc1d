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


def output_html(one: Marked, key: str = "output") -> str:
    """An output as cards: question, attempts with their reflections, what stands between them, final answer."""
    parts = [_map(one, key), question_html(one.output.question), *_facts(one)]
    parts += [*_cards(one, key), _final(one, key)]
    return frame("".join(parts), key)


def facts_of(one: Marked) -> list[str]:
    """What is wrong with an output, in words."""
    said = {
        "cut off": one.parts.cut_off,
        "malformed": one.parts.malformed,
        "goes round in circles": goes_in_circles(one.parts.text),
        "no final answer": one.parts.final is None and not one.parts.cut_off,
        "its final answer isn't that of an attempt": one.differs,
    }
    return [words for words, holds in said.items() if holds]


def _facts(one: Marked) -> list[str]:
    facts = facts_of(one)
    return [f'<p class="sf-glue"><span>{escape("; ".join(facts))}</span></p>'] if facts else []


def _map(one: Marked, key: str) -> str:
    pills = [
        f'<a class="sf-{_MARKS[mark][0]}" href="#{escape(key)}-{k}" target="_self">{_MARKS[mark][1][0]} {k}</a>'
        for k, mark in enumerate(one.marks, 1)
    ]
    pills.append(f'<a href="#{escape(key)}-answer" target="_self">Answer</a>')
    arrow = '<span class="sf-arrow" aria-hidden="true">›</span>'
    return f'<div class="sf-map" role="navigation" aria-label="Attempts of this output">{arrow.join(pills)}</div>'


def _cards(one: Marked, key: str) -> Iterator[str]:
    text, at = one.parts.text, 0
    judging = one.parts.judging()
    # Reflections before any attempt judge nothing, and are shown where they stand.
    for reflection in (r for place, r in judging if place < 0):
        yield _between(text[at : reflection.start])
        yield _reflection(one, reflection, None)
        at = reflection.end
    for k, (tried, mark) in enumerate(zip(one.parts.attempts, one.marks, strict=True)):
        yield _between(text[at : tried.start])
        css, words = _MARKS[mark]
        own = [r for place, r in judging if place == k]
        answer = (
            f'<span class="sf-meta">answer: {safe(tried.answer)}</span>' if tried.answer is not None else ""
        )
        head = f'<div class="sf-head"><b>Attempt {k + 1} of {len(one.marks)}</b><span class="sf-mark">{words}</span>{answer}</div>'
        body = f'<div class="sf-body">{text_html(text[tried.start : tried.end].strip(chr(10)))}</div>'
        said = "".join(_reflection(one, r, mark) for r in own)
        yield f'<div class="sf-card sf-{css}" id="{escape(key)}-{k + 1}">{head}{body}{said}</div>'
        # Continue behind whichever came last; some models reflect inside their attempt.
        at = max([tried.end, *(r.end for r in own)])
    yield _between(text[at : one.parts.thinking] if at <= one.parts.thinking else "")


def _reflection(one: Marked, reflection: Reflected, mark: int | None) -> str:
    text = one.parts.text[reflection.start : reflection.end].strip("\n")
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


def _final(one: Marked, key: str) -> str:
    css, words = _MARKS[one.final]
    answer = one.parts.final
    shown = safe(answer) if answer is not None else "(none: cut off)" if one.parts.cut_off else "(none)"
    gold = (
        f'<p class="sf-meta">gold answer: {safe(one.output.gold)}</p>' if one.output.gold is not None else ""
    )
    return (
        f'<div class="sf-final sf-{css}" id="{escape(key)}-answer"><p class="sf-name">Final answer '
        f'<span class="sf-mark">{words}</span></p><div class="sf-text sf-answer">{shown}</div>{gold}</div>'
    )
