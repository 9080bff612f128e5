"""The queue between engine and executors."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ostro.model.commands import ActionJob


class WorkQueue(Protocol):
    """As one executor sees it: `take` gives only jobs without a target or with its own name as target."""

    async def put(self, jobs: Sequence[ActionJob]) -> None:
        """Hand out jobs. Called after the commit that stored their action executions, so it neither waits for anybody
        nor raises: what cannot be handed out now is handed out later."""
        ...

    async def take(self, limit: int) -> list[ActionJob]:
        """Wait for at least one job, return at most `limit`."""
        ...

    def done(self, job: ActionJob) -> None:
        """A job that was taken is over: its result was reported, or nobody wants it. Until then the queue may give it
        to another executor if this one dies; a job may come twice in any case."""
        ...

    async def cancel(self, action_ids: Sequence[str]) -> None:
        """The results of these are not wanted any more; executors stop them if they can."""
        ...

    def listen(self, on_cancel: Callable[[Sequence[str]], None]) -> Callable[[], None]:
        """Call `on_cancel` with the ids of every `cancel`. Returns the function that ends it."""
        ...
