"""Fixtures around the Hub on loopback: `pytest_plugins = ["tests.hub_fixtures"]`, or import the names."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub import Hub, run_python


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A fresh Hub with Xet, on a free port."""
    with Hub(tmp_path / "hub") as running:
        yield running
    assert not running.broken, running.broken[0]


@pytest.fixture
def in_client(hub: Hub) -> Callable[..., Any]:
    """Run Python code in a process of its own whose client libraries know this Hub only; gives what it prints as JSON.

    `in_client(code, user="alice", xet=True)`. A process, because the libraries read HF_ENDPOINT when imported.
    """

    def run(code: str, user: str | None = None, xet: bool = True) -> Any:
        done = run_python(code, hub.env(user, xet))
        if done.returncode:
            raise AssertionError(done.stderr[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    return run
