"""The limits of projects and workflows in one owner: places of executions, and actions at executors."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from ostro.core.advance import answer
from ostro.core.handed import Handed
from ostro.core.reports import held_back
from ostro.core.state import Action, Execution
from ostro.engine.action_limits import ActionLimits
from ostro.engine.commits import Group
from ostro.engine.held import Held
from ostro.engine.limits import Limits
from ostro.engine.loading import Loader
from ostro.engine.places import Places
from ostro.engine.quotas import QuotaBook
from ostro.engine.residents import Residents
from ostro.engine.settings import EngineSettings
from ostro.engine.takeover import Takeover
from ostro.model.actions import ActionInfo
from ostro.model.commands import ActionJob
from ostro.model.quotas import Report, Settlement
from ostro.model.states import COMPLETED, RUNNING
from ostro.model.waits import ACTION_AT_LIMIT
from ostro.ports.work import WorkQueue


class Limiting:
    """Without limits nothing of it is called for single executions and actions. `shares_limits`: other engines have a
    part of each limit, and `report` and `settled` are called to get this one's."""

    def __init__(
        self,
        settings: EngineSettings,
        held: Held,
        loader: Loader,
        residents: Residents,
        takeover: Takeover,
        queue: WorkQueue,
        actions: Mapping[str, ActionInfo],
        spawn: Callable[[Awaitable[None]], None],
        *,
        shares_limits: bool,
    ) -> None:
        self._held = held
        self._loader = loader
        self._residents = residents
        self._takeover = takeover
        self._queue = queue
        self._infos = actions
        self._spawn = spawn
        self._book = QuotaBook()
        book = self._book if shares_limits else None
        self._limits = Limits("executions", settings.execution_limits), Limits("actions", settings.action_limits)
        self._places = Places(self._limits[0], lambda: loader.is_settled, self._placed, book)
        at_executors = Places(self._limits[1], lambda: loader.is_settled, self._action_granted, book)
        self._at_executors = at_executors
        self._actions = ActionLimits(at_executors, self._has_begun, self._send, self._held_back)
        self._counted: frozenset[int] = frozenset()  # shards of which the database knows that all is counted here
        self._counting: frozenset[int] = frozenset()  # and those of which it is being told
        self.life = 0  # rises when the lease is lost
        if self._places.is_limited:
            loader.on_running = self._seen_running
            residents.on_drop = self._places.dropped
        if at_executors.is_limited:
            loader.on_action = self._seen_action

    @property
    def is_needed(self) -> bool:
        return self._places.is_limited or self._at_executors.is_limited

    def take_place(self, root_id: str, project: str, workflow: str, made: int) -> bool:
        """Whether an execution may begin; if not it is told when it may."""
        return self._places.take(root_id, project, workflow, made)

    def admitted(self, jobs: Sequence[ActionJob]) -> Sequence[ActionJob]:
        """The jobs that may be handed out now. The others follow later."""
        return self._actions.admitted(jobs) if self._at_executors.is_limited else jobs

    def is_held_back(self, action_id: str) -> bool:
        """Whether the action waits for a place: nobody can have begun it."""
        return self._actions.is_waiting(action_id)

    def may_begin(self, action_id: str) -> bool:
        """An executor asks. If it may not, the action is handed out again when it has a place."""
        return self._actions.may_begin(action_id)

    def has_begun(self, action_id: str) -> None:
        """An executor was told that it may."""
        self._actions.has_begun(action_id)

    def stored(self, group: Group) -> None:
        """After each commit: what has ended makes room."""
        if self._at_executors.is_limited:
            self._actions.stored(group)
        if not self._places.is_limited:
            return
        for tree in group.trees:
            root = tree.executions.get(tree.root_id)
            if root is not None and root.latest:
                self._places.confirm(root.id)
        for thing, old, new in group.moves:
            if isinstance(thing, Execution) and thing.id == thing.root_id:
                if new in COMPLETED:
                    self._places.ended(thing.id)
                elif old in COMPLETED:
                    self._seen_running(thing)  # it was revived
        for root_id in group.batch.deleted_executions:
            self._places.ended(root_id)

    # ------------------------------------------------------------------ shards

    def leave(self) -> None:
        """Shards were given back."""
        self._places.leave(self._held)
        self._actions.leave(self._held)
        self._counted &= self._held.shards
        self._counting &= self._held.shards

    def lose_all(self) -> None:
        """The lease is gone, and all shards with it."""
        self._places.lose_all()
        self._actions.lose_all()
        self._book.lose_all()
        self._counted = self._counting = frozenset()
        self.life += 1

    def all_seen(self) -> None:
        """All that runs in some shards is known now."""
        self._give_all()
        self._book.wake()

    def _give_all(self) -> None:
        self._places.give_all()
        self._at_executors.give_all()

    # ------------------------------------------------------------------ limits that are shared with other engines

    def on_need(self, wake: Callable[[], None]) -> None:
        """Who is told when a report should be made soon."""
        self._book.wake = wake

    def others_want(self) -> None:
        """Others wait for places, or have left some."""
        self._book.others_want()

    def report(self, now: float) -> Report | None:
        """What to tell the database; None if there is nothing. `now`: monotonic seconds. After it, `settled`, or
        `report` again: until then nothing is given out that others want."""
        known = self._held.shards - self._loader.unsettled
        for places in (self._places, self._at_executors):
            places.counted_elsewhere(known & places.left)  # it came back, and is counted as what it is
        left = self._places.left | self._at_executors.left
        most = self._limits[0].most | self._limits[1].most
        moving = self._places.left_limits | self._at_executors.left_limits
        uses, given_up = self._book.uses(self._in_use(), moving, most, now)
        if not (uses or given_up or left or known - self._counted):
            return None
        self._counting = known
        return Report(uses, given_up, known, left)

    def _in_use(self) -> dict[str, tuple[int, int, int]]:
        return self._places.in_use() | self._at_executors.in_use()

    def settled(self, report: Report, answer: Settlement) -> None:
        """What holds from now on."""
        self._counted |= self._counting
        self._book.answered(report, answer)
        for places in (self._places, self._at_executors):
            places.counted_elsewhere(answer.taken_over)
        self._give_all()
        self._book.look_again(self._in_use())

    # ------------------------------------------------------------------ executions

    def _placed(self, root_id: str, project: str, workflow: str, made: int) -> None:
        """An execution that has waited may run."""
        tree = self._residents.get(root_id)
        if tree is None:  # it was put away while it waited
            self._spawn(self._takeover.take_up(self._residents.get_or_make(root_id), Handed.KEPT))
            return
        answer(tree, ("place", root_id, project, workflow, made), True)
        self._residents.make_ready(tree)

    def _seen_running(self, execution: Execution) -> None:
        if execution.id == execution.root_id:
            self._places.begun(execution.id, execution.project_id, execution.workflow_name)
            self._places.confirm(execution.id)

    # ------------------------------------------------------------------ actions

    def _send(self, jobs: Sequence[ActionJob]) -> None:
        self._spawn(self._queue.put(jobs))

    def _action_granted(self, action_id: str, project: str, workflow: str, made: int) -> None:
        self._actions.granted(action_id)

    def _seen_action(self, action: Action) -> None:
        """One was read. Only those count that executors have, or may have: no others than these have jobs."""
        info = None if action.job is None else self._infos.get(action.job["name"])
        is_inline = info is not None and info.inline is not None
        if (
            action.state == RUNNING
            and action.job is not None
            and not is_inline
            and action.state_info != ACTION_AT_LIMIT
        ):
            self._actions.seen_running(action)

    def _has_begun(self, job: ActionJob) -> bool:
        action = self._action_of(job)
        return action is not None and action.taken_at is not None

    def _action_of(self, job: ActionJob) -> Action | None:
        tree = self._residents.get(job.root_id)
        if tree is None or job.execution_id is None:
            return None if tree is None else tree.lone_actions.get(job.action_id)
        execution = tree.executions.get(job.execution_id)
        task = None if execution is None else execution.tasks.get(job.task_id or "")
        return None if task is None else task.actions.get(job.action_id)

    def _held_back(self, job: ActionJob) -> None:
        """Let the action say why it waits."""
        tree, action = self._residents.get(job.root_id), self._action_of(job)
        if tree is not None and action is not None:
            tree.push(held_back, action)
            self._residents.make_ready(tree)
