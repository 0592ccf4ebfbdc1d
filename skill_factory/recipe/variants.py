"""What prompt variants are called, in one place: charts, cards, lists and forms use the same words for the same variant."""

from collections.abc import Iterable, Mapping

PAPER_VARIANTS: Mapping[str, str] = {
    "original": "plain prompt",
    "plan_and_execute": "plan first",
    "alternatively": "alternatives",
    "rephrase": "rephrase first",
}
"""The paper's four wordings of the prompt, by their names in its data."""
NO_VARIANT = "(none)"
"""Stands for the variant where the data names none."""


def variant_words(name: str) -> str:
    """What a prompt variant is called: the paper's in words, any other by its name; empty where the data names none."""
    return PAPER_VARIANTS.get(name, name.replace("_", " "))


def variant_titles(names: Iterable[str]) -> dict[str, str]:
    """Name → title, different for each of these names: names that would read the same keep their own spelling."""
    words = {name: variant_words(name) or NO_VARIANT for name in names}
    # Two bars of a chart with the same title would be taken for one.
    shared = list(words.values())
    return {name: title if shared.count(title) == 1 else name or NO_VARIANT for name, title in words.items()}
