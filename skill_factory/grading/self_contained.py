"""The reward as one file that needs nothing of this package: its own modules, one after the other, imports first."""

import ast
import re
from collections import Counter
from importlib.resources import files

from skill_factory.grading.answers import USUAL_NAMES, BlockNames
from skill_factory.grading.reward import ANSWER_ALONE, Weights
from skill_factory.grading.tasks import Task

_MODULES = (
    "answers",
    "plain",
    "numerals",
    "nouns",
    "units",
    "moments",
    "choices",
    "countdown",
    "expressions",
    "values",
    "constants",
    "decisions",
    "algebra",
    "quantities",
    "groups",
    "regions",
    "readings",
    "listing",
    "comparing",
    "tasks",
    "equivalence",
    "reward",
)
_PACKAGE = "skill_factory.grading"
_HEAD = '''\
"""A reward for answers in <answer> tags, for verl (compute_score, compute_score_counted, compute_score_batch), TRL
(trl_reward), and rubrics of verifiers and prime-rl (rubric_reward, with rubric_unjudged as a metric).

Written by SkillFactory Studio from its own grading; it needs Python 3.11 and nothing else. Where the package
math-verify is installed, it compares the constants that floats can't tell apart; without it they are not equal.
"""
'''


def reward_source(
    task: Task = Task.AUTO, weights: Weights = ANSWER_ALONE, names: BlockNames = USUAL_NAMES
) -> str:
    """The text of `reward.py` with this task, these weights and these tag names as its defaults."""
    folder = files(_PACKAGE)
    texts = {name: folder.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in _MODULES}
    modules = [_parted(text) for text in _told_apart(texts)]
    imports = sorted(
        {line for head, _ in modules for line in head}, key=lambda line: (line.startswith("from"), line)
    )
    source = "\n\n\n".join([_HEAD + "\n" + "\n".join(imports), *(body for _, body in modules)]) + "\n"
    for told, default in (
        (f"DEFAULT_TASK = {task.name!r}", 'DEFAULT_TASK = "auto"'),
        (f"DEFAULT_WEIGHTS = {weights!r}", "DEFAULT_WEIGHTS = ANSWER_ALONE"),
        (f"DEFAULT_NAMES = {names!r}", "DEFAULT_NAMES = USUAL_NAMES"),
    ):
        source = source.replace(default, told)
    return source


def _told_apart(texts: dict[str, str]) -> list[str]:
    """The modules' texts; a private name that two of them define gets its module's name behind it."""
    names = {module: _private_names(text) for module, text in texts.items()}
    often = Counter(name for found in names.values() for name in found)
    told = []
    for module, text in texts.items():
        for name in sorted(one for one in names[module] if often[one] > 1):
            text = re.sub(rf"(?<![\w.]){name}\b", f"{name}_{module}", text)
        told.append(text)
    return told


def _private_names(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in found if name.startswith("_")}


def _parted(source: str) -> tuple[list[str], str]:
    """A module's imports from outside the package, and its body without docstring and imports."""
    tree, lines = ast.parse(source), source.splitlines()
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    outside = [ast.unparse(node) for node in imports if not getattr(node, "module", "").startswith(_PACKAGE)]
    first = max([node.end_lineno or 0 for node in imports], default=tree.body[0].end_lineno or 0)
    return outside, "\n".join(lines[first:]).strip()
