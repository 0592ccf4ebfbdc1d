"""What the figures say about the next dataset: no more certainly than they are, and each sentence with its source."""

from pathlib import Path

import pytest

from skill_factory.api import build, measure
from skill_factory.measure.measurement import Measurement, measurement
from skill_factory.measure.shown.advice import OURS, PAPER, RULES, advise
from skill_factory.recipe.model import Recipe
from tests.planted_outputs import Skill, plant
from tests.test_measure_figures import table_of


def measured(skill: Skill, questions: int = 100) -> Measurement:
    return measurement(table_of(plant(questions, seed=1, skill=skill).rows))


def rules(found: Measurement) -> set[str]:
    return {one.rule for one in advise(found)}


GOOD = Skill(right=0.7, judges_right=0.97, judges_wrong=0.97, silent=0.0, cut_off=0.0, circles=0.0)


def test_every_rule_has_a_source() -> None:
    """The paper's section, or marked as ours."""
    assert all(PAPER in rule.source or rule.source == OURS for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("skill", "rule"),
    [
        (Skill(judges_wrong=0.3), "weak_correct"),
        (Skill(right=0.7, judges_right=0.5), "weak_incorrect"),
        (Skill(silent=0.6), "says_nothing"),
        (Skill(goes_on=0.02), "one_attempt"),
        (Skill(cut_off=0.4), "cut_off"),
        (Skill(circles=0.3), "circles"),
        (Skill(right=0.5), "breaks"),
    ],
)
def test_a_planted_weakness_is_named(skill: Skill, rule: str) -> None:
    """With numbers, and its interval."""
    found = measured(skill)
    assert rule in rules(found)
    said = next(one.sentence for one in advise(found) if one.rule == rule)
    assert "%" in said and "will" not in said.split()


@pytest.mark.parametrize(
    "rule", ["weak_correct", "weak_incorrect", "says_nothing", "cut_off", "circles", "one_attempt"]
)
def test_what_is_well_is_not_complained_of(rule: str) -> None:
    """A model that judges well and ends its texts gets no such sentence."""
    assert rule not in rules(measured(GOOD))


def test_few_outputs_say_less() -> None:
    """The same weakness in few questions is no sentence: the interval, not the value, has to lie beyond the bound."""
    skill = Skill(right=0.7, judges_right=0.85, judges_wrong=0.6)
    few, many = measured(skill, 5), measured(skill, 300)
    assert rules(few) < rules(many) | rules(few)
    assert len(rules(few)) < len(rules(many))


def test_a_dataset_of_ours_gets_no_advice(tmp_path: Path) -> None:
    """Its wrong attempts are meant."""
    build("demo:30", tmp_path / "traces", Recipe(), workers=1)
    assert advise(measure(str(tmp_path / "traces"))) == []
