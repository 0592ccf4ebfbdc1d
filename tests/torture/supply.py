"""What the program stands on: licences of the locked packages, and known weaknesses where the list can be had."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path

from tests.command import ROOT
from tests.torture.score import Score

FREE = re.compile(
    r"apache|mit\b|mit-|bsd|isc\b|python software|psf|mozilla|mpl|unlicense|public domain|zlib|hpnd|0bsd|cc0|boost|zpl",
    re.IGNORECASE,
)
SHUT = re.compile(
    r"\bA?GPL|gnu (affero )?general public|SSPL|business source|proprietary|non-?commercial", re.IGNORECASE
)


def locked() -> dict[str, str]:
    """Package → version of the lock file."""
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def licence(package: str) -> str:
    """What a package says of its licence, in one line; empty where it is not installed."""
    try:
        found = metadata(package)
    except PackageNotFoundError:
        return ""
    classes = [
        one.rpartition("::")[2].strip()
        for one in found.get_all("Classifier") or []
        if one.startswith("License")
    ]
    stated = [
        found.get("License-Expression") or "",
        *classes,
        (found.get("License") or "").strip().split("\n")[0][:80],
    ]
    return "; ".join(one for one in stated if one) or _file_of(package) or "none stated"


def _file_of(package: str) -> str:
    """The first line of the licence that lies beside a package; some state it nowhere else."""
    found = distribution(package)
    texts = (found.read_text(f"{folder}LICENSE") for folder in ("licenses/", ""))
    return next((text.strip().split("\n")[0] for text in texts if text), "")


def licences() -> Score:
    """Every locked package is free to use, and none asks that the program be given away under its own terms."""
    score = Score("Licences of the locked packages", "a free licence without copyleft over the program")
    kinds: dict[str, int] = {}
    for package in sorted(locked()):
        said = licence(package)
        if not said:
            continue  # of another platform or Python
        free = bool(FREE.search(said)) and not (SHUT.search(said) and "LGPL" not in said.upper())
        score.note(package, "" if free else said)
        first = said.split(";")[0]
        kinds[first] = kinds.get(first, 0) + 1
    score.figures["most frequent"] = ", ".join(
        f"{name} ({n})" for name, n in sorted(kinds.items(), key=lambda kv: -kv[1])[:4]
    )
    return score


def audited(folder: Path) -> Score:
    """`pip-audit` over the lock file, where it is installed and its list can be had."""
    score = Score("Known weaknesses of the locked packages", "none that pip-audit knows")
    tool = shutil.which("pip-audit") or shutil.which("pip-audit", path=str(Path(sys.executable).parent))
    if tool is None:
        score.skipped = "pip-audit is not installed."
        return score
    out = folder / "audit.json"
    words = [
        tool,
        "--requirement",
        str(ROOT / "requirements-dev.lock"),
        "--no-deps",
        "--disable-pip",
        "-f",
        "json",
        "-o",
        str(out),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    if not out.is_file():
        score.skipped = f"pip-audit's list could not be had here ({(done.stderr.strip().splitlines() or ['no reason given'])[-1][:120]})."
        return score
    for one in json.loads(out.read_text(encoding="utf-8"))["dependencies"]:
        score.note(one["name"], ", ".join(v["id"] for v in one.get("vulns", [])))
    return score
