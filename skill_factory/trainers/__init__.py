"""The hand-off: what a trainer needs of a build, written into a folder of its own.

bundle      a finished build: its rows and recipe       preflight  what a trainer would skip, cut or misread
export      the one way out: checks, then a writer      templates  the files that trainers read, as data
sft         traces for LLaMA-Factory, TRL, Axolotl      verl       questions and reward for reinforcement learning
questions   read again from the source, and split       options    what a person chooses
report      what was seen, told in the notes beside the files
"""

from skill_factory.trainers.export import Exported, check, export
from skill_factory.trainers.options import Options, Trainer
from skill_factory.trainers.preflight import Finding, preflight
from skill_factory.trainers.report import Checked

__all__ = ["Checked", "Exported", "Finding", "Options", "Trainer", "check", "export", "preflight"]
