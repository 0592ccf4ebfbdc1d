"""How long traces are in tokens, and what a trainer's cut-off would truncate, by format and number of attempts.

Tokens are counted with the user's own `tokenizer.json`, or estimated from characters and labelled as an estimate. The
count covers question and trace, and `AROUND` tokens for what a chat template puts around them.
"""

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from skill_factory.errors import HandoffError
from skill_factory.recipe.language import tokens_of_text
from skill_factory.recipe.tokens import CHARS_PER_TOKEN

AROUND = 32
"""Tokens that a chat template adds to a row: role marks, and the default system prompt in Qwen2.5's template."""
TURN = 5
"""Tokens that a chat template adds for each further turn."""


def template_tokens(turns: int) -> int:
    """Tokens that a chat template puts around a row of so many turns."""
    return AROUND + TURN * max(0, turns - 2)


CUTOFF = 16_384
"""The default cut-off in tokens, as in the paper's file for LLaMA-Factory."""
KEEP = 0.99
"""The share of traces that should fit a cut-off."""


@dataclass(frozen=True)
class TokenCounter:
    """A way to count tokens; `exact` is False for an estimate from characters, and `name` says how it counts."""

    name: str
    exact: bool
    count: Callable[[Sequence[str]], Sequence[int]]
    special: tuple[str, ...] = ()
    """Texts that the tokenizer turns into control tokens."""


@dataclass(frozen=True)
class Lengths:
    """Tokens (with the template's), format and number of attempts, one entry per trace."""

    tokens: npt.NDArray[np.int32]
    formats: Sequence[str]
    attempts: npt.NDArray[np.int32]
    counter: str
    exact: bool
    characters: int


@dataclass(frozen=True)
class CutRow:
    """What a cut-off does to the traces of one format and number of attempts."""

    format: str
    attempts: int
    traces: int
    over: int
    median: int
    p99: int
    longest: int

    @property
    def share(self) -> float:
        """The share of traces that lose their end, and with it the final answer."""
        return self.over / self.traces


def estimating_counter(chars_per_token: float = CHARS_PER_TOKEN) -> TokenCounter:
    """A counter that estimates tokens from characters, rounded up."""

    def count(texts: Sequence[str]) -> list[int]:
        return [math.ceil(tokens_of_text(text, chars_per_token)) for text in texts]

    return TokenCounter(
        f"estimate: {chars_per_token:g} characters per token, fewer where the script is dense", False, count
    )


class LoadedTokenizer(NamedTuple):
    """A tokenizer of the library `tokenizers`, the file it came from, and its name for notes."""

    tokenizer: Any
    path: Path
    name: str


def load_tokenizer(tokenizer: str, token: str | None = None) -> LoadedTokenizer:
    """
    A tokenizer from a `tokenizer.json`, a folder that holds one, or a model on the Hub (`user/name[@revision]`).

    Errors: HandoffError if there is no such file, it can't be read, or the extra `tokenizers` isn't installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise HandoffError(
            "Counting tokens needs an extra: pip install 'skill-factory[tokenizers]'. "
            "Without it, leave out --tokenizer for an estimate from characters."
        ) from None
    path = _tokenizer_file(tokenizer, token)
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception for a file that it can't read
        raise HandoffError(f"{tokenizer} isn't a readable tokenizer.json ({error}).") from None
    # A tokenizer.json may carry a length of its own, which would make every long trace fit.
    loaded.no_truncation()
    loaded.no_padding()
    # Of a local file only its name and its folder's: it goes into notes that travel to other machines.
    name = "/".join(path.parts[-2:]) if Path(tokenizer).expanduser().exists() else tokenizer
    return LoadedTokenizer(loaded, path, name)


def load_counter(tokenizer: str, token: str | None = None) -> TokenCounter:
    """A counter that takes a tokenizer as `load_tokenizer` finds it, with the same errors."""
    loaded, _, name = load_tokenizer(tokenizer, token)

    def count(texts: Sequence[str]) -> list[int]:
        return [len(text.ids) for text in loaded.encode_batch_fast(list(texts), add_special_tokens=False)]

    added = loaded.get_added_tokens_decoder().values()
    return TokenCounter(name, True, count, tuple(sorted(entry.content for entry in added if entry.special)))


def _tokenizer_file(tokenizer: str, token: str | None) -> Path:
    path = Path(tokenizer).expanduser()
    path = path / "tokenizer.json" if path.is_dir() else path
    if path.is_file():
        return path
    name, _, revision = tokenizer.partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or tokenizer.endswith(".json"):
        raise HandoffError(
            f"There is no tokenizer at {tokenizer}. Give a tokenizer.json, a folder that holds one, or a model on the Hub (user/name)."
        )
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    try:
        # What chat templates stand in lies beside it, where a model has one.
        for beside in ("tokenizer_config.json", "chat_template.jinja"):
            with contextlib.suppress(EntryNotFoundError):
                hf_hub_download(name, beside, revision=revision or None, token=token)
        return Path(hf_hub_download(name, "tokenizer.json", revision=revision or None, token=token))
    except (HfHubHTTPError, OSError) as error:
        raise HandoffError(
            f"The Hub has no tokenizer.json for {tokenizer} ({type(error).__name__}). "
            "Check the name, sign in for a gated model, or give the file itself."
        ) from None


def measure_lengths(
    rows: Iterable[Mapping[str, Any]], counter: TokenCounter, sample_tag: str = "sample"
) -> Lengths:
    """The lengths of a build's rows (`conversations`, and `format` and `attempts` if the build has lineage)."""
    tokens: list[int] = []
    formats: list[str] = []
    attempts: list[int] = []
    characters = 0
    for batch in in_batches(rows, 512):
        texts = [text for row in batch for text in _texts_of(row)]
        counted = iter(counter.count(texts))
        characters += sum(map(len, texts))
        for row in batch:
            around = template_tokens(len(row["conversations"]))
            tokens.append(around + sum(next(counted) for _ in _texts_of(row)))
            formats.append(row.get("format") or row["sft_template_type_idx"])
            attempts.append(number_of_attempts(row, sample_tag))
    arrays = np.array(tokens, np.int32), np.array(attempts, np.int32)
    return Lengths(arrays[0], formats, arrays[1], counter.name, counter.exact, characters)


def _texts_of(row: Mapping[str, Any]) -> list[str]:
    """All that a model reads of a row."""
    tools = [row["tools"]] if row.get("tools") else []
    return [*tools, *(message["content"] for message in row["conversations"])]


def number_of_attempts(row: Mapping[str, Any], sample_tag: str = "sample") -> int:
    """The number of attempts in a row's trace: from its lineage, otherwise from its sample blocks."""
    if row.get("attempts") is not None:
        return len(row["attempts"])
    return int(row["conversations"][-1]["content"].count(f"<{sample_tag}>"))


Item = TypeVar("Item")


def in_batches(rows: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The rows in lists of so many."""
    batch: list[Item] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def cut_table(lengths: Lengths, cutoff: int) -> list[CutRow]:
    """What a cut-off in tokens does to the traces, by format and number of attempts."""
    formats = np.array(lengths.formats, dtype=object)
    rows = []
    for name in sorted(set(lengths.formats)):
        for n in sorted(set(lengths.attempts[formats == name].tolist())):
            tokens = lengths.tokens[(formats == name) & (lengths.attempts == n)]
            over = int((tokens > cutoff).sum())
            # `higher`: a percentile is a length that a trace really has.
            median, p99, longest = np.percentile(tokens, [50, 99, 100], method="higher").astype(int).tolist()
            rows.append(CutRow(name, n, len(tokens), over, median, p99, longest))
    return rows


def largest_n(lengths: Lengths, cutoff: int, keep: float = KEEP) -> int:
    """
    The largest number of attempts N for which a share `keep` of the traces with up to N attempts fits the cut-off.

    0 if there is none. The share has to hold for every smaller N too, so that a rare long format can't hide behind many
    short ones.
    """
    best = 0
    for n in sorted(set(lengths.attempts.tolist())):
        tokens = lengths.tokens[lengths.attempts <= n]
        if (tokens <= cutoff).mean() < keep:
            break
        best = n
    return best


def chars_per_token(lengths: Lengths) -> float:
    """Characters per token of these traces, for estimates of others (`cutoff.chars_per_token` in a recipe)."""
    tokens = int(lengths.tokens.sum()) - AROUND * len(lengths.tokens)
    return lengths.characters / tokens if tokens else CHARS_PER_TOKEN
