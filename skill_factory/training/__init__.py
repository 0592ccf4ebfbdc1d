"""A model is trained on a dataset: here, or on a machine of the Hub, by one script that TRL runs in both places.

plan       what a person asks for                       prepare    the folder of a training: data, script, settings
script     TRL, in a Python of its own (`uv run`)       card       what the model's page says of where it comes from
facts      how large a model is, read without loading   machines   what a machine can do, and what it costs
estimate   tokens, steps, memory and time, up front     pythons    which Python here has TRL
events     what the script says, as one state           running    the script on this computer
jobs       the script on a machine of the Hub          takes      all of this in words
samples    a sample, measured as an output             data       the data, as TRL takes it
lengths    tokens of each row                          questions  what samples are asked, with the right answers
settings   what the script reads, and what it changes
"""

from skill_factory.training.estimate import Estimate, estimate_training
from skill_factory.training.events import Seen, read_log
from skill_factory.training.plan import Method, Place, Plan
from skill_factory.training.prepare import Prepared, prepare
from skill_factory.training.pythons import command_for
from skill_factory.training.running import run_here

__all__ = [
    "Estimate",
    "Method",
    "Place",
    "Plan",
    "Prepared",
    "Seen",
    "command_for",
    "estimate_training",
    "prepare",
    "read_log",
    "run_here",
]
