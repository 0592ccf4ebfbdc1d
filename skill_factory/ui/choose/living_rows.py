"""The rows behind the living trace: those of the first questions, and of others that a change concerns."""

import numpy as np
import pyarrow as pa
import streamlit as st

from skill_factory.insight.living.question import judged_otherwise
from skill_factory.judge.judge import written_order
from skill_factory.ui.frame import away, loading
from skill_factory.ui.frame.loading import Evidence
from skill_factory.work import looking

QUESTIONS = 60
"""Questions at hand where their rows lie apart."""
CANDIDATES = 20
"""Questions that are read because two judgements differ in them."""


def read_rows(seen: Evidence) -> tuple[pa.Table, bool]:
    """Canonical rows of some questions, and whether every question is there with all its rows. Errors: SourceError."""
    source, recipe = loading.source(), seen.recipe
    rows, complete = away.run(looking.whole_questions, loading.first_rows(), loading.source().rows)
    if complete or not seen.exact:
        return rows, complete
    # The rows of a question lie apart, so its others are looked for in the whole source, once.
    facts = seen.narrow.facts
    first = facts.question_id[written_order(facts, recipe.traces.seed)][:QUESTIONS]
    with st.spinner("Reading some questions …"):
        return away.run(looking.rows_of, source, recipe, first.tolist()), True


def changed_far_away(before: Evidence, now: Evidence) -> tuple[pa.Table, list[int]]:
    """
    Rows of questions anywhere in the data that the change changes, and their ids; none where it changes no judgement.

    Errors: SourceError.
    """
    facts, nothing = now.narrow.facts, pa.table({})
    # Another reading of the texts may have other ids, but as many responses and reflections in the same order.
    if before.exact != now.exact or len(before.narrow.facts.reflection_id) != len(facts.reflection_id):
        return nothing, []
    if not np.array_equal(before.narrow.facts.question_id, facts.question_id):
        return nothing, []
    ids = judged_otherwise(facts, before.judgement, now.judgement, now.recipe.traces.seed)[:CANDIDATES]
    if not ids:
        return nothing, []
    rows = away.run(looking.rows_of, loading.source(), now.recipe, ids)
    return rows, away.run(looking.changed_questions, rows, before.recipe, now.recipe)
