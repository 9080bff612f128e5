"""The state of an execution tree in memory: executions, tasks, actions, and the work still to do.

Changed only by the functions of `core`, inside one batch. What is dirty is written by the batch's
commit; if that fails the tree is thrown away and read again.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from ostro.core.codec import Codec
from ostro.core.context import Context, empty_context
from ostro.core.graph import Graph, Node
from ostro.core.handed import Handed
from ostro.core.step_run import StepRun, Who
from ostro.model.commands import ActionJob
from ostro.model.records import TimerRecord
from ostro.model.states import COMPLETED, RUNNING
from ostro.model.triggers import OutboxRecord

Step = tuple[Callable[..., None], tuple[Any, ...]]


class Action:
    """One action execution. `chain`: ad-hoc definitions whose output is applied, innermost first."""

    __slots__ = (
        "accepted",
        "attempt",
        "begins",
        "chain",
        "created_at",
        "description",
        "execution",
        "finished_at",
        "id",
        "idx",
        "input",
        "input_text",
        "is_async",
        "is_new",
        "job",
        "last_heartbeat",
        "name",
        "namespace",
        "output_text",
        "project_id",
        "root_id",
        "run_no",
        "safe_rerun",
        "state",
        "state_info",
        "stored",
        "tags",
        "taken_at",
        "taken_by",
        "task",
        "timeout",
        "updated_at",
        "waiting",
        "waits",
    )

    def __init__(self) -> None:
        self.id = ""
        self.root_id = ""
        self.project_id = ""
        self.execution: Execution | None = None
        self.task: Task | None = None
        self.name = ""
        self.namespace = ""
        self.idx = 0
        self.state = RUNNING
        self.state_info: str | None = None
        self.accepted = False
        self.input_text = "{}"
        self.output_text: str | None = None
        self.description = ""
        self.tags = "[]"
        self.created_at = 0
        self.updated_at = 0
        self.finished_at: int | None = None
        self.taken_at: int | None = None
        self.taken_by: str | None = None  # which begin of this attempt counts: its name, if it came with one
        self.begins = 0  # how often executors have begun it, in all attempts
        self.last_heartbeat: int | None = None
        self.attempt = 1  # deliveries to executors; a result must carry the current one
        self.run_no = 1  # the task's attempt that it belongs to
        self.is_async = False
        self.waits = False  # an asynchronous action that has been started
        self.safe_rerun = False
        self.timeout: float | None = None
        self.chain: tuple[str, ...] = ()
        # What runs it, while unfinished: "name" of the base action, "target", "input_text" if other than its own.
        self.job: dict[str, Any] | None = None
        self.input: dict[str, Any] | None = None  # of the base action, while unfinished
        self.stored = True  # False: a stand-alone action that is only run, never kept
        self.waiting: list[Any] = []  # tokens of callers that wait for a stand-alone action's end
        self.is_new = True


class Child:
    """What a task knows of one of its children: an action or a sub-execution."""

    __slots__ = ("accepted", "id", "idx", "result", "state")

    def __init__(self, id: str, idx: int, state: str = RUNNING) -> None:
        self.id = id
        self.idx = idx
        self.state = state
        self.accepted = False
        self.result: Any = None


class Items:
    """Progress of a with-items task: `done` maps an index to its accepted child."""

    __slots__ = ("capacity", "concurrency", "count", "cursor", "done", "in_flight", "values")

    def __init__(self, count: int, concurrency: int) -> None:
        self.count = count
        self.concurrency = concurrency
        self.done: dict[int, Child] = {}
        self.in_flight: set[int] = set()
        self.cursor = 0  # every index below it is done or in flight
        self.capacity: int | None = concurrency or None
        self.values: list[tuple[str, list[Any]]] | None = None  # evaluated collections, None = evaluate again


class Task:
    """One task execution."""

    __slots__ = (
        "actions",
        "children",
        "created_at",
        "error_handled",
        "execution",
        "finished_at",
        "flags",
        "id",
        "in_ctx",
        "is_new",
        "items",
        "live_children",
        "next_tasks",
        "node",
        "out_ctx",
        "parents",
        "pending_state",
        "processed",
        "published",
        "published_global",
        "result",
        "result_known",
        "retired",
        "retry_no",
        "run_no",
        "snapshot",
        "started_at",
        "state",
        "state_info",
        "step",
        "triggered_by",
        "updated_at",
    )

    def __init__(self, id: str, execution: "Execution", node: Node, now: int) -> None:
        self.id = id
        self.execution = execution
        self.node = node
        self.state = RUNNING
        self.state_info: str | None = None
        self.in_ctx: Context = execution.root_ctx
        self.out_ctx: Context | None = None  # set at completion
        self.published: dict[str, Any] = {}
        self.published_global: dict[str, Any] = {}
        self.processed = False
        self.created_at = now
        self.updated_at = now
        self.started_at: int | None = None
        self.finished_at: int | None = None
        self.retired = False
        self.snapshot: str | None = None
        self.parents: list[str] = []  # tasks whose outbound contexts it inherits
        self.triggered_by: list[tuple[str, str]] = []
        self.next_tasks: list[tuple[str, str]] = []
        self.error_handled = False
        self.retry_no = 0
        self.run_no = 1  # rises with each attempt; timers and late steps of earlier ones are told apart by it
        self.flags: dict[str, Any] = {}  # policies' own: what was done already
        self.pending_state: tuple[str, str | None] | None = None  # remembered by wait-after
        self.children: dict[str, Child] = {}  # of this attempt, by id, while the task is unfinished
        self.actions: dict[str, Action] = {}  # unfinished ones
        self.live_children = 0
        self.items: Items | None = None
        self.step: StepRun | None = None  # of an automation's step: since it has begun
        self.result: Any = None
        self.result_known = True  # False: after a reload, to be read from the store when asked for
        self.is_new = True

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_end(self) -> bool:
        """Whether nothing inherits its context, or only a join that had failed before: it counts for the output."""
        return not self.next_tasks or "absorbed" in self.flags

    @property
    def is_completed(self) -> bool:
        return self.state in COMPLETED


class JoinState:
    """One round of a join: which inbound tasks have triggered it, which never can."""

    __slots__ = ("arrived", "dead", "fired")

    def __init__(self) -> None:
        self.arrived: dict[str, tuple[str, str]] = {}  # inbound name -> (task id, event)
        self.dead: dict[str, None] = {}
        self.fired = False


class Execution:
    """One workflow execution with its tasks."""

    __slots__ = (
        "accepted",
        "backlog",
        "cancelled",
        "created_at",
        "description",
        "dirty_actions",
        "dirty_tasks",
        "ends",
        "env_evaluated",
        "errors",
        "evictable",
        "finished_at",
        "global_vars",
        "graph",
        "history",
        "history_seq",
        "id",
        "idx",
        "input",
        "input_text",
        "is_dirty",
        "is_new",
        "joins",
        "latest",
        "live",
        "live_names",
        "namespace",
        "output",
        "output_text",
        "params",
        "params_text",
        "parent_id",
        "paused_children",
        "project_id",
        "public_globals",
        "publishers",
        "revision_id",
        "root_ctx",
        "root_id",
        "run_no",
        "state",
        "state_info",
        "task_execution_id",
        "tasks",
        "trace",
        "tree",
        "unprocessed",
        "updated_at",
        "waiting",
        "who",
        "workbook",
        "workflow_id",
        "workflow_name",
    )

    def __init__(self, id: str, tree: "Tree", graph: Graph, now: int) -> None:
        self.id = id
        self.tree = tree
        self.graph = graph
        self.root_id = tree.root_id
        self.parent_id: str | None = None
        self.task_execution_id: str | None = None
        self.idx = 0
        self.run_no = 1  # the parent task's attempt that it belongs to
        self.accepted = False
        self.project_id = ""
        self.workflow_id = ""
        self.workflow_name = graph.spec.name
        self.namespace = ""
        self.workbook: str | None = None
        self.revision_id = ""
        self.description = ""
        self.state = RUNNING
        self.state_info: str | None = None
        self.params: dict[str, Any] = {}
        self.publishers: tuple[dict[str, Any], ...] = ()  # who asked for notifications in `params`
        self.params_text: str | None = None  # cached encodings; None = encode again
        self.input: dict[str, Any] = {}
        self.input_text: str | None = None
        self.output: dict[str, Any] | None = None
        self.output_text: str | None = None
        self.global_vars: dict[str, Any] = {}
        self.public_globals: dict[str, Any] = {}  # what `published_global` shows
        self.created_at = now
        self.updated_at = now
        self.finished_at: int | None = None
        self.root_ctx = empty_context()
        self.tasks: dict[str, Task] = {}  # not retired, by id
        self.latest: dict[str, Task] = {}  # newest of each name
        self.live = 0  # tasks that are not completed
        self.waiting = 0  # of them: in WAITING
        self.live_names: dict[str, int] = {}
        self.ends: dict[str, Task] = {}  # completed tasks that led nowhere: their contexts make the output
        self.errors: dict[str, Task] = {}  # in ERROR, not handled
        self.cancelled: dict[str, Task] = {}
        self.unprocessed: dict[str, Task] = {}  # completed, but what follows waits (pause)
        self.backlog: list[tuple[str, Any, str, str]] = []  # (target, params, trigger task id, event)
        self.joins: dict[str, JoinState] = {}
        self.paused_children = 0
        self.who: Who | None = None  # of an automation
        self.trace: str | None = None  # of a root: the W3C traceparent that it belongs to
        self.history: list[Any] = []
        self.history_seq = 0
        self.is_new = True
        self.is_dirty = True
        self.dirty_tasks: dict[str, Task] = {}
        self.dirty_actions: dict[str, Action] = {}

    @property
    def is_completed(self) -> bool:
        return self.state in COMPLETED

    @property
    def root(self) -> "Execution":
        return self.tree.executions[self.root_id]


Move = tuple[Execution | Task | Action, str, str]  # what, from which state ("": it is new), to which


class Tree:
    """A root execution and all below it, or a stand-alone action: what one owner holds in memory.

    `steps`: work to do now, in order. `parked`: work that waits for something to be read.
    """

    __slots__ = (
        "answers",
        "born",
        "cancelled_jobs",
        "codec",
        "deleted",
        "deleted_actions",
        "dirty_lone",
        "discarded",
        "draws",
        "emptied",
        "executions",
        "extra",
        "finished",
        "jobs",
        "lone_actions",
        "moves",
        "needs",
        "outbox",
        "parked",
        "project",
        "replies",
        "restarting",
        "root_id",
        "shard",
        "steps",
        "taken_down",
        "timers",
        "touched",
    )

    def __init__(self, root_id: str, shard: int, new_id: Callable[[], str]) -> None:
        self.root_id = root_id
        self.shard = shard
        self.project = ""  # whose it is, as far as known
        self.born = root_id  # older trees have smaller ones
        self.codec = Codec(root_id, new_id)
        self.executions: dict[str, Execution] = {}
        self.lone_actions: dict[str, Action] = {}
        self.steps: deque[tuple[Step, dict[Any, Any]]] = deque()
        self.extra = 0  # for how many more steps the one that runs counts: it starts many items
        self.answers: dict[Any, Any] = {}  # for the step that runs now
        self.draws: dict[str, int] = {}  # how many ids and random numbers it has had
        self.parked: dict[Any, list[tuple[Step, dict[Any, Any]]]] = {}
        # Effects, collected during a batch and carried out after its commit:
        self.touched: dict[str, Execution] = {}
        self.dirty_lone: dict[str, Action] = {}
        self.jobs: list[ActionJob] = []
        self.cancelled_jobs: list[str] = []
        self.timers: dict[tuple[str, str], TimerRecord | None] = {}
        self.needs: list[Any] = []
        self.outbox: list[OutboxRecord] = []  # notifications
        self.replies: list[tuple[Any, Any]] = []  # (token, value or exception)
        self.finished: list[str] = []  # executions that ended in this batch
        self.moves: list[Move] = []  # changes of state, for whoever counts or tells of them
        self.deleted: list[str] = []
        self.deleted_actions: list[str] = []
        self.taken_down: set[str] = set()  # actions of attempts that are over, whose results came
        self.emptied: list[str] = []  # action executions whose output is not kept
        self.discarded: list[str] = []  # children whose `accepted` becomes false
        self.restarting = Handed.KEPT  # how it was read for the first time, until that is stored

    def push(self, function: Callable[..., None], *args: Any) -> None:
        self.steps.append(((function, args), {}))

    def push_first(self, function: Callable[..., None], *args: Any) -> None:
        self.steps.appendleft(((function, args), {}))


def touch(execution: Execution) -> None:
    execution.tree.touched[execution.id] = execution


def touch_task(task: Task) -> None:
    execution = task.execution
    execution.dirty_tasks[task.id] = task
    execution.tree.touched[execution.id] = execution


def touch_action(action: Action) -> None:
    execution = action.execution
    if execution is not None:
        execution.dirty_actions[action.id] = action
        execution.tree.touched[execution.id] = execution
