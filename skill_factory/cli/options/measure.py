"""The options of `measure`, and those of every command that reads outputs."""

import argparse
from typing import Any

from skill_factory.cli.options.recipe import SOURCE, add_recipe_options
from skill_factory.grading import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Count attempts, reflections, verdicts and moves in a model's outputs, with intervals over questions. "
        "Outputs are files, folders, logs of trainers and evaluations, datasets of the Hub, or a build folder."
    )
    add_outputs(parser, "*")
    add = parser.add_argument_group("what is said").add_argument
    add(
        "--by",
        action="append",
        default=[],
        metavar="COLUMN",
        help="split the figures by a column, or by `difficulty`; may be given several times",
    )
    add(
        "--baseline",
        default="",
        metavar="RUN",
        help="compare all other runs with this one; default: the first of two",
    )
    add("--out", default="", metavar="DIR", help="write a report folder: report.json, card, outputs.parquet")
    add(
        "--suite",
        default="",
        metavar="DIR",
        help="compare the arms of a suite; their outputs are in DIR/outputs, or given, each named as its arm",
    )
    add("--texts", action="store_true", help="keep the outputs themselves in outputs.parquet")
    add("--html", default="", metavar="FILE", help="write one self-contained page")
    add("--tables", choices=("markdown", "csv", "latex"), default="", help="print the tables in this writing")
    add("--follow", action="store_true", help="keep measuring a folder that grows, until Ctrl-C")
    add(
        "--every",
        type=float,
        default=10.0,
        metavar="S",
        help="seconds between two looks of --follow; default: 10",
    )
    add = parser.add_argument_group("how it is done").add_argument
    add("--workers", type=int, default=0, metavar="W", help="processes; default: one per core")
    add("--engine", choices=("local", "ray"), default="local", help="where the work is done")
    add("--ray-address", default="", metavar="ADDR", help="a running Ray cluster; default: one of its own")
    _add_judge(parser)
    add_recipe_options(parser)


def _add_judge(parser: argparse.ArgumentParser) -> None:
    """The options of a model's judgement: it costs, so it is off unless a folder for its answers is named."""
    from skill_factory.cli.options.endpoint import add_pace, add_where

    add = parser.add_argument_group("a model's judgement of untagged habits, on request").add_argument
    add(
        "--judge",
        default="",
        metavar="DIR",
        help="ask a model which habits a sample of outputs shows; its answers stay in this folder",
    )
    add("--model", default="", help="the judge's name as the server knows it")
    add("--judge-sample", type=int, default=200, metavar="N", help="outputs that are judged (200)")
    add(
        "--pilot",
        type=int,
        nargs="?",
        const=20,
        default=0,
        metavar="N",
        help="so many of them only (20), with cost and time for all",
    )
    add_where(parser)
    add_pace(parser)


def add_outputs(parser: argparse.ArgumentParser, how_many: str = "+") -> None:
    """Add what every command that reads outputs takes: where they are, and how they are read."""
    # Several at once: runs are compared only within one measurement, where their draws are paired.
    parser.add_argument("outputs", nargs=how_many, metavar="OUTPUTS", help=SOURCE)
    add = parser.add_argument_group("how outputs are read").add_argument
    add(
        "--run",
        dest="run_column",
        default="",
        metavar="COLUMN",
        help="the column that names the run; default: run, model or checkpoint, else the file's name",
    )
    add(
        "--task",
        choices=[*TASKS],
        default="auto",
        help="how answers are compared; default: by each gold answer",
    )
    add(
        "--final",
        choices=("auto", "tags", "stated"),
        default="auto",
        help="final answers in <answer> tags, or as the text states them; default: tags if there are any",
    )
    add(
        "--boxed",
        action="store_true",
        help="each \\boxed{} is an attempt where an output has neither samples nor inner answers",
    )
    add(
        "--tokenizer",
        default="",
        metavar="FILE",
        help="a tokenizer.json or a model on the Hub; default: an estimate",
    )


def settings_of(args: argparse.Namespace, seed: int) -> Any:
    """The settings of a measurement, from the options. Errors: RecipeError."""
    from skill_factory.measure.measuring import Settings

    given = vars(args)
    names = ("task", "final", "boxed", "tokenizer", "texts", "baseline", "workers", "engine", "ray_address")
    # Commands take different subsets of the options; what one doesn't have keeps its default.
    return Settings(seed=seed, **{name: given[name] for name in names if name in given}).checked()
