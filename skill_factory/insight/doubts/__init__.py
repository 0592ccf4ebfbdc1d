"""What makes a reading doubtful: one judgement behind the lights, `inspect` and the strip.

A doubt has a code, a sentence with the true cause, and one thing to do. The sample that is judged holds every response
that was read, labelled or not, as canonical rows. A new doubt is a function in the file of its kind and a line below.
"""

from collections.abc import Callable, Iterator

from skill_factory.insight.doubts import columns, labels, losses, questions
from skill_factory.insight.doubts.losses import remedy
from skill_factory.insight.doubts.sample import TENTH, Doubt, Sample

__all__ = ["TENTH", "Doubt", "Sample", "doubts", "remedy"]

Check = Callable[[Sample], Iterator[Doubt]]
_CHECKS: tuple[Check, ...] = (
    columns.reference_as_response,
    columns.taken_by_shape,
    columns.roles_exchanged,
    columns.lists_as_text,
    columns.split_texts,
    columns.files_differ,
    questions.groups_of_questions,
    questions.two_golds,
    labels.unclear_labels,
    labels.graded_otherwise,
    losses.dropped_responses,
    losses.answers_given_away,
    losses.quotes_reference,
    losses.marked_responses,
    questions.near_questions,
    questions.apart_by_turns,
    questions.template_words,
    labels.answers_alike,
    questions.shared_wrapper,
)


def doubts(sample: Sample) -> list[Doubt]:
    """All doubts about a reading; first those about columns mistaken for others."""
    return [doubt for check in _CHECKS for doubt in check(sample)]
