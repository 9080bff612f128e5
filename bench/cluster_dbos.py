"""The chain of 20 steps in DBOS, for comparison: `python cluster_dbos.py URL CHAINS IN_FLIGHT`.

Runs in an environment of its own (`pip install dbos`). Prints JSON: steps/s of its threads and of its coroutines.

Needs nothing of Ostro and is never imported by it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbos import DBOS, DBOSConfig  # type: ignore[import-not-found, unused-ignore]

LENGTH = 20


@DBOS.step()  # type: ignore[misc, unused-ignore]
def echo(value: str) -> str:
    return value


@DBOS.workflow()  # type: ignore[misc, unused-ignore]
def chain(value: str) -> str:
    for _ in range(LENGTH):
        value = echo(value)
    return value


@DBOS.step()  # type: ignore[misc, unused-ignore]
async def echo_async(value: str) -> str:
    return value


@DBOS.workflow()  # type: ignore[misc, unused-ignore]
async def chain_async(value: str) -> str:
    for _ in range(LENGTH):
        value = await echo_async(value)
    return value


def threads(chains: int, in_flight: int) -> None:
    with ThreadPoolExecutor(in_flight) as pool:
        assert all(result == "start" for result in pool.map(chain, ["start"] * chains))


def coroutines(chains: int, in_flight: int) -> None:
    async def main() -> None:
        left = iter(range(chains))

        async def starter() -> None:
            for _ in left:
                assert await chain_async("start") == "start"

        await asyncio.gather(*(starter() for _ in range(in_flight)))

    asyncio.run(main())


def rate(way: Callable[[int, int], None], chains: int, in_flight: int) -> float:
    way(in_flight, in_flight)
    began = time.perf_counter()
    way(chains, in_flight)
    return chains * LENGTH / (time.perf_counter() - began)


def main(url: str, chains: int, in_flight: int) -> None:
    config: Any = DBOSConfig(name="bench", system_database_url=url, log_level="ERROR", run_admin_server=False)
    DBOS(config=config)
    DBOS.launch()
    found = {"threads": rate(threads, chains, in_flight)}
    try:
        found["coroutines"] = rate(coroutines, chains, in_flight)
    finally:
        print(json.dumps(found), flush=True)
        DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
