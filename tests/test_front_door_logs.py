"""What else people bring: sets and logs under names of their own, read rightly, doubted, or refused for the true reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.pipeline import preview
from skill_factory.errors import SkillFactoryError
from skill_factory.grading import Decision
from skill_factory.grading.labelling import label
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.sources import open_source
from tests.test_front_door_kinds import QUESTIONS, TRIES, ask, each, grouped, said, value

LABELLED, UNLABELLED = (4, 16, 8, 8, 0, 0), (4, 16, 0, 0, 16, 0)


def right(k: int) -> bool:
    """Whether the k-th response is."""
    return k % 2 == 0


def user(q: int) -> dict[str, str]:
    """The question as a message."""
    return {"role": "user", "content": ask(q)}


def chat(q: int) -> str:
    """The question as a template writes it."""
    return f"<|im_start|>user\n{ask(q)}<|im_end|>\n<|im_start|>assistant\n"


def worked(q: int) -> str:
    """A reference solution."""
    return f"We add seven to the boxes that Tom has. So the result is $\\boxed{{{q + 10}}}$."


def parts(q: int, k: int) -> list[dict[str, str]]:
    """A response as parts, its thinking first."""
    return [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": said(q, k)}]


def looked_at(rows: Any, folder: Path) -> Inspection:
    """What `inspect` says of rows in a file."""
    path = folder / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return inspect(str(path))


LOGS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "parts of a content, the thinking first": (each(lambda q, k: {
        "messages": [user(q)], "gold": str(q + 10), "response": {"type": "message", "role": "assistant", "content": parts(q, k)},
    }), UNLABELLED),
    "items of an output, the reasoning first": (each(lambda q, k: {
        "input": ask(q), "expected": str(q + 10), "response": {"output": [
            {"type": "reasoning", "id": "rs", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said(q, k)}]},
        ]},
    }), UNLABELLED),
    "messages of a library's own classes": (each(lambda q, k: {
        "inputs": {"messages": [[{"type": "constructor", "id": ["messages", "HumanMessage"], "kwargs": {"content": ask(q), "type": "human"}}]]},
        "outputs": {"generations": [[{"text": said(q, k), "type": "ChatGeneration"}]]}, "feedback_stats": {"correctness": {"n": 1, "avg": 1.0 - k % 2}},
    }), LABELLED),
    "records written as JSON": (each(lambda q, k: {
        "inputs": json.dumps({"question": ask(q)}), "outputs": json.dumps({"answer": said(q, k)}),
        "reference_outputs": json.dumps({"answer": str(q + 10)}), "correctness": int(right(k)), "status": "success",
    }), LABELLED),
    "requests with their state": ({"adapter_spec": {"method": "generation"}, "request_states": each(lambda q, k: {
        "instance": {"input": {"text": ask(q)}, "references": [{"output": {"text": str(q + 10)}, "tags": ["correct"]}], "split": "test"},
        "train_trial_index": 0, "request": {"model": "m", "prompt": "Answer.\n\n" + ask(q)},
        "result": {"success": True, "cached": False, "completions": [{"text": said(q, k), "logprob": 0}]},
    })}, UNLABELLED),
    "examples of a task within results": ({"config": {}, "results": {"AIME24": {"num_total": 4, "examples": grouped(lambda q: {
        "problem": ask(q), "expected_answer": str(q + 10), "model_outputs": [said(q, k) for k in range(TRIES)],
    })}}}, UNLABELLED),
    "a gold answer called label, beside the reward": (each(lambda q, k: {
        "prompt": chat(q), "response": said(q, k), "label": str(q + 10), "reward": 1.0 - k % 2, "status": "completed",
    }), LABELLED),
    "a reward of a conversation": (each(lambda q, k: {
        "message_log": [user(q), {"role": "assistant", "content": said(q, k)}, {"role": "environment", "content": "done"}],
        "total_reward": 1.0 - k % 2,
    }), LABELLED),
    "a score whose name ends so": (each(lambda q, k: {
        "user_input": ask(q), "response": said(q, k), "reference": str(q + 10), "answer_correctness": (0.9, 0.1)[k % 2],
    }), LABELLED),
    "a judgement that ends in its word": (each(lambda q, k: {
        "problem": ask(q), "expected_answer": str(q + 10), "generation": said(q, k),
        "judgement": f"Reasoning: I compare both.\nJudgement: {('Yes', 'No')[k % 2]}",
    }), LABELLED),
    "a bare answer beside the whole response": (each(lambda q, k: {
        "question": ask(q), "answer": str(q + 10), "model_answer": str(value(q, k)), "full_model_response": said(q, k), "score": 1.0 - k % 2,
    }), LABELLED),
    "a model's solution beside the true one": (each(lambda q, k: {
        "problem": ask(q), "deepseek_reasoning": "Hm, let me see what comes of it, step by step, with all the boxes.",
        "deepseek_solution": said(q, k), "ground_truth_solution": worked(q), "domain": "math",
    }), UNLABELLED),
    "a place that is counted, beside the score": (each(lambda q, k: {
        "promptIdx": 0, "testIdx": q, "vars": {"question": ask(q)}, "response": {"output": said(q, k)}, "success": right(k),
    }), LABELLED),
    "a state of the record, beside the answers of people": (each(lambda q, k: {
        "status": "completed", "fields": {"instruction": ask(q), "response": said(q, k)},
        "responses": {"correct": [{"value": ("yes", "no")[k % 2], "user_id": "u"}]},
    }), LABELLED),
    "pairs, each a message": (grouped(lambda q: {
        "conversations": [{"from": "human", "value": ask(q)}], "chosen": {"from": "gpt", "value": said(q, 0)}, "rejected": {"from": "gpt", "value": said(q, 1)},
    }), (4, 8, 0, 0, 8, 0)),
    "what the model said of a turn, in its record": (each(lambda q, k: {"conversations": [
        {"from": "human", "value": ask(q), "info": None},
        {"from": "assistant", "value": f"<think>Hm.</think><answer>{said(q, k)}\n\\boxed{{1}}</answer>", "info": {"think_content": "Hm.", "answer_content": said(q, k)}},
    ]}), UNLABELLED),
    "critiques of what is called an answer": (each(lambda q, k: {
        "question": ask(q), "answer": said(q, k), "feedback": "The second line of it counts the boxes twice.",
    }), (4, 16, 0, 0, 16, 16)),
    "critiques, one for each response of a list": (grouped(lambda q: {
        "instruction": ask(q), "generations": [said(q, k) for k in range(TRIES)], "ratings": [1, 0, 1, 0],
        "rationales": [f"I check try {k} of it." for k in range(TRIES)],
    }), (4, 16, 8, 8, 0, 16)),
    "a first and a second response, with feedback on the first": (grouped(lambda q: {
        "problem": ask(q), "initial_response": said(q, 1), "feedback": "There is a slip.", "refined_response": said(q, 0),
        "initial_correct": False, "refined_correct": True,
    }), (4, 8, 4, 4, 0, 0)),
    "responses with the mark of a turn's end": (each(lambda q, k: {
        "input_prompt": chat(q), "output_response": said(q, k) + "<|im_end|>" * (k != 3) + "\n" * (k == 1), "score": 1.0 - k % 2,
    }), LABELLED),
    "a note that nobody wrote beside each score": (each(lambda q, k: {
        "input": {"messages": [user(q)]}, "output": {"role": "assistant", "content": said(q, k)},
        "scores": [{"name": "correctness", "value": int(right(k)), "comment": None}],
    }), LABELLED),
    "a gold answer called label, and no reward": (each(lambda q, k: {"prompt": chat(q), "predict": said(q, k), "label": str(q + 10)}), UNLABELLED),
    "details with an empty instruction": (each(lambda q, k: {
        "example": ask(q), "full_prompt": "Solve.\n" + ask(q), "gold": [str(q + 10)], "gold_index": [0], "instruction": "",
        "metrics": {"em": 1.0 - k % 2}, "predictions": [said(q, k)],
    }), UNLABELLED),
    "one message for an answer": (each(lambda q, k: {"messages": [user(q)], "message": {"role": "assistant", "content": said(q, k)}, "done": True}), UNLABELLED),
    "a judge's words in a record of its own": (each(lambda q, k: {
        "question": ask(q), "response": said(q, k), "judge": json.dumps({"reasoning": "It adds up.", "verdict": ("correct", "incorrect")[k % 2]}),
    }), LABELLED),
    "questions as keys": ({ask(q): [said(q, k) for k in range(TRIES)] for q in range(QUESTIONS)}, UNLABELLED),
    "questions as keys of records": ({ask(q): [{"response": said(q, k), "correct": right(k)} for k in range(TRIES)] for q in range(QUESTIONS)}, LABELLED),
    "numbered columns of any name": (grouped(lambda q: {
        "problem": ask(q), "solution": worked(q), "answer": str(q + 10), **{f"gen_{k}": said(q, k) for k in range(TRIES)},
    }), UNLABELLED),
    "a number within the name": (grouped(lambda q: {
        "prompt": ask(q), **{f"answer{k}_body": said(q, k) for k in range(TRIES)}, "score": 1,
    }), UNLABELLED),
    "two talks side by side": (grouped(lambda q: {
        "question_id": q, "winner": "model_a", **{f"conversation_{name}": [user(q), {"role": "assistant", "content": said(q, k)}] for k, name in enumerate("ab")},
    }), (4, 8, 0, 0, 8, 0)),
    "pairs of talks that hold their prompts": (grouped(lambda q: {
        name: [user(q), {"role": "assistant", "content": said(q, k)}] for k, name in enumerate(("chosen", "rejected"))
    }), (4, 8, 0, 0, 8, 0)),
    "pairs of talks in one text each": (grouped(lambda q: {
        name: f"\n\nHuman: {ask(q)}\n\nAssistant: {said(q, k)}" for k, name in enumerate(("chosen", "rejected"))
    }), (4, 8, 0, 0, 8, 0)),
    "feedback with a score of five": (each(lambda q, k: {
        "instruction": "Rate it.", "output": "It is good. [RESULT] 5", "orig_instruction": ask(q), "orig_response": said(q, k),
        "orig_feedback": "I read it.", "orig_score": ("5", "1")[k % 2], "orig_reference_answer": worked(q),
    }), (4, 16, 8, 8, 0, 16)),
    "answers of a question, ranked": (grouped(lambda q: {
        "prompt": ask(q), "answers": [{"answer": said(q, k) + " I am sure of it.", "model": "m", "rank": k + 1.0} for k in range(TRIES)],
    }), UNLABELLED),
    "a response called answer beside the gold": (each(lambda q, k: {"question": ask(q), "answer": said(q, k), "gold": str(q + 10)}), UNLABELLED),
    "columns named by their models": (grouped(lambda q: {
        "question": ask(q), "gold": str(q + 10), **{name: said(q, k) for k, name in enumerate(("gpt-4o", "llama-3-70b", "qwen2.5-7b", "o3"))},
    }), UNLABELLED),
    "signs of two colours": (each(lambda q, k: {"question": ask(q), "response": said(q, k), "label": ("✔️", "✖️")[k % 2]}), LABELLED),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOGS)
def test_a_log_under_names_of_its_own_is_read(kind: str, tmp_path: Path) -> None:
    """Questions, responses, labels and critiques are those of the log, and no attempt is a reference or a bare answer."""
    rows, found = LOGS[kind]
    seen = looked_at(rows, tmp_path)
    assert tuple(vars(seen.found).values()) == found
    ours = {"columns.label_rule": "all_right"} if not found[2] else {}
    ours |= {"columns.reflections": ()} if found[5] else {}
    recipe = seen.recipe.changed({**ours, "traces.formats": ("no_reflection",), "traces.attempts": 1})  # fmt: skip
    traces = preview(str(tmp_path / "log.json"), recipe, questions=10).traces
    assert {trace.plan.question.text for trace in traces} <= {ask(q) for q in range(QUESTIONS)}
    attempts = [one.response.text for trace in traces for one in trace.plan.attempts]
    assert attempts and all("I add step by step." in text and "<|im_end|>" not in text for text in attempts)


REFUSED: dict[str, tuple[Any, str]] = {
    "questions with gold answers alone": (
        grouped(lambda q: {"question": ask(q), "answer": worked(q)}),
        "no column for responses. Ask a model",
    ),
    "choices with the place of the right one": (
        grouped(lambda q: {"question": ask(q), "choices": ["1", "2", str(q)], "answer": q % 3}),
        "no column for response",
    ),
    "choices with their letters": (
        grouped(lambda q: {"question": ask(q), "choices": {"label": ["A", "B"], "text": ["one box", "two boxes"]}, "answerKey": "A"}),
        "no column for response",
    ),
    "answers that are offered with their labels": (
        grouped(lambda q: {"question": ask(q), "mc1_targets": {"choices": [f"It is {q}", "It is 1"], "labels": [1, 0]}}),
        "no column for response",
    ),
    "lists of right and wrong answers": (
        grouped(lambda q: {"question": ask(q), "correct_answers": [f"It is {q}"], "incorrect_answers": ["It is 1", "It is 2"]}),
        "no column for responses",
    ),
    "choices with the reason of the right one": (
        grouped(lambda q: {"question": ask(q), "options": ["A)1", "B)2"], "rationale": worked(q), "correct": "A"}),
        "no column for response",
    ),
    "a question's id alone": (
        each(lambda q, k: {"task_id": f"Task/{q}", "completion": said(q, k), "result": ("passed", "failed: why")[k % 2], "passed": right(k)}),
        "`task_id` only names it",
    ),
    "likelihoods of choices": (
        grouped(lambda q: {"doc_id": q, "doc": {"question": ask(q)}, "target": 0, "resps": [[[f"-1{q}.5", "False"]], [["-9.1", "True"]]], "acc": 1.0}),
        "no text that the model wrote",
    ),
    "events of a log, a line each": (
        each(lambda q, k: {"event_id": k, "sample_id": f"{q}", "type": ("sampling", "match")[k % 2], "data": {"prompt": [user(q)], "sampled": [said(q, k)]} if right(k) else {"correct": True, "expected": "1"}}),
        "stand in lines of their own",
    ),
    "models with scores": (
        each(lambda q, k: {"task": "math", "model": f"model-with-a-long-name-{k}", "score": k % 2}),
        "no column for",
    ),
    "numbers called questions": (
        each(lambda q, k: {"question": q, "response": said(q, k), "correct": right(k)}),
        "`question` holds no text",
    ),
    "batch results without their requests": (
        each(lambda q, k: {"custom_id": f"{q}-{k}", "result": {"type": "succeeded", "message": {"role": "assistant", "content": parts(q, k)}}}),
        "without their requests",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_holds_no_response_is_refused_for_that_reason(kind: str, tmp_path: Path) -> None:
    """Choices, ids, likelihoods and gold answers are never taken for what a model wrote."""
    rows, why = REFUSED[kind]
    with pytest.raises(SkillFactoryError, match=why):
        looked_at(rows, tmp_path)


DOUBTED: dict[str, tuple[Any, str]] = {
    "a solution for each problem, and nothing else": (
        grouped(lambda q: {"problem": ask(q), "solution": worked(q), "source": "s"}),
        "reference_as_response",
    ),
    "inputs and outputs of a program": (
        grouped(lambda q: {"code": f"def f(x):\n    return x + {q}", "input": str(q), "output": f"the number {2 * q}"}),
        "short_questions",
    ),
    "numbers called outputs beside the texts": (
        grouped(lambda q: {"request": {"messages": [user(q)]}, "output": str(q + 10), "label_input": {"choices": [{"message": {"content": said(q, k)}} for k in range(TRIES)]}}),
        "short_responses",
    ),
    "numbers called inputs beside talks": (
        each(lambda q, k: {"completion": [user(q), {"role": "assistant", "content": said(q, k)}], "input": str(q + 10), "label": right(k)}),
        "short_questions",
    ),
    "words of a response as a list": (
        each(lambda q, k: {"question": ask(q), "response": said(q, k).split(" ")}),
        "split_texts",
    ),
    "records written as text among responses": (
        grouped(lambda q: {"question": ask(q), "responses": json.dumps([{"text": said(q, k), "ok": right(k)} for k in range(TRIES)])}),
        "lists_as_text",
    ),
    "places, of which the first is the best": (
        each(lambda q, k: {"question": ask(q), "response": said(q, k), "score": 1 + k % 2}),
        "score_threshold",
    ),
    "scores that hardly repeat": (
        each(lambda q, k: {"question": ask(q), "response": said(q, k), "reward": (0.9, 0.1)[k % 2] + q / 50 + k / 900}),
        "score_threshold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOUBTED)
def test_what_may_be_no_model_s_work_is_doubted(kind: str, tmp_path: Path) -> None:
    """References and examples that could be read as responses are, with the doubt that says so."""
    rows, code = DOUBTED[kind]
    assert code in [doubt.code for doubt in looked_at(rows, tmp_path).doubts]


def test_message_batches_are_joined_with_their_requests(tmp_path: Path) -> None:
    """A folder of requests and results is one set; the thinking among the parts is the response's."""
    requests = each(lambda q, k: {"custom_id": f"{q}-{k}", "params": {"messages": [user(q)]}})
    results = each(lambda q, k: {"custom_id": f"{q}-{k}", "result": {"type": "succeeded", "message": {"role": "assistant", "content": parts(q, k)}}})  # fmt: skip
    for name, rows in (("requests", requests), ("results", results)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    seen = inspect(str(tmp_path))
    assert (seen.preset, tuple(vars(seen.found).values())) == (
        "Message batch results with their requests",
        UNLABELLED,
    )
    assert seen.recipe.columns.think == "after"


def test_letters_of_a_choice_repeat_by_nature(tmp_path: Path) -> None:
    """Two different responses to four questions aren't questions when they are letters."""
    rows = each(lambda q, k: {"question": ask(q), "response": "AB"[k % 2], "correct": right(k)})
    assert "responses_repeat" not in [doubt.code for doubt in looked_at(rows, tmp_path).doubts]


LINES = "".join(json.dumps(row) + "\n" for row in each(lambda q, k: {"question": ask(q), "response": said(q, k), "correct": right(k)}))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("log.txt", LINES, "rename it to log.jsonl"),
        ("log", LINES, "rename it to log.jsonl"),
        ("log.txt", "question\tresponse\tcorrect\nWhat?\tIt is 1\ttrue\n", "rename it to log.tsv"),
        ("log.7z", "x", "Unpack it"),
        ("log.jsonl.lz4", "x", "Unpack it"),
        ("log.jsonl", LINES.replace("\n", ",\n"), "comma behind each line"),
        ("log.csv", "Results of run 7\nMarch\n\nquestion,response,correct\nWhat?,It is 1,true\n", "looks like a title"),
    ],
)  # fmt: skip
def test_a_file_that_is_nearly_right_is_refused_with_what_to_do(name: str, text: str, why: str, tmp_path: Path) -> None:  # fmt: skip
    """Endings that say nothing, archives of other kinds, commas behind lines, titles: each with its remedy."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SkillFactoryError, match=why):
        inspect(str(tmp_path / name))


@pytest.mark.parametrize("sign", "^~:")
def test_a_rare_delimiter_is_read_where_it_makes_a_table(sign: str, tmp_path: Path) -> None:
    """Where no usual delimiter does."""
    rows = each(lambda q, k: [ask(q), f"I add step by step and find {value(q, k)}", str(right(k))])
    path = tmp_path / "log.csv"
    path.write_text("\n".join(sign.join(row) for row in [["question", "response", "correct"], *rows]))
    assert tuple(vars(inspect(str(path)).found).values()) == LABELLED


def test_splits_that_are_read_together_are_said(tmp_path: Path) -> None:
    """`train.jsonl` and `test.jsonl` of a folder are kept apart by their authors."""
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text(LINES)
    assert "columns_differ" in [doubt.code for doubt in inspect(str(tmp_path)).doubts]


def test_choices_by_letter_belong_to_the_question(tmp_path: Path) -> None:
    """`{"A": …, "B": …}` is what the question offers: it stands behind it, and letters can be graded by it."""
    rows = each(lambda q, k: {"question": ask(q), "options": {"A": f"{q + 10} boxes", "B": "1 box", "C": None}, "answer": f"{q + 10} boxes", "output": f"The answer is {'AB'[k % 2]}."})  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    report = label(open_source(str(path)), tmp_path / "out.parquet")
    assert (report.decided[Decision.RIGHT], report.decided[Decision.WRONG]) == (8, 8)


def test_what_stands_for_no_gold_answer_grades_nothing(tmp_path: Path) -> None:
    """`None` and `nan` in a column of gold answers make no response wrong."""
    rows = each(lambda q, k: {"question": ask(q), "answer": ("None", "nan", "N/A", ["None"])[q], "response": said(q, k)})  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert label(open_source(str(path)), tmp_path / "out.parquet").decided == {Decision.UNJUDGED: 16}


def test_yes_for_a_gold_answer_that_is_true_is_unjudged(tmp_path: Path) -> None:
    """Truth values in a column of gold answers, and responses that say yes and no."""
    rows = each(lambda q, k: {"question": f"Is {q} even?", "answer": q % 2 == 0, "response": f"The answer is {('yes', 'no')[q % 2]}."})  # fmt: skip
    path = tmp_path / "log.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert label(open_source(str(path)), tmp_path / "out.parquet").decided == {Decision.UNJUDGED: 16}
