"""A card belongs to its owner: ours is one section and three fields, the rest is kept as it was written."""

import json
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.build.card import BEGIN, END
from skill_factory.errors import HubError
from skill_factory.publish.card import is_ours, merge_card, name_card, name_dataset_info, split_card

BUILT = name_card(
    """---
license: apache-2.0
tags:
- skill-factory
- reasoning
size_categories:
- 1K<n<10K
configs:
- config_name: sft_train
  default: true
  data_files:
  - split: train
    path: sft_train/train-*.parquet
---
# Traces

`load_dataset("USER/NAME", "sft_train")`, found under USER/NAME.
""",
    "alice/traces",
)
SIZES = {"sft_train/train-00000-of-00001.parquet": 1, "eval/a.parquet": 1}


def fields(card: str) -> dict[str, object]:
    head = yaml.safe_load(split_card(card)[0])
    assert isinstance(head, dict)
    return head


def test_a_named_card_has_our_section_once() -> None:
    """Naming fills in the repository and sets the two marks; naming again changes nothing."""
    assert (
        'load_dataset("alice/traces", "sft_train")`, found under USER/NAME' in BUILT
        and BUILT.count(BEGIN) == BUILT.count(END) == 1
    )
    assert name_card(BUILT, "alice/traces") == BUILT and is_ours(BUILT)


def test_an_empty_card_becomes_ours() -> None:
    """Nothing to keep: the built card as it is."""
    assert merge_card(BUILT, "\n", SIZES) == BUILT


def test_the_owners_words_comments_and_fields_stay() -> None:
    """License, language and comments as written; tags of both; our fields replaced."""
    theirs = "---\n# chosen with care\nlicense: mit  # yes\ntags: [mine]\nsize_categories: [n<1K]\n---\n# Hello\n\nWords.\n"
    merged = merge_card(BUILT, theirs, SIZES)
    assert "# chosen with care\nlicense: mit  # yes\n" in merged and "# Hello\n\nWords.\n" in merged
    assert fields(merged)["tags"] == ["mine", "skill-factory", "reasoning"]
    assert fields(merged)["size_categories"] == ["1K<n<10K"]


def test_our_section_is_replaced_in_its_place() -> None:
    """Text before and behind the marks is kept, the old section goes."""
    old = BUILT.replace("# Traces", "# Old traces").replace(BEGIN, f"Before.\n{BEGIN}") + "Behind.\n"
    merged = merge_card(BUILT, old, SIZES)
    assert "Old traces" not in merged
    assert merged.index("Before.") < merged.index("# Traces") < merged.index("Behind.")


def test_other_subsets_stay_while_they_have_files() -> None:
    """A subset beside ours stays declared, but isn't the default any more; one without files goes."""
    theirs = """---
configs:
- config_name: eval
  default: true
  data_files: eval/*.parquet
- config_name: gone
  data_files: gone/*.parquet
dataset_info:
- config_name: eval
  features: []
- config_name: sft_train
  features: [{name: old, dtype: int64}]
---
"""
    merged = fields(merge_card(BUILT, theirs, SIZES))
    assert merged["configs"] == [
        {
            "config_name": "sft_train",
            "default": True,
            "data_files": [{"split": "train", "path": "sft_train/train-*.parquet"}],
        },
        {"config_name": "eval", "data_files": "eval/*.parquet"},
    ]
    assert merged["dataset_info"] == [{"config_name": "eval", "features": []}]


def test_front_matter_in_another_style_is_understood() -> None:
    """A flow mapping holds the same fields."""
    merged = merge_card(BUILT, "---\n{license: mit, tags: mine}\n---\nx\n", SIZES)
    assert (fields(merged)["license"], fields(merged)["tags"]) == (
        "mit",
        ["mine", "skill-factory", "reasoning"],
    )


@pytest.mark.parametrize("head", ["a: [", "- only\n- a list", "just words"])
def test_front_matter_that_can_not_be_read_is_an_error(head: str) -> None:
    """We don't guess, and don't throw it away."""
    with pytest.raises(HubError, match="Fix it first"):
        merge_card(BUILT, f"---\n{head}\n---\n", SIZES)


LINES = st.text(string.ascii_letters + " #-:<!>/\n", max_size=60)
MARKS = st.sampled_from(["", BEGIN, END, f"{BEGIN}\nold\n{END}", f"{END}\n{BEGIN}"])


@given(
    st.tuples(LINES, MARKS, LINES, MARKS, LINES)
    .map("\n".join)
    .filter(lambda body: not body.lstrip().startswith("---"))
)
def test_merging_is_idempotent_and_loses_no_word(body: str) -> None:
    """Whatever stands in a card, merging twice is merging once, and every line outside of marks is kept."""
    merged = merge_card(BUILT, body, SIZES)
    assert merge_card(BUILT, merged, SIZES) == merged
    assert merged.count(END) >= 1 and is_ours(merged)
    outside = body if not is_ours(body) else body[: body.index(BEGIN)]
    for line in outside.splitlines():
        assert line in merged or line in (BEGIN, END)


def test_a_mark_inside_a_trace_ends_nothing() -> None:
    """The example in a card is text from data: an end mark in it must not let half a section stay behind."""
    built = BUILT.replace("# Traces", f"# Traces\n\n{END} evil {BEGIN}")
    merged = merge_card(BUILT, f"Mine.\n\n{split_card(built)[1]}Also mine.\n", SIZES)
    assert "evil" not in merged and "Mine." in merged and "Also mine." in merged


def test_the_trainers_entry_points_to_the_repository() -> None:
    """The entry that reads this folder as a data set reads the repository; the one that reads its files stays."""
    files = {"file_name": "sft_train", "formatting": "sharegpt"}
    entries = {"a": {"script_url": ".", "subset": "sft_train", "formatting": "sharegpt"}, "b": files}
    named = json.loads(name_dataset_info(json.dumps(entries), "alice/traces"))
    assert list(named["a"].items()) == [
        ("hf_hub_url", "alice/traces"),
        ("subset", "sft_train"),
        ("formatting", "sharegpt"),
    ]
    assert named["b"] == files
