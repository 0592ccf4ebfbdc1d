"""A build on a real Ray of this machine: the same bytes as the local engine's, on a disk and in an object store."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import chats, command

pytestmark = pytest.mark.ray

SMALL_PARTITIONS = """
import sys
import skill_factory.build.scatter
from skill_factory.build.engines import local
skill_factory.build.scatter.PARTITION_BYTES = 200_000
local.SMALL_BYTES = 0
from skill_factory.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""The command, with partitions so small that a demo has some."""


OPEN = {"RAY_AUTH_MODE": "disabled"}
"""The cluster of these tests listens on loopback only and has nothing to guard."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Ray of two workers on a free port of loopback; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    ray = str(Path(sys.executable).with_name("ray"))
    start = [
        ray,
        "start",
        "--head",
        "--block",
        "--port",
        port,
        "--num-cpus",
        "2",
        "--include-dashboard=false",
    ]
    environment = {**os.environ, "PYTHONPATH": str(command.ROOT), **OPEN}
    process = subprocess.Popen(
        [*start, "--node-ip-address", "127.0.0.1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in process.stdout or ():
        if "Ray runtime started" in line:
            break
    assert process.poll() is None, "Ray did not start"
    yield f"127.0.0.1:{port}"
    # Told to end, Ray takes half a minute to say goodbye to workers that hold nothing of ours.
    daemons = [int(pid) for pid in _children(process.pid)]
    for pid in (process.pid, *daemons):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=60)


def _children(pid: int) -> list[str]:
    """The processes that a process started, and those that these started."""
    mine = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*mine, *(one for child in mine for one in _children(int(child)))]


def build(out: object, *words: object, source: object = "demo:120", **variables: str) -> dict[str, object]:
    done = command.python(
        "-c", SMALL_PARTITIONS, "build", source, "--out", out, "--json", *words, **OPEN, **variables
    )
    assert done.exit == 0, done.err[-2000:]
    return json.loads(done.out)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a build folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="whole", marks=pytest.mark.long),
        pytest.param(("--max-traces", "77"), id="limited"),
    ],
)
def test_ray_writes_the_bytes_of_the_local_engine(
    cluster: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Several partitions, with and without a limit that counts from the head: every file is the same."""
    build(tmp_path / "local", *words)
    told = build(tmp_path / "ray", "--engine", "ray", "--ray-address", cluster, *words)

    assert told["traces"]
    assert len(digests(tmp_path / "local")) > 5
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")


@pytest.mark.long
def test_conversations_are_the_same_on_ray(cluster: str, tmp_path: Path) -> None:
    """Turns, calls of tools and tools of every row, in several partitions: every file is the same."""
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(questions=500, tools=[chats.TOOL]))
    words = ("--attempts", "3", "--layout", "tight")
    told = build(tmp_path / "local", *words, source=raw)
    build(tmp_path / "ray", "--engine", "ray", "--ray-address", cluster, *words, source=raw)
    assert told["traces"] == 1_500
    assert len([name for name in digests(tmp_path / "local") if name.endswith(".parquet")]) > 1
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")


@pytest.mark.long
def test_what_stays_out_is_the_same_on_ray(cluster: str, tmp_path: Path) -> None:
    """Contaminated, near-duplicate and held-out questions are found before partitions are cut: every file is the same."""
    rows = "from skill_factory.sources import open_source; import json; [print(json.dumps(row)) for row in open_source('demo:120').head(40)]"
    (tmp_path / "bench.jsonl").write_text(command.python("-c", rows).out, encoding="utf-8")
    words = ("--against", str(tmp_path / "bench.jsonl"), "--near-duplicates", "--holdout", "0.2")
    build(tmp_path / "local", *words)
    told = build(tmp_path / "ray", "--engine", "ray", "--ray-address", cluster, *words)

    dropped = told["ledger"]["questions"]["dropped"]  # type: ignore[index]
    assert dropped["contaminated"] == 5 and dropped["held_out"] > 5
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")


@pytest.mark.long
def test_a_worker_killed_in_mid_build_changes_no_byte(cluster: str, tmp_path: Path) -> None:
    """Ray runs the task of a killed worker again; the result is that of an undisturbed build."""
    build(tmp_path / "local")
    words = [sys.executable, "-c", SMALL_PARTITIONS, "build", "demo:120", "--out", str(tmp_path / "ray")]
    words += ["--json", "--engine", "ray", "--ray-address", cluster]
    environment = {**os.environ, "PYTHONPATH": str(command.ROOT), **OPEN}
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    killed = 0
    stop = time.monotonic() + 120
    while process.poll() is None and killed == 0 and time.monotonic() < stop:
        killed = _kill_a_building_worker()
        time.sleep(0.05)
    _, said = process.communicate(timeout=240)

    assert process.returncode == 0, said[-2000:]
    assert killed, "no worker was seen at work"
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")


def _kill_a_building_worker() -> int:
    """Kill one Ray worker that runs a task of a build; how many were killed."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = status.read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if line.startswith(b"ray::") and b"_build_block" in line:
            os.kill(int(status.parent.name), 9)
            return 1
    return 0


@pytest.mark.long
def test_ray_writes_to_an_object_store(cluster: str, tmp_path: Path) -> None:
    """The workers write to s3://, and what lies there at the end is a build folder, byte for byte."""
    moto = pytest.importorskip("moto.server")
    import boto3

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        keys = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        client = boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="traces")
        build(tmp_path / "local")
        # A Ray of its own, so that the workers inherit where the store is.
        build("s3://traces/out", "--engine", "ray", AWS_ENDPOINT_URL=address, **keys)
        found = client.list_objects_v2(Bucket="traces").get("Contents", [])
        stored = {
            one["Key"].removeprefix("out/"): hashlib.sha256(
                client.get_object(Bucket="traces", Key=one["Key"])["Body"].read()
            ).hexdigest()
            for one in found
        }
    finally:
        server.stop()

    assert stored == digests(tmp_path / "local")


def test_an_object_store_needs_the_engine_that_can_write_there(tmp_path: Path) -> None:
    """The local engine sorts rows on a disk; asked for s3:// it says which engine to use, or what to install."""
    done = command.run("build", "demo:20", "--out", "memory://traces/out", cwd=tmp_path)

    assert done.exit == 2
    assert "--engine ray" in done.err or "pip install" in done.err


@pytest.mark.long
def test_a_suite_has_the_bytes_of_the_local_engine(cluster: str, tmp_path: Path) -> None:
    """All arms of a suite, in several partitions: every file is the same."""
    arms = ("--only", "no_order", "--only", "attempts_3")
    for out, words in (("local", ()), ("ray", ("--engine", "ray", "--ray-address", cluster))):
        done = command.python(
            "-c",
            SMALL_PARTITIONS,
            "ablate",
            "demo:120",
            "--out",
            tmp_path / out,
            "--json",
            *arms,
            *words,
            **OPEN,
        )
        assert done.exit == 0, done.err[-2000:]
    assert len(list((tmp_path / "local/arms/base/sft_train").iterdir())) > 3
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")


MIX = """
seed = 2
[clean]
holdout = 0.1
near_duplicates = true
[[sources]]
name = "puzzles"
from = "demo:120"
weight = 2
[[sources]]
name = "sums"
from = "demo:sums:80"
weight = 1
[sources.traces]
attempts = 3
formats = ["*C", "*C*IC"]
[[sources]]
name = "puzzles again"
from = "demo:150"
weight = 0.5
"""


@pytest.mark.long
def test_a_mixture_has_the_bytes_of_the_local_engine(cluster: str, tmp_path: Path) -> None:
    """Three sources, one of which repeats another's questions, with questions held out: every file is the same."""
    (tmp_path / "mix.toml").write_text(MIX, encoding="utf-8")
    for out, words in (("local", ()), ("ray", ("--engine", "ray", "--ray-address", cluster))):
        ready = ("build", "--recipe", tmp_path / "mix.toml", "--out", tmp_path / out, "--json", *words)
        done = command.python("-c", SMALL_PARTITIONS, *ready, **OPEN)
        assert done.exit == 0, done.err[-2000:]
    told = json.loads(done.out)
    again = told["by_source"]["puzzles again"]["ledger"]["questions"]["dropped"]
    assert again["in_other_source"] > 50
    assert len(digests(tmp_path / "local")) > 8
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")
