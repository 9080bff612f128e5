"""The executor: take → mark → perform → report.

Guarantees: no action begins before the engine has stored that it may (ActionTaken); every outcome is offered to the
engine until it is taken or not wanted any more; an action whose result nobody wants is stopped. It knows the engine
only by its commands and has no access to the store.
"""

import asyncio
import itertools
import logging
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from ostro.executor.outcome import Outcome
from ostro.executor.perform import perform
from ostro.executor.registry import Registry
from ostro.executor.secrets import with_secrets
from ostro.executor.services import Services
from ostro.executor.settings import ExecutorSettings
from ostro.http.egress import EgressPolicy
from ostro.model.commands import ActionAlive, ActionJob, ActionTaken, ActionWaits, Command, FinishAction
from ostro.model.errors import OstroError, StoreError, Unavailable
from ostro.model.states import ERROR, RUNNING
from ostro.ports.clock import Clock
from ostro.ports.engine import Engine
from ostro.ports.secrets import Vault
from ostro.ports.work import WorkQueue

log = logging.getLogger(__name__)


class _Running(msgspec.Struct):
    """One attempt that this executor holds."""

    job: ActionJob
    task: asyncio.Task[None]
    began: float | None = None  # monotonic seconds; None until marked
    ended: bool = False  # performed, being reported: must not be stopped any more


class Executor:
    """`async with Executor(queue, engine, registry, name="a", egress=policy, clock=clock):` takes jobs until the
    block ends, then lets what runs finish for `settings.drain` seconds and stops the rest.

    `rehearse`: actions do not touch the world; their own `test` is called in place of `run`, those without one fail.
    `vault`: opens the secrets in inputs; without it actions that have some fail. `process`: tells executors apart that
    share a name, when there may be several.
    """

    def __init__(
        self,
        queue: WorkQueue,
        engine: Engine,
        registry: Registry,
        *,
        name: str,
        egress: EgressPolicy,
        clock: Clock,
        settings: ExecutorSettings | None = None,
        rehearse: bool = False,
        vault: Vault | None = None,
        process: str | None = None,
    ) -> None:
        settings = settings or ExecutorSettings()
        self.name = name
        self._queue = queue
        self._engine = engine
        self._registry = registry
        self._clock = clock
        self._settings = settings
        self._rehearse = rehearse
        self._vault = vault
        self._process = process
        self._begins = itertools.count(1)
        self._gives_up = False  # what is unfinished is left to others
        self._services = Services(settings, egress)
        self._running: dict[tuple[str, int], _Running] = {}
        self._changed = asyncio.Event()  # a place became free, or the last action ended
        self._stopping = asyncio.Event()
        self._duties: list[asyncio.Task[None]] = []

    @property
    def running(self) -> int:
        """How many actions this executor holds now."""
        return len(self._running)

    @property
    def refused_requests(self) -> dict[tuple[str], int]:
        """HTTP requests that were put off, by reason: `limit` of their host, or its open `breaker`."""
        gate = self._services.gate
        return {} if gate is None else {(reason,): count for reason, count in gate.refused.items()}

    @property
    def open_breakers(self) -> int:
        """Hosts whose circuit breaker is open."""
        gate = self._services.gate
        return 0 if gate is None else gate.open_breakers

    async def __aenter__(self) -> Self:
        self._unlisten = self._queue.listen(self._on_cancel)
        self._start(self._take_all(), "ostro-take")
        if self._settings.heartbeat > 0:
            self._start(self._beat(), "ostro-heartbeat")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._duties[0].cancel()  # no new jobs; heartbeats go on while we drain
        try:
            await self.drain(self._settings.drain)
        finally:
            left = [entry.task for entry in self._running.values()]
            self._gives_up = True
            if left:
                log.warning("Executor %s stops with %d actions unfinished", self.name, len(left))
            for task in (*left, *self._duties):
                task.cancel()
            await asyncio.gather(*left, *self._duties, return_exceptions=True)
            self._unlisten()
            await self._services.close()

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing runs; False if that took longer than that."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _start(self, duty: Coroutine[Any, Any, None], name: str) -> None:
        self._duties.append(asyncio.create_task(duty, name=name))

    # take

    async def _take_all(self) -> None:
        pause = self._settings.retry_first
        while True:
            free = self._settings.concurrency - len(self._running)
            if free < 1:
                self._changed.clear()
                await self._changed.wait()
                continue
            try:
                jobs = await self._queue.take(free)
            except Exception:
                log.exception("Executor %s cannot take jobs, tries again", self.name)
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._settings.retry_most)
                continue
            pause = self._settings.retry_first
            for job in jobs:
                key = (job.action_id, job.attempt)
                if key not in self._running:  # else a repeat of what we hold
                    self._running[key] = _Running(job, asyncio.create_task(self._run(key, job)))

    async def _run(self, key: tuple[str, int], job: ActionJob) -> None:
        try:
            if not await self._mark(job):
                return
            entry = self._running[key]
            entry.began = self._clock.monotonic()
            outcome = await with_secrets(job, self._vault, self._perform)
            entry.ended = True
            await self._report(job, outcome)
        except asyncio.CancelledError:
            log.debug("Action %s %s stopped", job.name, job.action_id)
        except Exception:
            log.exception("Action %s %s: the executor failed", job.name, job.action_id)
        finally:
            self._running.pop(key, None)
            if not self._gives_up:
                self._queue.done(job)
            self._changed.set()

    async def _perform(self, job: ActionJob) -> Outcome:
        return await perform(job, self._registry, self._services, rehearse=self._rehearse)

    # mark

    async def _mark(self, job: ActionJob) -> bool:
        """Whether the attempt may begin; true only after the engine has stored that it does."""
        command = ActionTaken(
            root_id=job.root_id,
            execution_id=job.execution_id,
            task_id=job.task_id,
            action_id=job.action_id,
            attempt=job.attempt,
            executor=self.name,
            process=None if self._process is None else f"{self._process}:{next(self._begins)}",
        )
        try:
            return (await self._submit(command)) is True
        except OstroError as exc:
            log.debug("Action %s %s is not wanted: %s", job.name, job.action_id, exc.message)
            return False

    # report

    async def _report(self, job: ActionJob, outcome: Outcome) -> None:
        if outcome.state == RUNNING:
            await self._offer(
                ActionWaits(
                    root_id=job.root_id,
                    execution_id=job.execution_id,
                    task_id=job.task_id,
                    action_id=job.action_id,
                    attempt=job.attempt,
                )
            )
            return
        refusal = await self._offer(_finish(job, outcome.state, outcome.result))
        if refusal is not None:  # the engine cannot hold this result: the action ends all the same
            await self._offer(_finish(job, ERROR, refusal))

    async def _offer(self, command: Command) -> str | None:
        """Submit; the reason if the engine refuses it for good."""
        try:
            await self._submit(command)
        except OstroError as exc:
            log.info("%s was refused: %s", type(command).__name__, exc.message)
            return exc.message
        except Exception as exc:
            log.exception("%s failed in the engine", type(command).__name__)
            return f"The result cannot be stored ({type(exc).__name__})"
        return None

    async def _submit(self, command: Command) -> Any:
        """Submit until the engine answers. Raises what is not a matter of time."""
        pause = self._settings.retry_first
        while True:
            try:
                return await self._engine.submit(command)
            except (Unavailable, StoreError) as exc:
                log.warning("%s: engine unavailable, tries again: %s", type(command).__name__, exc.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._settings.retry_most)

    # heartbeats and cancellation

    async def _beat(self) -> None:
        interval = self._settings.heartbeat
        while True:
            await asyncio.sleep(interval)
            old = self._clock.monotonic() - interval / 2  # younger ones have just been marked
            due = [e for e in self._running.values() if e.began is not None and e.began <= old and not e.ended]
            await asyncio.gather(*map(self._tell_alive, due))

    async def _tell_alive(self, entry: _Running) -> None:
        job = entry.job
        command = ActionAlive(
            root_id=job.root_id,
            execution_id=job.execution_id,
            task_id=job.task_id,
            action_id=job.action_id,
            attempt=job.attempt,
        )
        try:
            is_wanted = await self._engine.submit(command)
        except Exception as exc:  # the next beat is the repeat
            log.debug("Heartbeat of %s not taken: %s", job.action_id, exc)
            return
        if is_wanted is False and not entry.ended:
            entry.task.cancel()

    def _on_cancel(self, action_ids: Sequence[str]) -> None:
        gone = set(action_ids)
        for entry in self._running.values():
            if entry.job.action_id in gone and not entry.ended:
                entry.task.cancel()


def _finish(job: ActionJob, state: str, result: Any) -> FinishAction:
    return FinishAction(
        root_id=job.root_id,
        execution_id=job.execution_id,
        task_id=job.task_id,
        action_id=job.action_id,
        state=state,
        result=result,
        attempt=job.attempt,
    )
