"""Machines that can train: this one, and those that the Hub rents out, with what they can do and cost."""

import os
import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from skill_factory.hosting import cores
from skill_factory.hub.client import client
from skill_factory.hub.errors import patiently, plainly
from skill_factory.publish.hub_jobs import PER_HOUR

HERE = "this computer"


@dataclass(frozen=True)
class Trainer:
    """A machine with at most one accelerator."""

    name: str
    device: str
    """The accelerator's name; empty for a CPU."""
    speed: float
    """Multiplications and additions per second at most; 0 where nobody has written it down."""
    memory: int
    """Bytes: of the accelerator, or of the computer."""
    dollars_per_hour: float = 0.0


def this_computer() -> Trainer:
    """This computer, with its accelerator if it has one that Nvidia's program knows."""
    if (smi := shutil.which("nvidia-smi")) and (line := _ask_nvidia(smi)):
        name, _, megabytes = line.rpartition(",")
        return Trainer(HERE, name.strip(), _published(name)[0], int(float(megabytes) * 2**20))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Trainer(f"{HERE} ({cores()} cores)", "", processor_speed(), memory)


def _ask_nvidia(program: str) -> str:
    words = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next(iter(done.stdout.splitlines()), "") if done.returncode == 0 else ""


@cache
def processor_speed(clock: Callable[[], float] = time.perf_counter) -> float:
    """Measured now, with the multiplication of matrices that training mostly is: the best of a few tries."""
    size = 1024
    matrix = np.ones((size, size), np.float32)
    best = float("inf")
    for _ in range(5):
        begun = clock()
        matrix @ matrix
        best = min(best, clock() - begun)
    return float(2 * size**3 / best)


def rented(token: str | None, endpoint: str | None = None) -> tuple[Trainer, ...]:
    """The Hub's machines with one accelerator, the cheapest first, at the price of this moment. Errors: HubError."""
    with plainly("the list of machines", token):
        hardware = patiently(client(token, endpoint).list_jobs_hardware)
    # The script uses one accelerator: a second one would be paid for, and idle.
    single = [
        (one, one.accelerator) for one in hardware if one.accelerator and one.accelerator.quantity == "1"
    ]
    found = [
        Trainer(
            one.name,
            device.model,
            _published(device.model)[0],
            _gigabytes(device.vram) or _published(device.model)[1],
            one.unit_cost_usd * PER_HOUR[one.unit_label],
        )
        for one, device in single
    ]
    return tuple(sorted(found, key=lambda one: one.dollars_per_hour))


def _gigabytes(told: str) -> int:
    number = told.split(" ")[0]
    return int(float(number) * 1e9) if number.replace(".", "", 1).isdecimal() else 0


def _published(device: str) -> tuple[float, int]:
    """Speed and memory as the maker publishes them; zeros for an accelerator that isn't in the list."""
    text = files("skill_factory.training").joinpath("accelerators.toml").read_text(encoding="utf-8")
    for known in tomllib.loads(text)["accelerator"]:
        # Whole names: an L40 isn't an L4.
        if re.search(rf"(?<![a-z0-9]){re.escape(known['name'])}(?![0-9a-z])", device.lower()):
            return known["speed"] * 1e12, int(known["memory"] * 1e9)
    return 0.0, 0
