"""The parts of a recipe that say which traces are made of what was read, and how they look."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from skill_factory.model import TraceFormat
from skill_factory.recipe.part import Count, Part, Share, Texts, checked_ids, nearest
from skill_factory.recipe.tokens import CHARS_PER_TOKEN, estimated_tokens

POOLS = ("generic", "correct", "incorrect", "ending", "backtrack", "confirm")
"""Pools of the phrase book."""


class Filters(Part):
    """Which responses and reflections count."""

    variants: Texts = ()
    """Prompt variants to use; empty for all."""
    ban: Texts = ()
    """Texts that drop a reflection, in any case."""
    ban_substrings: bool = False
    """Ban words inside other words too ("idea" in "ideal"), as the paper's script does."""
    response_chars: tuple[int, int] = (0, 0)
    """Minimum and maximum length of a response in characters; 0 means no limit."""
    reflection_chars: tuple[int, int] = (0, 0)
    """Minimum and maximum length of a reflection in characters; 0 means no limit."""
    block_tags: Literal["drop", "escape"] = "drop"
    """What happens to a text that contains one of the trace's own tags."""
    given_away: Literal["keep", "drop", "cut"] = "keep"
    """What happens to a reflection of a wrong response that states the gold answer: dropped, or cut behind its verdict."""

    @field_validator("ban")
    @classmethod
    def _no_empty_word(cls, value: Texts) -> Texts:
        # Every text contains the empty one.
        if any(not word.strip() for word in value):
            raise ValueError("an empty banned word would drop every reflection")
        return value


class Balance(Part):
    """How much of what."""

    pass_rate: tuple[Share, Share] = (0.0, 1.0)
    """Minimum and maximum share of right responses among the kept responses of a question."""
    per_question: Annotated[int, Field(ge=0)] = 0
    """Maximum traces of one question; 0 means no limit."""
    label_limits: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Maximum traces, by label."""
    min_wrong: Annotated[int, Field(ge=0)] = 0
    """Minimum wrong attempts in a trace."""
    max_traces: Annotated[int, Field(ge=0)] = 0
    """Maximum traces, the first in written order; 0 means no limit."""
    exclude: Texts = ()
    """Ids of questions and traces to leave out."""
    drop_duplicates: bool = False
    """Keep one of a question's traces with the same words: that of the format listed first. New recipes turn this on."""
    suite: str = ""
    """Fingerprint of the suite that the traces are an arm of; `ablate` fills it in."""

    @field_validator("exclude")
    @classmethod
    def _ids(cls, value: Texts) -> Texts:
        return checked_ids(value)

    @model_validator(mode="after")
    def _window(self) -> Self:
        # Nothing would be left, and the ledger would blame each question for it.
        if self.pass_rate[0] > self.pass_rate[1]:
            raise ValueError("the pass-rate window is empty: its lower end is above its upper end")
        return self


class Traces(Part):
    """Which traces are made."""

    formats: Annotated[tuple[str, ...], Field(min_length=1)] = (TraceFormat.CORRECT_LAST_FULL.value,)
    """Codes of the trace formats."""
    attempts: Count = 5
    """N: maximum attempts in a trace, and kept responses that a question needs."""
    repeats: Count = 1
    """Traces of each kind per question."""
    distinct_variants: bool = False
    """Take each attempt of a trace from a different prompt variant."""
    sample_attempts: bool = False
    """Draw the number of attempts from 2..N, for `*C`, `*C*IC` and `*CC`."""
    seed: int = 0
    """Another seed draws other attempts, reflections and phrases."""
    layout: Literal["paper", "tight"] = "paper"
    """`tight` has one newline less after the thinking, which Qwen3's template leaves as it is."""

    @field_validator("formats")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # A format that is named twice would write its traces twice.
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _room_to_draw(self) -> Self:
        if self.sample_attempts and self.attempts < 2:
            raise ValueError("a drawn number of attempts is between 2 and N, but N is 1")
        return self


class Phrases(Part):
    """Phrases of one's own: added to a pool of the phrase book, or put in its place."""

    language: Literal["", "zh", "ja", "ko", "de", "fr", "es"] = ""
    """Language of the shipped phrases; empty is English."""

    add: dict[str, Texts] = Field(default_factory=dict)
    """Phrases to add, by pool."""
    replace: dict[str, Texts] = Field(default_factory=dict)
    """Phrases that take the place of a pool's, by pool."""

    @field_validator("add", "replace")
    @classmethod
    def _one_line_without_tags(cls, value: dict[str, Texts]) -> dict[str, Texts]:
        for pool, phrases in value.items():
            if pool not in POOLS:
                raise ValueError(
                    f"there is no pool {pool!r}.{nearest(pool, POOLS)} Pools: {', '.join(POOLS)}"
                )
            for phrase in phrases:
                # `parse` finds a phrase as one line between blocks, so that every trace can be read back.
                if not phrase.strip() or "\n" in phrase or "\r" in phrase or "<" in phrase or ">" in phrase:
                    raise ValueError(f"a phrase is one line without < and >; found {phrase!r}")
        return value


class Tags(Part):
    """Names of the tags that mark the blocks of a trace."""

    think: str = "think"
    """Tag around the thinking."""
    sample: str = "sample"
    """Tag around an attempt."""
    reflect: str = "reflect"
    """Tag around a reflection."""
    answer: str = "answer"
    """Tag around the final answer."""

    @model_validator(mode="after")
    def _four_names(self) -> Self:
        names = (self.think, self.sample, self.reflect, self.answer)
        # A name goes into tags and patterns as it is, without escaping.
        if bad := [name for name in names if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name)]:
            raise ValueError(f"a tag name is a letter, then letters, digits, - or _; found {bad[0]!r}")
        # Otherwise an attempt and a reflection couldn't be told apart in a finished trace.
        if len(set(names)) < len(names):
            raise ValueError("two tags have the same name")
        return self


class Cutoff(Part):
    """What happens to traces that a trainer would truncate."""

    tokens: Annotated[int, Field(ge=0)] = 0
    """Maximum tokens of question and trace; 0 means no limit."""
    action: Literal["keep", "drop", "fewer_attempts"] = "keep"
    """What happens to longer traces: nothing, they are dropped, or their first attempts are."""
    chars_per_token: Annotated[float, Field(gt=0)] = CHARS_PER_TOKEN
    """Characters in a token, the estimate where no tokenizer is given."""

    @property
    def limits_traces(self) -> bool:
        """Whether a build drops or shortens traces over the cut-off; one that is only shown changes nothing."""
        return self.tokens > 0 and self.action != "keep"

    def estimated_tokens(self, chars: float) -> float:
        """Tokens of so many characters, by this recipe's estimate."""
        return estimated_tokens(chars, self.chars_per_token)


class Output(Part):
    """What a row holds."""

    lineage: bool = True
    """Write the columns that say where each trace comes from."""
