"""What other tools write, beside the formats that are known by name: read by names, nesting and shape alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.pipeline import preview
from skill_factory.errors import SourceError
from skill_factory.insight.inspection import inspect
from skill_factory.recipe.model import Recipe
from tests.command import run

QUESTIONS, TRIES = 4, 4


def ask(q: int) -> str:
    """A question."""
    return f"Tom has {q + 3} boxes and finds 7 more. How many boxes does he have now?"


def said(q: int, k: int) -> str:
    """A response to it; every second one is right."""
    return f"Attempt {k}: I add step by step.\n\n<answer>{value(q, k)}</answer>"


def value(q: int, k: int) -> int:
    """The answer of that response."""
    return q + 10 if k % 2 == 0 else 90 + k


def each(row: Callable[[int, int], Any]) -> list[Any]:
    """A row for every response."""
    return [row(q, k) for q in range(QUESTIONS) for k in range(TRIES)]


def grouped(row: Callable[[int], Any]) -> list[Any]:
    """A row for every question."""
    return [row(q) for q in range(QUESTIONS)]


ROWS: dict[str, Any] = {
    "a tracing service": each(lambda q, k: {
        "id": f"{q}-{k}", "inputs": {"question": ask(q)}, "outputs": {"answer": said(q, k)},
        "reference_outputs": {"answer": str(q + 10)}, "feedback": {"correctness": {"score": 1 - k % 2}},
    }),
    "results within results": {"evalId": "e", "config": {}, "results": {"version": 3, "stats": {}, "results": each(lambda q, k: {
        "prompt": {"raw": ask(q)}, "vars": {"question": ask(q), "expected": str(q + 10)},
        "response": {"output": said(q, k)}, "success": k % 2 == 0, "score": 1 - k % 2,
    })}},
    "details by number, with a word beside": {"accuracy": 50.0, "details": {"type": "GEN", **{
        str(n): row for n, row in enumerate(each(lambda q, k: {
            "prompt": ask(q), "origin_prediction": said(q, k), "predictions": str(value(q, k)),
            "references": str(q + 10), "correct": k % 2 == 0,
        }))
    }}},
    "a review beside the message": each(lambda q, k: {
        "index": TRIES * q + k, "raw_input": {"question": ask(q), "answer": f"Add 7. #### {q + 10}"},
        "choices": [{"message": {"role": "assistant", "content": said(q, k)}, "review": {"gold": str(q + 10), "result": 1.0 - k % 2}}],
    }),
    "actual and expected output": each(lambda q, k: {
        "input": ask(q), "actual_output": said(q, k), "expected_output": str(q + 10), "success": k % 2 == 0,
    }),
    "runs that hold their rows": {"model": "m", "runs": [{"seed": k, "records": [
        {"question": ask(q), "gold": str(q + 10), "output": said(q, k), "is_correct": k % 2 == 0} for q in range(QUESTIONS)
    ]} for k in range(TRIES)]},
    "records with a field's name": grouped(lambda q: {
        "problem": {"text": ask(q), "id": q}, "gold": {"value": str(q + 10)},
        "rollouts": [{"content": said(q, k), "judge": {"verdict": ("correct", "incorrect")[k % 2]}} for k in range(TRIES)],
    }),
    "messages written as text": each(lambda q, k: {
        "messages": json.dumps([{"role": "user", "content": ask(q)}, {"role": "assistant", "content": said(q, k)}]),
        "gold": str(q + 10), "score": 1.0 - k % 2,
    }),
    "rows by model": {f"model {k}": [
        {"question": ask(q), "gold": str(q + 10), "response": said(q, k), "correct": k % 2 == 0} for q in range(QUESTIONS)
    ] for k in range(TRIES)},
    "samples by name": grouped(lambda q: {
        "question": ask(q), "answer": str(q + 10), "samples": {f"s{k}": {"text": said(q, k), "ok": k % 2 == 0} for k in range(TRIES)},
    }),
    "a grade with a decimal comma": each(lambda q, k: {
        "Pergunta": ask(q), "Gabarito": str(q + 10), "Resposta do modelo": said(q, k), "Nota": ("1,0", "0,0")[k % 2],
    }),
    "a grade in percent": each(lambda q, k: {
        "question": ask(q), "answer": str(q + 10), "response": said(q, k), "score": ("100%", "0%")[k % 2],
    }),
    "models side by side, beside a reference solution": grouped(lambda q: {
        "problem": ask(q), "solution": "We add seven to the boxes and have it.", "answer": str(q + 10),
        **{f"response_model_{name}": said(q, k) for k, name in enumerate("abcd")},
        **{f"correct_{k}": k % 2 == 0 for k in range(TRIES)},
    }),
    "choices of one request": grouped(lambda q: {
        "request": {"messages": [{"role": "user", "content": ask(q)}]}, "expected": str(q + 10),
        "response": {"choices": [{"index": k, "message": {"role": "assistant", "content": said(q, k)}} for k in range(TRIES)]},
        "correct": [k % 2 == 0 for k in range(TRIES)],
    }),
    "contents with parts": each(lambda q, k: {
        "contents": [{"role": "user", "parts": [{"text": ask(q)}]}], "gold": str(q + 10), "correct": k % 2 == 0,
        "candidates": [{"content": {"role": "model", "parts": [{"text": said(q, k)}]}}],
    }),
    "models side by side": grouped(lambda q: {
        "Question": ask(q), "Gold": str(q + 10),
        **{f"M{k} answer": said(q, k) for k in range(TRIES)}, **{f"M{k} correct": ("yes", "no")[k % 2] for k in range(TRIES)},
    }),
}  # fmt: skip


@pytest.mark.parametrize("kind", ROWS)
def test_what_a_tool_writes_is_read(kind: str, tmp_path: Path) -> None:
    """Questions, responses, labels and gold answers are found by themselves, and nothing is in doubt."""
    path = tmp_path / "log.json"
    path.write_text(json.dumps(ROWS[kind]), encoding="utf-8")
    seen = inspect(str(path))
    assert tuple(vars(seen.found).values()) == (4, 16, 8, 8, 0, 0)
    assert seen.recipe.columns.answer
    assert not {doubt.code for doubt in seen.doubts} - {"guessed_question", "guessed_response"}


def test_a_conversation_whose_turns_are_prompts_is_a_question(tmp_path: Path) -> None:
    """Predictions by number, each with the prompt as turns under a key of their own: gold answers can grade them."""
    rows = each(lambda q, k: {"origin_prompt": [{"role": "HUMAN", "prompt": ask(q)}], "prediction": said(q, k), "gold": str(q + 10)})  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps({str(n): row for n, row in enumerate(rows)}), encoding="utf-8")
    seen = inspect(str(path))
    assert (tuple(vars(seen.found).values()), seen.needs[0]) == ((4, 16, 0, 0, 16, 0), "grade")


def test_critiques_beside_the_responses_of_a_list_belong_one_to_each(tmp_path: Path) -> None:
    """Records with a response and a critique each are read as pairs."""
    rows = grouped(lambda q: {"instruction": ask(q), "completions": [{"response": said(q, k), "critique": f"I check try {k} of it."} for k in range(TRIES)]})  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert tuple(vars(inspect(str(path)).found).values()) == (4, 16, 0, 0, 16, 16)


@pytest.mark.parametrize(
    "talk",
    [
        "<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n{r}<|im_end|>\n",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{q}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{r}<|eot_id|>",
        "<s>[INST] {q} [/INST] {r}</s>",
        "Below is a task.\n\n### Instruction:\n{q}\n\n### Response:\n{r}",
    ],
)
def test_a_conversation_in_one_text_is_question_and_response(talk: str, tmp_path: Path) -> None:
    """What a template made one text of is taken apart at its marks."""
    path = tmp_path / "log.json"
    rows = each(lambda q, k: {"text": talk.format(q=ask(q), r=said(q, k)), "label": 1 - k % 2})
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert tuple(vars(inspect(str(path)).found).values()) == (4, 16, 8, 8, 0, 0)
    recipe = Recipe().changed({"traces.formats": ("no_reflection",), "traces.attempts": 1})
    traces = preview(str(path), recipe, questions=10).traces
    assert {trace.plan.question.text for trace in traces} == {ask(q) for q in range(QUESTIONS)}
    assert all(
        "Attempt" in trace.text and "<|" not in trace.text and "INST" not in trace.text for trace in traces
    )


def test_a_number_beside_choices_is_the_place_of_the_right_one(tmp_path: Path) -> None:
    """`answer: 1` of four choices means the second; graded by letter, half of the responses are right."""
    rows = each(lambda q, k: {
        "question": f"Which number is {q} plus two?", "choices": [str(q), str(q + 2), str(q + 5), str(q + 9)], "answer": 1,
        "model_response": f"Attempt {k}. Adding gives it. The answer is {('B', 'C')[k % 2]}.",
    })  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert inspect(str(path)).recipe.columns.answer == "choices@answer"
    told = json.loads(run("grade", path, "--out", tmp_path / "graded.parquet", "--yes", "--json").out)
    assert (told["right"], told["wrong"]) == (8, 8)


def test_critiques_in_records_are_their_texts(tmp_path: Path) -> None:
    """A record with the critic's name and the text is a reflection by its text."""
    rows = each(lambda q, k: {
        "question": ask(q), "response": said(q, k), "correct": k % 2 == 0,
        "critiques": [{"critic": "m", "text": f"Checked {k}. <verdict>{('Correct', 'Incorrect')[k % 2]}</verdict>"}],
    })  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    seen = inspect(str(path))
    assert (seen.recipe.columns.reflections, seen.doubts) == (("critiques.text",), [])


@pytest.mark.parametrize("words", [("correct", "incorrect"), (True, False), ("通过", "不通过")])
def test_a_verdict_in_a_column_of_its_own_is_read(words: tuple[Any, Any], tmp_path: Path) -> None:
    """Critiques that don't say it have their verdict beside them; the label keeps its own column."""
    rows = each(lambda q, k: {
        "question": ask(q), "response": said(q, k), "correct": k % 2 == 0,
        "critique": f"I add again, try {k}.", "critique_verdict": words[k % 2],
    })  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    seen = inspect(str(path))
    columns = seen.recipe.columns
    assert (columns.correct, columns.verdicts) == (("correct",), ("critique_verdict",))
    assert (seen.recipe.verdicts.rule, seen.doubts) == ("column", [])
    assert preview(str(path), Recipe().changed({"traces.attempts": 2}), questions=10).traces


def test_lists_that_were_written_as_text_are_doubted(tmp_path: Path) -> None:
    """Outside a CSV, a text that looks like a list is a text: that several responses would be read as one is said."""
    rows = grouped(lambda q: {"question": ask(q), "answer": "1", "responses": json.dumps([said(q, k) for k in range(TRIES)])})  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert "lists_as_text" in {doubt.code for doubt in inspect(str(path)).doubts}


LABELS = [
    ("👍", "👎"), ("OK", "NG"), ("bien", "mal"), ("is correct", "is not correct"), ("right answer", "wrong answer"),
    ("goed", "fout"), ("rätt", "fel"), ("对", "错"), ("○", "×"), ("صحيح", "خطأ"), ("benar", "salah"), ("AC", "WA"),
]  # fmt: skip


@pytest.mark.parametrize("right, wrong", LABELS)
def test_label_words_of_many_languages_are_known(right: str, wrong: str, tmp_path: Path) -> None:
    """Words and signs that mean right and wrong are read at once."""
    rows = each(lambda q, k: {"question": ask(q), "response": said(q, k), "correct": (right, wrong)[k % 2]})
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert tuple(vars(inspect(str(path)).found).values()) == (4, 16, 8, 8, 0, 0)


@pytest.mark.parametrize(
    "content, cause",
    [
        ("<!DOCTYPE html>\n<html><body>Please sign in</body></html>", "is a web page, not data"),
        ("Export of run 7\nquestion,response,correct\nWhat?,It is 1,true\n", "looks like a title"),
        ("Export of run 7;;\nquestion;response;correct\nWhat?;It is 1;true\n", "looks like a title"),
    ],
)
def test_a_table_that_isnt_one_is_refused_for_what_it_is(content: str, cause: str, tmp_path: Path) -> None:
    """A saved sign-in page and a title above the table are named."""
    path = tmp_path / "rows.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=cause):
        inspect(str(path))


@pytest.mark.parametrize("gold", [True, False], ids=["with a gold answer", "without one"])
@pytest.mark.parametrize(
    "name",
    [
        "is_wrong",
        "failed",
        "errors",
        "isIncorrect",
        "not_solved",
        "unsolved",
        "hallucinated",
        "fehler",
        "是否错误",
    ],
)
def test_a_flag_whose_yes_means_wrong_is_read_so(tmp_path: Path, name: str, gold: bool) -> None:
    """The name says what its yes means; the rule is shown as a choice, and the doubt names it."""
    seen = inspect(flagged(tmp_path / "raw.jsonl", lambda right: {name: not right}, gold=gold))
    recipe = seen.recipe
    assert (recipe.columns.label_rule, recipe.columns.right) == ("words", ("no", "false", "0"))
    assert (seen.found.right, seen.found.wrong) == (8, 8)
    assert any(f"`{name}`, where yes means wrong" in doubt.sentence for doubt in seen.doubts)


@pytest.mark.parametrize("name", ["no_error", "not_wrong", "is_correct", "error_free"])
def test_a_flag_that_denies_a_fault_says_right(tmp_path: Path, name: str) -> None:
    """`no_error` is yes where a response is right."""
    seen = inspect(flagged(tmp_path / "raw.jsonl", lambda right: {name: right}, gold=False))
    assert (seen.recipe.columns.label_rule, seen.found.right, seen.found.wrong) == ("", 8, 8)


def test_labels_that_are_all_contradicted_look_exchanged(tmp_path: Path) -> None:
    """Where grading says the reverse of nearly every label, one press exchanges right and wrong."""
    path = flagged(tmp_path / "raw.jsonl", lambda right: {"correct": not right}, gold=True)
    doubt = next(doubt for doubt in inspect(path).doubts if doubt.code == "labels_reversed")
    assert "16 of 16 labels" in doubt.sentence
    exchanged = Recipe().changed(dict(doubt.changes))
    again = inspect(path, exchanged)
    assert (again.found.right, again.found.wrong) == (8, 8)
    assert "labels_reversed" not in {doubt.code for doubt in again.doubts}


def flagged(path: Path, flag: Callable[[bool], dict[str, Any]], *, gold: bool) -> str:
    """A file of responses with a flag, half of them right."""
    rows = each(
        lambda q, k: {
            "question": ask(q),
            "response": said(q, k),
            **({"answer": str(q + 10)} if gold else {}),
            **flag(k % 2 == 0),
        }
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_words_that_no_rule_uses_are_doubted(tmp_path: Path) -> None:
    """A recipe by hand names the words and forgets the rule: said first, with the rule as the one thing to press."""
    rows = each(lambda q, k: {"question": ask(q), "response": said(q, k), "correct": k % 2 == 0})
    path = tmp_path / "raw.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = inspect(str(path), Recipe().changed({"columns.right": ("False",)}))
    assert found.doubts[0].code == "unused_words"
    assert found.doubts[0].changes == {"columns.label_rule": "words"}


def test_a_name_that_says_wrong_is_told_as_the_reason(tmp_path: Path) -> None:
    """`is_incorrect` says itself what its yes means."""
    rows = each(lambda q, k: {"question": ask(q), "response": said(q, k), "is_incorrect": k % 2})
    path = tmp_path / "raw.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    told = [one.sentence for one in inspect(str(path)).doubts if one.code == "guessed_correct"]
    assert told and all("as its name says" in one for one in told)
