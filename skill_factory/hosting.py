"""The machine this runs on: whether strangers share it, how many cores it has, what a visitor's process may see of it."""

import os
from pathlib import Path

HOSTED = "SKILL_FACTORY_HOSTED"
"""Set where strangers use this server; a word of `NO` means that they don't."""
NO = ("", "0", "no", "false", "off")
"""Ways to say that they don't; any other word says that they do."""
GIVEN_TOKEN = "SKILL_FACTORY_TOKEN"
"""Carries a visitor's token to their process: an argument would show in the machine's list of processes."""
GIVEN_KEY = "SKILL_FACTORY_API_KEY"
"""Carries the key of a model server in the same way."""
LOGINS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", GIVEN_KEY)
"""Variables of the server's environment that would act in its owner's name."""


def hosted() -> bool:
    """Whether strangers may be using this server: then nobody may use its disk, its logins or its network."""
    return bool(os.environ.get("SPACE_ID")) or os.environ.get(HOSTED, "").strip().lower() not in NO


def cores() -> int:
    """The number of cores this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # only Linux has it
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def computed(number: int) -> float:
    """Seconds of a processor that a process has had: a busy machine makes nobody's work a long one. 0 where nobody says."""
    try:
        words = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0  # the process has ended, or this system doesn't say
    user, system = words.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def visitor_environment(token: str, key: str = "") -> dict[str, str]:
    """
    The environment of a process that works for one visitor: the server's, without the server's own logins.

    The process imports this package from where it is here, and the Hub's library may not look for a token by itself.
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
