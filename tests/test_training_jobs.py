"""`train --on hf-jobs`: the requests of the real client, the log, and a job whose time was over."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.pipeline import build
from skill_factory.cli.train_jobs import train_on_jobs
from skill_factory.errors import HubError, TrainingError
from skill_factory.hub.errors import SignInNeeded
from skill_factory.recipe.model import Recipe
from skill_factory.training import Place, Plan, Prepared, prepare
from skill_factory.training.facts import ModelFacts
from skill_factory.training.jobs import cancel, choose_machine, follow, running_job, start_job
from tests import command
from tests.command import ROOT
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:.*experimental")

SMALL = ModelFacts(500_000_000, layers=24, width=896, vocabulary=151_000, tied=True)
START = {"event": "start", "step": 0, "steps": 10, "parameters": 5, "trained": 5, "device": "T4"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small build of the demo."""
    path = tmp_path_factory.mktemp("jobs") / "build"
    build("demo:12", path, Recipe())
    return path


def made(built: Path, out: Path, **more: Any) -> Prepared:
    """A training that is ready to be sent."""
    return prepare(
        Plan(str(built), "alice/Tiny-0.5B", place=Place.JOBS, to="alice/skilled", out=str(out), **more)
    )


def log(*events: dict[str, Any]) -> list[str]:
    """The lines of a job's log: ours among those of the libraries."""
    return ["Installed 60 packages", *(json.dumps(event) for event in events), "{'loss': 3}"]


def sent(hub: Hub) -> list[dict[str, Any]]:
    """What the client asked to be run."""
    return [json.loads(record.body) for record in hub.requests if record.route == "job_run"]


def test_a_job_gets_script_data_and_a_time_out_that_fits(hub: Hub, built: Path, tmp_path: Path) -> None:
    """The token is a secret and stands nowhere else; the script ends by itself before the time-out."""
    token, training = hub.token("alice"), made(built, tmp_path / "out")
    takes = choose_machine(training, SMALL, token, hub.url)
    job = start_job(training, takes, token, hub.url)
    (wanted,) = sent(hub)
    data = [f"/data/{path.name}" for path in training.data]
    assert wanted["command"] == [
        *("uv", "run", "--python", "3.11", "/data/train_sft.py", "/data/training.json"),
        *data,
    ]
    assert (wanted["flavor"], wanted["timeoutSeconds"]) == ("t4-small", 60 * takes.minutes)
    assert wanted["secrets"] == {"HF_TOKEN": token} and takes.minutes >= 30
    assert token not in json.dumps({key: value for key, value in wanted.items() if key != "secrets"})
    assert token not in repr(job) and token not in (tmp_path / "out" / "job.json").read_text(encoding="utf-8")
    settings = json.loads((tmp_path / "out" / "training.json").read_text(encoding="utf-8"))
    assert settings["deadline_minutes"] == takes.minutes - 5 and settings["push_checkpoints"]
    assert token not in json.dumps(settings)


def test_a_logger_s_key_is_a_secret_too(
    hub: Hub, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name; without it nothing is started."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    training = made(built, tmp_path / "out", report_to="wandb", minutes=40)
    takes = choose_machine(training, SMALL, hub.token("alice"), hub.url)
    with pytest.raises(TrainingError, match="needs its key in WANDB_API_KEY"):
        start_job(training, takes, hub.token("alice"), hub.url)
    monkeypatch.setenv("WANDB_API_KEY", "w-secret")
    start_job(training, takes, hub.token("alice"), hub.url)
    (wanted,) = sent(hub)
    assert wanted["secrets"]["WANDB_API_KEY"] == "w-secret" and json.dumps(wanted).count("w-secret") == 1
    assert wanted["timeoutSeconds"] == 2_400


def test_the_machine_is_the_cheapest_that_fits(hub: Hub, built: Path, tmp_path: Path) -> None:
    """Its price is that of the Hub at this moment; one that is too small, or unknown, is told so."""
    training, token = made(built, tmp_path / "out"), hub.token("alice")
    takes = choose_machine(training, SMALL, token, hub.url)
    assert takes.machine.name == "t4-small" and takes.machine.dollars_per_hour == pytest.approx(0.4, rel=0.01)
    assert takes.fits and takes.seconds
    large = ModelFacts(7_000_000_000, 28, 3584, 152_000)
    with pytest.raises(TrainingError, match="None of the Hub's machines"):
        choose_machine(training, large, token, hub.url)
    with pytest.raises(TrainingError, match=r"no machine 'h900' with one accelerator. Found: t4-small"):
        choose_machine(made(built, tmp_path / "b", flavor="h900"), SMALL, token, hub.url)
    with pytest.raises(SignInNeeded):
        start_job(training, takes, None, hub.url)


def test_the_log_is_followed_and_kept(hub: Hub, built: Path, tmp_path: Path) -> None:
    """Events come as from a script on this computer, and stand in the folder; a running job is found again."""
    training, token = made(built, tmp_path / "out"), hub.token("alice")
    job = start_job(training, choose_machine(training, SMALL, token, hub.url), token, hub.url)
    found = running_job(training, token, hub.url)
    assert found is not None and found.id == job.id
    hub.job_logs = log(
        START, {"event": "step", "step": 10, "loss": 0.5}, {"event": "end", "how": "trained", "step": 10}
    )
    heard: list[str] = []
    ended = follow(job, training, lambda event: heard.append(event["event"]))
    assert (ended.how, ended.stage, heard) == ("trained", "COMPLETED", ["start", "step", "end"])
    assert ended.seen.curve == {10: 0.5} and running_job(training, token, hub.url) is None


def test_a_job_is_cancelled(hub: Hub, built: Path, tmp_path: Path) -> None:
    """So that it stops costing money."""
    training, token = made(built, tmp_path / "out"), hub.token("alice")
    job = start_job(training, choose_machine(training, SMALL, token, hub.url), token, hub.url)
    cancel(job)
    assert (
        hub.jobs[job.id]["status"] == {"stage": "CANCELED"} and running_job(training, token, hub.url) is None
    )


def test_a_job_whose_time_is_over_is_resumed_by_the_same_command(
    hub: Hub, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The price is said first; the second job gets the same script and settings and takes over from the checkpoint."""

    def run(**more: bool) -> tuple[int, str, str]:
        training = made(built, tmp_path / "out")
        code = train_on_jobs(training, hub.token("alice"), endpoint=hub.url, **more)
        return code, *capsys.readouterr()

    with pytest.raises(HubError, match="--yes"):
        run()
    assert "billed to your account by the minute" in capsys.readouterr().err and not hub.jobs
    hub.job_logs = log(START, {"event": "step", "step": 4, "loss": 2.0}, {"event": "saved", "step": 4})
    hub.job_end = {"stage": "ERROR", "message": "Job timeout"}
    code, _, said = run(yes=True)
    assert code == 75 and "at step 4 of 10. The checkpoint of step 4 is in the repository" in said
    end = {"event": "end", "how": "trained", "step": 10}
    hub.job_logs = log(START | {"step": 4}, {"event": "step", "step": 10, "loss": 0.5}, end)
    hub.job_end = {"stage": "COMPLETED"}
    code, out, said = run(yes=True, json_only=True)
    told = json.loads(out)
    assert code == 0 and "resumed after step 4" in said and told["url"] == f"{hub.url}/alice/skilled"
    assert (told["step"], told["ending"]) == (10, "trained")
    first, second = sent(hub)
    assert first["command"] == second["command"] and first["flavor"] == second["flavor"] == "t4-small"
    code, _, said = run(yes=True)
    assert code == 0 and "trained already" in said and len(hub.jobs) == 2


def test_the_command_starts_a_job_and_says_how_it_ended(hub: Hub, built: Path, tmp_path: Path) -> None:
    """Its stage, its message and where its log is; exit code 2."""
    hub.job_logs, hub.job_end = ["boom"], {"stage": "ERROR", "message": "exit code 1"}
    words = (
        "train",
        built,
        "--model",
        "alice/Tiny-0.5B",
        "--on",
        "hf-jobs",
        "--to",
        "alice/skilled",
        "--yes",
    )
    done = subprocess.run(
        [sys.executable, "-m", "skill_factory", *map(str, words), "--out", str(tmp_path / "out")],
        env=hub.env("alice"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        done.returncode == 2 and "ended as ERROR: exit code 1. It had saved no checkpoint yet." in done.stderr
    )


@pytest.mark.long
def test_an_estimate_asks_the_hub_once(built: Path, hub: Hub, tmp_path: Path) -> None:
    """As sentences and as JSON it is the same estimate; a model that the Hub doesn't have is told by its name's size."""
    words = ("train", built, "--model", "user/Tiny-500M", "--out", tmp_path / "out", "--estimate", "--json")
    done = command.run(*words, **hub.env() | {"HF_HUB_OFFLINE": "0"})
    assert done.exit == 0 and json.loads(done.out)["estimate"]["memory"] > 1e9
    assert [one.path for one in hub.requests if "Tiny-500M" in one.path] == ["/api/models/user/Tiny-500M"]
