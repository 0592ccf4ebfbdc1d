"""Finish → Train in a real browser: a job on the Hub on loopback, started, followed and found again after a closed tab."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import built
from tests.browser.test_publishing import sign_in
from tests.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.long]
TEXT = (
    "<think>\n<sample>\n2+2=5\n<answer>5</answer>\n</sample>\n<reflect>\nThat is <verdict>incorrect</verdict>\n</reflect>\n"
    "<sample>\n2+2=4\n<answer>4</answer>\n</sample>\n</think>\n\n<answer>4</answer>"
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A fresh Hub; at the end nothing was asked of it that it doesn't know."""
    with Hub(tmp_path / "hub") as running:
        yield running
    assert not running.broken, running.broken[0]


def log(first: int, last: int, *ends: dict[str, Any]) -> list[str]:
    """The log of a job that trains some steps of ten."""
    start = {"event": "start", "step": first, "steps": 10, "parameters": 9, "trained": 9, "device": "T4"}
    sample = {"event": "sample", "step": first, "question": "2+2?", "text": TEXT, "ended": True}
    steps = [
        {
            "event": "step",
            "step": k,
            "loss": 3 - k / 5,
            "tokens": 900,
            "tokens_per_second": 450,
            "seconds_left": 60,
        }
        for k in range(first + 1, last + 1)
    ]
    return [json.dumps(event) for event in (start, sample, *steps, *ends)]


def test_a_job_trains_on_a_build_and_is_resumed_when_its_time_is_over(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], hub: Hub
) -> None:
    """The price stands on the button; the curve, a sample and the checkpoint are seen; a closed tab loses nothing."""
    variables = {n: v for n, v in hub.env().items() if n.startswith("HF_") and n != "HF_HOME"}
    visitor = visit(own_studio(**variables))
    visitor.demo()
    visitor.go("Finish")
    built(visitor)
    page = visitor.page
    page.get_by_role("tab", name="Publish").click()
    sign_in(visitor)
    page.get_by_role("tab", name="Train").click()
    model = page.get_by_role("textbox", name="Model to train").first
    model.fill("alice/Tiny-0.5B")
    model.press("Enter")
    page.get_by_text("on a machine of the Hub").click()
    name = page.get_by_role("textbox", name="Publish the model as")
    name.fill("alice/skilled")
    name.press("Enter")
    visitor.sees("billed to your account")
    hub.job_logs = log(0, 6, {"event": "saved", "step": 6})
    hub.job_end = {"stage": "ERROR", "message": "Job timeout"}
    page.get_by_role("button", name="Train for about").click()
    visitor.sees("the checkpoint of step 6 is kept")
    visitor.sees("2 attempts, 1 verdict (0 correct), an answer")
    visitor.sees("Its time is over at step 6")
    address = page.url
    page.close()
    again = visit(visitor.studio)
    again.page.goto(address)
    again.page.get_by_role("tab", name="Train").click()
    again.sees("the checkpoint of step 6 is kept")
    # The token was the session's: a visitor who comes back signs in again before a job costs money.
    again.page.get_by_role("tab", name="Publish").click()
    sign_in(again)
    again.page.get_by_role("tab", name="Train").click()
    hub.job_logs = log(6, 10, {"event": "end", "how": "trained", "step": 10})
    hub.job_end = {"stage": "COMPLETED"}
    again.page.get_by_role("button", name="Resume").click()
    again.sees("alice/skilled is trained")
    expect(again.page.get_by_role("link", name="The model on the Hub")).to_be_visible()
    sent = [json.loads(record.body) for record in hub.requests if record.route == "job_run"]
    assert len(sent) == 2 and sent[0]["command"] == sent[1]["command"]
