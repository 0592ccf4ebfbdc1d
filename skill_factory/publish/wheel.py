"""This package as a wheel, made from the files that are running: no checkout, build tool or index is needed."""

import base64
import hashlib
import zipfile
from pathlib import Path

from skill_factory import __version__

PACKAGE = Path(__file__).parents[1]


def pack_wheel(folder: Path) -> Path:
    """Write the wheel into a folder and return its path; the same files give the same bytes."""
    name = f"skill_factory-{__version__}"
    texts = {
        f"{name}.dist-info/METADATA": _metadata(),
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: skill-factory\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents = _package_files() | {path: text.encode() for path, text in texts.items()}
    record = f"{name}.dist-info/RECORD"
    # The installer checks each file against this list, which can't hold a hash of itself.
    lines = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in contents.items()]
    contents[record] = "".join(f"{line}\n" for line in [*lines, f"{record},,"]).encode()
    target = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, content in contents.items():
            # A fixed date, so that the same files give the same bytes.
            wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return target


def _package_files() -> dict[str, bytes]:
    # Sorted, since a file system may list them in any order, and the order would be in the bytes.
    paths = sorted(p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in paths}


def _metadata() -> str:
    needs = "".join(f"Requires-Dist: {line}\n" for line in requirements())
    return f"Metadata-Version: 2.1\nName: skill-factory\nVersion: {__version__}\nRequires-Python: >=3.11\n{needs}"


def requirements() -> list[str]:
    """What the package needs: from the checkout's list, otherwise as it was installed."""
    listed = PACKAGE.parent / "requirements.txt"
    if listed.is_file():
        lines = (line.partition("#")[0].strip() for line in listed.read_text("utf-8").splitlines())
        return [line for line in lines if line and not line.startswith("-")]
    from importlib.metadata import requires

    # Extras aren't needed to build.
    return [line for line in requires("skill-factory") or [] if "extra ==" not in line]


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
