"""A file appears whole or not at all, whoever writes it."""

import ast
import os
from pathlib import Path

import pytest

from skill_factory.whole_files import SUFFIX, replaced_whole, write_whole, written_whole
from tests import command

WRITERS = ("whole_files.py", "script.py")
"""The second runs on rented machines, where this package isn't."""


def test_a_reader_sees_the_earlier_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """While a file is written, the one of before stands in its place."""
    path = tmp_path / "report.json"
    write_whole(path, "before")

    with written_whole(path) as file:
        file.write(b"after")
        file.flush()
        assert path.read_text(encoding="utf-8") == "before"

    assert path.read_text(encoding="utf-8") == "after"
    assert os.listdir(tmp_path) == ["report.json"]


def test_an_error_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    """A disk that fills up, or Ctrl-C, takes nothing that was there."""
    path = tmp_path / "report.json"
    write_whole(path, "before")

    with pytest.raises(KeyboardInterrupt), replaced_whole(path) as partial:
        partial.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    assert path.read_text(encoding="utf-8") == "before"
    assert os.listdir(tmp_path) == ["report.json"]


def test_the_cause_of_a_failed_write_is_its_own(tmp_path: Path) -> None:
    """A folder that is a file is said as such, not as a partial file that can't be removed."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(NotADirectoryError):
        write_whole(tmp_path / "file" / "report.json", "text")


def test_a_line_end_stays_as_it_is(tmp_path: Path) -> None:
    """No system puts its own line ends in place of ours: the same recipe writes the same bytes everywhere."""
    write_whole(tmp_path / "text", "a\nb\r\n")

    assert (tmp_path / "text").read_bytes() == b"a\nb\r\n"


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """`--html /dev/stdout` prints the page; a rename would put a file in place of the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write_whole(pipe, "page")

    assert os.read(reader, 100) == b"page"
    assert pipe.is_fifo()
    os.close(reader)


def test_partial_files_are_made_in_one_place() -> None:
    """No other module names a partial file by itself."""
    found = []
    for path in sorted((command.ROOT / "skill_factory").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            own = isinstance(node, ast.Constant) and isinstance(node.value, str) and SUFFIX in node.value
            if own and path.name not in WRITERS:
                found.append(f"{path.relative_to(command.ROOT)}:{node.lineno}")
    assert found == []
