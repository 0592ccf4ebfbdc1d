"""What other systems lack: macOS has no `os.sched_getaffinity`, some Pythons no `fcntl`; Windows is said not to be served."""

from pathlib import Path

import pytest

from skill_factory.cli.main import main
from tests import command

LACKING = """
import os, sys
if hasattr(os, "sched_getaffinity"):
    del os.sched_getaffinity
sys.modules["fcntl"] = None  # importing it fails, here and in every child
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The environment of a system that lacks both, for a command and all its children."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(LACKING, encoding="utf-8")
    return {"PYTHONPATH": f"{tmp_path / 'site'}:{command.ROOT}"}


def test_a_build_is_the_same_where_both_are_missing(elsewhere: dict[str, str], tmp_path: Path) -> None:
    """Two workers, locks and all: the same bytes as here."""
    words = ("build", "demo:60", "--out")
    command.build("demo:60", tmp_path / "here", "--workers", 2)
    done = command.run(*words, tmp_path / "there", "--workers", 2, **elsewhere)
    assert done.exit == 0, done.err
    assert command.digest(tmp_path / "there") == command.digest(tmp_path / "here")


def test_a_folder_is_still_held_by_one_build(elsewhere: dict[str, str], tmp_path: Path) -> None:
    """Without the system's own locks a file that names its holder keeps a second build out."""
    code = (
        "import sys; from pathlib import Path; from skill_factory.locks import take, held\n"
        "lock = take(Path(sys.argv[1])); assert lock and held(Path(sys.argv[1])); lock.release()\n"
        "assert not held(Path(sys.argv[1])); print('ok')"
    )
    done = command.python("-c", code, tmp_path / "lock", **elsewhere)
    assert done.out.strip() == "ok", done.err


def test_the_cores_are_counted_without_the_call(elsewhere: dict[str, str]) -> None:
    """The number of cores comes from Python then."""
    code = "from skill_factory.hosting import cores; import os; print(cores() == os.cpu_count())"
    assert command.python("-c", code, **elsewhere).out.strip() == "True"


def test_windows_is_told_where_it_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and exit code 2 instead of a fault in the middle of a build."""
    monkeypatch.setattr("sys.platform", "win32")
    assert main(["build", "demo:20", "--out", "x"]) == 2
    assert "Linux and macOS" in capsys.readouterr().err
