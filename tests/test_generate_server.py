"""Generating before a real server on loopback: keys, faults, pace, budget, cancel, streams, hosted instances."""

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skill_factory.errors import BuildFolderError, EndpointError
from skill_factory.generate import (
    Budget,
    Endpoint,
    GenerateProgress,
    Job,
    Kind,
    Limits,
    Made,
    Price,
    Sampling,
    generate,
)
from skill_factory.generate.net.endpoint import Asker
from skill_factory.generate.net.network import InnerAddress
from skill_factory.generate.net.pace import FIRST_LIMIT
from skill_factory.generate.net.resolver import PublicResolver
from skill_factory.generate.net.trouble import Trouble, Way
from skill_factory.generate.net.wire import Wire
from skill_factory.generate.request import make_request
from skill_factory.hosting import HOSTED
from tests.command import ROOT, build, run
from tests.make_raw import STAGE, row, verdict, write_parquet
from tests.model_server import ALL_FAULTS, Faults, ModelServer

QUICK = Limits(first_pause=0.02, tries=12)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Sixty responses without a critique, to twenty questions."""
    rows = [
        row(f"What is {n} + 1?", f"It is {n + k}.\n<answer>{n + k}</answer>", k == 1, [])
        for n in range(20)
        for k in range(3)
    ]
    return write_parquet(rows, tmp_path / "raw.parquet", leave_out=["reflections"])


def job(source: Path, server: ModelServer, **changes: Any) -> Job:
    """Two critiques each, with quick retries."""
    out = source.parent / "made"
    usual = Job(Kind.REFLECTIONS, str(source), out, Endpoint("m", server.url), k=2, limits=QUICK)
    return replace(usual, **changes)


def stored(out: Path) -> list[str]:
    """All critiques of a raw set."""
    return [t for one in pq.read_table(out / "data").to_pylist() for t in one[f"{STAGE}_reflection"]]


# -- keys ----------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_the_server_and_nowhere_else(raw: Path) -> None:
    """As a bearer; and without one nothing is sent, although a Hub token is saved on this machine."""
    with ModelServer() as server:
        words = [
            "generate",
            "reflections",
            raw,
            "--out",
            raw.parent / "a",
            "--model",
            "m",
            "--endpoint",
            server.url,
            "--k",
            "1",
        ]
        assert run(*words, HF_TOKEN="hf_saved_on_this_machine").exit == 0
        assert set(server.ledger.keys) == {""}
        server.ledger.keys.clear()
        words[words.index(raw.parent / "a")] = raw.parent / "b"
        assert (
            run(*words, "--key-env", "MY_KEY", MY_KEY="k-123", HF_TOKEN="hf_saved_on_this_machine").exit == 0
        )
        assert set(server.ledger.keys) == {"Bearer k-123"}


def test_a_server_that_repeats_the_key_does_not_get_it_printed(raw: Path) -> None:
    """A refusal is told with the server's words, without the key in them."""
    with ModelServer(faults=Faults(status=401, message="bad key sk-secret-9")) as server:
        words = [
            "generate",
            "reflections",
            raw,
            "--out",
            raw.parent / "a",
            "--model",
            "m",
            "--endpoint",
            server.url,
        ]
        done = run(*words, SKILL_FACTORY_API_KEY="sk-secret-9")
    assert done.exit == 2
    assert "HTTP 401" in done.err and "Check the key" in done.err
    everything = (
        done.out
        + done.err
        + "".join(p.read_bytes().decode("latin-1") for p in (raw.parent / "a").rglob("*") if p.is_file())
    )
    assert "sk-secret-9" not in everything


# -- what the server may do ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_every_fault_at_once_still_gives_every_answer(raw: Path, stream: bool) -> None:
    """Whole answers and streams: bursts of 429, 500s, cut connections, wrong JSON, answers without end, refusals."""
    with ModelServer(faults=ALL_FAULTS, latency=0.002) as server:
        endpoint = Endpoint("m", server.url, stream=stream)
        made = generate(job(raw, server, endpoint=endpoint))
        assert made.ending == "done" and made.missing == 0 and made.answers == 120
        tokens = [server.ledger.tokens[n] for n in _serials(raw.parent / "made")]
        assert made.tokens == {"prompt": sum(t[0] for t in tokens), "completion": sum(t[1] for t in tokens)}
    assert {"the answer is too long", "the answer is nested too deeply"} <= set(made.failures)
    refused = made.counts.get("finish_refused", 0)
    assert len(stored(raw.parent / "made")) == 120 - refused
    assert made.lost > 0


def _serials(out: Path) -> list[int]:
    with sqlite3.connect(out / ".store" / "answers.sqlite") as db:
        return [int(text.rsplit("[", 1)[1].rstrip("]")) for (text,) in db.execute("SELECT text FROM answers")]


def test_a_server_that_counts_no_tokens_gets_an_estimate(raw: Path) -> None:
    """Better than a cost of nothing."""
    with ModelServer(faults=Faults(uncounted=1.0)) as server:
        made = generate(job(raw, server, price=Price(1.0, 1.0)))
    assert made.tokens["prompt"] > 120 * 100 and made.tokens["completion"] > 120 * 5
    assert made.cost > 0


@pytest.mark.parametrize("counts", [(-50, 5), (50, -5), (0, 0), (10**30, 1)])
def test_counts_that_cant_be_neither_lower_nor_end_a_budget(raw: Path, counts: tuple[int, int]) -> None:
    """The answers are paid for and stay; what they took is estimated, and the report says for how many."""
    with ModelServer(faults=Faults(counts=counts)) as server:
        made = generate(job(raw, server, budget=Budget(tokens=1_000_000)))
    assert (made.ending, made.answers, made.missing) == ("done", 120, 0)
    assert made.tokens["prompt"] > 120 * 100 and made.tokens["completion"] > 120 * 5
    assert made.counts["tokens_estimated"] == 120
    assert any("no usable count of tokens for 120 answers" in note for note in made.notes)
    assert (
        tomllib.loads((raw.parent / "made" / "report.toml").read_text())["counts"]["tokens_estimated"] == 120
    )


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("stream", [False, True])
def test_thinking_that_the_server_moved_away_is_back_in_the_text(raw: Path, field: str, stream: bool) -> None:
    """Inside <think> tags, before the text; counted in the report, said in the end; the verdict is the one behind it."""

    def thinks(prompt: str, rng: random.Random) -> str:
        return "<think>\nMaybe <verdict>Incorrect</verdict>?\n</think>\n\nNo.\n<verdict>Correct</verdict>"

    with ModelServer(thinks, Faults(thinking_field=field)) as server:
        made = generate(job(raw, server, endpoint=Endpoint("m", server.url, stream=stream)))
    whole = "<think>\nMaybe <verdict>Incorrect</verdict>?\n</think>\n\nNo.\n<verdict>Correct</verdict>\n["
    assert all(text.startswith(whole) for text in stored(raw.parent / "made"))
    assert made.counts["thinking_joined"] == 120
    assert made.counts["verdict_true_on_right"] == 40 and made.counts["verdict_false_on_wrong"] == 80
    assert any(note.startswith("120 answers came with their thinking") for note in made.notes)
    assert "thinking came in a field of its own" in (raw.parent / "made" / "README.md").read_text()


def test_a_set_with_thinking_is_forecast_and_built_by_what_stands_behind_it(tmp_path: Path) -> None:
    """A reasoning model's responses and reflections: the pilot's forecast at N = 1 is what the build then finds."""
    questions = [row(f"What is {n} + {42 - n}?", "x", True, answer="42") for n in range(6)]
    source = write_parquet(questions, tmp_path / "questions.parquet")

    def solves(prompt: str, rng: random.Random) -> str:
        return f"<think>Is it <answer>7</answer>?</think>So.\n<answer>{rng.choice([41, 42])}</answer>"

    def reflects(prompt: str, rng: random.Random) -> str:
        says = "Correct" if "<answer>42</answer>" in prompt else "Incorrect"
        return f"<think>Maybe <verdict>No</verdict>.</think>Checked.\n<verdict>{says}</verdict>"

    with ModelServer(solves, Faults(thinking_field="reasoning_content")) as server:
        generate(job(source, server, kind=Kind.RESPONSES, per_variant=2, out=tmp_path / "first"))
    with ModelServer(reflects, Faults(thinking_field="reasoning")) as server:
        made = generate(job(tmp_path / "first", server, pilot=6, k=1, out=tmp_path / "second"))
        assert not any("Is it" in body["messages"][0]["content"] for body in server.ledger.bodies)
    assert made.pilot and made.pilot.figures["verdict_accuracy"] == 1.0
    assert made.pilot.usable[1].expected == 6
    assert build(tmp_path / "second", tmp_path / "build", "--attempts", "2")["traces"] > 0


def test_an_answer_cut_off_in_its_thinking_is_never_right(raw: Path) -> None:
    """Its tag stays open, so that nobody takes a half-way result for an answer."""
    thinks = "<think>\nIs it <answer>1</answer>?</think>"
    with ModelServer(lambda prompt, rng: thinks, Faults(thinking_field="reasoning", same=True)) as server:
        made = generate(job(raw, server, kind=Kind.RESPONSES, per_variant=1))
    rows = pq.read_table(raw.parent / "made" / "data").to_pylist()
    assert {row[STAGE][0] for row in rows} == {"<think>\nIs it <answer>1</answer>?"}
    assert made.counts["finish_empty"] == made.counts["no_final_answer"] == made.rows == 80
    assert "label_right" not in made.counts


@pytest.mark.parametrize("temperature", [0.7, 0.0])
def test_sampling_that_isnt_sampling_is_said(raw: Path, temperature: float) -> None:
    """Three of eight answers to each question are equal to another one: counted, in the report, and with what to do."""
    drawn: Counter[str] = Counter()

    def half(prompt: str, rng: random.Random) -> str:
        drawn[prompt] += 1
        return f"{prompt} {drawn[prompt] // 2}"

    with ModelServer(half, Faults(same=True)) as server:
        sampling = Sampling(temperature=temperature)
        limits = replace(QUICK, concurrency=1)
        made = generate(
            job(
                raw,
                server,
                kind=Kind.RESPONSES,
                per_variant=8,
                variants=("original",),
                pilot=5,
                sampling=sampling,
                limits=limits,
            )
        )
    assert made.counts["equal_answers"] == 5 * 3
    assert made.pilot and made.pilot.figures["equal"] == round(15 / 40, 4)
    (note,) = made.notes
    assert note.startswith("15 of 40 responses equal another one for the same question. ")
    assert ("At temperature 0" in note) == (temperature == 0)
    assert "| Answers equal to another one | 15 |" in (raw.parent / "made" / "README.md").read_text()


def test_equal_reflections_on_a_response_are_said_too(raw: Path) -> None:
    """Equal words on different responses mean nothing; twice on one they do."""
    with ModelServer(faults=Faults(same=True)) as server:
        assert generate(job(raw, server, k=1)).notes == ()
        (note,) = generate(job(raw, server, k=2)).notes
    assert note.startswith("60 of 120 reflections equal another one for the same response. ")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "Check the key"),
        (402, "no credit"),
        (403, "may not use"),
        (404, "ends in /v1"),
        (307, "redirect"),
    ],
)
def test_what_no_request_can_mend_ends_the_run_at_once(raw: Path, status: int, said: str) -> None:
    """With the server's status and what to do, after a handful of requests and not after thousands."""
    with ModelServer(faults=Faults(status=status)) as server:
        with pytest.raises(EndpointError, match=said):
            generate(job(raw, server))
        assert server.ledger.asked.total() <= FIRST_LIMIT * 2


def test_parameters_that_a_server_refuses_are_told_and_forgiven(raw: Path) -> None:
    """Twenty refusals and no answer mean a wrong setting: nothing is held against the requests themselves."""
    refusing = Faults(status=400, message="unknown parameter top_k")
    said = pytest.raises(EndpointError, match=r"unknown parameter top_k.*--top-k none")
    with ModelServer(faults=refusing) as server, said:
        generate(job(raw, server))
    with ModelServer() as server:
        assert generate(job(raw, server)).missing == 0


def test_even_one_declined_request_is_told_if_it_was_the_only_one(tmp_path: Path) -> None:
    """Fewer than twenty requests, all declined: that is no finished run."""
    source = write_parquet(
        [row("2+2?", "<answer>4</answer>", True, [])], tmp_path / "raw.parquet", leave_out=["reflections"]
    )
    said = pytest.raises(EndpointError, match=r"declined the request .*too long")
    with ModelServer(faults=Faults(status=422, message="too long")) as server, said:
        generate(job(source, server, k=1))
    with ModelServer() as server:
        assert generate(job(source, server, k=1)).missing == 0


def test_what_is_declined_for_good_is_not_asked_again_unless_wanted(raw: Path) -> None:
    """Among answers a refusal is meant for the one request: later runs leave it out, until asked not to."""
    with ModelServer(faults=Faults(declined="What is 7 + 1?")) as server:
        first = generate(job(raw, server))
        assert (first.answers, first.missing) == (114, 6)
        assert first.failures == {"HTTP 413: too long": 6}
        assert generate(job(raw, server)).missing == 6
        assert server.ledger.asked.total() == 120
        server.faults = Faults()
        assert generate(job(raw, server, retry_declined=True)).missing == 0


def test_nobody_there_is_told_soon(raw: Path) -> None:
    """A wrong port is no reason to wait for long."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    with ModelServer() as server, pytest.raises(EndpointError, match="no connection"):
        generate(
            job(
                raw,
                server,
                endpoint=Endpoint("m", f"http://127.0.0.1:{port}/v1"),
                limits=Limits(tries=3, first_pause=0.02),
            )
        )
    assert time.monotonic() - started < 10


def test_a_request_that_hangs_is_given_up_and_asked_again(raw: Path) -> None:
    """Each request has its time; the connection of one that ran out is not used again."""
    with ModelServer(latency=0.05, faults=Faults(slow=0.2)) as server:
        endpoint = Endpoint("m", server.url, timeout=0.3)
        assert generate(job(raw, server, endpoint=endpoint)).missing == 0
        assert server.ledger.asked.total() > 120


def test_patience_ends(raw: Path) -> None:
    """A server that only ever says 429 does not keep a run for ever."""
    with ModelServer(faults=Faults(burst_every=1, burst=10**9, retry_after="0.1")) as server:
        limits = Limits(first_pause=0.02, patience=2.0, grace=0.1)
        with pytest.raises(EndpointError, match="No answer for"):
            generate(job(raw, server, limits=limits))


# -- pace ------------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_pace_follows_the_server(raw: Path) -> None:
    """It grows to the bound while all goes well; after a burst of 429s fewer requests are in flight."""
    moments: list[GenerateProgress] = []
    with ModelServer(latency=0.2) as server:
        generate(job(raw, server, k=4, limits=replace(QUICK, concurrency=24)), report=moments.append)
        assert server.ledger.most_in_flight == 24
        assert max(one.limit for one in moments) == 24
    with ModelServer(latency=0.2, faults=Faults(burst_every=20, burst=4)) as server:
        generate(
            job(raw, server, out=raw.parent / "b", k=4, limits=replace(QUICK, concurrency=24)),
            report=moments.append,
        )
        assert server.ledger.most_in_flight < 24


def test_retry_after_is_kept(raw: Path) -> None:
    """Told to wait for a second, nothing is asked for a second."""
    with ModelServer(faults=Faults(burst_every=61, burst=1, retry_after="1")) as server:
        times: list[float] = []
        server.ledger.asked = _Noting(times)
        generate(job(raw, server, k=1, limits=replace(QUICK, concurrency=1)))
        generate(job(raw, server, k=2, limits=replace(QUICK, concurrency=1)))
    gaps = [b - a for a, b in pairwise(times)]
    assert max(gaps[60:]) >= 0.99


class _Noting(Counter[str]):
    """A counter that notes when it was used."""

    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self._times = times

    def __setitem__(self, key: str, value: int) -> None:
        self._times.append(time.monotonic())
        super().__setitem__(key, value)


# -- budget, cancel ----------------------------------------------------------------------------------------------------


def test_a_budget_stops_cleanly_and_a_larger_one_goes_on(raw: Path) -> None:
    """Tokens stay below it, the set so far is written and says that it is not complete, and nothing is asked twice."""
    small = Sampling(max_tokens=200)
    with ModelServer(latency=0.005) as server:
        first = generate(job(raw, server, sampling=small, budget=Budget(tokens=9_000)))
        assert first.ending == "stopped"
        assert 3_000 < sum(first.tokens.values()) <= 9_000
        assert first.missing == 120 - first.answers > 0
        assert "not complete" in (raw.parent / "made" / "README.md").read_text()
        assert len(stored(raw.parent / "made")) == first.answers
        money = Budget(money=0.03)
        second = generate(job(raw, server, sampling=small, budget=money, price=Price(1.0, 1.0)))
        assert second.cost <= 0.03 and second.answers > first.answers
        last = generate(job(raw, server, sampling=small))
        assert last.ending == "done" and last.missing == 0
        assert server.ledger.served.total() == 120
    assert "not complete" not in (raw.parent / "made" / "README.md").read_text()


def test_ctrl_c_keeps_what_is_in_flight(raw: Path) -> None:
    """The first signal stops asking and waits for the answers on their way; exit code 130; the next run goes on."""
    with ModelServer(latency=0.5) as server:
        out = raw.parent / "made"
        words = [
            "generate",
            "reflections",
            raw,
            "--out",
            out,
            "--model",
            "m",
            "--endpoint",
            server.url,
            "--k",
            "2",
            "--json",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "skill_factory", *map(str, words)],
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _until(lambda: server.ledger.asked.total() >= 10)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        made = json.loads(printed)
        assert made["ending"] == "cancelled" and made["lost"] == 0
        assert made["answers"] == server.ledger.served.total() < 120
        assert json.loads((out / ".store" / "progress.json").read_text())["phase"] == "cancelled"
        assert run(*words).exit == 0
        assert server.ledger.served.total() == 120


def test_a_second_ctrl_c_does_not_wait(raw: Path) -> None:
    """What is in flight is given up, and counted as perhaps billed."""
    with ModelServer(latency=60) as server:
        words = [
            "generate",
            "reflections",
            raw,
            "--out",
            raw.parent / "made",
            "--model",
            "m",
            "--endpoint",
            server.url,
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "skill_factory", *map(str, words), "--json"],
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        _until(lambda: server.ledger.asked.total() >= FIRST_LIMIT)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None, "the first one waits"
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(printed)["lost"] == FIRST_LIMIT


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


def test_progress_says_how_far_how_fast_how_dear(raw: Path) -> None:
    """Counted, asked for, written, done; with tokens per second, cost and time left on the way, and on disk."""
    moments: list[GenerateProgress] = []
    with ModelServer(latency=0.3) as server:
        limits = replace(QUICK, concurrency=16)
        made = generate(job(raw, server, k=4, price=Price(1.0, 1.0), limits=limits), report=moments.append)
    phases = list(dict.fromkeys(one.phase for one in moments))
    assert phases == ["count", "ask", "write", "done"]
    midst = [one for one in moments if one.phase == "ask" and 0 < one.done < one.total]
    assert midst and all(one.tokens_per_second > 0 and one.cost > 0 for one in midst)
    assert all(one.seconds_left is not None for one in midst)  # 0.0 where an answer or two are left
    assert moments[-1].done == moments[-1].total == 240
    assert json.loads((raw.parent / "made" / ".store" / "progress.json").read_text())["cost"] == made.cost
    assert "tokens/s" in midst[0].line() and "left" in midst[0].line()


def test_nothing_reaches_the_server_that_is_not_on_disk(raw: Path) -> None:
    """Each attempt is kept before it is sent, and each answer before the next attempt, however many share a transaction."""
    kept: list[tuple[int, int]] = []
    sent: list[int] = []

    def look(prompt: str, rng: random.Random) -> str:
        with sqlite3.connect(raw.parent / "made" / ".store" / "answers.sqlite") as db:
            kept.extend(db.execute("SELECT (SELECT count(*) FROM asked), (SELECT count(*) FROM answers)"))
        sent.append(server.ledger.asked.total())
        return "<verdict>Correct</verdict>"

    with ModelServer(look, latency=0.002) as server:
        assert generate(job(raw, server, k=4)).missing == 0
    assert len(sent) == 240
    assert all(asked >= came for (asked, _), came in zip(kept, sent, strict=True))
    assert all(answered >= came - QUICK.concurrency for (_, answered), came in zip(kept, sent, strict=True))


def test_a_second_run_asks_nothing(raw: Path) -> None:
    """What is there is there, also for a run that wants less or more."""
    with ModelServer() as server:
        first = generate(job(raw, server))
        again = generate(job(raw, server))
        assert server.ledger.asked.total() == 120
        assert (first.rows, first.answers) == (again.rows, again.answers)
        assert generate(job(raw, server, k=1)).rows == 60
        assert server.ledger.asked.total() == 120
        generate(job(raw, server, k=3))
        assert server.ledger.asked.total() == 180


def test_the_same_response_twice_is_asked_once(tmp_path: Path) -> None:
    """Equal rows share their critiques."""
    twin = row("2+2?", "<answer>4</answer>", True, [])
    source = write_parquet([twin, twin, twin], tmp_path / "raw.parquet", leave_out=["reflections"])
    with ModelServer() as server:
        made = generate(job(source, server))
        assert server.ledger.served.total() == 2
    assert made.missing == 0 and len(stored(tmp_path / "made")) == 6


def test_critiques_that_are_there_stay_and_count(tmp_path: Path) -> None:
    """A response that has k already gets none."""
    rows = [
        row("a?", "<answer>1</answer>", True, [verdict(True)] * 2),
        row("b?", "<answer>2</answer>", True, [verdict(True)]),
    ]
    source = write_parquet(rows, tmp_path / "raw.parquet")
    with ModelServer() as server:
        generate(job(source, server))
        assert server.ledger.served.total() == 1
    assert [
        len(one[f"{STAGE}_reflection"]) for one in pq.read_table(tmp_path / "made" / "data").to_pylist()
    ] == [2, 2]


# -- hosted ----------------------------------------------------------------------------------------------------------


def test_a_hosted_instance_asks_no_inner_address(raw: Path) -> None:
    """Neither by number nor by a name that only turns out to be inside when it is resolved; the server sees nothing."""
    with ModelServer() as server:
        for host in ("127.0.0.1", "localhost", socket.gethostname(), "0x7f.1", "2130706433"):
            words = ["generate", "reflections", raw, "--out", raw.parent / host, "--model", "m"]
            done = run(*words, "--endpoint", f"http://{host}:{server.port}/v1", **{HOSTED: "1"})
            assert done.exit == 2
            assert "inside this server's network" in done.err, host
        assert server.ledger.asked.total() == 0


@pytest.mark.parametrize("hosted", ["", "1"])
@pytest.mark.parametrize(
    "url", ["http://0177.0.0.1", "http://0x7f.1:8000/v1", "http://[::1", "http://a..b/v1"]
)
def test_an_odd_address_gets_one_sentence(raw: Path, url: str, hosted: str) -> None:
    """At home and hosted: exit 2, and nothing was made."""
    words = ["generate", "reflections", raw, "--out", raw.parent / "a", "--model", "m", "--endpoint", url]
    done = run(*words, **{HOSTED: hosted})
    assert done.exit == 2 and len(done.err.splitlines()) == 1, done.err
    assert not (raw.parent / "a").exists()


class Elsewhere(PublicResolver):
    """The guard in a world where names mean what a test says, one meaning after the other."""

    def __init__(self, *meanings: list[str]) -> None:
        self._meanings = list(meanings)

    async def look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[tuple[socket.AddressFamily, str]]:
        """What the name means this time."""
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            for address in self._meanings.pop(0)
        ]


def test_the_address_that_was_judged_is_the_one_that_is_asked() -> None:
    """What is connected to is what was judged: a name that turns to an inner address a moment later gains nothing."""
    resolver = Elsewhere(["93.184.215.14"], ["127.0.0.1"])
    (place,) = asyncio.run(resolver.resolve("model.test", 443))
    assert (place["hostname"], place["host"], place["port"]) == ("model.test", "93.184.215.14", 443)
    assert place["flags"] == socket.AI_NUMERICHOST, "nobody looks the name up again"


@pytest.mark.parametrize(
    "meaning", [["10.0.0.7"], ["93.184.215.14", "::1"], ["169.254.169.254"], ["fec0::1"], []]
)
def test_one_inner_meaning_of_a_name_is_enough_to_refuse_it(meaning: list[str]) -> None:
    """The run ends before anything is sent, and says why."""

    async def once() -> None:
        wire = Wire(resolver=Elsewhere(meaning))
        try:
            asker = Asker(Endpoint("m", "https://model.test/v1"), None, wire)
            await asker.ask(make_request([{"role": "user", "content": "hi"}], "m", Sampling(), 0))
        finally:
            await wire.close()

    with pytest.raises(InnerAddress):
        asyncio.run(Elsewhere(meaning).resolve("model.test", 443))
    with pytest.raises(Trouble, match="inside this server's network") as caught:
        asyncio.run(once())
    assert caught.value.way is Way.HOPELESS


def test_a_hosted_instance_takes_the_key_from_one_place(raw: Path) -> None:
    """Else a stranger could have any variable of the server's environment sent to himself."""
    words = [
        "generate",
        "reflections",
        raw,
        "--out",
        raw.parent / "a",
        "--model",
        "m",
        "--endpoint",
        "https://example.com/v1",
    ]
    done = run(*words, "--key-env", "COOKIE_SECRET", COOKIE_SECRET="x", **{HOSTED: "1"})
    assert done.exit == 2 and "SKILL_FACTORY_API_KEY only" in done.err


# -- use -------------------------------------------------------------------------------------------------------------


def test_a_run_in_a_foreign_folder_touches_nothing(raw: Path) -> None:
    """The folder of the source itself, for example."""
    with ModelServer() as server, pytest.raises(BuildFolderError, match="not made by generate"):
        generate(job(raw, server, out=raw.parent))
    assert [p.name for p in raw.parent.iterdir()] == ["raw.parquet"]


def test_neither_or_both_places_are_told(raw: Path) -> None:
    """An endpoint or a provider."""
    words = ["generate", "reflections", raw, "--out", raw.parent / "a", "--model", "m"]
    for more in ([], ["--endpoint", "http://h/v1", "--provider", "auto"]):
        done = run(*words, *more)
        assert done.exit == 2 and "either --endpoint URL or --provider NAME" in done.err


@pytest.mark.parametrize(
    ("words", "key", "said"),
    [
        (["--provider", "auto"], "", "hf auth login"),
        (["--provider", "groq"], "gsk_own_key_of_a_provider", "begins with hf_"),
        (["--provider", "no body"], "hf_x", "'no body' isn't a provider's name"),
        (["--provider", "groq", "--model", "org/m:together"], "hf_x", "names a provider already"),
        (["--endpoint", "http://127.0.0.1:9/v1"], "two\nlines", "a character that no key has"),
    ],
)
def test_a_key_or_provider_that_cant_be_used_is_told_before_anything_is_sent(
    raw: Path, words: list[str], key: str, said: str
) -> None:
    """In one sentence, without the key in it."""
    words = ["generate", "reflections", str(raw), "--out", str(raw.parent / "a"), "--model", "org/m", *words]
    done = run(*words, HF_HOME=str(raw.parent / "home"), SKILL_FACTORY_API_KEY=key)
    assert done.exit == 2 and said in done.err and len(done.err.splitlines()) == 1
    assert not key or key not in done.err


def test_result_is_plain_data(raw: Path) -> None:
    """For the app: a frozen value with numbers."""
    with ModelServer() as server:
        made = generate(job(raw, server))
    assert isinstance(made, Made)
    assert (made.rows, made.answers, made.missing, made.ending) == (60, 120, 0, "done")
