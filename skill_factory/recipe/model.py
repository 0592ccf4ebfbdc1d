"""The recipe: the one thing that the app edits, the command line reads, the card prints and the fingerprint hashes.

Everything that decides what a dataset holds is a field here; everything else (paths, workers, memory) belongs to the
run. A recipe is saved as TOML. The fingerprint is a SHA-256 over its canonical JSON, which includes the source's digest.
"""

import difflib
import hashlib
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from skill_factory.errors import RecipeError
from skill_factory.model import TraceFormat
from skill_factory.recipe.bounds import check_size, check_text
from skill_factory.recipe.patterns import compiled
from skill_factory.recipe.tokens import CHARS_PER_TOKEN, estimated_tokens

PRESETS = Path(__file__).parent / "presets"
PRESET_WORDS = {
    "paper": "As in the paper: every length up to N = 5",
    "algorithm1": "Algorithm 1: more right than wrong attempts",
    "ablation_no_order": "For comparison: attempts in any order",
    "ablation_no_reflections": "For comparison: no reflections",
    "ablation_no_variety": "For comparison: one prompt variant",
}
"""What the shipped recipes are, for people."""
RECIPE_VERSION = 1
"""Goes up when the same recipe would give other traces."""

Texts = tuple[str, ...]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
POOLS = ("generic", "correct", "incorrect", "ending", "backtrack", "confirm")


ThinkRule = Literal["", "after", "inside", "both", "drop"]
QuestionRule = Literal["", "last_turn", "first_turn", "chat", "between"]
ResponseRule = Literal["", "last_turn", "steps", "flat", "between"]
LabelRule = Literal["", "words", "threshold", "all_right", "first", "steps"]


class Part(BaseModel):
    """A part of the recipe: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Source(Part):
    """Where the raw data comes from, by kind, name and digest; never by path."""

    kind: Literal["", "demo", "file", "hub"] = ""
    """`demo`, `file` or `hub`; filled in by the build."""
    name: str = ""
    """`user/name` of a Hub dataset, the file's own name, or the demo's number of questions."""
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
    think: ThinkRule = ""
    """Which part of a text with `<think>…</think>` is the attempt: after it, inside it, or both; empty: the text as it is."""
    question_rule: QuestionRule = ""
    """How a question is read: the last or first user turn, without a chat template's words, or between two marks."""
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
        "response", "correct", "extracted_answer", "reflections", "verdicts", "question_rest", "thinking",
        "correct_else", "question_marks", "response_marks", "right", "wrong", "only", mode="before",
    )  # fmt: skip
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return ((value,) if value else ()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _rules_have_what_they_need(self) -> Self:
        if self.label_rule in ("words", "steps") and not (self.right or self.wrong):
            raise ValueError(
                f"the label rule '{self.label_rule}' needs the values that mean right, e.g. right=['pass']"
            )
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
        return _checked_pattern(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
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
        return _checked_pattern(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.rule == "regex") != bool(self.pattern):
            raise ValueError("the rule 'regex' and a pattern go together; one of them is missing")
        return self


class Labels(Part):
    """Labels that a person has corrected."""

    corrections: dict[str, bool] = {}
    """Corrected labels by QUESTION-RESPONSE ids; true is right."""

    @field_validator("corrections")
    @classmethod
    def _named_by_ids(cls, value: dict[str, bool]) -> dict[str, bool]:
        for name in value:
            if not re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{16}", name):
                raise ValueError(
                    f"a response is named by two ids of 16 hexadecimal digits, joined by -; found {name!r}"
                )
        return value


class Filters(Part):
    """Which responses and reflections count."""

    variants: Texts = ()
    """Prompt variants to use; empty for all."""
    ban: Texts = ()
    """Texts that drop a reflection, in any case."""
    ban_substrings: bool = False
    """Ban words inside other words too ("idea" in "ideal"), as the paper's script does."""
    response_chars: tuple[int, int] = (0, 0)
    """Minimum and maximum length of a response in characters; 0 is no limit."""
    reflection_chars: tuple[int, int] = (0, 0)
    """Minimum and maximum length of a reflection in characters; 0 is no limit."""
    block_tags: Literal["drop", "escape"] = "drop"
    """What happens to a text that contains one of the trace's own tags."""
    given_away: Literal["keep", "drop", "cut"] = "keep"
    """What happens to a reflection of a wrong response that states the gold answer: dropped, or cut behind its verdict."""

    @field_validator("ban")
    @classmethod
    def _no_empty_word(cls, value: Texts) -> Texts:
        if any(not word.strip() for word in value):
            raise ValueError("an empty banned word would drop every reflection")
        return value


class Balance(Part):
    """How much of what."""

    pass_rate: tuple[Share, Share] = (0.0, 1.0)
    """Minimum and maximum share of right responses among the kept responses of a question."""
    per_question: Annotated[int, Field(ge=0)] = 0
    """Maximum traces of one question; 0 is no limit."""
    label_limits: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Maximum traces, by label."""
    min_wrong: Annotated[int, Field(ge=0)] = 0
    """Minimum wrong attempts in a trace."""
    max_traces: Annotated[int, Field(ge=0)] = 0
    """Maximum traces, the first in written order; 0 is no limit."""
    exclude: Texts = ()
    """Ids of questions and traces to leave out."""
    drop_duplicates: bool = False
    """Keep one of a question's traces with the same words: that of the format listed first. New recipes turn this on."""

    @field_validator("exclude")
    @classmethod
    def _ids(cls, value: Texts) -> Texts:
        for text in value:
            if not re.fullmatch(r"[0-9a-f]{16}", text):
                raise ValueError(f"an id has 16 hexadecimal digits; found {text!r}")
        return value

    @model_validator(mode="after")
    def _window(self) -> Self:
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

    add: dict[str, Texts] = {}
    """Phrases to add, by pool."""
    replace: dict[str, Texts] = {}
    """Phrases that take the place of a pool's, by pool."""

    @field_validator("add", "replace")
    @classmethod
    def _one_line_without_tags(cls, value: dict[str, Texts]) -> dict[str, Texts]:
        for pool, phrases in value.items():
            if pool not in POOLS:
                raise ValueError(
                    f"there is no pool {pool!r}.{_nearest(pool, POOLS)} Pools: {', '.join(POOLS)}"
                )
            for phrase in phrases:
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
        if bad := [name for name in names if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name)]:
            raise ValueError(f"a tag name is a letter, then letters, digits, - or _; found {bad[0]!r}")
        if len(set(names)) < len(names):
            raise ValueError("two tags have the same name")
        return self


class Cutoff(Part):
    """What happens to traces that a trainer would truncate."""

    tokens: Annotated[int, Field(ge=0)] = 0
    """Maximum tokens of question and trace; 0 is no limit."""
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


class Recipe(Part):
    """Everything that decides what a dataset holds."""

    version: Literal[1] = 1
    source: Source = Source()
    columns: Columns = Columns()
    answers: Answers = Answers()
    verdicts: Verdicts = Verdicts()
    labels: Labels = Labels()
    filters: Filters = Filters()
    traces: Traces = Traces()
    balance: Balance = Balance()
    phrases: Phrases = Phrases()
    tags: Tags = Tags()
    cutoff: Cutoff = Cutoff()
    output: Output = Output()

    @model_validator(mode="after")
    def _not_too_large(self) -> Self:
        check_size(self.flat())
        return self

    def to_toml(self) -> str:
        """The recipe as TOML: only what differs from the defaults."""
        import tomli_w

        changed = self.model_dump(mode="json", exclude_defaults=True)
        return tomli_w.dumps({"version": RECIPE_VERSION, **changed})

    def changed(self, changes: dict[str, Any]) -> "Recipe":
        """The recipe with some fields changed, each named by its dotted path (`traces.attempts`). Errors: RecipeError."""
        tree = self.model_dump(mode="python")
        for path, value in changes.items():
            _put(tree, path, value)
        return parse_recipe(tree)

    def fingerprint(self) -> str:
        """The SHA-256 of the recipe's canonical JSON, as 64 hexadecimal digits."""
        tree = self.model_dump(mode="json")
        default = Recipe()
        for part, name in ADDED:  # a recipe that doesn't ask for what came later is the recipe it was
            if getattr(getattr(self, part), name) == getattr(getattr(default, part), name):
                del tree[part][name]
        tree = {part: fields for part, fields in tree.items() if fields != {}}
        text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def flat(self) -> dict[str, Any]:
        """Every field as a JSON value, by dotted path."""
        tree = self.model_dump(mode="json")
        parts = {part: fields for part, fields in tree.items() if isinstance(fields, dict)}
        return {f"{part}.{name}": value for part, fields in parts.items() for name, value in fields.items()}


ADDED = (
    ("balance", "drop_duplicates"),
    ("labels", "corrections"),
    ("phrases", "language"),
    ("filters", "given_away"),
    *(
        ("columns", name)
        for name in (
            "question_rest", "thinking", "correct_else", "think", "question_rule", "response_rule", "label_rule",
            "question_marks", "response_marks", "right", "wrong", "threshold", "only", "guess",
        )
    ),
)  # fmt: skip
"""Fields that older recipes don't have; at their default they stay out of the fingerprint, so that it stays the same."""


def new_recipe() -> Recipe:
    """The recipe of somebody who opens none: today's defaults, where a file that lacks a field means those of its day."""
    return Recipe(balance=Balance(drop_duplicates=True))


def parse_recipe(tree: dict[str, Any]) -> Recipe:
    """A recipe from nested tables. Errors: RecipeError that names the field, what was found and the nearest known name."""
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        raise RecipeError(" ".join(_explain(problem) for problem in error.errors()[:3])) from None


def recipe_from_toml(text: str, name: str = "The recipe") -> Recipe:
    """A recipe from TOML text. Errors: RecipeError."""
    check_text(text, name)
    try:
        return parse_recipe(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(
            f"{name} isn't valid TOML: {error}. Fix that line, or save the recipe again."
        ) from None


def load_recipe(name: str) -> Recipe:
    """The recipe in a file, or a shipped one by its name (`paper`). Errors: RecipeError."""
    path = Path(name)
    shipped = PRESETS / f"{name}.toml"
    # `os.path` says False for a name that is too long for the system, where pathlib raises.
    if not os.path.isfile(path) and shipped.parent == PRESETS and os.path.isfile(shipped):
        path = shipped
    try:
        return recipe_from_toml(path.read_text(encoding="utf-8"), str(name))
    except (OSError, UnicodeDecodeError, ValueError):
        known = ", ".join(preset_names())
        raise RecipeError(
            f"There is no recipe {name!r}: it is neither a readable TOML file nor a shipped recipe ({known})."
        ) from None


def preset_names() -> list[str]:
    """The names of the shipped recipes."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def field_names() -> list[str]:
    """The dotted paths of all fields."""
    return list(Recipe().flat())


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    part, _, name = path.partition(".")
    if path not in field_names():
        raise RecipeError(f"A recipe has no field {path!r}.{_nearest(path, field_names())}")
    tree[part] = {**tree[part], name: value}


def _nearest(word: str, known: Any) -> str:
    # A typo is the usual reason, so the nearest name is the best advice.
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _explain(problem: Any) -> str:
    place = ".".join(str(step) for step in problem["loc"])
    if problem["type"] == "extra_forbidden":
        *outer, last = (str(step) for step in problem["loc"])
        part = Recipe.model_fields[outer[0]].annotation if outer else Recipe
        known = [*getattr(part, "model_fields", {})]
        return f"A recipe has no field {place!r}.{_nearest(last, known)} Known here: {', '.join(known)}."
    shown = (
        ""
        if isinstance(problem.get("input"), dict | BaseModel)
        else f" (found {_shown(problem.get('input'))})"
    )
    reason = problem["msg"].removeprefix("Value error, ")
    return f"Recipe field {place!r}: {reason}{shown}." if place else f"Recipe: {reason}{shown}."


def _shown(value: Any) -> str:
    """A value as an error shows it; Python refuses to write a number of thousands of digits."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "a number that is too long"
    return text if len(text) <= 200 else f"{text[:200]}…"


def _checked_pattern(pattern: str) -> str:
    if pattern:
        compiled(pattern)
    return pattern
