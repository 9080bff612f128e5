"""Names of steps -> names of tasks."""

import re
from collections.abc import Sequence

from ostro.model.definition import COMMANDS

_TASK_NAME = re.compile(r"\w+")


def task_names(steps: Sequence[str]) -> list[str]:
    """The step's own name where it can name a task, else `step_<i>`, counted from 1. All different."""
    own = [name if _TASK_NAME.fullmatch(name) and name not in COMMANDS else None for name in steps]
    taken = {name for name in own if name is not None}
    result = []
    for number, name in enumerate(own, 1):
        if name is None:
            name = f"step_{number}"
            while name in taken:
                name += "_"
            taken.add(name)
        result.append(name)
    return result
