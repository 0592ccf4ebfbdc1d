"""Finish: builds that outlive the page, files that can be read back, a card that is shown and never run."""

import io
import json
import os
import re
import shutil
import signal
import time
import zipfile
from html import unescape
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.build.archives import folder_download, jsonl_download, parquet_download
from skill_factory.build.folder import BuildFolder
from skill_factory.errors import BuildFolderError
from skill_factory.insight.lit import example
from skill_factory.reasons import Level
from skill_factory.recipe.model import new_recipe
from skill_factory.sources.demo.rows import write_demo
from skill_factory.trainers import Options
from skill_factory.trainers.loss import Part, stretches
from skill_factory.ui.finish.downloads import page
from skill_factory.ui.frame.sending.card_view import card_parts, with_words
from skill_factory.wording import many
from skill_factory.work import builds
from skill_factory.work.builds import Job
from skill_factory.work.process import State
from tests import command, drive
from tests.studio import ROOT, links, open_app, with_source, words, workspace

LONG = "demo:60000"
"""More than can be built while a test looks at it."""


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def ended(job: Job, seconds: float = 60) -> builds.Status:
    """The state of a build once it has ended."""
    until = time.monotonic() + seconds
    while (now := builds.status(job)).state in (State.RUNNING, State.STOPPING):
        assert time.monotonic() < until, f"still {now}"
        time.sleep(0.1)
    return now


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A finished build of the demo, in a home of its own."""
    before = os.environ.get("SKILL_FACTORY_HOME")
    os.environ["SKILL_FACTORY_HOME"] = str(tmp_path_factory.mktemp("home"))
    try:
        job = builds.start("demo:40", "The demo", new_recipe())
        assert ended(job).state is State.DONE
    finally:
        if before is None:
            del os.environ["SKILL_FACTORY_HOME"]
        else:
            os.environ["SKILL_FACTORY_HOME"] = before
    return job


# -- builds as processes -------------------------------------------------------------------------------------------


def test_a_build_is_the_command_line_s(done: Job, tmp_path: Path) -> None:
    """The same words, typed, give the same bytes."""
    command.build("demo:40", tmp_path / "typed")
    assert command.digest(done.out) == command.digest(tmp_path / "typed")


def test_a_build_is_found_by_its_name_alone(tmp_path: Path) -> None:
    """All that is known of it lies on disk; a name that none has, or that points elsewhere, finds nothing."""
    job = builds.start("demo:20", "The demo", new_recipe())
    assert len(job.id) >= 20
    assert builds.find(job.id) == job
    assert ended(job).state is State.DONE
    for name in ("", "nothing-of-that-name-here", "../" + job.id, job.id[:-1]):
        assert builds.find(name) is None
    assert builds.recent() == [job]


def test_a_build_stops_when_asked_goes_on_and_can_be_forgotten() -> None:
    """Ctrl-C for the process; what was asked for stays known, so that it can go on; running, it is not taken away."""
    job = builds.start(LONG, "The demo", new_recipe())
    time.sleep(1.0)
    assert builds.status(job).state is State.RUNNING
    with pytest.raises(BuildFolderError, match="still running"):
        builds.forget(job)
    builds.cancel(job)
    assert ended(job, builds.PATIENCE + 5).state is State.STOPPED
    builds.resume(job)
    time.sleep(0.5)
    assert builds.status(job).state is State.RUNNING
    builds.resume(job)
    builds.cancel(job)
    ended(job, builds.PATIENCE + 5)
    builds.forget(job)
    assert builds.find(job.id) is None
    assert not job.path.exists()


@pytest.mark.long
def test_a_resumed_build_ends_in_the_same_bytes(tmp_path: Path) -> None:
    """Killed in the middle, gone on with: the folder is that of a build nobody disturbed."""
    write_demo(tmp_path / "raw.parquet", 400, 0)
    job = builds.start(str(tmp_path / "raw.parquet"), "raw.parquet", new_recipe())
    while not (job.out / ".work").exists():
        time.sleep(0.01)
    os.kill(int((job.path / "process").read_text().split()[0]), signal.SIGKILL)
    now = ended(job)
    assert now.state is State.FAILED
    assert "was killed" in now.said
    builds.resume(job)
    assert ended(job).state is State.DONE
    command.build(tmp_path / "raw.parquet", tmp_path / "typed")
    assert command.digest(job.out) == command.digest(tmp_path / "typed")


def test_a_build_that_can_not_be_says_why_in_a_sentence() -> None:
    """An error of use is the command line's own sentence."""
    job = builds.start("/nowhere/raw.parquet", "raw.parquet", new_recipe())
    now = ended(job)
    assert now.state is State.FAILED
    assert now.said.startswith("There is no file")


def test_the_token_is_no_argument_and_nowhere_on_disk() -> None:
    """It reaches the process by its environment; the server's own login does not."""
    secret = "hf_secret_of_alice"
    job = builds.start("demo:20", "The demo", new_recipe(), secret)
    arguments = " ".join(builds.command(job))
    ended(job)
    found = [path for path in job.path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert secret not in arguments
    assert found == []


# -- the page ------------------------------------------------------------------------------------------------------


def settled(app: AppTest) -> AppTest:
    """The page once its build has ended."""
    job = builds.find(workspace(app).job)
    assert job is not None
    ended(job)
    return app.run()


def test_without_data_the_page_says_what_it_will_do() -> None:
    """One sentence and a way to the missing step."""
    app = open_app("5_Finish")
    assert "built, published and handed to a trainer" in words(app)
    assert any("Start" in label for label in links(app))


def test_rows_size_and_time_are_said_before_a_build() -> None:
    """Four numbers, and the button says what it will make."""
    app = with_source("demo:40", page="5_Finish")
    assert [one.label for one in app.metric] == ["Rows to read", "Traces", "Text", "Time"]
    assert app.metric[0].value == "320"
    assert app.button(key="build.start").label == f"Build {app.metric[1].value} traces"


def test_one_click_builds_and_the_address_leads_back() -> None:
    """Build, and come back by the link in a session that knows nothing else."""
    app = with_source("demo:40", page="5_Finish")
    promised = app.metric[1].value
    app.button(key="build.start").click().run()
    settled(app)
    assert f"{promised} traces from" in words(app)
    assert [tab.label for tab in app.tabs] == ["Download", "Publish", "Train"]
    later = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page("pages/5_Finish.py")
    assert app.query_params["job"] in (workspace(app).job, [workspace(app).job])
    later.query_params["job"] = workspace(app).job
    later.run()
    assert f"{promised} traces from" in words(later)
    assert not later.exception


@pytest.mark.long
def test_a_changed_recipe_offers_another_build() -> None:
    """A build stays what it was; the present recipe can be built beside it."""
    app = with_source("demo:40", page="5_Finish")
    app.button(key="build.start").click().run()
    settled(app)
    assert "The recipe has changed since" not in words(app)
    workspace(app).recipe = workspace(app).recipe.changed({"traces.attempts": 2})
    app.run()
    assert "The recipe has changed since" in words(app)
    first = workspace(app).job
    app.button(key="build.start").click().run()
    assert workspace(app).job != first
    settled(app)


def test_a_running_build_can_be_stopped_and_gone_on_with_on_the_page() -> None:
    """Stop, a sentence that nothing is lost, resume; deleted, and the offer is back."""
    app = with_source("demo:40", page="5_Finish")
    job = builds.start(LONG, "The demo", new_recipe())
    workspace(app).job = job.id
    app.run()
    assert app.get("progress")
    app.button(key="build.stop").click().run()
    settled(app)
    assert "What is finished is kept" in words(app)
    app.button(key="build.resume").click().run()
    assert builds.status(job).state is State.RUNNING
    builds.cancel(job)
    settled(app)
    app.button(key="build.delete").click().run()
    assert app.button(key="build.start")


def stopped_with_parts(tmp_path: Path) -> Job:
    """A build that was stopped after some of its small partitions."""
    write_demo(tmp_path / "raw.parquet", 200, 0)
    job = builds.start(str(tmp_path / "raw.parquet"), "raw.parquet", new_recipe())
    builds.cancel(job)
    ended(job)
    shutil.rmtree(job.out, ignore_errors=True)
    process = drive.start("build", job.source, "--recipe", job.path / "recipe.toml", "--out", job.out)
    drive.wait_for(job.out, 3, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert builds.status(job).state is State.STOPPED
    return job


def test_deleting_a_build_says_what_is_lost_and_asks_first(tmp_path: Path) -> None:
    """The first press deletes nothing: it says how many parts are finished; the second one deletes them."""
    app = with_source("demo:40", page="5_Finish")
    job = stopped_with_parts(tmp_path)
    finished, parts = builds.finished_parts(job)
    assert 3 <= finished < parts
    workspace(app).job = job.id
    app.run()
    (asking,) = [one for one in app.get("popover") if one.proto.popover.label == "Delete this build"]
    assert asking.children[1].key == "build.delete"
    assert f"{finished} of {many(parts, 'part')}" in asking.children[0].value.replace("\\", "")
    assert job.path.exists()
    app.button(key="build.delete").click().run()
    assert not job.path.exists()
    assert app.button(key="build.start")
    assert not app.exception


def test_a_build_that_runs_again_elsewhere_is_not_deleted(tmp_path: Path) -> None:
    """Resumed in another tab since the page was drawn: a sentence, and the build goes on."""
    app = with_source("demo:40", page="5_Finish")
    job = builds.start(LONG, "The demo", new_recipe())
    builds.cancel(job)
    ended(job)
    workspace(app).job = job.id
    app.run()
    builds.resume(job)
    app.button(key="build.delete").click().run()
    assert builds.find(job.id) == job
    assert not app.exception
    builds.cancel(job)
    ended(job)


def test_a_link_to_a_build_that_is_gone_says_so() -> None:
    """No fault, a sentence, and the page as without it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page("pages/5_Finish.py")
    app.query_params["job"] = "no-build-has-this-name-here"
    app.run()
    assert "isn't here any more" in words(app)
    assert not app.exception


def test_a_shared_server_lists_nobody_s_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one's own computer earlier builds are listed; on a shared one their link is their key."""
    ended(builds.start("demo:20", "The demo", new_recipe()))
    app = with_source("demo:40", page="5_Finish")
    assert any("Earlier builds" in one.label for one in app.expander)
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    app.run()
    assert not any("Earlier builds" in one.label for one in app.expander)


def test_training_files_are_shown_copy_ready() -> None:
    """A model's name, one click, and the trainer's files stand on the page after a check of every trace."""
    app = with_source("demo:40", page="5_Finish")
    app.button(key="build.start").click().run()
    settled(app)
    assert app.button(key="train.go").disabled
    app.text_input(key="train.model").set_value("Qwen/Qwen2.5-1.5B").run()
    app.button(key="train.go").click().run()
    assert not app.exception
    assert any("llamafactory-cli train" in one.value for one in app.code)
    assert "No trace is longer than the cut-off" in words(app)
    app.number_input(key="train.cutoff").set_value(512).run()
    assert "are longer than the cut-off" in words(app)


def test_a_part_of_each_trace_is_lit_and_written_as_tokens(tmp_path: Path) -> None:
    """What is trained is marked on a trace before anything is made; the files then say how many tokens that is."""
    tokenizers = pytest.importorskip("tokenizers")
    from tests.tokenizers_made import byte_level

    assert tokenizers
    app = with_source("demo:40", page="5_Finish")
    app.button(key="build.start").click().run()
    settled(app)
    assert not marked(app)
    app.text_input(key="train.model").set_value("any")
    app.selectbox(key="train.loss.llamafactory").set_value("no_wrong_attempts").run()
    assert not app.exception
    job = builds.find(workspace(app).job)
    assert job is not None
    row = example(job.out)
    assert row is not None
    text = row["conversations"][1]["content"]
    trained = [text[start:end] for part, start, end in stretches(row) if part is not Part.WRONG_SAMPLES]
    assert marked(app) == trained
    assert len(trained) < len(stretches(row))
    byte_level(["some text"]).save(str(tmp_path / "tokenizer.json"))
    app.text_input(key="train.tokenizer").set_value(str(tmp_path / "tokenizer.json")).run()
    app.button(key="train.go").click().run()
    assert not app.exception
    assert "are trained" in words(app) and any("tokenized_path: tokens" in one.value for one in app.code)


def test_questions_for_rewards_are_chosen_on_the_page_and_no_flag_is_named() -> None:
    """Every option that a message could name has a control here, and is named by it."""
    app = with_source("demo:40", page="5_Finish")
    app.button(key="build.start").click().run()
    settled(app)
    app.selectbox(key="train.trainer").set_value("verl").run()
    app.text_input(key="train.model").set_value("any")
    app.slider(key="train.rate").set_value((0.95, 1.0)).run()
    app.selectbox(key="train.questions").set_value("unused").run()
    app.button(key="train.go").click().run()
    assert not app.exception
    said = " ".join(one.value for one in app.error)
    assert "at least two questions" in said and "drawn from all" in said
    assert "--" not in said and "\\-" not in said and "`" not in said


def marked(app: AppTest) -> list[str]:
    """What is marked on the page, text by text."""
    found = [
        one
        for html in app.get("html")
        for one in re.findall(r"(?s)<mark [^>]*>(.*?)</mark>", html.proto.body)
    ]
    return [unescape(one) for one in found]


def test_one_cut_off_stands_everywhere() -> None:
    """Train starts with the one of the strip; said anew on either page, it is that one on both."""
    app = with_source("demo:40", page="5_Finish")
    app.button(key="build.start").click().run()
    settled(app)
    assert app.number_input(key="train.cutoff").value == 16_384 == Options("any").cutoff
    assert "over 16,384 tokens" in links(app)[3]
    app.number_input(key="train.cutoff").set_value(512).run()
    app.run()
    assert "over 512 tokens" in links(app)[3]
    assert "The recipe has changed since" not in words(app)
    app = app.switch_page("pages/3_Choose.py").run()
    assert "over 512 tokens" in links(app)[3]
    app.session_state["workspace"].recipe = workspace(app).recipe.changed({"cutoff.tokens": 2048})
    workspace(app).cutoff = 0
    app = app.switch_page("pages/5_Finish.py").run()
    assert "over 2,048 tokens" in links(app)[3]


def test_the_strip_says_what_the_card_says() -> None:
    """The share of traces that show a mistake corrected is the same before the build and on its card."""
    app = with_source("demo:40", page="5_Finish")
    said = links(app)[2]
    app.button(key="build.start").click().run()
    settled(app)
    job = builds.find(workspace(app).job)
    assert job is not None
    card = (job.out / "README.md").read_text(encoding="utf-8")
    line = next(one for one in card.splitlines() if "a mistake corrected" in one)
    assert said == f"**{line.split('|')[3].strip()}** show a mistake corrected"


# -- downloads -----------------------------------------------------------------------------------------------------


def test_every_download_holds_the_whole_build(done: Job) -> None:
    """Parquet and JSONL have the same rows as the build, the archive the same files."""
    rows = command.traces(done.out)
    assert pq.read_table(parquet_download(BuildFolder(done.out))).to_pylist() == rows
    assert [json.loads(line) for line in jsonl_download(BuildFolder(done.out))] == rows
    with zipfile.ZipFile(io.BytesIO(folder_download(done.out).read())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            str(path.relative_to(done.out)): path.read_bytes()
            for path in done.out.rglob("*")
            if path.is_file()
        }
    assert builds.ledger(done)[Level.TRACES].kept == len(rows)


def test_the_page_of_traces_needs_nothing_beside_it(done: Job) -> None:
    """One file: nothing in it is fetched from anywhere."""
    html = page(done, "")
    assert html.startswith("<!doctype html>")
    assert "src=" not in html and "@import" not in html and "<script" not in html


# -- the card ------------------------------------------------------------------------------------------------------


def test_own_words_stand_above_ours_and_below_the_front_matter(done: Job) -> None:
    """The front matter and the part between the marks are as built."""
    built = (done.out / "README.md").read_text(encoding="utf-8")
    card = with_words(built, "Made by hand.\n<!-- skill-factory: end -->")
    assert card.index("sft_train") < card.index("Made by hand.") < card.index("<!-- skill-factory: begin")
    assert card.count("<!-- skill-factory: end -->") == built.count("<!-- skill-factory: end -->")
    assert with_words(built, "  ") == built


def test_a_quoted_trace_is_shown_as_text_and_no_picture_is_fetched() -> None:
    """Code blocks are text, whatever they hold; outside them a picture's mark is broken."""
    body = "Look ![x](http://127.0.0.1:9/a.png)\n\n````text\n![y](z)\n```\nstill inside\n````\nafter $x$\n<!-- mark -->"
    found = list(card_parts(body))
    assert found == [
        (None, "Look !\\[x](http://127.0.0.1:9/a.png)"),
        ("text", "![y](z)\n```\nstill inside"),
        (None, "after \\$x\\$"),
    ]
    assert "".join(text for _, text in card_parts("```\nnever closed ![a](b)")) == "never closed !\\[a](b)"


def test_the_build_on_the_page_is_not_listed_as_an_earlier_one() -> None:
    """One of two builds is open, so one other is listed."""
    first = builds.start("demo:20", "The demo", new_recipe())
    ended(first)
    second = builds.start("demo:21", "The demo", new_recipe())
    ended(second)
    app = with_source("demo:40", page="5_Finish")
    workspace(app).job = second.id
    app.run()
    listed = [one.key for one in app.button if (one.key or "").startswith("build.open.")]
    assert f"build.open.{first.id}" in listed
    assert f"build.open.{second.id}" not in listed
