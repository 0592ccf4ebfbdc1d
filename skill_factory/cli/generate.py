"""`generate responses | reflections | batch write | batch join`: words on the command line become a job."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from skill_factory.cli.options.endpoint import (
    PILOT,
    add_pace,
    add_part,
    add_pilot,
    add_price,
    add_where,
    or_none,
)
from skill_factory.cli.output import say, tell
from skill_factory.grading import TASKS

if TYPE_CHECKING:  # the package imports heavy ones, and `--help` must not wait for them
    from skill_factory.generate import GenerateProgress, Made


CANCELLED = 130
KINDS = {
    "responses": "sample responses to each question in several prompt variants, graded where there is a gold answer",
    "reflections": "ask for reflections on each response, by a model that isn't told the truth",
}
STEPS = {
    "write": "write the requests that have no answer yet, for vLLM's run-batch or OpenAI's Batch",
    "join": "take in a batch runner's answers and write the raw set",
}
SAMPLING: tuple[tuple[str, type, float], ...] = (
    ("temperature", float, 0.7),
    ("top_p", float, 0.8),
    ("top_k", int, 20),
    ("repetition_penalty", float, 1.1),
    ("seed", int, 0),
    ("max_tokens", int, 4096),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's parts and their options."""
    parser.description = (
        "Make what a dataset lacks: responses to its questions, reflections on its responses. "
        "A run that was stopped resumes where it was; nothing that was answered is asked or paid for again."
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="responses|reflections|batch")
    for kind in KINDS:
        command = _parser(parts, kind, KINDS[kind])
        _add_what(command, kind)
        add_where(command)
        add_pace(command)
    batch = _parser(parts, "batch", "work without an endpoint: write a request file, then join its answers")
    steps = batch.add_subparsers(dest="step", required=True, metavar="write|join")
    for step in STEPS:
        kinds = _parser(steps, step, STEPS[step]).add_subparsers(
            dest="kind", required=True, metavar="responses|reflections"
        )
        for kind in KINDS:
            command = _parser(kinds, kind, KINDS[kind])
            _add_what(command, kind)
            _add_files(command, step)


def _parser(parts: Any, name: str, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(
        name, help=words, description=f"{words[:1].upper()}{words[1:]}."
    )
    parser.set_defaults(run=run)
    return parser


def _add_what(parser: argparse.ArgumentParser, kind: str) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a file, a folder, user/name on the Hub, or demo")
    add(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="the folder for the raw set; also keeps the answers so far",
    )
    add_part(parser)
    add("--model", required=True, help="the model's name as the server knows it")
    add("--map", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds which field")
    add("--prompts", default="", metavar="FILE", help="a file with your own prompts (TOML)")
    if kind == "responses":
        add("--per-variant", type=int, default=16, metavar="N", help="responses for each variant (16)")
        add("--variants", default="", metavar="A,B", help="prompt variants to use (all)")
        add("--task", default="auto", choices=[*TASKS], help="how answers are graded (auto)")
    else:
        add("--k", type=int, default=4, metavar="N", help="reflections on each response (4)")
        add("--max-k", type=int, default=0, metavar="N", help="maximum where none can be kept yet (k)")
    add_pilot(add, f"try N questions only ({PILOT}), with figures and a forecast")
    add("--json", action="store_true", help="print one JSON object at the end, and progress as JSON lines")
    _add_sampling(parser)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sampling", "`none` leaves a parameter out")
    # Read from a table of their own: to read them from the package would load it for `--help`.
    for name, cast, usual in SAMPLING:
        flag = f"--{name.replace('_', '-')}"
        read = cast if name == "max_tokens" else or_none(cast)
        group.add_argument(flag, type=read, default=usual, metavar="X", help=f"({usual})")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="any other parameter that the server knows",
    )


def _add_files(parser: argparse.ArgumentParser, step: str) -> None:
    if step == "write":
        parser.add_argument(
            "--requests",
            required=True,
            type=Path,
            metavar="FILE",
            help="where to write the requests (JSON Lines)",
        )
        return
    parser.add_argument(
        "--answers", required=True, type=Path, nargs="+", metavar="FILE", help="the batch runner's output"
    )
    add_price(parser)


# -- doing it ------------------------------------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Make it. Exit codes: 0 done, or ended by the budget; 130 cancelled. Errors: SkillFactoryError."""
    from skill_factory.cli.options.recipe import token_for
    from skill_factory.generate import generate
    from skill_factory.generate.words import job_of, key_of

    if args.part == "batch":
        return _write(args) if args.step == "write" else _join(args)
    job = job_of(args, args.part)
    # Progress goes to standard error, so that `--json` leaves one object on standard output.
    show = Shown(sys.stderr, args.json)
    try:
        made = generate(job, key_of(job.endpoint.checked(), args.key_env), show, token_for(job.source))
    finally:
        # Also after an error, whose sentence should begin a line.
        show.close()
    tell_made(made, args.json)
    return CANCELLED if made.ending == "cancelled" else 0


def _write(args: argparse.Namespace) -> int:
    from skill_factory.cli.options.recipe import token_for
    from skill_factory.generate import write_requests
    from skill_factory.generate.words import job_of

    number = write_requests(job_of(args, args.kind), args.requests, token_for(args.source))
    if args.json:
        tell({"requests": number, "file": str(args.requests)})
    else:
        say(f"{number:,} requests written to {args.requests}." if number else "Every request has its answer.")
    return 0


def _join(args: argparse.Namespace) -> int:
    from skill_factory.cli.options.recipe import token_for
    from skill_factory.generate import join_answers
    from skill_factory.generate.words import job_of

    made, lines = join_answers(job_of(args, args.kind), args.answers, token=token_for(args.source))
    if not args.json:
        say(f"Answers: {', '.join(f'{n:,} {name}' for name, n in lines.items() if n)}.")
    tell_made(made, args.json, lines=dict(lines))
    return 0


class Shown:
    """Progress on standard error: one line that is overwritten, plain lines where nobody watches, or JSON."""

    def __init__(self, stream: TextIO, as_json: bool) -> None:
        self._stream, self._json = stream, as_json
        self._live = stream.isatty() and not as_json  # a log file gets whole lines
        self._last_line = ""

    def __call__(self, progress: "GenerateProgress") -> None:
        if self._json:
            print(progress.to_json(), file=self._stream, flush=True)
            return
        line = progress.line()
        if self._live:
            print(f"\r\x1b[2K{line}", end="", file=self._stream, flush=True)
        # A log gets a line only when it says something new.
        elif line != self._last_line:
            print(line, file=self._stream, flush=True)
        self._last_line = line
        if progress.message and progress.phase != "failed":  # a failure is printed once, as an error
            print(("\n" if self._live else "") + progress.message, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave a clean line in the terminal."""
        if self._live:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)


def tell_made(made: "Made", as_json: bool, **more: Any) -> None:
    """Print what came of a run."""
    from skill_factory.generate import pilot_lines

    if as_json:
        tell({**asdict(made), "out": str(made.out), **more})
        return
    for line in pilot_lines(made.pilot) if made.pilot else []:
        say(line)
    spent = f", cost {made.cost:,.4f}" if made.cost else ""
    say(
        f"{made.answers:,} answers, {made.tokens['prompt']:,} tokens in, {made.tokens['completion']:,} out{spent}."
    )
    for note in made.notes:
        say(note)
    # Honest about money: an answer that broke off may be on the bill.
    if made.lost:
        say(f"{made.lost:,} requests broke off before an answer came; a provider may have billed them.")
    if made.ending != "cancelled":  # a cancelled run writes no rows
        say(f"{made.rows:,} rows written to {made.out}.")
    if made.missing:
        reasons = ", ".join(f"{number:,} × {why}" for why, number in [*made.failures.items()][:3])
        failed = f" Attempts that failed: {reasons}." if reasons else ""
        say(f"{made.missing:,} answers are missing.{failed} Run the same command again to resume.")
