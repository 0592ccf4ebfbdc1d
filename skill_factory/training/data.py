"""The data of a training, written into its folder as TRL takes it, and where they come from."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from skill_factory.errors import HandoffError, TrainingError
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.trainers import TRL, VERL, Options, QuestionsTrainer, export_build
from skill_factory.trainers.bundle import open_bundle
from skill_factory.trainers.export import MARK
from skill_factory.training.plan import Method, Plan


@dataclass(frozen=True)
class Origin:
    """Where the data comes from."""

    name: str
    arm: str
    recipe: AnyRecipe | None
    digest: str


def origin_of(source: Path) -> Origin:
    if (source / MARK).is_file():
        mark = json.loads((source / MARK).read_text(encoding="utf-8"))
        digest = hashlib.sha256()
        for path in _exported(source):
            digest.update(path.read_bytes())
        return Origin(source.resolve().name, "", None, f"{mark['build'][:16]}-{digest.hexdigest()[:16]}")
    bundle = open_bundle(source)
    report = json.loads((source / "report.json").read_text(encoding="utf-8"))
    place = source.resolve()
    suite = place.parent.parent
    arm = place.name if place.parent.name == "arms" and (suite / "suite.toml").is_file() else ""
    name = suite.name if arm else place.name
    return Origin(name, arm, bundle.recipe, str(report["rows_digest"]))


def _exported(source: Path) -> list[Path]:
    """The data files of an export: traces, tokens, or questions with their reward."""
    found = [*source.glob("train*.parquet"), *source.glob("data/train*.parquet"), *source.glob("reward.py")]
    return sorted(found)


def write_data(plan: Plan, source: Path, folder: Path, token: str | None) -> None:
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (source / MARK).is_file():
            data.mkdir()
            for path in _exported(source):
                shutil.copyfile(path, data / path.name)
        else:
            _export(plan, source, data, token)
    except OSError as error:
        raise TrainingError(
            f"Can't write to {folder}: {error.strerror or error}. Choose another --out."
        ) from None
    rewarded = (data / "reward.py").is_file()
    if rewarded is (plan.method is Method.SFT):
        shutil.rmtree(data, ignore_errors=True)
        way = "questions for a reward" if rewarded else "traces"
        fit = "grpo" if rewarded else "sft"
        raise HandoffError(
            f"{source} is an export of {way}. Train on it with --method {fit}, or give the build."
        )


def _export(plan: Plan, source: Path, data: Path, token: str | None) -> None:
    """What `export` writes for TRL or for a reward, without its notes and its own scripts."""
    trainer = VERL if plan.method is Method.GRPO else TRL
    options = Options(
        model=plan.model,
        cutoff=plan.cutoff,
        drop_over=plan.drop_over,
        source=plan.source if isinstance(trainer, QuestionsTrainer) else "",
        response_limit=plan.completion,
    )
    export_build(source, trainer, data, options, token)
    for path in data.iterdir():
        if not (path.name.startswith("train") and path.suffix == ".parquet") and path.name != "reward.py":
            path.unlink()
