"""What people expect around the code: issues can be filed, CI runs what `make test` runs, the docs build into a site."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def read(name: str) -> Any:
    """A YAML file of the repository."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["bug", "data-not-read", "idea"])
def test_an_issue_can_be_filed(name: str) -> None:
    """Each form has a name, a description and fields with ids of their own, at least one of them required."""
    form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]

    assert form["name"] and form["description"]
    assert len(set(ids)) == len(ids) >= 3
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_ci_runs_what_make_test_runs() -> None:
    """Every part of `make test` is a step of the workflow, and every step is a target of the Makefile."""
    workflow = read(".github/workflows/tests.yml")
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    called = {run.split()[1] for run in runs}

    assert all(run.startswith("make ") for run in runs)
    assert called <= TARGETS
    assert {"check", "unit", "browser-tests", "smoke"} <= called
    assert re.search(r"^test: check browser tests smoke$", MAKEFILE, re.MULTILINE)
    assert re.search(r"^tests: unit browser-tests$", MAKEFILE, re.MULTILINE)


def test_ci_tries_the_systems_and_pythons_that_are_promised() -> None:
    """Linux and macOS, from the oldest Python that the package allows to the newest."""
    matrix = read(".github/workflows/tests.yml")["jobs"]["unit"]["strategy"]["matrix"]

    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]


def test_a_commit_is_checked_by_what_make_lint_runs() -> None:
    """The hooks call the same tools as `make lint`, so a commit that passes them passes CI's lint."""
    hooks = read(".pre-commit-config.yaml")["repos"][0]["hooks"]
    lint = re.search(r"^lint: setup\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert lint is not None
    commands = [
        line.strip().replace("$(BIN)", ".venv/bin").removesuffix(" .") for line in lint[1].splitlines()
    ]

    assert [hook["entry"] for hook in hooks] == commands


def test_a_citation_names_the_paper() -> None:
    """The required keys are there, and the method's paper is a reference."""
    citation = read("CITATION.cff")

    assert {"cff-version", "title", "message", "authors"} <= citation.keys()
    assert citation["references"][0]["identifiers"][0]["value"] == "arXiv:2512.04072"


def test_the_docs_build_into_a_site(tmp_path: Path) -> None:
    """Every page of docs/ is in the menu and in the index; no link is broken, and nothing is fetched from elsewhere."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    menu = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))

    assert done.returncode == 0, done.stderr
    assert menu == pages
    assert set(re.findall(r"\]\((\S+\.md)\)", index)) == pages - {"README.md"}
    loaded = [
        match
        for page in tmp_path.glob("*.html")
        for match in re.findall(
            r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]*)"', page.read_text("utf-8")
        )
    ]
    assert loaded == []
