"""What the page of a trained model says: which dataset, recipe and arm it comes from, by which script, with which figures."""

import json

from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.training.plan import Method, Plan

FIGURES = "@{figures}"
"""Where the script writes what it measured."""


def model_card(plan: Plan, dataset: str, arm: str, recipe: AnyRecipe | None, traces: int) -> str:
    """The card as Markdown, with a place for the figures."""
    head = ["library_name: " + ("peft" if plan.lora else "transformers"), "tags: [skill-factory, trl]"]
    # JSON is YAML: names with colons or signs stay names.
    if "/" in plan.model and not plan.model.startswith((".", "/", "~")):
        head.append(f"base_model: {json.dumps(plan.model)}")
    name = (plan.to or plan.folder.name).rpartition("/")[2]
    method = "supervised fine-tuning" if plan.method is Method.SFT else "GRPO, rewarded for right answers"
    what = "traces" if plan.method is Method.SFT else "questions"
    lines = [
        "---",
        *head,
        "---",
        "",
        f"# {name}",
        "",
        f"`{_shown(plan.model)}` after {method}{' of a LoRA adapter' if plan.lora else ''}, with SkillFactory Studio.",
        "",
        "## What it was trained on",
        "",
        f"- dataset: `{dataset}`, {traces:,} traces"
        if plan.method is Method.SFT
        else f"- dataset: `{dataset}`",
        *([f"- arm of its suite: `{arm}`"] if arm else []),
        *([f"- recipe: `{recipe.fingerprint()[:16]}`, whole in `recipe.toml`"] if recipe else []),
        f"- script: `train_{plan.method}.py`, with the values in `training.json`",
        "",
        "## Figures",
        "",
        FIGURES,
        f"- learning rate {plan.learning_rate:g}, {plan.batch} {what} per step, cut-off {plan.cutoff:,} tokens, seed {plan.seed}",
        "",
    ]
    return "\n".join(lines)


def _shown(model: str) -> str:
    """A model's name; of a folder only its last part, since the card travels to other machines."""
    return model.rstrip("/").rpartition("/")[2] if model.startswith((".", "/", "~")) else model
