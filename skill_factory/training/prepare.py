"""The folder of a training: the data as TRL takes it, the script, and the settings that it reads.

OUT/training.json  the settings         data/         train-*.parquet, and reward.py for GRPO
    train_sft.py   the script           checkpoints/  the last two
    log.jsonl      what the script said model/        the trained model with its card, at the end
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from skill_factory.asked import asked
from skill_factory.build.folder import HELD_OUT
from skill_factory.errors import HandoffError, TrainingError
from skill_factory.grading import final_answer
from skill_factory.measure.parts import names_of
from skill_factory.recipe.mixture import AnyRecipe, recipe_or_mixture
from skill_factory.sources.chats.context import asked_by
from skill_factory.sources.turns import turns_of
from skill_factory.traces.chats import plain_messages
from skill_factory.traces.lengths import AROUND, TokenCounter, estimating_counter, load_counter
from skill_factory.trainers import TRL, VERL, Options, QuestionsTrainer, export_build
from skill_factory.trainers.bundle import open_bundle
from skill_factory.trainers.export import MARK
from skill_factory.trainers.options import family_of
from skill_factory.trainers.templates import fill_template
from skill_factory.training.card import model_card
from skill_factory.training.plan import Method, Place, Plan
from skill_factory.whole_files import write_whole

SETTINGS = "training.json"
ASKED = 4
"""Questions among which the samples take turns."""
FREE = (
    "name",
    "save_minutes",
    "deadline_minutes",
    "sample_tokens",
    "report_to",
    "push_checkpoints",
    "public",
    "to",
)
"""Settings that may differ when a training is resumed: they don't change what is trained."""
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


@dataclass(frozen=True)
class _Origin:
    """Where the data comes from."""

    name: str
    arm: str
    recipe: AnyRecipe | None
    digest: str


def prepare(plan: Plan, token: str | None = None) -> Prepared:
    """
    Write the folder of a training, or find it as it was left.

    Errors: HandoffError for data that doesn't suit, TrainingError if the folder holds another training or other files.
    """
    plan = _settled(plan)
    source, folder = Path(plan.data), plan.folder
    origin = _origin(source)
    settings = _settings(plan, origin)
    known = _known(folder)
    if known is None:
        _check_free(folder)
        _write_data(plan, source, folder, token)
    elif known["id"] != settings["id"]:
        raise TrainingError(
            f"{folder} holds another training ({_difference(known, settings)}). Choose another folder with --out, or delete "
            "that one."
        )
    lengths, exact = _lengths(folder / "data", source, _counter(plan))
    settings["card"] = model_card(plan, origin.name, origin.arm, origin.recipe, len(lengths))
    settings["ask"] = _held_out(source)
    # For who reads the samples: the script itself grades nothing.
    settings["golds"] = settings["ask"] or _right_answers(source)
    written = _script(plan)
    write_whole(folder / f"train_{plan.method}.py", written)
    told = {name: value for name, value in settings.items() if name not in ("card", "files", "ask", "golds")}
    settings["files"] = {"training.json": json.dumps(_without_paths(told), indent=1) + "\n"}
    if origin.recipe is not None:
        settings["files"]["recipe.toml"] = origin.recipe.to_toml()
    # Last: a folder without settings is one that was never finished.
    write_whole(folder / SETTINGS, json.dumps(settings, indent=1, ensure_ascii=False) + "\n")
    return Prepared(plan, folder, settings, lengths, exact)


def _settled(plan: Plan) -> Plan:
    """The plan with the folder of a local model as its whole path: the script runs elsewhere."""
    folder = Path(plan.model).expanduser()
    return replace(plan, model=str(folder.resolve())) if folder.is_dir() else plan


def _settings(plan: Plan, origin: _Origin) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "name": plan.folder.name,
        "method": plan.method.value,
        "model": plan.model,
        "lora": plan.lora,
        "data": origin.digest,
        "epochs": plan.epochs,
        "max_steps": plan.steps,
        "batch": plan.batch,
        "learning_rate": plan.learning_rate,
        "cutoff": plan.cutoff,
        "drop_over": plan.drop_over,
        "seed": plan.seed,
        "generations": plan.generations,
        "completion_tokens": plan.completion,
        "questions": ASKED,
        "chat_template": _chat_template(plan),
        "sample_tokens": plan.sample_tokens,
        "save_minutes": plan.save_minutes,
        "deadline_minutes": plan.minutes,
        "to": plan.to,
        "public": plan.public,
        "push_checkpoints": plan.place is Place.JOBS,
        "report_to": plan.report_to,
    }
    fixed = {name: value for name, value in settings.items() if name not in FREE}
    return {"id": hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16], **settings}


def _chat_template(plan: Plan) -> str:
    """A template in place of the model's own, where that one would drop the thinking."""
    drops = plan.method is Method.SFT and family_of(plan.model) == "deepseek_r1"
    return fill_template("deepseek_r1.jinja") if drops else ""


def _difference(known: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The first setting that differs, in words."""
    for name, value in wanted.items():
        if name not in ("id", *FREE) and known.get(name) != value:
            return f"{name}: {known.get(name)!r} there, {value!r} now"
    return "made by another version"


def _known(folder: Path) -> dict[str, Any] | None:
    try:
        read = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return read if isinstance(read, dict) and "id" in read else None
    except (OSError, ValueError):
        return None


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder} is a file. Give a folder for --out.")
    ours = {"data", "lock", "train_sft.py", "train_grpo.py", "chat_template.jinja"}
    # A run that was killed while it wrote the data leaves these alone; anything else is somebody's.
    if folder.is_dir() and (found := sorted({path.name for path in folder.iterdir()} - ours)):
        raise TrainingError(
            f"{folder} holds files that don't belong to a training ({found[0]}). Choose another folder with --out."
        )


# -- the data --------------------------------------------------------------------------------------------------------


def _origin(source: Path) -> _Origin:
    if (source / MARK).is_file():
        mark = json.loads((source / MARK).read_text(encoding="utf-8"))
        digest = hashlib.sha256()
        for path in _exported(source):
            digest.update(path.read_bytes())
        return _Origin(source.resolve().name, "", None, f"{mark['build'][:16]}-{digest.hexdigest()[:16]}")
    bundle = open_bundle(source)
    report = json.loads((source / "report.json").read_text(encoding="utf-8"))
    place = source.resolve()
    arm = place.name if (place.parents[1] / "suite.toml").is_file() and place.parent.name == "arms" else ""
    name = place.parents[1].name if arm else place.name
    return _Origin(name, arm, bundle.recipe, str(report["rows_digest"]))


def _exported(source: Path) -> list[Path]:
    """The data files of an export: traces, tokens, or questions with their reward."""
    found = [*source.glob("train*.parquet"), *source.glob("data/train*.parquet"), *source.glob("reward.py")]
    return sorted(found)


def _write_data(plan: Plan, source: Path, folder: Path, token: str | None) -> None:
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


def _counter(plan: Plan) -> TokenCounter:
    """The tokenizer of a model that lies here, else an estimate: a first answer doesn't wait for a download."""
    try:
        return load_counter(plan.model) if Path(plan.model).is_dir() else estimating_counter()
    except HandoffError:
        return estimating_counter()


def _lengths(data: Path, source: Path, counter: TokenCounter) -> tuple[npt.NDArray[np.int32], bool]:
    """Tokens of each row: as written, or estimated from characters."""
    paths = sorted(data.glob("train*.parquet"))
    names = pq.read_schema(paths[0]).names
    if "input_ids" in names:
        columns = [pq.read_table(path, columns=["input_ids"]).column(0) for path in paths]
        lists = [len(ids) for column in columns for ids in column.to_pylist()]
        return np.array(lists, np.int32), True
    count = counter.count
    found: list[int] = []
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(1_000, columns=_texts(names)):
            texts = [
                "".join(_content(turn) for turns in row.values() for turn in turns)
                for row in batch.to_pylist()
            ]
            found += [AROUND + tokens for tokens in count(texts)]
    if "completion" not in names and (source / "report.json").is_file():
        # Of the model's own answers nobody knows the length yet; traces of the same questions are the best guess.
        traces = [row["conversations"][-1]["content"] for row in open_bundle(source).rows()]
        found = [int(np.median(count(traces)))] * len(found)
        return np.array(found, np.int32), False
    return np.array(found, np.int32), counter.exact


def _content(turn: Any) -> str:
    """The text of a message, or of the JSON of one with calls."""
    return str(turn["content"]) if isinstance(turn, dict) else str(turn)


def _texts(names: list[str]) -> list[str]:
    return [name for name in ("prompt", "completion") if name in names]


def _held_out(source: Path) -> dict[str, str]:
    """Questions that the build holds out, with their answers; none, and the samples are of the training's questions."""
    for path in sorted((source / HELD_OUT).glob("test-*.parquet")):
        rows = pq.read_table(path, columns=["question", "answer"]).slice(0, ASKED).to_pylist()
        return {_asks(str(row["question"])): str(row["answer"]) for row in rows}
    return {}


def _right_answers(source: Path) -> dict[str, str]:
    """The right answers of the questions that the samples are of: the first ones, as far as a trace ends in one."""
    if not (source / "report.json").is_file():
        return {}
    bundle, found = open_bundle(source), dict[str, str]()
    names, met = names_of(bundle.recipe.tags), set[str]()
    for row in bundle.rows():
        question, text = (row["conversations"][place]["content"] for place in (0, -1))
        met.add(question)
        if len(met) > ASKED:
            break
        if row.get("attempts") and row["attempts"][-1]["correct"] and (answer := final_answer(text, names)):
            found.setdefault(question, answer)
    return found


def _asks(cell: str) -> str:
    """A held-out question as the script asks it: one in a conversation as messages of role and text alone."""
    text = asked_by(cell, None) if turns_of(cell) else cell
    whole = asked(text)
    return cell if whole.alone else json.dumps(plain_messages(whole), ensure_ascii=False)


# -- the script ------------------------------------------------------------------------------------------------------


def _script(plan: Plan) -> str:
    """The script, with the packages that this training needs beside TRL in its head."""
    text = files("skill_factory.training").joinpath("script.py").read_text(encoding="utf-8")
    more = [*(["peft>=0.18,<0.20"] if plan.lora else []), *filter(None, [EXTRAS.get(plan.report_to)])]
    added = "".join(f'#   "{name}",\n' for name in more)
    return text.replace('#   "jinja2",\n', f'#   "jinja2",\n{added}', 1)


def _without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as they are published: a folder of this machine by its last name."""
    model = settings["model"]
    return settings | {"model": Path(model).name if Path(model).is_dir() else model}


def recipe_beside(folder: Path) -> AnyRecipe | None:
    """The recipe that a training's folder or a model's folder carries."""
    try:
        return recipe_or_mixture((folder / "recipe.toml").read_text(encoding="utf-8"), "recipe.toml")
    except (OSError, UnicodeDecodeError):
        return None
