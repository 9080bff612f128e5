"""Makes docs/images/run.svg: what `ostro run examples/workflows/deploy.yaml deploy` shows at its end. Real output.

Usage: .venv/bin/python docs/images/make.py
"""

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from ostro.cli.run import run_workflow
from ostro.cli.views import LiveTree
from ostro.config import load
from ostro.model.commands import StartExecution

FOLDER = Path(__file__).parent
WORKFLOW = FOLDER.parents[1] / "examples" / "workflows" / "deploy.yaml"


def main() -> None:
    console = Console(record=True, width=84, file=io.StringIO(), force_terminal=False)
    with tempfile.TemporaryDirectory() as scratch:
        settings = load({"database": f"{scratch}/ostro.sqlite3"})
        start = StartExecution(root_id="")
        asyncio.run(run_workflow(settings, WORKFLOW.read_text(), "deploy", start, lambda: LiveTree(console)))
    svg = console.export_svg(title="ostro run examples/workflows/deploy.yaml deploy")
    svg = svg.replace("<!-- Generated with Rich https://www.textualize.io -->", "")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no downloads of fonts
    (FOLDER / "run.svg").write_text(re.sub(r"[ \t]+\n", "\n", svg))


if __name__ == "__main__":
    main()
