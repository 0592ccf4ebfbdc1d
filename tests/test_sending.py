"""Publishing as a process of its own: what the page agreed to and nothing else, and the token left nowhere."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from skill_factory.publish.plan import Mode, PushPlan, plan_push
from skill_factory.publish.raw_set import read_folder
from skill_factory.work import pushes
from skill_factory.work.builds import Job
from skill_factory.work.process import ACTIVE, State
from skill_factory.work.pushes import Sending
from tests.build_folders import build_folder
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]
REPO = "alice/traces"
CARD = "# Mine\n"


@pytest.fixture(autouse=True)
def _processes_know_this_hub_only(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in hub.env().items():
        if name.startswith("HF_"):
            monkeypatch.setenv(name, value)


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Job]:
    """A finished build whose rows depend on a word."""

    def make(salt: str) -> Job:
        path = tmp_path / f"job-{salt}"
        path.mkdir()
        job = Job(path.name, path, "demo:1", "The demo", "", time.time())
        build_folder(job.out, salt=salt)
        return job

    return make


def planned(job: Job, hub: Hub, mode: Mode = Mode.NEW) -> PushPlan:
    """What the page shows before the button is pressed."""
    return plan_push(job.out, REPO, mode, "hf_alice", endpoint=hub.url, build=read_folder(job.out))


def ended(job: Job, seconds: float = 60) -> Sending:
    """How it stands once its process has ended."""
    until = time.monotonic() + seconds
    while (now := pushes.status(job)) is None or now.state in ACTIVE:
        assert time.monotonic() < until, f"still {now}"
        time.sleep(0.1)
    return now


def on_its_way(job: Job, hub: Hub, route: str) -> None:
    """Wait until a request of the push has come in, whether or not it was answered."""
    until = time.monotonic() + 60
    while not any(one.match == route and one.times <= 0 for one in hub.faults.waiting):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_was_agreed_to_is_published_with_the_card_that_was_shown(
    hub: Hub, made: Callable[[str], Job]
) -> None:
    """In one commit; where it is stays known to whoever asks later, and the build folder is as it was."""
    job = made("a")
    built = (job.out / "README.md").read_bytes()
    assert pushes.status(job) is None
    pushes.start(job, planned(job, hub), CARD, "hf_alice")
    now = ended(job)
    assert now.state is State.DONE and now.result is not None, now.said
    assert now.result.url == f"{hub.url}/datasets/{REPO}"
    assert "# Mine" in hub.read(REPO, "README.md").decode()
    assert (job.out / "README.md").read_bytes() == built
    assert hub.count("commit", status=200) == 1


def test_the_token_is_no_argument_and_nowhere_on_disk(hub: Hub, made: Callable[[str], Job]) -> None:
    """It reaches the process by its environment alone."""
    job = made("a")
    hub.faults.add("commit", delay=2.0)
    pushes.start(job, planned(job, hub), CARD, "hf_alice")
    on_its_way(job, hub, "commit")
    pid = (job.path / "push" / "process").read_text(encoding="utf-8").split()[0]
    assert b"hf_alice" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert ended(job).state is State.DONE
    assert not [one for one in job.path.rglob("*") if one.is_file() and b"hf_alice" in one.read_bytes()]


def test_one_push_of_a_build_at_a_time(hub: Hub, made: Callable[[str], Job]) -> None:
    """A second press, in another tab say, changes nothing."""
    job = made("a")
    hub.faults.add("commit", delay=2.0)
    pushes.start(job, planned(job, hub), CARD, "hf_alice")
    on_its_way(job, hub, "commit")
    pushes.start(job, planned(job, hub), "# Other\n", "hf_alice")
    assert ended(job).state is State.DONE
    assert hub.count("commit") == 1 and "# Mine" in hub.read(REPO, "README.md").decode()


def test_what_came_between_the_look_and_the_press_is_not_replaced(
    hub: Hub, made: Callable[[str], Job]
) -> None:
    """Agreed to replace one state, so another one is refused in a sentence and stays."""
    pushes.start(old := made("old"), planned(old, hub), CARD, "hf_alice")
    ended(old)
    job = made("new")
    plan = planned(job, hub, Mode.REPLACE)
    table = pa.table({"text": ["theirs"]})
    theirs = hub.seed_dataset(REPO, {"sft_train/train-00000-of-00001.parquet": table})
    pushes.start(job, plan, CARD, "hf_alice")
    now = ended(job)
    assert now.state is State.FAILED and "has changed since you looked at it" in now.said
    assert hub.repo(REPO).head.oid == theirs


def test_where_nothing_was_replacing_is_publishing_as_new(hub: Hub, made: Callable[[str], Job]) -> None:
    """Nobody agreed to replace anything; so data that came meanwhile are refused."""
    job = made("new")
    plan = planned(job, hub, Mode.REPLACE)
    other = made("other")
    pushes.start(other, planned(other, hub), CARD, "hf_alice")
    ended(other)
    pushes.start(job, plan, CARD, "hf_alice")
    now = ended(job)
    assert now.state is State.FAILED and "already holds another dataset" in now.said


def test_killed_on_its_way_it_says_so_and_the_next_try_ends_well(
    hub: Hub, made: Callable[[str], Job]
) -> None:
    """Nothing is half there; the same press again publishes."""
    job = made("a")
    hub.faults.add("commit", delay=30.0, status=503)
    pushes.start(job, planned(job, hub), CARD, "hf_alice")
    on_its_way(job, hub, "commit")
    os.kill(int((job.path / "push" / "process").read_text(encoding="utf-8").split()[0]), signal.SIGKILL)
    now = ended(job)
    assert now.state is State.FAILED and "was killed" in now.said
    assert hub.files(REPO) == [".gitattributes"]
    pushes.start(job, planned(job, hub), CARD, "hf_alice")
    assert ended(job).state is State.DONE


def test_it_stops_when_asked(hub: Hub, made: Callable[[str], Job]) -> None:
    """Before the one commit nothing shows on the Hub."""
    job = made("a")
    hub.faults.add("commit", delay=30.0, status=503)
    pushes.start(job, planned(job, hub), CARD, "hf_alice")
    on_its_way(job, hub, "commit")
    pushes.stop(job)
    assert ended(job, pushes.PATIENCE + 10).state is State.STOPPED
    assert hub.files(REPO) == [".gitattributes"]


def test_a_refused_token_is_a_sentence(hub: Hub, made: Callable[[str], Job]) -> None:
    """Expired between the look and the press."""
    job = made("a")
    plan = planned(job, hub)
    hub.revoke("hf_alice")
    pushes.start(job, plan, CARD, "hf_alice")
    now = ended(job)
    assert now.state is State.FAILED and "Sign in again" in now.said
