"""What kind of machine this is: shared with strangers or not, its cores, and what a visitor's process gets of it."""

import os
from pathlib import Path

HOSTED = "SKILL_FACTORY_HOSTED"
"""Says that strangers use this server."""
NO = ("", "0", "no", "false", "off")
"""Ways to say that they don't; any other word says that they do."""
GIVEN_TOKEN = "SKILL_FACTORY_TOKEN"
"""Carries a visitor's token to a process of theirs: an argument would show in the machine's list of processes."""
GIVEN_KEY = "SKILL_FACTORY_API_KEY"
"""The same for the key of a model server."""
LOGINS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", GIVEN_KEY)
"""What of the server's own environment would act in its owner's name."""


def hosted() -> bool:
    """Whether strangers may be using this server: then its own disk, logins and network are nobody's to use."""
    return bool(os.environ.get("SPACE_ID")) or os.environ.get(HOSTED, "").strip().lower() not in NO


def cores() -> int:
    """How many cores this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone has it
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def visitor_environment(token: str, key: str = "") -> dict[str, str]:
    """
    The environment of a process that works for one visitor: the server's, without any login of its own.

    The process imports this package from where it is, and the Hub's library takes no token that it wasn't given.
    """
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    kept = {name: value for name, value in os.environ.items() if name not in LOGINS}
    given = {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        GIVEN_TOKEN: token,
    }
    return kept | given | ({GIVEN_KEY: key} if key else {}) | ({HOSTED: "1"} if hosted() else {})
