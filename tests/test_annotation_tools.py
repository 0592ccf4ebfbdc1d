"""Exports of annotation tools: what people said of a response is its label and its critique; where they differ, it is asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill_factory.insight.inspection import Inspection, inspect

Result = list[dict[str, Any]]


def chosen(choice: str, critique: str = "") -> Result:
    """What one annotator said in a form of two controls."""
    said: Result = [
        {
            "value": {"choices": [choice]},
            "from_name": "correctness",
            "to_name": "response",
            "type": "choices",
        },
        {
            "value": {"start": 0, "end": 3, "text": "I a", "labels": ["slip"]},
            "from_name": "span",
            "type": "labels",
        },
    ]
    if critique:
        said.append({"value": {"text": [critique]}, "from_name": "critique", "type": "textarea"})
    return said


def task(q: int, k: int, results: list[Result], **changes: Any) -> dict[str, Any]:
    """A task as Label Studio exports it."""
    annotations = [
        {"id": 9 * q + k, "completed_by": n + 1, "result": one, "was_cancelled": False, "lead_time": 4.2}
        for n, one in enumerate(results)
    ]
    data = {
        "question": f"What is {q} + {q}?",
        "response": f"I add. The answer is {2 * q + k}.",
        "gold": str(2 * q),
    }
    return {
        "id": 9 * q + k,
        "annotations": annotations,
        "predictions": [],
        "drafts": [],
        "data": data,
        **changes,
    }


def seen(path: Path, rows: list[dict[str, Any]], lines: bool = False) -> Inspection:
    path.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows), encoding="utf-8")
    return inspect(str(path))


def tasks(results: Callable[[int, int], list[Result]]) -> list[dict[str, Any]]:
    return [task(q, k, results(q, k)) for q in range(6) for k in range(4)]


def word(k: int) -> str:
    return "Incorrect" if k else "Correct"


@pytest.mark.parametrize("lines", [False, True])
def test_choices_of_label_studio_are_labels_and_texts_critiques(lines: bool, tmp_path: Path) -> None:
    """Its JSON export, as a list or a task a line: what was asked, chosen and written stands in columns of its own."""
    rows = tasks(lambda q, k: [chosen(word(k), f"I add {q} again. <verdict>{word(k)}</verdict>")])
    found = seen(tmp_path / ("tasks.jsonl" if lines else "tasks.json"), rows, lines)
    assert (found.preset, found.needs) == ("Label Studio export", [])
    assert tuple(vars(found.found).values()) == (6, 24, 6, 18, 0, 24)


def test_annotators_who_agree_count_once_and_cancelled_ones_not_at_all(tmp_path: Path) -> None:
    """Two annotators who say the same are one label; what was cancelled was never said."""
    rows = tasks(lambda q, k: [chosen(word(k)), chosen(word(k))])
    rows[0]["annotations"].append({"result": chosen("Incorrect"), "was_cancelled": True})
    assert tuple(vars(seen(tmp_path / "tasks.json", rows).found).values()) == (6, 24, 6, 18, 0, 0)


def test_annotators_who_differ_are_asked_about(tmp_path: Path) -> None:
    """Which of them is right nobody knows: it is said, and neither is taken."""
    rows = tasks(lambda q, k: [chosen(word(k)), chosen("Incorrect")])
    (doubt,) = (one for one in seen(tmp_path / "tasks.json", rows).doubts if one.code == "unread_labels")
    assert "“correct | incorrect”" in doubt.sentence


def test_a_task_without_annotations_has_no_label(tmp_path: Path) -> None:
    """It is counted as unlabelled, and dropped for that reason."""
    rows = tasks(lambda q, k: [chosen(word(k))])
    rows[5]["annotations"] = []
    assert tuple(vars(seen(tmp_path / "tasks.json", rows).found).values()) == (6, 24, 6, 17, 1, 0)


def test_the_flat_export_of_label_studio_is_read_alike(tmp_path: Path) -> None:
    """JSON-MIN, with single choices as words, several as a record; who annotated isn't a label."""
    about = {"annotation_id": 1, "created_at": "2026", "updated_at": "2026", "lead_time": 4.2}
    rows = [
        {**task(q, k, [])["data"], "correctness": value, "annotator": 1 + k % 2, **about}
        for q in range(6)
        for k in range(4)
        for value in [word(k) if q % 2 else {"choices": [word(k)]}]
    ]
    found = seen(tmp_path / "min.json", rows)
    assert (found.preset, tuple(vars(found.found).values())) == ("Label Studio export", (6, 24, 6, 18, 0, 0))
