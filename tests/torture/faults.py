"""Accidents: killed builds, pushes and servers, a full disk, folders that may not be written, clocks that go back."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from skill_factory.sources.demo.rows import write_demo
from tests.command import ROOT, digest
from tests.hub import Hub
from tests.torture.score import Score
from tests.torture.server import Server
from tests.torture.visitors import Visitor

ENV = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
OPTIONS = ("--attempts", "3", "--workers", "2")


def words(*more: object) -> list[str]:
    """The command, as a list for a process."""
    return [sys.executable, "-m", "skill_factory", *map(str, more)]


def started(*more: object, env: dict[str, str] = ENV, cwd: Path = ROOT) -> subprocess.Popen[bytes]:
    """The command in a process of its own, its output let go."""
    return subprocess.Popen(
        words(*more), env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of standard error."""
    return (done.stderr.strip().splitlines() or [""])[-1]


def refused(done: subprocess.CompletedProcess[str], words: str) -> str:
    """What is wrong with a refusal; empty where it is exit 2 and one sentence with these words in it."""
    if done.returncode != 2 or "Traceback" in done.stderr or words not in said(done):
        return f"exit {done.returncode}: {done.stderr[-300:]}"
    return ""


def finished(*more: object, env: dict[str, str] = ENV) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        words(*more), env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


class World:
    """A source of several partitions, and what an undisturbed build of it gives."""

    def __init__(self, folder: Path, questions: int) -> None:
        self.folder = folder
        self.source = folder / "raw.parquet"
        write_demo(self.source, questions, 0)
        began = time.monotonic()
        finished("build", self.source, "--out", folder / "whole", *OPTIONS)
        self.seconds = time.monotonic() - began
        self.whole = digest(folder / "whole")

    def differs(self, out: Path) -> str:
        """What is wrong with a build that was disturbed."""
        return "" if digest(out) == self.whole else "other bytes than undisturbed"


def builds_killed(world: World, rng: random.Random, times: int) -> Score:
    """`kill -9` at random moments, of the whole command, then the same command again."""
    score = Score(
        "kill -9 of a build", "the same command goes on, and ends in the bytes of an undisturbed build"
    )
    for number in range(times):
        out = world.folder / "killed"
        shutil.rmtree(out, ignore_errors=True)
        for _ in range(rng.choice((1, 1, 2))):
            build = started("build", world.source, "--out", out, *OPTIONS)
            time.sleep(rng.uniform(0.05, 1.05) * world.seconds)
            build.kill()
            build.wait()
        done = finished("build", world.source, "--out", out, *OPTIONS)
        if done.returncode == 2 and "Another build is working" in said(done):
            time.sleep(1.5)  # the killed command's workers notice within a second
            done = finished("build", world.source, "--out", out, *OPTIONS)
        score.note(f"kill {number}", world.differs(out) if done.returncode == 0 else done.stderr[-300:])
    return score


def pushes_killed(world: World, rng: random.Random, times: int) -> Score:
    """`kill -9` at random moments of a push, then the same command again."""
    score = Score(
        "kill -9 of a push", "no half data set is ever seen; the same command ends in one commit of it all"
    )
    with Hub(world.folder / "hub") as hub:
        env = hub.env("alice")
        began = time.monotonic()
        finished("push", world.folder / "whole", "alice/whole", env={**env, "PYTHONPATH": str(ROOT)})
        seconds = time.monotonic() - began
        whole = hub.files("alice/whole")
        for number in range(times):
            name = f"alice/killed-{number}"
            push = started("push", world.folder / "whole", name, env={**env, "PYTHONPATH": str(ROOT)})
            time.sleep(rng.uniform(0.2, 1.0) * seconds)
            push.kill()
            push.wait()
            there = hub.files(name) if ("dataset", name) in hub.repos else []
            wrong = "" if there in ([], [".gitattributes"], whole) else f"half of it is there: {there}"
            done = finished("push", world.folder / "whole", name, env={**env, "PYTHONPATH": str(ROOT)})
            if not wrong and (done.returncode or hub.files(name) != whole):
                wrong = f"exit {done.returncode}: {done.stderr[-300:]}"
            same = wrong or all(
                _same(hub, name, path, world) for path in whole if path.startswith("sft_train/")
            )
            score.note(f"push {number}", wrong or ("" if same is True else "other bytes on the Hub"))
    return score


def _same(hub: Hub, name: str, path: str, world: World) -> bool:
    return hub.read(name, path) == (world.folder / "whole" / path).read_bytes()


def servers_killed(world: World, rng: random.Random, times: int) -> Score:
    """`kill -9` of the app's server while it runs a build; the build's link is opened on the next server."""
    score = Score(
        "kill -9 of the app's server", "the build goes on, and its link leads to it on the next server"
    )
    home = world.folder / "home"
    server = Server(home)
    for number in range(times):
        known = set((home / "builds").iterdir()) if (home / "builds").is_dir() else set()
        server.start()
        with Visitor(server.port) as visitor:
            visitor.choose("text_input", "Or a path on this computer", str(world.source))
            visitor.go("Finish")
            visitor.press("Build")
        (job,) = set((home / "builds").iterdir()) - known
        time.sleep(rng.uniform(0, 1) * world.seconds)
        server.end(signal.SIGKILL)
        server.start()
        try:
            with Visitor(server.port, f"job={job.name}") as visitor:
                visitor.go("Finish")
                ended = visitor.wait("are ready", 120)
                score.note(f"server {number}", "" if ended else visitor.words()[-300:])
            if number == 0:
                first = digest(job / "data")
            elif digest(job / "data") != first:
                score.lost.append(f"server {number}: other bytes")
        finally:
            server.end(signal.SIGTERM)
    return score


# -- one of each ---------------------------------------------------------------------------------------------------


def accidents(world: World) -> Score:
    """Every accident that needs no dice."""
    score = Score(
        "Other accidents",
        "the same bytes as undisturbed, or a refusal in one sentence; nothing lost or twice",
    )
    for name, accident in ACCIDENTS.items():
        try:
            wrong = accident(world)
        except Skipped as why:
            score.figures[f"not tried: {name}"] = str(why)
            continue
        score.note(name, wrong)
    return score


class Skipped(Exception):
    """Can't be tried here, and why."""


def disk_full(world: World) -> str:
    """A small tmpfs; made larger, the same command goes on."""
    if os.geteuid():
        raise Skipped("mounting needs root")
    disk = Path(tempfile.mkdtemp(dir=world.folder))
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={world.source.stat().st_size}", "none", str(disk)],
        capture_output=True,
    ).returncode:
        raise Skipped("no tmpfs can be mounted in this container")
    try:
        wrong = refused(finished("build", world.source, "--out", disk / "out", *OPTIONS), "full")
        subprocess.run(["mount", "-o", "remount,size=600m", str(disk)], check=True)
        done = finished("build", world.source, "--out", disk / "out", *OPTIONS)
        return wrong or (world.differs(disk / "out") if done.returncode == 0 else done.stderr[-300:])
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def not_writable(world: World) -> str:
    """Somebody else's folder, as one who has no more rights than an ordinary user."""
    shut = world.folder / "shut"
    shut.mkdir(mode=0o755, exist_ok=True)
    line = words("build", "demo:5", "--out", shut / "out", *OPTIONS)
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            raise Skipped("setpriv is not installed, and root may write everywhere")
        os.chown(shut, 65534, 65534)
        # Root without the right to pass over permissions is an ordinary user here, and can still read this Python.
        line = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner", *line]
    else:
        shut.chmod(0o555)
    done = subprocess.run(line, env=ENV, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    return refused(done, "Can't write")


def clock_back(world: World) -> str:
    """A build killed in its midst goes on a year earlier."""
    if not shutil.which("faketime"):
        raise Skipped("Debian's faketime is not installed")
    out = world.folder / "clock"
    build = started("build", world.source, "--out", out, *OPTIONS)
    time.sleep(world.seconds * 0.6)
    build.kill()
    build.wait()
    time.sleep(1.2)
    line = ["faketime", "-f", "-365d", *words("build", world.source, "--out", out, *OPTIONS)]
    done = subprocess.run(line, env=ENV, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    return world.differs(out) if done.returncode == 0 else done.stderr[-300:]


def two_at_once(world: World) -> str:
    """Two builds into one new folder: one of them ends well, the other is refused or finds it done."""
    return _race(world, world.folder / "two")


def two_resume(world: World) -> str:
    """Two processes go on with one killed build."""
    out = world.folder / "resumed"
    build = started("build", world.source, "--out", out, *OPTIONS)
    time.sleep(world.seconds * 0.7)
    build.kill()
    build.wait()
    time.sleep(1.2)
    return _race(world, out)


def _race(world: World, out: Path) -> str:
    both = [
        subprocess.Popen(
            words("build", world.source, "--out", out, *OPTIONS),
            env=ENV,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    ends = [(one.communicate(timeout=300)[1], one.returncode) for one in both]
    if sorted(code for _, code in ends) not in ([0, 0], [0, 2]):
        return str([(code, err[-200:]) for err, code in ends])
    if any(code == 2 and "Another build is running" not in err for err, code in ends):
        return str([err[-200:] for err, _ in ends])
    return world.differs(out)


def source_changed(world: World) -> str:
    """One row less between stop and resume: refused, saying what differs; with --fresh it is built."""
    changed, out = world.folder / "changed.jsonl", world.folder / "changed"
    from tests.torture.cases import as_jsonl, base

    rows = base(random.Random(7))
    changed.write_bytes(as_jsonl(rows))
    first = finished("build", changed, "--out", out, "--attempts", "1")
    changed.write_bytes(as_jsonl(rows[1:]))
    wrong = refused(finished("build", changed, "--out", out, "--attempts", "1"), "digest")
    fresh = finished("build", changed, "--out", out, "--attempts", "1", "--fresh")
    return (
        wrong or first.stderr[-300:] * bool(first.returncode) or fresh.stderr[-300:] * bool(fresh.returncode)
    )


def changed_while_stopped(world: World) -> str:
    """The same after a kill, when nothing is finished yet."""
    source, out = world.folder / "moving.parquet", world.folder / "moving"
    shutil.copy(world.source, source)
    build = started("build", source, "--out", out, *OPTIONS)
    while not (out / ".work" / "scattered.json").exists() and build.poll() is None:
        time.sleep(0.02)
    build.kill()
    build.wait()
    time.sleep(1.2)
    write_demo(source, 40, 1)
    return refused(finished("build", source, "--out", out, *OPTIONS), "digest")


def full_file_system_of_nothing(world: World) -> str:
    """The output is a device, a file, or below a file."""
    (world.folder / "file").write_text("x", encoding="utf-8")
    for out in ("/dev/null", world.folder / "file", world.folder / "file" / "below", "/proc/none"):
        if wrong := refused(finished("build", "demo:5", "--out", out, *OPTIONS), "."):
            return f"{out}: {wrong}"
    return ""


def interrupted(world: World) -> str:
    """Ctrl-C ends with 130 and a sentence, and the same command goes on."""
    out = world.folder / "interrupted"
    build = subprocess.Popen(
        words("build", world.source, "--out", out, *OPTIONS),
        env=ENV,
        cwd=ROOT,
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    # Not by the clock: on a loaded machine the signal would come before Python is there to take it.
    while not (out / ".work").exists() and build.poll() is None:
        time.sleep(0.01)
    time.sleep(world.seconds * 0.1)
    build.send_signal(signal.SIGINT)
    err = build.communicate(timeout=60)[1]
    if build.returncode not in (0, 130) or "Traceback" in err:
        return f"exit {build.returncode}: {err[-300:]}"
    done = finished("build", world.source, "--out", out, *OPTIONS)
    return world.differs(out) if done.returncode == 0 else done.stderr[-300:]


ACCIDENTS: dict[str, Callable[[World], str]] = {
    "disk full, then larger": disk_full,
    "a folder an ordinary user may not write": not_writable,
    "clock set back by a year": clock_back,
    "two builds into one folder": two_at_once,
    "two processes resume one build": two_resume,
    "source changed after a build": source_changed,
    "source changed while stopped": changed_while_stopped,
    "output that is no folder": full_file_system_of_nothing,
    "Ctrl-C": interrupted,
}


if __name__ == "__main__":
    place = World(Path(tempfile.mkdtemp()), 1500)
    dice = random.Random(0)
    print("undisturbed", place.seconds, len(place.whole))
    tried = [
        accidents(place),
        builds_killed(place, dice, 3),
        pushes_killed(place, dice, 3),
        servers_killed(place, dice, 2),
    ]
    for one in tried:
        print(one.name, one.tried, one.lost, json.dumps(one.figures))
