"""The command `preview`: the first traces of a build, before it is built."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.asked import asked
from skill_factory.cli.options.recipe import (
    SOURCE,
    add_against,
    add_recipe_options,
    columns_of,
    mixed,
    mixture_of,
    recipe_of,
    source_of,
    token_for,
    token_for_any,
)
from skill_factory.cli.output import plain, say, show_shares, tell
from skill_factory.errors import RecipeError
from skill_factory.whole_files import write_whole
from skill_factory.wording import many

if TYPE_CHECKING:
    from skill_factory.model import Trace


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
    from skill_factory.insight.html import html_page

    arrow_alone()
    if mixed(args):
        return _preview_mixed(args)
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
        tell({"traces": [_row(trace) for trace in shown.traces]})
    elif args.html:
        print(plain(f"{many(len(shown.traces), 'trace')} in {args.html}"))
    else:
        _print(shown.traces)
    return 0


def _row(trace: "Trace") -> dict[str, Any]:
    from skill_factory.model import hex_id

    return {
        "trace_id": hex_id(trace.id),
        "label": trace.plan.label,
        "format": trace.plan.format,
        **_asked(trace),
        "text": trace.text,
    }


def _print(traces: "list[Trace]") -> None:
    from skill_factory.insight.html import terminal

    # The convention of no-color.org; a file should hold no escape sequences.
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for trace in traces:
        print(terminal(trace, colour), end="\n\n")


def _preview_mixed(args: argparse.Namespace) -> int:
    """The shares that will come out, and the first traces that each source could give."""
    from skill_factory.build.mixture import preview_mixture
    from skill_factory.insight.html import html_page
    from skill_factory.insight.inspection.mixture import forecast_mixture

    mixture, places = mixture_of(args)
    token = token_for_any(mixture, places, *args.against)
    shares = forecast_mixture(mixture, places, token=token, against=args.against)
    shown = preview_mixture(mixture, places, questions=args.questions, token=token, against=args.against)
    every = [trace for part in shown.values() for trace in part.traces]
    if args.html:
        _write_page(args.html, html_page(every, "Traces of each source, before the build"))
    if args.json:
        rows = [{"source": name, **_row(trace)} for name, part in shown.items() for trace in part.traces]
        tell({"mixture": shares.to_json(), "traces": rows})
        return 0
    show_shares(shares)
    if args.html:
        print(plain(f"{many(len(every), 'trace')} in {args.html}"))
        return 0
    for name, part in shown.items():
        say(f"\n{name}: {many(len(part.traces), 'trace')} that it could give\n")
        _print(part.traces)
    return 0


def _asked(trace: "Trace") -> dict[str, Any]:
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
