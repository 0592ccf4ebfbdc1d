"""Inspect's own logs from its mock model, once as `.eval` and once as `.json`: `inspect_log.py FOLDER`. In the writers' environment."""

import sys

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

SUMS = [(2, 3), (4, 5), (6, 1)]
EPOCHS = 4


def answers() -> list[ModelOutput]:
    """What the model says, sample after sample of an epoch: right in the odd epochs, wrong in the others."""
    outputs = []
    for epoch in range(1, EPOCHS + 1):
        for a, b in SUMS:
            said = a + b if epoch % 2 else 100 + epoch
            text = f"Try {epoch}: I add {a} and {b}.\n\nANSWER: {said}"
            one = ModelOutput.from_content("mockllm/model", text)
            one.usage = ModelUsage()  # counted by nobody: the counter would load a vocabulary
            outputs.append(one)
    return outputs


def write(folder: str) -> None:
    """One task, four epochs, in both forms of a log."""
    samples = [Sample(id=f"sum-{a}-{b}", input=f"What is {a} plus {b}?", target=str(a + b)) for a, b in SUMS]
    for form in ("eval", "json"):
        task = Task(dataset=MemoryDataset(samples), solver=[generate()], scorer=match(numeric=True))
        model = get_model("mockllm/model", custom_outputs=answers(), memoize=False)
        place = f"{folder}/{form}"
        eval(task, model=model, epochs=EPOCHS, log_dir=place, log_format=form, display="none", max_samples=1)


if __name__ == "__main__":
    write(sys.argv[1])
