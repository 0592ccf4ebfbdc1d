"""Where the traces on Look come from: the first of the build, or those of questions that were searched for."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import streamlit as st

from skill_factory.insight.expected import questions_able
from skill_factory.judge.facts import question_ids
from skill_factory.judge.judge import written_order
from skill_factory.judge.source_facts import identity
from skill_factory.model import Trace
from skill_factory.ui.frame import away, loading
from skill_factory.ui.frame.loading import Evidence
from skill_factory.work import looking

HEAD = 20
"""How many of the build's first questions are shown."""
FOUND = 20
"""How many of the questions found are shown."""
SAMPLE = 1_000_000
"""Bytes of text whose traces are shown until the whole source is read."""


def head() -> list[Trace]:
    """
    The traces of the first questions in written order; until the whole source is read, those of the first rows.

    Errors: as loading.evidence.
    """
    seen = loading.evidence()
    at = (loading.key(), seen.exact, seen.recipe.fingerprint())
    return loading.once("look.head", at, lambda: _head(seen))


def _head(seen: Evidence) -> list[Trace]:
    rows = _rows_of(first_able(seen, HEAD), seen) if seen.exact else _first_rows(seen)
    return away.run(looking.traces_of, rows, seen.recipe, HEAD)


def first_able(seen: Evidence, most: int) -> list[int]:
    """The ids of the first questions in written order that give a trace."""
    facts, chosen = seen.narrow.facts, seen.recipe
    able_at_all = np.zeros(len(facts.question_id), np.bool_)
    for code in chosen.traces.formats:
        able_at_all |= questions_able(seen.judgement, chosen, code)
    order = written_order(facts, chosen.traces.seed)
    places = order[able_at_all[order]][:most]
    return [int(id) for id in facts.question_id[places]]


def _rows_of(ids: Sequence[int], seen: Evidence) -> pa.Table:
    """The rows of some questions; more are read than asked for, so that a changed recipe rarely reads again."""
    at = (identity(loading.source()), seen.recipe.columns)
    kept = st.session_state.get("look.kept")
    if not kept or kept[0] != at or not kept[1].issuperset(ids):
        more = {*ids, *first_able(seen, 3 * HEAD)}
        with st.spinner("Reading the first questions …"):
            kept = (at, more, away.run(looking.rows_of, loading.source(), seen.recipe, sorted(more)))
        st.session_state["look.kept"] = kept
    places, own, _ = question_ids(kept[2]["question"])
    return kept[2].filter(pa.array(np.isin(own, np.array(ids, np.uint64))[places]))


def _first_rows(seen: Evidence) -> pa.Table:
    at = (identity(loading.source()), seen.recipe.columns)
    return loading.once(
        "look.sample",
        at,
        lambda: away.run(looking.first_bytes, loading.source(), seen.recipe.columns, SAMPLE),
    )


def of_questions(words: str) -> list[Trace]:
    """The traces of the questions that contain some words. Errors: SourceError, ColumnError."""
    source, chosen = loading.source(), loading.recipe()
    at = (identity(source), chosen.columns, words)
    found = loading.once(
        "look.found", at, lambda: away.run(looking.questions_with, source, chosen, words, FOUND)
    )
    ids = [id for id, _ in found]
    rows = loading.once(
        "look.rows", (*at, tuple(ids)), lambda: away.run(looking.rows_of, source, chosen, ids)
    )
    under = (*at, chosen.fingerprint())
    return loading.once("look.traces", under, lambda: away.run(looking.traces_of, rows, chosen))
