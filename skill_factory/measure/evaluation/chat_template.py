"""A model's own chat template: messages become the very text that it was trained to continue."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from skill_factory.errors import HandoffError
from skill_factory.generate.prompts import Message

Rendered = Callable[[Sequence[Message]], str]


def plain_text(messages: Sequence[Message]) -> str:
    """The messages' texts without any template, for models that know none."""
    return "\n\n".join(one["content"] for one in messages)


def chat_template(tokenizer: str, token: str | None = None) -> Rendered:
    """
    The template beside a tokenizer: a folder, a `tokenizer.json` in one, or a model of the Hub.

    Errors: HandoffError where there is none, or it can't be read.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    config, source = _files(tokenizer, token)
    # A template is a program of somebody else's, so it runs in a sandbox, as the trainers' own libraries run it.
    # Both options as the trainers' libraries set them: line breaks decide tokens.
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = _refuse
    special = {
        name: _content(config.get(name)) for name in ("bos_token", "eos_token", "pad_token", "unk_token")
    }
    try:
        template = environment.from_string(source)
    except TemplateError as error:
        raise HandoffError(f"The chat template of {tokenizer} can't be read: {error}.") from None

    def render(messages: Sequence[Message]) -> str:
        try:
            return template.render(messages=list(messages), add_generation_prompt=True, **special)
        except TemplateError as error:
            raise HandoffError(f"The chat template of {tokenizer} fails: {error}.") from None

    # Tried at once, so that a template that fails is told before anything is paid for.
    render([{"role": "user", "content": "x"}])
    return render


def _refuse(message: str) -> None:
    from jinja2 import TemplateError

    raise TemplateError(message)


def _content(token: Any) -> str:
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")


def _files(tokenizer: str, token: str | None) -> tuple[dict[str, Any], str]:
    """The tokenizer's configuration, and its template: in a file of its own, or among several the default one."""
    config: dict[str, Any] = json.loads(_text(tokenizer, "tokenizer_config.json", token) or "{}")
    template = _text(tokenizer, "chat_template.jinja", token) or config.get("chat_template")
    # Some models keep several templates, e.g. one for tools.
    if isinstance(template, list):
        template = next((one["template"] for one in template if one.get("name") == "default"), None)
    if not template:
        raise HandoffError(
            f"{tokenizer} has no chat template (tokenizer_config.json or chat_template.jinja). Give the folder or the model "
            "that was trained, or leave --tokenizer out to send each question as plain text."
        )
    return config, str(template)


def _text(tokenizer: str, name: str, token: str | None) -> str | None:
    path = Path(tokenizer).expanduser()
    folder = path if path.is_dir() else path.parent
    if path.exists():
        file = folder / name
        return file.read_text(encoding="utf-8") if file.is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    repo, _, revision = tokenizer.partition("@")
    try:
        return Path(hf_hub_download(repo, name, revision=revision or None, token=token)).read_text(
            encoding="utf-8"
        )
    except (HfHubHTTPError, OSError, ValueError):
        return None
