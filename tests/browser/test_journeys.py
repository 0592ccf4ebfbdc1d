"""Whole journeys in a real browser: from nothing to a file, and a build that outlives its tab."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from skill_factory.sources.demo.rows import write_demo
from tests import command
from tests.browser.studio import Studio, Visitor
from tests.make_raw import row

pytestmark = pytest.mark.browser


def built(visitor: Visitor) -> None:
    """Press Build on Finish, and wait for the end."""
    visitor.press("Build ")
    visitor.sees("are ready")


def saved(visitor: Visitor, button: str, path: Path) -> Path:
    """Press a download button and keep the file."""
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name=button, exact=True).first.click()
    download.value.save_as(path)
    return path


def test_the_demo_becomes_a_file_that_can_be_read(visitor: Visitor, tmp_path: Path) -> None:
    """Demo, a trace to look at, a build, a download: the rows are the command line's."""
    visitor.demo()
    visitor.go("Look")
    visitor.sees("Attempt 1")
    visitor.go("Finish")
    built(visitor)
    visitor.page.get_by_role("tab", name="Download").click()
    parquet = saved(visitor, "Parquet", tmp_path / "traces.parquet")
    jsonl = saved(visitor, "JSONL", tmp_path / "traces.jsonl")
    command.build("demo", tmp_path / "typed")
    rows = command.traces(tmp_path / "typed")
    assert pq.read_table(parquet).to_pylist() == rows
    assert [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()] == rows


def test_a_csv_with_foreign_names_is_read_and_builds_what_the_command_builds(
    visitor: Visitor, tmp_path: Path
) -> None:
    """Upload, the columns told by what they hold, a build: its digest is the command line's for the saved recipe."""
    path = tmp_path / "mine.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["aufgabe", "versuch", "stimmt", "kritik"])
        for q in range(6):
            for k in range(6):
                said = row("q", "r", k < 3)["reflections"][0]
                writer.writerow(
                    [f"Aufgabe {q}?", f"Versuch {k} von {q}. <answer>{k}</answer>", str(k < 3).lower(), said]
                )
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.page.set_input_files("input[type=file] >> nth=0", str(path))
    visitor.titled("Data")
    # Each column is told by what it holds; the table says what it was taken for.
    for column in ("aufgabe", "versuch", "stimmt", "kritik"):
        expect(visitor.page.get_by_test_id("stMain").get_by_text(column).first).to_be_visible()
    visitor.go("Finish")
    built(visitor)
    visitor.page.get_by_role("tab", name="Download").click()
    recipe = saved(visitor, "Recipe", tmp_path / "recipe.toml")
    report = saved(visitor, "Report", tmp_path / "report.json")
    typed = command.build(path, tmp_path / "typed", "--recipe", recipe)
    assert json.loads(report.read_text())["rows_digest"] == typed["rows_digest"]
    assert json.loads(report.read_text())["fingerprint"] == typed["fingerprint"]


def large(tmp_path: Path) -> str:
    """Data whose build takes some seconds."""
    write_demo(tmp_path / "large.parquet", 4000, 0)
    return str(tmp_path / "large.parquet")


def with_path(visitor: Visitor, path: str) -> None:
    """Choose a file of this computer by its path."""
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.still()  # a field that is drawn anew forgets what was put into it
    visitor.page.get_by_role("textbox", name="Or a path on this computer").fill(path)
    visitor.page.keyboard.press("Enter")
    visitor.titled("Data")


@pytest.mark.long
def test_a_build_outlives_its_tab_and_its_server(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Tab closed in mid-build, server started anew: the link leads back, and the build ends."""
    studio = own_studio()
    first = visit(studio)
    with_path(first, large(tmp_path))
    first.go("Finish")
    first.press("Build ")
    expect(first.page.get_by_role("button", name="Stop")).to_be_visible()
    first.page.wait_for_url("**job=*")
    address = first.page.url.removeprefix(studio.url + "/")
    first.page.close()
    studio.stop()
    studio.start()
    later = visit(studio)
    later.open(address, "Finish")
    later.sees("are ready")


@pytest.mark.long
def test_a_build_is_stopped_and_gone_on_with(
    visit: Callable[..., Visitor], studio: Studio, tmp_path: Path
) -> None:
    """Stop, a sentence that nothing is lost, go on, and the traces are those of an undisturbed build."""
    visitor = visit(studio)
    path = large(tmp_path)
    with_path(visitor, path)
    visitor.go("Finish")
    visitor.press("Build ")
    visitor.press("Stop")
    visitor.sees("What is finished is kept")
    visitor.press("Resume")
    visitor.sees("are ready")
    visitor.page.get_by_role("tab", name="Download").click()
    report = saved(visitor, "Report", tmp_path / "report.json")
    typed = command.build(path, tmp_path / "typed")
    assert json.loads(report.read_text())["rows_digest"] == typed["rows_digest"]
