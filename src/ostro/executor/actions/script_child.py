"""The program of a JavaScript child process: reads a script, evaluates it in a fresh V8 isolate, writes the result.

Run by its path with `python -I`; imports nothing of Ostro, so that it starts fast and holds nothing worth stealing.
A message is 4 bytes of length and JSON. In: {script, context, seconds}. Out: {ok: JSON text} or {error: text}, with
`spent: true` if this process should not be used again.
"""

import json
import os
import resource
import struct
import sys
import threading
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
_PAGE = resource.getpagesize()
_WATCH_SECONDS = 0.02
_OUT_OF_MEMORY = 137  # exit status

# `Function` reports the script's own syntax errors and gives it no way to reach beyond its parameter.
_FRAME = """
(() => {
  const show = JSON.stringify;
  const value = new Function("$", %s)(%s);
  const text = show(value);
  return text === undefined ? "null" : text;
})()
"""


def evaluate(request: dict[str, Any], memory_bytes: int) -> dict[str, Any]:
    from py_mini_racer import JSEvalException, JSOOMException, JSTimeoutException, MiniRacer

    code = _FRAME % (json.dumps(request["script"]), json.dumps(request["context"]))
    try:
        with MiniRacer() as engine, MemoryWatch(memory_bytes):
            engine.set_hard_memory_limit(memory_bytes)
            return {"ok": str(engine.eval(code, timeout_sec=request["seconds"]))}
    except JSTimeoutException:
        return {"error": f"the script did not finish within {request['seconds']:g} seconds"}
    except JSOOMException:
        return {"error": "the script needs too much memory", "spent": True}  # V8 keeps what it took
    except JSEvalException as exc:
        return {"error": reason(str(exc))}


def reason(text: str) -> str:
    """The error itself, without our frame's source and the stack."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line or line.startswith("Uncaught")]
    return (errors or lines or ["unknown error"])[0].partition(": ")[2].removeprefix("Uncaught ")[:2000]


class MemoryWatch:
    """Ends the process when it grows too much: V8's own limit does not count typed arrays, and V8 reserves so
    much address space that the kernel's limits are of no use."""

    def __init__(self, memory_bytes: int) -> None:
        self._limit = _resident() + 3 * memory_bytes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(_WATCH_SECONDS):
            if _resident() > self._limit:
                os._exit(_OUT_OF_MEMORY)


def _resident() -> int:
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * _PAGE


def main(source: BinaryIO, sink: BinaryIO, memory_bytes: int) -> None:
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        request = json.loads(source.read(_LENGTH.unpack(head)[0]))
        answer = json.dumps(evaluate(request, memory_bytes)).encode()
        sink.write(_LENGTH.pack(len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but answers may reach the parent
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    main(sys.stdin.buffer, output, int(sys.argv[1]) * 1024 * 1024)
