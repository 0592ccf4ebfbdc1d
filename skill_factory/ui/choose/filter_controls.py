"""What is used and how much of it: filters, balance, and settings that few people ever change."""

from collections.abc import Mapping

import streamlit as st

from skill_factory.errors import RecipeError
from skill_factory.insight.living.idle import idle
from skill_factory.recipe.model import POOLS
from skill_factory.recipe.phrases import phrase_book, shipped_phrases
from skill_factory.recipe.titles import title_of
from skill_factory.recipe.variants import variant_titles
from skill_factory.ui.frame import controls, shell, workspace
from skill_factory.ui.frame.loading import Evidence

POOL_WORDS = {
    "generic": "between any two attempts",
    "correct": "after a right attempt",
    "incorrect": "after a wrong attempt",
    "ending": "before the final answer",
    "backtrack": "when going back to a right attempt",
    "confirm": "when two attempts agree",
}


def idle_controls(seen: Evidence) -> Mapping[str, str]:
    """Field → why it does nothing now; from a sample nothing is said that the rest of the data may contradict."""
    return idle(seen.recipe, seen.narrow.facts if seen.exact else None)


def variant_controls(seen: Evidence, why: Mapping[str, str]) -> None:
    """Repeats, drawn lengths and prompt variants."""
    controls.whole_number(
        "traces.repeats", "How many times each question is used, with new draws each time.", 20, 1
    )
    controls.on_or_off(
        "traces.distinct_variants",
        "A prompt variant is the wording of the prompt that a response came from. More variety, fewer usable questions.",
        idle=why.get("traces.distinct_variants", ""),
    )
    controls.on_or_off(
        "traces.sample_attempts",
        "For formats with one trace per question: a random number from 2 to N instead of always N.",
        idle=why.get("traces.sample_attempts", ""),
    )
    names = [name for name in seen.narrow.facts.variants if name]
    if names:
        controls.several_of(
            "filters.variants",
            variant_titles(names),
            "Only responses to these prompts are used.",
            f"all {len(names)}",
        )


def filter_controls(why: Mapping[str, str]) -> None:
    """Which responses and reflections are used."""
    controls.word_list(
        "filters.ban",
        "A reflection that contains one of these words is dropped. Separate them with commas; upper and lower case are "
        "the same.",
        "gold answer, dataset",
        idle=why.get("filters.ban", ""),
    )
    controls.on_or_off(
        "filters.ban_substrings",
        "Then “idea” also bans “ideal”, as in the paper's script.",
        idle=why.get("filters.ban_substrings", ""),
    )
    controls.on_or_off(
        "clean.near_duplicates",
        "Questions that say nearly the same are found when the data is built; the first by its id stays.",
    )
    st.slider(
        title_of("clean.holdout"),
        0.0,
        0.5,
        step=0.01,
        format="percent",
        help="This share of the questions is kept out of the traces and stands beside them, with gold answers, as the "
        "config heldout: to evaluate with later. Whatever nearly repeats a held-out question is held out too.",
        **workspace.bound("clean.holdout"),
    )
    workspace.problem("clean.holdout")
    controls.length_limits(
        "filters.response_chars", "characters", "Shorter and longer responses are dropped."
    )
    controls.length_limits(
        "filters.reflection_chars",
        "characters",
        "Shorter and longer reflections are dropped.",
        idle=why.get("filters.reflection_chars", ""),
    )
    st.caption("Lengths are in characters; 0 means no limit.")
    controls.one_of(
        "filters.block_tags",
        {"drop": "drop them", "escape": "change the tag"},
        "A response containing </sample> would end its own block too early, and the trace couldn't be read back.",
        idle=why.get("filters.block_tags", ""),
    )


def balance_controls(seen: Evidence, why: Mapping[str, str]) -> None:
    """How hard the questions are, and how many traces there may be of each kind."""
    st.slider(
        title_of("balance.pass_rate"),
        0.0,
        1.0,
        step=0.01,
        format="percent",
        help="Questions outside this range are left out. You can also drag across the chart “Right and wrong”.",
        **workspace.bound("balance.pass_rate", show=tuple, take=tuple),
    )
    workspace.problem("balance.pass_rate")
    controls.whole_number("balance.min_wrong", "Traces that show fewer are left out.", 20)
    controls.whole_number(
        "balance.per_question",
        "0 means no limit.",
        idle=why.get("balance.per_question", ""),
    )
    controls.whole_number("balance.max_traces", "The first ones in written order are kept; 0 means no limit.")
    controls.on_or_off(
        "balance.drop_duplicates",
        "If a question gives the same trace under several formats, only that of the format listed first is kept.",
        idle=why.get("balance.drop_duplicates", ""),
    )
    # With a single trace type, its maximum would be that of all traces.
    if len(seen.outlook.by_label) > 1:
        st.markdown(
            title_of("balance.label_limits"),
            help="The trace type says what kind of trace a row is: 3C has three attempts and ends right. 0 means no limit.",
        )
        columns = st.columns(3)
        for place, label in enumerate(seen.outlook.by_label):
            with columns[place % 3]:
                controls.table_number("balance.label_limits", label, label, "0 means no limit.")
    st.caption("0 means no limit.")
    if left_out := workspace.value("balance.exclude"):
        st.caption(f"{len(left_out):,} left out by hand on Look.")
        st.button(
            "Bring them back",
            on_click=workspace.apply,
            args=({"balance.exclude": ()},),
            key="balance.exclude",
        )


def advanced_controls(why: Mapping[str, str]) -> None:
    """Seed, layout, length, lineage and wording."""
    controls.whole_number("traces.seed", "The same seed gives the same traces; another one draws again.")
    controls.whole_number(
        "cutoff.tokens",
        "Trainers cut longer traces at the end, where the answer is. 0 means no limit.",
    )
    controls.one_of(
        "cutoff.action",
        {"keep": "keep them", "drop": "drop them", "fewer_attempts": "remove the first attempts"},
        "What happens to a trace that is longer than the cut-off.",
        idle=why.get("cutoff.action", ""),
    )
    controls.one_of(
        "traces.layout",
        {"paper": "as in the paper", "tight": "one blank line fewer"},
        "Qwen3's chat template would remove the extra line in training; with the tight layout there is nothing to remove.",
    )
    controls.on_or_off("output.lineage", "Extra columns that say where each attempt came from.")
    with st.popover("Phrase book", icon=":material/menu_book:"):
        _phrases(why)


def _phrases(why: Mapping[str, str]) -> None:
    st.caption(
        "Short phrases join the parts of a trace. Add your own, one per line; they are drawn like the others."
    )
    known = shipped_phrases()
    for pool in POOLS:
        controls.phrase_lines(
            "phrases.add",
            pool,
            f"Phrases {POOL_WORDS[pool]}",
            f"{len(known[pool]):,} phrases come with the app.",
            known[pool][0],
            idle=why.get(f"phrases.add.{pool}", ""),
        )
    workspace.problem("phrases.add")
    try:
        # A closing phrase in two pools could not be read back, which only the whole book can tell.
        phrase_book(workspace.value("phrases"))
    except RecipeError as error:
        st.warning(shell.plain(str(error)), icon=":material/info:")
