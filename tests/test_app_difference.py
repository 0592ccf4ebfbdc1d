"""Difference: two builds of this computer beside each other, reached from the list of earlier ones."""

from html import unescape
from pathlib import Path

import pytest

from skill_factory.recipe.model import new_recipe
from skill_factory.work import builds
from tests.studio import links, open_app, words
from tests.test_app_finish import ended


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))


@pytest.fixture
def two(_own_home: None) -> tuple[builds.Job, builds.Job]:
    """The demo with up to five attempts, then with up to two."""
    made = []
    for name, attempts in (("Five", 5), ("Two", 2)):
        job = builds.start("demo:20", name, new_recipe().changed({"traces.attempts": attempts}))
        assert ended(job).state == "done"
        made.append(job)
    return made[0], made[1]


def test_two_builds_stand_side_by_side(two: tuple[builds.Job, builds.Job]) -> None:
    """The older one first: traces and questions of either, the field and the lines of the ledger that differ, examples."""
    app = open_app("8_Difference")
    assert not app.exception
    figures = {one.label: int(one.value.replace(",", "")) for one in app.metric}
    kept = [builds.ledger(job)["traces"].kept for job in two]
    assert figures["Traces in both"] + figures["Traces only in the first"] == kept[0]
    assert figures["Traces in both"] + figures["Traces only in the second"] == kept[1]
    fields, ledger, examples = [frame.value for frame in app.dataframe]
    assert ["Maximum attempts (N)", "5", "2"] in fields.to_numpy().tolist()
    kinds = examples["What"].tolist()
    assert len(ledger) and kinds and all(kinds.count(kind) <= 3 for kind in kinds)
    # The first of them is open: its question stands in the trace beside the list.
    assert examples["Question"][0][:30] in unescape("".join(str(one.proto.body) for one in app.get("html")))
    assert "skill-factory diff" in words(app)


def test_the_same_build_again_is_said(two: tuple[builds.Job, builds.Job]) -> None:
    """The same choice twice compares nothing; two equal builds hold the same traces."""
    again = builds.start("demo:20", "Again", new_recipe().changed({"traces.attempts": 2}))
    assert ended(again).state == "done"
    app = open_app("8_Difference")
    assert "Both hold the same" in words(app)
    app.selectbox(key="difference.first").set_value(app.selectbox(key="difference.second").value).run()
    assert "two different builds" in words(app)


def test_earlier_builds_lead_to_it(two: tuple[builds.Job, builds.Job]) -> None:
    """The list offers it where there are two; a shared server lists none and needs both keys."""
    assert any("Compare two builds" in label for label in links(open_app("1_Start")))


def test_on_a_shared_server_both_keys_open_it_in_a_child(
    two: tuple[builds.Job, builds.Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is listed; with the keys in the address a limited child compares, and the page shows what it found."""
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    app = open_app("8_Difference")
    assert not app.selectbox and "keys of two" in words(app)
    app.query_params["first"], app.query_params["second"] = (job.id for job in two)
    app.run()
    assert not app.exception and app.metric and not app.error
