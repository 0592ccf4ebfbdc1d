"""Runs commands and measures them: wall time, CPU time, and the peak memory of the whole process tree."""

import os
import platform
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """Medians over some runs, in seconds; and the peak of one more run, in bytes of proportional set size."""

    wall: float
    cpu: float
    system: float
    """Of the CPU time: what the system took, for memory and files."""
    peak: int
    runs: int


@dataclass(frozen=True)
class Job:
    """A command to measure; `before` prepares each run and is not measured."""

    command: Sequence[str]
    before: Callable[[], None] | None = None


def measure(*jobs: Job, runs: int = 3) -> list[Measured]:
    """
    Run some commands in turn, round after round, so that a slow minute of the machine meets all of them.

    Memory is looked at in a round of its own: looking stops a process, and the longer the more it holds.
    """
    rounds = [[_timed(job) for job in jobs] for _ in range(runs)]
    peaks = [_watched(job) for job in jobs]
    return [
        Measured(*(statistics.median(one[k][figure] for one in rounds) for figure in range(3)), peak, runs)
        for k, peak in enumerate(peaks)
    ]


def _timed(job: Job) -> tuple[float, float, float]:
    """Wall, CPU and system seconds of a run."""
    process, before, start = _started(job), resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    _end(process, job)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    system = after.ru_stime - before.ru_stime
    return wall, after.ru_utime - before.ru_utime + system, system


def _watched(job: Job) -> int:
    """The peak of a run."""
    process = _started(job)
    peak = _Peak(process.pid)
    _end(process, job)
    return peak.stop()


def _started(job: Job) -> "subprocess.Popen[bytes]":
    if job.before:
        job.before()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        job.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _end(process: "subprocess.Popen[bytes]", job: Job) -> None:
    output, _ = process.communicate()
    if process.returncode:
        words = " ".join(job.command)
        raise SystemExit(f"{words} ended with {process.returncode}:\n{output.decode()[-2000:]}")


class _Peak:
    """Watches the proportional set size of a process and all below it, ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._over = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self._peak = max(self._peak, sum(_pss(pid) for pid in _tree(self._pid)))

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak


def _tree(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with suppress(OSError):  # it, or one of its threads, has just ended
            for task in Path(f"/proc/{one}/task").glob("*/children"):
                waiting.extend(int(child) for child in task.read_text().split())
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def row(name: str, one: Measured) -> str:
    """A run as a row of a table: wall, processor, system, memory, runs."""
    times = f"{one.wall:.2f} s | {one.cpu:.2f} s | {one.system:.2f} s"
    return f"| {name} | {times} | {one.peak / 1e6:,.0f} MB | {one.runs} |"


def stamp(seed: int) -> str:
    """Where and on what a page's figures were measured."""
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the end"
    )
    return f"Commit {commit}, seed {seed}, {machine}, Python {platform.python_version()}."
