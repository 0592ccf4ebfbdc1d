"""The hand-off: what a trainer needs of a build, written into a folder of its own.

record      what a trainer is to us: a record each      bundle     a finished build: its rows and recipe
llamafactory, trl, axolotl   fine-tune on the traces    verl       questions and reward for reinforcement learning
export      the one way out: checks, then a record      preflight  what a trainer would skip, cut or misread
questions   read again from the source, and split       options    what a person chooses
templates   the files that trainers read, as data       report     what was seen, told in the notes beside the files

To add a trainer, write a file like `trl.py` and put its record into `TRAINERS`: the command, the page and the docs take
it from there.
"""

from skill_factory.trainers.axolotl import AXOLOTL
from skill_factory.trainers.export import Exported, check, export
from skill_factory.trainers.llamafactory import LLAMAFACTORY
from skill_factory.trainers.options import Options
from skill_factory.trainers.preflight import Finding, preflight
from skill_factory.trainers.record import QuestionsTrainer, TracesTrainer, Trainer
from skill_factory.trainers.report import Checked
from skill_factory.trainers.trl import TRL
from skill_factory.trainers.verl import VERL

TRAINERS: dict[str, Trainer] = {one.name: one for one in (LLAMAFACTORY, TRL, AXOLOTL, VERL)}
"""Every trainer, by the name that `--to` takes, in the order in which they are offered."""

__all__ = [
    "AXOLOTL",
    "LLAMAFACTORY",
    "TRAINERS",
    "TRL",
    "VERL",
    "Checked",
    "Exported",
    "Finding",
    "Options",
    "QuestionsTrainer",
    "TracesTrainer",
    "Trainer",
    "check",
    "export",
    "preflight",
]
