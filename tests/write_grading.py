"""Writes the tables of docs/grading.md: `make docs`. A test holds those current that take no time."""

from collections.abc import Mapping

from tests import label_noise, stored_labels
from tests.grading_mutants import EACH, RIGHT_ANSWERS, counts
from tests.write_docs import ROOT, task_table

PAGE = ROOT / "docs" / "grading.md"
SEED = 0


def mutant_table() -> str:
    """The mutants by change, those that stayed right, and the laws that say so."""
    made, alive = counts(SEED)
    lines = ["| change | mutants | still right | because |", "| --- | ---: | ---: | --- |"]
    for change in sorted(made):
        laws = sorted(((number, law) for (of, law), number in alive.items() if of == change), reverse=True)
        because = "; ".join(f"{law} ({number})" for number, law in laws) or "–"
        lines.append(f"| {change} | {made[change]:,} | {sum(number for number, _ in laws)} | {because} |")
    lines.append(f"| all | {RIGHT_ANSWERS * EACH:,} | {alive.total()} | |")
    return "\n".join(lines)


def quick_tables() -> dict[str, str]:
    """The tables that a test can make again."""
    return {"tasks": task_table(), "mutants": mutant_table()}


def filled(text: str, tables: Mapping[str, str]) -> str:
    """The page with these tables between their marks."""
    for name, table in tables.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    tables = {**quick_tables(), "noise": label_noise.table()}
    if stored_labels.DATA.is_dir():
        tables["stored"] = stored_labels.table()
    PAGE.write_text(filled(page, tables), encoding="utf-8")
