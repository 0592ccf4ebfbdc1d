"""The script on this computer: started, listened to, stopped and resumed."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from skill_factory.errors import TrainingError
from skill_factory.hosting import GIVEN_KEY, GIVEN_TOKEN
from skill_factory.locks import take
from skill_factory.training.events import events_of
from skill_factory.training.prepare import Prepared

STOPPED, EXPIRED = 130, 75
"""Exit codes of the script: it was asked to stop, or its time was over."""
NOTES = "trainer.log"
"""What the script's libraries print on standard error."""
Say = Callable[[Mapping[str, Any]], None]


def run_here(prepared: Prepared, python: list[str], say: Say, token: str | None = None) -> int:
    """
    Run the script until it ends, and give its exit code: 0 trained, STOPPED or EXPIRED.

    `say` hears every event. Ctrl-C is passed on: the script saves a checkpoint and ends; a second one kills it. Errors:
    TrainingError if another process trains in this folder, or with the last sentence of a script that failed.
    """
    lock = take(prepared.folder / "lock")
    if lock is None:
        raise TrainingError(
            f"{prepared.folder} is being trained by another process. Wait for it, or stop it."
        )
    try:
        with (prepared.folder / NOTES).open("wb") as notes:
            # In this process's group: whoever kills the group ends both.
            process = subprocess.Popen(
                [*python, str(prepared.script.resolve())],
                stdout=subprocess.PIPE,
                stderr=notes,
                stdin=subprocess.DEVNULL,
                env=_environment(token),
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            _listen(process, say)
    finally:
        lock.release()
    if process.returncode not in (0, STOPPED, EXPIRED):
        raise TrainingError(_why(prepared.folder / NOTES, process.returncode))
    return process.returncode


def _listen(process: "subprocess.Popen[str]", say: Say) -> None:
    asked = 0
    while True:
        try:
            for event in events_of(process.stdout or ()):
                say(event)
            process.wait()
            return
        except KeyboardInterrupt:
            # Twice the same: a terminal has sent it to the script as well, which doesn't mind.
            process.send_signal(signal.SIGINT if not asked else signal.SIGKILL)
            asked += 1


def _environment(token: str | None) -> dict[str, str]:
    """This process's environment, with the token that models and repositories need, and without what is only ours."""
    ours = (GIVEN_TOKEN, GIVEN_KEY, "PYTHONPATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"TOKENIZERS_PARALLELISM": "false"} | ({"HF_TOKEN": token} if token else {})


def _why(notes: Path, code: int) -> str:
    """The script's last sentence, with the place of the rest."""
    if code == -signal.SIGKILL:
        return (
            "The training was killed, usually because the machine ran out of memory: a smaller model, --lora or a shorter "
            "--cutoff-len takes less. Run the same command again to resume from the last checkpoint."
        )
    lines = [line.strip() for line in notes.read_text(encoding="utf-8", errors="replace").splitlines()]
    said = next((line for line in reversed(lines) if line), f"exit code {code}")
    return f"The training failed: {said} The whole message is in {notes}."
