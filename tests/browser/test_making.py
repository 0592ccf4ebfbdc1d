"""From a red light to a finished build in a real browser: reflections made by a model on loopback."""

import random
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from skill_factory.sources.demo.rows import write_demo
from tests.browser.studio import Studio, Visitor
from tests.make_raw import STAGE, prose
from tests.model_server import Brain, ModelServer

pytestmark = pytest.mark.browser
QUESTIONS = 60


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The demo's rows in a file."""
    write_demo(tmp_path / "whole.parquet", QUESTIONS, 0)
    return tmp_path / "whole.parquet"


@pytest.fixture
def bare(demo: Path, tmp_path: Path) -> Path:
    """The same without reflections."""
    path = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(demo).drop_columns([f"{STAGE}_reflection"]), path)
    return path


def critic(demo: Path) -> Brain:
    """A model that judges the demo's responses rightly in 85 of a hundred cases."""
    rows = pq.read_table(demo).to_pylist()
    labels = {row[STAGE][0].strip(): row[f"{STAGE}__eval_is_correct"][0] for row in rows}

    def judge(prompt: str, rng: random.Random) -> str:
        response = prompt.split("The solution:\n", 1)[1].rsplit("\n\nExamine the solution.", 1)[0].strip()
        says = labels[response] if rng.random() < 0.85 else not labels[response]
        return f"{prose(rng, 5, 20)}\n<verdict>{'Correct' if says else 'Incorrect'}</verdict>"

    return judge


def with_file(visitor: Visitor, path: Path) -> None:
    """Upload a file, and see its report."""
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.still()  # a field that is drawn anew forgets what was put into it
    visitor.page.set_input_files("input[type=file] >> nth=0", str(path))
    visitor.titled("Data")


def fill(visitor: Visitor, role: str, name: str, value: str) -> None:
    """Type into a field of the form."""
    box = visitor.page.get_by_test_id("stMain").get_by_role(role, name=name)  # type: ignore[arg-type]
    box.fill(value)
    box.press("Tab")
    expect(box).to_have_value(value)
    visitor.still()


def light(visitor: Visitor, topic: str, state: str) -> None:
    """Wait until a light stands so."""
    expect(visitor.page.locator(f".st-key-light-{topic}").get_by_text(state)).to_be_visible()


def test_a_red_light_becomes_a_finished_build(
    visitor: Visitor, bare: Path, demo: Path, tmp_path: Path
) -> None:
    """Upload, red light, pilot, forecast, run, green light, build: traces that show the made reflections."""
    with ModelServer(critic(demo), latency=0.05) as server:
        with_file(visitor, bare)
        light(visitor, "reflections", "missing")
        visitor.press("Get reflections")
        fill(visitor, "textbox", "Address", server.url)
        fill(visitor, "textbox", "Model", "org/critic")
        visitor.page.get_by_label("Key", exact=True).fill("sk-in-the-browser")
        visitor.press("Try 50 questions")  # straight from the field: its value has to count all the same
        visitor.sees(f"questions of {QUESTIONS}")
        visitor.sees("will be usable at N = 5")
        visitor.press("Make reflections for all")
        visitor.sees("reflections made by org/critic")
        assert set(server.ledger.keys) == {"Bearer sk-in-the-browser"}
    light(visitor, "reflections", "ready")
    visitor.press("Build ")
    visitor.titled("Finish")
    visitor.sees("are ready")
    visitor.page.get_by_role("tab", name="Download").click()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Parquet", exact=True).first.click()
    download.value.save_as(tmp_path / "traces.parquet")
    table = pq.read_table(tmp_path / "traces.parquet")
    assert table.num_rows > 100
    assert all("<verdict>" in str(row) for row in table.slice(0, 20).to_pylist())
    kept = [one for one in visitor.studio.home.rglob("*") if one.is_file()]
    assert not [one for one in kept if b"sk-in-the-browser" in one.read_bytes()]


@pytest.mark.long
def test_a_run_outlives_its_tab(
    visit: Callable[..., Visitor], own_studio: Callable[..., Studio], bare: Path, demo: Path
) -> None:
    """Tab closed and server started anew in the middle: the link leads back, and the run ends with a green light."""
    studio = own_studio()
    with ModelServer(critic(demo), latency=0.5, slots=60) as server:
        first = visit(studio)
        with_file(first, bare)
        first.press("Get reflections")
        fill(first, "textbox", "Address", server.url)
        fill(first, "textbox", "Model", "org/critic")
        first.press("Make all of them without a pilot")
        expect(first.page.get_by_role("button", name="Stop")).to_be_visible()
        first.page.wait_for_url("**making=*")
        address = first.page.url.removeprefix(studio.url + "/")
        first.page.close()
        studio.stop()
        studio.start()
        later = visit(studio)
        later.open(address, "Data")
        later.sees("reflections made by org/critic")
        assert max(server.ledger.served.values()) == 1
    light(later, "reflections", "ready")


def test_responses_are_graded_after_a_look(visitor: Visitor, demo: Path, tmp_path: Path) -> None:
    """No labels: a sample of decisions, a click, and three lights are green."""
    labels = [f"{STAGE}_reflection", f"{STAGE}__eval_is_correct", f"{STAGE}__eval_extracted_answers"]
    pq.write_table(pq.read_table(demo).drop_columns(labels), tmp_path / "unlabelled.parquet")
    with_file(visitor, tmp_path / "unlabelled.parquet")
    visitor.press("Grade the responses")
    visitor.sees("Are these decisions right?")
    visitor.press("Yes, grade all responses")
    visitor.sees("responses graded:")
    for topic in ("several-answers", "labels", "final-answers"):
        light(visitor, topic, "ready")
