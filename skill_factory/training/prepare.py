"""The folder of a training: the data as TRL takes it, the script, and the settings that it reads.

OUT/training.json  the settings         data/         train-*.parquet, and reward.py for GRPO
    train_sft.py   the script           checkpoints/  the last two
    log.jsonl      what the script said model/        the trained model with its card, at the end
"""

import json
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skill_factory.errors import TrainingError
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.recipe.model import Recipe
from skill_factory.training.card import model_card
from skill_factory.training.data import origin_of, write_data
from skill_factory.training.lengths import counter_of, lengths_of
from skill_factory.training.plan import Plan
from skill_factory.training.questions import held_out, right_answers
from skill_factory.training.settings import (
    SETTINGS,
    first_difference,
    known_settings,
    settings_of,
    without_paths,
)
from skill_factory.whole_files import write_whole

EXTRAS = {"trackio": "trackio", "wandb": "wandb", "tensorboard": "tensorboard"}
"""Packages beside TRL's that a logger needs."""


@dataclass(frozen=True)
class Prepared:
    """A training that can start."""

    plan: Plan
    folder: Path
    settings: dict[str, Any]
    lengths: npt.NDArray[np.int32]
    """Tokens of each trace; for GRPO of the traces that the build has for such questions."""
    exact: bool
    """Whether they were counted, or estimated from characters."""

    @property
    def script(self) -> Path:
        """The script in the folder."""
        return self.folder / f"train_{self.plan.method}.py"

    @property
    def data(self) -> list[Path]:
        """What the script reads."""
        return sorted(path for path in (self.folder / "data").iterdir() if path.suffix in (".parquet", ".py"))

    @property
    def extras(self) -> tuple[str, ...]:
        """Packages that the script needs beside TRL's."""
        logger = EXTRAS.get(self.plan.report_to)
        return (*(("peft",) if self.plan.lora else ()), *((logger,) if logger else ()))

    @property
    def trained(self) -> bool:
        """Whether the model is there already."""
        return (self.folder / "model" / "README.md").is_file()


def prepare(plan: Plan, token: str | None = None) -> Prepared:
    """
    Write the folder of a training, or find it as it was left.

    Errors: HandoffError for data that doesn't suit, TrainingError if the folder holds another training or other files.
    """
    plan = _settled(plan)
    source, folder = Path(plan.data), plan.folder
    origin = origin_of(source)
    settings = settings_of(plan, origin)
    known = known_settings(folder)
    if known is None:
        _check_free(folder)
        write_data(plan, source, folder, token)
    elif known["id"] != settings["id"]:
        raise TrainingError(
            f"{folder} holds another training ({first_difference(known, settings)}). Choose another folder with --out, or delete "
            "that one."
        )
    lengths, exact = lengths_of(folder / "data", source, counter_of(plan))
    settings["card"] = model_card(plan, origin.name, origin.arm, origin.recipe, len(lengths))
    settings["ask"] = held_out(source)
    # For who reads the samples: the script itself grades nothing.
    settings["golds"] = settings["ask"] or right_answers(source)
    written = _script(plan)
    write_whole(folder / f"train_{plan.method}.py", written)
    told = {name: value for name, value in settings.items() if name not in ("card", "files", "ask", "golds")}
    settings["files"] = {"training.json": json.dumps(without_paths(told), indent=1) + "\n"}
    if origin.recipe is not None:
        settings["files"]["recipe.toml"] = origin.recipe.to_toml()
    # Last: a folder without settings is one that was never finished.
    write_whole(folder / SETTINGS, json.dumps(settings, indent=1, ensure_ascii=False) + "\n")
    return Prepared(plan, folder, settings, lengths, exact)


def _settled(plan: Plan) -> Plan:
    """The plan with the folder of a local model as its whole path: the script runs elsewhere."""
    folder = Path(plan.model).expanduser()
    return replace(plan, model=str(folder.resolve())) if folder.is_dir() else plan


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder} is a file. Give a folder for --out.")
    ours = {"data", "lock", "train_sft.py", "train_grpo.py", "chat_template.jinja"}
    # A run that was killed while it wrote the data leaves these alone; anything else is somebody's.
    if folder.is_dir() and (found := sorted({path.name for path in folder.iterdir()} - ours)):
        raise TrainingError(
            f"{folder} holds files that don't belong to a training ({found[0]}). Choose another folder with --out."
        )


def _script(plan: Plan) -> str:
    """The script, with the packages that this training needs beside TRL in its head."""
    text = files("skill_factory.training").joinpath("script.py").read_text(encoding="utf-8")
    more = [*(["peft>=0.18,<0.20"] if plan.lora else []), *filter(None, [EXTRAS.get(plan.report_to)])]
    added = "".join(f'#   "{name}",\n' for name in more)
    return text.replace('#   "jinja2",\n', f'#   "jinja2",\n{added}', 1)


def rules_of_samples(prepared: Prepared) -> Recipe | None:
    """The recipe whose tags the samples have, if the data is a build: of a mixture any source's, since they share them."""
    place = Path(prepared.plan.data) / "recipe.toml"
    if not place.is_file():
        return None
    found = recipe_or_mixture(place.read_text(encoding="utf-8"), "recipe.toml")
    return found if isinstance(found, Recipe) else found.recipes[0]
