"""The command `serve`: start an inference server for a trained model on this computer."""

import argparse
import time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = "Serve a trained model on this computer, with vLLM or `transformers serve`, whichever is installed. Ctrl-C ends it."
    parser.add_argument("model", metavar="MODEL", help="the folder of a model, or user/name on the Hub")
    parser.add_argument("--port", type=int, default=8000, metavar="P", help="default: 8000")
    add_program(parser)


def add_program(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the server."""
    parser.add_argument(
        "--program",
        default="",
        metavar="NAME",
        help="vllm, transformers, or the path of one, e.g. in another environment; default: the first that is installed",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C. Errors: ServeError."""
    from shlex import quote

    from skill_factory.measure.evaluation.serving import ServeError, command, name_of, refused_by, served

    if not 0 < args.port < 65_536:
        raise ServeError(f"A port is a number from 1 to 65535; found {args.port}. Leave out --port for 8000.")
    refused = refused_by(command(args.model, args.port, args.program))
    without = "".join(f" --{name.replace('_', '-')} none" for name in refused)
    with served(args.model, args.port, args.program, shown=True) as url:
        print(f"{args.model} is served at {url}. Ctrl-C ends it.")
        print(
            f"Sample and measure: python -m skill_factory evaluate QUESTIONS --endpoint {url} --model {quote(name_of(args.model))} --out outputs{without}",
            flush=True,
        )
        while True:
            time.sleep(3_600)
