"""Doubts about what was taken for what: columns mistaken for others, files that differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from skill_factory.grading.answers import accepted_answers
from skill_factory.insight.doubts.sample import Doubt, Sample
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import excerpt, value_at
from skill_factory.sources.guesses.references import is_named_reference
from skill_factory.sources.guessing import candidates
from skill_factory.sources.names import says_wrong
from skill_factory.sources.profiles import flat
from skill_factory.sources.trying import REVERSED
from skill_factory.sources.turns import turns_of
from skill_factory.wording import listed, many


def reference_as_response(sample: Sample) -> Iterator[Doubt]:
    """A response that is the gold answer or the reference solution."""
    beside = [
        (text.strip(), gold.strip())
        for text, gold in zip(sample.responses, sample.golds, strict=True)
        if gold
    ]
    # More than half: now and then a response is right in one word, and then it is the gold answer.
    same = sum(text == gold for text, gold in beside)
    column = listed(list(sample.recipe.columns.response))
    if beside and 2 * same > len(beside):
        yield Doubt(
            "response_is_gold",
            f"`{column}` equals the gold answer in {same:,} of {many(len(beside), 'response')}, so it isn't the work of a model.",
            "Pick the column that holds what the model wrote (--map response=COLUMN).",
            pick=("response",),
        )
    elif any("." not in p and is_named_reference(p) for p in sample.recipe.columns.response) and (
        sample.recipe.columns.answer or _is_bare(sample)
    ):
        beside_it = (
            "comes next to an answer"
            if sample.recipe.columns.answer
            else "has one text for each question and no label"
        )
        yield Doubt(
            "reference_as_response",
            f"`{column}` {beside_it}. In most published datasets such a column is the reference solution, not a model's response.",
            "Pick the column that holds what the model wrote (--map response=COLUMN), or continue if this is it.",
            pick=("response",),
        )


def _is_bare(sample: Sample) -> bool:
    """Whether there is one response a question, and nothing that judges it."""
    columns = sample.recipe.columns
    judged = columns.correct or columns.reflections or columns.label_rule
    return not judged and len(set(sample.questions)) == len(sample.responses)


def taken_by_shape(sample: Sample) -> Iterator[Doubt]:
    """Fields that no column name gave away."""
    told = {f: listed(list(_paths(sample.recipe.columns, f))) for f in sample.settled.guess.by_shape}
    for name, words in (
        ("question", "The question"),
        ("response", "The response"),
        ("correct", "Right or wrong"),
    ):
        paths = told.get(name)
        # The turns of messages say who speaks: that isn't a guess.
        rule = getattr(sample.recipe.columns, f"{name}_rule", "")
        if paths and (not rule or (rule, name) == ("between", "response")):
            turned = (
                ", where yes means wrong,"
                if name == "correct" and _is_reversed(sample.recipe.columns)
                else ""
            )
            by_name = turned and all(map(says_wrong, sample.recipe.columns.correct))
            why = "as its name says." if by_name else "because of its content; no column name says so."
            yield Doubt(
                f"guessed_{name}",
                f"{words} is read from `{paths}`{turned} {why}",
                _if_wrong(name, turned),
                changes={f"columns.{field}": value for field, value in REVERSED.items()}
                if name == "correct" and not turned and not sample.recipe.columns.label_rule
                else {},
            )


def _if_wrong(name: str, turned: str) -> str:
    other = f"If they are something else, pick the column (--map {name}=COLUMN)."
    if name != "correct" or turned:
        return f"Check the examples. {other}"
    # A name in a language or of a kind that isn't known may say the reverse.
    return f"Check the examples. If yes means wrong there, exchange the two (--right no --wrong yes). {other}"


def _is_reversed(columns: Columns) -> bool:
    return (columns.label_rule, columns.right) == (REVERSED["label_rule"], REVERSED["right"])


def _paths(columns: Any, name: str) -> Sequence[str]:
    value = getattr(columns, name)
    return [value] if isinstance(value, str) else value


def roles_exchanged(sample: Sample) -> Iterator[Doubt]:
    """Texts of the wrong kind for their role, as when two columns have each other's names."""
    n = len(sample.responses)
    asked, said = len(set(sample.questions)), len(set(sample.responses))
    length = sum(map(len, set(sample.questions))) / max(1, asked)
    response_length = sum(map(len, sample.responses)) / max(1, n)
    golds = [one for gold in sample.golds if gold for one in accepted_answers(gold)]
    gold_length = sum(map(len, golds)) / max(1, len(golds))
    fix = "Check which column is which, and pick them by hand (--map question=COLUMN --map response=COLUMN)."
    letters = _are_letters(sample.responses) or _are_letters(sample.answers)  # they repeat by nature
    if n > 4 and asked > said and 2 * said <= n and not letters:
        yield Doubt(
            "responses_repeat",
            f"There are {asked:,} different questions but only {said:,} different responses, so the two columns look swapped.",
            fix,
            changes=_exchanged(sample.recipe.columns),
            pick=("question", "response"),
        )
    # “7 · 8 = ?” is a question; short ones are doubted only beside something longer that could be it.
    longer = _longer_text(sample, "question", length) if n and length < 10 else ""
    if n and length < 10 and (gold_length > length or longer):
        if longer:
            fix = f"Check which column is the question, e.g. --map question={longer}."
        yield Doubt(
            "short_questions",
            f"The questions are only {length:.0f} characters long on average, e.g. “{excerpt(sample.questions[0], 30)}”, so this may be another column.",
            fix,
            pick=("question",),
        )
    whole = _longer_text(sample, "response", response_length) if n and response_length < 5 else ""
    if whole and not _are_letters(sample.responses):
        yield Doubt(
            "short_responses",
            f"The responses are only {response_length:.0f} characters long on average, e.g. “{excerpt(sample.responses[0], 30)}”, while `{whole}` holds longer texts.",
            f"Check which column is the response, e.g. --map response={whole}.",
            pick=("response",),
        )
    # A think rule leaves only the end of a response, which a worked gold answer may well exceed.
    if golds and gold_length > 40 and gold_length > 1.5 * response_length and not sample.recipe.columns.think:
        yield Doubt(
            "gold_is_long",
            f"The gold answers are longer than the responses ({gold_length:.0f} and {response_length:.0f} characters), so the two columns look swapped.",
            fix,
            pick=("response", "answer"),
        )
    for name, texts in (("question", sample.questions), ("answer", golds), ("response", sample.responses)):
        judging = sum("</verdict>" in text for text in texts)
        if texts and 2 * judging > len(texts):
            yield Doubt(
                f"{name}_gives_verdicts",
                f"{judging:,} of {len(texts):,} texts in the column read as the {name} contain a <verdict>, so they are reflections.",
                fix,
                pick=(name, "reflections"),
            )


def _are_letters(texts: Sequence[str | None]) -> bool:
    return all(text and len(text.strip("()[]. \n")) == 1 for text in texts)


def _longer_text(sample: Sample, field: str, length: float) -> str:
    """A column that could be the field, or the talk of the responses, with longer texts, a different one for most."""
    settled, columns = sample.settled, sample.recipe.columns
    paths = candidates(field, columns, settled.names, settled.rows)
    if field == "question" and columns.response_rule == "last_turn":
        # Where the response is a turn of a conversation, the question may be another of its turns.
        paths.append(columns.response[0])
    for path in paths:
        texts = [text for row in settled.rows for text in _texts_in(value_at(row, path), field)]
        if (
            texts
            and sum(map(len, texts)) > 3 * length * len(texts)
            and 2 * len(set(texts)) > len(set(sample.questions))
        ):
            return path
    return ""


def _texts_in(value: Any, field: str) -> list[str]:
    """The texts of a value, or of the turns of a talk that have the field's role."""
    turns = turns_of(value)
    if turns is None:
        return [text for text in flat(value) if isinstance(text, str)]
    role = "user" if field == "question" else "assistant"
    return [turn.text for turn in turns if turn.role == role]


def _exchanged(columns: Columns) -> Mapping[str, Any]:
    """Question and response with each other's columns, where each has one."""
    if len(columns.response) != 1:
        return {}
    return {"columns.question": columns.response[0], "columns.response": (columns.question,)}


def lists_as_text(sample: Sample) -> Iterator[Doubt]:
    """Lists that were written as text into a column of texts: several texts would be read as one."""
    columns, table = sample.recipe.columns, sample.table
    reflections = pc.list_flatten(table["reflections"])
    for paths, texts in ((columns.response, table["response"]), (columns.reflections, reflections)):
        # Arrow finds the few that begin like a list; only these become strings.
        begun = texts.filter(pc.match_substring_regex(texts, r"""\A\[['"{]""")).to_pylist()
        listed_texts = sum(text.rstrip().endswith("]") for text in begun)
        if len(texts) and 2 * listed_texts > len(texts):
            yield Doubt(
                "lists_as_text",
                f"`{listed(list(paths))}` holds lists written as text, e.g. {excerpt(texts[0].as_py(), 40)}, so several texts are read as one.",
                "Write the column as lists, or give the CSV file that it came from: there such lists are read.",
                share=listed_texts / len(texts),
            )


def split_texts(sample: Sample) -> Iterator[Doubt]:
    """Responses that came as their tokens: each word would be an attempt of its own."""
    for path in sample.recipe.columns.response:
        values = [value_at(row, path) for row in sample.settled.rows]
        lists = [
            [one for one in value if isinstance(one, str)] for value in values if isinstance(value, list)
        ]
        texts = [text for texts in lists for text in texts]
        long = sum(len(one) >= FEWEST_TOKENS for one in lists)
        words = sum(" " not in text.strip() and len(text) < LONGEST_TOKEN for text in texts)
        # Letters of a choice and numbers are answers; words of a sentence are not.
        spelled = sum(len(text.strip()) > 1 and text.strip().isalpha() for text in texts)
        if lists and 2 * long > len(lists) and words >= 0.8 * len(texts) and 2 * spelled > len(texts):
            yield Doubt(
                "split_texts",
                f"`{path}` holds lists of single words, e.g. {excerpt(lists[0][:5], 50)}, so each word would be a response.",
                "Join the words (or decode the tokens) of each response to one text.",
                pick=("response",),
            )


FEWEST_TOKENS, LONGEST_TOKEN = 6, 25
"""Texts of a list, and characters of each, from which they look like the words of one text."""


def files_differ(sample: Sample) -> Iterator[Doubt]:
    """Files of one source that have different columns."""
    for note in sample.settled.notes:
        yield Doubt(
            "columns_differ",
            note,
            "Continue if that is intended. Otherwise, give the files that belong together.",
        )
