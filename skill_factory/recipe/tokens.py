"""How many tokens a text has, where no tokenizer counts them: one estimate for limits, reports, pages and prices."""

CHARS_PER_TOKEN = 3.5
"""Characters of a token in English reasoning text; a recipe may say otherwise (`cutoff.chars_per_token`)."""


def estimated_tokens(chars: float, chars_per_token: float = CHARS_PER_TOKEN) -> float:
    """Tokens of so many characters, not rounded: each use rounds as its purpose asks for."""
    return chars / chars_per_token
