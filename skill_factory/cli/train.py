"""The command `train`: train a model on a dataset, here or on a machine of the Hub."""

import argparse
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

from skill_factory.cli.asking import say
from skill_factory.cli.output import JSON, tell
from skill_factory.hosting import hosted
from skill_factory.hub.client import stored_token
from skill_factory.training.plan import LOGGERS, Method, Place, Plan

if TYPE_CHECKING:
    from skill_factory.training.estimate import Estimate
    from skill_factory.training.machines import Trainer
    from skill_factory.training.prepare import Prepared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Train a model on a build with TRL. The estimate comes first. Ctrl-C stops after a checkpoint; the same command "
        "again resumes."
    )
    parser.add_argument("folder", metavar="DIR", help="a finished build folder, or an export for TRL or verl")
    parser.add_argument(
        "--model", required=True, metavar="NAME", help="the model to train: a folder or a name on the Hub"
    )
    parser.add_argument(
        "--method",
        choices=[one.value for one in Method],
        default=Method.SFT.value,
        help="sft learns the traces (default); grpo from the reward of its own answers",
    )
    parser.add_argument("--lora", action="store_true", help="train a small adapter instead of all weights")
    parser.add_argument(
        "--out", default="", metavar="DIR", help="the training's folder; default: named after both"
    )
    parser.add_argument("--to", default="", metavar="USER/MODEL", help="publish the trained model there")
    parser.add_argument("--public", action="store_true", help="publish for everybody; default: private")
    parser.add_argument("--estimate", action="store_true", help="say what it takes, and train nothing")
    parser.add_argument("--json", action="store_true", help=JSON)
    _place_arguments(parser)
    _value_arguments(parser)


def _place_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where")
    group.add_argument(
        "--on",
        choices=[one.value for one in Place],
        default=Place.HERE.value,
        help="here (default), or as a job on the Hub",
    )
    group.add_argument(
        "--python", default="", metavar="PATH", help="here: a Python with TRL; default: this one, else uv"
    )
    group.add_argument(
        "--flavor", default="", metavar="F", help="job: the machine; default: the cheapest that fits"
    )
    group.add_argument(
        "--minutes",
        type=int,
        default=0,
        metavar="N",
        help="stop after this time; default for a job: the estimate twice",
    )
    group.add_argument("--yes", action="store_true", help="job: don't ask before starting it")


def _value_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("values")

    def add(name: str, kind: type, default: object, metavar: str, words: str) -> None:
        group.add_argument(name, type=kind, default=default, metavar=metavar, help=words)

    add("--epochs", float, Plan.epochs, "E", f"times that each trace is seen; default: {Plan.epochs:g}")
    add("--steps", int, 0, "K", "maximum steps; default: no limit")
    add("--batch", int, Plan.batch, "B", f"traces (grpo: questions) per step; default: {Plan.batch}")
    add("--learning-rate", float, 0.0, "R", "default: 1e-6, with --lora 2e-4 (sft) or 1e-5 (grpo)")
    add("--cutoff-len", int, Plan.cutoff, "TOKENS", f"shorten longer traces; default: {Plan.cutoff}")
    group.add_argument("--drop-over", action="store_true", help="leave out longer traces instead")
    add("--seed", int, 0, "S", "default: 0")
    add(
        "--save-minutes",
        float,
        Plan.save_minutes,
        "M",
        f"between checkpoints; default: {Plan.save_minutes:g}",
    )
    add("--sample-tokens", int, Plan.sample_tokens, "TOKENS", "longest sample during training; 0 takes none")
    group.add_argument("--report-to", choices=LOGGERS, default="none", help="send figures there, too")
    add(
        "--generations",
        int,
        Plan.generations,
        "G",
        f"grpo: outputs per question; default: {Plan.generations}",
    )
    add(
        "--completion-len",
        int,
        Plan.completion,
        "TOKENS",
        f"grpo: longest output; default: {Plan.completion}",
    )
    group.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="PATH",
        help="grpo: the source file of the build, for its questions; for each source of a mixture NAME=PATH",
    )


def run(args: argparse.Namespace) -> int:
    """Estimate, train, and say what came of it. Errors: SkillFactoryError."""
    from skill_factory.training.prepare import prepare

    plan, token = _plan(args), stored_token()
    _refuse_strangers(plan)
    if not args.estimate:
        return _run(args, prepare(plan, token), token)
    # A question about costs leaves nothing behind.
    with tempfile.TemporaryDirectory() as folder:
        return _run(args, prepare(replace(plan, out=f"{folder}/{plan.folder.name}"), token), token)


def _run(args: argparse.Namespace, prepared: "Prepared", token: str | None) -> int:
    if prepared.plan.place is Place.JOBS:
        from skill_factory.cli.train_jobs import train_on_jobs

        return train_on_jobs(prepared, token, yes=args.yes, estimate_only=args.estimate, json_only=args.json)
    return _train_here(args, prepared, token)


def _plan(args: argparse.Namespace) -> Plan:
    return Plan(
        data=args.folder,
        model=args.model,
        method=Method(args.method),
        lora=args.lora,
        place=Place(args.on),
        flavor=args.flavor,
        minutes=args.minutes,
        out=args.out,
        to=args.to,
        public=args.public,
        epochs=args.epochs,
        steps=args.steps,
        batch=args.batch,
        rate=args.learning_rate,
        cutoff=args.cutoff_len,
        drop_over=args.drop_over,
        seed=args.seed,
        save_minutes=args.save_minutes,
        sample_tokens=args.sample_tokens,
        report_to=args.report_to,
        generations=args.generations,
        completion=args.completion_len,
        source=tuple(args.source),
    )


def _refuse_strangers(plan: Plan) -> None:
    from skill_factory.errors import TrainingError

    if plan.place is Place.HERE and hosted():
        raise TrainingError(
            "This server is shared, so nothing is trained on it. Train on a machine of the Hub (--on hf-jobs), or on your "
            "own computer."
        )


def _train_here(args: argparse.Namespace, prepared: "Prepared", token: str | None) -> int:
    from skill_factory.cli.train_jobs import saying
    from skill_factory.training.machines import this_computer
    from skill_factory.training.pythons import command_for
    from skill_factory.training.running import EXPIRED, STOPPED, run_here
    from skill_factory.training.takes import lines

    if prepared.trained:
        say([f"{prepared.folder / 'model'} is trained already. Nothing was done."])
        return _told(args, prepared, 0)
    # Before the estimate: without TRL nothing else matters.
    python = [] if args.estimate else command_for(args.python, prepared.extras)
    # Once: a model on the Hub is asked for its size.
    takes = estimate_of(prepared, this_computer(), token)
    say(lines(prepared, takes))
    if args.estimate:
        return _told(args, prepared, 0, takes)
    code = run_here(prepared, python, saying(prepared), token)
    if code == STOPPED:
        say(["Stopped. The last checkpoint is kept; run the same command again to resume."])
    elif code == EXPIRED:
        say(["Its time is over. The last checkpoint is kept; run the same command again to resume."])
    return _told(args, prepared, code)


def estimate_of(prepared: "Prepared", machine: "Trainer", token: str | None) -> "Estimate":
    """The estimate of a training on a machine."""
    from skill_factory.training.estimate import estimate_training
    from skill_factory.training.facts import model_facts

    return estimate_training(
        prepared.plan, prepared.lengths, model_facts(prepared.plan.model, token), machine
    )


def _told(
    args: argparse.Namespace,
    prepared: "Prepared",
    code: int,
    takes: "Estimate | None" = None,
) -> int:
    from skill_factory.training.takes import as_json

    if args.json:
        tell(as_json(prepared, takes))
    elif not code and not args.estimate:
        print(prepared.folder / "model")
        say_next(prepared)
    return code


def say_next(prepared: "Prepared") -> None:
    """How the model is asked, to see whether the skill came: by questions that it hasn't seen, if the build has some."""
    from pathlib import Path
    from shlex import quote

    from skill_factory.training.questions import held_out_file

    held = held_out_file(Path(prepared.plan.data))
    words = f"evaluate {quote(str(held)) if held else 'QUESTIONS'} --serve --model {quote(str(prepared.folder / 'model'))} --out outputs"
    say([f"Sample and measure: python -m skill_factory {words}"])
