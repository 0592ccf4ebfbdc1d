"""Where the app keeps its work: a folder that can be chosen, names that can't be guessed, nothing kept for ever."""

import os
import stat
from pathlib import Path

import pytest

from skill_factory.hosting import hosted
from skill_factory.work.home import forget_old, home, new_place, place


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "work"))
    return tmp_path / "work"


def test_the_folder_is_the_chosen_one_and_its_owners_alone(folder: Path) -> None:
    """Others on the machine can't read what visitors upload."""
    assert home() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_choice_it_is_the_platforms_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the user's cache folder."""
    monkeypatch.delenv("SKILL_FACTORY_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    assert home() == tmp_path / "cache" / "skill-factory"


def test_new_places_cannot_be_guessed() -> None:
    """Each is new, and its name is long and random."""
    made = {new_place("uploads").name for _ in range(20)}
    assert len(made) == 20
    assert min(map(len, made)) >= 20


def test_old_work_goes_and_new_work_stays() -> None:
    """Files and folders older than so many days are removed, of that kind only."""
    old, new, other = new_place("uploads"), new_place("uploads"), new_place("builds")
    (old / "raw.csv").write_text("x")
    for path in (old, other):
        os.utime(path, (1_000_000, 1_000_000))
    forget_old("uploads", days=1)
    assert sorted(place("uploads").iterdir()) == [new]
    assert other.is_dir()


@pytest.mark.parametrize(
    ("name", "answer"), [("SPACE_ID", True), ("SKILL_FACTORY_HOSTED", True), ("OTHER", False)]
)
def test_a_space_is_hosted(name: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Space, or where it is said so, strangers may be visiting."""
    for known in ("SPACE_ID", "SKILL_FACTORY_HOSTED"):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv(name, "1")
    assert hosted() is answer
