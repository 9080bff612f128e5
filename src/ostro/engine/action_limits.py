"""Limits on how many actions are handed out to executors at the same time: of a project, of a workflow in a project.

A job over a limit waits here; its action is stored like all others, so after a restart it comes here again.
"""

from collections.abc import Callable, Sequence

from ostro.core.state import Action
from ostro.engine.commits import Group
from ostro.engine.held import Held
from ostro.engine.places import Limited, Places
from ostro.model.commands import ActionJob
from ostro.model.states import COMPLETED


class ActionLimits:
    """`send(jobs)` hands out jobs that have waited; `waits(job)` is told of each that has to."""

    def __init__(
        self, limits: Limited, send: Callable[[Sequence[ActionJob]], None], waits: Callable[[ActionJob], None]
    ) -> None:
        # Whatever else was handed out before this process knew of it is not counted.
        self._places = Places(limits, lambda: True, self._grant)
        self._send = send
        self._waits = waits
        self._jobs: dict[str, ActionJob] = {}  # by action: those that wait

    @property
    def is_limited(self) -> bool:
        return self._places.is_limited

    def is_waiting(self, action_id: str) -> bool:
        return action_id in self._jobs

    def admitted(self, jobs: Sequence[ActionJob]) -> list[ActionJob]:
        """Those that may be handed out now. The others are kept."""
        found = []
        for job in jobs:
            workflow = str(job.context.get("workflow_name", ""))
            if self._places.take(job.action_id, job.project_id, workflow):
                found.append(job)
            else:
                if job.action_id not in self._jobs:
                    self._waits(job)
                self._jobs[job.action_id] = job
        return found

    def _grant(self, action_id: str, project: str, workflow: str) -> None:
        job = self._jobs.pop(action_id, None)
        if job is not None:
            self._send([job])

    def stored(self, group: Group) -> None:
        """Actions that are over, or not wanted any more, make room."""
        for action_id in group.cancelled_jobs:
            self._over(action_id)
        for thing, _, new in group.moves:
            if new in COMPLETED and isinstance(thing, Action):
                self._over(thing.id)

    def _over(self, action_id: str) -> None:
        self._jobs.pop(action_id, None)
        self._places.ended(action_id)

    def give_all(self) -> None:
        """There may be room that there was not."""
        self._places.give_all()

    def keep_held(self, held: Held) -> None:
        """Other processes hand out what is in their shards."""
        for action_id in [id for id in self._jobs if not held.has(id)]:
            del self._jobs[action_id]
        self._places.keep_held(held)
