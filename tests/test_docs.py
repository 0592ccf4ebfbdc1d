"""The docs say what is true: their commands run, their tables are those of the code, their links lead somewhere."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from skill_factory.formats import FORMATS
from skill_factory.recipe.options import OPTIONS
from tests import command, write_docs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    """The fenced blocks of README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_commands_of_readme_run(tmp_path: Path) -> None:
    """Every command of README that needs no account runs, in the order in which it stands there."""
    lines = [line.partition(" #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("python -m skill_factory")]

    assert len(commands) >= 8
    for line in commands:
        done = command.run(*shlex.split(line)[3:], cwd=tmp_path)
        assert done.exit == 0, f"{line}\n{done.err}"


def test_the_python_of_readme_runs(tmp_path: Path) -> None:
    """The example for other programs runs as it stands."""
    (program,) = blocks("python")

    done = command.python("-c", program, cwd=tmp_path)

    assert done.exit == 0, done.err


def test_the_make_targets_that_are_named_exist() -> None:
    """Every `make …` in the docs is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }

    assert len(named) >= 8
    assert named - targets - {"it"} == set()


def test_every_format_command_and_column_stands_in_readme() -> None:
    """README names every format, every command and every column of the result."""
    from skill_factory.cli.main import parser
    from skill_factory.traces.rows import ROWS

    commands = next(a for a in parser()._subparsers._group_actions).choices  # type: ignore[union-attr]
    wanted = [*FORMATS, *ROWS.names, *commands]

    assert [name for name in wanted if name not in README] == []


def test_the_table_of_the_recipe_is_current() -> None:
    """docs/recipe.md is what `make docs` writes."""
    assert write_docs.RECIPE_PAGE.read_text(encoding="utf-8") == write_docs.recipe_page()


def test_the_table_of_formats_is_current() -> None:
    """docs/formats.md is what `make docs` writes from the records of known formats."""
    assert write_docs.FORMATS_PAGE.read_text(encoding="utf-8") == write_docs.formats_page()


def test_the_tables_of_readme_are_current() -> None:
    """README's tables are what `make docs` writes from the records."""
    assert write_docs.README.read_text(encoding="utf-8") == write_docs.readme()


def test_a_checkout_and_a_wheel_have_the_same_theme() -> None:
    """Streamlit reads its settings beside the main script, so there are two files; `make docs` writes one from the other."""
    assert write_docs.SETTINGS.read_bytes() == write_docs.ENTRANCE_SETTINGS.read_bytes()


def test_every_option_is_a_field_of_the_recipe() -> None:
    """The option table names fields that exist, each once."""
    from skill_factory.recipe.model import Recipe

    fields = [option.field for option in OPTIONS]

    assert set(fields) <= set(Recipe().flat())
    assert len(set(fields)) == len(fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is a file of the repository."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r'src="([^":]+)"', text)

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_guards_of_decisions_exist() -> None:
    """Every test that a decision names is there."""
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/.]+)`", text)

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_people_of_the_published_script_find_its_flags(tmp_path: Path) -> None:
    """The example script builds ./NAME under the script's own name rule, mended, and publishes nothing."""
    done = subprocess.run(
        ["bash", str(ROOT / "examples" / "example.sh"), "-i", "demo:40", "-o", "me/set"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["set_reflections5_formats-C_full"]


def test_the_scripts_crashing_default_is_said(tmp_path: Path) -> None:
    """Without N the published script ends in an error of Python's; ours says which flag is missing."""
    done = command.python(ROOT / "skill_factory" / "sft_data_creation.py", cwd=tmp_path)

    assert done.exit == 2
    assert "--num_responses_ignore_correctness" in done.err
    assert "Traceback" not in done.err
