"""A report of `measure` is published like a build: one commit, its pictures with it."""

import json
from pathlib import Path

import pytest

from skill_factory.errors import HubError
from skill_factory.publish.plan import Mode, plan_push
from skill_factory.publish.push import push
from tests.build_folders import build_folder
from tests.command import run
from tests.hub import Hub
from tests.planted_outputs import plant

pytest_plugins = ["tests.hub_fixtures"]

REPO = "alice/measured"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report of a run."""
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in plant(20).rows), encoding="utf-8")
    done = run("measure", path, "--out", tmp_path / "report", "--json")
    assert done.exit == 0, done.err
    return tmp_path / "report"


def test_card_report_pictures_and_outputs_are_published(hub: Hub, report: Path) -> None:
    """And pushed again, nothing changes."""
    token = hub.token("alice")
    push(plan_push(report, REPO, Mode.NEW, token, endpoint=hub.url), token)
    there = hub.files(REPO)
    assert {"README.md", "report.json", "outputs.parquet", "charts/verdicts.svg"} <= set(there)
    assert plan_push(report, REPO, Mode.NEW, token, endpoint=hub.url).unchanged


def test_a_build_takes_the_place_of_a_report_and_leaves_none_of_it(
    hub: Hub, report: Path, tmp_path: Path
) -> None:
    """The kinds are told apart: no outputs stay beside traces."""
    token = hub.token("alice")
    push(plan_push(report, REPO, Mode.NEW, token, endpoint=hub.url), token)
    build = build_folder(tmp_path / "build")
    push(plan_push(build, REPO, Mode.REPLACE, token, endpoint=hub.url), token)
    assert "outputs.parquet" not in hub.files(REPO)
    push(plan_push(report, REPO, Mode.REPLACE, token, endpoint=hub.url), token)
    assert not [path for path in hub.files(REPO) if path.startswith("sft_train/")]
    assert "recipe.toml" not in hub.files(REPO)


def test_half_a_report_is_refused(report: Path) -> None:
    """With what it lacks, and what to do."""
    (report / "outputs.parquet").unlink()
    with pytest.raises(HubError, match=r"without outputs\.parquet"):
        plan_push(report, REPO, Mode.NEW, "token")
