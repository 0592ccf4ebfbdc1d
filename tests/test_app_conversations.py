"""Conversations with calls of tools on the pages: read by the rule, looked at with the other turns folded."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests import chats
from tests.studio import with_source, words


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rows of conversations, and a home of one's own."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    return chats.write(tmp_path / "chats.jsonl", chats.rows(questions=12, tools=[chats.TOOL]))


def html(app: AppTest) -> str:
    """What the page shows as HTML."""
    return "\n".join(str(one.proto.body) for one in app.get("html"))


def test_a_conversation_goes_through_the_pages(raw: Path) -> None:
    """Data names the rule, Choose and Look show the question, the other turns and tools behind a summary."""
    app = with_source(str(raw))
    assert not app.exception and "with the turns around it" in words(app) + "".join(map(str, app.selectbox))
    for page in ("3_Choose", "4_Look"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and not app.error
        shown = html(app)
        assert "Each of" in shown and "<summary>Conversation: 3 other turns, with tools</summary>" in shown
        assert "⟨U+0010⟩" not in shown and "␐" not in shown and "\x10" not in shown
