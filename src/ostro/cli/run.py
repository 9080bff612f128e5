"""`ostro run`: one execution in this process, watched until it ends.

Guarantees: the same engine as the server's; nothing is left behind unless a database was named; the first Ctrl-C
cancels the execution, a second one gives up waiting for that.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ostro.app import Core, create_api, open_core
from ostro.cli.automation_local import is_automation
from ostro.cli.local import choose, upload, upload_automation
from ostro.cli.progress import Progress, node_of
from ostro.cli.run_report import report
from ostro.cli.values import read_values
from ostro.cli.views import LiveTree, Plain, View
from ostro.config import Settings, database_url
from ostro.model.automation import NAMESPACE
from ostro.model.commands import ChangeExecution, StartExecution
from ostro.model.errors import InvalidInput, OstroError
from ostro.model.states import CANCELLED, ERROR, PAUSED, SUCCESS, is_completed

_STATUS = {SUCCESS: 0, ERROR: 1, CANCELLED: 3, PAUSED: 4}
_GAVE_UP = 130
_LOOK_EVERY = 0.1  # seconds between two looks at a running execution


@dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    file: Path
    workflow: str | None
    input: Sequence[str]
    env: Sequence[str]
    as_json: bool
    database: str | None


def run_file(request: Request, settings: Settings) -> int:
    """Run a workflow of a file; the exit status. Raises OstroError if it cannot begin."""
    text = _read(request.file)
    input = read_values("--input", request.input)
    env = read_values("--env", request.env)
    with contextlib.ExitStack() as stack:
        if request.database is not None:
            database, durability = database_url(request.database), settings.durability
        else:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="ostro-run-"))
            database, durability = database_url(f"{scratch}/ostro.sqlite3"), "normal"
        settings = msgspec.structs.replace(settings, database=database, durability=durability, drain=1.0)
        start = StartExecution(root_id="", input=input, params=_params(env))
        make_view = (lambda: None) if request.as_json else _for_stdout
        return asyncio.run(run_workflow(settings, text, request.workflow, start, make_view))


def _params(env: dict[str, Any]) -> dict[str, Any]:
    return {"env": env} if env else {}


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: {getattr(error, 'strerror', None) or error}") from None


async def run_workflow(
    settings: Settings, text: str, wanted: str | None, start: StartExecution, make_view: Callable[[], View | None]
) -> int:
    """Run a workflow of a text with the input and params of `start`, and show it; the exit status. Without a view one
    JSON document is printed at the end."""
    async with open_core(settings) as core:
        start = await _prepared(core, text, wanted, start)
        command = msgspec.structs.replace(start, root_id=core.engine.new_id())
        execution, _ = await core.engine.submit(command)
        progress = Progress(core.store, execution.id)
        view = make_view()
        try:
            return await _watch(core, progress, view)
        finally:
            if progress.executions and view is None:
                print(report(progress))
            elif progress.executions and view is not None:
                output = progress.execution.output
                view.end(progress, None if output is None else json.loads(output))


async def _prepared(core: Core, text: str, wanted: str | None, start: StartExecution) -> StartExecution:
    """Store what the text defines; the command with the workflow to run."""
    api = create_api(core)
    if not is_automation(text):
        return msgspec.structs.replace(start, workflow=choose(await upload(core, api, text), wanted))
    if wanted is not None:
        raise InvalidInput(f"The file is an automation and has no workflow '{wanted}'.")
    uid = await upload_automation(api, text)
    user = {"token": os.environ.get("OSTRO_TOKEN") or None}
    return msgspec.structs.replace(start, workflow=uid, namespace=NAMESPACE, input={"INPUT": start.input}, user=user)


async def _watch(core: Core, progress: Progress, view: View | None) -> int:
    """Show the execution until it has finished, or nothing but a person can move it."""
    with _cancelling(core, progress) as gave_up:
        while True:
            await _look(progress, view)
            root = progress.execution
            if is_completed(root.state) or root.state == PAUSED:
                await _look(progress, view)
                return _STATUS[root.state]
            if gave_up.is_set():
                return _GAVE_UP
            await core.engine.wait_finished(root.id, root.id, _LOOK_EVERY)


async def _look(progress: Progress, view: View | None) -> None:
    changed = await progress.refresh()
    if view is not None:
        view.show(progress, [node_of(record) for record in changed])


@contextlib.contextmanager
def _cancelling(core: Core, progress: Progress) -> Iterator[asyncio.Event]:
    """While inside, Ctrl-C cancels the execution; the second one sets the event."""
    gave_up = asyncio.Event()
    requests: list[asyncio.Task[None]] = []

    async def cancel() -> None:
        id = progress.execution.id
        with contextlib.suppress(OstroError):  # it has just finished
            await core.engine.submit(ChangeExecution(root_id=id, execution_id=id, state=CANCELLED))

    def on_signal() -> None:
        if requests:
            gave_up.set()
        else:
            requests.append(asyncio.create_task(cancel()))

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield gave_up
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _for_stdout() -> View:
    return LiveTree() if sys.stdout.isatty() else Plain()
