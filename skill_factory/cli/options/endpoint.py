"""Options that several commands share: which part of a dataset is read, where the model is, what it may cost."""

import argparse
from collections.abc import Callable
from typing import Any

from skill_factory.hosting import GIVEN_KEY


def add_part(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which part of a dataset on the Hub is read."""
    for flag, usual, words in (
        ("--config", "", "config of a dataset on the Hub"),
        ("--split", "train", "split of a dataset on the Hub (train)"),
        ("--revision", "", "branch, tag or commit of a dataset on the Hub"),
    ):
        parser.add_argument(flag, default=usual, metavar="NAME", help=words)


PILOT = 50
"""Questions of a pilot, where no number is given."""


def add_pilot(add: Callable[..., Any], words: str) -> None:
    """Add the option that asks a part of everything first."""
    add("--pilot", type=int, nargs="?", const=PILOT, default=0, metavar="N", help=words)


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the model is."""
    add = parser.add_argument_group("where the model is").add_argument
    add(
        "--endpoint",
        default="",
        metavar="URL",
        help="address of an OpenAI-compatible server, e.g. http://localhost:8000/v1",
    )
    add(
        "--provider", default="", metavar="NAME", help="Hugging Face Inference Providers: auto, or a provider"
    )
    add(
        "--key-env",
        default=GIVEN_KEY,
        metavar="NAME",
        # The key itself is never an option: it would be in the shell's history and in the list of processes.
        help=f"environment variable that holds the key ({GIVEN_KEY})",
    )
    add("--stream", action="store_true", help="stream answers, for gateways that cut long silent requests")
    add("--timeout", type=float, default=600.0, metavar="S", help="seconds for each request (600)")


def add_pace(parser: argparse.ArgumentParser, budget: str = "--budget") -> None:
    """Add the options for speed and cost; `budget` names the one for money."""
    add = parser.add_argument_group("how much, how fast").add_argument
    add(
        "--concurrency",
        type=int,
        default=96,
        metavar="N",
        help="maximum requests in flight; adapts to the server (96)",
    )
    add("--tries", type=int, default=6, metavar="N", help="attempts for each request (6)")
    add(
        "--patience",
        type=float,
        default=1800.0,
        metavar="S",
        help="seconds without any answer before giving up (1800)",
    )
    add("--retry-declined", action="store_true", help="send again what the server declined for good")
    add("--budget-tokens", type=int, metavar="N", help="never use more tokens than this")
    add(budget, type=float, metavar="MONEY", help="never spend more money than this; needs prices")
    # A budget in money needs prices, so they come together.
    add_price(parser)


def add_price(parser: argparse.ArgumentParser) -> None:
    """Add the options for what tokens cost."""
    add = parser.add_argument_group("price").add_argument
    add("--price-in", type=float, default=0.0, metavar="MONEY", help="price per million prompt tokens")
    add("--price-out", type=float, default=0.0, metavar="MONEY", help="price per million completion tokens")


def or_none(cast: Callable[[str], Any]) -> Callable[[str], Any]:
    """A function that reads a value of an option, which may also be `none`."""

    def read(word: str) -> Any:
        return None if word.lower() == "none" else cast(word)

    read.__name__ = cast.__name__  # argparse names the function when a value can't be read
    return read
