"""Raw rows for hypothesis: few different texts, so that twins, conflicts and faults of every kind meet."""

from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from skill_factory.recipe.model import Columns, Recipe, parse_recipe
from skill_factory.sources.canonical import canonical
from tests.make_raw import Row

COLUMNS = Columns(
    question="question",
    answer="answer",
    response=("response",),
    correct=("correct",),
    extracted_answer=("extracted_answer",),
    reflections=("reflections",),
    prompt_variant="prompt_variant",
)
RESPONSES = (
    "a <answer>1</answer>",
    "b <answer>1</answer>\n",
    "\n\nc <answer> 1 </answer>",
    "d <answer>2</answer>",
    "no answer",
    "",
    " \n",
    "e </sample> <answer>1</answer>",
    "f <answer>1</answer> and <answer>3</answer> so",
    "数 <answer>🧮</answer>",
    "CR\r\n <answer>\r</answer>",
    "<Sample> <answer>\n7\n</answer>",
    "x </answer> <answer>9",
)
REFLECTIONS = (
    "<verdict>Correct</verdict>",
    "<verdict>Incorrect</verdict>",
    "r <verdict> CORRECT\n</verdict>",
    "",
    "\t",
    "<verdict>incorrect</verdict> s <verdict>Correct</verdict>",
    "no verdict",
    "<verdict>perhaps</verdict>",
    "<think> <verdict>Correct</verdict>",
    "a fast idea <verdict>Correct</verdict>",
    "ideal <verdict>Incorrect</verdict>",
    "</verdict> stray <verdict>Correct</verdict>",
)
VARIANTS = (None, "original", "rephrase", "alternatively", "(none)", "a|b")

GOOD_ROW = st.fixed_dictionaries(
    {
        "question": st.sampled_from(["Q1", "Q2", " Q1", "数?"]),
        "answer": st.sampled_from([None, "1", "2"]),
        "response": st.sampled_from(RESPONSES),
        "correct": st.booleans(),
        "extracted_answer": st.sampled_from([None, "", "1", " 1", "2"]),
        "reflections": st.lists(st.sampled_from(REFLECTIONS), max_size=4),
        "prompt_variant": st.sampled_from(VARIANTS),
    }
)
"""A row of one response that can be read."""

BAD = st.sampled_from(
    [
        {"question": None},
        {"question": "  "},
        {"response": None},
        {"response": []},
        {"correct": None},
        {"correct": "?"},
        {"response": ["x", "y"]},
        {"reflections": [["r"], ["s"]]},
        {"response": 7},
        {"extracted_answer": {"a": 1}},
        {"question": "\ud800"},
        {"response": "half \udfff"},
    ]
)
ANY_ROW = GOOD_ROW | st.tuples(GOOD_ROW, BAD).map(lambda both: both[0] | both[1])
"""A row that may be one of those that can't be read."""


def table(rows: list[Row], columns: Columns = COLUMNS) -> pa.Table:
    """The canonical rows of some raw ones."""
    return canonical(rows, columns).table


def recipe(**parts: Any) -> Recipe:
    """A recipe over these columns."""
    return parse_recipe({"columns": COLUMNS.model_dump(), **parts})
