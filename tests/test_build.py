"""A build that is killed, stopped, doubled or out of room: nothing wrong is ever left, and the next run goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skill_factory.build import scatter
from skill_factory.build.pipeline import build
from skill_factory.errors import BuildFolderError, NothingUsable, SkillFactoryError
from skill_factory.recipe.model import Recipe, Source
from skill_factory.sources.files import FileSource
from tests import command, drive, make_raw

OPTIONS = ("--attempts", 3, "--format", "*C_full", "--format", "*C*IC", "--repeats", 3)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw data that make some fifty small partitions."""
    rows = make_raw.make_rows(300, responses=6, reflections=3, seed=1)
    return make_raw.write_parquet(rows, tmp_path_factory.mktemp("raw") / "raw.parquet")


@pytest.fixture(scope="module")
def whole(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The bytes of an undisturbed build."""
    out = tmp_path_factory.mktemp("whole") / "out"
    done = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    assert done.exit == 0, done.err
    assert not (out / ".work").exists()
    return command.digest(out)


def identity(path: Path) -> tuple[int, int]:
    """What tells a file from a rewritten one."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text(encoding="ascii").split()]


def gone(pids: list[int], seconds: float = 10.0) -> bool:
    """Whether all of them end in time."""
    end = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


# ------------------------------------------------------------------------------------- killed and stopped


@pytest.mark.parametrize("after", [1, 15])
def test_a_killed_build_goes_on_and_ends_in_the_same_bytes(
    after: int, raw: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    """kill -9 after k of P partitions: workers die, the k files stay as they are, the end is that of no disturbance."""
    out = tmp_path / "out"
    process = drive.start("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    drive.wait_for(out, after, process)
    workers = children(process.pid)
    process.kill()
    process.communicate()
    assert len(workers) >= 2
    assert gone(workers), "workers outlive their killed parent"
    kept = {identity(path) for path in drive.finished(out) if path.exists()}
    assert len(kept) >= after
    assert not (out / "report.json").exists()

    done = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    assert done.exit == 0, done.err
    assert f"resumed: {len(kept)} partition" in done.out
    assert kept <= {identity(path) for path in command.shards(out)}
    assert command.digest(out) == whole
    assert not (out / ".work").exists()


def test_work_files_of_another_version_are_made_anew(
    raw: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    """A build stopped by a version that cut or noted its work otherwise starts again, and ends in the same bytes."""
    out = tmp_path / "out"
    process = drive.start("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    drive.wait_for(out, 2, process)
    process.kill()
    process.communicate()
    (out / ".work" / "layout").unlink()
    done = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    assert done.exit == 0, done.err
    assert "resumed:" not in done.out
    assert command.digest(out) == whole


@pytest.mark.parametrize("after", [0, 2])
def test_ctrl_c_ends_with_130_and_can_go_on(
    after: int, raw: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    """Ctrl-C goes to the whole terminal group, as a shell sends it: one sentence, no traceback, no worker left."""
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, *drive.words("build", raw, "--out", out, *OPTIONS, "--workers", 2)],
        cwd=command.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    drive.wait_for(out, after, process)
    while len(workers := children(process.pid)) < 2:  # with none finished: while the workers still start
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)
    assert process.returncode == 130
    told = [line for line in said[1].splitlines() if not line.startswith(("reading", "building"))]
    assert said[0] == ""
    assert told == ["Stopped. What is finished is kept; run the same command again to resume."]
    assert gone(workers)
    done = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", 1)
    assert ("resumed:" in done.out) == (after > 0)
    assert command.digest(out) == whole


def test_a_folder_takes_one_build_at_a_time(raw: Path, whole: dict[str, str], tmp_path: Path) -> None:
    """While a build runs, another in its folder is refused, whatever its recipe, and the first is not disturbed."""
    out = tmp_path / "out"
    process = drive.start("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    drive.wait_for(out, 1, process)
    pids = [process.pid, *children(process.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for options in (OPTIONS, ("--attempts", 2), ("--attempts", 2, "--fresh")):
        with pytest.raises(BuildFolderError, match="Another build is running"):
            asked = Recipe().changed({"traces.attempts": 3 if options is OPTIONS else 2})
            build(str(raw), out, asked, fresh="--fresh" in options)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert command.digest(out) == whole


# ------------------------------------------------------------------------ killed at any moment, in one process


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Raw data of three partitions."""
    monkeypatch.setattr(scatter, "PARTITION_BYTES", 3500)
    return make_raw.write_parquet(make_raw.make_rows(12, responses=5, seed=2), tmp_path / "small.parquet")


ONE = Recipe().changed({"traces.attempts": 2})
TWO = Recipe().changed({"traces.attempts": 2, "traces.seed": 5})


def killed_at(moment: int, out: Path, work: Callable[[], Any]) -> bool:
    """Do some work in a forked process that dies at its n-th change of a file; whether it did die."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    left = moment

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir") or writes:
            left -= str(out) in str(arguments[0])
            if left == 0:
                os._exit(9)

    sys.addaudithook(watch)
    try:
        work()
    finally:
        os._exit(0)


def bytes_of(recipe: Recipe, small: Path, folder: Path) -> dict[str, str]:
    """The bytes of a build that nobody disturbed."""
    build(str(small), folder, recipe, workers=1)
    return command.digest(folder)


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), 4])
def test_killed_at_any_change_of_a_file_a_build_can_go_on(small: Path, tmp_path: Path, every: int) -> None:
    """Wherever it died, the same command ends in the same bytes and leaves no work file."""
    right = bytes_of(ONE, small, tmp_path / "right")
    moment, died = 1, True
    while died:
        out = tmp_path / f"out{moment}"
        died = killed_at(moment, out, lambda out=out: build(str(small), out, ONE, workers=1))
        build(str(small), out, ONE, workers=1)
        assert command.digest(out) == right, f"killed at change {moment}"
        moment += every
    assert moment > 15


@pytest.mark.long
def test_killed_at_any_change_of_a_file_a_replacement_mixes_nothing(small: Path, tmp_path: Path) -> None:
    """`--fresh` that dies anywhere leaves a folder that is still a build's: refused without, right with `--fresh`."""
    right = {
        recipe.traces.seed: bytes_of(recipe, small, tmp_path / f"right{recipe.traces.seed}")
        for recipe in (ONE, TWO)
    }
    moment, died = 1, True
    while died:
        out = tmp_path / f"out{moment}"
        build(str(small), out, ONE, workers=1)
        died = killed_at(moment, out, lambda out=out: build(str(small), out, TWO, workers=1, fresh=True))
        try:
            build(str(small), out, TWO, workers=1)
        except BuildFolderError as error:
            assert "traces.seed" in str(error)
            build(str(small), out, TWO, workers=1, fresh=True)
        assert command.digest(out) == right[5], f"killed at change {moment}"
        moment += 1
    assert moment > 20


# ------------------------------------------------------------------------------------ whose folder it is


@pytest.fixture
def done(small: Path, tmp_path: Path) -> Path:
    """A finished build."""
    build(str(small), tmp_path / "done", ONE, workers=1)
    return tmp_path / "done"


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """All that lies in a folder, and whether it was touched."""
    return {str(path.relative_to(folder)): identity(path) for path in sorted(folder.rglob("*"))}


def test_a_finished_build_is_left_as_it_is(small: Path, done: Path) -> None:
    """The same command again says so, does nothing, and ends well."""
    before = everything(done)
    run = command.run("build", small, "--out", done, "--attempts", 2, *command.EVERY_TRACE)
    assert run.exit == 0
    assert "already" in run.out
    assert everything(done) == before


def test_another_recipe_is_refused_with_what_differs(small: Path, done: Path) -> None:
    """The fields that differ are named with both values; the folder is not touched."""
    before = everything(done)
    with pytest.raises(BuildFolderError, match=r"traces\.seed: 0 there, 5 now.*--fresh"):
        build(str(small), done, TWO, workers=1)
    assert everything(done) == before


def test_fresh_removes_only_what_a_build_wrote(small: Path, done: Path) -> None:
    """Files that a person put into the folder stay, in the folder of shards too."""
    mine = [done / "notes.txt", done / "sft_train" / "mine.parquet", done / "sub" / "README.md"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine", encoding="utf-8")
    before = [identity(path) for path in mine]
    build(str(small), done, TWO, workers=1, fresh=True)
    assert [identity(path) for path in mine] == before
    assert command.report(done)["fingerprint"] != ONE.fingerprint()


FOREIGN = (
    "notes.txt",
    "README.md",
    "recipe.toml",
    "report.json",
    "sft_train/train-00000-of-00001.parquet",
    ".work/notes.txt",
)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_folder_that_no_build_made_is_refused(name: str, fresh: bool, small: Path, tmp_path: Path) -> None:
    """Anything in it makes it somebody's; with `--fresh` too. Nothing is touched and nothing is left there."""
    path = tmp_path / "foreign" / name
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    before = everything(tmp_path / "foreign")
    with pytest.raises(BuildFolderError, match="made by a build"):
        build(str(small), tmp_path / "foreign", ONE, workers=1, fresh=fresh)
    assert everything(tmp_path / "foreign") == before


def test_a_file_is_no_folder(small: Path, tmp_path: Path) -> None:
    """`--out` that is a file, or lies below one, is refused."""
    for out in (small, small / "below"):
        with pytest.raises(BuildFolderError, match=str(small.name)):
            build(str(small), out, ONE)


def test_a_changed_source_is_refused_when_a_build_goes_on(small: Path, tmp_path: Path) -> None:
    """Between stop and start the file became another: the digest says so; finished partitions are not thrown away."""
    out = tmp_path / "out"
    moment = 1
    while not list(out.glob(".work/part-*.json")):
        killed_at(moment, out, lambda: build(str(small), out, ONE, workers=1))
        moment += 1
    before = everything(out)
    make_raw.write_parquet(make_raw.make_rows(12, responses=5, seed=7), small)
    with pytest.raises(BuildFolderError, match=r"source\.digest: .* there, .* now"):
        build(str(small), out, ONE, workers=1)
    assert everything(out) == before


def test_a_build_stopped_while_it_reads_keeps_nothing_of_its_data(small: Path, tmp_path: Path) -> None:
    """The digest was not known yet, and other data may lie there when it goes on: it is their build, whole."""
    out, moment = tmp_path / "out", 0
    while not list(out.glob(".work/scattered/*.arrow")):
        moment += 1
        out = tmp_path / f"out{moment}"
        killed_at(moment, out, lambda out=out: build(str(small), out, ONE, workers=1))
    assert not (out / ".work" / "scattered.json").exists()
    make_raw.write_parquet(make_raw.make_rows(12, responses=5, seed=7), small)
    build(str(small), out, ONE, workers=1)
    assert command.digest(out) == bytes_of(ONE, small, tmp_path / "right")


@dataclass(frozen=True)
class Slow:
    """A file whose digest takes until all its rows are read, and which notes the order of both."""

    file: FileSource
    noted: list[str] = field(default_factory=list)
    read: threading.Event = field(default_factory=threading.Event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def pieces(self) -> list[Any]:
        self.noted.append("read")
        self.read.set()
        return self.file.pieces()

    def pinned(self) -> Source:
        assert self.read.wait(20), "rows wait for the digest"
        self.noted.append("digest")
        return self.file.pinned()


def test_rows_are_read_while_the_digest_is_made(small: Path, tmp_path: Path) -> None:
    """A new build waits for the digest only when its rows are read; the recipe at its end has it all the same."""
    source = Slow(FileSource.open(str(small)))
    made = build(source, tmp_path / "out", ONE, workers=1)
    assert source.noted == ["read", "digest"]
    assert made.recipe.source.digest == FileSource.open(str(small)).pinned().digest
    assert command.digest(tmp_path / "out") == bytes_of(ONE, small, tmp_path / "right")


def test_a_folder_that_holds_a_build_waits_for_the_digest(small: Path, done: Path) -> None:
    """Whether it is this build is told by the digest, before anything is read."""
    source = Slow(FileSource.open(str(small)))
    source.read.set()
    assert build(source, done, ONE, workers=1).already
    assert source.noted == ["digest"]


# --------------------------------------------------------------------------------------- nothing left


@pytest.mark.parametrize("existing", [False, True])
def test_a_build_that_comes_to_nothing_leaves_nothing(existing: bool, small: Path, tmp_path: Path) -> None:
    """No usable question: the folder is as it was before, there or not."""
    out = tmp_path / "a" / "out"
    if existing:
        out.mkdir(parents=True)
    with pytest.raises(NothingUsable):
        build(str(small), out, Recipe().changed({"traces.attempts": 9}), workers=1)
    assert out.exists() == existing
    assert not existing or not list(out.iterdir())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"traces.attempts": 2, "cutoff.tokens": 3, "cutoff.action": "drop"},
            "longer than the trainer's cut-off",
        ),
        ({"traces.attempts": 2, "balance.min_wrong": 2}, "fewer wrong attempts"),
        ({"traces.attempts": 2, "balance.label_limits": {"1C": 0, "2C": 0}}, "label has reached its limit"),
        ({"traces.attempts": 9}, "Use --attempts"),
        ({"traces.attempts": 2, "filters.variants": ["none such"]}, "prompt variant isn't one of the chosen"),
        ({"filters.ban": ["t", "Correct", "Incorrect"], "filters.ban_substrings": True}, "banned word"),
    ],
)
def test_nothing_usable_says_where_the_data_went(
    changes: dict[str, Any], said: str, small: Path, tmp_path: Path
) -> None:
    """The ledger in words; a smaller N only where one would help."""
    with pytest.raises(NothingUsable) as error:
        build(str(small), tmp_path / "out", Recipe().changed(changes), workers=1)
    assert said in str(error.value)
    assert ("Use --attempts" in str(error.value)) == (said == "Use --attempts")


def test_an_error_in_the_middle_leaves_the_old_build_alone(done: Path, tmp_path: Path) -> None:
    """A source that can't be read is found before anything of the finished build is removed."""
    before = everything(done)
    for source in ("no/such.parquet", "demo:0"):
        with pytest.raises(SkillFactoryError):
            build(source, done, TWO, fresh=True)
    assert everything(done) == before


# ------------------------------------------------------------------------------------ a full disk


@pytest.fixture
def little_room(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk of a given size; its mount can be asked for another size."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True
        ).returncode
    ):
        pytest.skip("mounting a small disk takes root")

    def sized(size: str) -> Path:
        subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
        return disk

    yield sized
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(("size", "workers"), [("40k", 2), ("450k", 2), ("500k", 2), ("500k", 1)])
def test_a_full_disk_is_a_sentence_and_the_build_goes_on(
    size: str, workers: int, raw: Path, whole: dict[str, str], little_room: Callable[[str], Path]
) -> None:
    """Wherever the room ends, in the scan or among the partitions: exit 2, one sentence, and later the same bytes."""
    out = little_room(size) / "out"
    run = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", workers)
    assert (run.exit, run.out) == (2, "")
    assert run.err.strip().splitlines()[-1].startswith(f"The disk with {out} is full.")
    assert "Traceback" not in run.err
    little_room("20m")
    again = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", workers)
    assert again.exit == 0, again.err
    assert command.digest(out) == whole


def test_a_build_needs_little_more_room_than_its_text(
    raw: Path, whole: dict[str, str], little_room: Callable[[str], Path], tmp_path: Path
) -> None:
    """Sorted rows go as the partitions of their stretch are built: text and shards never lie there together."""
    table = pq.read_table(raw)
    out = little_room("600k") / "out"
    run = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", 2)
    assert run.exit == 0, run.err
    assert command.digest(out) == whole
    shards = sum(path.stat().st_size for path in command.shards(out))
    assert table.nbytes + shards > 600 * 1024


# --------------------------------------------------------------------------------- folders of others

AS_NOBODY = """
import os, sys
from skill_factory.cli.main import main
assert main(["build", sys.argv[1], "--out", sys.argv[2] + "/first", "--attempts", "2"]) == 0
if os.geteuid() == 0:
    os.seteuid(65534)
sys.exit(main(["build", sys.argv[1], "--out", sys.argv[3], "--attempts", "2", *sys.argv[4:]]))
"""


@pytest.mark.parametrize(("mode", "below"), [(0o555, ""), (0o555, "new"), (0o000, "new"), (0o000, "")])
def test_a_folder_that_may_not_be_written_is_refused(
    mode: int, below: str, small: Path, tmp_path: Path
) -> None:
    """Exit 2 and one sentence; nothing is left behind."""
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(mode)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
        if parent.name.startswith("pytest-of"):
            break
    run = command.python("-c", AS_NOBODY, small, tmp_path, locked / below if below else locked)
    locked.chmod(0o755)
    assert run.exit == 2, run.err
    assert len(run.err.strip().splitlines()) == 1
    assert run.err.startswith(f"Can't write to {locked}")
    assert list(locked.iterdir()) == []
