"""What a trainer needs from a build, written into a folder of its own.

record      a trainer as a record                       bundle     a finished build: its rows and its recipe
llamafactory, trl, axolotl   fine-tune on the traces    verl       questions and a reward for reinforcement learning
unsloth, swift, openrlhf     the same                   verifiers  the same as an environment, for prime-rl too
services    for money, within their published limits    message_files  the traces as JSONL of messages
export      the one way out: checks, then the trainer   preflight  what a trainer would skip, truncate or misread
loss        which characters of a trace are trained     tokens     traces as tokens with labels
transformers  a script for tokens, and any other use    chat_template  what stands around a trace
questions   read again from the source, and split       options    what a person chooses
templates   files for the trainers, as data             report     what the checks found, for the notes

To add a trainer, write a file like `trl.py` and add its record to `TRAINERS`: command, page and docs take it from there.
"""

from skill_factory.trainers.axolotl import AXOLOTL
from skill_factory.trainers.export import Exported, check_build, export_build
from skill_factory.trainers.llamafactory import LLAMAFACTORY
from skill_factory.trainers.openrlhf import OPENRLHF
from skill_factory.trainers.options import Options
from skill_factory.trainers.preflight import Problem, preflight
from skill_factory.trainers.record import QuestionsTrainer, TokensTrainer, TracesTrainer, Trainer
from skill_factory.trainers.report import Checked
from skill_factory.trainers.services import FIREWORKS, OPENAI, TOGETHER
from skill_factory.trainers.swift import SWIFT
from skill_factory.trainers.transformers import TRANSFORMERS
from skill_factory.trainers.trl import TRL
from skill_factory.trainers.unsloth import UNSLOTH
from skill_factory.trainers.verifiers import VERIFIERS
from skill_factory.trainers.verl import VERL

TRAINERS: dict[str, Trainer] = {
    one.name: one
    for one in (
        LLAMAFACTORY,
        TRL,
        AXOLOTL,
        VERL,
        UNSLOTH,
        SWIFT,
        OPENRLHF,
        VERIFIERS,
        OPENAI,
        TOGETHER,
        FIREWORKS,
    )
}
"""Every trainer, by the name that `--to` takes, in the order in which they are offered."""
FOR_TOKENS: dict[str, Trainer] = {
    one.name: one
    for one in (TRANSFORMERS, *TRAINERS.values())
    if isinstance(one, TokensTrainer) or (isinstance(one, TracesTrainer) and one.tokens)
}
"""Those that take tokens with labels (`--loss`); the first is for any other program."""

__all__ = [
    "AXOLOTL",
    "FOR_TOKENS",
    "LLAMAFACTORY",
    "TRAINERS",
    "TRANSFORMERS",
    "TRL",
    "VERL",
    "Checked",
    "Exported",
    "Options",
    "Problem",
    "QuestionsTrainer",
    "TokensTrainer",
    "TracesTrainer",
    "Trainer",
    "check_build",
    "export_build",
    "preflight",
]
