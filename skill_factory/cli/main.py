"""The command line: find the command, parse its words, run it. See `python -m skill_factory --help`.

A command is a module of this room: `add_arguments` says which options it takes, `run` does the work and returns the exit
code. Only the module of the command that was called is imported.
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
    "inspect": "show what a source holds and what can be made of it",
    "build": "build a dataset of training traces",
    "ablate": "build arms of one recipe from the same questions, to compare",
    "preview": "show the first traces that a build will write",
    "demo": "write the demo's raw data",
    "lint": "check traces, ours or not; exit code 1 if something is wrong",
    "grade": "label responses as right or wrong, by rule",
    "generate": "ask a model for responses and reflections",
    "evaluate": "ask a trained model the questions, to measure its outputs",
    "serve": "serve a trained model on this computer",
    "measure": "count attempts, reflections and verdicts in a model's outputs",
    "harvest": "turn a model's own attempts and reflections into raw data",
    "diff": "compare two builds: rows, recipes, ledgers; exit code 1 if their traces differ",
    "export": "write what a trainer needs from a build",
    "train": "train a model on a build, here or on the Hub's machines",
    "push": "publish a build folder or a raw set on the Hub",
    "space": "run this app as your own Space on the Hub",
    "app": "start the app in a browser",
}
"""Every command and what it does, in the order of a first visit; each is the module of that name in this room."""


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(USE_ERROR, plain(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.\n"))


def run() -> NoReturn:
    """The program: its exit code is 0, 1 (lint found something), 2 (an error to fix) or 130 (Ctrl-C)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The data may have characters that a terminal can't show.
            stream.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] in (["build"], ["ablate"]):
        gc.disable()  # as in its workers: many small tuples and no cycles
    try:
        code = main(sys.argv[1:])
        gc.freeze()  # everything goes with the process, so nobody has to look for cycles
        # The work is done: a late Ctrl-C must not change the exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(code)
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    # Recipes and reports are UTF-8 texts, so a name that isn't can't be kept in them.
    if odd := next((word for word in arguments if not _is_text(word)), ""):
        print(
            f"The argument {plain(odd)!r} isn't UTF-8 text. Rename the file, or leave it out.",
            file=sys.stderr,
        )
        return USE_ERROR
    # Said before anything is imported: locks and processes there fail with tracebacks that help nobody.
    if sys.platform == "win32":
        print(
            "SkillFactory Studio runs on Linux and macOS. On Windows, run it in WSL (`wsl --install`).",
            file=sys.stderr,
        )
        return USE_ERROR
    args = parser(arguments[0] if arguments else "").parse_args(arguments)
    try:
        # The one place that turns an error into a sentence and an exit code; no command catches its own.
        code: int = args.run(args)
        return code
    except SkillFactoryError as error:
        print(plain(str(error)), file=sys.stderr)
        return USE_ERROR
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept; run the same command again to resume.", file=sys.stderr)
        return INTERRUPTED


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:  # the command line has bytes that aren't UTF-8
        return False
    return True


def parser(called: str = "") -> Parser:
    """The parser of all commands. If one is asked for, only its options are added, so that no other module is imported."""
    top = Parser(
        prog="python -m skill_factory",
        description="Turn a model's own attempts and reflections into think / sample / reflect training traces.",
    )
    # From the package, so that the wheel, the command and the app can't name different versions.
    top.add_argument("--version", action="version", version=f"skill-factory {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        # Every command is listed, but only the one that was called is imported: `--help` answers in a blink.
        if not called or called == name:
            module = importlib.import_module(f"skill_factory.cli.{name}")
            module.add_arguments(command)
            # A command with parts of its own (`generate`) has set another function for each.
            command.set_defaults(run=command.get_default("run") or module.run)
    return top
