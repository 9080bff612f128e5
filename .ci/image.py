"""Carries out the steps of deploy/Dockerfile without Docker: each stage in a folder of its own, with this machine's
Python and Node.js. Then starts what came out as the image would, and asks it for its health and its page.

Usage: image.py
What it cannot show: the base images, the user of the image, what Docker makes of the file's syntax.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from wheel import ROOT, look

NODE = ROOT / "ui" / ".node" / "bin"  # where requirements/page puts it on machines without one
LEFT_OUT = shutil.ignore_patterns("node_modules", ".node", "__pycache__", "ui_dist")  # as Dockerfile.dockerignore


class Stage:
    """One `FROM`: its folder stands for the image's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = "/"
        self.variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("OSTRO_", "PYTHON"))
        }
        self.variables["PATH"] = os.pathsep.join([str(NODE), os.environ["PATH"]])

    def here(self, path: str) -> Path:
        """A path of the image, on this machine."""
        return self.root / os.path.join(self.folder, path).lstrip("/")

    def copy(self, sources: list[str], target: str, origin: "Stage | None") -> None:
        for source in sources:
            found = ROOT / source if origin is None else origin.here(source)
            into = self.here(target)
            if found.is_dir():
                shutil.copytree(
                    found, into, ignore=LEFT_OUT if origin is None else None, symlinks=True, dirs_exist_ok=True
                )
            else:
                into = into / found.name if target.endswith("/") else into
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, into)

    def run(self, line: str) -> None:
        line = line.replace("/opt/ostro", str(self.here("/opt/ostro")))
        line = re.sub(r"^python ", f"{sys.base_prefix}/bin/python3 ", line)  # Debian's has no other name
        self.here(".").mkdir(parents=True, exist_ok=True)
        print(f"RUN {line}", flush=True)
        subprocess.run(
            ["sh", "-c", line], check=True, cwd=self.here("."), env=self.variables, stdout=subprocess.DEVNULL
        )


def build(scratch: Path) -> tuple[Stage, dict[str, str]]:
    """The stage that installs Ostro, and what the last stage sets: an image's settings by instruction."""
    stages: dict[str, Stage] = {}
    last: dict[str, str] = {}
    stage = Stage(scratch)
    text = re.sub(r"\\\n", " ", (ROOT / "deploy" / "Dockerfile").read_text())
    for line in text.splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            title = rest.partition(" AS ")[2]
            stage = stages[title] = Stage(scratch / (title or "last"))
            last = {}
        elif name == "WORKDIR":
            stage.folder = rest
        elif name == "ENV":
            stage.variables |= dict(pair.split("=", 1) for pair in rest.split() if not pair.startswith("PATH="))
        elif name == "COPY" and stage is not stages.get(""):
            *sources, target = [word for word in rest.split() if not word.startswith("--")]
            origin = re.search(r"--from=(\w+)", rest)
            stage.copy(sources, target, stages[origin[1]] if origin else None)
        elif name == "RUN" and stage is not stages.get(""):  # the last one's makes a user
            stage.run(rest)
        elif name and not name.startswith("#"):
            last[name] = rest
    return stages["build"], last


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ostro-image-") as folder:
        stage, last = build(Path(folder))
        assert (json.loads(last["ENTRYPOINT"]), json.loads(last["CMD"])) == (["ostro"], ["serve"]), last
        check = re.search(r"CMD (\[.*\])$", last["HEALTHCHECK"])
        assert check is not None
        _, *health = json.loads(check[1])
        program = stage.here("/opt/ostro/bin")
        look(program / "python", Path(folder), health)
    print("deploy/Dockerfile: its steps give an Ostro that starts, is healthy and serves its page")


if __name__ == "__main__":
    main()
