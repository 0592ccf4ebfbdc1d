"""What other programs log today is read as it is: they are run here, on mock or tiny models, and their files inspected.

`tests/trainers/environments.sh writers` makes the environment of Inspect and lm-eval; TRL and verl run in the trainers' own.
"""

from pathlib import Path

import pytest

from skill_factory.build.pipeline import preview
from skill_factory.insight.inspection import inspect
from skill_factory.recipe.model import Recipe
from tests.trainers.test_trainers import ENVIRONMENTS, needs, run_in

HERE = Path(__file__).parent
TINY = HERE.parent / "trainers" / "tiny_model.py"
pytestmark = [pytest.mark.writers, pytest.mark.xdist_group("writers")]
in_writers, in_trl, in_verl = needs("writers"), needs("trl"), needs("llamafactory-verl")


@pytest.fixture(scope="module")
def inspect_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of Inspect's mock model over three questions and four epochs, logged in both forms."""
    folder = tmp_path_factory.mktemp("inspect")
    run_in("writers", "python", HERE / "inspect_log.py", folder)
    return folder


@in_writers
@pytest.mark.parametrize("form", ["eval", "json"])
def test_an_inspect_log_is_read_in_both_forms(inspect_logs: Path, form: str) -> None:
    """Each epoch of a sample is a response with the scorer's label, and traces come of it."""
    (log,) = (inspect_logs / form).iterdir()
    seen = inspect(str(log))
    assert (seen.preset, *vars(seen.found).values()) == ("Inspect log", 3, 12, 6, 6, 0, 0)
    recipe = Recipe().changed({"traces.formats": ("no_reflection",), "traces.attempts": 2})
    traces = preview(str(log), recipe, questions=10).traces
    assert {trace.plan.question.text for trace in traces} == {
        f"What is {a} plus {b}?" for a, b in ((2, 3), (4, 5), (6, 1))
    }
    assert all("ANSWER: " in trace.text for trace in traces)


@in_writers
def test_the_samples_of_lm_eval_are_read_once_each(tmp_path: Path) -> None:
    """Of two filters one is read; every repeat is a response; the results beside the samples aren't read as data."""
    run_in("writers", "python", HERE / "lm_eval_log.py", tmp_path)
    seen = inspect(str(tmp_path / "log"))
    assert (seen.preset, *vars(seen.found).values()) == ("lm-evaluation-harness samples", 3, 9, 0, 0, 9, 0)
    assert (seen.recipe.columns.only[0], seen.needs[0]) == ("filter", "grade")


@in_trl
@in_verl
def test_a_step_of_grpo_is_read(tmp_path: Path) -> None:
    """The completions that TRL logs are responses to their prompts, with the accuracy reward as label; its folder will do."""
    run_in("llamafactory-verl", "python", TINY, tmp_path / "model", "qwen2")
    run_in("trl", "python", HERE / "trl_log.py", tmp_path / "run", tmp_path / "model")
    seen = inspect(str(tmp_path / "run"))
    assert (seen.preset, *vars(seen.found).values()) == ("TRL completions log", 2, 8, 4, 4, 0, 0)
    assert seen.recipe.columns.correct == ("accuracy_reward",)


@in_verl
@in_writers
def test_the_rollouts_that_verl_dumps_are_read(tmp_path: Path) -> None:
    """A folder of two steps is one set: the template's words taken off, the step kept as the variant."""
    beside = str((ENVIRONMENTS / "writers" / "beside-verl").resolve())
    for step in (7, 8):
        run_in(
            "llamafactory-verl", "python", HERE / "verl_log.py", tmp_path / "dump", step, PYTHONPATH=beside
        )
    seen = inspect(str(tmp_path / "dump"))
    assert (seen.preset, *vars(seen.found).values()) == ("verl rollout log", 3, 24, 12, 12, 0, 0)
    recipe = Recipe().changed({"traces.formats": ("no_reflection",), "traces.attempts": 2})
    traces = preview(str(tmp_path / "dump"), recipe, questions=10).traces
    assert {trace.plan.question.text for trace in traces} == {
        f"What is {a} plus {b}?" for a, b in ((2, 3), (4, 5), (6, 1))
    }
    assert seen.recipe.columns.prompt_variant == "step"
