"""Limits on how many actions are handed out to executors at the same time: of a project, of a workflow in a project.

A job over a limit waits here; its action is stored like all others, so after a restart it comes here again.
"""

from collections.abc import Callable, Sequence

from ostro.core.state import Action
from ostro.engine.commits import Group
from ostro.engine.held import Held
from ostro.engine.places import Places
from ostro.model.commands import ActionJob
from ostro.model.ids import made_at
from ostro.model.states import COMPLETED


class ActionLimits:
    """`send(jobs)` hands out jobs that have waited; `waits(job)` is told of each that has to. Who gets a place must be
    told to `granted`."""

    def __init__(
        self,
        places: Places,
        has_begun: Callable[[ActionJob], bool],
        send: Callable[[Sequence[ActionJob]], None],
        waits: Callable[[ActionJob], None],
    ) -> None:
        self._places = places
        self._has_begun = has_begun
        self._send = send
        self._waits = waits
        self._jobs: dict[str, ActionJob] = {}  # by action: those that wait
        self._unsure: set[str] = set()  # read from rows: an executor may have been given it, or not

    def is_waiting(self, action_id: str) -> bool:
        return action_id in self._jobs

    def may_begin(self, action_id: str) -> bool:
        """An executor asks: it may have the job from the engine before. What it begins is counted from now on."""
        self._unsure.discard(action_id)
        return action_id not in self._jobs

    def has_begun(self, action_id: str) -> None:
        """It has, though it waits: the executor had asked before it had to."""
        job = self._jobs.pop(action_id, None)
        if job is not None:
            self._places.begun(action_id, job.project_id, _workflow_of(job))

    def admitted(self, jobs: Sequence[ActionJob]) -> list[ActionJob]:
        """Those that may be handed out now. The others are kept."""
        found = []
        for job in jobs:
            id = job.action_id
            if id in self._unsure:
                self._unsure.discard(id)
                if not self._has_begun(job):  # nobody has: it waits like others
                    self._places.ended(id)
            if self._places.take(id, job.project_id, _workflow_of(job), made_at(id) or 0):
                found.append(job)
            else:
                if id not in self._jobs:
                    self._waits(job)
                self._jobs[id] = job
        return found

    def granted(self, action_id: str) -> None:
        job = self._jobs.pop(action_id, None)
        if job is not None:
            self._send([job])

    def seen_running(self, action: Action) -> None:
        """It was read from rows, and an executor has it or may have it."""
        if action.id in self._jobs or self._places.has(action.id):
            return
        workflow = "" if action.execution is None else action.execution.workflow_name
        self._places.begun(action.id, action.project_id, workflow)
        if action.taken_at is None:
            self._unsure.add(action.id)

    def stored(self, group: Group) -> None:
        """Actions that are over, or not wanted any more, make room."""
        for action_id in group.cancelled_jobs:
            self._over(action_id)
        for thing, _, new in group.moves:
            if new in COMPLETED and isinstance(thing, Action):
                self._over(thing.id)

    def _over(self, action_id: str) -> None:
        self._jobs.pop(action_id, None)
        self._unsure.discard(action_id)
        self._places.ended(action_id)

    def leave(self, held: Held) -> None:
        """Other processes hand out what is in their shards."""
        for action_id in [id for id in self._jobs if not held.has(id)]:
            del self._jobs[action_id]
        self._unsure = {id for id in self._unsure if held.has(id)}
        self._places.leave(held)

    def lose_all(self) -> None:
        self._jobs.clear()
        self._unsure.clear()
        self._places.lose_all()


def _workflow_of(job: ActionJob) -> str:
    return str(job.context.get("workflow_name", ""))
