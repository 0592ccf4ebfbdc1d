"""What a build says of itself: card, report and the entry for LLaMA-Factory, made of the numbers of one tally."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.card import BEGIN, END, card_body, dataset_info, example_row
from skill_factory.build.card_numbers import ledger_table
from skill_factory.build.pipeline import build
from skill_factory.model import Closing, Question, Response
from skill_factory.recipe.model import Recipe, recipe_from_toml
from skill_factory.tally import COUNTS, RARE, Tally, tally_from_json, total
from tests import command, make_raw
from tests.make_raw import row, verdict

RECIPE = Recipe().changed({"traces.attempts": 3, "traces.formats": ["*C_full", "*C*IC", "*CC"]})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build of several formats."""
    folder = tmp_path_factory.mktemp("card")
    raw = make_raw.write_parquet(make_raw.make_rows(40, seed=4), folder / "raw.parquet")
    build(str(raw), folder / "out", RECIPE)
    return folder / "out"


@pytest.fixture(scope="module")
def card(built: Path) -> str:
    """Its card."""
    return (built / "README.md").read_text(encoding="utf-8")


def test_the_front_matter_is_what_the_hub_reads(card: str) -> None:
    """A config of its own name, marked default, over the shards; no licence is invented."""
    head = card.split("---\n")[1]
    assert head.startswith(("license:", "configs:", "pretty_name:", "language:", "#")) or "configs:" in head
    assert "- config_name: sft_train\n  default: true\n" in head
    assert "    path: sft_train/train-*.parquet\n" in head
    assert "size_categories:\n- n<1K\n" in head
    assert not re.search(r"^license: *(apache|mit|cc)", head, re.MULTILINE)


def test_the_numbers_of_the_card_are_those_of_the_report(built: Path, card: str) -> None:
    """Traces, questions, each label, each reason of each level: read from one tally."""
    report = command.report(built)
    assert f"{report['traces']:,} traces from {report['ledger']['questions']['kept']:,} questions." in card
    for label, number in report["traces_by_label"].items():
        assert f"| `{label}` | {number:,} |" in card
    for level, one in report["ledger"].items():
        line = next(text for text in card.splitlines() if text.startswith(f"| {level} |"))
        assert f"| {one['read']:,} | {one['kept']:,} |" in line
        for reason, number in one["dropped"].items():
            assert re.search(rf"\b{number:,} [^|]*?\(`{reason}`\)", line)
    for section in (
        "What is in it",
        "Where the data went",
        "Right and wrong",
        "Length",
        "One trace",
        "Load it",
        "Recipe",
        "Licence and source",
    ):
        assert f"\n## {section}\n" in card


def test_the_card_shows_one_whole_trace_of_the_set(built: Path, card: str) -> None:
    """A short one with a mistake that is corrected, word for word."""
    shown = example_row(command.shards(built))
    assert shown is not None
    assert shown in command.traces(built)
    right = [attempt["correct"] for attempt in shown["attempts"]]
    assert not right[0]
    assert right[-1]
    for message in shown["conversations"]:
        assert f"\n{message['content']}\n" in card


def test_the_recipe_in_the_card_is_the_one_beside_it(built: Path, card: str) -> None:
    """Printed as TOML, it is the recipe that was built."""
    printed = re.search(r"## Recipe\n.*?\n(`{3,})toml\n(.*?)\n\1", card, re.DOTALL)
    assert printed is not None
    saved = (built / "recipe.toml").read_text(encoding="utf-8")
    assert tomllib.loads(printed[2]) == tomllib.loads(saved)
    assert recipe_from_toml(saved).fingerprint() == command.report(built)["fingerprint"]


def test_the_part_that_is_ours_is_marked(card: str) -> None:
    """Around the marks a card is its owner's."""
    assert card.count(BEGIN) == card.count(END) == 1
    assert card.index(BEGIN) < card.index("# Think, sample, reflect") < card.index(END)


def test_the_report_has_every_number_and_no_path(built: Path) -> None:
    """Fingerprint, versions, source, every counter, the digest over the rows; nothing of this machine or run."""
    report = command.report(built)
    assert {
        "fingerprint",
        "versions",
        "source",
        "columns",
        "traces",
        "ledger",
        "rows_digest",
        *(COUNTS.keys() - RARE),
    } <= report.keys()
    text = (built / "report.json").read_text(encoding="utf-8")
    assert str(built.parent) not in text
    assert tally_from_json(report).to_json().items() <= report.items()
    assert report["versions"].keys() >= {"skill_factory", "python", "pyarrow"}


def test_counters_agree_with_the_rows(built: Path) -> None:
    """Places, attempts, formats and labels as counted while building are those of the rows on disk."""
    rows, report = command.traces(built), command.report(built)
    places: dict[str, int] = {}
    for one in rows:
        n = len(one["attempts"])
        for place, attempt in enumerate(one["attempts"], 1):
            key = f"{one['format']}|{n:02d}|{place:02d}|{'right' if attempt['correct'] else 'wrong'}"
            places[key] = places.get(key, 0) + 1
    assert report["places"] == dict(sorted(places.items()))
    assert (
        sum(report["attempts"].values())
        == sum(report["teaches"].values())
        == sum(report["trace_chars"].values())
        == len(rows)
    )
    for key, number in report["attempts"].items():
        assert number == sum(len(one["attempts"]) == int(key) for one in rows)


def test_the_entry_for_llama_factory_names_every_role_tag() -> None:
    """A tag that is left out becomes None there, and rows with such a turn are skipped without a word."""
    for entry in dataset_info("user/name").values():
        assert entry["formatting"] == "sharegpt"
        assert entry["columns"] == {"messages": "conversations"}
        assert entry["tags"].keys() == {
            "role_tag",
            "content_tag",
            "user_tag",
            "assistant_tag",
            "observation_tag",
            "function_tag",
            "system_tag",
        }
    assert any(
        entry.get("subset") == "sft_train" and entry.get("hf_hub_url") == "user/name"
        for entry in dataset_info("user/name").values()
    )


def test_the_entry_beside_the_build_is_that_of_this_folder(built: Path) -> None:
    """`dataset_info.json` as a build writes it names no repository yet."""
    found = json.loads((built / "dataset_info.json").read_text(encoding="utf-8"))
    assert found == dataset_info()
    assert all("hf_hub_url" not in entry for entry in found.values())


HOSTILE = "```\n# Heading\n<script>alert(1)</script> | a | b |\n````` [x](javascript:y)"


def test_texts_of_the_data_cannot_break_out_of_the_card(tmp_path: Path) -> None:
    """Fences, tables and tags inside question, response, variant and file name stay text."""
    rows = [
        row(
            HOSTILE,
            f"{HOSTILE} {k}\n<answer>{k}</answer>",
            bool(k),
            [verdict(bool(k), HOSTILE)],
            variant="a|b`c\n# d",
        )
        for k in range(2)
    ]
    raw = make_raw.write_parquet(rows, tmp_path / "a|b`c.parquet")
    build(str(raw), tmp_path / "out", Recipe().changed({"traces.attempts": 2}))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    outside, fence = [], ""
    for line in card.splitlines():
        mark = re.match(r"`{3,}", line)
        if not fence and mark:
            fence = mark[0]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert fence == ""
    assert not any("<script" in line or line.startswith(("# Heading", "# d")) for line in outside)
    assert any("a\\|b" in line for line in outside if line.startswith("|"))


def test_synthetic_data_say_so(tmp_path: Path) -> None:
    """A build of the demo is marked synthetic in its text and its tags."""
    build("demo:40", tmp_path / "out", Recipe().changed({"traces.attempts": 2}))
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "- synthetic\n" in card.split("---\n")[1]
    assert "**Synthetic:**" in card


def test_a_card_without_lineage_or_traces_can_be_made() -> None:
    """Nothing is assumed of an empty tally."""
    text = card_body(Recipe().changed({"output.lineage": False}), Tally(), None)
    assert "This dataset has no lineage columns." in text
    assert "No traces." in text
    assert ledger_table(Tally()).count("none") == 5


def test_tallies_add_up_in_any_order_and_survive_json(built: Path) -> None:
    """The sum of parts does not depend on their order; what is written is read back."""
    one = tally_from_json(command.report(built))
    other = tally_from_json({**one.to_json(), "row_examples": {"no_label": ["z", "b", "a", "y"]}})
    assert total([one, other]).to_json() == total([other, one]).to_json()
    assert total([one, other]).examples["no_label"] == ["a", "b", "y"]
    assert tally_from_json(json.loads(json.dumps(one.to_json()))).to_json() == one.to_json()


def test_own_formats_are_built_and_named(tmp_path: Path) -> None:
    """A function passed by the caller makes traces under its code; the card says that it comes from outside."""
    from collections.abc import Iterator

    from skill_factory.model import TracePlan
    from skill_factory.recipe.model import Traces

    def two_right(question: Question, ask: Traces) -> Iterator[Any]:
        right: list[Response] = [one for one in question.responses if one.correct][:2]
        yield TracePlan(question, "mine", "mine", 0, right, Closing.PLAIN, b"key")

    raw = make_raw.write_parquet(make_raw.make_rows(20, seed=4), tmp_path / "raw.parquet")
    asked = Recipe().changed({"traces.attempts": 2, "traces.formats": ["mine", "0C"]})
    build(str(raw), tmp_path / "out", asked, own_formats={"mine": two_right})
    report = command.report(tmp_path / "out")
    assert (
        report["traces_by_format"]["mine"]
        == report["traces_by_format"]["0C"]
        == report["ledger"]["questions"]["kept"]
    )
    assert "- `mine`: A format from outside the package." in (tmp_path / "out" / "README.md").read_text(
        encoding="utf-8"
    )
