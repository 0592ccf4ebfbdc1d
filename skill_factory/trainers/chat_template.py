"""A tokenizer's own chat template, as it stands beside its `tokenizer.json`: what is put around question and trace."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from skill_factory.asked import Asked
from skill_factory.errors import HandoffError
from skill_factory.traces.chats import chat_messages, plain_messages, tools_in

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THOUGHT, PLAIN = "<think>\n⁂thought⁂\n</think>\n\n⁂said⁂", "⁂said⁂"
"""Stand-ins for a trace that templates leave alone: the first where they know thinking, the second where they drop it."""


class Around(NamedTuple):
    """What a template puts before and behind the assistant's text."""

    before: str
    behind: str


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template with the tokenizer's special tokens, and where it came from."""

    source: str
    origin: str
    special: Mapping[str, str]

    def render(self, asked: Asked, trace: str) -> str:
        """What is asked, and a trace, as the template writes them. Errors: HandoffError with the template's own words."""
        # A template that knows no calls would leave them out without a word.
        before = chat_messages(asked) if "tool_calls" in self.source else plain_messages(asked)
        messages = [*before, {"role": "assistant", "content": trace}]
        tools = tools_in(asked) or None
        template = _compiled(self.source)
        try:
            return str(
                template.render(messages=messages, add_generation_prompt=False, tools=tools, **self.special)
            )
        except Exception as error:  # a template is a program, and may fail in any way
            raise HandoffError(
                f"The chat template of {self.origin} can't write {_what(asked)}: {error}. "
                "Give another with --template FILE.jinja."
            ) from None

    def around(self, asked: Asked) -> Around:
        """
        What stands around the assistant's text, whatever the template would do to that text.

        Some templates rewrite the text: Qwen3's sets the newlines around the thinking, DeepSeek R1's drops it. What
        they put around it is found with texts that they leave alone, so that a trace goes in whole.
        """
        for stand_in in (THOUGHT, PLAIN):
            before, found, behind = self.render(asked, stand_in).rpartition(stand_in)
            if found:
                return Around(before, behind)
        raise HandoffError(
            f"The chat template of {self.origin} doesn't show the assistant's text. Give another with --template FILE.jinja."
        )


def _what(asked: Asked) -> str:
    return "a question and an answer" if asked.alone else "this conversation"


_CACHE: dict[str, Any] = {}


def _compiled(source: str) -> Any:
    # Kept: a template is parsed in milliseconds, which a million rows would pay for.
    if source not in _CACHE:
        try:
            from jinja2 import TemplateSyntaxError
            from jinja2.ext import loopcontrols
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ImportError:
            raise HandoffError(
                "Chat templates need an extra: pip install 'skill-factory[tokenizers]'."
            ) from None
        # A template is somebody else's program: in a sandbox, with the settings that transformers renders it with.
        world = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _generation()]
        )
        world.filters["tojson"] = _tojson
        world.globals |= {
            "raise_exception": _refuse,
            "strftime_now": lambda form: datetime.now().strftime(form),
        }
        try:
            _CACHE[source] = world.from_string(source)
        except TemplateSyntaxError as error:
            raise HandoffError(f"The chat template can't be read as Jinja: {error}.") from None
    return _CACHE[source]


def _generation() -> Any:
    """The tag `{% generation %}`, with which some templates mark the assistant's turn; what is inside stays as it is."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Generation


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _refuse(message: str) -> NoReturn:
    from jinja2 import TemplateError

    raise TemplateError(message)


def load_template(tokenizer: Path, told: str = "") -> ChatTemplate:
    """
    The template in a file (`told`), otherwise the one beside a `tokenizer.json`, otherwise ChatML.

    Errors: HandoffError for a file that can't be read.
    """
    config = _json_beside(tokenizer, "tokenizer_config.json")
    special = {key: text for key in SPECIAL if (text := _text_of(config.get(key)))}
    if told:
        return ChatTemplate(_read(Path(told).expanduser()), Path(told).name, special)
    beside = tokenizer.with_name("chat_template.jinja")
    if beside.is_file():
        return ChatTemplate(_read(beside), beside.name, special)
    for name, found in (
        ("tokenizer_config.json", config),
        ("chat_template.json", _json_beside(tokenizer, "chat_template.json")),
    ):
        if source := _source_of(found.get("chat_template")):
            return ChatTemplate(source, name, special)
    return ChatTemplate(CHATML, "", special)


SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HandoffError(f"The chat template {path.name} can't be read: {error}") from None


def _json_beside(tokenizer: Path, name: str) -> dict[str, Any]:
    path = tokenizer.with_name(name)
    if not path.is_file():
        return {}
    try:
        found = json.loads(_read(path))
    except ValueError as error:
        raise HandoffError(f"{name} beside the tokenizer isn't JSON: {error}.") from None
    return found if isinstance(found, dict) else {}


def _text_of(token: Any) -> str:
    # A special token is written as a text, or as an object with its text in it.
    return str(token.get("content") or "") if isinstance(token, dict) else str(token or "")


def _source_of(found: Any) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        # Several templates under names: tools and retrieval have their own.
        return str(named.get("default") or next(iter(named.values()), "") or "")
    return ""
