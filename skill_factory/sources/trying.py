"""Rules of reading, tried on some rows: what each choice finds, and the one that is proposed.

A choice is one record for all rules, so that the command, the page and the recipe speak of them in one way: the answer
rule and the verdict rule, which look into texts, are tried by `judge/trials.py` with the same record.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from skill_factory.asked import SYSTEM, Asked, asked
from skill_factory.recipe.model import Columns
from skill_factory.recipe.words import known_words, word_of
from skill_factory.sources.columns import Row, question_of, value_at
from skill_factory.sources.labels import as_number, listed_labels, on_one_scale, yes_or_no
from skill_factory.sources.names import says_wrong
from skill_factory.sources.presets import looks_like_steps
from skill_factory.sources.profiles import Profile, flat, kind_of_column
from skill_factory.sources.thinking import take_apart
from skill_factory.sources.turns import END_MARKS, Turn, first_of, turns_of, without_template


class Rule(StrEnum):
    """The rules by which a row is read."""

    THINK = "think"
    LABEL = "label"
    QUESTION = "question"
    RESPONSE = "response"
    ANSWER = "answer"
    VERDICT = "verdict"


@dataclass(frozen=True)
class Choice:
    """One way to read, with what it found among the rows that it was tried on."""

    rule: Rule
    code: str
    title: str
    """In words, as the page and the command show it."""
    found: int
    of: int
    changes: Mapping[str, Any]
    """Fields of the recipe that make this choice, by dotted path."""
    proposed: bool = False

    @property
    def said(self) -> str:
        """What it found, in words."""
        return f"{self.title}: found in {self.found:,} of {self.of:,}"


WORTH_A_RULE = 0.1
"""Share of texts that must show something before a rule about it is proposed."""

Trial = Callable[[Columns, Sequence[Row]], list[Choice]]


def tried(columns: Columns, rows: Sequence[Row]) -> dict[Rule, list[Choice]]:
    """The choices of every rule about rows, the proposed one of each marked."""
    return {rule: trial(columns, rows) for rule, trial in _TRIALS.items()}


def with_proposals(columns: Columns, rows: Sequence[Row], keep: Iterable[str] = ()) -> Columns:
    """The mapping with the proposed rules, but for the fields that are to be kept as they are."""
    kept = set(keep)
    changes: dict[str, Any] = {}
    for rule, trial in _TRIALS.items():
        # One after the other: what a response is decides what its thinking is.
        current = columns.model_copy(update=changes)
        for choice in trial(current, rows):
            own = {path.removeprefix("columns."): value for path, value in choice.changes.items()}
            if choice.proposed and rule and not kept & own.keys():
                changes |= own
    return Columns(**(columns.model_dump() | changes))


def with_conversation(columns: Columns, rows: Sequence[Row]) -> Columns:
    """A known format's mapping that reads the last turn, with the turns before it where some rows have them."""
    proposed = next(one.code for one in _try_question(columns, rows) if one.proposed)
    if (columns.question_rule, proposed) != ("last_turn", "conversation"):
        return columns
    return columns.model_copy(update={"question_rule": proposed})


def _choices(
    rule: Rule, tries: Sequence[tuple[str, str, int, int, Mapping[str, Any]]], proposed: str
) -> list[Choice]:
    return [
        Choice(
            rule, code, title, found, of, {f"columns.{k}": v for k, v in changes.items()}, code == proposed
        )
        for code, title, found, of, changes in tries
    ]


# -- the question --------------------------------------------------------------------------------------------------


def _try_question(columns: Columns, rows: Sequence[Row]) -> list[Choice]:
    values = (
        [v for row in rows if (v := value_at(row, columns.question)) is not None] if columns.question else []
    )
    turns = [turns_of(value) for value in values]
    users = [sum(one.role == "user" for one in found) for found in turns if found]
    tools = sum(any(one.role == "tool" for one in found) for found in turns if found)
    texts = sum(isinstance(value, str) and not found for value, found in zip(values, turns, strict=True))
    templates = sum(isinstance(v, str) and without_template(v) is not None for v in values)
    of = len(values)
    read = _with_conversations(columns, rows)
    proposed = ""
    if users and 2 * len(users) > of:
        # What was said before decides what a turn asks; results of tools differ from attempt to attempt.
        proposed = "conversation" if _asks_in_context(read) else "last_turn"
        # Results of tools tell every attempt from the others, so with them hardly two would share a question.
        if 2 * tools > len(users) and (not read or (_several(turns) and not _several_texts(read))):
            proposed = "first_turn"
    elif 2 * len(read) > of and not texts:
        proposed = "conversation"  # several conversations in a row, which no other rule reads
    elif templates and templates >= WORTH_A_RULE * of:
        proposed = "chat"
    return _choices(
        Rule.QUESTION,
        [
            ("", "The column as it is", texts, of, {"question_rule": ""}),
            (
                "last_turn",
                f"The last user turn of the messages{_alone(read)}",
                sum(n > 0 for n in users),
                of,
                {"question_rule": "last_turn"},
            ),
            (
                "first_turn",
                f"The first user turn of the messages{_alone(read)}",
                sum(n > 0 for n in users),
                of,
                {"question_rule": "first_turn"},
            ),
            (
                "conversation",
                "The last user turn, with the turns around it",
                len(read),
                of,
                {"question_rule": "conversation"},
            ),
            ("chat", "Without the words of a chat template", templates, of, {"question_rule": "chat"}),
        ],
        proposed,
    )


def _with_conversations(columns: Columns, rows: Sequence[Row]) -> list[Asked]:
    """What rows ask with their conversations, as far as these can be used."""
    names = ("question", "system", "tools")
    mapping = Columns(**{name: getattr(columns, name) for name in names}, question_rule="conversation")
    read = (question_of(row, mapping) for row in rows) if columns.question else ()
    return [asked(text) for text in read if isinstance(text, str) and text.strip()]


def _alone(read: Sequence[Asked]) -> str:
    """What a rule that takes one turn leaves out."""
    return ", without the other turns" if any(not one.alone for one in read) else ""


def _asks_in_context(read: Sequence[Asked]) -> bool:
    """Whether some questions need more than the words of a system prompt to be understood."""
    long = sum(
        len([turn for turn in one.turns if turn.role != SYSTEM]) > 1 or bool(one.tools) for one in read
    )
    return long > 0 and long >= WORTH_A_RULE * len(read)


def _several_texts(read: Sequence[Asked]) -> bool:
    """Whether the conversations leave several attempts for a question."""
    return 2 * len({one.text for one in read}) <= len(read)


def _several(turns: Sequence[Sequence[Turn] | None]) -> bool:
    """Whether the first user turns leave several attempts for a question."""
    firsts = [first_of(found, "user") for found in turns if found]
    return 2 * len(set(firsts)) <= len(firsts)


# -- responses -----------------------------------------------------------------------------------------------------


def _try_response(columns: Columns, rows: Sequence[Row]) -> list[Choice]:
    values = [v for path in columns.response for row in rows if (v := value_at(row, path)) is not None]
    kinds = Counter(kind_of_column([value]) for value in values)
    of = len(values)
    steps = sum(_is_steps(columns, path, rows) for path in columns.response)
    plain = kinds["text"] + kinds["flag"] + kinds["texts"] + kinds["flags"]
    turns = kinds["messages"] + kinds["dialogues"]
    mark, ended = _end_mark(text for value in values for text in flat(value))
    proposed = ""
    if steps:
        proposed = "steps"
    elif 2 * turns > of:
        proposed = "last_turn"
    elif 2 * kinds["nested"] > of:
        proposed = "flat"
    elif mark and not columns.response_rule:
        proposed = "between"
    marked = {"response_rule": "between", "response_marks": ("", mark)}
    before_mark = [("between", f"The text before `{mark}`", ended, of, marked)] if mark else []
    return _choices(
        Rule.RESPONSE,
        [
            *before_mark,
            ("", "A text, or a list of texts", plain, of, {"response_rule": ""}),
            (
                "last_turn",
                "The last assistant turn of the messages",
                turns,
                of,
                {"response_rule": "last_turn"},
            ),
            (
                "flat",
                "Lists within lists, each text a response",
                kinds["nested"],
                of,
                {"response_rule": "flat"},
            ),
            (
                "steps",
                "The steps of a list, joined to one response",
                steps and kinds["texts"] + kinds["structs"],
                of,
                {"response_rule": "steps"},
            ),
        ],
        proposed,
    )


def _end_mark(values: Iterable[Any]) -> tuple[str, int]:
    """The mark of a chat template that most texts end with, and how many do; empty where none is."""
    ends = [value.rstrip()[-40:] for value in values if isinstance(value, str)]
    counted = [(sum(end.endswith(mark) for end in ends), mark) for mark in END_MARKS]
    number, mark = max(counted)
    return (mark, number) if number and 2 * number > len(ends) else ("", 0)


def _is_steps(columns: Columns, path: str, rows: Sequence[Row]) -> bool:
    """Whether lists hold steps: they are numbered, or called so, and one label stands for all of a list."""
    values = [value_at(row, path) for row in rows]
    lists = [one for one in values if isinstance(one, list) and len(one) > 1]
    if not lists or not all(kind_of_column([one]) in ("texts", "structs") for one in lists[:20]):
        return False
    if looks_like_steps(Profile(path, "texts", lists)):
        return True
    return "step" in path.lower().rpartition(".")[2]


# -- thinking ------------------------------------------------------------------------------------------------------


def _try_think(columns: Columns, rows: Sequence[Row]) -> list[Choice]:
    texts = [text for path in columns.response for text in _texts(rows, path, columns.response_rule)]
    critiques = [text for path in columns.reflections for text in _texts(rows, path, "")]
    apart = [found for text in texts if (found := take_apart(text))]
    beside = len(texts) if columns.thinking else 0
    of_critiques = sum(take_apart(text) is not None for text in critiques)
    shown = len(apart) + beside
    closed = sum(one.closed for one in apart) + beside
    behind = sum(bool(one.rest.strip()) for one in apart) + beside
    proposed = ""
    if shown and shown >= WORTH_A_RULE * len(texts):
        # Some sets keep the thinking alone as the response; what stands behind it is empty then.
        proposed = "after" if 2 * behind >= closed and behind else "inside" if closed else "after"
    elif of_critiques and of_critiques >= WORTH_A_RULE * len(critiques):
        proposed = "after"
    of = len(texts)
    return _choices(
        Rule.THINK,
        [
            ("", "The text as it is", of - len(apart), of, {"think": ""}),
            ("after", "What stands behind the thinking", behind, of, {"think": "after"}),
            ("inside", "The thinking itself", closed, of, {"think": "inside"}),
            ("both", "Both, the tags as plain marks", closed, of, {"think": "both"}),
            ("drop", "Nothing: a text with thinking is dropped", of - len(apart), of, {"think": "drop"}),
        ],
        proposed,
    )


def _texts(rows: Sequence[Row], path: str, rule: str) -> list[str]:
    values = [value_at(row, path) for row in rows]
    if rule == "last_turn":
        turns = (turns_of(one) for value in values for one in (value if _is_dialogues(value) else [value]))
        return [one.text for found in turns if found for one in found if one.role == "assistant"]
    return [text for value in values for text in flat(value) if isinstance(text, str)]


def _is_dialogues(value: Any) -> bool:
    return kind_of_column([value]) == "dialogues"


# -- labels --------------------------------------------------------------------------------------------------------


REVERSED: Mapping[str, Any] = {
    "label_rule": "words",
    "right": ("no", "false", "0"),
    "wrong": ("yes", "true", "1"),
}
"""The label rule of a column whose yes means wrong."""


def label_values(columns: Columns, rows: Sequence[Row]) -> Counter[str]:
    """What the label columns hold, and how often; numbers and words as `word_of` writes them."""
    paths = [*columns.correct, *columns.correct_else]
    values = (value for path in paths for row in rows for value in flat(listed_labels(value_at(row, path))))
    return Counter(
        word_of(value) for value in values if isinstance(value, bool | int | float | str) and value == value
    )


def _try_label(columns: Columns, rows: Sequence[Row]) -> list[Choice]:
    if not columns.correct:
        return []
    paths = [*columns.correct, *columns.correct_else]
    values = [
        v
        for p in paths
        for row in rows
        for v in flat(listed_labels(value_at(row, p)))
        if v is not None and v == v
    ]
    of = len(values)
    usual = sum(yes_or_no(value) is not None for value in values)
    tries: list[tuple[str, str, int, int, Mapping[str, Any]]] = [
        ("", "Yes and no, true and false, 1 and 0", usual, of, {"label_rule": "", "right": (), "wrong": ()})
    ]
    proposed = ""
    if usual:
        title = "The reverse: no, false and 0 mean right, yes, true and 1 wrong"
        # Offered always, proposed only by name: which way yes points, values can't tell.
        tries.append(("reversed", title, usual, of, REVERSED))
        # `is_wrong` and `failed` say what their yes means.
        proposed = "reversed" if usual == of and all(map(says_wrong, paths)) else ""
    known = known_words(values) if of else None
    if known:
        words = {"label_rule": "words", "right": known[0], "wrong": known[1]}
        tries.append(("words", f"{_quoted(known[0])} means right, {_quoted(known[1])} wrong", of, of, words))
        proposed = "words" if usual < of else proposed
    numbers = [n for value in values if (n := as_number(value)) is not None]
    # Where all are 0 and 1 the usual rule reads them already.
    if of and len(numbers) == of and usual < of and on_one_scale(values):
        least = _proposed_threshold(numbers)
        changes = {"label_rule": "threshold", "threshold": least}
        tries.append(("threshold", f"A number of at least {least:g} means right", of, of, changes))
        proposed = proposed or "threshold"
    if _are_step_labels(columns, rows):
        right, wrong = known or (("true", "1"), ("false", "0", "-1"))
        steps = {"label_rule": "steps", "right": right, "wrong": wrong}
        tries.append(("steps", "Right where every step is", of, of, steps))
        proposed = "steps"
    return _choices(Rule.LABEL, tries, proposed)


def _proposed_threshold(numbers: Sequence[float]) -> float:
    """The highest score where several reach it; of scores that hardly repeat the middle of their scale."""
    most = max(numbers)
    reached = sum(n >= most for n in numbers)
    if reached >= max(2, 0.01 * len(numbers)) or len(numbers) < 5:
        return most
    shares = min(numbers) >= 0 and most <= 1 and min(numbers) < 0.5 <= most
    return 0.5 if shares else sorted(numbers)[len(numbers) // 2]


def _are_step_labels(columns: Columns, rows: Sequence[Row]) -> bool:
    """Whether each row has a list of labels for the steps of one response."""
    if columns.response_rule != "steps":
        return False
    return all(isinstance(value_at(row, path), list) for path in columns.correct for row in rows[:20])


def _quoted(words: Sequence[str]) -> str:
    return " or ".join(f"“{word}”" for word in words) or "nothing"


_TRIALS: dict[Rule, Trial] = {
    Rule.QUESTION: _try_question,
    Rule.RESPONSE: _try_response,
    Rule.THINK: _try_think,
    Rule.LABEL: _try_label,
}
