"""Why something was dropped: one code per rule, one sentence per code.

The codes appear in `report.json`, in the app's charts and in the files of dropped rows. A level is what is counted
(rows of the source, responses, reflections, questions, traces); at each level read = kept + the sum of dropped.
"""

from enum import StrEnum


class Level(StrEnum):
    """What is counted, in the order in which a trace comes into being."""

    ROWS = "rows"
    RESPONSES = "responses"
    REFLECTIONS = "reflections"
    QUESTIONS = "questions"
    TRACES = "traces"


class RowReason(StrEnum):
    """Why a row of the source can't be read; its responses and reflections are dropped with it, as `row_dropped`."""

    NO_QUESTION = "no_question"
    NO_RESPONSE = "no_response"
    NO_LABEL = "no_label"
    NOT_TEXT = "not_text"
    LENGTHS_DIFFER = "lengths_differ"
    LEFT_OUT = "left_out"
    ENDS_IN_CALL = "ends_in_call"
    UNUSABLE_TURNS = "unusable_turns"


class ResponseReason(StrEnum):
    """The first rule that a response fails, in this order."""

    ROW_DROPPED = "row_dropped"
    OTHER_VARIANT = "other_variant"
    CUT_OFF = "cut_off"
    EMPTY = "empty"
    BLOCK_TAGS = "block_tags"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NO_ANSWER = "no_answer"
    LABEL_CONFLICT = "label_conflict"
    ANSWER_CONFLICT = "answer_conflict"
    DUPLICATE = "duplicate"
    NO_KEPT_REFLECTION = "no_kept_reflection"


class ReflectionReason(StrEnum):
    """The first rule that a reflection fails, in this order."""

    ROW_DROPPED = "row_dropped"
    EMPTY = "empty"
    BLOCK_TAGS = "block_tags"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NO_VERDICT = "no_verdict"
    WRONG_VERDICT = "wrong_verdict"
    BANNED_WORD = "banned_word"
    GIVES_AWAY_ANSWER = "gives_away_answer"
    DUPLICATE = "duplicate"


class QuestionReason(StrEnum):
    """The first rule that a question fails, in this order."""

    EXCLUDED = "excluded"
    IN_OTHER_SOURCE = "in_other_source"
    CONTAMINATED = "contaminated"
    NEAR_DUPLICATE = "near_duplicate"
    HELD_OUT = "held_out"
    OUTSIDE_PASS_RATE = "outside_pass_rate"
    TOO_FEW_RESPONSES = "too_few_responses"
    NO_CORRECT_RESPONSE = "no_correct_response"
    TOO_FEW_VARIANTS = "too_few_variants"
    NOT_IN_EVERY_ARM = "not_in_every_arm"


class TraceReason(StrEnum):
    """Why a trace that the recipe asks for wasn't written."""

    NEEDS_TWO_ATTEMPTS = "needs_two_attempts"
    NEEDS_WRONG_RESPONSE = "needs_wrong_response"
    NEEDS_TWO_CORRECT = "needs_two_correct"
    TOO_FEW_WRONG = "too_few_wrong"
    OVER_CUTOFF = "over_cutoff"
    EXCLUDED = "excluded"
    REJECTED = "rejected"
    OVER_QUESTION_CAP = "over_question_cap"
    OVER_LABEL_LIMIT = "over_label_limit"
    OVER_LIMIT = "over_limit"
    OVER_ARM_SIZE = "over_arm_size"
    DUPLICATE = "duplicate"
    OVER_SHARE = "over_share"


Reason = RowReason | ResponseReason | ReflectionReason | QuestionReason | TraceReason

REASONS: dict[Level, type[StrEnum]] = {
    Level.ROWS: RowReason,
    Level.RESPONSES: ResponseReason,
    Level.REFLECTIONS: ReflectionReason,
    Level.QUESTIONS: QuestionReason,
    Level.TRACES: TraceReason,
}

_SENTENCES: dict[tuple[Level, str], str] = {
    (Level.ROWS, "no_question"): "the question is missing or empty",
    (Level.ROWS, "no_response"): "there is no response in the row",
    (Level.ROWS, "no_label"): "right or wrong is missing, or can't be read as yes or no",
    (Level.ROWS, "not_text"): "a text column holds something other than text",
    (
        Level.ROWS,
        "lengths_differ",
    ): "the lists of responses, labels, answers and reflections differ in length",
    (Level.ROWS, "left_out"): "the mapping takes only rows with another value there",
    (
        Level.ROWS,
        "ends_in_call",
    ): "the conversation ends with a call of a tool, so there is no answer to judge",
    (
        Level.ROWS,
        "unusable_turns",
    ): "user and assistant don't take turns in the conversation, or a turn or a tool can't be read",
    (Level.RESPONSES, "row_dropped"): "its row can't be read",
    (Level.RESPONSES, "other_variant"): "its prompt variant isn't one of the chosen ones",
    (Level.RESPONSES, "cut_off"): "it was cut off inside its thinking",
    (Level.RESPONSES, "empty"): "the response is empty",
    (Level.RESPONSES, "block_tags"): "it contains a tag that marks the blocks of a trace, such as </sample>",
    (Level.RESPONSES, "too_short"): "it is shorter than the limit",
    (Level.RESPONSES, "too_long"): "it is longer than the limit",
    (Level.RESPONSES, "no_answer"): "no final answer was found in it",
    (Level.RESPONSES, "label_conflict"): "the same text is labelled right in one place and wrong in another",
    (Level.RESPONSES, "answer_conflict"): "the same text has different extracted answers in different places",
    (
        Level.RESPONSES,
        "duplicate",
    ): "the question already has this response; reflections of both are kept, if any",
    (Level.RESPONSES, "no_kept_reflection"): "none of its reflections was kept",
    (Level.REFLECTIONS, "row_dropped"): "its row can't be read",
    (Level.REFLECTIONS, "empty"): "the reflection is empty",
    (
        Level.REFLECTIONS,
        "block_tags",
    ): "it contains a tag that marks the blocks of a trace, such as </reflect>",
    (Level.REFLECTIONS, "too_short"): "it is shorter than the limit",
    (Level.REFLECTIONS, "too_long"): "it is longer than the limit",
    (Level.REFLECTIONS, "no_verdict"): "it gives no verdict",
    (Level.REFLECTIONS, "wrong_verdict"): "its verdict contradicts the response's label",
    (Level.REFLECTIONS, "banned_word"): "it contains a banned word",
    (Level.REFLECTIONS, "gives_away_answer"): "its response is wrong, and it states the gold answer",
    (Level.REFLECTIONS, "duplicate"): "the response already has this reflection",
    (Level.QUESTIONS, "excluded"): "the recipe excludes it",
    (Level.QUESTIONS, "in_other_source"): "it stands in an earlier source of the mixture",
    (Level.QUESTIONS, "contaminated"): "a benchmark asks it too",
    (Level.QUESTIONS, "near_duplicate"): "another question says nearly the same",
    (Level.QUESTIONS, "held_out"): "it is held out for evaluation",
    (Level.QUESTIONS, "outside_pass_rate"): "its share of right responses is outside the window",
    (Level.QUESTIONS, "too_few_responses"): "it has fewer kept responses than a trace has attempts (N)",
    (Level.QUESTIONS, "no_correct_response"): "none of its kept responses is right",
    (Level.QUESTIONS, "too_few_variants"): "its kept responses come from too few prompt variants",
    (Level.QUESTIONS, "not_in_every_arm"): "another arm of the suite can't use it",
    (Level.TRACES, "needs_two_attempts"): "the format needs at least two attempts",
    (Level.TRACES, "needs_wrong_response"): "the format needs a wrong response and the question has none",
    (Level.TRACES, "needs_two_correct"): "the format needs two right responses and the question has fewer",
    (Level.TRACES, "too_few_wrong"): "it shows fewer wrong attempts than the recipe asks for",
    (Level.TRACES, "over_cutoff"): "it is longer than the trainer's cut-off",
    (Level.TRACES, "excluded"): "the recipe excludes it",
    (Level.TRACES, "rejected"): "a person read it and rejected it",
    (Level.TRACES, "over_question_cap"): "its question already has its share of traces",
    (Level.TRACES, "over_label_limit"): "its label has reached its limit",
    (Level.TRACES, "over_limit"): "the dataset has reached its limit",
    (Level.TRACES, "over_arm_size"): "all arms of the suite have the same size",
    (Level.TRACES, "duplicate"): "another trace of its question has the same words",
    (Level.TRACES, "over_share"): "its source has given its share of the mixture",
}


def sentence(level: Level | str, reason: str) -> str:
    """The meaning of a reason code, as half a sentence in plain words."""
    return _SENTENCES[(Level(level), str(reason))]
