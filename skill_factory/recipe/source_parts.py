"""The parts of a recipe that say how raw data is read: its source, its columns, the answers, verdicts and labels in them."""

import re
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from skill_factory.recipe.part import Part, Texts, checked_pattern

ThinkRule = Literal["", "after", "inside", "both", "drop"]
QuestionRule = Literal["", "last_turn", "first_turn", "conversation", "chat", "between"]
ResponseRule = Literal["", "last_turn", "steps", "flat", "between"]
LabelRule = Literal["", "words", "threshold", "all_right", "first", "steps"]


_KEY = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}")


class Source(Part):
    """Where the raw data comes from, by kind, name and digest; never by path."""

    kind: Literal["", "demo", "file", "hub"] = ""
    """`demo`, `file` or `hub`; filled in by the build."""
    name: str = ""
    """`user/name` of a Hub dataset, the file's own name, or the demo's number of questions, behind the world's name."""
    config: str = ""
    """Config (subset) of a Hub dataset; empty for the default one."""
    split: str = "train"
    """Split of a Hub dataset."""
    revision: str = ""
    """Commit of a Hub dataset; the build fills it in."""
    digest: str = ""
    """SHA-256 of a file source; the build fills it in."""


class Columns(Part):
    """
    Which column holds what, and how it is read. Several response columns are the wide form: one response each.

    The rules of reading are here and not in a part of their own, since whoever reads a row needs both.
    """

    question: str = ""
    """Column of the question."""
    answer: str = ""
    """Column of the gold answer."""
    response: Texts = ()
    """Column of the responses, or several with one response each."""
    correct: Texts = ()
    """Column that says whether the response is right."""
    extracted_answer: Texts = ()
    """Column of the final answers."""
    reflections: Texts = ()
    """Column of the reflections."""
    prompt_variant: str = ""
    """Column that names the prompt variant."""
    verdicts: Texts = ()
    """Column of the verdicts, for the verdict rule `column`."""
    question_rest: Texts = ()
    """Columns whose texts follow the question's own: an input, or a list of choices, which get letters."""
    thinking: Texts = ()
    """Column of each response's thinking, if that has one of its own."""
    correct_else: Texts = ()
    """Columns that say right or wrong in rows where the first one is empty."""
    system: str = ""
    """Column of the system prompt, for the question rule `conversation`."""
    tools: str = ""
    """Column of the tools that the assistant may call, for the question rule `conversation`."""
    think: ThinkRule = ""
    """Which part of a text with `<think>…</think>` is the attempt: after it, inside it, or both; empty: the text as it is."""
    question_rule: QuestionRule = ""
    """How a question is read: the last or first user turn, with its conversation, without a chat template's words, or between two marks."""
    response_rule: ResponseRule = ""
    """How responses are read: the last assistant turn, steps joined into one, lists of lists, or between two marks."""
    label_rule: LabelRule = ""
    """Which values mean right: words, numbers from a threshold up, all, the first column of a pair, or all steps right."""
    question_marks: Texts = ()
    """For the question rule `between`: the marks before and after the question."""
    response_marks: Texts = ()
    """For the response rule `between`: the marks before and after the response."""
    right: Texts = ()
    """For the label rules `words` and `steps`: values that mean right."""
    wrong: Texts = ()
    """For the label rules `words` and `steps`: values that mean wrong."""
    threshold: float = 1.0
    """For the label rule `threshold`: the smallest number that means right."""
    only: Texts = ()
    """A column and a value: rows with another value there are left out, for logs that have one row per filter."""
    guess: Literal["", "names"] = ""
    """How columns that aren't mapped are found: by a known format first, or by `names` and shape alone."""

    @field_validator(
        "response",
        "correct",
        "extracted_answer",
        "reflections",
        "verdicts",
        "question_rest",
        "thinking",
        "correct_else",
        "question_marks",
        "response_marks",
        "right",
        "wrong",
        "only",
        mode="before",
    )
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        # One column is the usual case, and `--map response=` with nothing behind it means none.
        return ((value,) if value else ()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _rules_have_what_they_need(self) -> Self:
        if self.label_rule in ("words", "steps") and not (self.right or self.wrong):
            raise ValueError(
                f"the label rule '{self.label_rule}' needs the values that mean right, e.g. right=['pass']"
            )
        # A column without a value would leave out every row.
        if len(self.only) not in (0, 2):
            raise ValueError("`only` is a column and a value, e.g. only=['filter', 'strict-match']")
        for rule, marks in (
            (self.question_rule, self.question_marks),
            (self.response_rule, self.response_marks),
        ):
            if rule == "between" and len(marks) != 2:
                raise ValueError(
                    "the rule 'between' needs two marks, one before and one after; either may be empty"
                )
        return self


class Answers(Part):
    """How the final answer of a response is found."""

    rules: tuple[Literal["column", "tag", "boxed", "stated", "regex", "gold"], ...] = ("column", "tag")
    """Rules that look for the answer; the first one that finds an answer counts."""
    pattern: str = ""
    r"""For the rule `regex`: the last match counts, or its group 1, e.g. `A: (.*)`."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return checked_pattern(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        # A pattern that no rule uses would look as if it worked.
        if ("regex" in self.rules) != bool(self.pattern):
            raise ValueError("the rule 'regex' and a pattern go together; one of them is missing")
        return self


class Verdicts(Part):
    """How the verdict of a reflection is read."""

    rule: Literal["tag", "column", "regex"] = "tag"
    """`tag` reads `<verdict>`, `column` a column of its own, `regex` the pattern."""
    pattern: str = ""
    """For the rule `regex`: the first match counts, or its group 1."""
    correct: Texts = ("correct",)
    """Words (in lower case) that mean right."""
    incorrect: Texts = ("incorrect",)
    """Words (in lower case) that mean wrong."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return checked_pattern(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.rule == "regex") != bool(self.pattern):
            raise ValueError("the rule 'regex' and a pattern go together; one of them is missing")
        return self


class Labels(Part):
    """Labels that a person has corrected."""

    corrections: dict[str, bool] = Field(default_factory=dict)
    """Corrected labels by QUESTION-RESPONSE ids; true is right."""

    @field_validator("corrections")
    @classmethod
    def _named_by_ids(cls, value: dict[str, bool]) -> dict[str, bool]:
        for name in value:
            # Checked here: a correction that names nothing would be lost without a word.
            if not _KEY.fullmatch(name):
                raise ValueError(
                    f"a response is named by two ids of 16 hexadecimal digits, joined by -; found {name!r}"
                )
        return value


class Review(Part):
    """
    What a person decided about single traces, by QUESTION-TRACE keys (`traces/decisions.py`).

    A key names attempts and reflections, not their wording: other phrases between them leave a decision as it is.
    """

    accepted: Texts = ()
    """Traces that a person read and accepted."""
    rejected: Texts = ()
    """Traces that a person read and rejected; a build leaves them out."""
    notes: dict[str, str] = Field(default_factory=dict)
    """Remarks on traces."""

    @field_validator("accepted", "rejected", "notes")
    @classmethod
    def _named_by_keys(cls, value: Texts | dict[str, str]) -> Texts | dict[str, str]:
        for name in value:
            if not _KEY.fullmatch(name):
                raise ValueError(
                    f"a trace is named by two ids of 16 hexadecimal digits, joined by -; found {name!r}"
                )
        return value

    @model_validator(mode="after")
    def _one_decision_each(self) -> Self:
        if both := {*self.accepted} & {*self.rejected}:
            raise ValueError(f"a trace is accepted or rejected, not both: {min(both)!r}")
        return self
