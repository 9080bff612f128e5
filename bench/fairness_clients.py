"""The clients of bench/fairness.py, each a process of its own.

python -m bench.fairness_clients steady URL TOKEN --seconds 8 --rate 20   # prints what each execution took
python -m bench.fairness_clients flood URL TOKEN --seconds 8              # prints what was done
python -m bench.fairness_clients spin SHARE --seconds 8                   # uses that share of a core
"""

import argparse
import asyncio
import itertools
import json
import os
import time
from collections import Counter
from typing import Any

import aiohttp

KINDS = ("inline", "travelling")
NICE = 10  # of the flood and of what stands in for it: the machine's work for them comes last
_PERIOD = 0.01  # seconds of spinning and sleeping


class Caller:
    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = f"{url}/v2/executions"
        self._headers = {"X-Auth-Token": token}

    async def run(self, workflow: str) -> str:
        """One execution to its end: its state, or the status of a refusal."""
        body = {"workflow_name": workflow}
        headers = {**self._headers, "Prefer": "wait=60"}
        async with self._session.post(self._url, json=body, headers=headers) as answer:
            row: dict[str, Any] = await answer.json()
            if answer.status != 201:
                return str(answer.status)
        while row["state"] == "RUNNING":
            await asyncio.sleep(0.02)
            async with self._session.get(f"{self._url}/{row['id']}", headers=self._headers) as answer:
                row = await answer.json()
        return str(row["state"])


async def steady(caller: Caller, rate: float, seconds: float) -> dict[str, list[float]]:
    """Milliseconds from POST to SUCCESS, by kind; `rate` a second of each kind, whether or not others have ended."""
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}

    async def one(kind: str) -> None:
        began = time.perf_counter()
        state = await caller.run(f"a_{kind}")
        if state != "SUCCESS":
            raise RuntimeError(f"a_{kind}: {state}")
        took[kind].append((time.perf_counter() - began) * 1e3)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(round(rate * seconds * len(KINDS))):
            await asyncio.sleep(max(0.0, began + number / rate / len(KINDS) - time.perf_counter()))
            group.create_task(one(KINDS[number % len(KINDS)]))
    return took


async def flood(caller: Caller, widths: dict[str, int], seconds: float) -> Counter[str]:
    """Keeps as many executions of each workflow in flight; what is refused is tried again at once."""
    done: Counter[str] = Counter()
    end = time.perf_counter() + seconds

    async def keep(workflow: str) -> None:
        while time.perf_counter() < end:
            state = await caller.run(workflow)
            done[workflow if state == "SUCCESS" else state] += 1
            if state != "SUCCESS":
                await asyncio.sleep(0.05)

    await asyncio.gather(*(keep(name) for name, width in widths.items() for _ in range(width)))
    return done


def spin(share: float, seconds: float) -> None:
    end = time.perf_counter() + seconds
    for number in itertools.count(1):
        used = share * _PERIOD * number
        while time.process_time() < used:
            pass
        if time.perf_counter() > end:
            return
        time.sleep(_PERIOD * max(0.1, 1 - share))


async def _with_server(options: argparse.Namespace) -> Any:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        caller = Caller(session, options.where, options.token)
        if options.what == "steady":
            return await steady(caller, options.rate, options.seconds)
        return await flood(caller, json.loads(options.widths), options.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("steady", "flood", "spin"))
    parser.add_argument("where", help="the server's URL; of spin: the share of a core")
    parser.add_argument("token", nargs="?", default="")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--widths", default="{}", help="workflow -> executions in flight, as JSON")
    options = parser.parse_args()
    if options.what != "steady":
        os.nice(NICE)
    found: Any = {}
    if options.what == "spin":
        spin(float(options.where), options.seconds)
    else:
        found = asyncio.run(_with_server(options))
    print(json.dumps({"cpu": time.process_time(), "found": found}))


if __name__ == "__main__":
    main()
