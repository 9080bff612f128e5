"""What to do when a commit fails, or a step breaks: forget, read again, carry out again, smaller.

A failed group is carried out again whole, then in halves; a command that alone cannot be stored is
answered with the error. Nothing here blocks other trees for long, and nothing is retried for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from ostro.core.advance import advance, push_command
from ostro.core.completion import end_execution
from ostro.core.env import Env
from ostro.core.state import Tree
from ostro.engine.commits import Group
from ostro.engine.loading import Loader
from ostro.engine.residents import Residents
from ostro.model.errors import Fenced, OstroError
from ostro.model.states import ERROR

log = structlog.get_logger("ostro.engine")

_REREAD_AFTER = (0.2, 1.0, 5.0, 30.0)  # seconds, between tries to read a tree again
_BREAKS = 2  # how often a tree may break before it is ended


class Salvage:
    """`write(group)` stores a group and lets its effects out; it raises OstroError if it was not stored."""

    def __init__(
        self,
        residents: Residents,
        loader: Loader,
        *,
        env: Callable[[], Env],
        fetch: Callable[[Tree], None],
        gather: Callable[[Sequence[Tree]], Group],
        write: Callable[[Group], Awaitable[None]],
        spawn: Callable[[Awaitable[None]], None],
    ) -> None:
        self._residents = residents
        self._loader = loader
        self._env = env
        self._fetch = fetch
        self._gather = gather
        self._write = write
        self._spawn = spawn
        self._breaks: dict[str, int] = {}

    async def retry(self, group: Group) -> None:
        """The group was not stored. Raises Fenced if nothing ever will be."""
        todo = [list(group.trees)]
        while todo:
            fresh = [self._again(tree) for tree in todo.pop()]
            part = [tree for tree in fresh if tree.steps]
            if not part:
                continue
            try:
                await self._write(await self._carry_out(part))
            except Fenced:
                raise
            except OstroError as error:
                if len(part) == 1:
                    self._refuse(part[0], error)
                else:
                    middle = len(part) // 2
                    todo += [part[middle:], part[:middle]]

    def _again(self, tree: Tree) -> Tree:
        """A fresh tree with the open commands of the old one; rows are read when they are needed."""
        self._residents.drop(tree)
        fresh = self._residents.get_or_make(tree.root_id)
        fresh.restarting = tree.restarting  # what a start had to hand out again is not stored yet
        tickets = self._residents.tickets_of(tree.root_id)
        for ticket in tickets:
            push_command(fresh, ticket.command, ticket)
        if not tickets:
            self._spawn(self._read_again(fresh))
        return fresh

    async def _read_again(self, tree: Tree) -> None:
        """Work without a caller (timers, inner steps) goes on from the rows."""
        residents = self._residents
        residents.hold(tree)
        try:
            for delay in _REREAD_AFTER:
                await asyncio.sleep(delay)
                try:
                    await self._loader.execution(tree, tree.root_id)
                    break
                except OstroError as error:
                    log.warning("cannot read an execution again", execution_id=tree.root_id, error=error.message)
        finally:
            residents.release(tree)
        residents.make_ready(tree)

    async def _carry_out(self, trees: Sequence[Tree]) -> Group:
        """Run the commands to where they can be stored, with their questions answered on the way."""
        env = self._env()
        for tree in trees:
            for _ in range(50):
                advance(env, tree, 400, env.clock() + 0.05)
                self._fetch(tree)
                await self._residents.until_released(tree)
                if not tree.steps:
                    break
        return self._gather(trees)

    def _refuse(self, tree: Tree, error: OstroError) -> None:
        for ticket in self._residents.tickets_of(tree.root_id):
            self._residents.close_ticket(ticket)
            ticket.answer(error)
        self._again(tree)

    def broken(self, tree: Tree, error: Exception) -> None:
        """A step raised what it must not: a bug of ours. Callers get an error; the tree is read again, and
        ended in ERROR if that happens once more, so that it neither blocks others nor loops for ever."""
        log.error("a step failed", execution_id=tree.root_id, exc_info=error)
        internal = OstroError("Internal error; see the server's log.")
        for ticket in self._residents.tickets_of(tree.root_id):
            self._residents.close_ticket(ticket)
            ticket.answer(internal)
        count = self._breaks.get(tree.root_id, 0) + 1
        self._breaks[tree.root_id] = count
        self._residents.drop(tree)
        fresh = self._residents.make(tree.root_id)
        fresh.restarting = tree.restarting
        self._spawn(self._read_again(fresh) if count < _BREAKS else self._end(fresh, str(error)))

    async def _end(self, tree: Tree, cause: str) -> None:
        self._residents.hold(tree)
        try:
            await self._loader.execution(tree, tree.root_id)
        finally:
            self._residents.release(tree)
        tree.steps.clear()
        for execution in list(tree.executions.values()):
            if not execution.is_completed:
                tree.push(end_execution, execution, ERROR, f"Internal error: {cause}")
        self._residents.make_ready(tree)
        self._breaks.pop(tree.root_id, None)
