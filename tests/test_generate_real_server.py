"""Generating from a real inference server, and evaluating one: `transformers serve` with a tiny random model made on the spot.

The environment comes from tests/trainers/serve_environment.sh; without it these tests are skipped, and say so.
"""

import json
import os
import socket
import subprocess
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.command import ROOT, Run, run
from tests.make_raw import STAGE, row, write_parquet

HOME = Path(os.environ.get("SKILL_FACTORY_TRAINERS", ROOT / ".trainers")) / "serve"
pytestmark = [
    pytest.mark.trainers,
    pytest.mark.skipif(
        not (HOME / "complete").exists(),
        reason=f"no {HOME.name} environment: run tests/trainers/serve_environment.sh",
    ),
]
PLAIN = ("--top-k", "none", "--repetition-penalty", "none", "--max-tokens", "12", "--concurrency", "4")
"""This server takes no parameters but OpenAI's own."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers with random weights, and a tokenizer of single bytes."""
    folder = tmp_path_factory.mktemp("model")
    maker = ROOT / "tests" / "trainers" / "tiny_model.py"
    subprocess.run(
        [HOME / "bin" / "python", maker, folder, "qwen2"], check=True, capture_output=True, timeout=180
    )
    return folder


@pytest.fixture(scope="module")
def url(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address, once it is healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "server.log"
    words = [
        HOME / "bin" / "transformers",
        "serve",
        model,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    with log.open("w") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        end = time.monotonic() + 180
        while not _healthy(port):
            assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Three responses to three questions; no critiques."""
    rows = [row(f"What is {n} + 1?", f"<answer>{n + 1}</answer>", True, []) for n in range(3)]
    return write_parquet(rows, tmp_path / "raw.parquet", leave_out=["reflections"])


def critiques(raw: Path, url: str, model: Path, *more: object, out: str = "made") -> Run:
    """`generate reflections` with two critiques each."""
    words = [
        "generate",
        "reflections",
        raw,
        "--out",
        raw.parent / out,
        "--model",
        model,
        "--endpoint",
        url,
        "--k",
        "2",
    ]
    return run(*words, *more, "--json")


@pytest.mark.parametrize("stream", [(), ("--stream",)])
def test_a_real_server_s_answers_and_counts_arrive(
    raw: Path, url: str, model: Path, stream: tuple[str, ...]
) -> None:
    """Whole and streamed: each critique there, its tokens counted by the server, cut off at the limit as asked."""
    done = critiques(raw, url, model, *PLAIN, *stream)
    assert done.exit == 0, done.err[-2000:]
    made: dict[str, Any] = json.loads(done.out)
    assert (made["answers"], made["missing"], made["ending"]) == (6, 0, "done")
    assert made["tokens"]["completion"] <= 6 * 12
    one_prompt = 600  # characters of the shortest prompt, of which each is a token of this model
    assert made["tokens"]["prompt"] > 6 * one_prompt
    texts = [
        text
        for one in pq.read_table(raw.parent / "made" / "data").to_pylist()
        for text in one[f"{STAGE}_reflection"]
    ]
    assert made["counts"]["verdict_missing"] == len(texts), "a random model gives no verdict"
    report = tomllib.loads((raw.parent / "made" / "report.toml").read_text())
    assert report["counts"].get("finish_length", 0) > 0
    again = critiques(raw, url, model, *PLAIN, *stream)
    assert json.loads(again.out)["answers"] == 6


def test_streamed_or_whole_the_text_is_the_same(raw: Path, url: str, model: Path) -> None:
    """At temperature 0 the pieces of a stream add up to the answer that comes whole."""
    texts = []
    for out, more in (("a", ()), ("b", ("--stream",))):
        assert critiques(raw, url, model, *PLAIN, "--temperature", "0", *more, out=out).exit == 0
        rows = pq.read_table(raw.parent / out / "data").to_pylist()
        texts.append([one[f"{STAGE}_reflection"] for one in rows])
    assert texts[0] == texts[1]


def test_a_parameter_that_it_does_not_know_is_told_in_its_own_words(raw: Path, url: str, model: Path) -> None:
    """And how to leave it out; twenty refusals are enough."""
    rows = [row(f"What is {n} + 1?", "<answer>0</answer>", True, []) for n in range(20)]
    source = write_parquet(rows, raw.parent / "more.parquet", leave_out=["reflections"])
    done = critiques(source, url, model, "--max-tokens", "12")
    assert done.exit == 2
    assert "repetition_penalty" in done.err and "--top-k none" in done.err


def test_a_real_model_is_evaluated_and_measured(url: str, model: Path, tmp_path: Path) -> None:
    """Outputs arrive, are kept, are asked for once, and are measured; a random model shows no skill."""
    questions = tmp_path / "questions.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(3)]
    questions.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    words = ["evaluate", questions, "--out", tmp_path / "outputs", "--model", model, "--endpoint", url]
    done = run(*words, "--samples", "2", *PLAIN, "--json")
    assert done.exit == 0, done.err[-2000:]
    made = json.loads(done.out)
    assert (made["counts"]["rows"], made["missing"], made["ending"]) == (6, 0, "done")
    assert json.loads(run(*words, "--samples", "2", *PLAIN, "--json").out)["answers"] == made["answers"]
    [measured] = json.loads(run("measure", tmp_path / "outputs", "--json").out)["runs"].values()
    assert measured["outputs"] == 6 and measured["attempts"] == 0.0
