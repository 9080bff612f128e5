"""The owner of execution trees: takes events, advances the trees in memory, commits in groups.

One loop computes, one commit is under way at a time. Memory is a cache, the database is the truth.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ostro.core.advance import advance, push_timer
from ostro.core.codec import from_json
from ostro.core.env import Env, Limits
from ostro.core.handed import Handed
from ostro.engine.alarm import Alarm
from ostro.engine.background import Background
from ostro.engine.commits import Group
from ostro.engine.definitions import Definitions
from ostro.engine.door import Door
from ostro.engine.held import ALL, Held, Lease
from ostro.engine.limiting import Limiting
from ostro.engine.loading import Loader, Turn
from ostro.engine.looks import Looks
from ostro.engine.questions import Questions
from ostro.engine.reads import Reads
from ostro.engine.replies import Replies
from ostro.engine.residents import Residents
from ostro.engine.salvage import Salvage
from ostro.engine.settings import EngineSettings
from ostro.engine.settling import Settling
from ostro.engine.takeover import Takeover
from ostro.engine.tally import Tally
from ostro.engine.timers import Timers
from ostro.engine.vault import FileVault
from ostro.engine.waiters import Waiters
from ostro.engine.writing import Writing
from ostro.expr.scope import MISSING
from ostro.model.actions import ActionInfo
from ostro.model.commands import ActionTaken, Command, FinishAction, RunAction, StartExecution
from ostro.model.errors import Forbidden, Moved, Unavailable
from ostro.model.ids import IdMaker
from ostro.model.records import ExecutionRecord, TimerRecord
from ostro.model.triggers import OutboxRecord
from ostro.ports.clock import Clock
from ostro.ports.quotas import Quotas
from ostro.ports.store import Store
from ostro.ports.tracing import Tracing
from ostro.ports.work import WorkQueue

if TYPE_CHECKING:
    from ostro.engine.remote_duties import SignalBus

_MOST_ISSUED = 100_000


class Owner:
    """Owns shards: all of them (`shards` not given), or those that `take_shards` brings. Implements
    `ports.engine.Engine`; `async with` starts and stops it."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue,
        actions: Mapping[str, ActionInfo],
        clock: Clock,
        settings: EngineSettings | None = None,
        tracing: Tracing | None = None,
        shards: Collection[int] = ALL,
        has_others: bool = False,
    ) -> None:
        """`has_others`: other processes have engines, or write definitions. Limits then hold for all engines together,
        by quotas (see `limiting`), and before each start what was written is looked at."""
        self._has_others = has_others
        self._tracing = tracing
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
            places=bool(self._settings.execution_limits),
        )
        self._vault = FileVault(self._settings.key_file, self._settings.seal_key)
        self._held = Held(shards)
        self._background = Background()
        self._definitions = Definitions(store, from_json)
        self._timers = Timers(store, int(self._settings.timer_horizon_s * 1e6), self._held)
        self._looks = Looks(store, self._definitions.saw_version)
        self._reads = Reads(store, self._definitions, self._looks)
        self._loader = Loader(store, self._definitions, self._timers)
        self._replies = Replies(store)
        self._residents = Residents(self._ids.new, self._settings.resident_weight, self._settings.uncommitted_steps,
                                    self._settings.project_weights, self._settings.least_part)  # fmt: skip
        self._takeover = Takeover(store, self._loader, self._residents)
        self._waiters = Waiters(self._residents, store)
        spawn = self._background.spawn
        self._alarm = Alarm(self._timers, clock, self._fire, lambda: spawn(self._load_timers()))
        self._questions = Questions(self._residents, self._definitions, self._loader, self._reads, spawn)
        self._issued: set[str] = set()  # root ids that we made and that are not stored yet
        self._writing = Writing(
            store, queue, self._residents, self._timers, self._replies, self._waiters, clock, self._held,
            self._issued, tracing,
        )  # fmt: skip
        self._salvage = Salvage(
            self._residents,
            self._loader,
            env=self._env,
            fetch=self._questions.fetch_early,
            gather=self._writing.gather,
            write=self._writing.write,
            spawn=spawn,
        )
        self._writing.broken = self._salvage.broken
        self._writing.retry = self._salvage.retry
        self._writing.fetch = self._questions.fetch
        self._writing.arm = self._alarm.arm
        self._writing.lost = self._fenced
        self._limiting = Limiting(
            self._settings, self._held, self._loader, self._residents, self._takeover, queue, actions, spawn,
            shares_limits=has_others,
        )  # fmt: skip
        if self._limiting.is_needed:
            self._writing.limiting = self._limiting
        self._door = Door(self._settings.open_commands, self._settings.open_commands_of_project)
        self._loop_task: asyncio.Task[None] | None = None
        self._stopping = False
        self._steps = 0
        self.on_fenced: Callable[[], None] = lambda: None  # a commit was refused: everything was dropped

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        now = self._clock.now()
        await self._timers.load(now)
        self._loop_task = asyncio.create_task(self._run(), name="ostro-owner")
        if self._held.shards:
            # The executors ended with the process before.
            self._background.spawn(self._take_up(self._loader.begin(self._held.shards, Handed.LOST, now)))
        self._alarm.arm()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Finish the batches under way and stop. What is unfinished goes on at the next start."""
        self._stopping = self._takeover.is_stopping = True
        self._alarm.stop()
        self._residents.wake.set()
        if self._loop_task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop_task
        self._background.cancel()
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
    def tally(self) -> Tally:
        """What was stored."""
        return self._writing.tally

    @property
    def counters(self) -> Mapping[str, float]:
        """`steps` that have run, `retries` of commits."""
        return {"steps": self._steps, "retries": self._writing.retries}

    @property
    def expression_fallbacks(self) -> int:
        """YAQL parts of the definitions used so far that are not compiled."""
        return self._definitions.fallbacks

    @property
    def timers_ahead(self) -> int:
        """Durable timers that fall due within the horizon."""
        return len(self._timers)

    @property
    def on_notifications(self) -> Callable[[Sequence[OutboxRecord]], None]:
        """Is told of stored notifications, after their commit."""
        return self._writing.on_notifications

    @on_notifications.setter
    def on_notifications(self, take: Callable[[Sequence[OutboxRecord]], None]) -> None:
        self._writing.on_notifications = take

    def tell_commits(self, take: Callable[[Group], None] | None) -> None:
        """Who is told of every commit when it is done, before its effects leave; it must be quick and never raise."""
        self._writing.on_commit = take

    # ------------------------------------------------------------------ shards

    @property
    def shards(self) -> frozenset[int]:
        """Those that this process owns now."""
        return self._held.shards

    def owns(self, root_id: str) -> bool:
        """Whether commands for the tree are carried out here."""
        return self._held.has(root_id)

    def use_lease(self, lease: Lease) -> None:
        """By what right shards are held from now on. Before the first `take_shards`."""
        self._held.lease = lease

    def settling(self, quotas: Quotas, signals: "SignalBus") -> Settling:
        """What gets this engine its part of each limit, while it is entered."""
        return Settling(self._limiting, self._held, quotas, signals)

    async def take_shards(self, shards: Collection[int], handed: Handed = Handed.UNSURE) -> None:
        """Own these too: commands for them are carried out at once, their unfinished trees are loaded by and by.
        `handed`: what became of the actions that the former owner had handed out. Raises StoreError; then none is."""
        self._definitions.changed()  # before, others may have written some
        new = frozenset(shards) - self._held.shards
        turn = self._loader.begin(new, handed, self._clock.now() if handed == Handed.LOST else 0)
        self._held.add(new)
        try:
            await self._timers.take(new)
        except BaseException:
            await self.drop_shards(new)
            raise
        self._background.spawn(self._take_up(turn))
        self._alarm.arm()

    async def _take_up(self, turn: Turn) -> None:
        await self._takeover.run(turn)
        self._limiting.all_seen()

    async def drop_shards(self, shards: Collection[int]) -> None:
        """Own these no more: forget their trees, then let the commit under way end. Callers are told to ask elsewhere.
        When this returns nothing of theirs is on its way to the store."""
        gone = self._held.shards & frozenset(shards)
        self._held.remove(gone)
        self._loader.lost(gone)
        self._limiting.leave()
        self._residents.keep_only(self._held.shards)  # so that no other commit holds anything of theirs
        await self._writing.until_written()
        self._forget(gone, Moved("The execution has moved to another engine process. Try again."))
        await self._writing.until_written()  # one that began before they were forgotten
        self._limiting.leave()  # what that one has let begin

    def _forget(self, shards: frozenset[int], error: Unavailable) -> None:
        self._loader.lost(shards)
        self._limiting.leave()
        self._timers.keep_held()
        self._residents.keep_only(self._held.shards)
        self._residents.fail_others(self._held.shards, error)
        self._waiters.fail(lambda root_id: not self._held.has(root_id), error)

    def lose_all(self) -> None:
        """The lease is gone: nothing that is in memory may be stored or told any more. What callers asked for last may
        be stored or not: they are told no more than to try again."""
        gone = self._held.shards
        self._held.remove(gone)
        self._limiting.lose_all()
        self._forget(gone, Unavailable("The engine has lost touch with the database. Try again."))

    async def until_idle(self) -> None:
        """After `lose_all`: return when no commit is under way."""
        await self._writing.until_written()

    def _fenced(self) -> None:
        self.lose_all()
        self.on_fenced()

    # ------------------------------------------------------------------ the port

    def new_id(self) -> str:
        id = self._ids.new_root() if self._held.lease is None else self._new_own_id()
        if len(self._issued) > _MOST_ISSUED:
            self._issued.clear()  # forgotten ones are looked up in the store instead
        self._issued.add(id)
        return id

    def _new_own_id(self) -> str:
        """In a shard of this process, if it has any: its executions then need no messages."""
        shards = self._held.shards
        return self._ids.new(random.choice(tuple(shards))) if shards else self._ids.new_root()

    def definitions_changed(self) -> None:
        self._definitions.changed()

    async def submit(self, command: Command) -> Any:
        if self._stopping:
            raise Unavailable("The server is shutting down.")
        self._held.check(command.root_id)
        if isinstance(command, FinishAction) and command.attempt and self._limiting.is_held_back(command.action_id):
            raise Forbidden("The action waits for a place that a limit allows: nobody can have begun it.")
        if isinstance(command, ActionTaken) and not self._limiting.may_begin(command.action_id):
            return False
        self._door.enter(command)
        if self._tracing is not None and isinstance(command, StartExecution):
            about = {"execution_id": command.root_id, "project": command.caller.project_id}
            trace = self._tracing.begin(f"start {command.workflow}", command.trace, about)
            command = msgspec.structs.replace(command, trace=trace)
        try:
            if command.key is not None:
                return await self._replies.once(command, self._submit)
            value = await self._submit(command)
            if value is True and isinstance(command, ActionTaken):
                self._limiting.has_begun(command.action_id)
            return value
        finally:
            self._door.leave(command)

    async def _submit(self, command: Command) -> Any:
        answers = None
        if self._has_others and isinstance(command, (StartExecution, RunAction)):
            answers = await self._look_ahead(command)
        self._held.check(command.root_id)  # again: something may have been looked for in the store meanwhile
        tree = self._residents.get_or_make(command.root_id)
        return await self._residents.open_ticket(tree, command, answers).future

    async def _look_ahead(self, command: StartExecution | RunAction) -> dict[Any, Any]:
        """Definitions may have been written by another process, and the execution may be stored: one read tells both.
        The answers to what the command will ask."""
        root_id = command.root_id
        if isinstance(command, RunAction) or root_id in self._issued:
            await self._looks.look(None)
            return {}
        with self._residents.kept(root_id) as tree:  # whatever happens to the execution meanwhile, the tree knows
            exists = await self._looks.look(root_id)
            return {("exists", root_id): exists} if self._residents.is_current(tree) else {}

    async def wait_finished(
        self, root_id: str, execution_id: str, timeout: float, *, is_open: bool = False
    ) -> ExecutionRecord | None:
        """Raises Moved if another process owns the execution, or comes to own it meanwhile."""
        self._held.check(root_id)
        return await self._waiters.wait(root_id, execution_id, timeout, is_open)

    # ------------------------------------------------------------------ the loop

    async def _run(self) -> None:
        residents, writing = self._residents, self._writing
        while True:
            if not residents.has_ready and not (residents.dirty and not writing.is_busy):
                if self._stopping and not writing.is_busy:
                    return
                residents.wake.clear()
                await residents.wake.wait()
            self._turn()
            if residents.dirty and not writing.is_busy:
                trees = residents.take_dirty(self._clock.monotonic())
                if trees:
                    writing.begin(trees)
            await asyncio.sleep(0)

    def _turn(self) -> None:
        """Compute for a bounded time: each ready tree gets a quantum, in turn."""
        residents = self._residents
        if not residents.has_ready:
            return
        settings = self._settings
        env = self._env()
        now = env.clock()
        end, shared_end = now + settings.turn_ms / 1000, now + settings.shared_turn_ms / 1000
        while residents.has_ready:
            tree = residents.next_ready()
            if residents.is_heavy(tree):
                end = shared_end
            until = min(end, env.clock() + settings.quantum_ms / 1000)
            try:
                steps = advance(env, tree, settings.quantum_steps, until)
            except Exception as error:
                self._salvage.broken(tree, error)
                continue
            self._steps += steps
            residents.mark_dirty(tree, steps)
            self._questions.fetch_early(tree)
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
        if key[0] == "place":
            return True if self._limiting.take_place(*key[1:]) else MISSING
        return self._definitions.cached(key)

    # ------------------------------------------------------------------ timers

    def _fire(self, timer: TimerRecord) -> None:
        if not self._held.has(timer.root_id):
            return  # set by the last commit before the shard left
        self.tally.timer_lag.observe(max(0.0, (self._clock.now() - timer.due_at) / 1e6))
        tree = self._residents.get_or_make(timer.root_id)
        push_timer(tree, timer)
        self._residents.make_ready(tree)

    async def _load_timers(self) -> None:
        await self._timers.load(self._clock.now())
        self._alarm.arm()
