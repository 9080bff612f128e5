"""The limits of projects and workflows in one owner: places of executions, and actions at executors."""

from collections.abc import Awaitable, Callable, Sequence

from ostro.core.advance import answer
from ostro.core.handed import Handed
from ostro.core.reports import held_back
from ostro.core.state import Execution
from ostro.engine.action_limits import ActionLimits
from ostro.engine.commits import Group
from ostro.engine.held import Held
from ostro.engine.loading import Loader
from ostro.engine.places import Limited, Places
from ostro.engine.residents import Residents
from ostro.engine.settings import EngineSettings
from ostro.engine.takeover import Takeover
from ostro.model.commands import ActionJob
from ostro.model.states import COMPLETED
from ostro.ports.work import WorkQueue


class Limiting:
    """Without limits nothing of it is called for single executions and actions."""

    def __init__(
        self,
        settings: EngineSettings,
        held: Held,
        loader: Loader,
        residents: Residents,
        takeover: Takeover,
        queue: WorkQueue,
        spawn: Callable[[Awaitable[None]], None],
    ) -> None:
        self._held = held
        self._residents = residents
        self._takeover = takeover
        self._queue = queue
        self._spawn = spawn
        self._places = Places(Limited(settings.execution_limits, held), lambda: loader.is_settled, self._placed)
        self._actions = ActionLimits(Limited(settings.action_limits, held), self._send, self._held_back)
        if self._places.is_limited:
            loader.on_running = self._seen_running
            residents.on_drop = self._places.ended

    @property
    def is_needed(self) -> bool:
        return self._places.is_limited or self._actions.is_limited

    def take_place(self, root_id: str, project: str, workflow: str) -> bool:
        """Whether an execution may begin; if not it is told when it may."""
        return self._places.take(root_id, project, workflow)

    def admitted(self, jobs: Sequence[ActionJob]) -> Sequence[ActionJob]:
        """The jobs that may be handed out now. The others follow later."""
        return self._actions.admitted(jobs) if self._actions.is_limited else jobs

    def is_held_back(self, action_id: str) -> bool:
        """Whether the action waits for a place: nobody can have begun it."""
        return self._actions.is_waiting(action_id)

    def stored(self, group: Group) -> None:
        """After each commit: what has ended makes room."""
        if self._actions.is_limited:
            self._actions.stored(group)
        if not self._places.is_limited:
            return
        for thing, old, new in group.moves:
            if isinstance(thing, Execution) and thing.id == thing.root_id:
                if new in COMPLETED:
                    self._places.ended(thing.id)
                elif old in COMPLETED:
                    self._seen_running(thing)  # it was revived
        for root_id in group.batch.deleted_executions:
            self._places.ended(root_id)

    def keep_held(self) -> None:
        """Shards were lost."""
        self._places.keep_held(self._held)
        self._actions.keep_held(self._held)

    def give_all(self) -> None:
        """There are more shards, or all that runs in them is known now."""
        self._places.give_all()
        self._actions.give_all()

    # ------------------------------------------------------------------ executions

    def _placed(self, root_id: str, project: str, workflow: str) -> None:
        """An execution that has waited may run."""
        tree = self._residents.get(root_id)
        if tree is None:  # it was put away while it waited
            self._spawn(self._takeover.take_up(self._residents.get_or_make(root_id), Handed.KEPT))
            return
        answer(tree, ("place", root_id, project, workflow), True)
        self._residents.make_ready(tree)

    def _seen_running(self, execution: Execution) -> None:
        if execution.id == execution.root_id:
            self._places.begun(execution.id, execution.project_id, execution.workflow_name)

    # ------------------------------------------------------------------ actions

    def _send(self, jobs: Sequence[ActionJob]) -> None:
        self._spawn(self._queue.put(jobs))

    def _held_back(self, job: ActionJob) -> None:
        """Let the action say why it waits."""
        tree = self._residents.get(job.root_id)
        execution = None if tree is None else tree.executions.get(job.execution_id or "")
        task = None if execution is None else execution.tasks.get(job.task_id or "")
        action = None if task is None else task.actions.get(job.action_id)
        if tree is not None and action is not None:
            tree.push(held_back, action)
            self._residents.make_ready(tree)
