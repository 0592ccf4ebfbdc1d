"""`generate responses | reflections | batch write | batch join`: words on the command line become a job."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from skill_factory.cli.output import say
from skill_factory.hosting import GIVEN_KEY

if TYPE_CHECKING:  # the package brings heavy ones along, which `--help` need not wait for
    from skill_factory.generate import GenerateProgress, Made


CANCELLED = 130
KINDS = {
    "responses": "sample responses to each question, in several prompt variants, graded where there is a gold answer",
    "reflections": "ask for critiques of each response, by a model that is not told the truth",
}
STEPS = {
    "write": "write the requests that have no answer yet, for vLLM's run-batch or OpenAI's Batch",
    "join": "join a batch runner's answers, and write the raw set",
}
TASKS = ("auto", "exact", "number", "math", "countdown")
SAMPLING: tuple[tuple[str, type, float], ...] = (
    ("temperature", float, 0.7),
    ("top_p", float, 0.8),
    ("top_k", int, 20),
    ("repetition_penalty", float, 1.1),
    ("seed", int, 0),
    ("max_tokens", int, 4096),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's parts."""
    parser.description = (
        "Make what is missing in a data set: responses to its questions, critiques of its responses. "
        "A run that was stopped goes on where it was; nothing that was answered is asked or paid for again."
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="responses|reflections|batch")
    for kind in KINDS:
        one = _parser(parts, kind, KINDS[kind])
        _add_what(one, kind)
        _add_where(one)
        _add_pace(one)
    batch = _parser(parts, "batch", "without an endpoint: a request file, and the join of its answers")
    steps = batch.add_subparsers(dest="step", required=True, metavar="write|join")
    for step in STEPS:
        kinds = _parser(steps, step, STEPS[step]).add_subparsers(
            dest="kind", required=True, metavar="responses|reflections"
        )
        for kind in KINDS:
            one = _parser(kinds, kind, KINDS[kind])
            _add_what(one, kind)
            _add_files(one, step)


def _parser(parts: Any, name: str, words: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = parts.add_parser(
        name, help=words, description=f"{words[:1].upper()}{words[1:]}."
    )
    made.set_defaults(run=run)
    return made


def _add_what(parser: argparse.ArgumentParser, kind: str) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a file, a folder, user/name on the Hub, or demo")
    add(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="the raw set's folder; keeps the answers so far",
    )
    add_part(parser)
    add("--model", required=True, help="the model's name as the server knows it")
    add("--map", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds what")
    add("--prompts", default="", metavar="FILE", help="prompts of your own (TOML)")
    if kind == "responses":
        add("--per-variant", type=int, default=16, metavar="N", help="responses for each variant (16)")
        add("--variants", default="", metavar="A,B", help="prompt variants to use (all)")
        add("--task", default="auto", choices=TASKS, help="how answers are graded (auto)")
    else:
        add("--k", type=int, default=4, metavar="N", help="critiques of each response (4)")
        add("--max-k", type=int, default=0, metavar="N", help="most critiques where none can be kept yet (k)")
    add(
        "--pilot", type=int, nargs="?", const=50, default=0, metavar="N",
        help="so many questions only (50), with figures and a forecast",
    )  # fmt: skip
    add("--json", action="store_true", help="one JSON object at the end, and progress as JSON lines")
    _add_sampling(parser)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sampling", "`none` leaves a parameter out")
    for name, cast, usual in SAMPLING:
        flag = f"--{name.replace('_', '-')}"
        read = cast if name == "max_tokens" else _or_none(cast)
        group.add_argument(flag, type=read, default=usual, metavar="X", help=f"({usual})")
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=JSON", help="a parameter of the server's own"
    )


def add_part(parser: argparse.ArgumentParser) -> None:
    """Add the words that say which part of a Hub data set is read."""
    for flag, usual, words in (
        ("--config", "", "config of a Hub data set"),
        ("--split", "train", "split of a Hub data set (train)"),
        ("--revision", "", "branch, tag or commit of a Hub data set"),
    ):
        parser.add_argument(flag, default=usual, metavar="NAME", help=words)


def _add_where(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("where the model is").add_argument
    add(
        "--endpoint",
        default="",
        metavar="URL",
        help="OpenAI-compatible server, e.g. http://localhost:8000/v1",
    )
    add(
        "--provider", default="", metavar="NAME", help="Hugging Face Inference Providers: auto, or one's name"
    )
    add(
        "--key-env",
        default=GIVEN_KEY,
        metavar="NAME",
        help=f"environment variable that holds the key ({GIVEN_KEY})",
    )
    add("--stream", action="store_true", help="stream answers: for gateways that cut long silent requests")
    add("--timeout", type=float, default=600.0, metavar="S", help="seconds for one request (600)")


def _add_pace(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how much, how fast").add_argument
    add(
        "--concurrency",
        type=int,
        default=96,
        metavar="N",
        help="most requests in flight; adapts below it (96)",
    )
    add("--tries", type=int, default=6, metavar="N", help="attempts for a request (6)")
    add(
        "--patience",
        type=float,
        default=1800.0,
        metavar="S",
        help="give up after so long without answers (1800)",
    )
    add("--retry-declined", action="store_true", help="ask again what the server declined for good")
    add("--budget-tokens", type=int, metavar="N", help="never take more tokens than this")
    add("--budget", type=float, metavar="MONEY", help="never spend more than this; needs prices")
    _add_price(parser)


def _add_price(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("price").add_argument
    add("--price-in", type=float, default=0.0, metavar="MONEY", help="per million prompt tokens")
    add("--price-out", type=float, default=0.0, metavar="MONEY", help="per million answered tokens")


def _add_files(parser: argparse.ArgumentParser, step: str) -> None:
    if step == "write":
        parser.add_argument(
            "--requests", required=True, type=Path, metavar="FILE", help="where to write them (JSON Lines)"
        )
        return
    parser.add_argument(
        "--answers", required=True, type=Path, nargs="+", metavar="FILE", help="the runner's output"
    )
    _add_price(parser)


def _or_none(cast: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(word: str) -> Any:
        return None if word.lower() == "none" else cast(word)

    read.__name__ = cast.__name__  # argparse names it when a value can't be read
    return read


# -- doing it ------------------------------------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Do it. Exit codes: 0 done (also where the budget ended it), 130 cancelled. Errors: SkillFactoryError."""
    from skill_factory.cli.recipe_options import token_for
    from skill_factory.generate import generate
    from skill_factory.generate.words import job_of, key_of

    if args.part == "batch":
        return _write(args) if args.step == "write" else _join(args)
    job = job_of(args, args.part)
    show = Shown(sys.stderr, args.json)
    try:
        made = generate(job, key_of(job.endpoint.checked(), args.key_env), show, token_for(job.source))
    finally:
        show.close()
    _tell(made, args.json)
    return CANCELLED if made.ending == "cancelled" else 0


def _write(args: argparse.Namespace) -> int:
    from skill_factory.cli.recipe_options import token_for
    from skill_factory.generate import write_requests
    from skill_factory.generate.words import job_of

    number = write_requests(job_of(args, args.kind), args.requests, token_for(args.source))
    if args.json:
        print(json.dumps({"requests": number, "file": str(args.requests)}))
    else:
        say(f"{number:,} requests written to {args.requests}." if number else "Every request has its answer.")
    return 0


def _join(args: argparse.Namespace) -> int:
    from skill_factory.cli.recipe_options import token_for
    from skill_factory.generate import join_answers
    from skill_factory.generate.words import job_of

    made, lines = join_answers(job_of(args, args.kind), args.answers, token=token_for(args.source))
    if not args.json:
        say(f"Answers: {', '.join(f'{n:,} {name}' for name, n in lines.items() if n)}.")
    _tell(made, args.json, lines=dict(lines))
    return 0


class Shown:
    """Progress on standard error: one line that is written over, plain lines where nobody watches, or JSON."""

    def __init__(self, stream: TextIO, as_json: bool) -> None:
        self._stream, self._json = stream, as_json
        self._live = stream.isatty() and not as_json
        self._told = ""

    def __call__(self, progress: "GenerateProgress") -> None:
        if self._json:
            print(progress.to_json(), file=self._stream, flush=True)
            return
        line = progress.line()
        if self._live:
            print(f"\r\x1b[2K{line}", end="", file=self._stream, flush=True)
        elif line != self._told:
            print(line, file=self._stream, flush=True)
        self._told = line
        if progress.message and progress.phase != "failed":  # a failure is told once, as an error
            print(("\n" if self._live else "") + progress.message, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the terminal's line clean."""
        if self._live:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)


def _tell(made: "Made", as_json: bool, **more: Any) -> None:
    from skill_factory.generate import pilot_lines

    if as_json:
        print(json.dumps({**asdict(made), "out": str(made.out), **more}, ensure_ascii=False))
        return
    for line in pilot_lines(made.pilot) if made.pilot else []:
        say(line)
    spent = f", cost {made.cost:,.4f}" if made.cost else ""
    say(
        f"{made.answers:,} answers, {made.tokens['prompt']:,} tokens in, {made.tokens['completion']:,} out{spent}."
    )
    if made.lost:
        say(f"{made.lost:,} requests broke off before their answer came; a provider may have billed them.")
    if made.ending != "cancelled":
        say(f"{made.rows:,} rows written to {made.out}.")
    if made.missing:
        why = ", ".join(f"{n:,} × {reason}" for reason, n in list(made.failures.items())[:3])
        told = f" Attempts that failed: {why}." if why else ""
        say(f"{made.missing:,} answers are missing.{told} The same command goes on from here.")
