"""A short soak: everything at random once. The long one is `make soak`."""

from tests.faults.cell import SEED
from tests.faults.soak import Tally, one_round


async def test_everything_at_random() -> None:
    print(f"OSTRO_TEST_SEED={SEED}")
    tally = Tally()
    await one_round(SEED, 10, tally)
    assert tally.executions
