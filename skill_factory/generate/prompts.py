"""The prompts: four variants to sample responses with, one to ask for reflections, and the user's own. Words are data."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_factory.asked import SYSTEM, asked
from skill_factory.errors import RecipeError
from skill_factory.traces.chats import plain_messages, with_tools

SHIPPED = Path(__file__).parent / "prompts.toml"
_HOLE = re.compile(r"\{(question|response)\}")
_ANY_HOLE = re.compile(r"\{([a-z_]+)\}")

Message = dict[str, str]
"""`role` and `content`, as chat servers take them."""


@dataclass(frozen=True)
class Prompt:
    """A prompt with placeholders for the question (and the response)."""

    name: str
    text: str
    system: str = ""
    about: str = ""

    def messages(self, question: str, response: str = "") -> list[Message]:
        """
        The prompt filled in; a placeholder that is part of a question or response stays as it is.

        Of a question in a conversation the prompt words the question alone, and the other turns stay around it; a prompt
        about a response shows the whole conversation as one text.
        """
        whole = asked(question)
        if "{response}" in self.text:
            return [*self._system(), self._user(whole.transcript, response)]
        messages = plain_messages(whole)
        messages[whole.place] = self._user(whole.question, response)
        messages = with_tools(messages, whole)
        if messages[0]["role"] == SYSTEM and self.system:
            messages[0] = {"role": SYSTEM, "content": f"{self.system}\n\n{messages[0]['content']}"}
            return messages
        return [*self._system(), *messages]

    def _system(self) -> list[Message]:
        return [{"role": SYSTEM, "content": self.system}] if self.system else []

    def _user(self, question: str, response: str) -> Message:
        texts = {"question": question, "response": response}
        # One pass over the prompt: what has been put in isn't looked at again.
        return {"role": "user", "content": _HOLE.sub(lambda hole: texts[hole[1]], self.text)}


@dataclass(frozen=True)
class PromptBook:
    """All prompts by name, in the order in which they are used."""

    variants: Mapping[str, Prompt]
    reflection: Prompt

    def chosen(self, names: Sequence[str]) -> tuple[Prompt, ...]:
        """The variants with these names, or all of them. Errors: RecipeError for an unknown name."""
        for name in names:
            if name not in self.variants:
                known = ", ".join(self.variants)
                raise RecipeError(
                    f"There is no prompt variant {name!r}. Known: {known}. Add it with --prompts FILE."
                )
        return tuple(self.variants[name] for name in (dict.fromkeys(names) or self.variants))


def prompt_book(own: str | Path | None = None) -> PromptBook:
    """The shipped prompts, with those of the user's file added or in their place. Errors: RecipeError."""
    shipped = _read(SHIPPED)
    added = _read(Path(own)) if own else {}
    variants = {**shipped["variants"], **added.get("variants", {})}
    reflection = added.get("reflection", shipped["reflection"])
    return PromptBook(
        {name: _prompt(name, entry, {"question"}) for name, entry in variants.items()},
        _prompt("reflection", reflection, {"question", "response"}),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"Can't read the prompts in {path}: {error.strerror}. Check the path.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"{path} isn't valid TOML: {error}. Fix that line.") from None
    if unknown := set(tree) - {"variants", "reflection"}:
        raise RecipeError(
            f"{path} has a section {min(unknown)!r}. Prompts have [variants.NAME] and [reflection] only."
        )
    if not isinstance(tree.get("variants", {}), dict):
        raise RecipeError(f"{path}: each variant is a table of its own. Write [variants.NAME].")
    return tree


def _prompt(name: str, entry: Any, needed: set[str]) -> Prompt:
    if not isinstance(entry, dict) or not isinstance(entry.get("prompt"), str):
        raise RecipeError(f'The prompt {name!r} has no text. Write prompt = "…{{question}}…" in its section.')
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise RecipeError(f"A variant's name has letters, digits, - and _ only; found {name!r}.")
    if unknown := set(entry) - {"prompt", "system", "about"}:
        raise RecipeError(f"The prompt {name!r} has a key {min(unknown)!r}. Known: prompt, system, about.")
    holes = set(_ANY_HOLE.findall(entry["prompt"]))
    if missing := needed - holes:
        raise RecipeError(
            f"The prompt {name!r} has no place for the {min(missing)}. Put {{{min(missing)}}} in."
        )
    # Reflections by a model that knows the truth would show no checking, so no prompt may give it away.
    if truths := holes & {"answer", "gold", "correct", "label", "verdict"}:
        raise RecipeError(
            f"The prompt {name!r} asks for {{{min(truths)}}}; the model is never told the truth."
        )
    return Prompt(
        name, entry["prompt"].strip("\n"), str(entry.get("system", "")), str(entry.get("about", ""))
    )
