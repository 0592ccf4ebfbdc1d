"""The four charts as pictures for a card and a one-file page: SVG without script, in light and dark, nothing fetched."""

from collections.abc import Sequence
from html import escape
from itertools import islice

from skill_factory.measure.comparing import Point, as_lines
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.runs import of_run
from skill_factory.measure.shown.chart_data import (
    SERIES_FIGURES,
    Cell,
    Cost,
    Move,
    cost_sentence,
    costs,
    moves_by_attempt,
    moves_sentence,
    series_sentence,
    verdict_cells,
    verdict_sentence,
)

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 260, 56, 40, 40
MOST_RUNS = 8
"""Runs that get pictures of their own; what sets more of them apart stands in the tables."""
_STYLE = (
    "svg{--ink:#1d2430;--quiet:#5f6977;--line:#d9dde3;--right:#1f6fb5;--wrong:#b4540a;--third:#6b6388;"
    "font:13px system-ui,sans-serif;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{--ink:#e6e9ee;--quiet:#9aa5b4;--line:#37404d;--right:#6cb4f5;"
    "--wrong:#f2a04e;--third:#b3abd0;background:#14181f}}"
    "text{fill:var(--ink)}.q{fill:var(--quiet)}.t{font-weight:600}"
)
COLOURS = ("var(--right)", "var(--wrong)", "var(--third)", "var(--quiet)")


def pictures_of(measurement: Measurement) -> dict[str, str]:
    """Every chart that has something to show, by file name."""
    pictures = (
        {
            "skill_by_checkpoint.svg": series_picture(
                as_lines(measurement.series), series_sentence(measurement)
            )
        }
        if measurement.series
        else {}
    )
    for number, (run, figures) in enumerate(islice(measurement.runs.items(), MOST_RUNS)):
        tail = "" if len(measurement.runs) == 1 else f"_{number + 1}"
        title = "" if len(measurement.runs) == 1 else f"{run}: "
        if cells := verdict_cells(figures):
            pictures[f"verdicts{tail}.svg"] = verdict_picture(cells, f"{title}{verdict_sentence(figures)}")
        moves = moves_by_attempt(of_run(measurement.table, run)) if "moves" not in figures.missing else []
        if any(move.fixed or move.broken for move in moves):
            pictures[f"moves{tail}.svg"] = moves_picture(moves, f"{title}{moves_sentence(figures)}")
    if points := costs(measurement):
        pictures["cost.svg"] = cost_picture(points, cost_sentence(points))
    return pictures


def _svg(title: str, body: Sequence[str], height: int = HEIGHT) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
    )
    return f'{head}<text class="t" x="12" y="22">{escape(_cut(title))}</text>{"".join(body)}</svg>\n'


def _cut(text: str, most: int = 74) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _axis_of_shares() -> list[str]:
    lines = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(share)
        # A fixed number of digits: the same figures give the same bytes, so a card changes only with its data.
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>')
        lines.append(_text(LEFT - 8, y + 4, f"{share:.2f}", "q", "end"))
    return lines


def series_picture(series: Sequence[Point], title: str) -> str:
    """Lines with bands over steps, for each run and figure that decides."""
    steps = sorted({point.step for point in series})
    low, span = steps[0], max(steps[-1] - steps[0], 1e-9)

    def x(step: float) -> float:
        return LEFT + 10 + (step - low) / span * (WIDTH - LEFT - 190)

    body = _axis_of_shares()
    runs = list(dict.fromkeys(point.run for point in series))
    # Two runs of three lines are what a picture of this size can show.
    for k, (run, figure) in enumerate((run, figure) for run in runs[:2] for figure in SERIES_FIGURES):
        # A value that isn't equal to itself is NaN.
        points = [p for p in series if p.run == run and p.figure == figure and p.at.value == p.at.value]
        if not points:
            continue
        colour = COLOURS[k % len(COLOURS)]
        dash = "" if run == runs[0] else ' stroke-dasharray="5 4"'
        line = " ".join(f"{x(p.step):.1f},{_y(p.at.value):.1f}" for p in points)
        # A point may have a value and no interval; the band leaves it out.
        known = [p for p in points if p.at.low == p.at.low]
        band = [f"{x(p.step):.1f},{_y(p.at.high):.1f}" for p in known]
        band += [f"{x(p.step):.1f},{_y(p.at.low):.1f}" for p in reversed(known)]
        body.append(f'<polygon points="{" ".join(band)}" fill="{colour}" opacity="0.15"/>')
        body.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        name = figure if len(runs) == 1 else f"{_cut(run, 14)} {figure}"
        body.append(_text(x(points[-1].step) + 6, _y(points[-1].at.value) + 4 + 3 * k, name, "q"))
    body += [_text(x(step), HEIGHT - 16, f"{step:g}", "q", "middle") for step in _some(steps)]
    return _svg(title, body)


def _some(steps: Sequence[float], most: int = 8) -> Sequence[float]:
    every = -(-len(steps) // most)
    return steps[::every]


def verdict_picture(cells: Sequence[Cell], title: str) -> str:
    """Two rows (right, wrong) and three columns (correct, incorrect, none), each cell as dark as it is full."""
    most = max(1, *(cell.attempts for cell in cells))
    body = [
        _text(150 + 130 * k, 58, f"says {said}", "q", "middle")
        for k, said in enumerate(("correct", "incorrect", "none"))
    ]
    for k, cell in enumerate(cells):
        row, column = divmod(k, 3)
        x, y = 90 + 130 * column, 70 + 80 * row
        colour = "var(--line)" if cell.says == "none" else "var(--right)" if cell.good else "var(--wrong)"
        shade = 0.12 + 0.5 * cell.attempts / most
        body.append(
            f'<rect x="{x}" y="{y}" width="120" height="70" rx="6" fill="{colour}" opacity="{shade:.2f}"/>'
        )
        body.append(
            _text(
                x + 60,
                y + 41,
                f"{cell.attempts:,}{'' if cell.says == 'none' else ' ✓' if cell.good else ' ✗'}",
                "t",
                "middle",
            )
        )
    body += [_text(80, 110 + 80 * row, true, "q", "end") for row, true in enumerate(("right", "wrong"))]
    return _svg(title, body)


def moves_picture(moves: Sequence[Move], title: str) -> str:
    """Bars of fixed above the line, of broken below it, for each attempt from the second on."""
    most = max(1, *(max(move.fixed, move.broken) for move in moves))
    middle, room = 140, 80
    step = (WIDTH - LEFT - 40) / max(len(moves), 4)
    body = [f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{middle}" y2="{middle}" stroke="var(--quiet)"/>']
    for k, move in enumerate(moves):
        x = LEFT + 10 + k * step
        up, down = room * move.fixed / most, room * move.broken / most
        body.append(
            f'<rect x="{x:.1f}" y="{middle - up:.1f}" width="{step * 0.6:.1f}" height="{up:.1f}" fill="var(--right)"/>'
        )
        body.append(
            f'<rect x="{x:.1f}" y="{middle}" width="{step * 0.6:.1f}" height="{down:.1f}" fill="var(--wrong)"/>'
        )
        center = x + step * 0.3
        body += [
            _text(center, middle - up - 5, f"{move.fixed:,}", "q", "middle"),
            _text(center, middle + down + 15, f"{move.broken:,}", "q", "middle"),
        ]
        body.append(_text(center, HEIGHT - 8, f"attempt {move.attempt}", "q", "middle"))
    body += [
        _text(LEFT - 8, middle - 30, "fixed", "q", "end"),
        _text(LEFT - 8, middle + 40, "broken", "q", "end"),
    ]
    return _svg(title, body)


def cost_picture(points: Sequence[Cost], title: str) -> str:
    """A point for each run: tokens of an output against final accuracy, with its interval."""
    most = max(cost.tokens for cost in points) * 1.15 or 1
    body = _axis_of_shares()
    for k, cost in enumerate(points):
        x, y = LEFT + cost.tokens / most * (WIDTH - LEFT - 110), _y(cost.accuracy.value)
        colour = COLOURS[k % len(COLOURS)]
        if cost.accuracy.low == cost.accuracy.low:
            low, high = _y(cost.accuracy.low), _y(cost.accuracy.high)
            body.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{colour}" stroke-width="2"/>'
            )
        body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        body.append(_text(x + 9, y + 4, f"{_cut(cost.run, 18)} ({cost.tokens:,.0f})", "q"))
    body.append(_text(WIDTH / 2, HEIGHT - 10, "tokens per output", "q", "middle"))
    return _svg(title, body)
