"""The loop in a real browser: a build, a training, its model asked beside the one it began with, and the next dataset."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from skill_factory.recipe.model import Recipe
from skill_factory.recipe.share import packed
from skill_factory.sources import open_source
from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import built
from tests.served_model import program_in

pytestmark = [pytest.mark.browser, pytest.mark.long]
TRAINER = r"""
import json, pathlib, sys
out = pathlib.Path(sys.argv[1]).parent
with (out / "log.jsonl").open("a") as log:
    for event in (
        {"event": "start", "step": 0, "steps": 3, "parameters": 9, "trained": 9, "device": "cpu"},
        *({"event": "step", "step": k, "loss": 3 - k / 5, "tokens": 50} for k in (1, 2, 3)),
        {"event": "end", "how": "trained", "step": 3},
    ):
        print(json.dumps(event), flush=True)
        log.write(json.dumps(event) + "\n")
(out / "model").mkdir()
(out / "model" / "README.md").write_text("trained")
"""


def python_with_trl(folder: Path) -> Path:
    """A Python that says it has TRL; given the training's script it runs a training of three steps, which learns nothing."""
    folder.mkdir()
    (folder / "trainer.py").write_text(TRAINER, encoding="utf-8")
    path = folder / "python"
    path.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exec echo \'"1.16.0"\'\nexec {sys.executable} {folder}/trainer.py "$1"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def golds() -> dict[str, str]:
    """The questions of the demo's sums with their answers."""
    return {row["question"]: row["answer"] for row in open_source("demo:sums").head(8 * 500)}


def test_from_a_build_to_a_trained_model_and_to_the_next_dataset(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Nothing is typed after the model's name: the held-out questions, both models and their names are handed over."""
    model = tmp_path / "Tiny-1M"
    model.mkdir()
    studio = own_studio(
        SKILL_FACTORY_TRAINER=str(python_with_trl(tmp_path / "trl")),
        SKILL_FACTORY_SERVER=str(program_in(tmp_path / "server", golds())),
    )
    visitor = visit(studio)
    recipe = packed(Recipe().changed({"clean.holdout": 0.1, "traces.attempts": 2}))
    visitor.open(f"?recipe={recipe}")
    visitor.page.get_by_test_id("stMain").get_by_text("Sums").first.click()
    visitor.still()
    visitor.press("Try the demo")
    visitor.titled("Data")
    visitor.go("Finish")
    built(visitor)
    visitor.page.get_by_role("tab", name="Train").click()
    named = visitor.page.get_by_role("textbox", name="Model to train").first
    named.fill(str(model))
    named.press("Enter")
    visitor.page.get_by_role("button", name="Train", exact=True).click()
    visitor.sees("is trained")
    visitor.press("Sample and measure")
    visitor.titled("Measure")
    visitor.sees("the model hasn't seen them")
    expect(visitor.page.get_by_role("textbox", name="Compare with")).to_have_value(str(model))
    visitor.press("Ask 50 questions")
    visitor.sees("Tiny-1M-trained was asked")
    visitor.sees("outputs of 2 runs, 50 questions")
    visitor.sees("Tiny-1M-trained minus Tiny-1M, accuracy.final")
    visitor.page.get_by_text("Two runs side by side").click()
    visitor.sees("Attempt 1 of")
    visitor.press("Make raw data from")
    visitor.titled("Data")
    visitor.sees("harvest.parquet")
    visitor.sees("now it holds out none, since the next dataset is made of them")
    visitor.go("Finish")
    built(visitor)
    reports = sorted(studio.home.glob("builds/*/data/report.json"), key=lambda path: path.stat().st_mtime)
    assert len(reports) == 2 and json.loads(reports[1].read_text())["traces"] > 0
