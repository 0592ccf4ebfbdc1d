"""Kept and dropped with its reasons, and labels that the critiques contradict: tables to read and to download."""

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
from skill_factory.insight.item_html import item_html
from skill_factory.insight.trace_parts import first_line, mark, truth_word, variant_words, visible
from skill_factory.reasons import Level, sentence
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many
from skill_factory.work import looking

SHOWN = 200
"""Rows of a table; a search and a download see all."""
FILE_SECONDS = 120.0
"""For a download of all of them on a shared server."""
NOUNS = {
    Level.RESPONSES: "response",
    Level.REFLECTIONS: "reflection",
    Level.QUESTIONS: "question",
    Level.ROWS: "row",
}
ROWS_LEVEL = (*LEVELS, Level.ROWS)
HELP = (
    "A response is one answer of the model, a reflection one critique of it. "
    "Each is dropped for the first rule that it fails."
)


def fates() -> None:
    """What was kept and what was dropped, with the reason and the text."""
    seen = loading.evidence()
    _asked_for()
    level = st.segmented_control(
        "Level", ROWS_LEVEL, default=Level.RESPONSES, required=True, key="look.level",
        format_func=lambda one: f"{NOUNS[one].capitalize()}s", help=HELP, persist_state="session",
    ) or Level.RESPONSES  # fmt: skip
    if level is Level.ROWS:
        rows_not_read(seen)
        return
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        wanted = _wanted(Level(level), seen)
    with shown:
        _table(wanted, seen)


def _asked_for() -> None:
    """Follow a click on a bar of Choose, once."""
    if asked := st.session_state.pop("look.dropped", None):
        level, reason = asked
        st.session_state["look.level"] = Level(level)
        st.session_state[f"look.fate.{level}"] = reason
        st.session_state["look.words"] = ""


def _wanted(level: Level, seen: Evidence) -> Wanted:
    """The controls of a level."""
    codes, reasons = codes_of(level, seen.judgement), reasons_of(level, seen.judgement)
    kept = int((codes == 0).sum())
    fewer = len(codes) - kept
    words = {
        Fate.DROPPED.value: f"All that were dropped ({fewer:,})",
        Fate.KEPT.value: f"All that were kept ({kept:,})",
    }
    words |= {code: f"{_sentence(level, code)} ({n:,})" for code, n in reasons.items()}
    key = f"look.fate.{level.value}"
    if st.session_state.get(key) not in words:
        st.session_state[key] = Fate.DROPPED.value if fewer else Fate.KEPT.value
    chosen = st.radio("Which", list(words), format_func=lambda one: workspace.plain(words[one]), key=key)
    asked = st.text_input(
        "Search in the texts", key="look.words", icon=":material/search:", placeholder="any words"
    ).strip()
    if chosen in (Fate.DROPPED, Fate.KEPT):
        return Wanted(level, Fate(chosen), "", asked)
    return Wanted(level, Fate.DROPPED, chosen, asked)


def _table(wanted: Wanted, seen: Evidence) -> None:
    source, judged = loading.source(), seen.judgement
    at = (loading.key(), seen.exact, seen.recipe.fingerprint(), wanted)
    walk = (source, seen.recipe, loading.shared(seen.narrow), judged, wanted)
    found = loading.once("look.items", at, lambda: away.run(looking.some_items, *walk, SHOWN))
    noun = NOUNS[wanted.level]
    if not found:
        st.info(_nothing(wanted, noun), icon=":material/info:")
        return
    st.markdown(f"**{_said(found, wanted, seen, noun)}**")
    picked = st.dataframe(
        _columns(found, wanted.level), hide_index=True, height=285, key=f"look.items.{hash(wanted)}",
        on_select="rerun", selection_mode="single-row-required", alt=f"The {noun}s, each with its fate",
        column_config={"Why": st.column_config.TextColumn(width=220), "Text": st.column_config.TextColumn(width=400)},
    )  # fmt: skip
    chosen = (picked.get("selection", {}).get("rows") or [0])[0]
    one = found[min(chosen, len(found) - 1)]
    st.html(item_html(one, wanted.level))
    _ways_on(one, wanted, walk, noun)


def _said(found: Sequence[Item], wanted: Wanted, seen: Evidence, noun: str) -> str:
    part = "" if seen.exact else " among the rows read so far"
    if wanted.words:
        most = "The first " if len(found) == SHOWN else ""
        return f"{most}{many(len(found), noun)} with “{workspace.plain(wanted.words)}”{part}"
    counts = {Fate.KEPT: int((codes_of(wanted.level, seen.judgement) == 0).sum())}
    reasons = reasons_of(wanted.level, seen.judgement)
    every = reasons[wanted.reason] if wanted.reason else counts.get(wanted.fate, sum(reasons.values()))
    fate = "kept" if wanted.fate is Fate.KEPT else "dropped"
    because = f": {sentence(wanted.level, wanted.reason)}" if wanted.reason else ""
    first = f"; the first {SHOWN} are here" if every > SHOWN else ""
    return f"{many(every, noun)} {fate}{part}{because}{first}"


def _sentence(level: Level, reason: str) -> str:
    said = sentence(level, reason)
    return said[:1].upper() + said[1:]


def _nothing(wanted: Wanted, noun: str) -> str:
    if wanted.words:
        return f"No {noun} here holds “{workspace.plain(wanted.words)}”. Try fewer words, or another choice on the left."
    return (
        f"No {noun} is here: nothing was dropped." if wanted.fate is Fate.DROPPED else f"No {noun} was kept."
    )


def _columns(found: Sequence[Item], level: Level) -> dict[str, list[str]]:
    """The table, as far as a level has the columns."""
    several = len({one.reason for one in found}) > 1
    table = {"Why": [one.why or "kept" for one in found]} if several else {}
    if level is Level.QUESTIONS:
        return table | {"Question": [visible(first_line(one.question, 200)) for one in found]}
    table["Response"] = [f"{mark(one.correct)} {truth_word(one.correct)}" for one in found]
    if level is Level.REFLECTIONS:
        table["Verdict"] = [one.verdict for one in found]
    table["Text"] = [visible(first_line(one.text, 160)) for one in found]
    table["Variant"] = [variant_words(one.variant) for one in found]
    return table


def _ways_on(one: Item, wanted: Wanted, walk: tuple[Any, ...], noun: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, mime in (("JSONL", "application/jsonl"), ("CSV", "text/csv")):
            st.download_button(
                f"All of these as {name}", partial(away.run, looking.items_file, *walk, name.lower(), seconds=FILE_SECONDS),
                f"{noun}s-{wanted.reason or wanted.fate}.{name.lower()}", mime, icon=":material/download:",
                key=f"look.as.{name}", on_click="ignore",
            )  # fmt: skip
        st.button(
            "Traces of this question", icon=":material/visibility:", key="look.its_traces",
            on_click=_traces_of, args=(one.question_id,),
        )  # fmt: skip


def _traces_of(question_id: str) -> None:
    st.session_state["look.find"] = question_id
    st.session_state["look.part"] = "Traces"


def rows_not_read(seen: Evidence) -> None:
    """Rows of the source that can't be read."""
    ledger = seen.narrow.rows.ledger[Level.ROWS]
    if not ledger.dropped.total():
        read = many(ledger.read, "row")
        st.info(f"{read} read, and each of them could be.".capitalize(), icon=":material/check:")
        return
    source = loading.source()
    at = (loading.key(), seen.exact)
    most = min(SHOWN, ledger.dropped.total())
    found = loading.once("look.broken", at, lambda: away.run(looking.some_broken, source, seen.recipe, most))
    st.markdown(f"**{many(ledger.dropped.total(), 'row')} of {ledger.read:,} can't be read**")
    st.dataframe(
        {
            "Row": [number for number, _ in found],
            "Why": [sentence(Level.ROWS, error.reason) for _, error in found],
            "Field": [error.field for _, error in found],
            "Found": [visible(error.found) for _, error in found],
        },
        hide_index=True,
        key="look.broken",
        alt="Rows that can't be read: number, reason, field and what was found there",
    )
