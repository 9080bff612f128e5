"""`ostro.code`: runs uploaded Python in a child process of its own, with limits on memory, time and output.

The child has no environment, no arguments worth reading and a folder of its own that is gone afterwards. It is not a
prison: it runs as the server's user and may use the network. That is why only administrators may upload code.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from ostro.executor.context import Context
from ostro.executor.outcome import CANCELLED_OUTCOME, WAITING_OUTCOME, Outcome, redacted
from ostro.executor.registry import Action, standard
from ostro.model.actions import ActionFailed
from ostro.model.states import ERROR, SUCCESS
from ostro.ports.code import ACTION, Code

_CHILD: Final = str(Path(__file__).with_name("code_child.py"))
_CHUNK: Final = 1 << 16


class _Answer(msgspec.Struct):
    state: str = ""
    result: Any = None
    error: str | None = None


async def run_code(context: Context, dynamic_action: str, input: dict[str, Any]) -> Outcome:
    """Run the class of a dynamic action. `dynamic_action`: its id; `input`: what its constructor takes."""
    if context.code is None:
        raise ActionFailed(f"The dynamic action {dynamic_action} is not there, or not for this project.")
    code = msgspec.convert(context.code, Code)
    settings = context.services.settings
    request = {
        "content": code.content,
        "class_name": code.class_name,
        "input": input,
        "memory_mb": settings.code_memory_mb,
        "cpu_seconds": int(settings.code_seconds) + 1,
        "context": {
            "project_id": context.project_id,
            "workflow_execution_id": context.workflow_execution_id,
            "task_execution_id": context.task_id,
            "action_execution_id": context.action_execution_id,
            "workflow_name": context.workflow_name,
            "callback_url": context.callback_url,
        },
    }
    with tempfile.TemporaryDirectory(prefix="ostro-code-") as folder:
        answer = await _child(msgspec.json.encode(request), folder, settings.code_seconds, settings.code_max_bytes)
    return _outcome(answer, code, context, input)


def _outcome(answer: _Answer | str, code: Code, context: Context, input: dict[str, Any]) -> Outcome:
    reason = answer if isinstance(answer, str) else answer.error
    if reason is not None:
        raise ActionFailed(
            f"The action raised an exception [action={code.name}, action_ex_id={context.action_execution_id}, "
            f"msg='{redacted(reason, input)}']"
        )
    assert isinstance(answer, _Answer)
    match answer.state:
        case "CANCELLED":
            return CANCELLED_OUTCOME
        case "RUNNING":
            return WAITING_OUTCOME
        case "ERROR":
            return Outcome(ERROR, answer.result)
    return Outcome(SUCCESS, answer.result)


async def _child(message: bytes, folder: str, seconds: float, max_bytes: int) -> _Answer | str:
    """What the child answers, or why it did not. If the caller is cancelled, the child and its children are killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"HOME": folder, "TMPDIR": folder},
        cwd=folder,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            text = await _exchange(process, message, max_bytes)
    except TimeoutError:
        return f"it did not finish within {seconds:g} seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if text is None:
        return f"the result is larger than {max_bytes} bytes"
    try:
        return msgspec.json.decode(text, type=_Answer)
    except msgspec.MsgspecError:
        return "its process ended without a result; it may have needed too much memory or time"


async def _exchange(process: asyncio.subprocess.Process, message: bytes, max_bytes: int) -> bytes | None:
    """All that the child writes; None if it is too much."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(ConnectionError):  # it ended before it had read all: its answer says why
        process.stdin.write(message)
        await process.stdin.drain()
    process.stdin.close()
    found = bytearray()
    while part := await process.stdout.read(_CHUNK):
        found += part
        if len(found) > max_bytes:
            return None
    return bytes(found)


def code_action() -> tuple[str, Action]:
    """The name and the action, for a registry."""
    return standard(ACTION, run_code)
