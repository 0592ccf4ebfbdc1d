"""Measures generating: how busy 64 slots of a server that takes 50 ms are kept, and memory over 100,000 requests.

    python -m tests.bench_generate              both; --requests 100000, --latency 0.05, --slots 64
    python -m tests.bench_generate slots        the first only; `memory` the second only

Server and program are processes of their own, as in life; the figures are printed as JSON. Two free cores are needed for
the first figure: the processor time per request is printed beside it, for machines that have other things to do.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skill_factory.sources.demo.rows import write_demo
from tests.command import ROOT

RESPONSES = 8
"""Of each of the demo's questions; each response has four critiques already."""


@contextmanager
def server(latency: float, slots: int) -> Iterator[str]:
    """The test server in a process of its own."""
    words = [sys.executable, "-m", "tests.model_server", "--latency", str(latency), "--slots", str(slots)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def ledger(url: str) -> dict[str, Any]:
    """The server's numbers."""
    with urllib.request.urlopen(f"{url}/ledger") as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def generating(url: str, folder: Path, requests: int, concurrency: int) -> subprocess.Popen[bytes]:
    """The program, asking for so many critiques."""
    per_response = 8
    write_demo(folder / "raw.parquet", -(-requests // (RESPONSES * per_response)))
    words = ["generate", "reflections", folder / "raw.parquet", "--out", folder / "made", "--model", "m"]
    words += ["--endpoint", f"{url}/v1", "--k", 4 + per_response, "--concurrency", concurrency, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "skill_factory", *map(str, words)]
    return subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def processor_seconds(pid: int) -> float:
    """Time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting_seconds(pid: int) -> float:
    """Time that a process was ready to run and another one had the processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def resident(pid: int) -> float:
    """MB that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def slots(requests: int, latency: float, size: int, concurrency: int) -> dict[str, Any]:
    """How busy the slots were between a tenth and nine tenths of the requests."""
    with tempfile.TemporaryDirectory() as name, server(latency, size) as url:
        process = generating(url, Path(name), requests, concurrency)
        first = _reached(url, requests // 10), processor_seconds(process.pid), waiting_seconds(process.pid)
        last = _reached(url, requests * 9 // 10), processor_seconds(process.pid), waiting_seconds(process.pid)
        process.wait()
    seconds = last[0]["at"] - first[0]["at"]
    served = last[0]["served"] - first[0]["served"]
    busy = (last[0]["busy_seconds"] - first[0]["busy_seconds"]) / seconds / size
    return {
        "requests": served,
        "slots": size,
        "concurrency": concurrency,
        "latency": latency,
        "busy": round(busy, 4),
        "requests_per_second": round(served / seconds, 1),
        "load_average": os.getloadavg()[0],
        "share_waiting_for_processor": round((last[2] - first[2]) / seconds, 3),
        "processor_ms_per_request": round((last[1] - first[1]) / served * 1e3, 3),
    }


def _reached(url: str, served: int) -> dict[str, Any]:
    while (found := ledger(url))["served"] < served:
        time.sleep(0.05)
    return found | {"at": time.monotonic()}


def memory(requests: int, size: int) -> dict[str, Any]:
    """Memory of the program at each tenth of the requests, and at the end."""
    with tempfile.TemporaryDirectory() as name, server(0.0, size) as url:
        process = generating(url, Path(name), requests, size)
        peak = [0.0]
        watching = threading.Thread(target=_watch, args=(process, peak), daemon=True)
        watching.start()
        tenths = []
        for part in range(1, 10):
            _reached(url, requests * part // 10)
            tenths.append(round(resident(process.pid), 1))
        process.wait()
        rate = ledger(url)
    return {
        "requests": rate["served"],
        "mb_at_each_tenth": tenths,
        "mb_peak_with_writing": round(peak[0], 1),
        "requests_per_second": round(rate["served"] / rate["seconds"], 1),
    }


def _watch(process: "subprocess.Popen[bytes]", peak: list[float]) -> None:
    while process.poll() is None:
        try:
            peak[0] = max(peak[0], resident(process.pid))
        except (OSError, IndexError):
            return
        time.sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("slots", "memory"))
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument(
        "--concurrency", type=int, default=0, help="in flight at most; default: half as many again as slots"
    )
    args = parser.parse_args()
    if args.what != "memory":
        print(
            json.dumps(
                {
                    "slots": slots(
                        min(args.requests, 10_000),
                        args.latency,
                        args.slots,
                        args.concurrency or args.slots * 3 // 2,
                    )
                }
            ),
            flush=True,
        )
    if args.what != "slots":
        print(json.dumps({"memory": memory(args.requests, args.slots)}), flush=True)


if __name__ == "__main__":
    main()
