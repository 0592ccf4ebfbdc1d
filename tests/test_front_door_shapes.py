"""However the same content is laid out, the same data set is built; under names that lie, a doubt is said."""

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import preview
from skill_factory.errors import SkillFactoryError
from skill_factory.insight.inspection import inspect
from skill_factory.recipe.model import Recipe
from tests.make_raw import Row

# ------------------------------------------------------------------------------------------------ the content

LABEL_WORDS = [
    (True, False),
    (1, 0),
    (1.0, 0.0),
    (1, -1),
    ("yes", "no"),
    ("true", "false"),
    ("correct", "incorrect"),
    ("right", "wrong"),
    ("pass", "fail"),
    ("T", "F"),
    ("Y", "N"),
    ("C", "I"),
    ("正确", "错误"),
    ("richtig", "falsch"),
    ("ja", "nein"),
    ("correcto", "incorrecto"),
    ("vrai", "faux"),
    ("정답", "오답"),
    ("正解", "不正解"),
    ("passed", "failed"),
]
QUESTION_NAMES = [
    "question",
    "problem",
    "query",
    "prompt",
    "instruction",
    "Frage",
    "问题",
    "pregunta",
    "Question Text",
]
RESPONSE_NAMES = [
    "response",
    "responses",
    "completion",
    "generation",
    "model_output",
    "samples",
    "Antwort des Modells",
    "回答",
    "attempt",
]
LABEL_NAMES = ["correct", "is_correct", "label", "score", "passed", "richtig", "正确", "reward", "Is-Correct"]
GOLD_NAMES = [
    "answer",
    "ground_truth",
    "gold_answer",
    "expected_answer",
    "target",
    "reference_answer",
    "Lösung",
]
CRITIQUE_NAMES = ["reflections", "critiques", "critique", "feedback", "Kritik", "reflection"]


def content(questions: int, answers: int) -> list[Row]:
    """The flat, plain table: one row a response, with tags, a label and a critique."""
    rows = []
    for q in range(questions):
        for k in range(answers):
            right = k % 2 == 0
            said = 10 + q if right else 90 + k
            rows.append(
                {
                    "question": f"Tom has {q + 3} boxes and finds {7} more. How many boxes does he have now?",
                    "answer": str(10 + q),
                    "response": f"Attempt {k}: I add {q + 3} and 7 step by step.\n\n<answer>{said}</answer>",
                    "correct": right,
                    "reflections": f"I add them again, attempt {k}. <verdict>{'Correct' if right else 'Incorrect'}</verdict>",
                }
            )
    return rows


# -------------------------------------------------------------------------------------------------- its layouts


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    """A way to write the content down: names, nesting, label words, delimiters, where the thinking stands."""
    container = draw(st.sampled_from(["jsonl", "json", "csv", "wrapped", "by_id", "by_column"]))
    return {
        "container": container,
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "grouped": container != "csv" and draw(st.booleans()),
        "records": container != "csv" and draw(st.booleans()),
        "messages": container != "csv" and draw(st.booleans()),
        "template": draw(st.sampled_from(["", "chatml", "words"])),
        "labels": draw(st.sampled_from(LABEL_WORDS)),
        "think": draw(st.sampled_from(["", "tags", "closing", "column"])),
        "names": [
            draw(st.sampled_from(names))
            for names in (QUESTION_NAMES, GOLD_NAMES, RESPONSE_NAMES, LABEL_NAMES, CRITIQUE_NAMES)
        ],
        "noise": draw(st.booleans()),
        "order": draw(st.randoms(use_true_random=False)),
    }


def asked(question: str, how: dict[str, Any]) -> Any:
    """The question as a template or messages have it."""
    if how["messages"]:
        return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    if how["template"] == "chatml":
        return f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    return f"system\nBe brief.\nuser\n{question}\nassistant\n" if how["template"] == "words" else question


def said(response: str, how: dict[str, Any]) -> str:
    """The response with its thinking before it."""
    before = {"tags": "<think>\nHm, let me see.\n</think>\n\n", "closing": "Hm, let me see.\n</think>\n\n"}
    return before.get(how["think"], "") + response


def laid_out(rows: list[Row], how: dict[str, Any]) -> list[Row]:
    """The content as rows of the layout."""
    question, gold, response, label, critique = how["names"]
    yes, no = how["labels"]
    made = []
    for row in rows:
        text = said(row["response"], how)
        made.append(
            {
                question: asked(row["question"], how),
                gold: row["answer"],
                response: text,
                label: yes if row["correct"] else no,
                critique: [row["reflections"]],
                **({"reasoning_content": "Hm, let me see."} if how["think"] == "column" else {}),
                **({"source": "drawn", "difficulty": 3, "license": "cc0"} if how["noise"] else {}),
            }
        )
    if how["grouped"]:
        made = _grouped(made, how)
    if how["records"]:
        made = [{**row, response: _records(row[response])} for row in made]
    how["order"].shuffle(made)
    names = list(made[0])
    how["order"].shuffle(names)
    return [{name: row[name] for name in names} for row in made]


def _grouped(made: list[Row], how: dict[str, Any]) -> list[Row]:
    question, _, *many = how["names"]
    many += ["reasoning_content"] if how["think"] == "column" else []
    groups: dict[str, list[Row]] = {}
    for row in made:
        groups.setdefault(str(row[question]), []).append(row)
    return [
        {**group[0], **{name: [row[name] for row in group] for name in many}} for group in groups.values()
    ]


def _records(value: Any) -> Any:
    if isinstance(value, list):
        return [{"text": one, "model": "m"} for one in value]
    return {"text": value, "model": "m"}


def written(rows: list[Row], how: dict[str, Any], folder: Path) -> Path:
    """The rows in a file."""
    match how["container"]:
        case "csv":
            text = io.StringIO()
            table = csv.DictWriter(text, list(rows[0]), delimiter=how["delimiter"])
            table.writeheader()
            table.writerows({k: v[0] if isinstance(v, list) else v for k, v in row.items()} for row in rows)
            return _put(folder / "rows.csv", text.getvalue())
        case "jsonl":
            return _put(
                folder / "rows.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            )
        case "json":
            return _put(folder / "rows.json", json.dumps(rows))
        case "wrapped":
            return _put(folder / "rows.json", json.dumps({"version": 1, "data": rows}))
        case "by_id":
            return _put(folder / "rows.json", json.dumps({f"q-{k}": row for k, row in enumerate(rows)}))
        case _:
            columns = {name: {str(k): row[name] for k, row in enumerate(rows)} for name in rows[0]}
            return _put(folder / "rows.json", json.dumps(columns))


def _put(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


RECIPE = Recipe().changed({"traces.formats": ("*C_full", "*C*IC"), "traces.attempts": 2})


def built(path: Path) -> list[tuple[str, str]]:
    """Question and text of every trace that a build of a file writes, in written order."""
    return [
        (trace.plan.question.text, trace.text) for trace in preview(str(path), RECIPE, questions=100).traces
    ]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """What the flat, plain table builds."""
    folder = tmp_path_factory.mktemp("plain")
    text = "".join(json.dumps(row) + "\n" for row in content(5, 4))
    return built(_put(folder / "rows.jsonl", text))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(how=layouts())
def test_every_layout_builds_what_the_plain_table_builds(
    how: dict[str, Any], plain: list[tuple[str, str]], tmp_path: Path
) -> None:
    """Nesting, names, label words, delimiters, templates and thinking change no byte of what is built."""
    path = written(laid_out(content(5, 4), how), how, tmp_path)
    assert built(path) == plain


# ------------------------------------------------------------------------------------------- names that lie


@pytest.mark.parametrize("seed", range(500))
def test_exchanged_names_are_read_rightly_or_doubted(seed: int, tmp_path: Path) -> None:
    """Under permuted column names the reading is the right one, or there is a doubt, or a sentence; never silence."""
    rows, draw = content(4, 4), random.Random(seed)
    names = [*rows[0], "source"]
    other = draw.sample(names, len(names))
    renamed = [dict(zip(other, [*row.values(), f"set {k % 3}"], strict=True)) for k, row in enumerate(rows)]
    path = _put(tmp_path / "rows.jsonl", "".join(json.dumps(row) + "\n" for row in renamed))
    where = dict(zip(names, other, strict=True))
    try:
        seen = inspect(str(path))
    except SkillFactoryError:
        return  # a sentence, and nothing is built
    columns = seen.recipe.columns
    right = columns.question == where["question"] and columns.response == (where["response"],)
    right = right and columns.correct in ((where["correct"],), ())
    right = right and columns.answer in (where["answer"], "")
    assert right or seen.doubts, (columns.model_dump(exclude_defaults=True), where)
