"""The training of a build: `python -m skill_factory train …` as a process of its own, with all that is known on disk.

BUILD/train/asked.json  what was asked for; no token
            out/        the training's folder: data, script, log, checkpoints, model
            told, log   what the command said; `process` and `stopping` as for builds

It goes on when the tab is closed or the server restarts. A job on the Hub is followed by such a process, and found again.
"""

from skill_factory.work.trainings.asked import command, words
from skill_factory.work.trainings.process import (
    ENDED,
    Training,
    fault,
    forget,
    golds,
    here,
    model_folder,
    plan_for,
    start,
    status,
    stop,
)
from skill_factory.work.trainings.sampled import Trained, trained_on

__all__ = [
    "ENDED",
    "Trained",
    "Training",
    "command",
    "fault",
    "forget",
    "golds",
    "here",
    "model_folder",
    "plan_for",
    "start",
    "status",
    "stop",
    "trained_on",
    "words",
]
