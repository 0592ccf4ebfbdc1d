"""A row becomes outputs: its texts with their thinking, each with its question, gold answer, labels, run and step."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from skill_factory.measure.layout import Layout
from skill_factory.measure.outputs import Lineage, Output
from skill_factory.measure.parts import with_thinking
from skill_factory.measure.values import (
    Text,
    gold_of,
    in_step,
    many,
    nested_marks,
    number_of,
    question_of,
    shown_value,
    strings_or_none,
    texts_of,
    truth_of,
)
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import Row, is_nan, is_unicode, value_at
from skill_factory.sources.reading import Rules, rules_for


def outputs_of(row: Row, layout: Layout, dropped: Counter[str] | None = None) -> Iterator[Output]:
    """The outputs of a row; what can't be read is counted by its reason."""
    dropped = Counter() if dropped is None else dropped
    mapping = layout.mapping
    # First of all: rows that were left out on purpose aren't losses of reading.
    if mapping.only and str(value_at(row, mapping.only[0])) != mapping.only[1]:
        dropped["left_out"] += 1
        return
    rules = _rules_of(mapping)
    question = question_of(rules.question(row)) if mapping.question else ""
    # Outputs of empty questions would all count as samples of one question.
    if mapping.question and not question.strip():
        dropped["no_question"] += 1
        return
    texts = [one for place, path in enumerate(mapping.response) for one in _texts(row, layout, place, path)]
    if not texts:
        dropped["no_output"] += 1
        return
    # Lists of another length than the outputs are set aside as a whole: which one is missing can't be told.
    thinking = in_step(strings_or_none(value_at(row, layout.thinking)), len(texts))
    labels = in_step(_labels(row, mapping), len(texts))
    inner = in_step(nested_marks(value_at(row, layout.inner), len(texts)), len(texts))
    # What belongs to the row is read once; a row may hold hundreds of outputs.
    gold, lineage = gold_of(value_at(row, mapping.answer)), _lineage(row) if layout.ours else None
    run, step = _run_of(row, layout), number_of(value_at(row, layout.step))
    by = tuple(shown_value(value_at(row, path)) if path else "" for path in layout.by)
    for k, (text, own) in enumerate(texts):
        # Counted one by one: the other outputs of the row are good, and keep their labels.
        if text is None or not is_unicode(text):
            dropped["no_output" if text is None else "not_text"] += 1
            continue
        whole = with_thinking(own or thinking[k], text, layout.names)
        yield Output(run, step, question, gold, whole, by, labels[k], inner[k], lineage)


@lru_cache(maxsize=16)
def _rules_of(mapping: Columns) -> Rules:
    return rules_for(mapping, value_at)


def _texts(row: Row, layout: Layout, place: int, path: str) -> list[Text]:
    """The outputs of a column by the response rule, thinking of a column of its own included, whatever shape they have."""
    mapping = layout.mapping
    value = value_at(row, path)
    # Without a rule any shape is taken: text, list, messages, records.
    if not mapping.response_rule and not mapping.thinking:
        return texts_of(value)
    if (
        mapping.response_rule == "last_turn"
        and (own := texts_of(value))
        and any(thinking for _, thinking in own)
    ):
        return own  # thinking stands beside the turn, which the rule alone would lose
    # Fewer columns of thinking than of responses: the last one serves the rest.
    thinking = mapping.thinking[min(place, len(mapping.thinking) - 1)] if mapping.thinking else ""
    items = _rules_of(mapping).responses(value, value_at(row, thinking) if thinking else None)
    return [text for one in items for text in (texts_of(one) if one is not None else [(None, None)])]


def _labels(row: Row, mapping: Columns) -> list[bool | None]:
    """Stored labels by the label rule; words that everybody knows where there is none."""
    values = [one for path in mapping.correct for one in many(value_at(row, path))]
    others = [many(value_at(row, path)) for path in mapping.correct_else]
    # The columns for rows in which the first one is empty.
    if all(one is None for one in values):
        values = next((found for found in others if any(one is not None for one in found)), values)
    # A label by steps is one for the whole list, not one per item.
    if mapping.label_rule == "steps":
        return [_rules_of(mapping).label(value_at(row, path)) for path in mapping.correct]
    if mapping.label_rule:
        return [_rules_of(mapping).label(one) for one in values]
    return [truth_of(one) for one in values]


def _lineage(row: Row) -> Lineage | None:
    attempts, spans = row.get("attempts"), row.get("spans")
    if not isinstance(attempts, list) or not isinstance(spans, list):
        return None
    right = [bool(one.get("correct")) for one in attempts]
    return Lineage(right, [(one["kind"], one["start"], one["end"]) for one in spans])


def _run_of(row: Row, layout: Layout) -> str:
    value = value_at(row, layout.run) if layout.run else None
    return layout.name if value is None or is_nan(value) else shown_value(value)
