"""The command `preview`: the first traces of a build, before it is built."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from skill_factory.asked import asked
from skill_factory.cli.output import plain, tell
from skill_factory.cli.recipe_options import (
    SOURCE,
    add_against,
    add_recipe_options,
    columns_of,
    recipe_of,
    source_of,
    token_for,
)
from skill_factory.errors import RecipeError
from skill_factory.model import Trace
from skill_factory.whole_files import write_whole
from skill_factory.wording import many


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("source", nargs="?", default="", help=SOURCE)
    parser.add_argument("--questions", type=int, default=2, metavar="K", help="questions to show; default: 2")
    parser.add_argument("--html", default="", metavar="FILE", help="write one self-contained page instead")
    add_against(parser)
    add_recipe_options(parser)


def run(args: argparse.Namespace) -> int:
    """Show the first traces on the terminal, as JSON, or as a page. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.build.pipeline import preview
    from skill_factory.insight.html import html_page, terminal
    from skill_factory.model import hex_id

    arrow_alone()
    recipe = recipe_of(args)
    source = source_of(args, recipe)
    shown = preview(
        source,
        recipe,
        columns=columns_of(args),
        questions=args.questions,
        token=token_for(source, *args.against),
        against=args.against,
    )
    if args.html:
        _write_page(args.html, html_page(shown.traces, "Traces, before the build"))
    if args.json:
        rows = [
            {
                "trace_id": hex_id(trace.id),
                "label": trace.plan.label,
                "format": trace.plan.format,
                **_asked(trace),
                "text": trace.text,
            }
            for trace in shown.traces
        ]
        tell({"traces": rows})
    elif args.html:
        print(plain(f"{many(len(shown.traces), 'trace')} in {args.html}"))
    else:
        # The convention of no-color.org; a file should hold no escape sequences.
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for trace in shown.traces:
            print(terminal(trace, colour), end="\n\n")
    return 0


def _asked(trace: Trace) -> dict[str, Any]:
    """The question, and the conversation that it is part of where it doesn't stand alone."""
    whole = asked(trace.plan.question.text)
    if whole.alone:
        return {"question": whole.question}
    return {
        "question": whole.question,
        "conversation": [turn._asdict() for turn in whole.turns],
        "tools": whole.tools,
    }


def _write_page(path: str, page: str) -> None:
    try:
        write_whole(Path(path), page)
    except OSError as error:
        raise RecipeError(
            f"Can't write the page to {path}: {error.strerror}. Choose another --html FILE."
        ) from None
