"""A request to a model and its answer. A request's id is the hash of prompt, model and parameters: the store's key."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import Field, model_validator

from skill_factory.errors import RecipeError
from skill_factory.generate.prompts import Message
from skill_factory.recipe.model import Part
from skill_factory.sources.thinking import joined

PROMPT_OVERHEAD = 64
"""Tokens that a chat template adds around the prompt, roughly."""
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_TAKEN = {"model", "messages", "stream", "stream_options", "n", "max_tokens"}
"""Parameters that the program sets itself; on `max_tokens` a budget relies."""


class Sampling(Part):
    """How the model samples; None leaves a parameter out. The defaults are the paper's (section 4)."""

    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 0.8
    top_k: int | None = 20
    repetition_penalty: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = 1.1
    max_tokens: Annotated[int, Field(ge=1)] = 4096
    seed: int | None = 0
    """Each request gets a seed of its own, drawn from this one; with None no seed is sent."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further parameters that the server knows, e.g. `{"chat_template_kwargs": {"enable_thinking": false}}`."""

    @model_validator(mode="after")
    def _nothing_of_ours(self) -> "Sampling":
        # A parameter that can't be sent would otherwise be found out by the first request.
        taken = _TAKEN & set(self.extra)
        if taken:
            raise ValueError(f"{min(taken)!r} isn't a parameter to set here")
        try:
            _canonical(self.extra)
        except (ValueError, TypeError, RecursionError):
            raise ValueError("holds a value that JSON can't carry to a server") from None
        return self

    def body(self) -> dict[str, Any]:
        """The parameters as they are sent to the server, without the seed."""
        named = {
            name: getattr(self, name) for name in type(self).model_fields if name not in ("seed", "extra")
        }
        return {name: value for name, value in named.items() if value is not None} | self.extra


class Finish(StrEnum):
    """How an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    """Cut off at `max_tokens`."""
    REFUSED = "refused"
    """The server's filter declined, or the model did so in the protocol's own field."""
    EMPTY = "empty"
    """No text: all of it went into thinking, or there was none."""


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt, sent once."""

    id: str
    """32 hexadecimal digits."""
    messages: Sequence[Message]
    body: Mapping[str, Any]
    """The parameters, `seed` and `max_tokens` among them, without `model` and `messages`."""

    @property
    def most_prompt_tokens(self) -> int:
        """The most tokens that the prompt can have: no tokenizer makes more of them than there are bytes."""
        return PROMPT_OVERHEAD + sum(len(message["content"].encode()) for message in self.messages)

    @property
    def most_completion_tokens(self) -> int:
        """The most tokens that the answer can have, as the server was told."""
        return int(self.body["max_tokens"])


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it cost."""

    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    counted: bool = True
    """Whether the server counted the tokens; otherwise they are estimated from the characters."""
    seconds: float = 0.0
    thinking: str = ""
    """What the server moved out of the text into a field of its own."""

    @property
    def whole(self) -> str:
        """
        The text with its thinking back inside <think> tags, where a server that moves nothing leaves it.

        Where no text follows, the model was cut off while thinking, so the tag stays open.
        """
        if not self.thinking:
            return self.text
        thinking, text = self.thinking.strip("\n"), self.text.lstrip("\n")
        return joined(thinking, text) if text.strip() else f"<think>\n{thinking}"


def make_request(messages: Sequence[Message], model: str, sampling: Sampling, sample: int) -> Request:
    """The request for one of the answers to a prompt, which are counted from 0."""
    body = sampling.body()
    # `sample` is part of the id although it isn't sent: answers to one prompt are several requests.
    key = {"messages": messages, "model": model, "parameters": body, "seed": sampling.seed, "sample": sample}
    digest = blake2b(_canonical(key), digest_size=16).hexdigest()
    if sampling.seed is not None:
        body["seed"] = int(digest[:8], 16) >> 1  # some servers keep it in 31 bits
    return Request(digest, messages, body)


def _canonical(tree: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(tree).encode()


def parse_extra(words: Sequence[str]) -> dict[str, Any]:
    """The parameters in words `NAME=VALUE`, whose values are JSON or plain text. Errors: RecipeError."""
    parameters: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise RecipeError(f"Can't read --set {word!r}. Write NAME=VALUE, e.g. --set min_p=0.05.")
        try:
            # JSON where it can be: `0.05` is a number, `fast` a text.
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
        except RecursionError:
            raise RecipeError(f"The value of --set {name} is nested too deeply. Write plain JSON.") from None
    return parameters
