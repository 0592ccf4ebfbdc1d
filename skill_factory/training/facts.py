"""How large a model is, from its configuration and the heads of its weight files: nothing is loaded."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_factory.errors import HubError


@dataclass(frozen=True)
class ModelFacts:
    """The sizes from which work and memory follow; 0 for what isn't known."""

    parameters: int
    layers: int = 0
    width: int = 0
    vocabulary: int = 0
    tied: bool = False
    """Whether the table of tokens is the last layer too."""

    @property
    def multiplied(self) -> int:
        """Parameters that every token is multiplied with: looking up a token is free."""
        return self.parameters - (0 if self.tied else self.vocabulary * self.width)


def model_facts(model: str, token: str | None = None, endpoint: str | None = None) -> ModelFacts | None:
    """The sizes of a model in a folder or on the Hub; None where nothing tells them."""
    folder = Path(model)
    if folder.is_dir():
        counted = sum(map(_parameters_in, folder.glob("*.safetensors")))
        return _facts(_json(folder / "config.json"), counted or _from_name(model))
    return _on_the_hub(model, token, endpoint)


def _facts(config: dict[str, Any], parameters: int) -> ModelFacts | None:
    # Models that also see keep the sizes of their language part one level deeper.
    text = config.get("text_config") or config
    return (
        ModelFacts(
            parameters,
            int(text.get("num_hidden_layers") or text.get("n_layer") or 0),
            int(text.get("hidden_size") or text.get("n_embd") or 0),
            int(text.get("vocab_size") or 0),
            bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False))),
        )
        if parameters
        else None
    )


def _parameters_in(path: Path) -> int:
    """The numbers in a file of weights: its head is JSON, its length stands in the first eight bytes."""
    try:
        with path.open("rb") as file:
            head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (OSError, ValueError, MemoryError, OverflowError):
        return 0
    total = 0
    for name, tensor in head.items():
        if name != "__metadata__":
            size = 1
            for length in tensor.get("shape", []):
                size *= length
            total += size
    return total


def _on_the_hub(model: str, token: str | None, endpoint: str | None) -> ModelFacts | None:
    from skill_factory.hub.client import client, try_read
    from skill_factory.hub.errors import patiently, plainly

    name = model.partition("@")[0]
    try:
        with plainly(name, token):
            info = patiently(lambda: client(token, endpoint).model_info(name))
        config = try_read(name, "config.json", token, str(info.sha), endpoint, kind="model")
    except HubError:
        # A name often says enough: an estimate may not need the network.
        parameters = _from_name(model)
        return ModelFacts(parameters) if parameters else None
    counted = info.safetensors.total if info.safetensors else _from_name(model)
    return _facts(json.loads(config) if config else {}, counted)


def _from_name(model: str) -> int:
    """The size that a name states, such as `Qwen2.5-1.5B-Instruct`."""
    found = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z])", model.rpartition("/")[2].lower())
    return int(float(found[1]) * (1e9 if found[2] == "b" else 1e6)) if found else 0


def _json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
