"""Two recipes side by side: what differs, what each would give, and the same question under both."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.insight.compare import (
    Pair,
    differences,
    labels,
    measures,
    on_the_same_data,
)
from skill_factory.insight.expected import Outlook
from skill_factory.insight.trace_parts import first_line, path_of, story, visible
from skill_factory.judge.source_facts import Narrow, facts_key
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe, load_recipe, preset_names, recipe_from_toml
from skill_factory.recipe.titles import title_of
from skill_factory.ui.frame import away, loading, trace_view, workspace
from skill_factory.wording import many, percent
from skill_factory.work import looking

QUESTIONS = 20
"""How many questions' traces can be read side by side."""
OWN = "My own recipe file"
KEPT = "The recipe I set aside"
NAMES = {
    "paper": "Paper",
    "ablation_no_order": "Paper, without the order of attempts",
    "ablation_no_reflections": "Paper, without reflections",
    "ablation_no_variety": "Paper, without variety of prompts",
    "algorithm1": "Algorithm 1 of the paper",
}


def two_recipes() -> None:
    """The choice of the other recipe, and the comparison."""
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        name, other = _other()
        if other is not None:
            other = _at_my_n(name, other)
            st.button(
                "Use the other recipe",
                icon=":material/swap_horiz:",
                key="compare.use",
                on_click=_swap,
                args=(other,),
                help="It becomes your recipe. Yours is set aside, so you can come back to it.",
            )
        st.button(
            "Set mine aside to compare later",
            icon=":material/bookmark:",
            key="compare.keep",
            on_click=_set_aside,
            help="Then change yours on Choose, and see here what the change does.",
        )
    with shown:
        if other is not None:
            _compared(name, on_the_same_data(other, loading.recipe()))


def _set_aside() -> None:
    st.session_state["compare.kept"] = workspace.current().recipe


def _swap(other: Recipe) -> None:
    _set_aside()
    workspace.replace_recipe(other)


def _other() -> tuple[str, Recipe | None]:
    kept = [KEPT] if "compare.kept" in st.session_state else []
    chosen = st.selectbox(
        "Compare yours with",
        [*kept, *preset_names(), OWN],
        key="compare.with",
        persist_state="session",
        format_func=lambda name: NAMES.get(name, name),
    )
    if chosen == KEPT:
        return KEPT, st.session_state["compare.kept"]
    if chosen != OWN:
        return NAMES.get(chosen, chosen), load_recipe(chosen)
    file = st.file_uploader("Recipe file", type="toml", key="compare.file", max_upload_size=1)
    if file is None:
        return OWN, None
    try:
        text = file.getvalue().decode("utf-8", "replace")
        return visible(file.name), away.run(recipe_from_toml, text, file.name, what=file.name)
    except SkillFactoryError as error:
        st.warning(workspace.plain(str(error)), icon=":material/error:")
        return OWN, None


def _at_my_n(name: str, other: Recipe) -> Recipe:
    """The other recipe with as many attempts as yours, unless that isn't wanted: otherwise N alone would decide."""
    mine, theirs = workspace.current().recipe.traces.attempts, other.traces.attempts
    if mine == theirs:
        return other
    same = st.toggle(
        f"Compare at my N = {mine}",
        value=name in NAMES.values(),
        key=f"compare.n.{name}",
        help=f"The other recipe shows up to {theirs} attempts in a trace. Turn this on to compare it with up to {mine}.",
    )
    return other.changed({"traces.attempts": mine}) if same else other


def _compared(name: str, other: Recipe) -> None:
    mine = loading.recipe()
    changed = differences(mine, other)
    if not changed:
        st.info("The two recipes are the same.", icon=":material/check:")
        return
    away.run(looking.checked, loading.source(), other)
    # Words that one recipe bans are facts to the other: where these differ, both are asked of a sample.
    left, right, exact = _prospects(mine, other)
    st.markdown(f"**{workspace.plain(_summary(name, left, right))}**{'' if exact else ' (from a sample)'}")
    st.dataframe(
        _numbers(left, right),
        hide_index=True,
        height="content",
        key="compare.numbers",
        alt="What each recipe would give, number by number",
    )
    with st.expander(f"What differs: {many(len(changed), 'field')}", icon=":material/difference:"):
        st.dataframe(
            {
                "Field": [title_of(difference.field) for difference in changed],
                "Yours": [visible(difference.left) for difference in changed],
                "The other": [visible(difference.right) for difference in changed],
            },
            hide_index=True,
            key="compare.fields",
            alt="Fields in which the recipes differ",
        )
    _same_question(mine, other)


def _summary(name: str, left: Outlook, right: Outlook) -> str:
    return f"Yours: {_gives(left)}. {name}: {_gives(right)}."


def _gives(outlook: Outlook) -> str:
    return f"{many(outlook.traces, 'trace')} from {many(outlook.questions, 'question')}"


def _numbers(left: Outlook, right: Outlook) -> dict[str, list[str]]:
    rows = [(one.name, *_shown(one.left, one.right, one.is_share)) for one in measures(left, right)]
    rows += [(f"Traces of type {label}", f"{a:,}", f"{b:,}") for label, a, b in labels(left, right)]
    names, yours, theirs = zip(*rows, strict=True)
    return {"Number": list(names), "Yours": list(yours), "The other": list(theirs)}


def _shown(left: float, right: float, is_share: bool) -> tuple[str, str]:
    """Both with the same number of digits."""
    if is_share:
        return percent(left), percent(right)
    digits = 0 if left == round(left) and right == round(right) else 1
    return f"{left:,.{digits}f}", f"{right:,.{digits}f}"


def _prospects(mine: Recipe, other: Recipe) -> tuple[Outlook, Outlook, bool]:
    """What each would give: from the exact facts if they serve both recipes, else from a sample for both."""
    source, known = loading.source(), loading.narrow()
    at = (loading.key(), known.whole, mine.fingerprint(), other.fingerprint())
    if facts_key(source, mine) == facts_key(source, other):
        facts: tuple[Any, Any, bool] = (loading.shared(known), loading.shared(known), known.whole)
    else:
        facts = loading.once("compare.facts", at, lambda: _sampled(mine, other))
    left, right = loading.once(
        "compare.prospects", at, lambda: away.run(looking.both, facts[0], facts[1], mine, other)
    )
    return left, right, facts[2]


def _sampled(mine: Recipe, other: Recipe) -> tuple[Narrow, Narrow, bool]:
    left, right = (away.run(looking.sample, loading.source(), recipe) for recipe in (mine, other))
    return left, right, left.whole and right.whole


def _same_question(mine: Recipe, other: Recipe) -> None:
    rows, _ = loading.first_table(QUESTIONS)
    at = (loading.key(), mine.fingerprint(), other.fingerprint())
    known = loading.once("compare.pairs", at, lambda: away.run(looking.compared, rows, mine, other))
    if not known:
        st.info("None of the first questions gives a trace under either recipe.", icon=":material/info:")
        return
    st.markdown("**The same question under both**")
    place = st.selectbox(
        "Question",
        range(len(known)),
        key="compare.question",
        format_func=lambda place: visible(first_line(known[min(place, len(known) - 1)].question)),
    )
    pair: Pair = known[place]
    left, right = st.columns(2)
    with left:
        _side("Yours", pair.left, mine, "left")
    with right:
        _side("The other", pair.right, other, "right")


def _side(name: str, traces: Sequence[Trace], recipe: Recipe, key: str) -> None:
    st.markdown(f"**{name}**")
    if not traces:
        st.caption("This recipe makes no trace from this question.")
        return
    longest = len(traces) - 1
    place = st.selectbox(
        "Trace",
        range(len(traces)),
        index=longest,
        key=f"compare.{key}.{len(traces)}",
        format_func=lambda place: f"{path_of(story(traces[place]))}  ·  {traces[place].plan.label}",
    )
    trace_view.body(traces[min(place, longest)], recipe, key=f"compare-{key}")
