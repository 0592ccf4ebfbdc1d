"""What prompt variants are called, in one place: charts, cards, lists and forms say the same of the same variant."""

from collections.abc import Iterable, Mapping

PAPER_VARIANTS: Mapping[str, str] = {
    "original": "plain prompt",
    "plan_and_execute": "plan first",
    "alternatively": "alternatives",
    "rephrase": "rephrase first",
}
"""The paper's four wordings of the prompt, by the names that its data have."""
NO_VARIANT = "(none)"
"""Stands for the variant of responses whose data name none."""


def variant_words(name: str) -> str:
    """What a prompt variant is called: the paper's in words, any other by its name; empty where the data name none."""
    return PAPER_VARIANTS.get(name, name.replace("_", " "))


def variant_titles(names: Iterable[str]) -> dict[str, str]:
    """Name → what to call it among these, different for each: names that would read the same keep their own spelling."""
    words = {name: variant_words(name) or NO_VARIANT for name in names}
    shared = list(words.values())
    return {name: title if shared.count(title) == 1 else name or NO_VARIANT for name, title in words.items()}
