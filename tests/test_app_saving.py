"""What the pages save: every file is offered as the kind that its name says."""

import ast
from pathlib import PurePath

import pytest

from skill_factory.ui.frame.buttons.saving import MIME, save_button
from tests.studio import ROOT

PAGES = sorted((ROOT / "skill_factory" / "ui").rglob("*.py"))


def saved_names() -> list[str]:
    """The names under which the pages save files, as far as they stand in the code, or how they end."""
    ends = []
    for path in PAGES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "save_button":
                texts = [one.value for one in ast.walk(node.args[2]) if isinstance(one, ast.Constant)]
                ends += [text for text in texts if isinstance(text, str) and "." in text[:-1]]
    return ends


def test_every_file_has_a_kind() -> None:
    """All of them go through the one button, and it knows how each name ends."""
    names = saved_names()
    assert len(names) > 12
    assert not [name for name in names if PurePath(f"file{name}").suffix not in MIME]
    direct = [path.name for path in PAGES if "st.download_button(" in path.read_text(encoding="utf-8")]
    assert direct == ["saving.py"]


def test_a_name_of_unknown_kind_is_a_fault_of_ours() -> None:
    """A file without a kind is never offered as just bytes."""
    with pytest.raises(KeyError):
        save_button("Save", "text", "traces.bin", "save")
