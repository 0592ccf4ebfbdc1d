"""The rules of reading of a mapping, ready to be applied to the values of one row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from skill_factory.recipe.model import Columns
from skill_factory.sources.chats.context import asked_by
from skill_factory.sources.labels import LabelReader, label_reader
from skill_factory.sources.thinking import ThinkRule, joined, think_rule, think_rule_of_reflections
from skill_factory.sources.turns import first_of, last_of, turns_of, without_template

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """What a mapping says of how its columns are read."""

    question: Callable[[Row], Any]
    """Row → the question as text, or as whatever stood there."""
    responses: Callable[[Any, Any], list[Any]]
    """(value of the response column, value of the thinking column) → the responses."""
    label: LabelReader
    think: ThinkRule
    think_of_critique: ThinkRule


def rules_for(columns: Columns, value_at: Callable[[Row, str], Any]) -> Rules:
    """The rules of a mapping."""
    return Rules(
        _question_rule(columns, value_at),
        _response_rule(columns),
        label_reader(columns),
        think_rule(columns.think),
        think_rule_of_reflections(columns.think),
    )


# -- the question --------------------------------------------------------------------------------------------------


def _question_rule(columns: Columns, value_at: Callable[[Row, str], Any]) -> Callable[[Row], Any]:
    if columns.question_rule == "conversation":
        return lambda row: asked_by(
            value_at(row, columns.question),
            value_at(row, columns.tools) if columns.tools else None,
            value_at(row, columns.system) if columns.system else None,
        )
    read = _QUESTION[columns.question_rule]
    marks = columns.question_marks

    def question(row: Row) -> Any:
        text = read(value_at(row, columns.question), marks)
        if not columns.question_rest or not isinstance(text, str):
            return text
        rest = (_as_text(value_at(row, path)) for path in columns.question_rest)
        return "\n\n".join(part for part in (text, *rest) if part.strip())

    return question


def _last_user(value: Any, marks: Sequence[str]) -> Any:
    turns = turns_of(value)
    return value if turns is None else last_of(turns, "user")


def _first_user(value: Any, marks: Sequence[str]) -> Any:
    turns = turns_of(value)
    return value if turns is None else first_of(turns, "user")


def _without_chat(value: Any, marks: Sequence[str]) -> Any:
    return (without_template(value) or value) if isinstance(value, str) else _last_user(value, marks)


def _between(value: Any, marks: Sequence[str]) -> Any:
    return between(value, marks[0], marks[1]) if isinstance(value, str) else value


_QUESTION: dict[str, Callable[[Any, Sequence[str]], Any]] = {
    "": lambda value, marks: value,
    "last_turn": _last_user,
    "first_turn": _first_user,
    "chat": _without_chat,
    "between": _between,
}


def between(text: str, before: str, behind: str) -> str | None:
    """What stands between two marks, without white space at its edges; an empty mark is the text's own edge."""
    start = text.find(before) + len(before) if before else 0
    if before and before not in text:
        return None
    end = text.find(behind, start) if behind else len(text)
    return text[start:end].strip() if end >= 0 else None


def _as_text(value: Any) -> str:
    """A text; choices as lines with letters."""
    if isinstance(value, Mapping):  # by letter, or as ARC and its like keep them
        listed = value.get("text") or value.get("choices")
        if listed is None and value and all(len(str(key)) == 1 for key in value):
            return "\n".join(f"{key}. {choice}" for key, choice in value.items() if choice is not None)
        value = listed
    if isinstance(value, list):
        letters = zip(ascii_uppercase, value, strict=False)
        return "\n".join(f"{letter}. {choice}" for letter, choice in letters)
    return "" if value is None else str(value)


# -- responses -----------------------------------------------------------------------------------------------------


def _response_rule(columns: Columns) -> Callable[[Any, Any], list[Any]]:
    read = _RESPONSES[columns.response_rule]
    if columns.question_rule == "conversation" and columns.response_rule == "last_turn":
        read = _answering
    marks = columns.response_marks

    def responses(value: Any, thinking: Any) -> list[Any]:
        if value is None or value != value:  # pandas' way of missing
            return []
        found = read(value, marks)
        if thinking is None:
            return found
        thoughts = thinking if isinstance(thinking, list) else [thinking]
        # Nothing says whose thinking it is.
        if len(thoughts) != len(found):
            return found
        return [_with_thinking(*pair) for pair in zip(thoughts, found, strict=True)]

    return responses


def _with_thinking(thinking: Any, response: Any) -> Any:
    both = isinstance(thinking, str) and isinstance(response, str)
    return joined(thinking, response) if both else response


def _as_they_are(value: Any, marks: Sequence[str]) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _last_assistant(value: Any, marks: Sequence[str]) -> list[Any]:
    turns = turns_of(value)
    if turns is not None:
        if len(turns) > 1 and all(turn.role == "assistant" for turn in turns):
            return [turn.text for turn in turns]  # the choices of one request, not one talk
        last = last_of(turns, "assistant")
        return [] if last is None else [last]
    items = value if isinstance(value, list) else [value]
    if len(items) == 1 and items[0] is value:
        return items
    return [one for item in items for one in _last_assistant(item, marks)]


def _answering(value: Any, marks: Sequence[str]) -> list[Any]:
    """The last turn, if the assistant has it: one that the user answers is part of what is asked."""
    turns = turns_of(value)
    if turns is None:
        return _last_assistant(value, marks)
    if not turns or turns[-1].role != "assistant":
        return []
    choices = len(turns) > 1 and all(turn.role == "assistant" for turn in turns)
    return [turn.text for turn in turns] if choices else [turns[-1].text]


def _steps(value: Any, marks: Sequence[str]) -> list[Any]:
    """One response of the steps; of lists of steps, one each."""
    if not isinstance(value, list) or not value:
        return _as_they_are(value, marks)
    if all(isinstance(one, list) for one in value):
        return [one for steps in value for one in _steps(steps, marks)]
    texts = [step_text(one) for one in value]
    return ["\n\n".join(text for text in texts if text)] if all(text is not None for text in texts) else value


def step_text(step: Any) -> str | None:
    """The text of a step: itself, its text, or of several completions the one that was chosen."""
    if isinstance(step, str) or step is None:
        return step or ""
    if not isinstance(step, Mapping):
        return None
    completions, chosen = step.get("completions"), step.get("chosen_completion")
    if isinstance(completions, list) and completions:
        if isinstance(chosen, int) and 0 <= chosen < len(completions):
            return step_text(completions[chosen])
        written = step.get("human_completion")
        return step_text(written if written else completions[0])
    return next((step[name] for name in ("text", "content", "step") if isinstance(step.get(name), str)), None)


def _flat(value: Any, marks: Sequence[str]) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    return [inner for one in value for inner in (_flat(one, marks) if isinstance(one, list) else [one])]


def _texts_between(value: Any, marks: Sequence[str]) -> list[Any]:
    texts = _as_they_are(value, marks)
    if not marks[0]:  # up to a mark that ends a turn; what was cut off before it has none
        return [one.partition(marks[1])[0].strip() if isinstance(one, str) else one for one in texts]
    found = [_between(one, marks) for one in texts]
    return [one for one in found if one is not None]


_RESPONSES: dict[str, Callable[[Any, Sequence[str]], list[Any]]] = {
    "": _as_they_are,
    "last_turn": _last_assistant,
    "steps": _steps,
    "flat": _flat,
    "between": _texts_between,
}
