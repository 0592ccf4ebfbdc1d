"""What counts and how much of it: filters, balance, and what only few will ever change."""

import streamlit as st

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import POOLS
from skill_factory.recipe.phrases import phrase_book, shipped_phrases
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


def variant_controls(seen: Evidence) -> None:
    """Repeats, drawn lengths and prompt variants."""
    controls.whole(
        "traces.repeats", "Repeats", "How often each question is used, with other draws each time.", 20, 1
    )
    controls.switch(
        "traces.distinct_variants", "Each attempt from another prompt variant",
        "A prompt variant is the wording of the prompt that led to a response. More variety, fewer usable questions.",
    )  # fmt: skip
    controls.switch(
        "traces.sample_attempts", "Draw the number of attempts",
        "Where a format has one trace a question: between 2 and N attempts instead of always N.",
    )  # fmt: skip
    names = [name for name in seen.narrow.facts.variants if name]
    if names:
        controls.several(
            "filters.variants", "Prompt variants", names,
            "Only responses to these prompts count.", f"all {len(names)}",
        )  # fmt: skip


def filter_controls() -> None:
    """Which responses and reflections count."""
    controls.words(
        "filters.ban", "Banned words",
        "A reflection that holds one of these words is dropped; separate them by commas. Small and capital letters are the same.",
        "gold answer, dataset",
    )  # fmt: skip
    controls.switch(
        "filters.ban_substrings", "Ban them inside other words too",
        "Then “idea” bans “ideal” as well, as the paper's script does.",
    )  # fmt: skip
    controls.limits(
        "filters.response_chars", "Responses", "characters", "Shorter and longer responses are dropped."
    )
    controls.limits(
        "filters.reflection_chars", "Reflections", "characters", "Shorter and longer ones are dropped."
    )
    st.caption("Lengths are in characters; 0 is no limit.")
    controls.one_of(
        "filters.block_tags", "Texts that hold a tag of the trace", {"drop": "drop them", "escape": "change the tag"},
        "A response with </sample> inside would end its own block early, so that the trace could not be read back.",
    )  # fmt: skip


def balance_controls(seen: Evidence) -> None:
    """How hard the questions are, and how many traces of what."""
    st.slider(
        "Share of right responses", 0.0, 1.0, step=0.01, format="percent",
        help="Questions outside are left out. Drag across the chart “Right and wrong” for the same.",
        **workspace.bound("balance.pass_rate", show=tuple, take=tuple),
    )  # fmt: skip
    workspace.problem("balance.pass_rate")
    controls.whole("balance.min_wrong", "Wrong attempts at least", "Traces that show fewer are left out.", 20)
    controls.whole("balance.per_question", "Traces per question at most", "0 is no limit.")
    controls.whole(
        "balance.max_traces", "Traces in all at most", "The first ones in written order; 0 is no limit."
    )
    st.toggle(
        "Drop equal traces",
        help="Of a question's traces with the same words, one is left: that of the format listed first.",
        **workspace.bound("balance.drop_duplicates"),
    )
    if len(seen.outlook.by_label) > 1:
        st.markdown(
            "Traces at most, by label",
            help="The label says which kind of trace a row is; 3C has three attempts and ends right. 0 is no limit.",
        )
        columns = st.columns(3)
        for place, label in enumerate(seen.outlook.by_label):
            with columns[place % 3]:
                controls.item("balance.label_limits", label, label, "0 is no limit.")
    st.caption("0 is no limit.")
    if left_out := workspace.value("balance.exclude"):
        st.caption(f"{len(left_out):,} left out by hand on Look.")
        st.button(
            "Take them back",
            on_click=workspace.apply,
            args=({"balance.exclude": ()},),
            key="balance.exclude",
        )


def advanced_controls() -> None:
    """Seed, layout, length, lineage and wording."""
    controls.whole("traces.seed", "Seed", "The same seed gives the same traces; another one draws anew.")
    controls.whole(
        "cutoff.tokens", "Cut-off in tokens",
        "Trainers cut longer examples at the end, where the answer is. 0 is no limit.",
    )  # fmt: skip
    controls.one_of(
        "cutoff.action", "Longer traces",
        {"keep": "keep them", "drop": "drop them", "fewer_attempts": "take out first attempts"},
        "What happens to a trace that is longer than the cut-off.",
    )  # fmt: skip
    controls.one_of(
        "traces.layout", "Layout", {"paper": "as in the paper", "tight": "one empty line less"},
        "Qwen3's chat template would take the extra line away in training; the tight layout leaves nothing to take.",
    )  # fmt: skip
    controls.switch(
        "output.lineage", "Keep lineage", "Columns behind the training columns: where each attempt came from."
    )
    with st.popover("Phrase book", icon=":material/menu_book:"):
        _phrases()


def _phrases() -> None:
    st.caption(
        "Short phrases join the parts of a trace. Add your own, one a line; they are drawn like the others."
    )
    known = shipped_phrases()
    for pool in POOLS:
        controls.lines(
            "phrases.add",
            pool,
            f"Said {POOL_WORDS[pool]}",
            f"{len(known[pool]):,} phrases come with the app.",
            known[pool][0],
        )
    workspace.problem("phrases.add")
    try:
        phrase_book(workspace.value("phrases"))
    except RecipeError as error:
        st.warning(shell.plain(str(error)), icon=":material/info:")
