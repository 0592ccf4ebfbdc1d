"""The command `app`: start the app in a browser, from a checkout or from an installed package."""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from skill_factory.errors import SkillFactoryError

ENTRANCE = Path(__file__).parents[1] / "ui" / "entrance" / "serve.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = "Start the app on this computer and open it in a browser. Ctrl-C ends it."
    parser.add_argument("--port", type=int, default=8501, metavar="P", help="default: 8501")
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser")


def run(args: argparse.Namespace) -> int:
    """Become Streamlit's server. Errors: SkillFactoryError where Streamlit isn't installed or the port can't be one."""
    # Looked for, not imported: the server that is about to start will import it anyway.
    if importlib.util.find_spec("streamlit") is None:
        raise SkillFactoryError(
            "The app needs Streamlit, which isn't installed. Run `pip install streamlit`."
        )
    if not 0 < args.port < 65_536:
        raise SkillFactoryError(
            f"A port is a number from 1 to 65535; found {args.port}. Leave out --port for 8501."
        )
    # `exec` throws away what Python still holds in its buffers.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *words(args.port, not args.no_browser)])


def words(port: int, browser: bool) -> list[str]:
    """What Python is asked to run: the app for this computer alone."""
    return [
        "-m",
        "streamlit",
        "run",
        str(ENTRANCE),
        f"--server.port={port}",
        # The app shows local files to whoever can open it, so only this computer may.
        "--server.address=127.0.0.1",
        f"--server.headless={'false' if browser else 'true'}",
    ]
