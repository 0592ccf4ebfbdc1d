"""Other languages: phrase books, bans, tokens and words; and critiques that give the answer away."""

from collections.abc import Sequence

import pytest

from skill_factory.judge.given_away import cut_behind_verdict, gives_away
from skill_factory.judge.reflections import banned
from skill_factory.judge.stated import stated_answer
from skill_factory.recipe.language import LANGUAGES, language_of, tokens_of_text
from skill_factory.recipe.model import POOLS, Filters, Phrases
from skill_factory.recipe.phrases import phrase_book, shipped_phrases
from skill_factory.recipe.words import known_words, pairs, word_of
from skill_factory.sources.thinking import take_apart, think_rule
from skill_factory.sources.turns import without_template

# ------------------------------------------------------------------------------------------------ phrase books


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_book_can_be_read_back(language: str) -> None:
    """Eight phrases a pool at least, one line each, without angle brackets; none stands twice."""
    pools = shipped_phrases(language)
    every = [phrase for pool in POOLS for phrase in pools[pool]]
    assert [pool for pool in POOLS if len(pools[pool]) < 8] == []
    assert len(set(every)) == len(every)
    assert [one for one in every if set(one) & set("<>\n\r") or one != one.strip()] == []
    assert phrase_book(Phrases(language=language)).generic


QUESTIONS = {
    "": ["How many boxes does Tom have?", "What is the sum of the first ten odd numbers?"],
    "zh": ["小明有三盒铅笔，每盒十二支，送出七支后还剩多少支？"],
    "ja": ["トムは鉛筆を三箱持っています。七本あげると何本残りますか。"],
    "ko": ["톰은 연필 세 상자를 가지고 있다. 일곱 자루를 주면 몇 자루가 남는가?"],
    "de": [
        "Wie viele Bleistifte sind in den drei Kisten, wenn der Lehrer sieben verschenkt und keine mehr kauft?"
    ],
    "fr": [
        "Combien de crayons sont dans les trois boîtes si le maître en donne sept et que personne n'en achète ?"
    ],
    "es": ["¿Cuántos lápices hay en las tres cajas si el maestro regala siete y no se compran más?"],
}


@pytest.mark.parametrize("language", QUESTIONS)
def test_the_language_of_questions_is_told(language: str) -> None:
    """By script where that tells, by small words elsewhere; formulas alone are English."""
    assert language_of(QUESTIONS[language]) == language
    assert language_of(["2 + 2 = ?", "x^2 - 1"]) == ""


def test_tokens_follow_the_script() -> None:
    """Chinese takes a token for one and a half characters, Arabic for one and three quarters; English as it is set."""
    assert tokens_of_text("小" * 150, 3.5) == pytest.approx(100)
    assert tokens_of_text("あ" * 140, 3.5) == pytest.approx(100)
    assert tokens_of_text("ب" * 175, 3.5) == pytest.approx(100)
    assert tokens_of_text("a" * 350, 3.5) == pytest.approx(100)


@pytest.mark.parametrize(
    ("ban", "text", "held"),
    [
        ("想法", "我的想法是对的", True),
        ("idea", "ideal", False),
        ("idea", "an idea.", True),
        ("생각", "제생각에는", True),
        ("ids", "AIDS", False),
    ],
)
def test_a_banned_word_has_edges_where_its_script_has_spaces(ban: str, text: str, held: bool) -> None:
    """A word of a script without spaces matches anywhere."""
    assert banned(Filters(ban=(ban,)))(text) is held


# ------------------------------------------------------------------------------------------------------- words


def test_a_dozen_languages_have_words_for_right_and_wrong() -> None:
    """Each pair has words on both sides, and they are known together."""
    named = [pair for pair in pairs() if pair.language != "any"]
    assert len(named) >= 12
    for pair in named:
        assert known_words([pair.right[0], pair.wrong[0]]) is not None, pair.language


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("Correct.", "correct"),
        ("**Wrong**", "wrong"),
        ("“正确”。", "正确"),
        (1.0, "1"),
        (True, "true"),
        ("-1.0", "-1"),
        (" Y ", "y"),
    ],
)
def test_what_stands_around_a_word_does_not_change_it(value: object, word: str) -> None:
    """Emphasis, quotes, full stops and fractions of whole numbers are taken off."""
    assert word_of(value) == word


# ---------------------------------------------------------------------------------------------------- thinking


@pytest.mark.parametrize(
    ("text", "rest", "closed"),
    [
        ("<think>a</think>\n\nb", "b", True),
        ("a</think>b", "b", True),
        ("<think>a", "", False),
        ("x<think>a</think>y<think>z", "", False),
        ("<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>b<|end_of_solution|>", "b", True),
        ("[THINK]a[/THINK]b", "b", True),
    ],
)
def test_thinking_is_taken_apart(text: str, rest: str, closed: bool) -> None:
    """Both tags, the closing one alone, other marks; a text that ends while thinking holds nothing behind it."""
    found = take_apart(text)
    assert found is not None
    assert (found.rest, found.closed) == (rest, closed)


def test_the_choices_of_the_think_rule() -> None:
    """After, inside, both and drop; what is left out is counted; a text without thinking stays to the letter."""
    text = "<think>\nhm\n</think>\n\nIt is 4."
    assert think_rule("after")(text) == ("It is 4.", len(text) - len("It is 4."))
    assert think_rule("inside")(text)[0] == "hm"
    assert think_rule("both")(text) == ("[thinking]\nhm\n[/thinking]\n\nIt is 4.", 0)
    assert "<think>" in think_rule("drop")(text)[0]
    assert think_rule("after")("  It is 4.\n") == ("  It is 4.\n", 0)


@pytest.mark.parametrize(
    "prompt",
    [
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n",
        "system\nBe brief.\nuser\n1+1?\nassistant\n",
        "system\n\nBe brief.user\n\n1+1?assistant\n\n",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n1+1?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<bos><start_of_turn>user\n1+1?<end_of_turn>\n<start_of_turn>model\n",
        "<s>[INST] 1+1? [/INST]",
        "<｜User｜>1+1?<｜Assistant｜><think>\n",
        "<|user|>\n1+1?<|end|>\n<|assistant|>\n",
        "You are brief.<｜User｜>1+1?<｜Assistant｜>",
        "<|im_start|>user\n1+1?",
        "A conversation.\nUser: 1+1?\nAssistant: <think>",
        "A user asks, and the Assistant solves it. User: 1+1?\nAssistant: <think>",
        "A chat with an assistant. USER: 1+1? ASSISTANT:",
        "Below is a task.\n\n### Instruction:\n1+1?\n\n### Response:\n",
        "<|im_start|>user<|im_sep|>1+1?<|im_end|><|im_start|>assistant<|im_sep|>",
        "<|im_start|>user\n1+1? /no_think<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "<|begin_of_text|><|header_start|>user<|header_end|>\n\n1+1?<|eot|><|header_start|>assistant<|header_end|>\n\n",
        "<|im_system|>system<|im_middle|>Be brief.<|im_end|><|im_user|>user<|im_middle|>1+1?<|im_end|><|im_assistant|>assistant<|im_middle|>",
        "<|start_of_role|>user<|end_of_role|>1+1?<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>1+1?<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        "[|user|]1+1?\n[|assistant|]",
        "<extra_id_0>System\n\n<extra_id_1>User\n1+1?\n<extra_id_1>Assistant\n",
        "]~b]user\n1+1?[e~[\n]~b]ai\n",
    ],
)
def test_a_chat_template_is_taken_off(prompt: str) -> None:
    """All templates leave what the user said last."""
    assert without_template(prompt) == "1+1?"


@pytest.mark.parametrize(
    "question",
    [
        "What is a user?",
        "user\nstories are short",
        "Is A: or B: right?",
        "system\nof equations",
        "What does <|im_start|>user mean?",
        "Problem 3 </s>[INST] <<SYS>>",
        "Where does <start_of_turn>user stand, and why?",
        "He says. User: what? And the Assistant: nothing.",
        "### Problem: add 1 and 1.",
    ],
)
def test_a_question_without_a_template_is_left(question: str) -> None:
    """Words that templates use, too, make no template."""
    assert without_template(question) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So.\n#### 1,234", "1,234"),
        ("A: 7", "7"),
        ("**Answer:** 12", "12"),
        ("答案是12。", "12"),
        ("The answer is (C).", "C"),
        ("none", None),
    ],
)
def test_an_answer_that_is_stated_is_found(text: str, answer: str | None) -> None:
    """Signs, sentences and letters."""
    assert stated_answer(text) == answer


# ----------------------------------------------------------------------------------------------- given away


@pytest.mark.parametrize(
    ("critique", "gold", "gives"),
    [
        ("The correct answer is 29.", "29", True),
        ("It should be 29, not 33. <verdict>Incorrect</verdict>", "29", True),
        ("I compare with 29.", "29", False),
        ("The correct answer is 290.", "29", False),
        ("The answer is 2.9", "2", False),
        ("The answer is 9.2", "2", False),
        ("The answer should be 8,500.", "500", False),
        ("The answer should be 8,500.", "8", False),
        ("The correct answer\n29, not 33.", "29", True),
        ("正确答案是29。", "29", True),
        ("Wrong.", "29", False),
    ],
)
def test_a_critique_that_states_the_gold_answer_is_known(critique: str, gold: str, gives: bool) -> None:
    """By itself and behind words that announce an answer; a longer number is another one."""
    assert gives_away(critique.encode(), gold.encode()) is gives


def test_what_gives_the_answer_away_is_counted_dropped_or_cut() -> None:
    """Kept by default and counted; dropped with its reason, or cut behind its verdict, on request."""
    from skill_factory.build.pipeline import build_partition
    from skill_factory.recipe.model import Columns, Recipe
    from skill_factory.sources.canonical import canonical

    rows = [
        {
            "q": "2+2?",
            "a": "4",
            "r": f"<answer>{4 + k}</answer>",
            "c": k == 0,
            "f": [f"Hm. <verdict>{'Correct' if k == 0 else 'Incorrect'}</verdict> The right answer is 4."],
        }
        for k in range(2)
    ]
    columns = Columns(question="q", answer="a", response="r", correct="c", reflections="f")
    told = {}
    for what in ("keep", "drop", "cut"):
        recipe = (
            Recipe()
            .changed({"filters.given_away": what, "traces.attempts": 1, "traces.formats": ("*CC",)})
            .model_copy(update={"columns": columns})
        )
        part = build_partition(canonical(rows, columns).table, recipe)
        told[what] = (
            dict(part.tally.counts["given_away"]),
            dict(part.tally.ledger["reflections"].dropped),
            _texts(part.reading.reflections),
        )
    assert told["keep"][:2] == ({"read": 1, "kept": 1}, {})
    assert told["drop"][:2] == ({"read": 1, "kept": 0}, {"gives_away_answer": 1})
    assert told["cut"][:2] == ({}, {})
    assert told["cut"][2][1] == cut_behind_verdict(told["keep"][2][1]) == "Hm. <verdict>Incorrect</verdict>"
    assert told["cut"][2][0] == told["keep"][2][0]


def _texts(texts: Sequence[str]) -> list[str]:
    return [texts[k] for k in range(len(texts))]
