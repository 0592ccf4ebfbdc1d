"""Runs commands and measures them: wall time, CPU time, and the peak memory of the whole process tree."""

import os
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """Medians over some runs; seconds, and bytes of proportional set size at the peak."""

    wall: float
    cpu: float
    peak: int
    runs: int


def measure(command: Sequence[str], runs: int = 3, before: Callable[[], None] | None = None) -> Measured:
    """Run a command some times; `before` prepares each run and is not measured."""
    walls, cpus, peaks = [], [], []
    for _ in range(runs):
        if before:
            before()
        used = _children_cpu()
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        peak = _Peak(process.pid)
        output, _ = process.communicate()
        walls.append(time.monotonic() - start)
        cpus.append(_children_cpu() - used)
        peaks.append(peak.stop())
        if process.returncode:
            raise SystemExit(
                f"{' '.join(command)} ended with {process.returncode}:\n{output.decode()[-2000:]}"
            )
    return Measured(statistics.median(walls), statistics.median(cpus), max(peaks), runs)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                waiting.extend(int(child) for child in task.read_text().split())
            except OSError:
                continue
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
