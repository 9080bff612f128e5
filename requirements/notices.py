"""Writes the third-party notices of the wheel: every package that run.txt installs, with its licence.

Usage: notices.py FILE. What the web page is made of tells its own build: ostro/ui_dist/notices.txt.
"""

import re
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

LOCK = Path(__file__).parent / "run.txt"
BUILD_ONLY = {"hatchling", "editables", "pathspec", "pluggy", "trove-classifiers", "packaging"}
_HEAD = """Third-party notices of Ostro

Ostro is under the Apache License 2.0. It needs the packages below, which are installed beside it and are not part of
it; each is under its own licence. The web page holds third-party code: see ui_dist/notices.txt.
"""
_FILES = re.compile(r"(^|/)(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)


def names() -> list[str]:
    """Of packages in the lock, without those that only build Ostro."""
    found = re.findall(r"^([\w.-]+)==", LOCK.read_text("utf-8"), re.MULTILINE)
    return [name for name in sorted(found, key=str.lower) if name.lower() not in BUILD_ONLY]


def notice(package: Distribution) -> str:
    data = package.metadata
    classifiers = [
        line.rpartition(" :: ")[2] for line in data.get_all("Classifier", []) if line.startswith("License ::")
    ]
    stated = data.get("License-Expression") or ", ".join(classifiers) or (data.get("License") or "").partition("\n")[0]
    title = f"{data['Name']} {data['Version']}: {stated or 'see its text'}"
    texts = [
        path.read_text("utf-8", errors="replace").strip()
        for file in package.files or []
        if _FILES.search(str(file)) and (path := Path(str(file.locate()))).suffix in ("", ".txt", ".md", ".rst")
        if path.is_file()
    ]
    return "\n\n".join([f"{'=' * 80}\n{title}\n{'=' * 80}", *dict.fromkeys(texts)])


def main(target: Path) -> None:
    parts = [notice(distribution(name)) for name in names()]
    target.write_text("\n\n".join([_HEAD.strip(), *parts]) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
