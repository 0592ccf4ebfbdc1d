"""Generating through a server that misbehaves and many kills: each request is answered once, and the cost adds up."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_factory.sources.demo.rows import write_demo
from tests.command import ROOT, run
from tests.model_server import ALL_FAULTS, Faults, ModelServer, serials

KILLS = 20 if os.environ.get("SKILL_FACTORY_LONG") else 6
K = 5
QUESTIONS = 30


def command(source: Path, out: Path, url: str) -> list[str]:
    """Five critiques for each of the 240 responses, on top of the four that the demo's have."""
    words = ["generate", "reflections", str(source), "--out", str(out), "--model", "m", "--endpoint", url]
    return [*words, "--k", str(4 + K), "--price-in", "1", "--price-out", "2", "--tries", "12", "--json"]


def killed(words: list[str], server: ModelServer, after: int) -> bool:
    """Start the command and kill it once the server was asked `after` more times; False if it ended by itself."""
    goal = server.ledger.asked.total() + after
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "skill_factory", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started = time.monotonic()
    while process.poll() is None and server.ledger.asked.total() < goal and time.monotonic() - started < 60:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def answers(out: Path) -> list[tuple[str, str, int, int]]:
    """Id, text and tokens of every stored answer."""
    with sqlite3.connect(out / ".store" / "answers.sqlite") as db:
        rows = db.execute("SELECT hex(id), text, prompt_tokens, completion_tokens FROM answers")
        return [(identity.lower(), *rest) for identity, *rest in rows]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelServer, Path, dict]]:
    """The server, the folder and the last run's result, after the kills and a run to the end."""
    folder = tmp_path_factory.mktemp("kills")
    source, out = folder / "raw.parquet", folder / "made"
    write_demo(source, QUESTIONS)
    rng = random.Random(1)
    with ModelServer(faults=ALL_FAULTS, latency=0.02) as server:
        words = command(source, out, server.url)
        done = sum(killed(words, server, rng.choice([1, 10, rng.randint(20, 60)])) for _ in range(KILLS))
        assert done == KILLS, "the command ended before it could be killed; give it more to do"
        last = run(*words)
        assert last.exit == 0, last.err[-2000:]
        yield server, out, json.loads(last.out)


def test_each_request_is_answered_once(aftermath: tuple[ModelServer, Path, dict]) -> None:
    """Every wanted critique is there, under an id of its own, and none is missing."""
    _, out, made = aftermath
    stored = answers(out)
    assert made["missing"] == 0
    assert made["counts"]["rows"] == QUESTIONS * 8
    assert sum(n for name, n in made["counts"].items() if name.startswith("finish_")) == QUESTIONS * 8 * K
    assert len({identity for identity, *_ in stored}) == len(stored) == made["answers"]


def test_what_was_kept_is_never_asked_again(aftermath: tuple[ModelServer, Path, dict]) -> None:
    """The server made a second answer only where the first one never arrived whole, and the report owns up to each."""
    server, out, made = aftermath
    stored = set(serials([text for _, text, *_ in answers(out)]))
    unheard = set(server.ledger.tokens) - stored
    assert server.ledger.served.total() == len(stored) + len(unheard)
    assert len(unheard) <= made["lost"]
    assert set(server.ledger.served) == {identity for identity, *_ in answers(out)}


def test_the_cost_adds_up(aftermath: tuple[ModelServer, Path, dict]) -> None:
    """Tokens and cost of the report are those that the server counted for the answers that are kept."""
    server, out, made = aftermath
    stored = serials([text for _, text, *_ in answers(out)])
    prompt = sum(server.ledger.tokens[serial][0] for serial in stored)
    completion = sum(server.ledger.tokens[serial][1] for serial in stored)
    assert made["tokens"] == {"prompt": prompt, "completion": completion}
    assert made["cost"] == pytest.approx((prompt + 2 * completion) / 1e6, abs=1e-6)
    report = tomllib.loads((out / "report.toml").read_text())
    assert report["tokens"]["lost_requests"] == made["lost"]


@pytest.mark.long
def test_a_gateway_that_knows_idempotency_keys_bills_a_killed_request_once(tmp_path: Path) -> None:
    """The request's id goes along as its key, so even what was in flight at a kill is not made twice."""
    write_demo(source := tmp_path / "raw.parquet", 5)
    with ModelServer(latency=0.05, idempotent=True, faults=Faults(cut=0.1)) as server:
        words = command(source, tmp_path / "made", server.url)
        assert all(killed(words, server, 30) for _ in range(2))
        assert run(*words).exit == 0
    assert max(server.ledger.served.values()) == 1
    assert server.ledger.asked.total() > server.ledger.served.total()
