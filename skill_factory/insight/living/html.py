"""The living trace as HTML: short cards, with what came and what went marked by sign and word."""

from functools import lru_cache
from pathlib import Path

from skill_factory.asked import question_in
from skill_factory.insight.html import around_html, frame, safe, truth
from skill_factory.insight.living.moved import Fate, Moved, Said, Step
from skill_factory.insight.trace_parts import Card, Measure, Story, characters, path_of, truth_word
from skill_factory.recipe.variants import variant_words

MARKS = {Fate.CAME: "+ new", Fate.MOVED: "↕ moved", Fate.WENT: "− gone"}
SAID = {Said.CAME: "+ new", Said.OTHER: "⟳ another one", Said.WENT: "− gone"}
BRIEF = 400
"""Characters of a text that are sent: three lines are shown."""


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """The style rules of the living trace; those of the trace view are needed too."""
    return Path(__file__).with_name("living.css").read_text(encoding="utf-8")


def living_html(change: Moved, measure: Measure = characters, key: str = "living") -> str:
    """The trace after a change, from its attempts to its answer, with those that went where they stood."""
    told = change.after or change.before
    if told is None:
        return ""
    of = len(change.after.cards) if change.after else 0
    steps = "".join(
        _gone(step.card) if step.fate is Fate.WENT else _step(step, of, measure) for step in change.steps
    )
    asks = f'<p class="sf-name">Question</p>{_brief(question_in(told.question))}'
    question = f'<div class="sf-question">{around_html(told.question)}{asks}</div>'
    final = _final(change.after) if change.after else ""
    return frame(f'<div class="sf-living">{_paths(change)}{question}{steps}{final}</div>', key)


def _paths(change: Moved) -> str:
    """The trace in signs, before and after, where these differ."""
    now = path_of(change.after) if change.after else "no trace"
    was = path_of(change.before) if change.before else "no trace"
    before = f'<span class="sf-was">{was}</span><span class="sf-arrow">→</span>' if was != now else ""
    return f'<p class="sf-paths">{before}<b>{now}</b></p>'


def _step(step: Step, of: int, measure: Measure) -> str:
    card = step.card
    variant = f"{variant_words(card.variant)} · " if card.variant else ""
    head = (
        f'<div class="sf-head"><b>Attempt {card.place} of {of}</b>{truth(card.correct)}{_mark(MARKS.get(step.fate, ""))}'
        f'<span class="sf-meta">{safe(variant + measure(card.text))}</span></div>'
    )
    body = f'<div class="sf-body">{_brief(card.text)}{_reflection(step)}</div>'
    return f'<div class="sf-card sf-{truth_word(card.correct)} sf-{step.fate}">{head}{body}</div>'


def _reflection(step: Step) -> str:
    mark = _mark(SAID.get(step.said, ""))
    if step.card.reflection is None:
        return f'<p class="sf-name">Reflection {mark}</p>' if mark else ""
    return f'<div class="sf-reflect"><p class="sf-name">Reflection {mark}</p>{_brief(step.card.reflection)}</div>'


def _gone(card: Card) -> str:
    """An attempt that went: one line, so that those that are there keep their place on the page."""
    line = f"<s>{safe(' '.join(card.text[:160].split()))}</s>"
    head = f'<span class="sf-mark">{truth(card.correct)}</span>{_mark(MARKS[Fate.WENT])}<span class="sf-line">{line}</span>'
    return (
        f'<div class="sf-card sf-{truth_word(card.correct)} sf-went"><div class="sf-head">{head}</div></div>'
    )


def _final(shown: Story) -> str:
    right = shown.cards[shown.answering - 1].correct
    return (
        f'<div class="sf-final sf-{truth_word(right)}"><p class="sf-name">Final answer, from attempt {shown.answering} '
        f'{truth(right)}</p><div class="sf-text sf-answer">{safe(shown.answer[:BRIEF])}</div></div>'
    )


def _mark(words: str) -> str:
    return f'<span class="sf-change">{words}</span>' if words else ""


def _brief(text: str) -> str:
    return f'<div class="sf-text sf-brief">{safe(_flat(text[:BRIEF]))}</div>'


def _flat(text: str) -> str:
    """A text without line breaks, which cost lines here."""
    return " ".join(text.split())
