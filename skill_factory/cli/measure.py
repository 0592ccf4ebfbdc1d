"""The command `measure`: what a model's outputs show of its skill."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.options.measure import add_arguments, settings_of
from skill_factory.cli.options.recipe import columns_of, recipe_of, token_for
from skill_factory.cli.output import plain, tell
from skill_factory.errors import RecipeError
from skill_factory.whole_files import write_whole

if TYPE_CHECKING:
    from skill_factory.measure.measurement import Measurement

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    """Measure, print, write. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.measure.measuring import measure
    from skill_factory.measure.shown.report_folder import check_free

    arrow_alone()
    # First of all: a folder that is taken should be told before an hour of counting.
    if args.out:
        check_free(Path(args.out))
    if not args.outputs and not args.suite:
        raise RecipeError("Nothing to measure. Give files, folders or datasets of outputs, or --suite DIR.")
    recipe = recipe_of(args)
    settings = settings_of(args, recipe.traces.seed)
    if args.suite:
        _write(args, _of_suite(args, recipe, settings))
        return 0
    if args.follow:
        return _follow(args, recipe, settings)
    measurement = measure(
        args.outputs,
        recipe,
        columns=columns_of(args),
        run=args.run_column,
        by=args.by,
        settings=settings,
        token=next((token for name in args.outputs if (token := token_for(name))), None),
        report=_shown(args.json),
    )
    # The judge comes after the figures: it is asked about outputs that could be read.
    _write(args, _with_judge(args, measurement, recipe, settings) if args.judge else measurement)
    return 0


def _of_suite(args: argparse.Namespace, recipe: Any, settings: Any) -> "Measurement":
    """The outputs of a suite's arms. Errors: RecipeError for options that don't go with it."""
    from skill_factory.measure.evaluation.arms import measure_suite
    from skill_factory.measure.reading import Asked

    unfit = {"--follow": args.follow, "--judge": args.judge, "--run": args.run_column}
    if wrong := [flag for flag, given in unfit.items() if given]:
        raise RecipeError(
            f"{wrong[0]} doesn't go with --suite, whose runs are its arms. Leave one of them out."
        )
    asked = Asked(recipe, tuple(columns_of(args).items()), "", tuple(args.by))
    return measure_suite(args.suite, args.outputs, asked=asked, settings=settings, report=_shown(args.json))


def _with_judge(
    args: argparse.Namespace, measurement: "Measurement", recipe: Any, settings: Any
) -> "Measurement":
    """The measurement with what a model says of untagged habits. Errors: SkillFactoryError."""
    from dataclasses import replace

    import numpy as np

    from skill_factory.cli.generate import Shown
    from skill_factory.generate.job import Job, Kind
    from skill_factory.generate.limits import Limits
    from skill_factory.generate.money import Budget, Price
    from skill_factory.generate.net.endpoint import Endpoint
    from skill_factory.generate.request import Sampling
    from skill_factory.generate.words import key_of
    from skill_factory.measure.evaluation.habits_judge import judge_habits
    from skill_factory.measure.reading import Asked, distinct_names, opened

    if args.judge_sample < 1:
        raise RecipeError(f"--judge-sample is {args.judge_sample}; it must be at least 1.")
    asked = Asked(recipe, tuple(columns_of(args).items()), args.run_column)
    openings = distinct_names([opened(name, asked, token_for(name)) for name in args.outputs])
    job = Job(
        Kind.OUTPUTS,
        args.outputs[0],
        Path(args.judge),
        Endpoint(args.model, args.endpoint, args.provider, args.stream, args.timeout),
        Sampling(top_p=None, top_k=None, repetition_penalty=None, max_tokens=512),
        pilot=args.pilot,
        price=Price(args.price_in, args.price_out),
        budget=Budget(args.budget_tokens, args.budget),
        limits=Limits(args.concurrency, args.tries, args.patience),
        retry_declined=args.retry_declined,
    )
    show = Shown(sys.stderr, args.json)
    try:
        # Only ids travel from the table; texts are read again, so that they needn't be kept.
        ids = np.asarray(measurement.table.column("output_id").to_numpy())
        judged = judge_habits(
            openings,
            settings,
            ids,
            job,
            args.judge_sample,
            key_of(job.endpoint.checked(), args.key_env),
            show,
        )
    finally:
        show.close()
    return replace(measurement, judged=judged.to_json())


def _follow(args: argparse.Namespace, recipe: Any, settings: Any) -> int:
    from skill_factory.measure.following import follow
    from skill_factory.measure.reading import Asked

    asked = Asked(recipe, tuple(columns_of(args).items()), args.run_column, tuple(args.by))
    try:
        for measurement in follow(args.outputs, asked, settings, args.every):
            _write(args, measurement)
            # Whoever reads this through a pipe should see each look when it happens.
            sys.stdout.flush()
    except KeyboardInterrupt:
        # Ctrl-C is how watching ends, so the exit code is 0.
        print("Stopped watching.", file=sys.stderr)
    return 0


def _write(args: argparse.Namespace, measurement: "Measurement") -> None:
    if args.out:
        from skill_factory.measure.shown.report_folder import write_report

        write_report(measurement, Path(args.out))
    if args.html:
        _write_page(args.html, measurement)
    if args.json:
        tell(measurement.to_json())
    elif args.tables:
        _print_tables(measurement, args.tables)
    else:
        show_measurement(measurement)
        for path in filter(None, (args.out, args.html)):
            print(plain(f"\nWritten: {path}"))


def _write_page(path: str, measurement: "Measurement") -> None:
    from skill_factory.measure.shown.card import page_of

    try:
        write_whole(Path(path), page_of(measurement))
    except OSError as error:
        raise RecipeError(
            f"Can't write the page to {path}: {error.strerror}. Choose another --html FILE."
        ) from None


def _print_tables(measurement: "Measurement", writing: str) -> None:
    from skill_factory.measure.shown.tables import tables_of

    mark = {"markdown": "##", "csv": "#", "latex": "%"}[writing]
    for table in tables_of(measurement):
        print(plain(f"{mark} {table.title}\n\n{table.written(writing)}\n"))


def show_measurement(measurement: "Measurement") -> None:
    """The tables for a terminal, what can't be said, and what the figures say about the next dataset."""
    from skill_factory.measure.shown.advice import advise
    from skill_factory.measure.shown.tables import tables_of

    for table in tables_of(measurement):
        print(plain(f"{table.title}"))
        widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
        for row in (table.columns, *table.rows):
            cells = [
                cell.ljust(width) if k == 0 else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            print(plain(f"  {'  '.join(cells)}".rstrip()))
        print()
    for title, lines in (
        ("Before you believe the figures", [*measurement.notes, *measurement.missing]),
        (
            "For the next dataset",
            [f"{advice.run}: {advice.sentence} ({advice.source})" for advice in advise(measurement)],
        ),
    ):
        if lines:
            print(plain("\n".join([title, *(f"  - {line}" for line in lines)])))


def _shown(quiet: bool) -> Any:
    """Progress on a terminal: one line that is written over."""
    live = sys.stderr.isatty() and not quiet

    def show(done: int, total: int, outputs: int) -> None:
        if live:
            # The last state is wiped, so that the result begins on a clean line.
            end = "\r\x1b[2K" if done == total else ""
            print(
                f"\r\x1b[2Kmeasuring · part {done} of {total} · {outputs:,} outputs{end}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    return show
