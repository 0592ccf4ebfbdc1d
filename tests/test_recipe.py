"""A recipe is saved, read back, changed and hashed; what it can't hold is refused by name."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.errors import RecipeError
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import (
    PRESETS,
    Recipe,
    field_names,
    load_recipe,
    parse_recipe,
    preset_names,
    recipe_from_toml,
)
from skill_factory.recipe.options import OPTIONS, recipe_changes

# --------------------------------------------------------------------------------------------- any recipe

WORD = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
WORDS = st.lists(WORD, max_size=3).map(tuple)
NUMBER = st.integers(0, 2**40)
PAIR = st.tuples(NUMBER, NUMBER)
PHRASE = WORD.filter(lambda text: text.strip() and not set(text) & set("\n\r<>"))
POOL = st.dictionaries(
    st.sampled_from(["generic", "ending", "confirm"]), st.lists(PHRASE, max_size=2).map(tuple), max_size=2
)
SHARES = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).map(tuple)
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "source": {
        "kind": st.sampled_from(["", "demo", "file", "hub"]),
        "name": WORD,
        "config": WORD,
        "split": WORD,
        "revision": WORD,
        "digest": WORD,
    },
    "columns": {
        "question": WORD,
        "answer": WORD,
        "response": WORDS,
        "correct": WORDS,
        "extracted_answer": WORDS,
        "reflections": WORDS,
        "prompt_variant": WORD,
        "verdicts": WORDS,
        "question_rest": WORDS,
        "thinking": WORDS,
        "correct_else": WORDS,
        "think": st.sampled_from(["", "after", "inside", "both", "drop"]),
        "right": WORDS,
        "wrong": WORDS,
        "question_rule": st.sampled_from(["", "last_turn", "first_turn", "chat"]),
        "threshold": st.floats(-9, 9),
        "response_rule": st.sampled_from(["", "last_turn", "steps", "flat"]),
        "label_rule": st.sampled_from(["", "threshold", "all_right", "first"]),
        "only": st.sampled_from([(), ("filter", "strict-match")]),
    },
    "verdicts": {"correct": WORDS, "incorrect": WORDS},
    "filters": {
        "variants": WORDS,
        "ban": st.lists(WORD.filter(str.strip), max_size=2).map(tuple),
        "ban_substrings": st.booleans(),
        "response_chars": PAIR,
        "reflection_chars": PAIR,
        "block_tags": st.sampled_from(["drop", "escape"]),
    },
    "balance": {
        "pass_rate": SHARES,
        "per_question": NUMBER,
        "label_limits": st.dictionaries(WORD, NUMBER, max_size=2),
        "min_wrong": NUMBER,
        "max_traces": NUMBER,
        "exclude": st.lists(st.from_regex(r"\A[0-9a-f]{16}\Z"), max_size=2).map(tuple),
    },
    "traces": {
        "formats": st.lists(st.sampled_from([f.value for f in TraceFormat]), min_size=1, unique=True).map(
            tuple
        ),
        "attempts": st.integers(2, 99),
        "repeats": st.integers(1, 99),
        "distinct_variants": st.booleans(),
        "sample_attempts": st.booleans(),
        "seed": st.integers(-(2**70), 2**70),
        "layout": st.sampled_from(["paper", "tight"]),
    },
    "phrases": {"language": st.sampled_from(["", "zh", "de"]), "add": POOL, "replace": POOL},
    "tags": {"think": st.just("a"), "sample": st.from_regex(r"\Ab[A-Za-z0-9_-]{0,3}\Z")},
    "cutoff": {
        "tokens": NUMBER,
        "action": st.sampled_from(["keep", "drop", "fewer_attempts"]),
        "chars_per_token": st.floats(0.1, 99),
    },
    "output": {"lineage": st.booleans()},
}


def shuffled(tree: dict[str, Any], random: Any) -> dict[str, Any]:
    """The same tables with their keys in another order."""
    keys = list(tree)
    random.shuffle(keys)
    return {key: shuffled(tree[key], random) if isinstance(tree[key], dict) else tree[key] for key in keys}


TREES = st.fixed_dictionaries(
    {}, optional={part: st.fixed_dictionaries({}, optional=fields) for part, fields in FIELDS.items()}
)


@given(TREES)
def test_a_recipe_survives_toml(tree: dict[str, Any]) -> None:
    """What is saved as TOML is read back as the same recipe, whatever its values."""
    recipe = parse_recipe(tree)
    assert recipe_from_toml(recipe.to_toml()) == recipe


@given(TREES, st.randoms(use_true_random=False))
def test_the_fingerprint_does_not_depend_on_the_order_of_keys(tree: dict[str, Any], random: Any) -> None:
    """Tables written in any order, or read back from TOML, have one fingerprint: 64 hexadecimal digits."""
    one = parse_recipe(tree)
    assert re.fullmatch(r"[0-9a-f]{64}", one.fingerprint())
    assert parse_recipe(shuffled(tree, random)).fingerprint() == one.fingerprint()
    assert recipe_from_toml(one.to_toml()).fingerprint() == one.fingerprint()


@given(TREES, TREES)
def test_fingerprints_are_equal_just_where_recipes_are(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Every field counts: recipes that differ anywhere have different fingerprints."""
    a, b = parse_recipe(one), parse_recipe(two)
    assert (a.fingerprint() == b.fingerprint()) == (a == b)


@given(TREES)
def test_every_field_can_be_changed_by_its_path(tree: dict[str, Any]) -> None:
    """`changed` puts one recipe's fields, one by one, into the defaults and gives that recipe."""
    recipe = parse_recipe(tree)
    assert Recipe().changed(recipe.flat()) == recipe


def test_a_recipe_without_the_rules_of_reading_keeps_its_digest() -> None:
    """Fields that came later stay out of the fingerprint while they hold their default: published digests still fit."""
    assert Recipe().fingerprint() == "af96044ae8010558416ec37e2ae79de582b3b104d8f5c4081494fa44a3154925"
    assert Recipe().changed({"columns.think": "after"}).fingerprint() != Recipe().fingerprint()


def test_no_field_can_hold_a_path_of_the_machine(tmp_path: Path) -> None:
    """The source of a recipe is kind, name and digest: the same file elsewhere gives the same fingerprint."""
    from skill_factory.build.prepare import pinned_recipe
    from skill_factory.sources.files import FileSource

    found = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "rows.jsonl"
        path.write_text('{"question": "Q"}\n', encoding="utf-8")
        recipe = pinned_recipe(FileSource.open(str(path)), Recipe())
        assert str(tmp_path) not in recipe.to_toml()
        found.append(recipe.fingerprint())
    assert found[0] == found[1]


# ----------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"trace": {}}, "'trace'. Did you mean 'traces'?"),
        ({"traces": {"atempts": 3}}, "'traces.atempts'. Did you mean 'attempts'?"),
        ({"filters": {"bann": []}}, "'filters.bann'. Did you mean 'ban'?"),
        ({"phrases": {"add": {"endings": ["x"]}}}, "Did you mean 'ending'?"),
        ({"phrases": {"add": {"ending": ["a\nb"]}}}, "one line"),
        ({"phrases": {"replace": {"ending": ["<b>"]}}}, "without < and >"),
        ({"traces": {"attempts": 0}}, "'traces.attempts'"),
        ({"traces": {"formats": []}}, "'traces.formats'"),
        ({"traces": {"attempts": 1, "sample_attempts": True}}, "N is 1"),
        ({"filters": {"ban": [" "]}}, "drop every reflection"),
        ({"balance": {"pass_rate": [0.8, 0.2]}}, "lower end is above"),
        ({"balance": {"exclude": ["xyz"]}}, "16 hexadecimal digits"),
        ({"balance": {"max_traces": -1}}, "'balance.max_traces'"),
        ({"tags": {"sample": "think"}}, "same name"),
        ({"tags": {"sample": "a b"}}, "'a b'"),
        ({"answers": {"rules": ["regex"]}}, "go together"),
        ({"answers": {"pattern": "("}}, "not a valid regular expression"),
        ({"verdicts": {"pattern": "x"}}, "go together"),
        ({"version": 2}, "'version'"),
        ({"traces": 5}, "'traces'"),
    ],
)
def test_what_a_recipe_cannot_hold_is_refused_by_name(tree: dict[str, Any], said: str) -> None:
    """One message names the field, what was found, and the nearest known name."""
    with pytest.raises(RecipeError) as error:
        parse_recipe(tree)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["traces = [", "a = 1\na = 2", "\x00", "[" * 100_000, '[traces]\nseed = "'])
def test_broken_toml_is_refused(text: str) -> None:
    """TOML that can't be read is one sentence, not a crash, however deep it is nested."""
    with pytest.raises(RecipeError, match=r"mine\.toml"):
        recipe_from_toml(text, "mine.toml")


@pytest.mark.parametrize(
    "name", ["papper", "no/such.toml", "../presets/paper", "x" * 5000, "a\x00b"], ids=str.__len__
)
def test_a_recipe_that_is_not_there_is_refused_with_the_shipped_names(name: str) -> None:
    """Neither a file nor a shipped recipe: the shipped ones are named."""
    with pytest.raises(RecipeError, match="paper"):
        load_recipe(name)


def test_changing_an_unknown_field_names_the_nearest() -> None:
    """`changed` refuses a path that no field has."""
    with pytest.raises(RecipeError, match=r"traces\.attempts"):
        Recipe().changed({"traces.attempt": 3})


# ------------------------------------------------------------------------------------------------ presets

SHIPPED: dict[str, dict[str, Any]] = {
    "paper": {
        "filters": {
            "variants": ["original", "plan_and_execute", "alternatively", "rephrase"],
            "ban": ["idea", "fast"],
            "ban_substrings": True,
        },
        "traces": {"formats": ["*C_full"], "attempts": 5, "repeats": 1},
    },
    "algorithm1": {"traces": {"formats": ["algorithm1"], "attempts": 5}},
    "ablation_no_variety": {
        "filters": {"variants": ["original"]},
        "traces": {"formats": ["*C_full"], "attempts": 5},
    },
    "ablation_no_order": {"traces": {"formats": ["random"], "attempts": 5}},
    "ablation_no_reflections": {"traces": {"formats": ["no_reflection"], "attempts": 5}},
}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_the_paper_s(name: str) -> None:
    """Each shipped recipe says what the paper does in that experiment, and nothing else (arXiv 2512.04072)."""
    assert load_recipe(name) == parse_recipe(SHIPPED[name])


def test_there_are_no_other_shipped_recipes() -> None:
    """Every preset file is one of them."""
    assert preset_names() == sorted(SHIPPED) == sorted(path.stem for path in PRESETS.iterdir())


def test_the_defaults_are_the_recipe_the_authors_ship_without_banned_words() -> None:
    """`*C_full`, N = 5, R = 1, all variants, no ban."""
    recipe = Recipe()
    traces = recipe.traces
    assert (traces.formats, traces.attempts, traces.repeats) == (("*C_full",), 5, 1)
    assert (recipe.filters.ban, recipe.filters.variants) == ((), ())


def test_a_file_named_like_a_shipped_recipe_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the folder is what was meant."""
    (tmp_path / "paper").write_text("[traces]\nseed = 7\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_recipe("paper").traces.seed == 7


# ------------------------------------------------------------------------------------------------ options


def test_every_option_is_a_field_of_the_recipe() -> None:
    """The table of options names fields that exist, each flag and each field once."""
    assert {option.field for option in OPTIONS} <= set(field_names())
    assert (
        len({option.flag for option in OPTIONS}) == len({option.field for option in OPTIONS}) == len(OPTIONS)
    )


VALUES = {
    "--holdout": ("0.1", 0.1),
    "--format": (["0C", "*CC"], ["0C", "*CC"]),
    "--variant": (["a", "b"], ["a", "b"]),
    "--ban": (["x"], ["x"]),
    "--layout": ("tight", "tight"),
    "--answer-regex": ("A: (.*)", "A: (.*)"),
    "--verdict-regex": ("V", "V"),
    "--config": ("c", "c"),
    "--split": ("s", "s"),
    "--revision": ("r", "r"),
    "--no-lineage": (True, False),
    "--think": ("after", "after"),
    "--question-rule": ("chat", "chat"),
    "--response-rule": ("steps", "steps"),
    "--label-rule": ("threshold", "threshold"),
    "--right": (["pass"], ["pass"]),
    "--wrong": (["fail"], ["fail"]),
    "--language": ("zh", "zh"),
    "--given-away": ("cut", "cut"),
    "--no-known-format": (True, "names"),
}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.flag)
def test_every_option_reaches_its_field(option: Any) -> None:
    """An option's value is in the recipe under its field, and only where the option was given."""
    given_value, stored = VALUES.get(option.flag, (7, 7) if option.number else (True, True))
    changed = Recipe().changed(recipe_changes({option.flag: given_value}))
    assert changed.flat()[option.field] == stored != Recipe().flat()[option.field]
    assert recipe_changes({}) == {}


def test_the_toml_of_the_defaults_says_nothing_but_its_version() -> None:
    """A saved recipe holds what differs from the defaults."""
    assert tomllib.loads(Recipe().to_toml()) == {"version": 1}
    assert json.loads(json.dumps(Recipe().flat())) == Recipe().flat()


def test_a_recipe_with_all_that_may_be_left_out_is_opened_again() -> None:
    """What a hand may leave out and correct can be saved, and what was saved can be read."""
    ids = [f"{place:016x}" for place in range(100_000)]
    full = Recipe().changed(
        {"balance.exclude": ids, "labels.corrections": {f"{one}-{one}": True for one in ids[:40_000]}}
    )
    assert recipe_from_toml(full.to_toml()) == full


@pytest.mark.parametrize("line", ["[a{}]", "a{}.b = 1", "a{} = 1"])
def test_a_recipe_of_endless_keys_is_refused_before_it_is_read(line: str) -> None:
    """Reading keys and tables takes the square of their number."""
    with pytest.raises(RecipeError, match="keys and tables"):
        recipe_from_toml("\n".join(line.format(k) for k in range(60_000)))
