"""A small table as Markdown, CSV or LaTeX: for a card, a spreadsheet and a paper."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Writing(StrEnum):
    """How a table is written."""

    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"


@dataclass(frozen=True)
class Table:
    """A small table: its name, its columns, and its cells as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def written(self, writing: Writing | str = Writing.MARKDOWN) -> str:
        """The table as text."""
        return {Writing.MARKDOWN: _markdown, Writing.CSV: _csv, Writing.LATEX: _latex}[Writing(writing)](self)


def _markdown(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        # Names of runs come from the data: a bar or a line break in one would end the cell or the row.
        return f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in cells)} |"

    rule = "|" + "|".join("---" if k == 0 else "---:" for k in range(len(table.columns))) + "|"
    return "\n".join([line(table.columns), rule, *map(line, table.rows)])


def _csv(table: Table) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [table.columns, *(map(_harmless, row) for row in table.rows)]
    )
    return out.getvalue().rstrip("\n")


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: names of runs come from the data."""
    return f"'{cell}" if cell[:1] in ("=", "@", "+", "\t") else cell


_LATEX = {
    "\\": r"\textbackslash{}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "−": "$-$",
}


def _latex(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join("".join(_LATEX.get(sign, sign) for sign in cell) for cell in cells) + r" \\"

    shape = "l" + "r" * (len(table.columns) - 1)
    head = [rf"\begin{{tabular}}{{{shape}}}", r"\toprule", line(table.columns), r"\midrule"]
    return "\n".join([*head, *map(line, table.rows), r"\bottomrule", r"\end{tabular}"])
