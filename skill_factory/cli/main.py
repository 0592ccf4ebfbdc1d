"""The command line: parse, call one function of the package, print. `python -m skill_factory --help`."""

import argparse
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from skill_factory.errors import RecipeError, SkillFactoryError
from skill_factory.recipe.options import OPTIONS, recipe_changes

if TYPE_CHECKING:
    from skill_factory.build.engines import Engine
    from skill_factory.recipe.model import Recipe

FIELDS = (
    "question",
    "answer",
    "response",
    "correct",
    "extracted_answer",
    "reflections",
    "prompt_variant",
    "verdicts",
    "question_rest",
    "correct_else",
    "thinking",
)
USE_ERROR, INTERRUPTED = 2, 130


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(USE_ERROR, f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.\n")


def run() -> NoReturn:
    """The program: its exit code is 0, 1 (lint found something), 2 (an error to mend) or 130 (Ctrl-C)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a terminal may not know every character of the data
    if sys.argv[1:2] == ["build"]:
        gc.disable()  # as in its workers: many small tuples, and no cycles
    try:
        code = main(sys.argv[1:])
        gc.freeze()  # what is left goes with the process: nobody needs to look for cycles in it
        # What is done is done: a late Ctrl-C changes no exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(code)
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def main(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code."""
    if odd := next((word for word in arguments if not _is_text(word)), ""):
        print(
            f"The argument {plain(odd)!r} is not UTF-8 text. Rename the file, or leave it out.",
            file=sys.stderr,
        )
        return USE_ERROR
    args = parser().parse_args(arguments)
    try:
        code: int = args.run(args)
        return code
    except SkillFactoryError as error:
        print(plain(str(error)), file=sys.stderr)
        return USE_ERROR
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept; run the same command again to go on.", file=sys.stderr)
        return INTERRUPTED


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        return False
    return True


def tell(value: dict[str, Any]) -> None:
    """Print one JSON object, in characters that standard output can show."""
    utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not utf_8))


def plain(text: str) -> str:
    """A text without control characters: file names and cells could steer the terminal."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text)


def parser() -> Parser:
    """All commands with their options."""
    top = Parser(
        prog="python -m skill_factory",
        description="Turn a model's own answers and critiques into think / sample / reflect training traces.",
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    one = _command(commands, "inspect", _inspect, "what a source holds, and what can be made of it")
    one.add_argument("source", help=_SOURCE)
    one.add_argument(
        "--whole", action="store_true", help="read all of a large source, not only its first rows"
    )
    _recipe_options(one)
    one = _command(commands, "build", _build, "make the training set")
    one.add_argument("source", nargs="?", default="", help=_SOURCE)
    one.add_argument("--out", default="", metavar="DIR", help="the build folder")
    one.add_argument("--workers", type=int, default=0, metavar="W", help="processes; default: one per core")
    one.add_argument(
        "--memory",
        default="",
        metavar="SIZE",
        help="memory to keep below, e.g. 1GB; fewer workers if need be",
    )
    one.add_argument("--fresh", action="store_true", help="replace the build that is in the folder")
    one.add_argument("--engine", choices=("local", "ray"), default="local", help="where the work is done")
    one.add_argument(
        "--ray-address", default="", metavar="ADDR", help="a running Ray cluster; default: one of its own"
    )
    job = one.add_argument_group(
        "on a machine of the Hub", "for Hub and demo sources; cost and time are said first"
    )
    job.add_argument(
        "--on", choices=("here", "hf-jobs"), default="here", help="run here, or as a job of the Hub"
    )
    job.add_argument("--to", default="", metavar="USER/NAME", help="where the job publishes the data set")
    job.add_argument("--mode", choices=("new", "pr", "replace"), default="new", help="as in `push`")
    job.add_argument("--public", action="store_true", help="publish for everybody; default: private")
    job.add_argument(
        "--flavor",
        default="",
        metavar="NAME",
        help="kind of machine; default: eight cores without accelerator",
    )
    job.add_argument(
        "--minutes", type=int, default=60, metavar="M", help="the job is stopped after this time"
    )
    job.add_argument("--yes", action="store_true", help="don't ask before starting it")
    _recipe_options(one)
    one = _command(commands, "preview", _preview, "show the first traces of a build, before it")
    one.add_argument("source", nargs="?", default="", help=_SOURCE)
    one.add_argument("--questions", type=int, default=2, metavar="K", help="questions to show; default: 2")
    one.add_argument("--html", default="", metavar="FILE", help="write one self-contained page instead")
    _recipe_options(one)
    one = _command(commands, "demo", _demo, "write the demo's raw data")
    one.add_argument("--out", required=True, metavar="FILE.parquet")
    one.add_argument("--questions", type=int, default=500, metavar="N")
    one.add_argument("--seed", type=int, default=0, metavar="S")
    one.add_argument("--json", action="store_true", help=_JSON)
    one = _command(commands, "lint", _lint, "check traces, ours or not; exit code 1 if something was found")
    one.add_argument("path", help="a file or folder of traces")
    one.add_argument("--json", action="store_true", help=_JSON)
    _commands_of_others(commands)
    return top


_SOURCE = "demo[:N], a file, folder or glob, or a Hub data set user/name[@revision]"
_JSON = "one JSON object on standard output and nothing else there"


def _command(commands: Any, name: str, run: Any, summary: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    made.set_defaults(run=run)
    return made


def _commands_of_others(commands: Any) -> None:
    import importlib
    import importlib.util

    for name in ("grade_command", "generate_command", "handoff_command", "hub_commands"):
        if importlib.util.find_spec(f"skill_factory.{name}"):
            importlib.import_module(f"skill_factory.{name}").add_arguments(commands)


def _recipe_options(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("recipe", "what the data set holds; saved as recipe.toml")
    group.add_argument(
        "--recipe", default="", metavar="FILE", help="a recipe file, a shipped one (paper), or hf:USER/NAME"
    )
    group.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN",
        help=f"which column holds a field ({', '.join(FIELDS)}); response several times for the wide form",
    )  # fmt: skip
    for option in OPTIONS:
        name = option.flag.lstrip("-").replace("-", "_")
        if not option.metavar:
            group.add_argument(option.flag, dest=f"set_{name}", action="store_true", help=option.help)
        else:
            group.add_argument(
                option.flag, dest=f"set_{name}", metavar=option.metavar, help=option.help, default=None,
                action="append" if option.many else "store", type=int if option.number else str,
            )  # fmt: skip
    group.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE",
        help="any other field of the recipe, its value as TOML, e.g. balance.pass_rate=[0.2,0.8]",
    )  # fmt: skip
    made.add_argument("--json", action="store_true", help=_JSON)


def recipe_of(args: argparse.Namespace) -> "Recipe":
    """The recipe of the options: the file or preset first, options on top. Errors: RecipeError."""
    import tomllib

    from skill_factory.recipe.model import Recipe

    recipe = _given_recipe(args.recipe) if args.recipe else Recipe()
    given = {
        option.flag: getattr(args, f"set_{option.flag.lstrip('-').replace('-', '_')}") for option in OPTIONS
    }
    changes = recipe_changes(given)
    for text in args.set:
        name, sign, value = text.partition("=")
        try:
            changes[name.strip()] = tomllib.loads(f"value = {value}")["value"] if sign else None
        except tomllib.TOMLDecodeError:
            changes[name.strip()] = value
        if not sign:
            raise RecipeError(f"--set takes FIELD=VALUE; found {text!r}. Example: --set balance.min_wrong=1.")
    return recipe.changed(changes) if changes else recipe


def _given_recipe(name: str) -> "Recipe":
    """A recipe file, a shipped one, or that of a published data set (`hf:USER/NAME`)."""
    from skill_factory.recipe.model import load_recipe, recipe_from_toml

    if not name.startswith("hf:"):
        return load_recipe(name)
    from skill_factory.hub.client import read_text, stored_token

    repo, _, revision = name.removeprefix("hf:").partition("@")
    return recipe_from_toml(read_text(repo, "recipe.toml", stored_token(), revision or None), name)


def columns_of(args: argparse.Namespace) -> dict[str, Any]:
    """The mapping given by --map. Errors: RecipeError."""
    from skill_factory.sources.columns import JOINED, MANY

    found: dict[str, Any] = {}
    for text in args.map:
        field, sign, column = text.partition("=")
        if not sign or field not in FIELDS:
            raise RecipeError(
                f"--map takes FIELD=COLUMN with a field of {', '.join(FIELDS)}; found {text!r}."
            )
        if field in (*MANY, *JOINED):
            found[field] = [*found.get(field, []), column] if column else []
        else:
            found[field] = column
    return found


def _source_of(args: argparse.Namespace, recipe: "Recipe") -> str:
    from skill_factory.sources import source_of_recipe

    return args.source or source_of_recipe(recipe.source)


def token_for(source: str) -> str | None:
    """The stored login where the source may be on the Hub; other sources need none."""
    from skill_factory.sources.hub import looks_like_repo

    if os.path.exists(source) or not looks_like_repo(source):
        return None
    from skill_factory.hub.client import stored_token

    return stored_token()


# -- commands ------------------------------------------------------------------------------------------------------


def _inspect(args: argparse.Namespace) -> int:
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.cli.output import show_inspection
    from skill_factory.insight.inspection import inspect

    arrow_alone()
    found = inspect(
        args.source, recipe_of(args), columns=columns_of(args), whole=args.whole, token=token_for(args.source)
    )
    tell(found.to_json()) if args.json else show_inspection(found)
    return 0


def _build(args: argparse.Namespace) -> int:
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.build.pipeline import build
    from skill_factory.build.progress import TerminalReport
    from skill_factory.cli.output import show_build

    arrow_alone()
    recipe = recipe_of(args)
    if args.on == "hf-jobs":
        return _build_on_jobs(args, recipe)
    if not args.out:
        raise RecipeError("A build needs a folder to write to: --out DIR.")
    source = _source_of(args, recipe)
    report = TerminalReport()
    try:
        result = build(
            source, args.out, recipe, columns=columns_of(args), workers=args.workers, fresh=args.fresh,
            report=report, token=token_for(source), engine=_engine(args), exact=args.recipe.startswith("hf:"),
        )  # fmt: skip
    finally:
        report.close()
    same = _same_as_published(args.recipe, result.report)
    if args.json:
        told = {"path": str(result.path), "resumed": result.resumed, "already": result.already}
        tell({**told, **same, **result.report})
        return 0
    show_build(result)
    if same:
        words = "the same rows as" if same["same_as_published"] else "NOT the same rows as"
        print(f"  digest      {result.report['rows_digest']}: {words} the published data set")
    return 0


def _build_on_jobs(args: argparse.Namespace, recipe: "Recipe") -> int:
    from skill_factory.cli.hub import build_on_jobs

    if not args.to:
        raise RecipeError("A job publishes what it builds; say where: --to USER/NAME.")
    if args.map:
        recipe = recipe.changed({f"columns.{field}": value for field, value in columns_of(args).items()})
    return build_on_jobs(
        recipe, args.to, source=args.source, mode=args.mode, public=args.public, flavor=args.flavor,
        minutes=args.minutes, yes=args.yes,
    )  # fmt: skip


def _same_as_published(name: str, report: dict[str, Any]) -> dict[str, bool]:
    """Whether a rebuilt data set holds the published rows; empty for a recipe that is not from the Hub."""
    if not name.startswith("hf:"):
        return {}
    from skill_factory.hub.client import read_text, stored_token

    repo, _, revision = name.removeprefix("hf:").partition("@")
    published = json.loads(read_text(repo, "report.json", stored_token(), revision or None))
    return {"same_as_published": published.get("rows_digest") == report["rows_digest"]}


def _engine(args: argparse.Namespace) -> "Engine | None":
    from skill_factory.build.engines.local import local_engine, workers_within

    if args.engine == "ray":
        from skill_factory.build.engines.ray import ray_engine

        return ray_engine(args.ray_address)
    return local_engine(workers_within(args.memory, args.workers)) if args.memory else None


def _preview(args: argparse.Namespace) -> int:
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.build.pipeline import preview
    from skill_factory.insight.html import html_page, terminal
    from skill_factory.model import hex_id

    arrow_alone()
    recipe = recipe_of(args)
    source = _source_of(args, recipe)
    found = preview(
        source, recipe, columns=columns_of(args), questions=args.questions, token=token_for(source)
    )
    if args.html:
        _write_page(args.html, html_page(found.traces, "Traces, before the build"))
    if args.json:
        rows = [
            {
                "trace_id": hex_id(one.id), "label": one.plan.label, "format": one.plan.format,
                "question": one.plan.question.text, "text": one.text,
            }
            for one in found.traces
        ]  # fmt: skip
        tell({"traces": rows})
    elif args.html:
        print(plain(f"{len(found.traces)} traces in {args.html}"))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for trace in found.traces:
            print(terminal(trace, colour), end="\n\n")
    return 0


def _write_page(path: str, page: str) -> None:
    try:
        Path(path).write_text(page, encoding="utf-8")
    except OSError as error:
        raise RecipeError(
            f"Can't write the page to {path}: {error.strerror}. Choose another --html FILE."
        ) from None


def _demo(args: argparse.Namespace) -> int:
    from skill_factory.sources.demo.rows import write_demo

    rows = write_demo(args.out, args.questions, args.seed)
    told = {"path": args.out, "rows": rows, "questions": args.questions, "seed": args.seed}
    words = f"{rows:,} synthetic rows for {args.questions:,} questions in {args.out}"
    tell(told) if args.json else print(plain(words))
    return 0


def _lint(args: argparse.Namespace) -> int:
    from skill_factory.cli.output import show_lint
    from skill_factory.traces.lint import lint_path

    report = lint_path(Path(args.path))
    tell(report.to_json()) if args.json else show_lint(report)
    return 1 if report.findings else 0
