"""A run script for each arm and trainer: each writes the trainer's folder of its arm, and starts the training there."""

import re
from collections.abc import Iterable, Iterator, Mapping

from skill_factory.trainers import TRAINERS, QuestionsTrainer

_START: Mapping[str, str] = {
    "llamafactory": 'cd "$there" && llamafactory-cli train train_sft.yaml',
    "trl": 'cd "$there" && python train_sft.py',
    "axolotl": 'cd "$there" && bash train.sh',
    "unsloth": 'cd "$there" && python train_unsloth.py',
    "swift": 'cd "$there" && bash train.sh',
    "openrlhf": 'cd "$there" && bash train.sh',
    "verl": 'cd "$there" && bash run_grpo.sh',
}
"""How a trainer is started in the folder that `export` writes for it."""
_READ = 'cd "$there" && cat TRAINING.md'
"""For all others: a service costs money, an environment has to be installed, and the notes say how."""


def scripts(arms: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(path in the suite's folder, text) of each script."""
    for arm in arms:
        for name in TRAINERS:
            yield f"run/{arm}.{name}.sh", script(arm, name)


def script(arm: str, trainer: str) -> str:
    """The script that trains a model on one arm."""
    record = TRAINERS[trainer]
    more = ' ${SOURCE:+--source "$SOURCE"}' if isinstance(record, QuestionsTrainer) else ""
    note = (
        "# SOURCE is the source file, if the suite was built from one: the questions are read from it again.\n"
        if more
        else ""
    )
    return (
        "#!/usr/bin/env bash\n"
        f"# {record.title}, arm {arm}: {record.does}. MODEL is the model to train; the same for all arms, with the same options.\n"
        f"{note}"
        "set -euo pipefail\n"
        'here="$(cd "$(dirname "$0")/.." && pwd)"\n'
        f'there="$here/trained/{trainer}/{arm}"\n'
        f'python -m skill_factory export "$here/arms/{arm}" --to {trainer} --out "$there" --model "${{MODEL:?}}"{more} "$@"\n'
        f"{_START.get(trainer, _READ)}\n"
        f"# Then have it answer, and compare the arms: one file of outputs for each, named as the arm.\n"
        f'# python -m skill_factory evaluate … --out "$here/outputs/{arm}"\n'
        '# python -m skill_factory measure --suite "$here"\n'
    )


def named_files(text: str) -> set[str]:
    """The names of files that a start command expects in an export."""
    return set(re.findall(r"[\w-]+\.(?:yaml|py|sh|md)\b", text))
