"""Two small pictures of a dataset: what its traces show, and how long they are. SVG without script, nothing fetched.

The card gets them as PNG in light and dark, pages get them inline, where CSS variables give the colours.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.trace_parts import story
from skill_factory.model import Trace
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.tokens import CHARS_PER_TOKEN, estimated_tokens
from skill_factory.tally import Tally, Teaches, TraceChars, keyed
from skill_factory.traces.counting import STEP_OF_LENGTH
from skill_factory.wording import many, percent

WIDTH, LEFT, RIGHT, TOP, ROW = 640, 190, 110, 44, 30
BINS, BARS = 32, 130
"""Most bars of the lengths, and the height of the tallest in pixels."""

Ink = Mapping[str, str]
LIGHT: Ink = {
    "ground": "#ffffff", "ink": "#1d2430", "quiet": "#5f6977", "line": "#d9dde3", "one_attempt": "#667080",
    "all_right": "#1f6fb5", "wrong_to_right": "#a03060", "ends_wrong": "#b4540a", "bar": "#1f6fb5",
}  # fmt: skip
DARK: Ink = {
    "ground": "#14181f", "ink": "#e6e9ee", "quiet": "#9aa5b4", "line": "#37404d", "one_attempt": "#9aa5b4",
    "all_right": "#6cb4f5", "wrong_to_right": "#e58cb4", "ends_wrong": "#f2a04e", "bar": "#6cb4f5",
}  # fmt: skip
INLINE: Ink = {name: f"var(--sf-pic-{name.replace('_', '-')})" for name in LIGHT}
"""Colours of a picture within a page: the page's light or dark theme sets them."""


@dataclass(frozen=True)
class Composition:
    """What a dataset is made of, as far as the pictures show it."""

    shows: Mapping[str, int]
    """What a trace shows (a name of TEACHES) → traces."""
    chars: Sequence[tuple[int, int]]
    """(characters, traces), the shortest first."""
    chars_per_token: float = CHARS_PER_TOKEN

    @property
    def traces(self) -> int:
        """How many there are."""
        return sum(self.shows.values())


@dataclass(frozen=True)
class Picture:
    """A picture by its name, with the sentence that says the same."""

    name: str
    words: str
    body: str
    """SVG elements with the colours as `{name}`."""
    height: int

    def svg(self, ink: Ink) -> str:
        """The whole picture in some colours."""
        drawn = self.body
        for name, colour in ink.items():
            drawn = drawn.replace(f"{{{name}}}", colour)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
            f'height="{self.height}" role="img" aria-label="{escape(self.words)}" font-family="sans-serif" '
            f'font-size="13">'
            f'<rect width="{WIDTH}" height="{self.height}" fill="{ink["ground"]}"/>{drawn}</svg>'
        )


def of_tally(tally: Tally, recipe: AnyRecipe) -> Composition:
    """The composition of a whole build."""
    shows: Counter[str] = Counter()
    for shown, n in keyed(Teaches, tally.counts["teaches"]):
        shows[shown.shows] += n
    chars: Counter[int] = Counter()
    for sized, n in keyed(TraceChars, tally.counts["trace_chars"]):
        chars[sized.chars] += n
    return Composition(shows, sorted(chars.items()), recipe.cutoff.chars_per_token)


def of_traces(traces: Iterable[Trace]) -> Composition:
    """The composition of some traces."""
    shows: Counter[str] = Counter()
    chars: Counter[int] = Counter()
    for trace in traces:
        told = story(trace)
        right = [card.correct for card in told.cards]
        ends = right[told.answering - 1]
        kind = "all_right" if all(right) else "wrong_to_right" if ends else "ends_wrong"
        shows["one_attempt" if ends and len(right) == 1 else kind] += 1
        chars[len(trace.plan.question.text) + len(trace.text)] += 1
    return Composition(shows, sorted(chars.items()))


def pictures(of: Composition) -> list[Picture]:
    """What the traces show, and how long they are; none for a dataset without traces."""
    return [shows_picture(of), lengths_picture(of)] if of.traces and of.chars else []


def shows_picture(of: Composition) -> Picture:
    """A bar for each thing that traces show, with its number and share."""
    every = of.traces
    fixed = of.shows.get("wrong_to_right", 0)
    title = f"{percent(fixed, every)} of {many(every, 'trace')} show {TEACHES_WORDS['wrong_to_right']}"
    names = [name for name in TEACHES if of.shows.get(name)]
    widest = max(of.shows.values())
    parts = [_title(title)]
    for place, name in enumerate(names):
        y = TOP + ROW * place
        width = max(2.0, of.shows[name] / widest * (WIDTH - LEFT - RIGHT))
        said = f"{of.shows[name]:,} ({percent(of.shows[name], every)})"
        parts += [
            _text(LEFT - 10, y + 16, TEACHES_WORDS[name], "{ink}", "end"),
            f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{ROW - 8}" rx="3" fill="{{{name}}}"/>',
            _text(LEFT + width + 8, y + 16, said, "{quiet}"),
        ]
    listed = "; ".join(f"{TEACHES_WORDS[name]}: {of.shows[name]:,}" for name in names)
    return Picture("composition", f"{title}. {listed}.", "".join(parts), TOP + ROW * len(names) + 8)


def lengths_picture(of: Composition) -> Picture:
    """How many traces have which length in tokens, with the median and the 99th percentile."""
    sizes = [(estimated_tokens(chars, of.chars_per_token), n) for chars, n in of.chars]
    half, most = _quantile(sizes, 0.5), _quantile(sizes, 0.99)
    title = f"Half of the traces have up to {half:,.0f} tokens, 99 % up to {most:,.0f}"
    # Bars as wide as the tally's steps, or several of them, or some would stay empty.
    longest = of.chars[-1][0]
    step = STEP_OF_LENGTH * -(-longest // (STEP_OF_LENGTH * BINS))
    bins = [0] * -(-longest // step)
    for chars, n in of.chars:
        # Lengths were rounded up, so one on a border belongs below it.
        bins[(chars - 1) // step] += n
    left, width = 24, (WIDTH - 48) / len(bins)
    ground = TOP + BARS
    parts = [_title(title)]
    for place, n in enumerate(bins):
        height = n / max(bins) * (BARS - 10)
        # At least a pixel: one trace among thousands is still there.
        if n:
            parts.append(
                f'<rect x="{left + place * width + 1:.1f}" y="{ground - max(1, height):.1f}" '
                f'width="{width - 2:.1f}" height="{max(1, height):.1f}" fill="{{bar}}"/>'
            )
    parts.append(f'<path d="M{left} {ground}H{WIDTH - 24}" stroke="{{line}}" stroke-width="1"/>')
    every = estimated_tokens(len(bins) * step, of.chars_per_token)
    tick = _round_up(every / 5)
    for k in range(int(every / tick) + 1):
        x = left + k * tick / every * (WIDTH - 48)
        parts.append(_text(x, ground + 18, f"{k * tick:,.0f}", "{quiet}", "start" if not k else "middle"))
    parts.append(
        _text(WIDTH / 2, ground + 38, "Tokens of question and trace (estimated)", "{quiet}", "middle")
    )
    said = f"{title}; the longest has {sizes[-1][0]:,.0f}."
    return Picture("lengths", said, "".join(parts), ground + 50)


def _quantile(sizes: Sequence[tuple[float, int]], share: float) -> float:
    """The smallest size that so many are not longer than."""
    every, seen = sum(n for _, n in sizes), 0
    for size, n in sizes:
        seen += n
        if seen >= share * every:
            return size
    return sizes[-1][0]


def _round_up(step: float) -> float:
    """A round distance for numbers on an axis: 1, 2, 2.5 or 5 times a power of ten."""
    power = 1.0
    while step > 10 * power:
        power *= 10
    return next(power * k for k in (1, 2, 2.5, 5, 10) if step <= power * k)


def _title(words: str) -> str:
    return f'<text x="24" y="26" fill="{{ink}}" font-size="15" font-weight="600">{escape(words)}</text>'


def _text(x: float, y: float, words: str, colour: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
