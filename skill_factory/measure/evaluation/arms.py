"""The outputs of models that were trained on the arms of a suite: each arm is a run, and all are compared with the base."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from skill_factory.errors import RecipeError
from skill_factory.measure.layout import Asked
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.measuring import Report, Settings, measured
from skill_factory.measure.reading import Opened, opened, run_name
from skill_factory.suites.desk import suite_report
from skill_factory.suites.suite import BASE
from skill_factory.wording import found, listed

OUTPUTS = "outputs"
"""The folder of a suite where the outputs of its arms are looked for."""


def measure_suite(
    folder: str | Path,
    outputs: Sequence[str] = (),
    *,
    asked: Asked,
    settings: Settings,
    token: str | None = None,
    report: Report = lambda done, total, outputs: None,
) -> Measurement:
    """
    Measure the outputs of a suite's arms, each compared with the base question by question.

    They are in the suite's folder `outputs`, or given; each is named as its arm. Errors: SkillFactoryError.
    """
    there = suite_report(Path(folder))
    if there is None:
        raise RecipeError(f"{folder} holds no finished suite. Give the folder that `ablate --out` wrote.")
    arms: list[str] = there["arms"]
    paths = outputs_of_arms(Path(folder), arms, outputs)
    openings = [_as_arm(opened(path, asked, token), arm) for arm, path in paths.items()]
    made = measured(openings, asked, replace(settings, baseline=settings.baseline or BASE), report)
    lacking = [arm for arm in arms if arm not in paths]
    note = [f"No outputs yet of {listed(lacking)}."] if lacking else []
    return replace(made, notes=[*note, *made.notes], series=_of_steps(made))


def outputs_of_arms(folder: Path, arms: Sequence[str], given: Sequence[str] = ()) -> Mapping[str, str]:
    """Arm → its outputs, in the order of the arms. Errors: RecipeError that says what is missing or isn't an arm's."""
    paths = list(given)
    if not paths and (folder / OUTPUTS).is_dir():
        paths = sorted(str(path) for path in (folder / OUTPUTS).iterdir() if not path.name.startswith("."))
    named = [(run_name(path), path) for path in paths]
    by_arm = {name: path for name, path in named if name in arms}
    # A file of one's own that was named is an error; what merely lies in the folder isn't.
    if given and (strange := [path for name, path in named if name not in arms]):
        raise RecipeError(f"{strange[0]} isn't named as an arm of the suite. Arms: {found(arms)}.")
    if twice := [name for name, n in Counter(name for name, _ in named).items() if n > 1 and name in arms]:
        raise RecipeError(f"There are two sets of outputs of arm {twice[0]!r}. Leave one in place.")
    if BASE not in by_arm or len(by_arm) < 2:
        has = f"there are those of {listed(sorted(by_arm))}" if by_arm else "there are none"
        raise RecipeError(
            f"A comparison needs outputs of the arm `{BASE}` and of another; {has}. Put a file or folder for each into "
            f"{folder / OUTPUTS}, named as its arm (e.g. {BASE}.jsonl)."
        )
    return {arm: by_arm[arm] for arm in arms if arm in by_arm}


def _as_arm(opening: Opened, arm: str) -> Opened:
    # A column with the model's name would tear an arm apart, or join two that have the same.
    return replace(opening, layout=replace(opening.layout, name=arm, run=""))


def _of_steps(made: Measurement) -> list[Any]:
    """The series of runs that have several steps: `attempts_1` and `attempts_2` are arms, not checkpoints."""
    steps: dict[str, set[float]] = {}
    for point in made.series:
        steps.setdefault(point.run, set()).add(point.step)
    return [point for point in made.series if len(steps[point.run]) > 1]
