"""Single responses, reflections and questions as HTML, with what became of them; `html.py` draws the traces."""

from collections.abc import Sequence

from skill_factory.asked import asked
from skill_factory.insight.browse import Item
from skill_factory.insight.html import frame, question_html, read_html, safe, text_html, truth
from skill_factory.insight.review.dropped import DroppedReflection
from skill_factory.insight.trace_parts import characters, first_line, truth_word
from skill_factory.judge.lookup import Disputed
from skill_factory.model import Verdict
from skill_factory.reasons import Level
from skill_factory.recipe.variants import variant_words

VERDICT_WORDS = {
    Verdict.CORRECT.word: "✓ right",
    Verdict.INCORRECT.word: "✗ wrong",
    Verdict.MISSING.word: "none",
}
"""What a reflection's verdict is called, by the word that tallies and files use."""


def reflection_html(item: Item, response: str) -> str:
    """A reflection with what became of it, beside the response that it judges."""
    said = DroppedReflection(0, item.correct, response, item.verdict, item.text, item.why)
    return frame(question_html(item.question) + _beside([said]), "item")


def item_html(item: Item, level: Level) -> str:
    """A response, a reflection or a question with what became of it."""
    fate = "Kept" if item.kept else f"Dropped: {item.why}"
    if level is Level.QUESTIONS:
        head = f'<p class="sf-name">{safe(fate)}</p>'
        return frame(
            f'<div class="sf-question">{head}{text_html(asked(item.question).transcript)}</div>', "item"
        )
    verdict = f"verdict: {VERDICT_WORDS[item.verdict]}" if level is Level.REFLECTIONS else ""
    meta = " · ".join(filter(None, (verdict, variant_words(item.variant), characters(item.text))))
    what = "Reflection on a response that is" if level is Level.REFLECTIONS else "Response"
    head = f'<div class="sf-head"><b>{what}</b>{truth(item.correct)}<span class="sf-meta">{safe(meta)}</span></div>'
    name = f'<p class="sf-name">{safe(fate)}</p>'
    body = f'<div class="sf-body">{name}{text_html(item.text)}</div>'
    card = f'<div class="sf-card sf-{truth_word(item.correct)}">{head}{body}</div>'
    return frame(question_html(item.question) + card, "item")


def disputed_html(response: Disputed, correct: bool) -> str:
    """A response with all its reflections, those that contradict its label and the others."""
    gold = f'<p class="sf-name">Gold answer: {safe(first_line(response.gold))}</p>' if response.gold else ""
    head = f'<div class="sf-head"><b>Response, labelled</b>{truth(correct)}</div>'
    body = f'<div class="sf-body">{read_html(response.response)}</div>'
    reflections = "".join(
        f'<div class="sf-reflect {_verdict_css(verdict)}"><p class="sf-name">Reflection {place} '
        f'<span class="sf-chip">verdict: {VERDICT_WORDS[verdict]}</span></p>{read_html(text)}</div>'
        for place, (verdict, text) in enumerate(response.reflections, 1)
    )
    card = f'<div class="sf-card sf-{truth_word(correct)}">{head}{body}{reflections}</div>'
    return frame(question_html(response.question) + gold + card, "item")


def dropped_html(found: Sequence[DroppedReflection]) -> str:
    """Dropped reflections, those on one response together and beside it."""
    groups: dict[int, list[DroppedReflection]] = {}
    for one in found:
        groups.setdefault(one.response_id, []).append(one)
    return frame("".join(_beside(said) for said in groups.values()), "dropped")


def _beside(said: Sequence[DroppedReflection]) -> str:
    first = said[0]
    head = f'<div class="sf-head"><b>Response</b>{truth(first.correct)}</div>'
    card = f'<div class="sf-card sf-{truth_word(first.correct)}">{head}<div class="sf-body">{read_html(first.response)}</div></div>'
    reflections = "".join(
        f'<div class="sf-reflect {_verdict_css(one.verdict)}"><p class="sf-name">{_fate(one)} '
        f'<span class="sf-chip">verdict: {VERDICT_WORDS[one.verdict]}</span></p>{read_html(one.text)}</div>'
        for one in said
    )
    return f'<div class="sf-beside"><div>{card}</div><div>{reflections}</div></div>'


def _fate(one: DroppedReflection) -> str:
    return f"Dropped: {safe(one.why)}" if one.why else "Kept"


def _verdict_css(verdict: str) -> str:
    return {Verdict.CORRECT.word: "sf-right", Verdict.INCORRECT.word: "sf-wrong"}.get(verdict, "sf-none")
