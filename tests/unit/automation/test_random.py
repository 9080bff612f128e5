"""Random automations, servers and disturbances: nothing is lost, doubled or stuck, and the end is the same.

`OSTRO_AUTOMATION_RUNS` sets how many are tried.
"""

import os
import random
from typing import Any

import pytest

from ostro.model import commands as c
from tests.unit.automation.test_steps import URL, automation, ok
from tests.unit.automation.world import World, answer, broken

RUNS = int(os.environ.get("OSTRO_AUTOMATION_RUNS", "25"))


class Moody:
    """Answers by a plan: the n-th call of a URL always ends the same way, whenever it comes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.tries: dict[str, int] = {}

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        url = request["url"]
        self.tries[url] = self.tries.get(url, 0) + 1
        mood = random.Random(f"{self.seed} {url} {self.tries[url]}").random()
        if mood < 0.25:
            return answer(503, {"n": self.tries[url]})
        if mood < 0.35:
            return broken("connect")
        if mood < 0.45:
            return broken("read")
        if mood < 0.5:
            return answer(503, retry_after=3.0)
        if mood < 0.53:
            return answer(404)
        return ok(request)


def random_automation(dice: random.Random) -> dict[str, Any]:
    steps = []
    for number in range(dice.randint(1, 4)):
        calls = [
            {"url": f"{URL}{number}/{call}/{{{{ CURRENT_STEP.input }}}}", "method": dice.choice(["GET", "POST"])}
            for call in range(dice.choice([1, 1, 1, 2]))
        ]
        steps.append(
            {
                "name": f"step {number}",
                "apispec": calls,
                "concurrency": dice.randint(1, 4),
                "input": dice.choice([None, "INPUT.v", "INPUT.v", "INPUT.one"]),
                "output": dice.choice([None, f"s{number}", f"{{{{ {{'s{number}': CURRENT_STEP.result}} }}}}"]),
                "retry": {
                    "total": dice.choice([0, 3, 8]),
                    "status_forcelist": [503],
                    "allowed_methods": dice.choice([None, ["GET"]]),
                    "backoff_factor": dice.choice([0, 0.5]),
                },
            }
        )
    return automation(*steps)


def outcome(world: World) -> tuple[Any, ...]:
    return world.state, world.output if world.state == "SUCCESS" else None, [row.state for row in world.tasks]


def disturb(world: World, dice: random.Random) -> None:
    chance = dice.random()
    if chance < 0.15:
        world.crash()
    elif chance < 0.3 and world.root_id in world.engine.trees:
        world.engine.forget(world.root_id)
        world.engine.settle()
    elif chance < 0.4 and world.state == "RUNNING":
        for state in ("PAUSED", "RUNNING"):
            if world.state in ("RUNNING", "PAUSED"):
                world.do(c.ChangeExecution(root_id=world.root_id, execution_id=world.root_id, state=state))


@pytest.mark.parametrize("seed", range(RUNS))
def test_disturbances_change_nothing(seed: int) -> None:
    spec = random_automation(random.Random(seed))
    input = {"v": [1, 2, 3, 4, 5], "one": "x"}
    quiet = World(spec, Moody(seed)).start(input).run()
    dice = random.Random(-seed - 1)
    world = World(spec, Moody(seed)).start(input)
    while True:
        disturb(world, dice)
        world.check()
        dice.shuffle(world.engine.jobs)
        moved = world.serve(1) if dice.random() < 0.7 else 0
        if not moved and not world.fire() and not world.serve(1):
            break
    assert outcome(world) == outcome(quiet)
    assert world.server.tries == quiet.server.tries  # type: ignore[attr-defined]
    assert not world.engine.store.timers
    assert not world.engine.trees
