"""Everything at random, for as long as one likes: rounds of a fresh cell, each with a seed of its own.

    make soak SECONDS=600 [SEED=1]         or: python -m tests.faults.soak --seconds 600 [--seed 1] [--round 60]

In a round executions are started and events sent all the time, a cron trigger fires every minute, and one fault after
the other is drawn; then everything is repaired and the checker looks. Prints each round's seed before it begins, so a
failure can be played again with `--seed N --rounds 1`.
"""

import argparse
import asyncio
import random
import sys
import time
import traceback
from collections import Counter

from tests.faults.cell import TWO_OF_EACH, Cell, cell, loud
from tests.faults.faults import draw

SLOW = 15.0  # seconds to the next progress, above which the logs are shown


class Tally:
    """What a soak has done so far."""

    def __init__(self) -> None:
        self.rounds = 0
        self.failed: list[int] = []
        self.kills = 0
        self.faults: Counter[str] = Counter()
        self.executions = 0
        self.tasks = 0
        self.unknown = 0
        self.slowest = 0.0  # seconds from a repair to the next finished execution

    def line(self) -> str:
        kinds = ", ".join(f"{count} {name}" for name, count in self.faults.most_common())
        return (
            f"{self.rounds} rounds, {self.kills} kills ({kinds}); {self.executions} executions, {self.tasks} tasks, "
            f"{self.unknown} calls of unknown outcome; progress at most {self.slowest:.1f} s after a repair; "
            f"failed: {self.failed or 'none'}"
        )


async def one_round(seed: int, seconds: float, tally: Tally) -> None:
    """AssertionError if anything was lost, doubled or stuck."""
    chance = random.Random(seed)
    noise = loud(seed, twice=0.05, late=0.05) if chance.random() < 0.3 else None
    async with cell(TWO_OF_EACH, seed=seed, misses=5, noise=noise) as running:
        tick = await running.load.start_ticking()
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.keep_posting(stop, each=2, pause=0.1))
        try:
            await _break_things(running, chance, time.monotonic() + seconds, posting, tally)
        finally:
            stop.set()
            tally.kills += running.kills()
        await posting
        await running.load.stop_ticking(tick)
        counts = await running.check(certain=False)
        tally.executions += counts["executions"]
        tally.tasks += counts["tasks"]
        tally.unknown += counts["unknown"]


async def _break_things(
    running: Cell, chance: random.Random, end: float, posting: "asyncio.Task[None]", tally: Tally
) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(chance.uniform(0, 1.5))
        fault = draw(chance)
        told = await fault(running, chance)
        if posting.done():
            posting.result()
        tally.faults[fault.__name__] += 1
        took = await running.load.progress()
        tally.slowest = max(tally.slowest, took)
        print(f"  {told}; progress after {took:.1f} s", flush=True)
        if took > SLOW:
            print(running.logs(), flush=True)


async def soak(seconds: float, seed: int, length: float, rounds: int) -> int:
    tally = Tally()
    end = time.monotonic() + seconds
    while tally.rounds < rounds and (time.monotonic() < end or tally.rounds == 0):
        round_seed = seed + tally.rounds
        print(f"round {tally.rounds + 1}: seed {round_seed}", flush=True)
        try:
            await one_round(round_seed, length, tally)
        except Exception:
            traceback.print_exc()
            tally.failed.append(round_seed)
        tally.rounds += 1
        print(tally.line(), flush=True)
    return 1 if tally.failed else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0, help="0: drawn")
    parser.add_argument("--round", type=float, default=60, help="seconds of faults in one round")
    parser.add_argument("--rounds", type=int, default=10**9, help="at most")
    options = parser.parse_args()
    seed = options.seed or random.randrange(1, 10**6) * 1000
    print(f"SEED={seed}", flush=True)
    sys.exit(asyncio.run(soak(options.seconds, seed, options.round, options.rounds)))


if __name__ == "__main__":
    main()
