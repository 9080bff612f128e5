"""One group of trees on its way to the store, and the callers that wait for it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from ostro.core.state import Move, Tree
from ostro.model.commands import ActionJob, Command
from ostro.model.records import Batch


class Ticket:
    """A command whose caller waits."""

    __slots__ = ("command", "future")

    def __init__(self, command: Command, future: "asyncio.Future[Any]") -> None:
        self.command = command
        self.future = future

    def answer(self, value: Any) -> None:
        if self.future.done():
            return  # the caller has gone
        if isinstance(value, Exception):
            self.future.set_exception(value)
        else:
            self.future.set_result(value)


class Group:
    """A batch with the effects that may leave after its commit."""

    __slots__ = (
        "_finished_in",
        "_lists",
        "batch",
        "cancelled_jobs",
        "finished",
        "jobs",
        "moves",
        "needs",
        "replies",
        "trees",
    )

    def __init__(self, trees: Sequence[Tree]) -> None:
        self.trees = list(trees)
        self.batch = Batch()
        self._lists: tuple[list[Any], ...] = msgspec.structs.astuple(self.batch)
        self.replies: list[tuple[Ticket, Any]] = []
        self.jobs: list[ActionJob] = []
        self.cancelled_jobs: list[str] = []
        self.needs: list[tuple[Tree, Any]] = []
        self.finished: list[str] = []
        self.moves: list[Move] = []
        self._finished_in: dict[str, list[str]] = {}

    def mark(self) -> list[int]:
        """How far the batch is filled."""
        return [len(rows) for rows in self._lists]

    def back_to(self, mark: list[int]) -> None:
        """Take out of the batch what has come since."""
        for rows, length in zip(self._lists, mark, strict=True):
            del rows[length:]

    def add(self, tree: Tree) -> None:
        """The tree's rows are in the batch: its effects wait for the commit."""
        self.trees.append(tree)
        if tree.replies:
            self.replies.extend(tree.replies)
            tree.replies = []
        if tree.jobs:
            self.jobs.extend(tree.jobs)
            tree.jobs = []
        if tree.cancelled_jobs:
            self.cancelled_jobs.extend(tree.cancelled_jobs)
            tree.cancelled_jobs = []
        if tree.needs:
            self.needs.extend((tree, key) for key in tree.needs)
            tree.needs = []
        if tree.moves:
            self.moves.extend(tree.moves)
            tree.moves = []
        if tree.finished:
            self.finished.extend(tree.finished)
            self._finished_in[tree.root_id] = tree.finished
            tree.finished = []

    def finished_in(self, tree: Tree) -> Sequence[str]:
        """Executions of the tree that ended in this group."""
        return self._finished_in.get(tree.root_id, ())

    @property
    def rows(self) -> int:
        batch = self.batch
        return sum(
            len(rows)
            for rows in (
                batch.new_executions, batch.executions, batch.new_tasks, batch.tasks, batch.new_actions,
                batch.actions, batch.timers, batch.history, batch.blobs,
            )
        )  # fmt: skip

    @property
    def is_empty(self) -> bool:
        batch = self.batch
        return not (
            self.rows
            or batch.timers_gone
            or batch.replies
            or batch.emptied
            or batch.discarded
            or batch.deleted_executions
            or batch.deleted_actions
        )
