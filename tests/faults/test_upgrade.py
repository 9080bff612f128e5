"""A rolling upgrade: the parts are replaced one at a time while work goes on, old and new side by side."""

import asyncio
import re
import shutil
from pathlib import Path

from tests.faults.cell import TWO_OF_EACH, Cell, cell

SOURCE = Path(__file__).parents[2] / "src" / "ostro"


def newer(folder: Path) -> Path:
    """A copy of the program that says it is another version. Returns the folder for PYTHONPATH."""
    target = folder / "newer"
    shutil.copytree(SOURCE, target / "ostro", ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    init = target / "ostro" / "__init__.py"
    init.write_text(re.sub(r'__version__ = "[^"]+"', '__version__ = "99.0.0"', init.read_text()))
    return target


async def replace(running: Cell, name: str, path: Path) -> None:
    part = running.parts[name]
    assert await asyncio.to_thread(part.stop) == 0, part.said()[-2000:]
    part.use_program(path)
    await asyncio.to_thread(part.start)
    assert "99.0.0" in part.said()


async def test_old_and_new_together() -> None:
    async with cell(TWO_OF_EACH) as running:
        path = newer(running.folder)
        await running.load.post(20)
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop))
        for name in ("e1", "a1", "x1", "a2", "x2", "e2"):
            await replace(running, name, path)
            if name == "e1":
                versions = running.postgres.query("SELECT DISTINCT version FROM engines WHERE state = 'live'")
                assert len(versions) == 2
        stop.set()
        await posting
        await running.check()
