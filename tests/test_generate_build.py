"""From a red light to a finished build: critiques for real Countdown responses, and a set from questions alone."""

import json
import os
import random
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.command import ROOT, build, report, run, traces
from tests.make_raw import STAGE, prose, row, write_parquet
from tests.model_server import ALL_FAULTS, Brain, ModelServer

COUNTDOWN = ROOT.parent / "shared" / "data" / "raw_countdown.parquet"
here = pytest.mark.skipif(not COUNTDOWN.exists(), reason=f"{COUNTDOWN.name} is not beside this repository")
SECRET = "sk-test-3f9a1c"


def critic(path: Path, accuracy: float = 0.8) -> Brain:
    """A model that judges the responses of a raw file rightly in so many of ten cases; it is told no label either."""
    table = pq.read_table(path).to_pylist()
    labels = {one[STAGE][0].strip(): one[f"{STAGE}__eval_is_correct"][0] for one in table}

    def judge(prompt: str, rng: random.Random) -> str:
        response = prompt.split("The solution:\n", 1)[1].rsplit("\n\nExamine the solution.", 1)[0].strip()
        says = labels[response] if rng.random() < accuracy else not labels[response]
        return f"{prose(rng, 10, 40)}\n<verdict>{'Correct' if says else 'Incorrect'}</verdict>"

    return judge


def solver(prompt: str, rng: random.Random) -> str:
    """A model that answers 42 in half of the cases."""
    return f"{prose(rng, 10, 40)}\n<answer>{42 if rng.random() < 0.5 else rng.randint(1, 41)}</answer>"


@here
@pytest.mark.long
def test_countdown_goes_from_a_red_light_to_a_finished_build(tmp_path: Path) -> None:
    """3,500 responses without a critique can't become traces; after `generate reflections` they do, without a mapping."""
    red = run("build", COUNTDOWN, "--out", tmp_path / "before", "--attempts", "2")
    assert red.exit == 2
    with ModelServer(critic(COUNTDOWN), ALL_FAULTS, latency=0.001) as server:
        words = [
            "reflections",
            COUNTDOWN,
            "--out",
            tmp_path / "made",
            "--model",
            "m",
            "--endpoint",
            server.url,
        ]
        done = run(
            "generate",
            *words,
            "--k",
            "1",
            "--max-k",
            "3",
            "--tries",
            "12",
            "--json",
            SKILL_FACTORY_API_KEY=SECRET,
        )
        assert done.exit == 0, done.err[-2000:]
        assert set(server.ledger.keys) == {f"Bearer {SECRET}"}
    made = json.loads(done.out)
    assert made["rows"] == 3_500
    assert made["missing"] == 0
    green = build(tmp_path / "made", tmp_path / "green", "--attempts", "2")
    assert green["traces"] == len(traces(tmp_path / "green")) > 100


@here
def test_adaptive_k_asks_more_only_where_nothing_is_kept(tmp_path: Path) -> None:
    """A response gets a second critique only if its first one misjudged it, a third only if both did."""
    head = tmp_path / "head.parquet"
    pq.write_table(pq.read_table(COUNTDOWN).slice(0, 200), head)
    with ModelServer(critic(COUNTDOWN, 0.5)) as server:
        words = ["reflections", head, "--out", tmp_path / "made", "--model", "m", "--endpoint", server.url]
        assert run("generate", *words, "--k", "1", "--max-k", "3").exit == 0
    rows = pq.read_table(tmp_path / "made" / "data").to_pylist()
    assert {len(one[f"{STAGE}_reflection"]) for one in rows} == {1, 2, 3}
    for one in rows:
        word = "Correct" if one[f"{STAGE}__eval_is_correct"][0] else "Incorrect"
        right = [f"<verdict>{word}</verdict>" in text for text in one[f"{STAGE}_reflection"]]
        assert not any(right[:-1]), "a critique was asked for although one was kept already"
        assert right[-1] or len(right) == 3


def test_questions_alone_become_a_build_in_two_steps(tmp_path: Path) -> None:
    """Responses in four variants with labels, then critiques, then traces; the lineage tells both steps, and no secret."""
    questions = [row(f"What is {n} + {42 - n}?", "x", True, answer="42") for n in range(12)]
    source = write_parquet(questions, tmp_path / "questions.parquet")
    first, second = tmp_path / "responses", tmp_path / "critiques"
    environment = {"SKILL_FACTORY_API_KEY": SECRET}
    with ModelServer(solver) as server:
        words = ["responses", source, "--out", first, "--model", "org/solver", "--endpoint", server.url]
        done = run("generate", *words, "--per-variant", "3", **environment)
        assert done.exit == 0, done.err
    rows = pq.read_table(first / "data").to_pylist()
    assert len(rows) == 12 * 4 * 3
    assert {one["prompt_variant"] for one in rows} == {
        "original",
        "plan_and_execute",
        "alternatively",
        "rephrase",
    }
    for one in rows:
        (answer,), (label,) = one[f"{STAGE}__eval_extracted_answers"], one[f"{STAGE}__eval_is_correct"]
        assert label == (answer == "42")
    with ModelServer(critic(first / "data" / "train-00000-of-00001.parquet")) as server:
        words = ["reflections", first, "--out", second, "--model", "org/critic", "--endpoint", server.url]
        assert run("generate", *words, "--k", "2", **environment).exit == 0
        told = "\n".join(one["messages"][0]["content"] for one in server.ledger.bodies)
        assert "is_correct" not in told and "True" not in told and "False" not in told
    assert build(second, tmp_path / "build", "--attempts", "3")["traces"] > 0
    lineage = tomllib.loads((second / "report.toml").read_text())
    assert lineage["model"]["name"] == "org/critic"
    assert lineage["before"]["model"]["name"] == "org/solver"
    assert set(lineage["before"]["prompts"]) == {"original", "plan_and_execute", "alternatively", "rephrase"}
    leaks = [p for p in tmp_path.rglob("*") if p.is_file() and (SECRET.encode() in p.read_bytes())]
    assert leaks == []
    published = [p for p in second.iterdir() if p.is_file()]
    assert all(b"127.0.0.1" not in p.read_bytes() for p in published)


@here
@pytest.mark.long
def test_a_pilot_tells_what_the_whole_would_be(tmp_path: Path) -> None:
    """50 questions give accuracy, missing verdicts, tokens, cost, time and a forecast whose interval holds the truth."""
    with ModelServer(critic(COUNTDOWN, 0.9)) as server:
        words = [
            "generate",
            "reflections",
            COUNTDOWN,
            "--model",
            "m",
            "--endpoint",
            server.url,
            "--k",
            "2",
            "--json",
        ]
        words += ["--price-in", "0.5", "--price-out", "1.5"]
        out = tmp_path / "made"
        done = run(*words, "--out", out, "--pilot")
        assert done.exit == 0, done.err
        pilot = json.loads(done.out)["pilot"]
        asked = server.ledger.asked.total()
        whole = run(*words, "--out", out)
        assert server.ledger.served.total() == server.ledger.asked.total()
        assert json.loads(whole.out)["answers"] == len(server.ledger.served), (
            "the pilot's answers were paid again"
        )
    assert (pilot["questions"], pilot["questions_total"]) == (50, 500)
    assert asked <= 50 * 7 * 2
    assert pilot["figures"]["verdict_accuracy"] == pytest.approx(0.9, abs=0.05)
    assert pilot["figures"]["verdict_missing"] == 0
    assert pilot["cost_total"] == pytest.approx(10 * pilot["cost"], abs=1e-3)
    assert pilot["tokens_per_question"]["completion"] > 50
    build(out, tmp_path / "build", "--attempts", "2")
    reach = report(tmp_path / "build")["reach"]
    found = {int(key.rsplit("|", 1)[1]): n for key, n in reach.items()}
    for n in (1, 2, 3):
        forecast = pilot["usable"][str(n)]
        assert forecast["low"] <= found[n] <= forecast["high"], f"N = {n}"
    assert json.loads((out / ".store" / "pilot.json").read_text())["questions"] == 50


def test_the_environment_of_these_tests_holds_no_key() -> None:
    """Else the tests above would prove nothing about keys."""
    assert "SKILL_FACTORY_API_KEY" not in os.environ
