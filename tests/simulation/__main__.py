"""The long simulation: `python -m tests.simulation [--seed S] [--events N]`. Prints the seed of what it finds."""

import argparse
import time

from tests.simulation.world import Broken, World


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=int(time.time()), help="of the first run; the next one is +1")
    arguments.add_argument("--events", type=int, default=100_000, help="to simulate in all")
    given = arguments.parse_args()
    print(f"from seed {given.seed}")
    started = time.monotonic()
    done = runs = 0
    while done < given.events:
        world = World(given.seed + runs)
        try:
            done += world.run(150)
        except Broken as found:
            print(found)
            return 1
        runs += 1
    seconds = time.monotonic() - started
    print(f"{done} events in {runs} runs, all invariants held, {seconds:.0f} s ({done / seconds:.0f} events/s)")
    return 0


raise SystemExit(main())
