"""The fields of a row: what the columns of a source may hold. Command, page, docs and reader all use this list."""

from typing import NamedTuple


class RowField(NamedTuple):
    """A field of a row: its name in a recipe's `columns`, and what people need to know about it."""

    name: str
    title: str
    help: str
    needed: str = ""
    """What to do while a required field has no column; empty for an optional field."""
    many: bool = False
    """Whether a row may hold several values, in a list or in several columns."""
    in_step: bool = True
    """Whether several columns of it stand for several columns of responses, one each."""
    offered: bool = True
    """Whether the page offers a picker for the field."""


FIELDS: tuple[RowField, ...] = (
    RowField(
        "question", "Question", "The problem, as the user asks it.", "Pick the column with the question."
    ),
    RowField(
        "response",
        "Response",
        "The model's answer with its reasoning; several columns give one response each.",
        "Pick the column with the model's answers.",
        many=True,
    ),
    RowField(
        "correct",
        "Right or wrong",
        "Whether the response is right: yes or no, true or false, 1 or 0.",
        "Pick the column that says right or wrong.",
        many=True,
    ),
    RowField(
        "reflections",
        "Reflections",
        "The model's own reflections on the response, one or a list.",
        many=True,
    ),
    RowField(
        "extracted_answer",
        "Final answer",
        "The answer that a grader took from the response. Without a column, the answer rule finds it.",
        many=True,
    ),
    RowField("answer", "Gold answer", "The known right answer to the question."),
    RowField("prompt_variant", "Prompt variant", "The wording of the prompt that the response came from."),
    RowField(
        "verdicts",
        "Verdicts",
        "The verdict of each reflection, for the verdict rule `column`.",
        many=True,
        offered=False,
    ),
    RowField(
        "question_rest",
        "Rest of the question",
        "Columns whose texts follow the question's own: an input, or a list of choices.",
        many=True,
        in_step=False,
        offered=False,
    ),
    RowField(
        "thinking",
        "Thinking",
        "The thinking of each response, if that has a column of its own.",
        many=True,
        offered=False,
    ),
    RowField(
        "correct_else",
        "Right or wrong, else",
        "Columns that say right or wrong in rows where the first one is empty.",
        many=True,
        in_step=False,
        offered=False,
    ),
    RowField(
        "system",
        "System prompt",
        "The system prompt, where the question is read with its conversation and the messages hold none.",
        offered=False,
    ),
    RowField(
        "tools",
        "Tools",
        "The tools that the assistant may call, where the question is read with its conversation.",
        offered=False,
    ),
)
"""Every field, in the order in which people are asked for it."""

NAMES = tuple(field.name for field in FIELDS)
REQUIRED = tuple(field.name for field in FIELDS if field.needed)
MANY = tuple(field.name for field in FIELDS if field.many)
IN_STEP = tuple(field.name for field in FIELDS if field.many and field.in_step)
"""Fields that may have a column for each response column."""
