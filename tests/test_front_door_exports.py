"""Exports of spreadsheets, annotation tools, services and published sets, in the forms that people really bring."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from skill_factory.errors import SkillFactoryError
from skill_factory.grading import Decision
from skill_factory.grading.labelling import label
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.judge.stated import stated_answer
from skill_factory.recipe.words import known_words
from skill_factory.sources import open_source
from tests.test_front_door_kinds import QUESTIONS, TRIES, ask, each, grouped, said, value
from tests.test_front_door_logs import LABELLED, UNLABELLED, right, user

CRITICISED = (4, 16, 8, 8, 0, 16)


def answer(q: int, k: int) -> dict[str, str]:
    """The response as a message."""
    return {"role": "assistant", "content": said(q, k)}


def looked(folder: Path, content: Any, name: str = "set.json") -> Inspection:
    """What `inspect` says of a file's content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return inspect(str(path))


def counts(seen: Inspection) -> tuple[int, ...]:
    return tuple(vars(seen.found).values())


# ------------------------------------------------------------------------------------------------- spreadsheets


def table(names: list[str], rows: list[list[Any]], **dialect: str) -> bytes:
    """A CSV file."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n", **dialect)  # type: ignore[arg-type]
    writer.writerows([names, *rows])
    return made.getvalue().encode()


PLAIN = each(lambda q, k: [ask(q), said(q, k), str(right(k))])
NAMES = ["question", "response", "correct"]
SHEETS = {
    "row numbers without a name, as pandas writes them": table(["", *NAMES], [[n, *row] for n, row in enumerate(PLAIN)]),
    "empty columns behind the table": table([*NAMES, "", ""], [[*row, "", ""] for row in PLAIN]),
    "lines of semicolons below the table": table([*NAMES, ""], [*([*row, ""] for row in PLAIN), [""] * 4], delimiter=";"),
    "a comma behind each row alone": table(NAMES, [[*row, ""] for row in PLAIN]),
    "capitals and spaces in names": table([f" {name.upper()} " for name in NAMES], PLAIN),
    "a column without a name that holds the responses": table(["question", "", "correct"], PLAIN),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHEETS)
def test_a_table_is_read_as_its_spreadsheet_shows_it(kind: str, tmp_path: Path) -> None:
    """Edges of a table that a spreadsheet leaves in its CSV hold nothing and hide nothing."""
    seen = looked(tmp_path, SHEETS[kind], "set.csv")
    assert counts(seen) == LABELLED
    assert not {"two_golds", "labels_contradicted"} & {doubt.code for doubt in seen.doubts}


def test_cells_beyond_the_columns_are_refused_where_they_hold_something(tmp_path: Path) -> None:
    """A cell too many means that a text was cut at its commas."""
    with pytest.raises(SkillFactoryError, match="has 4 cells for 3 columns"):
        looked(tmp_path, table(NAMES, [[*row, "x"] for row in PLAIN]), "set.csv")


def test_a_tick_alone_is_not_taken_for_a_cross(tmp_path: Path) -> None:
    """An `x` beside blanks may tick what is right; beside a word that means right it means wrong."""
    seen = looked(tmp_path, table(NAMES, each(lambda q, k: [ask(q), said(q, k), "x" * right(k)])), "set.csv")
    assert (seen.found.right, seen.found.wrong) == (0, 0) and "labels" in seen.needs
    assert known_words(["x"]) is None and known_words(["o", "x"]) == (("o",), ("x",))


def test_questions_above_blocks_are_said_to_be_merged_cells(tmp_path: Path) -> None:
    """Rows without a question are lost; what makes them so in a spreadsheet has its own remedy."""
    rows = each(lambda q, k: [ask(q) * (k == 0), said(q, k), str(right(k))])
    (doubt,) = (
        one
        for one in looked(tmp_path, table(NAMES, rows), "set.csv").doubts
        if one.code == "drop_no_question"
    )
    assert "12 of 16 rows" in doubt.sentence and "fill it down" in doubt.fix


def test_json_lines_in_utf_16_are_read(tmp_path: Path) -> None:
    """As PowerShell writes what a program prints."""
    rows = each(lambda q, k: {"question": ask(q), "response": said(q, k), "correct": right(k)})
    lines = "\r\n".join(map(json.dumps, rows)).encode("utf-16")
    assert counts(looked(tmp_path, lines, "set.jsonl")) == LABELLED


# --------------------------------------------------------------------------------------------- what programs write

READ: dict[str, tuple[Any, tuple[int, ...]]] = {
    "conversations without a name": ([[user(q), answer(q, k)] for q in range(QUESTIONS) for k in range(TRIES)], UNLABELLED),
    "names first, then cells": ([NAMES, *each(lambda q, k: [ask(q), said(q, k), right(k)])], LABELLED),
    "a content in parts under a name of its own": (each(lambda q, k: {
        "problem": ask(q), "gold": str(q + 10),
        "output": [{"type": "thinking", "thinking": f"Hm {k}.", "signature": "x"}, {"type": "text", "text": said(q, k)}],
    }), UNLABELLED),
    "responses by model in a record": (grouped(lambda q: {
        "question": ask(q), "gold": str(q + 10), "responses": {f"model_{k}": said(q, k) for k in range(TRIES)},
    }), UNLABELLED),
    "responses and labels by model": (grouped(lambda q: {
        "question": ask(q), "responses": {f"model_{k}": said(q, k) for k in range(TRIES)},
        "correct": {f"model_{k}": right(k) for k in range(TRIES)},
    }), LABELLED),
    "a critique that is a record with its verdict": (each(lambda q, k: {
        "question": ask(q), "response": said(q, k), "correct": right(k),
        "critique": json.dumps({"analysis": f"I add {q} again.", "verdict": "correct" if right(k) else "incorrect"}),
    }), CRITICISED),
    "a verification": (each(lambda q, k: {
        "problem": ask(q), "solution": said(q, k), "label": int(right(k)),
        "verification": f"Let me add {q} again. Is the answer correct (Yes/No)? {'Yes' if right(k) else 'No'}",
    }), CRITICISED),
    "an answer that accepts or rejects": (each(lambda q, k: {
        "question": ask(q), "text": said(q, k), "_input_hash": q, "_task_hash": k, "answer": ("accept", "reject")[k % 2],
    }), LABELLED),
    "an accepted choice": (each(lambda q, k: {
        "text": said(q, k), "meta": {"question": ask(q)}, "_input_hash": q, "_task_hash": k, "answer": "accept",
        "options": [{"id": "correct", "text": "Correct"}, {"id": "incorrect", "text": "Incorrect"}],
        "accept": [("correct", "incorrect")[k % 2]],
    }), LABELLED),
    "question and answer in one text": (each(lambda q, k: {
        "id": q, "text": f"Question: {ask(q)}\n\nAnswer: {said(q, k)}", "label": [("Correct", "Incorrect")[k % 2]], "Comments": [],
    }), LABELLED),
    "several gold answers": (each(lambda q, k: {
        "problem": ask(q), "answers": [str(q + 10), f"{q + 10}.0"], "model_response": said(q, k),
    }), UNLABELLED),
    "whole responses beside the last steps": (grouped(lambda q: {
        "prompt": ask(q), "initial_reason_steps": "Step 1: I read.", "chosen": " Add.", "rejected": " Take.",
        "full_chosen": said(q, 0), "full_rejected": said(q, 1), "answer": str(q + 10),
    }), (4, 8, 0, 0, 8, 0)),
    "an answer with its reasoning beside a conversation": (each(lambda q, k: {
        "messages": [user(q)], "reasoning": "Hm, boxes and boxes.", "answer": said(q, k), "model": "r1",
    }), UNLABELLED),
    "what happened to a response, beside a gold answer": (each(lambda q, k: {
        "question": ask(q), "response": said(q, k), "gold": str(q + 10), "truncated": k == 3,
    }), UNLABELLED),
    "thumbs for feedback": (each(lambda q, k: {
        "question": ask(q), "response": said(q, k), "feedback": ("thumbs up", "thumbs down")[k % 2],
    }), LABELLED),
    "a server's reply written as JSON": (each(lambda q, k: {
        "messages": json.dumps([user(q)]), "response": json.dumps({"choices": [{"message": answer(q, k)}]}), "status": "success",
    }), UNLABELLED),
    "records by question, with records by number": ({ask(q): {
        "responses": {str(k): {"content": said(q, k), "correctness": right(k), "reason": ""} for k in range(TRIES)},
        "token_usages": {}, "answer": str(q + 10),
    } for q in range(QUESTIONS)}, LABELLED),
    "whether the thinking is complete, beside a gold answer": (grouped(lambda q: {
        "problem": ask(q), "answer": str(q + 10), "generations": [said(q, k) for k in range(TRIES)],
        "is_reasoning_complete": [True, True, False, True],
    }), UNLABELLED),
    "a reward of the instruction": (grouped(lambda q: {
        "instruction": ask(q), "response": said(q, 0), "instruct_reward": q - 3.2, "difficulty": ("easy", "hard")[q % 2],
    }), (4, 4, 0, 0, 4, 0)),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_an_export_is_read_by_itself(kind: str, tmp_path: Path) -> None:
    """Questions, responses, labels and critiques are found; none of them is another thing of the record."""
    content, expected = READ[kind]
    assert counts(looked(tmp_path, content)) == expected


ALONE: dict[str, Any] = {
    "a number": lambda q, k: str(value(q, k)),
    "a number in dollars": lambda q, k: f"${value(q, k)}$",
    "an equation": lambda q, k: f"x = {value(q, k)}",
    "a record": lambda q, k: json.dumps({"reasoning": "I add.", "answer": value(q, k)}),
    "a fenced record": lambda q, k: f'```json\n{{"final_answer": "{value(q, k)}"}}\n```',
}


@pytest.mark.parametrize("kind", ALONE)
def test_a_response_that_is_the_answer_alone_is_graded(kind: str, tmp_path: Path) -> None:
    """Or a record that a model was asked to write: its answer is found, by `grade` and by the build alike."""
    rows = each(lambda q, k: {"question": ask(q), "gold": str(q + 10), "response": ALONE[kind](q, k)})
    seen = looked(tmp_path, rows)
    assert "answers" not in seen.needs and "grade" in seen.needs
    report = label(open_source(str(tmp_path / "set.json")), tmp_path / "graded.parquet")
    assert (report.decided[Decision.RIGHT], report.decided[Decision.WRONG]) == (8, 8)


@pytest.mark.parametrize(
    "text", ["Sorry", "I think so", "1. First I add", "Step 1", "Okay", "Because 7", "{}", "A cat"]
)
def test_a_short_text_that_is_no_answer_states_none(text: str) -> None:
    """A refusal, the beginning of a list, or what was cut off isn't taken for an answer."""
    assert stated_answer(text) is None


def test_responses_that_begin_with_their_labels_are_doubted(tmp_path: Path) -> None:
    """An evaluation writes its result before each output, and every attempt would give it away."""
    rows = grouped(lambda q: [ask(q), f"[PASS] {said(q, 0)}", f"[FAIL] {said(q, 1)}"])
    seen = looked(tmp_path, table(["question", "[gpt-4o] Solve it", "[claude] Solve it"], rows), "set.csv")
    assert "marked_responses" in {doubt.code for doubt in seen.doubts}


def test_results_of_the_responses_endpoint_are_joined_with_their_requests(tmp_path: Path) -> None:
    """Alone they hold no question, which is said; beside their requests they are read."""
    output = [{"type": "reasoning", "summary": []}]
    results = each(lambda q, k: {
        "custom_id": f"{q}-{k}", "response": {"status_code": 200, "body": {"object": "response", "output": [
            *output, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said(q, k)}]},
        ]}},
    })  # fmt: skip
    lines = "\n".join(map(json.dumps, results)).encode()
    with pytest.raises(SkillFactoryError, match="Put the request file beside the results"):
        looked(tmp_path, lines, "results.jsonl")
    asked = each(lambda q, k: {"custom_id": f"{q}-{k}", "url": "/v1/responses", "body": {"input": [user(q)]}})
    (tmp_path / "requests.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    assert counts(inspect(str(tmp_path))) == UNLABELLED


WORDS = [
    ("ok", "nok"), ("hit", "miss"), ("helt rätt", "fel"), ("oikein", "väärin"), ("rigtigt", "forkert"), ("riktig", "feil"),
    ("helyes", "helytelen"), ("corect", "greșit"), ("вярно", "грешно"), ("točno", "netočno"), ("সঠিক", "ভুল"),
]  # fmt: skip


@pytest.mark.parametrize(("yes", "no"), WORDS)
def test_more_languages_have_words_for_right_and_wrong(yes: str, no: str) -> None:
    """Known at once, whichever comes first."""
    assert known_words([no, yes]) == ((yes,), (no,))


def test_value_is_what_the_responses_end_with() -> None:
    """The fixtures' labels agree with their answers, so that none of the above is a matter of luck."""
    assert all((value(q, k) == q + 10) == right(k) for q in range(QUESTIONS) for k in range(TRIES))
