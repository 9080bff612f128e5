"""Who may give out how many places of a limit: engines share each limit exactly, through the database."""

from typing import Protocol

from ostro.model.quotas import Report, Settlement


class Quotas(Protocol):
    """As one engine process uses it."""

    async def settle(self, epoch: int, report: Report) -> Settlement:
        """Say what is in use and get the quotas that hold from now on. Over all engines a limit's charges stay within
        it; what runs already is never stopped. Raises Fenced if the epoch is gone, StoreError if the database does not
        answer: then the quotas from before hold or the new ones, nobody knows."""
        ...

    async def close(self) -> None: ...
