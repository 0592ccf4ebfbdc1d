"""What a measurement says of itself: a card with tables and pictures, and one page that can be mailed."""

from html import escape

from skill_factory.build.card import BEGIN, END
from skill_factory.insight.html import safe, stylesheet
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.shown.advice import advise
from skill_factory.measure.shown.pictures import pictures_of
from skill_factory.measure.shown.tables import tables_of
from skill_factory.measure.shown.writings import Table
from skill_factory.wording import many

CHARTS = "charts"
_FRONT = (
    "---\ntags:\n- skill-factory\n- evaluation\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n"
    "    path: outputs.parquet\n---"
)
_ABOUT = (
    "Attempts, reflections and verdicts of a model's outputs, counted as arXiv 2512.04072 counts them in section 7. "
    "Intervals are 95 % intervals from resampling questions. `report.json` holds every number, `outputs.parquet` a row "
    "for each output."
)
_UNTESTED = "None of this was tested by training; each line names the rule that it comes from."


def headline(measurement: Measurement) -> str:
    """What was measured, in a line."""
    outputs = sum(figures.counts["outputs"] for figures in measurement.runs.values())
    return f"{many(outputs, 'output')} of {many(len(measurement.runs), 'run')}"


def card_of(measurement: Measurement) -> str:
    """The card (README.md) of a report folder."""
    sections = [
        BEGIN,
        f"# Skill of {headline(measurement)}",
        _ABOUT,
        *_doubts(measurement),
        *_advice(measurement),
    ]
    sections += [
        f"![{escape(name.removesuffix('.svg'))}]({CHARTS}/{name})" for name in pictures_of(measurement)
    ]
    sections += [_section(table) for table in tables_of(measurement)]
    return "\n\n".join([_FRONT, *sections, END]) + "\n"


def _section(table: Table) -> str:
    return "\n\n".join(part for part in (f"## {table.title}", table.note, table.written()) if part)


def _doubts(measurement: Measurement) -> list[str]:
    lines = [f"- {line}" for line in [*measurement.notes, *measurement.missing]]
    return ["\n".join(["Before you believe the figures:", "", *lines])] if lines else []


def _advice(measurement: Measurement) -> list[str]:
    lines = [f"- {advice.run}: {advice.sentence} ({advice.source})" for advice in advise(measurement)]
    return ["## For the next dataset\n\n" + "\n".join([*lines, "", _UNTESTED])] if lines else []


def page_of(measurement: Measurement) -> str:
    """One self-contained page; no script, nothing fetched."""
    title = f"Skill of {headline(measurement)}"
    body = [f"<h1>{safe(title)}</h1>", f'<p class="page-note">{safe(_ABOUT.split("`")[0])}</p>']
    body += _list("Before you believe the figures", [*measurement.notes, *measurement.missing])
    body += _list(
        "For the next dataset",
        [f"{advice.run}: {advice.sentence} ({advice.source})" for advice in advise(measurement)],
    )
    body += [f"<figure>{picture}</figure>" for picture in pictures_of(measurement).values()]
    body += [_table(table) for table in tables_of(measurement)]
    # The page is opened from mails and shared folders, so its policy lets it load nothing and run nothing.
    head = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{safe(title)}</title>\n<style>\n{stylesheet('view_page.css')}{_TABLES}</style>\n</head>\n<body>",
    ]
    return "\n".join([*head, *body, "</body>\n</html>\n"])


_TABLES = (
    "table{border-collapse:collapse;font-size:.9rem;margin:.4rem 0 1.4rem;display:block;overflow-x:auto}"
    "th,td{border-bottom:1px solid light-dark(#d9dde3,#37404d);padding:.25rem .7rem;text-align:right}"
    "th:first-child,td:first-child{text-align:left}figure{margin:1rem 0;overflow-x:auto}h2{font-size:1.15rem;margin:1.2rem 0 .2rem}"
)


def _list(title: str, lines: list[str]) -> list[str]:
    items = "".join(f"<li>{safe(line)}</li>" for line in lines)
    return [f"<h2>{safe(title)}</h2><ul>{items}</ul>"] if lines else []


def _table(table: Table) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{safe(cell)}</{tag}>' for cell in cells)}</tr>"

    rows = "".join(line(row, "td") for row in table.rows)
    note = f'<p class="page-note">{safe(table.note)}</p>' if table.note else ""
    return f"<h2>{safe(table.title)}</h2>{note}<table>{line(table.columns, 'th')}{rows}</table>"
