"""The owner of execution trees: takes events, advances the trees in memory, commits in groups.

One loop computes, one commit is under way at a time. Replies, jobs and questions leave only after the
commit that holds what they tell of. Memory is a cache, the database is the truth.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self

import msgspec
import structlog

from ostro.core.advance import advance, answer, push_timer
from ostro.core.codec import from_json
from ostro.core.env import Env, Limits
from ostro.core.records import collect
from ostro.core.state import Tree
from ostro.engine.alarm import Alarm
from ostro.engine.commits import Group
from ostro.engine.definitions import Definitions
from ostro.engine.door import Door
from ostro.engine.loading import Loader
from ostro.engine.reads import Reads
from ostro.engine.replies import Replies
from ostro.engine.residents import Residents
from ostro.engine.salvage import Salvage
from ostro.engine.settings import EngineSettings
from ostro.engine.tally import Tally, send_spans, tell
from ostro.engine.timers import Timers
from ostro.engine.vault import FileVault
from ostro.expr.scope import MISSING
from ostro.model.actions import ActionInfo
from ostro.model.commands import Command, StartExecution
from ostro.model.errors import OstroError, StoreError, Unavailable
from ostro.model.ids import IdMaker
from ostro.model.records import TimerRecord
from ostro.model.triggers import OutboxRecord
from ostro.ports.clock import Clock
from ostro.ports.store import Store
from ostro.ports.tracing import Tracing
from ostro.ports.work import WorkQueue

log = structlog.get_logger("ostro.engine")

_BEFORE_COMMIT = Definitions.kinds | Loader.kinds | {"exists", "source"}
_RECOVERY_PAGE = 200
_MOST_ISSUED = 100_000


class Owner:
    """Owns every shard of this process. Implements `ports.engine.Engine`; `async with` starts and stops it."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue,
        actions: Mapping[str, ActionInfo],
        clock: Clock,
        settings: EngineSettings | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing
        self._store = store
        self._queue = queue
        self._actions = actions
        self._clock = clock
        self._settings = settings or EngineSettings()
        self._random = random.SystemRandom()
        self._ids = IdMaker(clock.now, random.getrandbits)
        kilobytes = self._settings.field_size_limit_kb
        self._limits = Limits(
            field_bytes=-1 if kilobytes < 0 else kilobytes * 1024,
            items_in_flight=self._settings.items_in_flight,
            budget_ms=self._settings.expression_budget_ms,
        )
        self._vault = FileVault(self._settings.key_file)
        self._definitions = Definitions(store, from_json)
        self._timers = Timers(store, int(self._settings.timer_horizon_s * 1e6))
        self._reads = Reads(store, self._definitions)
        self._loader = Loader(store, self._definitions, self._timers, clock.now())
        self._replies = Replies(store)
        self._residents = Residents(self._ids.new, self._settings.resident_weight, self._settings.uncommitted_steps)
        self._alarm = Alarm(self._timers, clock, self._fire, lambda: self._spawn(self._load_timers()))
        self._salvage = Salvage(
            self._residents,
            self._loader,
            env=self._env,
            fetch=self._fetch_early,
            gather=self._gather,
            write=self._write,
            spawn=self._spawn,
        )
        self._door = Door(self._settings.open_commands, self._settings.open_commands_of_project)
        self._issued: set[str] = set()  # root ids that we made and that are not stored yet
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._ending: set[str] = set()  # executions whose end is being stored
        self._commit: asyncio.Task[None] | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._side: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.on_notifications: Callable[[Sequence[OutboxRecord]], None] = lambda _: None  # after their commit
        self.counters: dict[str, float] = {"steps": 0, "retries": 0}
        self.tally = Tally()

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        await self._timers.load(self._clock.now())
        self._loop_task = asyncio.create_task(self._run(), name="ostro-owner")
        self._spawn(self._recover())
        self._alarm.arm()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Finish the batches under way and stop. What is unfinished goes on at the next start."""
        self._stopping = True
        self._alarm.stop()
        self._residents.wake.set()
        if self._loop_task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop_task
        for task in list(self._side):
            task.cancel()
        self._residents.fail_all(Unavailable("The server is shutting down."))

    @property
    def resident_trees(self) -> int:
        """Trees held in memory."""
        return len(self._residents)

    @property
    def ready_trees(self) -> int:
        """Trees with work to do, that wait for their turn."""
        return self._residents.ready

    @property
    def door(self) -> Door:
        """Who waits, and who was refused."""
        return self._door

    @property
    def expression_fallbacks(self) -> int:
        """YAQL parts of the definitions used so far that are not compiled."""
        return self._definitions.fallbacks

    @property
    def timers_ahead(self) -> int:
        """Durable timers that fall due within the horizon."""
        return len(self._timers)

    def _spawn(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._side.add(task)
        task.add_done_callback(self._side_done)

    def _side_done(self, task: asyncio.Task[None]) -> None:
        self._side.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work failed", exc_info=task.exception())

    async def _recover(self) -> None:
        """Load every unfinished tree, a page at a time, and let it go on."""
        after = ""
        while not self._stopping:
            page = await self._store.unfinished_roots(after, _RECOVERY_PAGE)
            for root_id in page:
                if not self._loader.is_taken_up(root_id):
                    await self._take_up(self._residents.get_or_make(root_id))
            if len(page) < _RECOVERY_PAGE:
                self._loader.recovery_over()
                return
            after = page[-1]

    async def _take_up(self, tree: Tree) -> None:
        self._residents.hold(tree)
        try:
            await self._loader.whole_tree(tree)
        except OstroError as error:
            log.error("cannot take up an execution", execution_id=tree.root_id, error=error.message)
        except Exception as error:  # one tree that cannot be read must not keep the others from going on
            log.error("cannot take up an execution", execution_id=tree.root_id, exc_info=error)
        finally:
            self._residents.release(tree)
        self._residents.make_ready(tree)

    # ------------------------------------------------------------------ the port

    def new_id(self) -> str:
        id = self._ids.new_root()
        if len(self._issued) > _MOST_ISSUED:
            self._issued.clear()  # forgotten ones are looked up in the store instead
        self._issued.add(id)
        return id

    def definitions_changed(self) -> None:
        self._definitions.changed()

    async def submit(self, command: Command) -> Any:
        if self._stopping:
            raise Unavailable("The server is shutting down.")
        self._door.enter(command)
        if self._tracing is not None and isinstance(command, StartExecution):
            about = {"execution_id": command.root_id, "project": command.caller.project_id}
            trace = self._tracing.begin(f"start {command.workflow}", command.trace, about)
            command = msgspec.structs.replace(command, trace=trace)
        try:
            if command.key is not None:
                return await self._replies.once(command, self._submit)
            return await self._submit(command)
        finally:
            self._door.leave(command)

    def _submit(self, command: Command) -> "asyncio.Future[Any]":
        tree = self._residents.get_or_make(command.root_id)
        return self._residents.open_ticket(tree, command).future

    async def wait_finished(self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False) -> None:
        tree = self._residents.get(root_id)
        execution = None if tree is None else tree.executions.get(execution_id)
        if tree is None and not is_open:
            return
        if tree is not None and execution is not None:
            is_ending = execution_id in tree.finished or execution_id in self._ending
            if execution.is_completed and not is_ending:
                return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(execution_id, []).append(future)
        try:
            # Without `execution`: it may have ended before anybody listened.
            if execution is not None or execution_id in await self._store.unfinished_in_tree(root_id):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(future, timeout)
        finally:
            self._forget_waiter(execution_id, future)

    def _forget_waiter(self, execution_id: str, future: "asyncio.Future[None]") -> None:
        waiters = self._waiters.get(execution_id, [])
        if future in waiters:
            waiters.remove(future)
            if not waiters:
                del self._waiters[execution_id]

    # ------------------------------------------------------------------ the loop

    async def _run(self) -> None:
        residents = self._residents
        while True:
            if not residents.has_ready and not (residents.dirty and self._commit is None):
                if self._stopping and self._commit is None:
                    return
                residents.wake.clear()
                await residents.wake.wait()
            self._turn()
            if residents.dirty and self._commit is None:
                trees = residents.take_dirty()
                if trees:
                    group = self._gather(trees)
                    self._commit = asyncio.create_task(self._store_group(group), name="ostro-commit")
            await asyncio.sleep(0)

    def _turn(self) -> None:
        """Compute for a bounded time: each ready tree gets a quantum, in turn."""
        residents = self._residents
        if not residents.has_ready:
            return
        settings = self._settings
        env = self._env()
        end = env.clock() + settings.turn_ms / 1000
        while residents.has_ready:
            tree = residents.next_ready()
            until = min(end, env.clock() + settings.quantum_ms / 1000)
            try:
                steps = advance(env, tree, settings.quantum_steps, until)
            except Exception as error:
                self._salvage.broken(tree, error)
                continue
            self.counters["steps"] += steps
            residents.mark_dirty(tree, steps)
            self._fetch_early(tree)
            residents.make_ready_later(tree)
            if env.clock() > end:
                break

    def _env(self) -> Env:
        return Env(
            now=self._clock.now(),
            new_id=self._ids.new,
            uuid=lambda: str(uuid.uuid4()),
            clock=self._clock.monotonic,
            random=self._random.random,
            actions=self._actions,
            lookup=self._lookup,
            limits=self._limits,
            system_apis=self._settings.system_apis,
            vault=self._vault,
            publishers=self._settings.publishers,
        )

    def _lookup(self, key: tuple[Any, ...]) -> Any:
        if key[0] == "exists":
            return False if key[1] in self._issued else MISSING
        return self._definitions.cached(key)

    # ------------------------------------------------------------------ questions

    def _fetch_early(self, tree: Tree) -> None:
        """Questions about definitions and about what is stored already need not wait for a commit."""
        if tree.needs:
            early = [key for key in tree.needs if key[0] in _BEFORE_COMMIT]
            if early:
                tree.needs = [key for key in tree.needs if key[0] not in _BEFORE_COMMIT]
                for key in early:
                    self._fetch(tree, key)

    def _fetch(self, tree: Tree, key: tuple[Any, ...]) -> None:
        self._residents.hold(tree)
        self._spawn(self._answer(tree, key))

    async def _answer(self, tree: Tree, key: tuple[Any, ...]) -> None:
        value: Any
        try:
            if key[0] in Definitions.kinds:
                value = await self._definitions.answer(key)
            elif key[0] == "execution":
                value = await self._loader.execution(tree, key[1])
            elif key[0] == "lone-action":
                value = await self._loader.lone_action(tree, key[1])
            else:
                value = await self._reads.answer(key)
        except OstroError as error:
            value = error
        except Exception as error:
            log.error("a question could not be answered", question=key[0], exc_info=error)
            value = Unavailable("Internal error while reading; see the server's log.")
        finally:
            self._residents.release(tree)
        if self._residents.is_current(tree):
            answer(tree, key, value)
            self._residents.make_ready(tree)

    # ------------------------------------------------------------------ commits

    def _gather(self, trees: Sequence[Tree]) -> Group:
        """Everything that changed in the trees, with the effects that wait for its commit. A tree that cannot be
        written down is left out and taken up again from its rows: the loop must go on for the others."""
        group = Group([])
        now = self._clock.now()
        for tree in trees:
            mark = group.mark()
            try:
                collect(tree, group.batch, now)
            except Exception as error:
                group.back_to(mark)
                self._salvage.broken(tree, error)
                continue
            group.add(tree)
        self._replies.store(group, now)
        self._ending.update(group.finished)
        return group

    async def _store_group(self, group: Group) -> None:
        try:
            await self._write(group)
        except OstroError as error:
            self.counters["retries"] += 1
            log.warning("a commit failed, trying again in smaller parts", error=error.message, trees=len(group.trees))
            await self._salvage.retry(group)
        finally:
            self._commit = None
            self._residents.wake.set()

    async def _write(self, group: Group) -> None:
        """Commit, then let the effects out. Raises OstroError if nothing was stored."""
        try:
            await self._commit_group(group)
        finally:
            self._ending.difference_update(group.finished)
        await self._let_out(group)

    async def _commit_group(self, group: Group) -> None:
        if not group.is_empty:
            started = self._clock.monotonic()
            try:
                await self._store.commit(group.batch)
            except OstroError:
                raise
            except Exception as error:
                log.error("a commit failed", exc_info=error)
                raise StoreError("Internal error while storing; see the server's log.") from error
            seconds = self._clock.monotonic() - started
            self.tally.committed(group.batch, group.moves, len(group.trees), group.rows, seconds)
            tell(group.moves)
            if self._tracing is not None:
                send_spans(self._tracing, group.moves)

    async def _let_out(self, group: Group) -> None:
        """Answers, timers, jobs, questions."""
        for ticket, value in group.replies:
            self._residents.close_ticket(ticket)
            if isinstance(ticket.command, StartExecution):
                self._issued.discard(ticket.command.root_id)
            ticket.answer(value)
        batch = group.batch
        if batch.timers_gone:
            self._timers.remove(batch.timers_gone)
        if batch.timers:
            self._timers.add(batch.timers)
            self._alarm.arm()
        if batch.outbox:
            self.on_notifications(batch.outbox)
        if group.jobs:
            await self._queue.put(group.jobs)
        if group.cancelled_jobs:
            await self._queue.cancel(group.cancelled_jobs)
        for tree, key in group.needs:
            if self._residents.is_current(tree):
                self._fetch(tree, key)
        for execution_id in group.finished:
            for future in self._waiters.pop(execution_id, ()):
                if not future.done():
                    future.set_result(None)
        for tree in group.trees:
            tree.restarting = False
        self._residents.put_away(group)

    # ------------------------------------------------------------------ timers

    def _fire(self, timer: TimerRecord) -> None:
        self.tally.timer_lag.observe(max(0.0, (self._clock.now() - timer.due_at) / 1e6))
        tree = self._residents.get_or_make(timer.root_id)
        push_timer(tree, timer)
        self._residents.make_ready(tree)

    async def _load_timers(self) -> None:
        await self._timers.load(self._clock.now())
        self._alarm.arm()
