"""What something unfinished waits for."""

from typing import Final

import msgspec

AT_LIMIT: Final = "Waits for a place: as many executions run as a limit allows."
"""The `state_info` of an execution that has not begun for that reason."""

ACTION_AT_LIMIT: Final = "Waits for a place: as many actions run as a limit allows."
"""The same of an action."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """One reason of one thing. Times are microseconds since the epoch; `until` None = nobody knows.

    `kind`: action (an executor runs it), async-action (somebody must complete it), executor (nobody has begun it;
    `what`: for whom it is), timer (`what`: which), pause, join (`what`: the tasks that are missing), child (of
    `execution_id`), engine (its next step is queued). `task_id` None: the execution itself. `item`: index of the item
    of with-items. limit: a limit holds it back.
    """

    kind: str
    what: str
    since: int
    until: int | None = None
    task_id: str | None = None
    task: str | None = None
    action_id: str | None = None
    execution_id: str | None = None
    item: int | None = None
