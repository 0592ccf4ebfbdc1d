"""Words that go with habits, and a model's judgement of them: counted apart from tags, checked against them, paid for once."""

import json
import random
from pathlib import Path

import pytest

from skill_factory.measure.evaluation.habits_judge import without_tags
from skill_factory.measure.habits import HABITS, count_words, phrases
from tests.command import run
from tests.model_server import ALL_FAULTS, ModelServer
from tests.planted_outputs import plant


def test_words_are_counted_in_any_case_and_nothing_else() -> None:
    """A phrase book of four habits; straight and curly apostrophes are one."""
    text = "Let me check. Wait, that’s wrong. First, I add. We work backwards from the target."
    assert dict(zip(HABITS, count_words(text), strict=True)) == {
        "verification": 1,
        "backtracking": 2,
        "subgoals": 1,
        "backward_chaining": 1,
    }
    assert sum(count_words("waiting for awaited weights")) == 0


def test_no_phrase_stands_in_two_habits() -> None:
    """And none stands inside another, which would count it twice; all are lower case, as they are looked for."""
    every = [phrase for book in phrases().values() for phrase in book]
    assert len(every) == len(set(every)) and all(one == one.lower() for one in every)
    assert [(a, b) for a in every for b in every if a != b and a in b] == []


def test_a_judge_sees_no_tags() -> None:
    """It would only read them off."""
    assert "<" not in without_tags("<think><sample>a <answer>1</answer></sample><reflect>b</reflect></think>")


def judge(prompt: str, rng: random.Random) -> str:
    """Says that an output verifies where it looks again, and goes back where it adds up twice."""
    text = prompt.split("The text:")[1].split("Answer with four lines")[0]
    assert "<sample>" not in text
    says = {"verification": "look at it again" in text, "backtracking": text.count("I add up") > 1}
    return "".join(f"<{h}>{'yes' if says.get(h) else 'no'}</{h}>\n" for h in HABITS)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in plant(30).rows), encoding="utf-8")
    return path


def test_a_models_judgement_stands_beside_its_agreement_with_the_tags(outputs: Path, tmp_path: Path) -> None:
    """A fair sample through a server with every fault; asked once; the tagged counts are not touched."""
    plain = json.loads(run("measure", outputs, "--json").out)
    with ModelServer(judge, faults=ALL_FAULTS) as server:
        words = (
            "--judge",
            tmp_path / "judge",
            "--model",
            "m",
            "--endpoint",
            server.url,
            "--judge-sample",
            40,
            "--json",
            "--tries",
            12,
        )
        done = run("measure", outputs, *words)
        assert done.exit == 0, done.err[-1000:]
        asked = server.ledger.asked.total()
        assert run("measure", outputs, *words).exit == 0
        assert server.ledger.asked.total() == asked
    mine = json.loads(done.out)
    judged = mine.pop("judged")
    assert mine == plain
    assert judged["outputs"] >= 40 and judged["model"] == "m"
    backtracking = judged["agreement"]["backtracking"]
    assert backtracking["of"] > 30 and backtracking["agreed"] == backtracking["of"]
    assert judged["habits"]["subgoals"]["value"] == 0.0


def test_a_pilot_judges_a_part_and_forecasts(outputs: Path, tmp_path: Path) -> None:
    """And without a model no request goes out."""
    with ModelServer(judge) as server:
        words = ("--judge", tmp_path / "judge", "--endpoint", server.url, "--json")
        assert run("measure", outputs, *words).exit == 2
        assert run("measure", outputs, *words, "--model", "m", "--pilot", 5).exit == 0
        assert server.ledger.asked.total() == 5
