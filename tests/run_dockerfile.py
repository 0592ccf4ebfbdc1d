"""Carry out the Dockerfile's steps without Docker: as an ordinary user, in an empty folder, with the same commands.

    python tests/run_dockerfile.py [FOLDER]

A fresh environment of the system's Python stands for the image; /home/user is FOLDER/home. Needs root (to become user
1000), a package index, and port 8501 free. Ends with what the health check says of the started app.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGE_HOME = "/home/user"
PYTHON = "/usr/bin/python3.11"


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and argument of each line, continued lines joined, comments left out."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = (line for line in joined.splitlines() if line.strip() and not line.startswith("#"))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def ignored() -> "shutil._IgnoreType":  # type: ignore[name-defined]
    """What .dockerignore keeps out of the build's context, as copytree wants to be told."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.removeprefix("**/") for line in lines if line and not line.startswith("#")]
    return shutil.ignore_patterns(*patterns)


class Container:
    """A folder that is treated as the image would be."""

    def __init__(self, folder: Path) -> None:
        self.home, self.context = folder / "home", folder / "context"
        self.env = {"PATH": f"{folder / 'image' / 'bin'}:/usr/bin:/bin", "HOME": str(self.home)}
        self.env |= {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        self.place, self.health = self.home, ["true"]
        subprocess.run([PYTHON, "-m", "venv", "--system-site-packages", folder / "image"], check=True)
        shutil.copytree(ROOT, self.context, ignore=ignored())
        self.home.mkdir()
        for path in (folder, self.home):
            os.chown(path, 1000, 1000)
            path.chmod(0o755)

    def here(self, text: str) -> str:
        return text.replace(IMAGE_HOME, str(self.home))

    def command(self, line: list[str]) -> list[str]:
        return ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", *line]

    def step(self, name: str, rest: str) -> None:
        print(f"{name} {rest}", flush=True)
        if name == "ENV":
            for key, value in re.findall(r"(\w+)=(\S+)", rest):
                self.env[key] = self.here(value).replace("$PATH", self.env["PATH"])
        elif name == "WORKDIR":
            self.place = Path(self.here(rest))
            self.place.mkdir(parents=True, exist_ok=True)
            os.chown(self.place, 1000, 1000)
        elif name == "COPY":
            self.copy(rest.split()[1:])
        elif name == "RUN" and not rest.startswith("useradd"):
            subprocess.run(self.command(["sh", "-c", rest]), cwd=self.place, env=self.env, check=True)
        elif name == "HEALTHCHECK":
            self.health = json.loads(rest[rest.index("CMD ") + 4 :])
        elif name == "CMD":
            self.start(json.loads(rest))

    def copy(self, names: list[str]) -> None:
        *sources, _target = names
        for source in sources:
            if source == ".":
                shutil.copytree(self.context, self.place, dirs_exist_ok=True)
            else:
                shutil.copy(self.context / source, self.place / source)
        for path in self.place.rglob("*"):
            os.chown(path, 1000, 1000)

    def start(self, line: list[str]) -> None:
        """Start the app, ask the health check until it is content, look at the first page, stop the app."""
        app = subprocess.Popen(self.command(line), cwd=self.place, env=self.env)
        try:
            for _ in range(60):
                time.sleep(1)
                if (
                    subprocess.run(self.command(self.health), env=self.env, capture_output=True).returncode
                    == 0
                ):
                    print("healthy, as user", os.stat(f"/proc/{app.pid}").st_uid)
                    return
            sys.exit("the health check never passed")
        finally:
            app.terminate()
            app.wait(20)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="dockerfile-"))
    folder.mkdir(exist_ok=True)
    container = Container(folder)
    for name, rest in instructions((ROOT / "Dockerfile").read_text()):
        container.step(name, rest)


if __name__ == "__main__":
    main()
