"""What a model's own chat template does to a trace, for the notes of trainers that write with it."""

from skill_factory.trainers.options import family_of

WHOLE = "The model's own chat template leaves a trace as it is."
LEAVES_WHOLE = ("qwen2.5", "qwen3_instruct", "llama3", "gemma4_small", "gemma4", "gemma3", "gemma", "phi3")
"""Families whose template does."""
DOES = {
    "qwen3": "Qwen3's own template keeps two newlines after `</think>` where the layout `paper` has three, and drops text "
    'between two `</think>`; a build with `layout = "tight"` comes through byte for byte.',
    "qwen3.5": "Qwen3.5's own template writes the opening `<think>` itself, as part of the prompt: a trace is trained from "
    "behind it on. Of three newlines after `</think>` it keeps two.",
    "deepseek_r1": "The template of DeepSeek's R1 distillations drops the thinking of an assistant's turn. The script takes "
    "`chat_template.jinja` instead, which writes the same marks and leaves the turn whole.",
    "gpt_oss": "gpt-oss' own template puts the whole trace into the channel `final`, its thinking too: there it stays as it is.",
}
"""Families whose template does something else, and what."""
UNKNOWN = (
    "The chat template is the model's own. Plain ChatML leaves a trace as it is; others may not: Qwen3's sets the newlines "
    "around the thinking, that of DeepSeek's R1 distillations drops it."
)
UNTRIED = (
    "The chat template is the model's own, and what it makes of a trace wasn't tried. Some templates rewrite or drop "
    "an assistant's thinking."
)


def own_template_words(model: str) -> str:
    """What the model's own template does to a trace; where its family isn't known, what templates do."""
    family = family_of(model)
    if family in LEAVES_WHOLE:
        return WHOLE
    return DOES.get(family, UNTRIED if family else UNKNOWN)
