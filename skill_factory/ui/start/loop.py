"""A trace that is put together while one looks: twenty seconds, silent, again and again, still where motion isn't wanted."""

from typing import NamedTuple

SECONDS = 20
GONE = 97
"""Percent of the time after which the picture is cleared for the next round."""
TOLD = (
    "A trace is put together from three answers of a model. A wrong attempt, the reflection that notices it, a phrase that "
    "leads on, a second wrong attempt with its reflection, a right attempt, the reflection that confirms it, and the final answer."
)


class Part(NamedTuple):
    """A part of the trace, and the second at which it comes."""

    second: float
    kind: str
    head: str
    text: str


PARTS = (
    Part(1.5, "wrong", "✗ Attempt 1", "6 × 7 − 4 = 38"),
    Part(3.6, "reflect", "Reflection", "38 isn't 34. → incorrect"),
    Part(5.5, "glue", "", "That isn't it. Let me try again."),
    Part(7.0, "wrong", "✗ Attempt 2", "(6 + 4) × 7 = 70"),
    Part(9.0, "reflect", "Reflection", "70 is far too large. → incorrect"),
    Part(10.5, "glue", "", "I'll look for another way."),
    Part(12.0, "right", "✓ Attempt 3", "4 × 7 + 6 = 34"),
    Part(14.0, "reflect", "Reflection", "34 is the target, each number used once. → correct"),
    Part(16.0, "answer", "Final answer", "4 × 7 + 6"),
)


def picture(still: bool = False) -> str:
    """The picture as HTML with its own style; `still` shows the whole trace."""
    parts = "".join(_part(number, part) for number, part in enumerate(PARTS))
    moving = "" if still else "".join(_motion(number, part.second) for number, part in enumerate(PARTS))
    style = f"{STYLE}@media (prefers-reduced-motion: no-preference) {{ {moving} }}" if moving else STYLE
    return (
        f'<style>{style}</style><div class="sf-loop" role="img" aria-label="{TOLD}"><div class="sf-l-q">'
        f"Reach 34 with 4, 6 and 7, each once.</div>{parts}</div>"
    )


def _part(number: int, part: Part) -> str:
    head = f"<b>{part.head}</b>" if part.head else ""
    return f'<div class="sf-l sf-l-{part.kind} sf-l{number}">{head}<span>{part.text}</span></div>'


def _motion(number: int, second: float) -> str:
    comes, there = 100 * second / SECONDS, 100 * second / SECONDS + 2.5
    return (
        f"@keyframes sf-l{number} {{ 0%, {comes:g}%, 100% {{ opacity: 0; }} {there:g}%, {GONE}% {{ opacity: 1; }} }} "
        f"@keyframes sf-b{number} {{ 0%, {comes:g}%, 100% {{ border-color: var(--rest); }} "
        f"{there:g}%, {GONE}% {{ border-color: var(--own); }} }} "
        f".sf-l{number} {{ animation: sf-b{number} {SECONDS}s infinite; }} "
        f".sf-l{number} > * {{ animation: sf-l{number} {SECONDS}s infinite; }} "
    )


STYLE = """
.sf-loop { font-size: 0.92rem; line-height: 1.35; display: flex; flex-direction: column; gap: 0.4rem; color: var(--sf-text); }
.sf-l-q { font-weight: 600; padding-bottom: 0.1rem; }
.sf-l { --own: var(--sf-line); --rest: var(--sf-soft); border-left: 0.25rem solid var(--own); border-radius: 0.3rem; background: var(--sf-soft); padding: 0.35rem 0.7rem; display: flex; gap: 0.1rem 0.9rem; flex-wrap: wrap; }
.sf-l b { min-width: 6.2rem; font-weight: 600; }
.sf-l-wrong { --own: var(--sf-wrong); } .sf-l-wrong b { color: var(--sf-wrong); }
.sf-l-right { --own: var(--sf-right); } .sf-l-right b { color: var(--sf-right); }
.sf-l-reflect { --own: var(--sf-reflect); margin-left: 1.6rem; } .sf-l-reflect b { color: var(--sf-reflect); min-width: 4.6rem; }
.sf-l-glue { --own: transparent; --rest: transparent; background: none; color: var(--sf-glue); font-style: italic; padding-block: 0.05rem; }
.sf-l-answer { --own: var(--sf-right); border: 1px solid var(--own); background: none; }
"""
