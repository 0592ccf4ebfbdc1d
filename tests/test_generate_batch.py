"""Without an endpoint: the request file, what batch runners make of it, and the join by id."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skill_factory.generate.net.endpoint import Endpoint
from skill_factory.generate.request import Sampling, make_request
from tests.command import Run, build, run
from tests.make_raw import STAGE, row, write_parquet

Line = dict[str, Any]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Twelve responses to four questions, one of three right; no critiques."""
    rows = [
        row(f"What is {n} + 1?", f"<answer>{n + k}</answer>", k == 1, []) for n in range(4) for k in range(3)
    ]
    return write_parquet(rows, tmp_path / "raw.parquet", leave_out=["reflections"])


def batch(step: str, raw: Path, *more: object, kind: str = "reflections", model: str = "org/m") -> Run:
    """`generate batch STEP reflections RAW --out made …`."""
    return run("generate", "batch", step, kind, raw, "--out", raw.parent / "made", "--model", model, *more)


def requests(path: Path) -> list[Line]:
    """The lines of a request file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answered(line: Line, text: str, usage: bool = True) -> Line:
    """A runner's answer to a request, in the form that vLLM and OpenAI write."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body: Line = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": line["body"]["model"],
        "choices": [choice],
    }
    if usage:
        body["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}


def write_lines(path: Path, lines: list[Line]) -> Path:
    """JSON Lines, in an order of the runner's own."""
    path.write_text(
        "".join(json.dumps(line) + "\n" for line in random.Random(0).sample(lines, len(lines))),
        encoding="utf-8",
    )
    return path


def test_the_request_file_has_the_batch_form(raw: Path) -> None:
    """One chat completion a line, with the id, the paper's parameters and a prompt that tells no truth."""
    done = batch("write", raw, "--requests", raw.parent / "requests.jsonl", "--k", "2")
    assert done.exit == 0 and "24 requests" in done.out
    lines = requests(raw.parent / "requests.jsonl")
    assert len({line["custom_id"] for line in lines}) == len(lines) == 24
    for line in lines:
        assert set(line) == {"custom_id", "method", "url", "body"}
        assert (line["method"], line["url"], line["body"]["model"]) == (
            "POST",
            "/v1/chat/completions",
            "org/m",
        )
        assert line["body"]["temperature"] == 0.7 and line["body"]["max_tokens"] == 4096
        assert "True" not in line["body"]["messages"][0]["content"]


def test_the_ids_are_those_of_the_endpoint_s_requests(raw: Path) -> None:
    """So that a set may be begun with a batch and ended with a server."""
    batch("write", raw, "--requests", raw.parent / "requests.jsonl", "--k", "1")
    (line, *_) = requests(raw.parent / "requests.jsonl")
    same = make_request(line["body"]["messages"], Endpoint("org/m").model, Sampling(), 0)
    assert same.id == line["custom_id"]


def test_answers_are_joined_by_id_in_any_order(raw: Path) -> None:
    """The critique of each response is the one that was made for it; then the set builds."""
    batch("write", raw, "--requests", raw.parent / "requests.jsonl", "--k", "2")
    lines = requests(raw.parent / "requests.jsonl")
    answers = []
    for line in lines:
        asked = line["body"]["messages"][0]["content"]
        number = asked.split("What is ")[1].split(" ")[0]
        right = f"<answer>{int(number) + 1}</answer>" in asked
        text = f"On {asked.split('The solution:')[1].split('<answer>')[1].split('<')[0]} for {number}: {line['custom_id']}"
        answers.append(answered(line, f"{text}\n<verdict>{'Correct' if right else 'Incorrect'}</verdict>"))
    done = batch(
        "join",
        raw,
        "--answers",
        write_lines(raw.parent / "out.jsonl", answers),
        "--k",
        "2",
        "--price-in",
        "10",
    )
    assert done.exit == 0, done.err
    assert "24 joined" in done.out and "cost 0.0240" in done.out
    for one in pq.read_table(raw.parent / "made" / "data").to_pylist():
        number = one["question"].split(" ")[2]
        response = one[STAGE][0].split(">")[1].split("<")[0]
        assert len(one[f"{STAGE}_reflection"]) == 2
        assert all(text.startswith(f"On {response} for {number}:") for text in one[f"{STAGE}_reflection"])
    assert build(raw.parent / "made", raw.parent / "build", "--attempts", "3")["traces"] == 4 * 3


def test_what_failed_is_in_the_next_request_file(raw: Path) -> None:
    """Errors of the runner, spoiled bodies and missing lines are counted and asked again; the rest is not."""
    file = raw.parent / "requests.jsonl"
    batch("write", raw, "--requests", file, "--k", "2")
    lines = requests(file)
    answers = [answered(line, "<verdict>Correct</verdict>", usage=False) for line in lines[:20]]
    answers[0] |= {"response": None, "error": {"code": "timeout", "message": "no"}}
    answers[1]["response"]["status_code"] = 400
    answers[2]["response"]["body"] = {"error": "x"}
    answers[3]["response"] = "a page of HTML"
    answers[4]["response"]["body"]["usage"] = {"prompt_tokens": -1_000_000, "completion_tokens": 1}
    answers.append(answered({"custom_id": "0" * 32, "body": {"model": "org/m"}}, "for another set"))
    done = batch(
        "join", raw, "--answers", write_lines(raw.parent / "out.jsonl", answers), "--k", "2", "--json"
    )
    assert done.exit == 0, done.err
    made = json.loads(done.out)
    assert made["lines"] == {"joined": 16, "failed": 2, "spoiled": 2, "foreign": 1}
    assert made["missing"] == 8 and made["tokens"]["prompt"] > 16 * 100, "uncounted tokens are estimated"
    batch("write", raw, "--requests", file, "--k", "2")
    again = {line["custom_id"] for line in requests(file)}
    assert again == {line["custom_id"] for line in [*lines[:4], *lines[20:]]}
    twice = batch("join", raw, "--answers", raw.parent / "out.jsonl", "--k", "2", "--json")
    assert json.loads(twice.out)["lines"]["known"] == 16


def test_adaptive_k_works_in_rounds(raw: Path) -> None:
    """After the first join only responses without a kept critique are in the next request file."""
    file, answers = raw.parent / "requests.jsonl", raw.parent / "out.jsonl"
    words = ("--k", "1", "--max-k", "2")
    batch("write", raw, "--requests", file, *words)
    write_lines(answers, [answered(line, "<verdict>Correct</verdict>") for line in requests(file)])
    batch("join", raw, "--answers", answers, *words)
    batch("write", raw, "--requests", file, *words)
    second = requests(file)
    assert len(second) == 8, "the eight wrong responses, which every critique called right"
    write_lines(answers, [answered(line, "<verdict>Incorrect</verdict>") for line in second])
    batch("join", raw, "--answers", answers, *words)
    assert "Every request has its answer" in batch("write", raw, "--requests", file, *words).out


def test_responses_go_the_same_way(raw: Path) -> None:
    """Questions, four variants, labels by grading."""
    file, answers = raw.parent / "requests.jsonl", raw.parent / "out.jsonl"
    words = ("--per-variant", "2")
    assert "32 requests" in batch("write", raw, "--requests", file, *words, kind="responses").out
    write_lines(answers, [answered(line, "<answer>42</answer>") for line in requests(file)])
    done = batch("join", raw, "--answers", answers, *words, kind="responses")
    assert done.exit == 0, done.err
    rows = pq.read_table(raw.parent / "made" / "data").to_pylist()
    assert len(rows) == 32 and all(one[f"{STAGE}__eval_is_correct"] == [True] for one in rows)


def test_answers_of_another_job_are_refused(raw: Path) -> None:
    """Another model or parameter makes other ids: the sentence says where to look."""
    file, answers = raw.parent / "requests.jsonl", raw.parent / "out.jsonl"
    batch("write", raw, "--requests", file)
    write_lines(answers, [answered(line, "x") for line in requests(file)])
    done = batch("join", raw, "--answers", answers, model="org/other")
    assert done.exit == 2 and "None of the 48 answers belongs" in done.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}\n", "line 1 isn't an answer with a custom_id"),
        (b"\xff\xfe\n", "isn't UTF-8"),
        (b"[[[\n", "line 1"),
        (b"[" * 100_000 + b"\n", "line 1"),
        (b'{"custom_id": "\\ud800"}\n', "line 1"),
    ],
)
def test_files_that_are_no_answers_are_told(raw: Path, content: bytes, said: str) -> None:
    """By name and line."""
    (raw.parent / "out.jsonl").write_bytes(content)
    done = batch("join", raw, "--answers", raw.parent / "out.jsonl")
    assert done.exit == 2 and said in done.err
    missing = batch("join", raw, "--answers", raw.parent / "none.jsonl")
    assert missing.exit == 2 and "Check the path" in missing.err
