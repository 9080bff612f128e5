"""The work queue between processes: `ports.work.WorkQueue` over JetStream. Each process uses the side that it needs."""

from collections.abc import Callable, Collection, Sequence
from typing import Self

from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.dispatch import Dispatch
from ostro.adapters.nats.intake import Intake
from ostro.adapters.nats.wire import Report, WantedJob
from ostro.model.commands import ActionJob


class NatsQueue:
    """`async with`. Of an engine: give `epoch`, which tells the number of this engine process whenever it is asked. Of
    an executor: give `targets`, its name and labels. `shared`: whether it takes jobs without a target."""

    def __init__(
        self,
        connection: Connection,
        *,
        epoch: Callable[[], int] | None = None,
        targets: Sequence[str] | None = None,
        shared: bool = True,
    ) -> None:
        self.dispatch = None if epoch is None else Dispatch(connection, epoch=epoch)
        self.intake = None if targets is None else Intake(connection, targets=targets, shared=shared)

    async def __aenter__(self) -> Self:
        """Raises InvalidInput for a stream that cannot be used, Unavailable."""
        if self.dispatch is not None:
            await self.dispatch.__aenter__()
        if self.intake is not None:
            await self.intake.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self.intake is not None:
            await self.intake.__aexit__(*exc)
        if self.dispatch is not None:
            await self.dispatch.__aexit__(*exc)

    def __len__(self) -> int:
        """Jobs of this engine that nobody has begun."""
        return 0 if self.dispatch is None else len(self.dispatch)

    # the port

    async def put(self, jobs: Sequence[ActionJob]) -> None:
        self._sending.put(jobs)

    async def cancel(self, action_ids: Sequence[str]) -> None:
        self._sending.cancel(action_ids)

    async def take(self, limit: int) -> list[ActionJob]:
        return await self._taking.take(limit)

    def done(self, job: ActionJob) -> None:
        self._taking.done(job)
        if self.dispatch is not None:
            self.dispatch.over(job)  # one of our own, whose reports did not come over NATS

    def listen(self, on_cancel: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        return self._taking.listen(on_cancel)

    # for the engine's way to NATS

    def epoch_of(self, action_id: str) -> int | None:
        return None if self.intake is None else self.intake.epoch_of(action_id)

    def project_of(self, action_id: str) -> str:
        return "" if self.intake is None else self.intake.project_of(action_id)

    def on_report(self, command: Report) -> None:
        self._sending.on_report(command)

    def whole_job(self, wanted: WantedJob, target: str) -> ActionJob | None:
        return self._sending.whole_job(wanted, target)

    def forget(self, shards: Collection[int]) -> None:
        self._sending.forget(shards)

    @property
    def _sending(self) -> Dispatch:
        if self.dispatch is None:
            raise RuntimeError("this process hands out no jobs: it is no engine")
        return self.dispatch

    @property
    def _taking(self) -> Intake:
        if self.intake is None:
            raise RuntimeError("this process takes no jobs: it is no executor")
        return self.intake
