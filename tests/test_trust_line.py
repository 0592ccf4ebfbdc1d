"""One fair line for all heavy work of a shared server: places per visitor, leases, bounds; and what a log may hold."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skill_factory.errors import BuildFolderError, HubError
from skill_factory.hub.signin import MOST_SCOPES, scopes
from skill_factory.publish.files import read_build
from skill_factory.publish.space import FRONT_MATTER
from skill_factory.work import makings, queue, quota
from skill_factory.work.home import home, new_place
from skill_factory.work.process import FolderProcess
from tests.command import ROOT
from tests.test_turns import said, until


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared server of its own that runs one build at a time."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    monkeypatch.setenv(queue.AT_ONCE, "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def holder(visitor: str, lease: Path | None = None) -> "subprocess.Popen[str]":
    """A visitor's process that waits for a turn, says so, and holds it until its input is closed."""
    where = f"Path({str(lease)!r})" if lease else "None"
    code = (
        "import sys; from pathlib import Path; from skill_factory.work.queue import turn\n"
        f"with turn('builds', None, {visitor!r}, {where}): print('mine', flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_visitor_s_second_piece_comes_after_everybody_s_first() -> None:
    """One who came first with three lets the others in between."""
    first = holder("a")
    assert said(first) == "mine"
    line = []
    for number, visitor in enumerate("aab", 1):
        line.append(holder(visitor))
        until(lambda number=number: queue.waiting() == number)
    a_second, a_third, b_first = line
    first.communicate()
    assert said(b_first) == "mine"
    b_first.communicate()
    assert said(a_second) == "mine"
    a_second.communicate()
    assert said(a_third) == "mine"
    a_third.communicate()


def test_one_visitor_has_few_places() -> None:
    """Who has enough is told so, and nobody else is."""
    processes = [holder("a") for _ in range(queue.PLACES + 1)]
    until(lambda: queue.waiting(visitor="a") == queue.PLACES)
    with pytest.raises(BuildFolderError, match=f"{queue.PLACES} pieces of your work"):
        queue.check_room("builds", "a")
    queue.check_room("builds", "b")
    for one in processes:
        one.kill()
        one.communicate()


def test_who_is_gone_loses_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is closed touches its lease no more; the one behind moves up."""
    monkeypatch.setenv(queue.AWAY, "1")
    first = holder("a")
    assert said(first) == "mine"
    here, gone = tmp_path / "here", tmp_path / "gone"
    gone.touch()
    here.touch()
    leaving = holder("b", gone)
    until(lambda: queue.waiting() == 1)
    staying = holder("c", here)
    end = time.monotonic() + 20
    while leaving.poll() is None and time.monotonic() < end:
        here.touch()
        time.sleep(0.1)
    assert "its place went to someone who is still here" in leaving.communicate()[1]
    here.touch()
    first.communicate()
    assert said(staying) == "mine"
    staying.communicate()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["build", "demo"], "builds"),
        (["grade", "x"], "builds"),
        (["generate", "responses"], "network"),
        (["push", "x"], "network"),
    ],
)
def test_every_heavy_command_stands_in_line(words: list[str], kind: str, tmp_path: Path) -> None:
    """Building, grading, generating, publishing: each behind the line on a shared server, none at home."""
    assert queue.kind_of(words) == kind
    run, told = queue.behind_the_line(words, tmp_path, "a")
    assert run[1:3] == ["-m", "skill_factory.work.queue"] and told[queue.VISITOR] == "a"


def test_work_that_takes_too_long_is_ended_with_a_sentence(tmp_path: Path) -> None:
    """The bound is hours on a server; here it is a second."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "skill_factory.work.queue",
            "build",
            "demo:20000",
            "--out",
            str(tmp_path / "out"),
            "--workers",
            "1",
        ],
        cwd=ROOT,
        text=True,
        capture_output=True,
        env={**os.environ, queue.HOURS: str(1.5 / 3600)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "took longer than" in done.stderr and "Traceback" not in done.stderr


def test_a_build_s_room_is_said_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, text, and what is free on the disk."""
    assert quota.refusal(1000, 1000) == ""
    assert "at most 5,000,000" in quota.refusal(10**8, 1000)
    assert "at most" in quota.refusal(1000, 10**12)
    monkeypatch.delenv("SKILL_FACTORY_HOSTED")
    assert quota.refusal(10**8, 1000) == ""
    assert "are free where the app keeps its work" in quota.refusal(1000, 10**16)


# -- logs, disks, links --------------------------------------------------------------------------------------------


def test_the_server_s_log_holds_no_text_of_a_visitor(tmp_path: Path) -> None:
    """Of a failure of ours it holds where and of which kind; no message, no name, no key."""
    (tmp_path / "log").write_text(
        'Traceback (most recent call last):\n  File "/x/skill_factory/build/scatter.py", line 12, in f\n'
        "    raise KeyError(row)\nKeyError: 'the secret of row 7 in private.jsonl'\n",
        encoding="utf-8",
    )
    process = FolderProcess(tmp_path, 1, "ended")
    assert process.fault() == "KeyError at skill_factory/build/scatter.py:12"
    (tmp_path / "log").write_text("private.jsonl, line 3 is not valid JSON: 'secret'\n", encoding="utf-8")
    assert process.fault() == "ended with a sentence for its visitor"


def test_a_full_disk_is_not_blamed_on_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended without a word on a disk without room had no room for one."""
    process = FolderProcess(tmp_path, 1, "memory ran out")
    assert process.why("x") == "memory ran out"
    monkeypatch.setattr("skill_factory.work.process.NO_ROOM", 10**18)
    assert "The disk is full" in process.why("x")


@pytest.mark.parametrize("place", ["/proc/nobody/here", "/dev/null/x"])
def test_an_unwritable_home_is_said(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the one thing to do."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", place)
    with pytest.raises(BuildFolderError, match="Set SKILL_FACTORY_HOME to a folder that can be written"):
        home()


@pytest.mark.parametrize("linked", ["README.md", "sft_train/train-00000-of-00001.parquet", "sft_train"])
def test_publishing_follows_no_link(linked: str, tmp_path: Path) -> None:
    """Neither a file nor a folder of a build may be a link: what it points to would be published."""
    from tests.command import python

    out, secret = tmp_path / "build", tmp_path / "secret"
    assert python("-m", "skill_factory", "build", "demo:20", "--out", str(out)).exit == 0
    target = out / linked
    target.rename(secret)
    target.symlink_to(secret)
    with pytest.raises(HubError, match="is a link to"):
        read_build(out)


def test_what_was_made_is_tidied_like_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle visitor's answers and critiques go with the other files."""
    from skill_factory.ui.frame import cleanup

    made = new_place(makings.KIND)
    old = time.time() - 3 * 86_400
    os.utime(made, (old, old))
    cleanup._remove_old(1.0)
    assert not made.exists()


def test_the_sign_in_asks_for_what_a_space_lists_and_private_data_needs() -> None:
    """Every scope that is ever asked for stands in the Space's list; those that private data needs are among them."""
    asked = set(scopes(private_sources=True, other_repositories=True, jobs=True))
    listed = FRONT_MATTER["hf_oauth_scopes"]
    assert isinstance(listed, list)
    assert asked - {"openid", "profile"} == set(listed) == set(MOST_SCOPES)
    assert {"read-repos", "gated-repos"} <= asked


@pytest.mark.parametrize(
    ("word", "shared"),
    [
        ("0", False),
        ("", False),
        ("false", False),
        ("No", False),
        (" off ", False),
        ("1", True),
        ("yes", True),
        ("x", True),
    ],
)
def test_ways_to_say_that_a_server_is_shared(
    word: str, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What isn't a no is a yes: doubt is on the safe side."""
    from skill_factory.hosting import hosted

    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", word)
    assert hosted() is shared


def test_an_address_in_a_text_becomes_no_link() -> None:
    """Bare addresses, `www.` and mail addresses, which Markdown would make links of."""
    from skill_factory.ui.frame.workspace import plain

    for text in ("see http://evil.example", "HTTPS://evil.example", "www.evil.example", "me@evil.example"):
        shown = plain(text).replace("\\", "")
        assert shown.replace("\u2060", "") == text
        assert not any(mark in shown.lower() for mark in ("http://", "https://", "www.", "me@e"))


def test_the_command_prints_no_control_character_of_an_argument() -> None:
    """An unknown option, or a file name, could steer the terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "skill_factory", "inspect", "demo:5", "--x\x1b[31m"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "\x1b" not in done.stderr and "\\x1b" in done.stderr


def test_a_grade_s_file_name_is_printed_plain(tmp_path: Path) -> None:
    """So is the name under --out."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "skill_factory",
            "grade",
            "demo:5",
            "--out",
            str(tmp_path / "a\x1b[31m.parquet"),
            "--yes",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "\x1b" not in done.stdout + done.stderr
