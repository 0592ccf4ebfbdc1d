"""The command line: find the command, parse its words, run it. `python -m skill_factory --help`.

A command is a module of this room: `add_arguments` says which options it takes, `run` does the work and gives the exit
code. Only the module of the command that was asked for is imported.
"""

import argparse
import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from skill_factory import __version__
from skill_factory.cli.output import plain
from skill_factory.errors import SkillFactoryError

USE_ERROR, INTERRUPTED = 2, 130
COMMANDS = {
    "inspect": "what a source holds, and what can be made of it",
    "build": "make the training set",
    "preview": "show the first traces of a build, before it",
    "demo": "write the demo's raw data",
    "lint": "check traces, ours or not; exit code 1 if something was found",
    "grade": "fill in final answers and whether they are right",
    "generate": "make responses and critiques with a model of your own",
    "evaluate": "ask a trained model, to measure what it answers",
    "measure": "count attempts, reflections and verdicts in a model's outputs",
    "harvest": "turn a model's own attempts and reflections into raw data",
    "export": "write what a trainer needs of a build",
    "push": "publish a build folder or a raw set on the Hub",
    "space": "run this app as a Space of your own",
    "app": "start the app in a browser",
}
"""Every command and what it does, in the order of a first visit; each is the module of that name in this room."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(USE_ERROR, plain(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.\n"))


def run() -> NoReturn:
    """The program: its exit code is 0, 1 (lint found something), 2 (an error to fix) or 130 (Ctrl-C)."""
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
    if sys.platform == "win32":
        print(
            "SkillFactory Studio runs on Linux and macOS. On Windows, run it in WSL (`wsl --install`).",
            file=sys.stderr,
        )
        return USE_ERROR
    args = parser(arguments[0] if arguments else "").parse_args(arguments)
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


def parser(asked: str = "") -> Parser:
    """All commands; with one asked for, the options of that one alone, since no other module is needed then."""
    top = Parser(
        prog="python -m skill_factory",
        description="Turn a model's own answers and critiques into think / sample / reflect training traces.",
    )
    top.add_argument("--version", action="version", version=f"skill-factory {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        made = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if not asked or asked == name:
            module = importlib.import_module(f"skill_factory.cli.{name}")
            module.add_arguments(made)
            made.set_defaults(run=made.get_default("run") or module.run)
    return top
