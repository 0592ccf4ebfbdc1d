"""How a trained model is asked: whole or by raw completions, and budget forcing (arXiv 2512.04072, section 7).

Budget forcing: an output that still thinks at the first bound is cut there, a sample tag is appended, and the model
continues to the second bound. That continues a text which the model began, so it needs raw completions, or a chat server
that continues an assistant's turn.
"""

from dataclasses import dataclass

from skill_factory.errors import EndpointError, RecipeError
from skill_factory.generate.job import Job
from skill_factory.grading import BlockNames

CONTINUES = {"continue_final_message": True, "add_generation_prompt": False}
"""What a chat server that continues an assistant's turn is told (vLLM, SGLang)."""


@dataclass(frozen=True)
class Forcing:
    """The two bounds, in tokens of the output, and what is appended at the first."""

    first: int
    second: int
    trigger: str

    def checked(self) -> "Forcing":
        """Errors: RecipeError for bounds that leave no room."""
        if not 0 < self.first < self.second:
            raise RecipeError(
                f"--budget takes two bounds that grow, e.g. 4096:8192; found {self.first}:{self.second}."
            )
        return self


@dataclass(frozen=True)
class Evaluation:
    """How a model is asked, beside the job."""

    forcing: Forcing | None = None
    completions: bool = False
    tokenizer: str = ""
    names: BlockNames = BlockNames()  # noqa: RUF009 - a named tuple of strings

    def checked(self, job: Job) -> "Evaluation":
        """Errors: RecipeError, EndpointError for what can't be done with this server."""
        if self.completions and not job.endpoint.url:
            raise EndpointError("Raw completions need a server of your own: give --endpoint URL.")
        if self.completions and job.endpoint.stream:
            raise EndpointError("Raw completions are asked for whole. Leave --stream out.")
        if self.forcing is None:
            return self
        self.forcing.checked()
        # A chat server that doesn't continue would begin a new turn, and the outputs would look like a weaker model's.
        if not self.completions and not job.sampling.extra.get("continue_final_message"):
            raise RecipeError(
                "Budget forcing continues a text that the model began, which a chat server doesn't do. Ask for raw "
                "completions (--completions --tokenizer FOLDER), or, if your server continues an assistant's turn, say so: "
                "--parameter continue_final_message=true."
            )
        return self


def bounds_of(text: str, names: BlockNames) -> Forcing | None:
    """`4096:8192` as bounds; None for an empty text. Errors: RecipeError."""
    if not text:
        return None
    first, colon, second = text.partition(":")
    if not colon or not first.isdecimal() or not second.isdecimal():
        raise RecipeError(f"--budget takes two numbers of tokens, e.g. 4096:8192; found {text!r}.")
    return Forcing(int(first), int(second), f"<{names.sample}>").checked()


def begun_text(text: str, trigger: str) -> str:
    """A cut text with the trigger on a line of its own."""
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{trigger}"
