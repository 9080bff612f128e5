"""PostgreSQL's disk is full, then it is not any more."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import servers
from tests.faults.cell import ONE_ENGINE, cell

SIZE = 200 << 20


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own for what is below a folder. Skips the test where that is not allowed."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_full_and_empty_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = servers.new_folder("ostro-faults-disk-")
    monkeypatch.setattr("tests.faults.cell.new_folder", lambda _: folder)
    with small_disk(folder / "primary"):
        async with cell(ONE_ENGINE) as running:
            await running.load.post(20)
            stop = asyncio.Event()
            posting = asyncio.create_task(running.load.keep_posting(stop, each=8))
            filler = folder / "primary" / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))
            assert os.statvfs(folder / "primary").f_bavail == 0
            await asyncio.sleep(3)
            filler.unlink()
            await asyncio.to_thread(running.postgres.revive)
            await running.note_progress("disk has room again")
            stop.set()
            await posting
            await running.check()
