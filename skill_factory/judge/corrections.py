"""Labels that a person has corrected, kept in the recipe so that every rebuild makes the same set."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from skill_factory.model import hex_id


def correction_key(question_id: int, response_id: int) -> str:
    """The name of a response in `labels.corrections`: one text may answer two questions, so both ids stand in it."""
    return f"{hex_id(question_id)}-{hex_id(response_id)}"


def corrected(
    stored: npt.NDArray[np.bool_],
    question_ids: npt.NDArray[np.uint64],
    response_ids: npt.NDArray[np.uint64],
    corrections: Mapping[str, bool],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The labels after correction, and which of them it changed; ids are those of each response and its question."""
    if not corrections:
        return stored, np.zeros(len(stored), np.bool_)
    # One array can be searched for one half of a key only: the response's id; the pair is compared below.
    wanted = np.array(sorted({int(key[-16:], 16) for key in corrections}), np.uint64)
    labels = stored.copy()
    for place in np.flatnonzero(np.isin(response_ids, wanted)).tolist():
        found = corrections.get(correction_key(int(question_ids[place]), int(response_ids[place])))
        if found is not None:
            labels[place] = found
    return labels, labels != stored
