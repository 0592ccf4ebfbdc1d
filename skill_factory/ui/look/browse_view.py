"""What was kept and what was dropped, with the reasons: tables to read and to download."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from skill_factory.insight.browse import (
    LEVELS,
    Fate,
    Item,
    Wanted,
    codes_of,
    reasons_of,
)
from skill_factory.insight.item_html import VERDICT_WORDS, item_html, reflection_html
from skill_factory.insight.trace_parts import first_line, mark, truth_word, visible
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.variants import variant_words
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many
from skill_factory.work import looking

SHOWN = 200
"""Rows in a table; searches and downloads include everything."""
FILE_SECONDS = 120.0
"""For a download of everything on a shared server."""
NOUNS = {
    Level.RESPONSES: "response",
    Level.REFLECTIONS: "reflection",
    Level.QUESTIONS: "question",
    Level.ROWS: "row",
}
ROWS_LEVEL = (*LEVELS, Level.ROWS)
Walk = tuple[Any, ...]
"""What `looking.some_items` and `looking.items_file` are asked about."""
DOWNLOADS = ("JSONL", "CSV")
HELP = (
    "A response is one answer of the model, a reflection is what it says on checking one. "
    "Each is dropped by the first rule that it fails."
)


def fates() -> None:
    """What was kept and what was dropped, each with its text and the reason."""
    seen = loading.evidence()
    _asked_for()
    level = (
        st.segmented_control(
            "Level",
            ROWS_LEVEL,
            default=Level.RESPONSES,
            required=True,
            key="look.level",
            format_func=str.capitalize,
            help=HELP,
            persist_state="session",
        )
        or Level.RESPONSES
    )
    if level is Level.ROWS:
        rows_not_read(seen)
        return
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        wanted = _wanted(Level(level), seen)
    with shown:
        _table(wanted, seen)


def _asked_for() -> None:
    """Follow a click on a bar on Choose, once."""
    if clicked := st.session_state.pop("look.dropped", None):
        level, reason = clicked
        st.session_state["look.level"] = Level(level)
        st.session_state[f"look.fate.{level}"] = reason
        st.session_state["look.words"] = ""


def _wanted(level: Level, seen: Evidence) -> Wanted:
    """The controls of a level."""
    codes, reasons = codes_of(level, seen.judgement), reasons_of(level, seen.judgement)
    kept = int((codes == 0).sum())
    dropped = len(codes) - kept
    words = {
        Fate.DROPPED.value: f"All dropped ({dropped:,})",
        Fate.KEPT.value: f"All kept ({kept:,})",
    }
    words |= {code: f"{_sentence(level, code)} ({n:,})" for code, n in reasons.items()}
    key = f"look.fate.{level.value}"
    if st.session_state.get(key) not in words:
        st.session_state[key] = Fate.DROPPED.value if dropped else Fate.KEPT.value
    chosen = st.radio("Show", list(words), format_func=lambda fate: workspace.plain(words[fate]), key=key)
    search = st.text_input(
        "Search the texts", key="look.words", icon=":material/search:", placeholder="any words"
    ).strip()
    if chosen in (Fate.DROPPED, Fate.KEPT):
        return Wanted(level, Fate(chosen), "", search)
    return Wanted(level, Fate.DROPPED, chosen, search)


def _table(wanted: Wanted, seen: Evidence) -> None:
    source, judged = loading.source(), seen.judgement
    at = (loading.key(), seen.exact, seen.recipe.fingerprint(), wanted)
    walk = (source, seen.recipe, loading.shared(seen.narrow), judged, wanted)
    shown = loading.once("look.items", at, lambda: away.run(looking.some_items, *walk, SHOWN))
    noun = NOUNS[wanted.level]
    if not shown:
        st.info(_nothing(wanted, noun), icon=":material/info:")
        return
    st.markdown(f"**{_heading(shown, wanted, seen, noun)}**")
    picked = st.dataframe(
        _columns(shown, wanted.level),
        hide_index=True,
        height=285,
        # A key for each choice: what was selected in another table would be another row here.
        key=f"look.items.{hash(wanted)}",
        on_select="rerun",
        selection_mode="single-row-required",
        alt=f"The {noun}s, each kept or dropped",
        column_config={
            "Why": st.column_config.TextColumn(width=220),
            "Text": st.column_config.TextColumn(width=400),
        },
    )
    place = (picked.get("selection", {}).get("rows") or [0])[0]
    # After a change the table may be shorter than what was selected in it.
    chosen = shown[min(place, len(shown) - 1)]
    if wanted.level is Level.REFLECTIONS:
        st.html(reflection_html(chosen, _judged_response(chosen, seen)))
    else:
        st.html(item_html(chosen, wanted.level))
    _next_steps(chosen, wanted, walk, noun)


def _judged_response(item: Item, seen: Evidence) -> str:
    """The text of the response that a reflection judges: without it nobody can tell whether the reflection is right."""
    at = (loading.key(), seen.exact, item.response)
    walk = (loading.source(), seen.recipe, loading.shared(seen.narrow), [item.response])
    found = loading.once("look.judged", at, lambda: away.run(looking.in_doubt, *walk))
    return found[item.response].response if item.response in found else ""


def _heading(shown: Sequence[Item], wanted: Wanted, seen: Evidence, noun: str) -> str:
    part = "" if seen.exact else " among the rows read so far"
    if wanted.words:
        most = "The first " if len(shown) == SHOWN else ""
        return f"{most}{many(len(shown), noun)} with “{workspace.plain(wanted.words)}”{part}"
    counts = {Fate.KEPT: int((codes_of(wanted.level, seen.judgement) == 0).sum())}
    reasons = reasons_of(wanted.level, seen.judgement)
    every = reasons[wanted.reason] if wanted.reason else counts.get(wanted.fate, sum(reasons.values()))
    fate = "kept" if wanted.fate is Fate.KEPT else "dropped"
    because = f": {sentence(wanted.level, wanted.reason)}" if wanted.reason else ""
    first = f"; showing the first {SHOWN}" if every > SHOWN else ""
    return f"{many(every, noun)} {fate}{part}{because}{first}"


def _sentence(level: Level, reason: str) -> str:
    words = sentence(level, reason)
    return words[:1].upper() + words[1:]


def _nothing(wanted: Wanted, noun: str) -> str:
    if wanted.words:
        return f"No {noun} here contains “{workspace.plain(wanted.words)}”. Try fewer words, or another choice on the left."
    return f"No {noun} was {'dropped' if wanted.fate is Fate.DROPPED else 'kept'}."


def _columns(shown: Sequence[Item], level: Level) -> dict[str, list[str]]:
    """The columns that make sense at a level."""
    several = len({item.reason for item in shown}) > 1
    table = {"Why": [item.why or "kept" for item in shown]} if several else {}
    if level is Level.QUESTIONS:
        return table | {"Question": [visible(first_line(item.question, 200)) for item in shown]}
    table["Response"] = [f"{mark(item.correct)} {truth_word(item.correct)}" for item in shown]
    if level is Level.REFLECTIONS:
        table["Verdict"] = [VERDICT_WORDS[item.verdict] for item in shown]
    table["Text"] = [visible(first_line(item.text, 160)) for item in shown]
    table["Prompt variant"] = [variant_words(item.variant) for item in shown]
    return table


def _next_steps(item: Item, wanted: Wanted, walk: Walk, noun: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for name in DOWNLOADS:
            save_button(
                f"Download all as {name}",
                partial(away.run, looking.items_file, *walk, name.lower(), seconds=FILE_SECONDS),
                f"{noun}s-{wanted.reason or wanted.fate}.{name.lower()}",
                key=f"look.as.{name}",
            )
        st.button(
            "Traces of this question",
            icon=":material/visibility:",
            key="look.its_traces",
            on_click=_traces_of,
            args=(item.question_id,),
        )


def _traces_of(question_id: str) -> None:
    st.session_state["look.find"] = question_id
    st.session_state["look.part"] = "Traces"


def rows_not_read(seen: Evidence) -> None:
    """Rows of the source that can't be read."""
    ledger = seen.narrow.rows.ledger[Level.ROWS]
    if not ledger.dropped.total():
        st.info(f"{many(ledger.read, 'row')} read, all without a problem.", icon=":material/check:")
        return
    source = loading.source()
    at = (loading.key(), seen.exact)
    most = min(SHOWN, ledger.dropped.total())
    broken = loading.once("look.broken", at, lambda: away.run(looking.some_broken, source, seen.recipe, most))
    st.markdown(f"**{many(ledger.dropped.total(), 'row')} of {ledger.read:,} can't be read**")
    st.dataframe(
        {
            "Row": [number for number, _ in broken],
            "Why": [sentence(Level.ROWS, error.reason) for _, error in broken],
            "Field": [error.field for _, error in broken],
            "Found": [visible(error.found) for _, error in broken],
        },
        hide_index=True,
        key="look.broken",
        alt="Rows that can't be read: number, reason, field, and what was found there",
    )
