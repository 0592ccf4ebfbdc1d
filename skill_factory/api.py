"""
What the command line does, as functions.

    from skill_factory.api import Recipe, build, inspect, preview

    seen = inspect("raw.parquet")                                  # columns, mapping, usable questions at N = 1..10
    recipe = Recipe().changed({"traces.attempts": 3})
    for trace in preview("raw.parquet", recipe).traces:            # the head of what `build` will write
        print(trace.text)
    result = build("raw.parquet", "traces", recipe)                # the build folder
    mixture, places = load_mixture("mix.toml")                     # several sources, in shares
    mixed = build_mixture(mixture, "mixed", places)
    arms = ablate("raw.parquet", "suite", "paper").rows            # arms of one recipe on the same questions, compared
    found = measure(["base.jsonl", "tuned.jsonl"], baseline="base")  # what a model's outputs show; .to_json(), .to_pandas()
    ready = prepare_training(Plan("traces", "Qwen/Qwen2.5-0.5B", lora=True))  # the folder of a training
    train(ready)                                                   # by a Python with TRL, until it is trained or stopped
"""

from pathlib import Path

from skill_factory.build.mixture import build_mixture, preview_mixture
from skill_factory.build.pipeline import BuildResult, Preview, build, preview
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.insight.inspection.mixture import MixtureInspection, inspect_mixture
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.measuring import measure
from skill_factory.recipe.mixture import Ingredient, Mixture
from skill_factory.recipe.mixture_file import load_mixture
from skill_factory.recipe.model import Recipe, load_recipe
from skill_factory.sources.demo.rows import DEFAULT_QUESTIONS, write_demo
from skill_factory.sources.demo.worlds import world_named
from skill_factory.suites.ablating import SuiteResult, ablate
from skill_factory.suites.suite import Suite, load_suite
from skill_factory.traces.lint import LintReport, lint_path
from skill_factory.training import Method, Plan, Prepared, Seen, command_for, read_log, run_here
from skill_factory.training import prepare as prepare_training

__all__ = [
    "BuildResult",
    "Ingredient",
    "Inspection",
    "LintReport",
    "Measurement",
    "Method",
    "Mixture",
    "MixtureInspection",
    "Plan",
    "Prepared",
    "Preview",
    "Recipe",
    "Seen",
    "Suite",
    "SuiteResult",
    "ablate",
    "build",
    "build_mixture",
    "demo",
    "inspect",
    "inspect_mixture",
    "lint",
    "load_mixture",
    "load_recipe",
    "load_suite",
    "measure",
    "prepare_training",
    "preview",
    "preview_mixture",
    "train",
]


def lint(path: str | Path) -> LintReport:
    """Check the traces of a file or folder, ours or not. Errors: SourceError if it can't be read."""
    return lint_path(Path(path))


def demo(
    path: str | Path, questions: int = DEFAULT_QUESTIONS, seed: int = 0, world: str = "countdown"
) -> int:
    """
    Write the raw data of one of the demo's worlds (`countdown`, `sums`) as Parquet; returns the number of rows.

    The columns have the names of the paper's script. Errors: SourceError, RecipeError.
    """
    return write_demo(path, questions, seed, world_named(world))


def train(prepared: Prepared, python: str = "", token: str | None = None) -> Seen:
    """
    Run a training on this computer until it ends or is stopped by Ctrl-C, and give its state; run it again to resume.

    `python` has TRL; without it, as the command looks for one. Errors: TrainingError.
    """
    if not prepared.trained:
        run_here(prepared, command_for(python, prepared.extras), lambda event: None, token)
    return read_log(prepared.folder)
