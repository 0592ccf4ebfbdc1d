"""Reflections of wrong responses that state the gold answer: they teach to copy it, not to try again."""

import re

_CUES = tuple(
    cue.encode()
    for cue in (
        "answer",
        "correct",
        "should be",
        "should have been",
        "must be",
        "result is",
        "solution is",
        "boxed{",
        "####",
        "equals",
        "value is",
        "答案",
        "正确",
        "正解",
        "答え",
        "정답",
        "richtig",
        "lösung",
        "réponse",
        "respuesta",
    )
)
"""What stands before an answer that is stated, in lower case."""
_BEFORE = 48
"""Bytes before an answer in which a cue counts."""
_MOST = 8
"""Times that an answer is looked for in a text, from its end."""
# Letters of other alphabets don't count: Chinese and Japanese put no space around an answer. A point or a comma between
# two digits belongs to a number, so “3.8” and “8,500” don't state 8; at the end of a sentence it stands behind the answer.
_GOES_ON_BEFORE = re.compile(rb"(?:\w|[0-9][.,])\Z", re.ASCII)
_GOES_ON_BEHIND = re.compile(rb"\w|[.,][0-9]", re.ASCII)


def gives_away(reflection: bytes, gold: bytes) -> bool:
    """Whether a reflection states the gold answer: by itself, behind words that announce one."""
    end = len(reflection)
    for _ in range(_MOST):
        at = reflection.rfind(gold, 0, end)
        if at < 0:
            return False
        if _stands_alone(reflection, at, at + len(gold)):
            before = reflection[max(0, at - _BEFORE) : at].lower()
            if any(cue in before for cue in _CUES):
                return True
        # One less than its end: “11” stands in “111” twice, and both are looked at.
        end = at + len(gold) - 1
    return False


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    """Whether no letter, digit or decimal goes on at either side."""
    before, behind = text[max(0, start - 2) : start], text[end : end + 2]
    return not (_GOES_ON_BEFORE.search(before) or _GOES_ON_BEHIND.match(behind))


def cut_behind_verdict(reflection: str) -> str:
    """The reflection up to the end of its verdict; all of it where no tag marks one."""
    end = reflection.lower().find("</verdict>")
    return reflection[: end + len("</verdict>")] if end >= 0 else reflection
