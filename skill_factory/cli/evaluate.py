"""The command `evaluate`: ask a trained model, so that its outputs can be measured."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.options.recipe import SOURCE, add_recipe_options, columns_of, recipe_of, token_for

if TYPE_CHECKING:
    from skill_factory.generate.job import Job
    from skill_factory.recipe.model import Recipe

CANCELLED = 130
USUAL: Mapping[str, tuple[Callable[[str], float], float]] = {
    "temperature": (float, 0.7),
    "top_p": (float, 0.8),
    "top_k": (int, 20),
    "repetition_penalty": (float, 1.1),
}
"""How outputs are drawn, unless it is said: each setting's type and value."""
TASKS = ("auto", "exact", "number", "math", "countdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from skill_factory.cli.options.endpoint import PILOT, add_pace, add_pilot, add_where, or_none
    from skill_factory.cli.serve import add_program

    parser.description = (
        "Ask a trained model each question several times, and keep its outputs for `measure`. A run that was stopped "
        "resumes where it was; nothing that was answered is asked or paid for again."
    )
    parser.add_argument("source", metavar="QUESTIONS", help=SOURCE)
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="the folder of the outputs; keeps the answers so far",
    )
    parser.add_argument("--model", required=True, help="the model's name as the server knows it")
    parser.add_argument(
        "--samples", type=int, default=4, metavar="N", help="outputs for each question; default: 4"
    )
    parser.add_argument(
        "--task", choices=TASKS, default="auto", help="how answers are compared, for the figures of a pilot"
    )
    add_pilot(parser.add_argument, f"so many questions only ({PILOT}), with figures and a forecast")
    add = parser.add_argument_group("how it is asked").add_argument
    add("--completions", action="store_true", help="raw completions instead of chat")
    add(
        "--tokenizer",
        default="",
        metavar="FOLDER",
        help="the model's own tokenizer and chat template: a folder, or a model on the Hub",
    )
    add(
        "--budget",
        default="",
        metavar="FIRST:SECOND",
        help="budget forcing, e.g. 4096:8192: what still thinks at the first bound continues with another attempt",
    )
    for name, (cast, usual) in USUAL.items():
        flag = f"--{name.replace('_', '-')}"
        add(flag, type=or_none(cast), default=usual, metavar="X", help=f"({usual}); `none` leaves it out")
    add("--max-tokens", type=int, default=4096, metavar="N", help="maximum tokens of an output (4096)")
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="a parameter of the server's own",
    )
    add(
        "--serve",
        action="store_true",
        help="serve the model here while it is asked: MODEL is a folder, or user/name on the Hub",
    )
    add_program(parser)
    add_where(parser)
    add_pace(parser, budget="--budget-money")
    add_recipe_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask and write. Exit codes: 0 done (also where the budget ended it), 130 cancelled. Errors: SkillFactoryError."""
    if not args.serve:
        return _asked(args)
    from skill_factory.measure.evaluation.serving import (
        ServeError,
        command,
        name_of,
        refused_by,
        served,
        written_since,
    )

    if args.endpoint or args.provider:
        raise ServeError(
            "--serve starts a server of its own; leave out --endpoint and --provider, or --serve."
        )
    if written_since(args.model, args.out):
        raise ServeError(
            f"{args.out} holds the answers of an earlier {name_of(args.model)}: the model was written again since. Give another "
            "folder with --out, or delete that one."
        )
    _leave_out(args, refused_by(command(args.model, 0, args.program)))
    with served(args.model, program=args.program) as args.endpoint:
        args.model = name_of(args.model)
        return _asked(args)


def _leave_out(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Leave out what nobody asked for and the server declines; what was asked for is declined with its sentence."""
    left = [name for name in names if getattr(args, name) == USUAL[name][1]]
    for name in left:
        setattr(args, name, None)
    if left:
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in left)
        print(f"This server takes no {flags}, so outputs are drawn without.", file=sys.stderr)


def _asked(args: argparse.Namespace) -> int:
    from skill_factory.cli.generate import Shown, tell_made
    from skill_factory.generate.words import key_of
    from skill_factory.measure.evaluation.evaluating import evaluate
    from skill_factory.measure.evaluation.forcing import Evaluation, bounds_of
    from skill_factory.measure.parts import names_of

    recipe = recipe_of(args)
    # The appended tag must be the one that the model was trained with.
    names = names_of(recipe.tags)
    how = Evaluation(bounds_of(args.budget, names), args.completions, args.tokenizer, names)
    job = _job(args, recipe)
    show = Shown(sys.stderr, args.json)
    try:
        made = evaluate(job, how, key_of(job.endpoint.checked(), args.key_env), show, token_for(job.source))
    finally:
        show.close()
    tell_made(made, args.json)
    if not args.json and made.rows:
        print(f"Measure them: python -m skill_factory measure {made.out}")
    # A run that its budget ended did what it was told, so that is a success.
    return CANCELLED if made.ending == "cancelled" else 0


def _job(args: argparse.Namespace, recipe: "Recipe") -> "Job":
    from skill_factory.generate.job import Job, Kind
    from skill_factory.generate.limits import Limits
    from skill_factory.generate.money import Budget, Price
    from skill_factory.generate.net.endpoint import Endpoint

    if args.samples < 1:
        from skill_factory.errors import RecipeError

        raise RecipeError(f"--samples is {args.samples}; it must be at least 1.")
    # What the recipe leaves open is guessed later; `--map` wins over both.
    columns = {k: v for k, v in recipe.columns.model_dump().items() if v} | columns_of(args)
    return Job(
        kind=Kind.OUTPUTS,
        source=args.source,
        out=args.out,
        endpoint=Endpoint(args.model, args.endpoint, args.provider, args.stream, args.timeout),
        sampling=_sampling(args, recipe.traces.seed),
        columns=columns,
        per_variant=args.samples,
        task=args.task,
        pilot=args.pilot,
        price=Price(args.price_in, args.price_out),
        budget=Budget(args.budget_tokens, args.budget_money),
        limits=Limits(args.concurrency, args.tries, args.patience),
        retry_declined=args.retry_declined,
        part=recipe.source,
    )


def _sampling(args: argparse.Namespace, seed: int) -> Any:
    from skill_factory.errors import RecipeError
    from skill_factory.generate.request import Sampling, parse_extra

    given = {
        name: getattr(args, name)
        for name in ("temperature", "top_p", "top_k", "repetition_penalty", "max_tokens")
    }
    try:
        return Sampling(**given, seed=seed, extra=parse_extra(args.parameter))
    except ValueError as error:
        # The first line of pydantic's message counts errors, and the last one is a link.
        reasons = [line.strip() for line in str(error).splitlines()[1:3]]
        raise RecipeError(f"These sampling settings can't be used: {': '.join(reasons)}.") from None
