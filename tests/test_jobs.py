"""Building on the Hub's machines: the request that the real client sends, and that it could run."""

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from skill_factory.errors import HubError
from skill_factory.hub.errors import SignInNeeded
from skill_factory.publish.hub_jobs import (
    Machine,
    cost_line,
    follow_log,
    job_source,
    machines_for_rent,
    run_on_jobs,
)
from skill_factory.publish.job_script import commands
from skill_factory.publish.plan import Mode
from skill_factory.publish.wheel import pack_wheel, requirements
from skill_factory.recipe.mixture import Ingredient, Mixture
from skill_factory.recipe.model import Recipe, Source
from tests.hub import Hub, Token

pytest_plugins = ["tests.hub_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:.*experimental")

DEMO = Recipe(source=Source(kind="demo", name="50"))


def test_a_job_gets_recipe_wheel_and_token_and_no_token_in_its_command(hub: Hub) -> None:
    """Both files lie in the job's own folder; the token is a secret of the job and stands nowhere else."""
    token = hub.token("alice")
    job = run_on_jobs(DEMO, "alice/traces", token, mode=Mode.REPLACE, minutes=30, endpoint=hub.url)
    (sent,) = (json.loads(record.body) for record in hub.requests if record.route == "job_run")
    assert sent["command"] == [
        *("uv", "run", "--with", "/data/skill_factory-0.1.0-py3-none-any.whl", "--python", "3.11"),
        *("/data/job_script.py", "/data/recipe.toml", "/data/skill_factory-0.1.0-py3-none-any.whl"),
        *("demo:50", "alice/traces", "replace", "private"),
    ]
    assert (sent["flavor"], sent["timeoutSeconds"], sent["secrets"]) == (
        "cpu-upgrade",
        1800,
        {"HF_TOKEN": token},
    )
    assert token not in json.dumps({key: value for key, value in sent.items() if key != "secrets"})
    (volume,) = sent["volumes"]
    names = {path.split("/")[-1] for path in hub.buckets[volume["source"]]}
    assert names == {"job_script.py", "recipe.toml", "skill_factory-0.1.0-py3-none-any.whl"}
    assert volume["mountPath"] == "/data" and token not in repr(job)


def test_the_log_is_followed_to_its_end(hub: Hub) -> None:
    """Line by line; a job that failed is an error that says where its log is."""
    job = run_on_jobs(DEMO, "alice/traces", hub.token("alice"), endpoint=hub.url)
    hub.job_logs = ["reading", "1,000 traces"]
    assert list(follow_log(job)) == ["reading", "1,000 traces"]
    hub.job_end = {"stage": "ERROR", "message": "Job failed with exit code 2"}
    hub.jobs[job.id]["status"] = {"stage": "RUNNING"}
    with pytest.raises(HubError, match=r"ended as ERROR: Job failed with exit code 2"):
        list(follow_log(job))


def test_a_file_source_stays_at_home(hub: Hub) -> None:
    """The Hub's machine can't read it: refused before anything is sent."""
    with pytest.raises(HubError, match="is a file"):
        run_on_jobs(
            Recipe(source=Source(kind="file", name="raw.parquet")),
            "alice/t",
            hub.token("alice"),
            endpoint=hub.url,
        )
    with pytest.raises(SignInNeeded):
        run_on_jobs(DEMO, "alice/t", None, endpoint=hub.url)
    assert not hub.requests


def test_a_hub_source_is_pinned_to_its_commit(hub: Hub) -> None:
    """The job reads the very data that were looked at."""
    recipe = Recipe(source=Source(kind="hub", name="alice/raw", revision="c" * 40))
    run_on_jobs(recipe, "alice/traces", hub.token("alice"), endpoint=hub.url)
    (sent,) = (json.loads(record.body) for record in hub.requests if record.route == "job_run")
    assert f"alice/raw@{'c' * 40}" in sent["command"]


@pytest.mark.parametrize("given", ["", "demo:9", "alice/raw@main"])
def test_a_source_that_is_given_wins_over_the_recipes(given: str, tmp_path: Path) -> None:
    """What stands on the command line; a path is refused whatever it is called."""
    assert job_source(DEMO, given) == (given or "demo:50")
    for path in (str(tmp_path), "raw.parquet", "./a/b"):
        with pytest.raises(HubError, match="is a file"):
            job_source(DEMO, path)


def test_the_cost_is_said_before_the_job_is_started(hub: Hub) -> None:
    """Without a yes nothing is started; with one, the log comes until the end."""
    code = """
import sys
from skill_factory.cli.hub_jobs import build_on_jobs
from skill_factory.recipe.model import Recipe
from skill_factory.errors import HubError
try:
    sys.exit(build_on_jobs(Recipe(), "alice/traces", source="demo:5", minutes=30, yes="--yes" in sys.argv))
except HubError as error:
    print(error, file=sys.stderr); sys.exit(2)
"""
    env, root = hub.env("alice"), Path(__file__).parents[1]
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, *more],
            env=env,
            cwd=root,
            input="",
            capture_output=True,
            text=True,
            check=False,
        )
        for more in ((), ("--yes",))
    ]
    assert [run.returncode for run in runs] == [2, 0], runs
    assert all("30 minutes come to about $0.015" in run.stderr for run in runs)
    assert "Run again with --yes" in runs[0].stderr and "done" in runs[1].stderr and len(hub.jobs) == 1


def test_a_token_without_the_right_is_told_so(hub: Hub) -> None:
    """403 from the jobs service becomes a sentence."""
    hub.tokens["hf_bob"] = Token("bob", jobs=False)
    with pytest.raises(HubError, match="isn't allowed to do that"):
        run_on_jobs(DEMO, "bob/traces", hub.token("bob"), endpoint=hub.url)


def test_prices_are_the_hubs_own(hub: Hub) -> None:
    """Machines without accelerators, cheapest first; the cost of an hour and of this build."""
    found = machines_for_rent(hub.token("alice"), hub.url)
    assert [machine.name for machine in found] == ["cpu-basic", "cpu-upgrade"]
    assert found[1].dollars_per_hour == pytest.approx(0.03)
    assert "about $0.015" in cost_line(found[1], 30)
    assert "about $4.00" in cost_line(Machine("big", "64 vCPU", "256 GB", 2.0), 120)


def test_the_job_runs_the_same_commands_as_at_home() -> None:
    """Build, then push; a public data set only when that was asked for."""
    build, push = commands("r.toml", "demo:5", "alice/t", "new", "private")
    assert build[1:] == ["-m", "skill_factory", "build", "demo:5", "--recipe", "r.toml", "--out", "build"]
    assert push[1:] == ["-m", "skill_factory", "push", "build", "alice/t", "--mode", "new", "--yes"]
    assert commands("r.toml", "demo", "alice/t", "pr", "public")[1][-1] == "--public"


def test_a_job_builds_a_mixture_whose_sources_it_can_read(hub: Hub) -> None:
    """Each source by its name and place, on the Hub or the demo; a file is named in the refusal."""
    mixture = Mixture(
        sources=(
            Ingredient(name="puzzles", count=5, recipe=DEMO),
            Ingredient(name="the others", count=5, recipe=Recipe()),
        )
    )
    run_on_jobs(mixture, "alice/t", hub.token("alice"), places={"the others": "alice/raw"}, endpoint=hub.url)
    (sent,) = (json.loads(record.body) for record in hub.requests if record.route == "job_run")
    assert sent["command"][-2:] == ["--from=puzzles=demo:50", "--from=the others=alice/raw"]
    build, _ = commands("r.toml", "-", "alice/t", "new", "private", "--from=a=demo")
    assert build[-6:] == ["build", "--recipe", "r.toml", "--from=a=demo", "--out", "build"]
    with pytest.raises(HubError, match="Source 'the others': A job can read a source on the Hub"):
        run_on_jobs(
            mixture, "alice/t", hub.token("alice"), places={"the others": "raw.parquet"}, endpoint=hub.url
        )


def test_the_wheel_installs_and_is_the_same_each_time(tmp_path: Path) -> None:
    """Another Python finds the package in it, with what it needs; twice packed is the same bytes."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = pack_wheel(tmp_path / "a"), pack_wheel(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"], "the package itself says it, once"
    with zipfile.ZipFile(first) as wheel:
        names, metadata = wheel.namelist(), wheel.read("skill_factory-0.1.0.dist-info/METADATA").decode()
    assert "skill_factory/recipe/phrases.toml" in names and not [
        name for name in names if "__pycache__" in name
    ]
    assert all(f"Requires-Dist: {line}" in metadata for line in requirements())
    target = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        target,
        first,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("this environment has no pip")
    assert done.returncode == 0 and (target / "skill_factory/cli/main.py").is_file(), done.stderr


def test_the_job_does_its_work_as_it_was_sent(hub: Hub, tmp_path: Path) -> None:
    """The very command that the Hub would run, on the files that it would mount: a published data set comes of it."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).is_file():
        pytest.skip("uv is not installed")
    run_on_jobs(DEMO, "alice/traces", hub.token("alice"), endpoint=hub.url)
    (sent,) = (json.loads(record.body) for record in hub.requests if record.route == "job_run")
    for path, xet_hash in hub.buckets["alice/jobs-artifacts"].items():
        hub.blobs.fetch_xet(xet_hash, None, tmp_path / path.split("/")[-1])
    line = [uv, *(piece.replace("/data/", f"{tmp_path}/") for piece in sent["command"][1:])]
    env = hub.env() | sent["environment"] | sent["secrets"] | {"UV_OFFLINE": "1"}
    done = subprocess.run(
        line, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    if "network was disabled" in done.stderr or ("cache" in done.stderr.lower() and done.returncode):
        pytest.skip("the packages that the job installs are not in uv's cache")
    assert done.returncode == 0, done.stderr
    assert "sft_train/train-00000-of-00001.parquet" in hub.files("alice/traces")
    assert hub.token("alice") not in done.stdout + done.stderr
