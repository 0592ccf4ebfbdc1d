"""The data doctor in a real browser: files as people have them become builds without a word being typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Visitor
from tests.browser.test_journeys import built
from tests.make_raw import Row, write_jsonl
from tests.test_front_door_files import sheet
from tests.test_opinion import critic

pytestmark = pytest.mark.browser


def plain(questions: int, **words: str) -> list[Row]:
    """Good data under short names of columns; `right` and `wrong` are the labels, `ask` what stands before a question."""
    return [
        {
            "question": f"{words.get('ask', '')}{one['question']}",
            "answer": one["answer"],
            "response": one["response"],
            "correct": words.get("right", True) if one["correct"] else words.get("wrong", False),
            "reflection": one["reflections"][0],
        }
        for one in critic(questions, 0.95, 0.05, each=1)
    ]


def opened(visitor: Visitor, path: Path) -> Visitor:
    """Upload a file, and wait for what is said of it."""
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.page.set_input_files("input[type=file] >> nth=0", str(path))
    visitor.titled("Data")
    visitor.sees("What was counted")
    return visitor


def semicolons(path: Path, rows: list[Row]) -> Path:
    """A CSV as a spreadsheet in Europe writes it."""
    quoted = [[f'"{str(one).replace(chr(34), chr(34) * 2)}"' for one in row.values()] for row in rows]
    lines = [";".join(rows[0]), *(";".join(row) for row in quoted)]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig")
    return path


def table(rows: list[Row]) -> list[list[object]]:
    """Rows as a sheet has them: names first."""
    return [list(rows[0]), *(list(row.values()) for row in rows)]


CHINESE = {
    "question": "问题",
    "answer": "标准答案",
    "response": "模型回答",
    "correct": "是否正确",
    "reflection": "反思",
}


def chinese(path: Path, rows: list[Row]) -> Path:
    """A file whose columns, questions and labels are Chinese."""
    return written(path, [{CHINESE[name]: value for name, value in row.items()} for row in rows])


def written(path: Path, rows: list[Row]) -> Path:
    """JSON Lines with the names that the rows have."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "semicolons": lambda folder: semicolons(folder / "daten.csv", plain(150)),
    "Chinese": lambda folder: chinese(
        folder / "数据.jsonl", plain(150, ask="小明有几个苹果？编号 ", right="正确", wrong="错误")
    ),
    "Excel": lambda folder: sheet(folder / "raw.xlsx", table(plain(150))),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_becomes_a_build_without_typing(visitor: Visitor, kind: str, tmp_path: Path) -> None:
    """Upload, the answer, build: the recommended recipe is built from Data."""
    opened(visitor, FILES[kind](tmp_path))
    visitor.sees("Yes.")
    built(visitor)


def test_labels_in_words_nobody_knows_are_asked_about_once(visitor: Visitor, tmp_path: Path) -> None:
    """One cause at the top, answered by a press; then the data is ready and builds."""
    opened(visitor, written(tmp_path / "words.jsonl", plain(150, right="gut so", wrong="daneben")))
    visitor.sees("Not yet: it isn't known which labels mean right.")
    expect(visitor.page.get_by_role("button", name="Choose the traces")).to_be_disabled()
    visitor.page.get_by_role("button", name="“gut so” means right").click()
    visitor.sees("Yes.")
    built(visitor)


def test_a_coin_and_six_questions_are_named_as_what_they_are(visitor: Visitor, tmp_path: Path) -> None:
    """Reflections that judge like a coin, and a set of six questions: neither gets a yes, and both say why."""
    opened(visitor, write_jsonl(critic(150, 0.5, 0.5), tmp_path / "coin.jsonl"))
    visitor.sees("Not yet: the reflections judge no better than a coin.")
    opened(visitor, write_jsonl(critic(6, 1.0, 0.0), tmp_path / "six.jsonl"))
    visitor.sees("Not yet: 6 questions are enough to try things out, not to train on.")
    visitor.sees("About 752 requests")


def test_a_column_gets_another_role_on_the_table_itself(visitor: Visitor, tmp_path: Path) -> None:
    """The chip of a column opens its roles; picking one changes the mapping and the numbers."""
    rows = [{**row, "second": f"other {row['response']}", "also": row["correct"]} for row in plain(150)]
    opened(visitor, written(tmp_path / "wide.jsonl", rows))
    column = visitor.page.locator("[class*=st-key-chip-none]").filter(has_text="second")
    column.get_by_role("button", name="Not used").click()
    visitor.page.get_by_text("Another column of “Response”").click()
    expect(visitor.page.locator("[class*=st-key-chip-response]")).to_have_count(2)


@pytest.mark.long
def test_the_built_data_is_browsed(visitor: Visitor, tmp_path: Path) -> None:
    """After a build: one trace, two pictures; all of it can be searched, filtered, and read page by page."""
    visitor.demo()
    visitor.go("Finish")
    built(visitor)
    expect(visitor.page.locator(".sf-pictures img")).to_have_count(2)
    assert "show a mistake corrected" in (
        visitor.page.locator(".sf-pictures img").first.get_attribute("alt") or ""
    )
    visitor.sees("The linter finds nothing wrong")
    visitor.page.get_by_text("Browse the built data").click()
    visitor.sees("2,260 traces")
    visitor.page.get_by_label("Search the traces").fill("puzzle 119")
    visitor.page.keyboard.press("Enter")
    visitor.sees("5 traces of 2,260")
    visitor.still()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Page of traces").click()
    page = Path(download.value.path()).read_text(encoding="utf-8")
    assert page.count("<svg ") == 2 and "2,260 traces" in page
