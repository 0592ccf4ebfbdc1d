"""The app under test: started whole or at a page, with a workspace of its own on disk."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from skill_factory.recipe.model import Recipe
from skill_factory.ui.frame.workspace import Workspace

ROOT = Path(__file__).parents[1]
SMALL = "demo:60"


def open_app(page: str = "") -> AppTest:
    """The app at its first page, or at `pages/<page>.py`."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    return app.run() if not page else app.switch_page(f"pages/{page}.py").run()


def with_source(source: str = SMALL, page: str = "2_Data", recipe: Recipe | None = None) -> AppTest:
    """The app at a page, with a source chosen: at Data as a click on a door does it, elsewhere as a link leads there."""
    if page != "2_Data":
        return entered(source, page, recipe)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if recipe is not None:
        app.session_state["workspace"] = Workspace(recipe=recipe)
    app.run()
    return app.text_input(key="door.path").set_value(source).run()


def entered(text: str, page: str, recipe: Recipe | None = None) -> AppTest:
    """The app at a page with a source chosen, without its first page: also on a shared server, which opens no path."""

    def choose(text: str) -> None:
        from skill_factory.ui.frame import loading

        loading.choose(text)

    door = AppTest.from_function(choose, args=(text,), default_timeout=120)
    if recipe is not None:
        door.session_state["workspace"] = Workspace(recipe=recipe)
    door.run()
    assert not door.exception, door.exception
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page(f"pages/{page}.py")
    app.session_state["workspace"] = workspace(door)
    return app.run()


def workspace(app: AppTest) -> Workspace:
    """What the session is working on."""
    found: Workspace = app.session_state["workspace"]
    return found


def words(app: AppTest) -> str:
    """All text that the page shows, in one piece."""
    kinds: list[Any] = [app.title, app.header, app.subheader, app.markdown, app.caption, app.text, app.code]
    kinds += [app.error, app.warning, app.info, app.success]
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def links(app: AppTest) -> list[str]:
    """Labels of the links to other pages, in order."""
    return [str(one.proto.label) for one in app.get("page_link")]
