"""`push` and `space` from the command line, as a person runs them, against the Hub on loopback."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from skill_factory.hub.client import GIVEN_TOKEN
from tests.build_folders import build_folder
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]

ROOT = Path(__file__).parents[1]
REPO = "alice/traces"


def command(
    hub: Hub, *arguments: object, user: str | None = "alice", typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """`python -m skill_factory …` in a process of its own that knows this Hub only."""
    line = [sys.executable, "-m", "skill_factory", *map(str, arguments)]
    return subprocess.run(
        line, env=hub.env(user), cwd=ROOT, input=typed, capture_output=True, text=True, timeout=120
    )


def test_push_publishes_and_tells_where(hub: Hub, tmp_path: Path) -> None:
    """Progress per file on standard error, the address on standard output, exit code 0; again: unchanged, 0."""
    folder = build_folder(tmp_path / "b")
    done = command(hub, "push", folder, REPO)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Published: {hub.url}/datasets/{REPO} (commit ")
    assert (
        "train-00001-of-00002.parquet" in done.stderr
        and "will be created (private) with 20 rows" in done.stderr
    )
    again = command(hub, "push", folder, REPO, "--json")
    assert (again.returncode, json.loads(again.stdout)["unchanged"], hub.count("commit")) == (0, True, 1)


def test_push_takes_another_card_a_known_state_and_a_file_for_its_progress(hub: Hub, tmp_path: Path) -> None:
    """Nothing but errors on standard error then; a data set that has moved on is left alone."""
    card, progress = tmp_path / "card.md", tmp_path / "progress.json"
    card.write_text("# My own words\n", encoding="utf-8")
    done = command(
        hub, "push", build_folder(tmp_path / "b"), REPO, "--card", card, "--progress", progress, "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(progress.read_text(encoding="utf-8"))
    assert told["done"] == told["total"] > 0
    assert "# My own words" in hub.read(REPO, "README.md").decode()
    first = hub.repo(REPO).head.oid
    second = hub.seed(REPO, {"notes.txt": b"theirs"})
    new = build_folder(tmp_path / "new", salt="n")
    line = ["push", new, REPO, "--mode", "replace", "--yes", "--parent"]
    refused = command(hub, *line, first)
    assert refused.returncode == 2 and "has changed since you looked at it" in refused.stderr
    assert hub.repo(REPO).head.oid == second
    assert command(hub, *line, second).returncode == 0
    missing = command(hub, "push", new, "alice/other", "--card", tmp_path / "none.md")
    assert missing.returncode == 2 and "can't be read" in missing.stderr


def test_push_refuses_with_exit_code_2_and_a_sentence(hub: Hub, tmp_path: Path) -> None:
    """Another data set there, no token, no build: nothing on standard output, no traceback."""
    command(hub, "push", build_folder(tmp_path / "old"), REPO)
    new = build_folder(tmp_path / "new", salt="n")
    refused = [
        command(hub, "push", new, REPO),
        command(hub, "push", new, REPO, "--mode", "replace"),
        command(hub, "push", new, REPO, user=None),
        command(hub, "push", tmp_path, REPO),
    ]
    words = [
        "already holds another dataset",
        "Run again with --yes",
        "Publishing needs an account",
        "neither a finished build",
    ]
    for one, word in zip(refused, words, strict=True):
        assert (
            (one.returncode, one.stdout) == (2, "") and word in one.stderr and "Traceback" not in one.stderr
        )
    assert hub.count("commit") == 1


@pytest.mark.parametrize(("answer", "code", "commits"), [("y\n", 0, 2), ("n\n", 1, 1), ("\n", 1, 1)])
def test_replacing_shows_the_difference_and_asks(
    hub: Hub, tmp_path: Path, answer: str, code: int, commits: int
) -> None:
    """At a terminal: rows, columns and files first, then one question; only a yes replaces."""
    command(hub, "push", build_folder(tmp_path / "old", rows=30), REPO)
    new = build_folder(tmp_path / "new", shards=1, rows=10, extra=("origin",))
    line = [sys.executable, "-m", "skill_factory", "push", str(new), REPO, "--mode", "replace"]
    master, slave = pty.openpty()
    os.write(master, answer.encode())
    done = subprocess.run(
        line,
        env=hub.env("alice"),
        cwd=ROOT,
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(slave)
    os.close(master)
    assert (done.returncode, hub.count("commit")) == (code, commits), done.stderr
    for said in ("has 30 rows now; 10 rows will be put in place", "2 deleted", "New columns: origin"):
        assert said in done.stderr


def test_yes_replaces_without_asking(hub: Hub, tmp_path: Path) -> None:
    """For scripts."""
    command(hub, "push", build_folder(tmp_path / "old", rows=30), REPO, "--public")
    done = command(hub, "push", build_folder(tmp_path / "new", rows=10), REPO, "--mode", "replace", "--yes")
    assert done.returncode == 0 and hub.count("commit") == 2 and not hub.repo(REPO).private


def test_a_pull_request_is_told(hub: Hub, tmp_path: Path) -> None:
    """The address of the proposal."""
    command(hub, "push", build_folder(tmp_path / "old", rows=30), REPO)
    done = command(hub, "push", build_folder(tmp_path / "new", rows=10), REPO, "--mode", "pr")
    assert done.stdout == f"Proposed: {hub.url}/datasets/{REPO}/discussions/1\n"


def test_the_token_is_found_nowhere(hub: Hub, tmp_path: Path) -> None:
    """Not in what the command prints, not in the folder, not on the Hub, not below the client's home."""
    folder, token = build_folder(tmp_path / "b"), hub.token("alice")
    outputs = [command(hub, "push", folder, REPO), command(hub, "push", folder, "bob/traces")]
    assert [one.returncode for one in outputs] == [0, 2]
    assert not [one for one in outputs if token in one.stdout + one.stderr]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "homes" not in path.parts]
    homes = [path for path in (hub.root / "homes").rglob("*") if path.is_file()]
    assert not [path for path in (*files, *homes) if token.encode() in path.read_bytes()]


def test_the_token_is_no_argument_of_a_process(hub: Hub, tmp_path: Path) -> None:
    """While a push is running, no process of this machine shows the token in its arguments."""
    folder, token, seen = build_folder(tmp_path / "b"), hub.token("alice"), list[bytes]()

    def look_around() -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(path.read_bytes())
            except OSError:
                continue

    hub.faults.add("commit", first=look_around)
    assert command(hub, "push", folder, REPO).returncode == 0
    assert any(b"skill_factory" in line for line in seen) and not [
        line for line in seen if token.encode() in line
    ]


def test_a_visitors_push_on_a_hosted_instance(hub: Hub, tmp_path: Path) -> None:
    """The app's child process publishes as the visitor, not as the instance's owner; without a visitor it refuses."""
    folder = build_folder(tmp_path / "b")
    line = [sys.executable, "-m", "skill_factory", "push", str(folder), "bob/traces"]
    hosted = hub.env("alice") | {"SKILL_FACTORY_HOSTED": "1"}
    refused = subprocess.run(line, env=hosted, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "Publishing needs an account" in refused.stderr
    env = hosted | {GIVEN_TOKEN: hub.token("bob")}
    done = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {record.token for record in hub.requests if record.route != "lfs_put"} == {hub.token("bob")}


def test_a_space_without_a_checkout_or_token_is_refused(hub: Hub) -> None:
    """The sentence says what to do; nothing was created."""
    done = command(hub, "space", "alice/studio", user=None)
    assert done.returncode == 2 and "needs an account" in done.stderr and not hub.repos
