"""The app as a Space: what is sent, what the Hub reads in front of it, and that nothing of somebody else's is lost."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from skill_factory.errors import HubError
from skill_factory.hub.errors import HubConflict
from skill_factory.hub.front_matter import front_matter
from skill_factory.publish.space import create_space, space_files, space_readme
from tests.hub import Hub
from tests.hub_routes import card_errors

pytest_plugins = ["tests.hub_fixtures"]

ROOT = Path(__file__).parents[1]
SPACE = "alice/studio"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout: the files that matter, a module in a folder, and things that must stay at home."""
    root = tmp_path / "checkout"
    files = (
        "app.py",
        "serve.py",
        "pages/1_Start.py",
        "skill_factory/model.py",
        "requirements.txt",
        "skill_factory/__pycache__/x.pyc",
    )
    for name in (*files, ".env", "tests/test_x.py", ".streamlit/config.toml", ".streamlit/secrets.toml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n", encoding="utf-8")
    (root / "README.md").write_text("# Studio\n", encoding="utf-8")
    shutil.copy(ROOT / "Dockerfile", root / "Dockerfile")
    return root


def make(hub: Hub, root: Path, user: str = "alice", repo: str = SPACE, **how: object) -> object:
    return create_space(repo, root, hub.token(user), endpoint=hub.url, wait=lambda _: None, **how)  # type: ignore[arg-type]


def test_a_space_is_made_private_from_the_checkout_in_one_commit(hub: Hub, checkout: Path) -> None:
    """The app's files and no secret, test or cache; variables that make it a hosted instance."""
    done = create_space(SPACE, checkout, hub.token("alice"), endpoint=hub.url)
    space = hub.repo(SPACE, "space")
    app = {"app.py", "serve.py", "pages/1_Start.py", "skill_factory/model.py", ".streamlit/config.toml"}
    assert set(hub.files(SPACE, kind="space")) == app | {
        ".gitattributes",
        "Dockerfile",
        "README.md",
        "requirements.txt",
    }
    assert (done.created, done.unchanged, space.private, space.sdk) == (True, False, True, "docker")
    assert space.variables["SKILL_FACTORY_HOSTED"] == "1" and hub.count("commit") == 1
    assert done.url == f"{hub.url}/spaces/{SPACE}"


def test_the_front_matter_is_what_the_hub_takes(hub: Hub, checkout: Path) -> None:
    """Written in front of the README's own text; the README of the checkout has none."""
    text = space_readme((checkout / "README.md").read_text())
    assert card_errors(text, "space") == [] and text.endswith("# Studio\n")
    card = front_matter(text)
    assert (card["sdk"], card["app_port"], card["hf_oauth"]) == ("docker", 8501, True)
    make(hub, checkout)
    assert hub.read(SPACE, "README.md", kind="space").decode() == text


def test_bringing_up_to_date_sends_what_differs(hub: Hub, checkout: Path) -> None:
    """A changed module, a deleted page; then nothing, and no commit."""
    make(hub, checkout)
    (checkout / "skill_factory/model.py").write_text("# new\n")
    (checkout / "pages/1_Start.py").unlink()
    hub.seed(SPACE, {"notes.md": b"mine"}, kind="space")
    make(hub, checkout)
    assert hub.read(SPACE, "skill_factory/model.py", kind="space") == b"# new\n"
    assert "pages/1_Start.py" not in hub.files(SPACE, kind="space") and "notes.md" in hub.files(
        SPACE, kind="space"
    )
    before = hub.count("commit")
    done = create_space(SPACE, checkout, hub.token("alice"), endpoint=hub.url)
    assert (done.created, done.unchanged, hub.count("commit")) == (False, True, before)


def test_another_app_is_not_overwritten(hub: Hub, checkout: Path) -> None:
    """A Space that runs something else is left alone."""
    hub.seed(SPACE, {"app.py": b"theirs", "README.md": b"---\nsdk: docker\n---\n"}, kind="space")
    with pytest.raises(HubConflict, match="another app"):
        make(hub, checkout)
    assert hub.read(SPACE, "app.py", kind="space") == b"theirs"


def test_an_account_without_a_plan_is_told_how_to_run_it_at_home(hub: Hub, checkout: Path) -> None:
    """402: what it would cost, and the two ways that cost nothing."""
    with pytest.raises(HubError, match=r"paid plan.*docker run.*streamlit run"):
        make(hub, checkout, user="carol", repo="carol/studio")


def test_a_commit_that_landed_unheard_is_not_made_twice(hub: Hub, checkout: Path) -> None:
    """504 after the commit, then 503 before it: looked at again each time."""
    hub.faults.add("commit", status=504, after_effect=True)
    make(hub, checkout)
    assert hub.count("commit") == 1
    (checkout / "app.py").write_text("# again\n")
    hub.faults.add("commit", status=503)
    make(hub, checkout)
    assert hub.read(SPACE, "app.py", kind="space") == b"# again\n" and hub.count("commit") == 3


def test_a_bucket_is_mounted_for_what_shall_stay(hub: Hub, checkout: Path) -> None:
    """The volume is part of the creation, and the app's home lies on it."""
    make(hub, checkout, bucket="alice/store")
    space = hub.repo(SPACE, "space")
    assert [(v["type"], v["source"], v["mountPath"]) for v in space.volumes] == [
        ("bucket", "alice/store", "/data")
    ]
    assert space.variables["SKILL_FACTORY_HOME"].startswith("/data/")


def test_a_folder_that_is_no_checkout_is_refused(hub: Hub, tmp_path: Path) -> None:
    """Nothing is created from a folder without the app."""
    with pytest.raises(HubError, match=r"it has no app\.py"):
        make(hub, tmp_path)
    assert not hub.requests


def test_the_dockerfile_is_made_for_an_ordinary_user() -> None:
    """User 1000, port 8501, a health check that needs nothing but Python, and a shell that leaves its place to the app."""
    text = (ROOT / "Dockerfile").read_text()
    for piece in (
        "--uid 1000 user",
        "USER 1000",
        "EXPOSE 8501",
        "HEALTHCHECK",
        "_stcore/health",
        "; exec streamlit run serve.py",
    ):
        assert piece in text
    assert text.index("USER 1000") < text.index("pip install")
    assert "curl" not in text


def test_the_dockerfile_has_no_fault_a_linter_knows() -> None:
    """hadolint finds nothing."""
    linter = shutil.which("hadolint") or os.environ.get("HADOLINT")
    if not linter:
        pytest.skip("hadolint is not installed (set HADOLINT to its path)")
    assert subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True).stdout == ""


def test_this_checkout_can_become_a_space() -> None:
    """Once the app is there, every file it needs is among the files sent, and none below tests."""
    if not (ROOT / "app.py").is_file() or not (ROOT / "README.md").is_file():
        pytest.skip("this checkout has no app.py or README.md")
    paths = {file.path for file in space_files(ROOT)}
    assert {"app.py", "Dockerfile", "README.md", "skill_factory/publish/push.py"} <= paths
    assert not [path for path in paths if path.startswith(("tests/", ".git/")) or "secrets" in path]
