"""Unsloth: the build's own shards, a script and notes."""

from pathlib import Path

from skill_factory.errors import HandoffError
from skill_factory.traces.rows import in_context
from skill_factory.trainers.options import family_of
from skill_factory.trainers.own_template import own_template_words
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.trainers.trace_files import write_traces

CHATML = ("<|im_start|>user\n", "<|im_start|>assistant\n")
GEMMA = ("<start_of_turn>user\n", "<start_of_turn>model\n")
GEMMA4 = ("<|turn>user\n", "<|turn>model\n")
MARKS = {
    "deepseek_r1": ("<｜User｜>", "<｜Assistant｜>"),
    "llama3": (
        "<|start_header_id|>user<|end_header_id|>\n\n",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "gemma": GEMMA,
    "gemma2": GEMMA,
    "gemma3": GEMMA,
    "gemma3n": GEMMA,
    "gemma4": GEMMA4,
    "gemma4_small": GEMMA4,
    "phi3": ("<|user|>\n", "<|assistant|>\n"),
    **dict.fromkeys(
        ("qwq", "qwen3_instruct", "qwen3.5", "qwen3", "qwen2.5", "olmo3", "smollm3", "smollm2"), CHATML
    ),
}
"""Family → what its template puts in front of a user's and an assistant's turn."""
KNOWN = (
    "The loss is on the assistant's turn alone, which the script finds by the marks of this model's template."
)
GUESSED = (
    "The loss is on the assistant's turn alone, which the script finds by ChatML's marks. **The marks of this model aren't "
    "known: set `instruction_part` and `response_part` to those of its template**, or nothing is trained."
)


def write_unsloth(given: Traces, folder: Path) -> None:
    """Write the traces, `train_unsloth.py` and the notes."""
    if in_context(given.bundle.recipe):
        raise HandoffError(
            "Unsloth's script trains every turn of the assistant, and the earlier ones of these conversations aren't ours to "
            "train. Take --to trl, which trains the last turn alone."
        )
    options = given.options
    write_traces(given.bundle, folder / "data", given.keep)
    family = family_of(options.model)
    asked, answered = MARKS.get(family, CHATML)
    settings = {"model": repr(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    settings |= {"asked": repr(asked), "answered": repr(answered), "own_template": ""}
    if family == "deepseek_r1":
        write(folder / "chat_template.jinja", fill_template("deepseek_r1.jinja"))
        settings["own_template"] = (
            '\ntokenizer.chat_template = open("chat_template.jinja", encoding="utf-8").read()'
        )
    write(folder / "train_unsloth.py", fill_template("unsloth.py", **settings))
    words = {"template": own_template_words(options.model), "marks": KNOWN if family in MARKS else GUESSED}
    write(folder / "TRAINING.md", fill_template("unsloth.md", **words, report=given.report))


UNSLOTH = TracesTrainer("unsloth", "Unsloth", "fine-tune on the traces", write_unsloth, own_template=True)
