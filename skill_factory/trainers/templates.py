"""Fill in the files for trainers: the templates are data (`templates/`), with marks such as `@{name}`."""

from importlib.resources import files
from pathlib import Path
from string import Template


class _Marked(Template):
    # Shell, YAML and Python use $ themselves.
    delimiter = "@"


def fill_template(name: str, **values: object) -> str:
    """The template `name` with its marks filled in; a mark without a value is a bug."""
    text = files("skill_factory.trainers").joinpath("templates", f"{name}.tmpl").read_text(encoding="utf-8")
    # Not `safe_substitute`: a mark that is left over would stand in somebody's training script.
    return _Marked(text).substitute({key: str(value) for key, value in values.items()})


def write(path: Path, text: str) -> None:
    """Write a text file of an export."""
    path.write_text(text, encoding="utf-8")
