"""On a shared server heavy work waits in line; at home there is none; who ends gives place and turn back."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skill_factory.work import queue
from tests.command import ROOT


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared server of its own that runs one build at a time."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    monkeypatch.setenv(queue.AT_ONCE, "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def holder(note: Path) -> "subprocess.Popen[str]":
    """A process that waits for a turn, says so, and holds it until its input is closed."""
    code = (
        "import sys; from pathlib import Path; from skill_factory.work.queue import turn\n"
        f"with turn('builds', Path({str(note)!r})): print('mine', flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def until(true: "object", seconds: float = 20) -> None:
    """Wait until a call is true."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def said(process: "subprocess.Popen[str]") -> str:
    """The next line of a process."""
    return process.stdout.readline().strip() if process.stdout else ""


def test_one_after_the_other_and_each_knows_its_place(tmp_path: Path) -> None:
    """The line says how many are before; a turn that is given back goes to the first in line."""
    notes = [tmp_path / f"note-{k}" for k in range(3)]
    first = holder(notes[0])
    assert said(first) == "mine"
    others = []
    for k in (1, 2):
        others.append(holder(notes[k]))
        until(lambda k=k: notes[k].is_file() and notes[k].read_text(encoding="utf-8") == str(k - 1))
    assert queue.waiting() == 2
    for one, after in ((first, others[0]), (others[0], others[1])):
        one.communicate()
        assert said(after) == "mine"
    others[1].communicate()
    assert queue.waiting() == 0
    assert not any(note.exists() for note in notes)


def test_a_killed_process_gives_place_and_turn_back(tmp_path: Path) -> None:
    """`kill -9` of the one at work and of one in line."""
    first, second = holder(tmp_path / "a"), None
    assert said(first) == "mine"
    second = holder(tmp_path / "b")
    until(lambda: (tmp_path / "b").exists())
    third = holder(tmp_path / "c")
    until(lambda: queue.waiting() == 2)
    for one in (second, first):
        one.send_signal(signal.SIGKILL)
        one.communicate()
    assert said(third) == "mine"
    third.communicate()


def test_at_home_there_is_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own machine is one's own: two at once."""
    monkeypatch.delenv("SKILL_FACTORY_HOSTED")
    monkeypatch.delenv("SPACE_ID", raising=False)
    with queue.turn("builds"), queue.turn("builds"):
        assert queue.waiting() == 0


@pytest.mark.parametrize(("asked", "number"), [("3", 3), ("0", 1), ("x", None), ("", None)])
def test_how_many_at_once_can_be_set(asked: str, number: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number from 1; else one for every two cores."""
    monkeypatch.setenv(queue.AT_ONCE, asked)
    assert queue.at_once() == (number or max(1, len(os.sched_getaffinity(0)) // 2))
