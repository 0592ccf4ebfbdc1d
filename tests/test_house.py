"""What holds for the code as a whole: what it imports, what it never calls, and that its tables agree."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_factory.reasons import REASONS, Level, sentence
from tests import command

CODE = sorted(
    [*command.ROOT.glob("skill_factory/**/*.py"), *command.ROOT.glob("pages/*.py"), command.ROOT / "app.py"]
)
HEAVY = (
    "streamlit",
    "ray",
    "datasets",
    "pandas",
    "altair",
    "math_verify",
    "tokenizers",
    "huggingface_hub",
    "torch",
    "transformers",
    "sympy",
    "upath",
    "s3fs",
)


def named(path: Path) -> str:
    """A file's path as tests show it."""
    return str(path.relative_to(command.ROOT))


def trees() -> Iterator[tuple[str, ast.AST]]:
    """Every file of the program, parsed."""
    for path in CODE:
        yield named(path), ast.parse(path.read_text(encoding="utf-8"))


def dotted(node: ast.AST) -> str:
    """`a.b.c` for an attribute of an attribute of a name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls() -> Iterator[tuple[str, int, str, ast.Call]]:
    """(file, line, dotted name, call) of every call in the program."""
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield name, node.lineno, dotted(node.func), node


# ------------------------------------------------------------------------------------------- imports


@pytest.mark.parametrize(
    "module", ["skill_factory.cli.main", "skill_factory.build.pipeline", "skill_factory.build.engines.local"]
)
def test_the_command_imports_nothing_heavy(module: str) -> None:
    """Streamlit belongs to the app; other large or optional packages are imported where they are used."""
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert command.python("-c", code).out.strip() == "[]"


def test_a_build_imports_nothing_heavy(tmp_path: Path) -> None:
    """Nor does a whole build of the demo, from the first row to the card."""
    code = (
        "import sys; from skill_factory.cli.main import main; main(sys.argv[1:]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules and name != 'pandas'])"  # Arrow takes it along
    )
    done = command.python("-c", code, "build", "demo:20", "--out", tmp_path / "out")
    assert done.out.splitlines()[-1] == "[]", done.err


def test_the_core_does_not_know_the_app() -> None:
    """Imports point one way: only the app, its pages and `skill_factory/ui` import Streamlit or `skill_factory.ui`."""
    found = []
    for name, tree in trees():
        if name == "app.py" or name.startswith(("pages/", "skill_factory/ui/")):
            continue
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [
                f"{name}: {m}"
                for m in modules
                if m.split(".")[0] == "streamlit" or m.startswith("skill_factory.ui")
            ]
    assert found == []


PACKAGE = command.ROOT / "skill_factory"
ROOMS = (
    "ground",
    "recipe",
    "formats",
    "hub",
    "sources",
    "judge",
    "overlap",
    "grading",
    "traces",
    "build",
    "generate",
    "trainers",
    "insight",
    "suites",
    "publish",
    "measure",
    "training",
    "cli",
    "work",
    "ui",
    "doors",
)
"""The rooms from the ground up; a module imports from its own room and from those before it."""
DOORS = ("api", "__main__", "sft_data_creation")
"""Modules of the package's root that stand on top of all rooms; its other modules are the ground."""


def room_of(module: str) -> str:
    """The room of a dotted name below `skill_factory`."""
    first = module.split(".")[1] if "." in module else ""
    return "doors" if first in DOORS else first if first in ROOMS else "ground"


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that a file imports from the package, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_imports_run_from_the_later_rooms_to_the_earlier() -> None:
    """A format knows nothing of builds, a build nothing of pages: a room can be read without those that come after it."""
    upwards = [
        f"{file}:{line} {module}"
        for file, tree in trees()
        if file.startswith("skill_factory/")
        for line, module in imported(tree)
        if module.startswith("skill_factory")
        and ROOMS.index(room_of(module)) > ROOMS.index(room_of(file.removesuffix(".py").replace("/", ".")))
    ]
    assert upwards == []


def test_the_table_of_rooms_is_that_of_the_imports() -> None:
    """CONTRIBUTING lists every room in the order in which rooms may import, so a newcomer can trust the table."""
    text = (command.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `?([a-z]+)", text.partition("## The house")[2], re.MULTILINE)
    assert tuple(name for name in listed if name != "room") == ROOMS


def test_no_page_imports_another_page() -> None:
    """What two pages of the app share stands in `ui/frame`, so that a page can be changed by itself."""
    pages = {path.name for path in (PACKAGE / "ui").iterdir() if path.is_dir()} - {"frame", "entrance"}
    assert {"start", "data", "choose", "look", "finish"} <= pages
    found = []
    for file, tree in trees():
        own = Path(file).parts[2] if file.startswith("skill_factory/ui/") else ""
        if own not in pages | {"frame"}:
            continue
        for line, module in imported(tree):
            parts = module.split(".")
            if parts[:2] == ["skill_factory", "ui"] and len(parts) > 2 and parts[2] in pages - {own}:
                found.append(f"{file}:{line} {module}")
    assert found == []


def folders() -> Iterator[tuple[Path, list[Path]]]:
    """Every folder of the package that holds Python files, with these."""
    for folder in [PACKAGE, *(path for path in sorted(PACKAGE.rglob("*")) if path.is_dir())]:
        if files := sorted(folder.glob("*.py")):
            yield folder, files


def test_a_folder_is_a_room_not_a_warehouse() -> None:
    """At most 26 files in a folder, and 16 in the package's root."""
    crowded = {named(f): len(files) for f, files in folders() if len(files) > (16 if f == PACKAGE else 26)}
    assert crowded == {}


def test_every_room_tells_its_act() -> None:
    """The docstring of a room's `__init__` says what happens in it."""
    silent = [
        named(folder)
        for folder, files in folders()
        if not (folder / "__init__.py").exists()
        or not ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    ]
    assert silent == []


# ---------------------------------------------------------------------------------- what is never called

FORBIDDEN = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "pickle.load",
    "pickle.loads",
    "marshal.load",
    "marshal.loads",
    "yaml.load",
    "os.system",
    "os.popen",
}


def test_nothing_runs_text_as_code() -> None:
    """No eval, exec, pickle, unsafe YAML or shell anywhere: data and recipes are data."""
    assert [f"{file}:{line} {name}" for file, line, name, _ in calls() if name in FORBIDDEN] == []


def test_no_process_is_started_through_a_shell() -> None:
    """`shell=True` would read file names as commands."""
    found = [
        f"{file}:{line}"
        for file, line, _, call in calls()
        for word in call.keywords
        if word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
    ]
    assert found == []


def test_no_global_randomness() -> None:
    """Choices come from keys; `random.Random(seed)` of one's own is the only other way, numpy's global none."""
    bad = [
        f"{file}:{line} {name}"
        for file, line, name, _ in calls()
        if re.match(r"random\.(?!Random$)\w+$", name)
        or re.match(r"(np|numpy)\.random\.(?!default_rng$|Generator$|Philox$)\w+$", name)
        or name in ("uuid.uuid1",)
    ]
    assert bad == []
    # The app's own conveniences and pauses between requests decide nothing that is written.
    free = ("skill_factory/ui/", "skill_factory/generate/")
    unseeded = [
        f"{file}:{line}"
        for file, line, name, call in calls()
        if name == "random.Random" and not call.args and not file.startswith(free)
    ]
    assert unseeded == []


def test_python_s_own_hash_decides_nothing() -> None:
    """`hash()` differs from run to run; only the keys of the app's own widgets may hold it."""
    assert [
        f"{file}:{line}" for file, line, name, _ in calls() if name == "hash" and "/ui/" not in file
    ] == []


def test_input_of_a_person_is_not_checked_by_assert() -> None:
    """`python -O` takes asserts away."""
    found = [
        f"{name}:{node.lineno}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_every_text_file_is_opened_as_utf_8() -> None:
    """`read_text`, `write_text` and `open` in text mode name their encoding: Windows would take another."""
    found = []
    for file, line, name, call in calls():
        words = {word.arg for word in call.keywords}
        text = name.endswith((".read_text", ".write_text"))
        if name == "open" or (name.endswith(".open") and call.args):
            mode = next(
                (a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)), "r"
            )
            text = name == "open" and "b" not in str(mode)
        if text and "encoding" not in words and len(call.args) < 1 + name.endswith((".write_text", "open")):
            found.append(f"{file}:{line} {name}")
    assert found == []


# ----------------------------------------------------------------------------------------------- names


def test_files_are_named_for_what_they_hold() -> None:
    """No utils, helpers, managers, common or misc."""
    vague = re.compile(r"util|helper|manager|common|misc|stuff")
    assert [named(path) for path in CODE if vague.search(path.stem)] == []


def test_every_module_says_what_it_is() -> None:
    """A docstring each; an empty `__init__` needs none."""
    assert [
        name
        for name, tree in trees()
        if isinstance(tree, ast.Module) and tree.body and not ast.get_docstring(tree)
    ] == []


HOST = re.compile(r"pypi\.|files\.pythonhosted|/(?:root|home|work)/|/tmp/")


def test_no_path_of_a_machine_stands_in_the_code() -> None:
    """Neither a home nor a temporary folder."""
    found = [
        f"{named(path)}:{number}"
        for path in CODE
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if HOST.search(line)
    ]
    assert found == []


# --------------------------------------------------------------------------------------- plain English

PLAIN_ROOMS = (*ROOMS, "pages")
"""Rooms whose strings and docstrings are in plain English."""
PLAIN = {
    "isn't a …": r"(?<!\bthere )(?<!\bThere )\b(?:is|are|was|were) no (?!longer\b|more\b|such\b)",
    "again": r"\banew\b",
    "fix": r"\bmend(?:s|ed|ing)?\b",
    "expect, forecast": r"\bfore(?:tell|tells|told|see|sees|seen)\b",
    "dataset": r"\b[Dd]ata sets?\b",
    "this data is": r"\b(?:these|those) data\b|\b(?:[Tt]he|[Rr]aw) data (?:are|have|were|hold|need|stay)\b",
    "reflection": r"\b[Cc]riti(?:que|c)s?\b",
    "resume, continue": r"\b[Gg]o(?:es|ne)? on (?:with|where)\b|\b[Gg]o on,",
    "minimum, maximum": r"\bat (?:most|least) [^.]{0,20}\bat (?:most|least)\b",
    "like this": r"\bcan't \w+ so[.:]",
    "killed": r"\bended from outside\b",
    "per": r"\b(?:tokens|answers|characters|requests|reflections) an? (?:second|question|token|output)\b",
    "(end with what is meant, not with) is": r"^(?:Whether|Which) [^,.:;]+ (?:is|are|does)\.$",
}
"""What to write → the turns of phrase that read like a translation. Codes, and what stands in backticks, are not read."""


def prose(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of the strings of a file that people may read: those with a space in them, docstrings too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text:
            yield node.lineno, re.sub(r"`[^`]*`", "", text)


def plain_room(file: str) -> str:
    """The room of a file as PLAIN_ROOMS names it."""
    parts = Path(file).parts
    return "pages" if parts[0] == "pages" else parts[1] if len(parts) > 2 else "ground"


@pytest.mark.parametrize(("write", "pattern"), PLAIN.items())
def test_people_read_plain_english(write: str, pattern: str) -> None:
    """A short way to say it, as the field says it: "dataset", "again", "resume"."""
    found = [
        f"{file}:{line} write “{write}”: {text[:80]!r}"
        for file, tree in trees()
        if plain_room(file) in PLAIN_ROOMS
        for line, text in prose(tree)
        if re.search(pattern, text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "'x' is no Hub dataset",
        "Save the recipe anew",
        "Mend that line, or mend it",
        "what a pilot foretold",
        "a data set of traces",
        "Will these data do?",
        "its critiques",
        "go on with it",
        "It goes on where it was.",
        "Raw data are written as Parquet.",
        "The model can't sample so: too hot.",
        "at most 3 wrong ones at most",
        "It was ended from outside.",
        "40 tokens a second",
        "Whether a reflection is.",
    ],
)
def test_the_turns_of_a_translation_are_recognised(text: str) -> None:
    """Each pattern finds its kind, in a sentence that once stood here."""
    assert any(re.search(pattern, text, re.IGNORECASE) for pattern in PLAIN.values())


@pytest.mark.parametrize(
    "text",
    [
        "There is no file",
        "It is no longer here",
        "Fix that line",
        "2 tokens",
        "The data is ready",
        "A critical path",
    ],
)
def test_plain_sentences_are_left_alone(text: str) -> None:
    """What a native engineer writes is not refused."""
    assert not any(re.search(pattern, text) for pattern in PLAIN.values())


# ----------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("level", Level)
def test_every_reason_has_a_sentence(level: Level) -> None:
    """A person reads half a sentence for each code; no two of a level read the same."""
    said = [sentence(level, reason) for reason in REASONS[level]]
    assert all(said)
    assert len(set(said)) == len(said)


def test_every_error_is_of_the_tree() -> None:
    """What the user can mend is a SkillFactoryError, so that the command ends with a sentence."""
    from skill_factory import errors

    found = [one for one in vars(errors).values() if isinstance(one, type)]
    assert all(issubclass(one, errors.SkillFactoryError) for one in found)
    drawn = errors.__doc__ or ""
    assert [one.__name__ for one in found if one.__name__ not in drawn] == []


def requirements() -> dict[str, str]:
    """Package → the versions that `requirements.txt` allows."""
    text = (command.ROOT / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    found = [re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?(.*)", line) for line in lines if line]
    return {m[1]: m[2] for m in found if m}


def test_requirements_have_a_lower_bound_and_an_upper_major() -> None:
    """A new major version of a package breaks nobody's installation."""
    assert {
        name: pin for name, pin in requirements().items() if not re.fullmatch(r">=\d[\d.]*,<\d[\d.]*", pin)
    } == {}


def test_requirements_are_those_of_the_project() -> None:
    """pyproject reads requirements.txt: there is one list; its extras have upper bounds too."""
    project = tomllib.loads((command.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}
    extras = [line for lines in project["project"]["optional-dependencies"].values() for line in lines]
    assert [line for line in extras if not re.search(r">=\d[\d.]*,<\d[\d.]*$", line)] == []


CARRIED = {"yarl", "re2", "starlette"}
"""What required packages require themselves (aiohttp's addresses, Streamlit's server), and what google-re2 is imported as."""


def _of_a_script(name: str) -> set[str]:
    """The packages in the head of a script (PEP 723), which runs in a Python of its own."""
    head = (command.ROOT / name).read_text(encoding="utf-8").partition("# ///\n")
    return set(re.findall(r'^#   "([\w-]+)', head[0], re.MULTILINE)) if head[1] else set()


def test_what_is_imported_at_the_top_is_required() -> None:
    """Every package that a module of the program imports at its top stands in requirements.txt or in Python itself."""
    known = (
        {name.lower().replace("-", "_") for name in requirements()}
        | set(sys.stdlib_module_names)
        | {"skill_factory", *CARRIED}
    )
    found = set()
    for name, tree in trees():
        for node in getattr(tree, "body", []):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            ours = known | _of_a_script(name)
            found |= {f"{name}: {module}" for module in modules if module.split(".")[0] not in ours}
    assert sorted(found) == []


LATER = {"yaml", "httpx2", "vl_convert"}
"""The Hub client's own YAML and HTTP, and what vl-convert-python is imported as."""
OPTIONAL = {"ray", "upath", "math_verify", "mpmath", "sympy", "tokenizers", "truststore"}
"""What is used where it is installed: the extras of pyproject.toml and what they bring, and certificates of the system."""


def test_what_is_imported_later_is_required_too() -> None:
    """A package that only another one happens to bring would be gone when that one drops it: `jinja2` came with altair."""
    known = {name.lower().replace("-", "_") for name in requirements()} | set(sys.stdlib_module_names)
    known |= {"skill_factory", *CARRIED, *LATER, *OPTIONAL}
    found = set()
    # `training/script.py` is what a training runs, in an environment of its own.
    for name, tree in ((name, tree) for name, tree in trees() if name != "skill_factory/training/script.py"):
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {f"{name}: {module}" for module in modules if module.split(".")[0] not in known}
    assert sorted(found) == []
