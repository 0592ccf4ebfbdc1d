"""Raw data with a history: the last assistant turn is the attempt, all that stands before it belongs to the question."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.asked import CALL, RESULT, USER, Asked, Said, asked, call_content, calls_in
from skill_factory.build.pipeline import build
from skill_factory.draws import text_id
from skill_factory.errors import HandoffError
from skill_factory.generate.prompts import Prompt, prompt_book
from skill_factory.insight.inspection import inspect
from skill_factory.reasons import Level
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.chats.context import asked_by
from skill_factory.sources.columns import RowError, read_row
from skill_factory.traces.chats import chat_messages, plain_messages
from skill_factory.trainers import (
    FIREWORKS,
    LLAMAFACTORY,
    OPENAI,
    OPENRLHF,
    SWIFT,
    TOGETHER,
    TRL,
    UNSLOTH,
    Options,
    Trainer,
    export_build,
)
from skill_factory.trainers.preflight import RowLimits, preflight
from skill_factory.trainers.services import misfit
from tests import chats, command

TIGHT = Recipe().changed({"traces.layout": "tight", "traces.attempts": 3})
READ = Columns(
    question="messages",
    response="messages",
    correct="correct",
    tools="tools",
    question_rule="conversation",
    response_rule="last_turn",
)
ARGUMENTS = {"expression": chats.expression(1)}
CALLED = {"name": "calculate", "arguments": ARGUMENTS}


def of(*middle: dict[str, Any], says: str = "role", text: str = "content", end: str = "assistant") -> Any:
    """A conversation: a system prompt, the question, what a shape of data puts in the middle, and an attempt."""
    return [
        {says: "system", text: chats.SYSTEM},
        {says: "user" if says == "role" else "human", text: chats.question(1)},
        *middle,
        {says: end, text: chats.said(1, 0)},
    ]


SHAPES = {
    "OpenAI": chats.openai(1, 0),
    "OpenAI, arguments as an object": of(
        {"role": "assistant", "tool_calls": [{"function": CALLED | {"arguments": {**ARGUMENTS, "unit": None}}}]},
        {"role": "tool", "content": [{"type": "text", "text": str(chats.gold(1))}]},
    ),
    "OpenAI's older functions": of(
        {"role": "assistant", "content": "", "function_call": CALLED},
        {"role": "function", "name": "calculate", "content": str(chats.gold(1))},
    ),
    "ShareGPT": of(
        {"from": "function_call", "value": json.dumps(CALLED)},
        {"from": "observation", "value": str(chats.gold(1))},
        says="from", text="value", end="gpt",
    ),
    "Hermes": of(
        {"from": "gpt", "value": f"<tool_call>\n{json.dumps(CALLED)}\n</tool_call>"},
        {"from": "tool", "value": f"<tool_response>\n{chats.gold(1)}\n</tool_response>"},
        says="from", text="value", end="gpt",
    ),
    "Anthropic": of(
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "calculate", "input": ARGUMENTS}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": str(chats.gold(1))}]},
    ),
    "a text of JSON": json.dumps(chats.openai(1, 0)),
}  # fmt: skip


def question_of(messages: Any, **more: Any) -> Asked:
    """What a row of some messages asks."""
    found = read_row({"messages": messages, "correct": True, **more}, READ)
    assert not isinstance(found, RowError), found
    assert [one.response for one in found] == [chats.said(1, 0)]
    return asked(found[0].question)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_is_the_same_call_in_every_shape(shape: str) -> None:
    """OpenAI, ShareGPT, Hermes, Anthropic and JSON text give one question with one text, so attempts meet under one id."""
    found = question_of(SHAPES[shape])
    assert found == question_of(SHAPES["OpenAI"])
    assert [turn.role for turn in found.turns] == ["system", USER, CALL, RESULT]
    assert found.question == chats.question(1)
    assert calls_in(found.turns[2].content) == ("", [CALLED])


@pytest.mark.parametrize(
    "tools",
    [[chats.TOOL], json.dumps([chats.TOOL]), [chats.TOOL["function"]], [json.dumps(chats.TOOL)], chats.TOOL],
    ids=["list", "text", "bare", "texts", "one"],
)
def test_tools_are_the_same_tools_in_every_shape(tools: Any) -> None:
    """A list, its JSON, a list of JSON, and functions without OpenAI's frame."""
    assert json.loads(question_of(chats.openai(1, 0), tools=tools).tools) == [chats.TOOL]


def test_a_question_alone_keeps_its_id() -> None:
    """One user turn is the question that it was without this rule: same text, same id, same traces."""
    found = read_row({"messages": of()[1:], "correct": True}, READ)
    assert not isinstance(found, RowError)
    assert found[0].question == chats.question(1)
    assert text_id(found[0].question) == text_id(chats.question(1))


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (chats.openai(1, 0)[:3], "ends_in_call"),
        (of({"role": "assistant", "content": "Let me see."}, {"role": "user", "content": " "}), "unusable_turns"),
        (of({"role": "assistant", "content": "Hm."}, {"role": "system", "content": "Go."}), "unusable_turns"),
        ([{"role": "assistant", "content": "Hello!"}, *of()[1:]], "unusable_turns"),
        (chats.openai(1, 0)[:-1], "no_response"),
        (of()[:1] + of()[-1:], "no_question"),
    ],
    ids=["call", "empty", "system", "greeting", "result", "nobody asks"],
)  # fmt: skip
def test_a_conversation_that_cant_be_used_is_counted(messages: Any, reason: str) -> None:
    """Each has a reason of its own, and takes one response along."""
    found = read_row({"messages": messages, "correct": True}, READ)
    assert isinstance(found, RowError)
    assert (found.reason, found.responses) == (reason, 1)


def test_neighbours_of_one_speaker_are_one_turn() -> None:
    """Two calls at once, their two results, and text beside a call stay together, as trainers need them."""
    call = {"function": {"name": "calculate", "arguments": ARGUMENTS}}
    messages = of(
        {"role": "user", "content": "Take the tool."},
        {"role": "assistant", "content": "I work it out.", "tool_calls": [call, call]},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "2"},
    )
    turns = question_of(messages).turns
    assert turns[1] == Said(USER, f"{chats.question(1)}\n\nTake the tool.")
    assert calls_in(turns[2].content) == ("I work it out.", [CALLED, CALLED])
    assert turns[3].content == "1\n</tool_response>\n<tool_response>\n2"


TURNS = st.lists(st.builds(Said, st.sampled_from(["user", "assistant", CALL, RESULT]), st.text()), max_size=5)


@given(TURNS, st.text(), st.text())
def test_what_is_asked_is_read_back_from_its_text(turns: list[Said], last: str, tools: str) -> None:
    """The text that ids are made from holds everything, and differs where anything differs."""
    whole = Asked((*turns, Said(USER, last)), tools)
    assert asked(whole.text) == whole or (whole.alone and asked(last).text == last)


@given(st.text(), st.lists(st.fixed_dictionaries({"name": st.text(), "arguments": st.dictionaries(st.text(), st.text())}), min_size=1))  # fmt: skip
def test_calls_are_read_back_from_their_turn(text: str, calls: list[dict[str, Any]]) -> None:
    """Text and calls, whatever is in them."""
    assert calls_in(call_content(text, calls)) == (text, calls)


def test_a_system_prompt_may_stand_in_a_column_of_its_own() -> None:
    """As LLaMA-Factory's own files have it: the same question as with a system turn."""
    columns = READ.model_copy(update={"system": "system"})
    row = {"messages": chats.openai(1, 0)[1:], "correct": True, "system": chats.SYSTEM}
    found = read_row(row, columns)
    assert not isinstance(found, RowError)
    assert asked(found[0].question) == question_of(chats.openai(1, 0))


def test_several_samples_of_one_conversation_are_attempts_at_it(tmp_path: Path) -> None:
    """A list of conversations in a row that differ in their last turn alone; others are counted."""
    rows = [
        {"samples": [make(q, k) for k in range(4)], "correct": [True, False, True, False]}
        for make, questions in ((chats.openai, 8), (lambda q, k: chats.talk(q + k, k), 4))
        for q in range(questions)
    ]
    found = inspect(str(chats.write(tmp_path / "raw.jsonl", rows)))
    assert found.recipe.columns.question_rule == "conversation"
    assert (found.found.questions, found.found.responses) == (8, 32)
    assert found.tally.ledger[Level.ROWS].dropped == {"unusable_turns": 4}


def test_a_question_about_a_picture_is_not_asked_without_it() -> None:
    """Parts that aren't text make a conversation unusable, with a count."""
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    messages = [
        *of()[:1],
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]},
        *of()[-1:],
    ]
    found = read_row({"messages": messages, "correct": True}, READ)
    assert isinstance(found, RowError) and found.reason == "unusable_turns"


# -- builds ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of conversations with calls, from a guessed mapping."""
    folder = tmp_path_factory.mktemp("chats")
    raw = chats.write(folder / "raw.jsonl", chats.rows(tools=[chats.TOOL]))
    build(str(raw), folder / "out", TIGHT, workers=1)
    return folder / "out"


def built(folder: Path) -> list[dict[str, Any]]:
    """The rows of a build."""
    return pq.read_table(folder / "sft_train").to_pylist()


def test_a_row_holds_the_conversation_and_ends_with_the_trace(tools: Path) -> None:
    """The turns before are the same in all traces of a question, in LLaMA-Factory's roles; the tools stand beside them."""
    rows = built(tools)
    by_question: dict[str, set[str]] = {}
    for row in rows:
        *before, trace = row["conversations"]
        assert [turn["role"] for turn in before] == ["system", "user", "function_call", "observation"]
        assert trace["role"] == "assistant" and trace["content"].startswith("<think>")
        assert json.loads(row["tools"]) == [chats.TOOL]
        for span in row["spans"]:
            assert span["kind"] != "sample" or trace["content"][span["start"] :].startswith("Attempt")
        by_question.setdefault(row["question_id"], set()).add(json.dumps(before))
    assert len(by_question) == 8 and all(len(told) == 1 for told in by_question.values())
    assert preflight(rows, RowLimits(lambda texts: [len(text) for text in texts], 10_000)) == []


def test_other_results_are_another_question(tmp_path: Path) -> None:
    """Attempts that saw different results of a tool never meet in one trace."""
    rows = chats.rows(questions=2)
    for k, row in enumerate(rows):
        row["messages"][3]["content"] = f"result {k % 2}"
    build(
        str(chats.write(tmp_path / "raw.jsonl", rows)),
        tmp_path / "out",
        TIGHT.changed({"traces.attempts": 2}),
        columns={"question_rule": "conversation"},
    )
    for row in built(tmp_path / "out"):
        seen = row["conversations"][3]["content"]
        right = {attempt["correct"] for attempt in row["attempts"]}
        assert right == ({True} if seen == "result 0" else {False})


@pytest.mark.parametrize("make", [chats.openai, chats.talk], ids=["tools", "turns"])
def test_the_order_of_rows_changes_no_byte_of_conversations(
    make: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several partitions, and all rows reversed."""
    monkeypatch.setattr("skill_factory.build.scatter.PARTITION_BYTES", 2_000)
    rows = chats.rows(make, questions=12)
    found = []
    for name, ordered in (("a", rows), ("b", rows[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        raw = chats.write(folder / "raw.jsonl", ordered)
        build(str(raw), folder / "out", TIGHT, workers=1)
        found.append([path.read_bytes() for path in command.shards(folder / "out")])
    assert len(found[0]) > 1
    assert found[0] == found[1]


# -- exports -----------------------------------------------------------------------------------------------------------


def test_trl_gets_prompt_completion_and_tools(tools: Path, tmp_path: Path) -> None:
    """Calls as chat templates take them, with arguments as objects and ids beside results; the trace is the completion."""
    out = export_build(tools, TRL, tmp_path / "trl", Options("some/model")).path
    table = pq.read_table(out / "train-00000-of-00001.parquet")
    for row, built_row in zip(table.to_pylist(), built(tools), strict=True):
        prompt, completion = ([json.loads(one) for one in row[name]] for name in ("prompt", "completion"))
        assert [message["role"] for message in prompt] == ["system", "user", "assistant", "tool"]
        (call,) = prompt[2]["tool_calls"]
        assert call["function"]["name"] == "calculate" and "expression" in call["function"]["arguments"]
        assert prompt[3]["tool_call_id"] == call["id"]
        assert completion == [built_row["conversations"][-1]]
        assert row["tools"] == built_row["tools"]
    script = (out / "train_sft.py").read_text(encoding="utf-8")
    assert '.select_columns(["prompt", "completion", "tools"])' in script


def test_llamafactory_leaves_earlier_turns_out_of_the_loss(tools: Path, tmp_path: Path) -> None:
    """The entry names the column of tools, and the settings mask the history."""
    out = export_build(tools, LLAMAFACTORY, tmp_path / "lf", Options("Qwen/Qwen2.5-1.5B")).path
    entry = json.loads((out / "data" / "dataset_info.json").read_text(encoding="utf-8"))
    assert entry["skill_factory_files"]["columns"] == {"messages": "conversations", "tools": "tools"}
    assert "\nmask_history: true\n" in (out / "train_sft.yaml").read_text(encoding="utf-8")


def test_a_service_gets_messages_with_calls_and_tools(tools: Path, tmp_path: Path) -> None:
    """Arguments as text, earlier turns of the assistant with weight 0, and nothing that a service refuses."""
    out = export_build(tools, OPENAI, tmp_path / "openai", Options("gpt")).path
    for line in (out / "train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert set(row) == {"messages", "tools"}
        call = row["messages"][2]
        assert call["weight"] == 0 and isinstance(call["tool_calls"][0]["function"]["arguments"], str)
        assert "weight" not in row["messages"][-1]


@pytest.mark.parametrize("trainer", [OPENAI, TOGETHER, FIREWORKS], ids=lambda one: one.name)
def test_calls_that_a_service_refuses_are_refused_before_they_are_paid_for(
    tmp_path: Path, trainer: Trainer
) -> None:
    """A function's name with a space, as no service takes it; the sentence names it, and nothing is written."""
    raw, out = tmp_path / "raw.jsonl", tmp_path / "out"
    text = json.dumps(chats.rows(questions=4, tools=[chats.TOOL])).replace("calculate", "work out")
    chats.write(raw, json.loads(text))
    build(str(raw), tmp_path / "build", Recipe().changed({"traces.attempts": 2}))
    with pytest.raises(HandoffError, match=r"a function is called 'work out', and its name may have"):
        export_build(tmp_path / "build", trainer, out, Options("model"))
    assert not (out / "train.jsonl").exists()


def test_a_call_without_its_own_result_is_refused() -> None:
    """Each call is answered by a result of its own, directly behind it; services check the ids."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    other = call | {"id": "b"}
    asks, said = {"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}
    result = {"role": "tool", "tool_call_id": "a", "content": "1"}

    def line(calls: list, *results: dict) -> dict:
        return {"messages": [asks, {"role": "assistant", "content": "", "tool_calls": calls}, *results, said]}

    assert misfit(line([call], result)) == ""
    assert misfit(line([call, other], result)) == "a call has no result, or two calls share one"
    assert misfit(line([call], result, result)) == "a result answers no call"
    assert misfit(line([call], result) | {"tools": [{"function": {"name": "f"}}] * 129}).startswith(
        "it has 129"
    )


def test_what_a_program_reads_as_text_leaves_earlier_turns_out(tools: Path, tmp_path: Path) -> None:
    """ms-swift and OpenRLHF get calls as the text that Qwen's template writes; Unsloth, which would train them, is refused."""
    for trainer in (SWIFT, OPENRLHF):
        out = export_build(tools, trainer, tmp_path / trainer.name, Options("Qwen/Qwen2.5-1.5B")).path
        row = json.loads((out / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
        assert [one["role"] for one in row["messages"]] == [
            "system",
            "user",
            "assistant",
            "user",
            "assistant",
        ]
        assert row["messages"][2]["content"].startswith("<tool_call>\n{")
        if trainer is SWIFT:
            assert json.loads(row["tools"]) == [chats.TOOL] and row["messages"][2]["loss"] is False
        else:  # it reads no tools, so the system message tells them
            assert set(row) == {"messages"} and json.dumps(chats.TOOL) in row["messages"][0]["content"]
    with pytest.raises(HandoffError, match="--to trl"):
        export_build(tools, UNSLOTH, tmp_path / "unsloth", Options("Qwen/Qwen2.5-1.5B"))


def test_only_the_trace_has_labels(tools: Path, tmp_path: Path) -> None:
    """`--loss all` as tokens: the labels are the trace's last turn, and everything in front of it is -100."""
    pytest.importorskip("tokenizers")
    from tests.tokenizers_made import byte_level, tokenizer_folder

    rows = built(tools)
    made = byte_level([turn["content"] for row in rows for turn in row["conversations"]])
    folder = tokenizer_folder(tmp_path / "tokenizer", made)
    out = export_build(tools, TRL, tmp_path / "out", Options("m", loss="all", tokenizer=str(folder))).path
    tokens = pq.read_table(sorted((out / "data").glob("*.parquet"))[0]).to_pylist()
    for row, told in zip(rows, tokens, strict=True):
        ids, labels = told["input_ids"], told["labels"]
        first = next(place for place, label in enumerate(labels) if label != -100)
        assert -100 not in labels[first:]
        assert (
            made.decode(labels[first:], skip_special_tokens=True).strip()
            == row["conversations"][-1]["content"]
        )
        before = made.decode(ids[:first], skip_special_tokens=False)
        assert '"name": "calculate"' in before and row["conversations"][3]["content"] in before


# -- what is read again ------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(SHAPES)), st.booleans())
def test_a_question_written_to_a_file_is_the_same_question(shape: str, with_tools: bool) -> None:
    """Generated, graded and held-out rows hold messages as JSON, which the front door reads as the same text."""
    more = {"tools": [chats.TOOL]} if with_tools else {}
    whole = question_of(SHAPES[shape], **more)
    columns = READ.model_copy(update={"response": ("response",), "response_rule": "", "tools": ""})
    found = read_row({"messages": whole.cell, "response": "x", "correct": True}, columns)
    assert not isinstance(found, RowError) and found[0].question == whole.text


def test_graded_conversations_are_built_as_conversations(tmp_path: Path) -> None:
    """`grade --out` and `build` on the graded file, with nothing said: the same questions, turns and tools."""
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(tools=[chats.TOOL]))
    graded = command.run("grade", raw, "--out", tmp_path / "graded.parquet")
    assert graded.exit == 0, graded.err
    build(str(raw), tmp_path / "a", TIGHT, workers=1)
    build(str(tmp_path / "graded.parquet"), tmp_path / "b", TIGHT, workers=1)
    first, second = built(tmp_path / "a"), built(tmp_path / "b")
    assert [row["conversations"] for row in first] == [row["conversations"] for row in second]
    assert [row["tools"] for row in first] == [row["tools"] for row in second]


def test_a_prompt_words_the_question_and_leaves_the_other_turns() -> None:
    """A variant changes the last user turn alone; a reflection is asked about the whole conversation as one text."""
    book = prompt_book()
    text = question_of(chats.openai(1, 0)).text
    for prompt in book.variants.values():
        messages = prompt.messages(text)
        alone = prompt.messages(chats.question(1))[-1]
        assert alone in messages and messages[0]["role"] == "system"
        assert [one["role"] for one in messages][-3:] == ["user", "assistant", "user"]
    (asks,) = [one for one in book.reflection.messages(text, "R") if one["role"] == "user"]
    assert f"Result: {chats.gold(1)}" in asks["content"] and "\x10" not in asks["content"]


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        (chats.rows(chats.openai), "conversation"),
        (chats.rows(chats.talk), "conversation"),
        (chats.rows(lambda q, k: chats.openai(q, k)[1:2] + chats.openai(q, k)[-1:]), "last_turn"),
        (chats.rows(lambda q, k: [*chats.openai(q, k)[:3], {"role": "tool", "content": f"{q} {k}"}, chats.openai(q, k)[-1]]), "first_turn"),
    ],
    ids=["calls", "turns", "alone", "results differ"],
)  # fmt: skip
def test_the_rule_that_is_proposed_keeps_attempts_together(rows: Any, rule: str, tmp_path: Path) -> None:
    """The conversation stays where it decides what is asked; not where each attempt had results of its own."""
    found = inspect(str(chats.write(tmp_path / "raw.jsonl", rows)))
    assert found.recipe.columns.question_rule == rule
    assert found.found.questions == 8


def test_what_a_person_reads_shows_the_question_and_folds_the_rest(tools: Path, tmp_path: Path) -> None:
    """Card, preview and page of traces: the question is in sight, other turns and tools behind a summary, no mark of ours."""
    card = (tools / "README.md").read_text(encoding="utf-8")
    assert "<details><summary>The conversation before" in card and "mask_history: true" in card
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(tools=[chats.TOOL]))
    shown = command.run("preview", raw, "--attempts", "3", "--html", tmp_path / "page.html", "--json")
    (first, *_) = json.loads(shown.out)["traces"]
    assert first["question"].startswith("Each of") and len(first["conversation"]) == 4
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<summary>Conversation: 3 other turns, with tools</summary>" in page
    assert "Each of" in command.run("preview", raw, "--attempts", "3").out
    assert not any("\x10" in text or "⟨U+0010⟩" in text or "␐" in text for text in (card, page, shown.out))
    assert command.run("lint", tools).exit == 0


def test_contamination_is_told_by_what_the_user_says(tmp_path: Path) -> None:
    """A benchmark's question in a conversation is found, and equal system prompts and tools aren't evidence."""
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(tools=[chats.TOOL]))
    bench = chats.write(
        tmp_path / "bench.jsonl", [{"question": chats.question(3)}, {"question": "Who wrote Emma?"}]
    )
    told = command.run("inspect", raw, "--against", bench, "--json")
    assert json.loads(told.out)["contaminated"]["questions"] == 1


def test_held_out_conversations_are_asked_again(tmp_path: Path) -> None:
    """The config `heldout` holds messages, from which an evaluation asks the same question."""
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(questions=40))
    build(str(raw), tmp_path / "out", TIGHT.changed({"clean.holdout": 0.2}), workers=1)
    held = pq.read_table(tmp_path / "out" / "heldout").to_pylist()
    trained = {row["question_id"] for row in built(tmp_path / "out")}
    assert held and not trained & {row["question_id"] for row in held}
    for row in held:
        assert [one["role"] for one in json.loads(row["question"])] == [
            "system",
            "user",
            "function_call",
            "observation",
        ]


MIX = """
[[sources]]
name = "chats"
from = "chats.jsonl"
weight = 0.5
[sources.traces]
attempts = 2

[[sources]]
name = "plain"
from = "plain.jsonl"
weight = 0.5
[sources.traces]
formats = ["no_reflection"]
attempts = 2
"""


def test_a_mixture_holds_questions_alone_and_in_conversations(tmp_path: Path) -> None:
    """One dataset, one schema: rows of the source without conversations have two turns and no tools."""
    chats.write(tmp_path / "chats.jsonl", chats.rows(tools=[chats.TOOL]))
    plain = [
        {"question": chats.question(q + 20), "response": chats.said(q + 20, k), "correct": k % 2 == 0, "answer": str(chats.gold(q + 20))}
        for q in range(8)
        for k in range(4)
    ]  # fmt: skip
    chats.write(tmp_path / "plain.jsonl", plain)
    (tmp_path / "mix.toml").write_text(MIX, encoding="utf-8")
    done = command.run("build", "--recipe", tmp_path / "mix.toml", "--out", tmp_path / "out")
    assert done.exit == 0, done.err
    for row in built(tmp_path / "out"):
        assert len(row["conversations"]) == (5 if row["source"] == "chats" else 2)
        assert (row["tools"] is None) == (row["source"] == "plain")


def test_a_suite_of_conversations_names_its_tools(tmp_path: Path) -> None:
    """Every arm holds the turns and the column of tools, and LLaMA-Factory's entries name it."""
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(questions=12, tools=[chats.TOOL]))
    (tmp_path / "suite.toml").write_text(
        '[base.traces]\nattempts = 3\n[one_at_a_time]\n"traces.attempts" = [2]\n',
        encoding="utf-8",
    )
    done = command.run("ablate", raw, "--suite", tmp_path / "suite.toml", "--out", tmp_path / "out")
    assert done.exit == 0, done.err
    told = json.loads((tmp_path / "out" / "dataset_info.json").read_text(encoding="utf-8"))
    assert all(entry["columns"]["tools"] == "tools" for entry in told.values())
    for arm in (tmp_path / "out" / "arms").iterdir():
        for row in built(arm):
            assert len(row["conversations"]) == 5 and json.loads(row["tools"]) == [chats.TOOL]


@pytest.mark.parametrize(
    "rest", ['["", [["user", 1]]]', '["", [["assistant", "x"]]]', "[" * 5000, '["t", [["user", "q"], ["function_call", "no JSON"]]]']
)  # fmt: skip
def test_a_hostile_text_that_begins_like_a_conversation_does_no_harm(rest: str) -> None:
    """It stays a text, or a conversation whose call is text: nothing fails, whatever stands behind the mark."""
    found = asked(f"\x10conversation {rest}")
    assert found.question and chat_messages(found) and plain_messages(found) and found.transcript


def test_attempts_that_never_meet_are_doubted(tmp_path: Path) -> None:
    """Where every attempt saw a result of its own, the conversation keeps them apart, and one press reads them together."""
    rows = chats.rows()
    for k, row in enumerate(rows):
        row["messages"][3]["content"] = f"result {k}"
    raw = str(chats.write(tmp_path / "raw.jsonl", rows))
    apart = inspect(raw, columns={"question_rule": "conversation"})
    (doubt,) = [one for one in apart.doubts if one.code == "apart_by_turns"]
    assert "32 conversations ask 8 questions" in doubt.sentence
    together = inspect(raw, columns={"question_rule": doubt.changes["columns.question_rule"]})
    assert together.found.questions == 8 and not [
        one for one in together.doubts if one.code == "apart_by_turns"
    ]


def test_a_model_is_asked_with_the_tools_of_the_question() -> None:
    """Two questions that differ in their tools alone are asked differently; each tool stands in the system message."""
    rows = chats.rows(questions=1, tools=[chats.TOOL])
    with_them, without = (asked_by(rows[0]["messages"], tools) for tools in (json.dumps([chats.TOOL]), None))
    prompt = Prompt("plain", "{question}")
    told, plain = prompt.messages(with_them or ""), prompt.messages(without or "")
    assert told != plain and chats.TOOL["function"]["name"] in told[0]["content"]
    assert (
        told[0]["role"] == "system"
        and [one["role"] for one in told[1:]] == [one["role"] for one in plain][-len(told[1:]) :]
    )
