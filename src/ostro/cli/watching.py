"""An execution at a server, watched: read as a whole once, then kept up to date by the server's live events.

Guarantees that nothing is missed: when the stream may have a gap, the whole is read again. Where there is no stream
(too many are open, or a proxy does not let it through) the whole is read every second.
"""

import contextlib
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

from ostro.cli.nodes import Node
from ostro.cli.views import View
from ostro.model.states import COMPLETED
from ostro.sdk import ApiError, Client, Unauthenticated, Unreachable
from ostro.sdk.live import ExecutionEvent, Hello, TaskEvent
from ostro.sdk.models import RESTING, Execution

_LOOK_EVERY = 1.0  # seconds, without a stream


class RemoteTree:
    """Executions and tasks below one execution. May be read from another thread while it changes."""

    def __init__(self, execution: Execution) -> None:
        self._lock = threading.Lock()
        self._nodes: dict[str, Node] = {}
        self._below: dict[str, list[str]] = {}
        self._above: dict[str, str] = {}
        self._root_id = execution.id
        begun = _seconds(execution.created_at) or time.time()
        if begun <= time.time() < begun + 1:  # whole seconds: it has just begun
            begun = time.time()
        self._put(Node(execution.id, execution.workflow_name, execution.state, True, begun, changed=begun), None)

    @property
    def root(self) -> Node:
        return self._nodes[self._root_id]

    def below(self, node: Node) -> list[Node]:
        with self._lock:
            return [self._nodes[id] for id in self._below.get(node.id, ())]

    def _put(self, node: Node, parent: str | None, *, is_exact: bool = True) -> bool:
        """Whether its state is another one than before. What is not `is_exact` does not replace what is known of it."""
        with self._lock:
            known = self._nodes.get(node.id)
            is_new = known is None or known.state != node.state
            if is_new or is_exact:
                self._nodes[node.id] = node
            if known is None and parent is not None:
                self._below.setdefault(parent, []).append(node.id)
                self._above[node.id] = parent
            return is_new

    def _is_ours(self, id: str) -> bool:
        """Whether it is below the root: the stream tells of the whole tree, of which the root may be a branch."""
        while id in self._above:
            id = self._above[id]
        return id == self._root_id

    def load(self, client: Client) -> list[Node]:
        """Read the whole; what has another state than before."""
        report = client.executions.report(self._root_id).root_workflow_execution or {}
        changed: list[Node] = []
        self._load(report, None, changed)
        return sorted(changed, key=lambda node: (node.changed, node.is_workflow and node.state in COMPLETED))

    def _load(self, shown: dict[str, Any], parent: str | None, changed: list[Node]) -> None:
        is_workflow = "task_executions" in shown or parent is None
        node = _node(shown, is_workflow)
        if self._put(node, parent, is_exact=False):  # its times are whole seconds
            changed.append(node)
        for inner in (*shown.get("task_executions", ()), *shown.get("workflow_executions", ())):
            self._load(inner, node.id, changed)

    def take(self, event: ExecutionEvent | TaskEvent) -> list[Node]:
        """What an event tells; [] if it is no news."""
        is_workflow = isinstance(event, ExecutionEvent)
        node = Node(
            id=event.id,
            name=event.workflow_name if isinstance(event, ExecutionEvent) else event.name,
            state=event.state,
            is_workflow=is_workflow,
            begun=_seconds((event.started_at if isinstance(event, TaskEvent) else None) or event.created_at) or 0.0,
            ended=_seconds(event.finished_at),
            changed=_seconds(event.at) or time.time(),
            state_info=event.state_info,
            note=_note(event) if isinstance(event, TaskEvent) else "",
        )
        parent = event.task_execution_id if isinstance(event, ExecutionEvent) else event.execution_id
        is_new = self._put(node, None if event.id == self._root_id else parent)
        return [node] if is_new and self._is_ours(node.id) else []


def _node(shown: dict[str, Any], is_workflow: bool) -> Node:
    changed = _seconds(_moment(shown.get("updated_at") or shown["created_at"])) or 0.0
    retries = f"try {shown['retry_count'] + 1}" if shown.get("retry_count") else ""
    return Node(
        id=shown["id"],
        name=shown["name"],
        state=shown["state"],
        is_workflow=is_workflow,
        begun=_seconds(_moment(shown["created_at"])) or 0.0,
        ended=changed if shown["state"] in COMPLETED else None,
        changed=changed,
        state_info=shown.get("state_info"),
        note=retries,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _note(event: TaskEvent) -> str:
    parts = [f"{event.items['count']} items"] if event.items and event.items.get("count") is not None else []
    parts += [f"try {event.attempt}"] if event.attempt > 1 else []
    return ", ".join(parts)


def watch(client: Client, tree: RemoteTree, view: View) -> None:
    """Show it until it has finished or is paused. The stream may break off and come back meanwhile."""
    view.show(tree, [tree.root])
    with contextlib.closing(_changes(client, tree)) as changes:
        for changed in changes:
            if tree.root.state not in RESTING:
                view.show(tree, changed)
            else:  # its end may come before that of its last tasks
                last = [*changed, *tree.load(client)]
                view.show(tree, sorted(last, key=lambda node: node.id == tree.root.id))
                return


def _changes(client: Client, tree: RemoteTree) -> Generator[list[Node], None, None]:
    if tree.root.state in RESTING:
        yield tree.load(client)
    try:
        yield from _streamed(client, tree)
    except (Unreachable, Unauthenticated):
        raise
    except ApiError:  # there is no stream for us
        while True:
            yield tree.load(client)
            time.sleep(_LOOK_EVERY)


def _streamed(client: Client, tree: RemoteTree) -> Generator[list[Node], None, None]:
    for event in client.events(tree.root.id):
        if isinstance(event, Hello) and not event.is_resumed:
            yield tree.load(client)  # after the stream began, so nothing falls between the two
        elif isinstance(event, ExecutionEvent | TaskEvent):
            yield tree.take(event)
