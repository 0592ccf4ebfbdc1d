"""Workspaces on disk: every change is kept and can be undone, whoever is killed, and whoever else writes."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill_factory.errors import BuildFolderError
from skill_factory.work.home import forget_old, place
from skill_factory.work.kept import workspaces
from skill_factory.work.kept.workspaces import Kept, Version

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def version(number: int = 0, source: str = "demo") -> Version:
    """The work after so many changes."""
    return Version(
        source, f"Demo {number}", f"version = 3\n\n[traces]\nseed = {number}\n", {"a.b": [1]}, True
    )


def changed(kept: Kept, number: int) -> Kept:
    """The workspace after a change."""
    return workspaces.keep(kept, version(number), "", 0)


def reopened(kept: Kept) -> Kept:
    """The workspace as another server finds it."""
    found = workspaces.find(kept.id)
    assert found is not None
    return found


def test_what_was_kept_is_found_by_its_name_and_by_nothing_else() -> None:
    """The name is long and random; a path, a short name and an unknown one find nothing."""
    kept = workspaces.new(version(3), "somebody", job="abc", cutoff=4096)
    assert len(kept.id) >= 20
    assert reopened(kept) == kept
    assert (kept.version, kept.owner, kept.job, kept.cutoff) == (version(3), "somebody", "abc", 4096)
    for other in ("", "..", "../builds", kept.id[:-1] + ("A" if kept.id[-1] != "A" else "B"), f"{kept.id}/x"):
        assert workspaces.find(other) is None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["change", "undo", "redo", "same", "reopen"]), max_size=40))
def test_undo_and_redo_walk_the_changes_as_an_editor_does(presses: list[str]) -> None:
    """Held beside two lists, as everybody knows them: after a change nothing can be redone; a restart changes nothing."""
    kept = workspaces.new(version(0))
    done, undone = [0], list[int]()
    for number, press in enumerate(presses, 1):
        if press == "change":
            kept = changed(kept, number)
            done.append(number)
            undone.clear()
        elif press == "undo":
            kept = workspaces.step(kept, -1)
            undone += [done.pop()] if len(done) > 1 else []
        elif press == "redo":
            kept = workspaces.step(kept, +1)
            done += [undone.pop()] if undone else []
        elif press == "same":  # a build, say: no change of the recipe
            kept = workspaces.keep(kept, kept.version, f"job{number}", 0)
        else:
            kept = reopened(kept)
        assert kept.version == version(done[-1])
        assert (kept.undoable, kept.redoable) == (len(done) - 1, len(undone))


def test_at_least_ten_changes_can_be_undone_however_large() -> None:
    """Versions beyond the bounds go, the oldest first; their files go with them."""
    large = "x" * (workspaces.BYTES // 4)
    kept = workspaces.new(version(0))
    for number in range(1, 30):
        kept = workspaces.keep(kept, replace(version(number), label=large), "", 0)
    assert kept.undoable == workspaces.LEAST - 1 >= 10
    assert len(list(kept.path.glob("0*.json"))) == workspaces.LEAST
    small = workspaces.new(version(0))
    for number in range(1, workspaces.VERSIONS + 20):
        small = changed(small, number)
    assert small.undoable == workspaces.VERSIONS - 1
    assert len(list(small.path.glob("0*.json"))) == workspaces.VERSIONS


@pytest.mark.parametrize("rest", [b"", b'{"source": "de', b"\xff\xfe", b"[]", b'{"source": 1}'])
def test_a_torn_version_is_passed_over_and_counted(rest: bytes) -> None:
    """The one before it is shown; undoing passes over it too."""
    kept = changed(changed(workspaces.new(version(0)), 1), 2)
    (kept.path / f"{kept.listed[2]}.json").write_bytes(rest)
    found = reopened(kept)
    assert (found.version, found.lost) == (version(1), 1)
    (kept.path / f"{kept.listed[2]}.json").write_text(workspaces._json(version(2)), encoding="utf-8")
    (kept.path / f"{kept.listed[1]}.json").write_bytes(rest)
    undone = workspaces.step(reopened(kept), -1)
    assert (undone.version, undone.lost) == (version(0), 1)


@pytest.mark.parametrize("rest", [b"", b"{", b'{"versions": 3}', b'{"versions": ["../../x"], "at": "no"}'])
def test_without_its_list_a_workspace_is_its_last_version(rest: bytes) -> None:
    """`now.json` torn, empty or wrong: the versions are found by their names, and the loss is counted."""
    kept = workspaces.rename(changed(workspaces.new(version(0), "me"), 1), "Mine")
    (kept.path / "now.json").write_bytes(rest)
    found = reopened(kept)
    assert (found.version, found.owner, found.undoable) == (version(1), "me", 1)
    assert found.lost
    assert reopened(changed(found, 2)).version == version(2)
    assert reopened(found).lost == 0


def test_a_folder_in_which_nothing_can_be_read_is_not_there() -> None:
    """And it spoils no list."""
    kept, other = workspaces.new(version(0)), workspaces.new(version(1))
    for one in kept.path.glob("*.json"):
        one.write_bytes(b"")
    assert workspaces.find(kept.id) is None
    assert [one.id for one in workspaces.recent()] == [other.id]


def test_a_writer_that_is_killed_at_any_moment_leaves_a_whole_workspace(home: Path) -> None:
    """`kill -9` in the midst of writing, many times: what is found is one of the versions, with nothing lost."""
    kept = workspaces.new(version(0))
    code = (
        "import sys; from skill_factory.work.kept import workspaces; from tests.test_workspaces import changed\n"
        "kept = workspaces.find(sys.argv[1]); n = int(sys.argv[2]); print(flush=True)\n"
        "while True:\n"
        "    n += 1; kept = changed(kept, n)\n"
    )
    seen = 0
    for turn in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, kept.id, str(seen)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.02 + 0.013 * turn)
        writer.kill()
        writer.communicate()
        found = reopened(kept)
        number = int(found.version.recipe.split("seed = ")[1])
        assert found.version == version(number) and found.lost == 0
        assert number >= seen
        seen = number
    assert seen > 0
    assert reopened(changed(reopened(kept), seen + 1)).lost == 0
    assert not list(kept.path.glob("*.partial"))


def test_two_writers_lose_nothing() -> None:
    """Every change of both tabs is a version: the later one is shown, the other is one step of undo away."""
    first = workspaces.new(version(0))
    second = reopened(first)
    first = changed(first, 1)
    assert second.outdated and not first.outdated
    second = changed(second, 2)
    assert first.outdated
    assert reopened(first).version == version(2)
    assert workspaces.step(second, -1).version == version(1)


def test_writers_at_the_same_time_wait_for_each_other() -> None:
    """Four threads with ten changes each: all forty are there, each once."""
    kept = workspaces.new(version(0))
    faults: list[BaseException] = []

    def write(start: int) -> None:
        try:
            for number in range(start, start + 10):
                changed(kept, number)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(100 * n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    found = reopened(kept)
    seeds = set()
    for _ in range(41):
        seeds.add(found.version.recipe)
        found = workspaces.step(found, -1)
    assert len(seeds) == 41


def test_a_deleted_workspace_is_not_written_again() -> None:
    """Another tab that still shows it is told; nothing is left of the folder."""
    kept = workspaces.new(version(0))
    other = reopened(kept)
    workspaces.forget(kept)
    assert other.outdated
    with pytest.raises(BuildFolderError, match="was deleted"):
        changed(other, 1)
    assert not kept.path.exists()
    assert workspaces.recent() == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept stays as it was; a new workspace leaves no empty folder."""
    kept = workspaces.new(version(0))

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(workspaces, "write_whole", full)
        for write in (lambda: changed(kept, 1), lambda: workspaces.new(version(1))):
            with pytest.raises(BuildFolderError, match="No space left on device"):
                write()
    assert reopened(kept) == kept
    assert len(workspaces.recent()) == 1


def test_names_are_given_and_taken_back() -> None:
    """A workspace is called as its data until its visitor says otherwise; undo leaves the name."""
    kept = changed(workspaces.new(version(0)), 1)
    assert kept.title == "Demo 1"
    kept = workspaces.rename(kept, "  Countdown,\n for alice " + "x" * 200)
    assert kept.title.startswith("Countdown, for alice x") and len(kept.title) == workspaces.LONGEST_NAME
    assert workspaces.step(kept, -1).name == kept.name
    assert workspaces.rename(reopened(kept), "").title == "Demo 0"


def test_each_visitor_has_their_own_list() -> None:
    """The latest first; nobody's workspace stands in another's list."""
    mine = [workspaces.new(version(n), "me") for n in range(3)]
    workspaces.new(version(9), "other")
    for n, one in enumerate(mine):
        os.utime(one.path / "now.json", (1_000_000 + n, 1_000_000 + n))
    assert [one.id for one in workspaces.recent("me")] == [one.id for one in reversed(mine)]
    assert len(workspaces.recent("me", most=2)) == 2


def test_a_workspace_that_nobody_opens_expires() -> None:
    """Older than its days, it goes with all its files; one that was written to stays."""
    old, new = workspaces.new(version(0)), workspaces.new(version(1))
    os.utime(old.path, (1_000_000, 1_000_000))
    forget_old(workspaces.KIND, days=1)
    assert list(place(workspaces.KIND).iterdir()) == [new.path]


def test_the_files_can_be_read_by_a_person() -> None:
    """JSON and, in it, the recipe as TOML: what is kept isn't locked in."""
    kept = workspaces.new(version(5))
    tree = json.loads((kept.path / "000001.json").read_text(encoding="utf-8"))
    assert tree["recipe"] == version(5).recipe
