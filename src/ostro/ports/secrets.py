"""Secrets: sealed in the store, opened only where an action runs. See `model.sealed` for how they look."""

from collections.abc import Sequence
from typing import Protocol

from ostro.model.access import SecretRecord
from ostro.model.sealed import Sealed


class Vault(Protocol):
    """Who holds the keys."""

    def seal(self, value: str, name: str, project_id: str) -> Sealed:
        """By the newest key. InvalidInput without a key."""
        ...

    def open(self, sealed: Sealed, project_id: str) -> str:
        """InvalidInput if no key here opens it, or if it was sealed for another project; never with the value."""
        ...


class Sealer(Protocol):
    """Seals texts that only this installation may read again."""

    def seal(self, text: str) -> str:
        """Letters, digits, `-` and `_` only."""
        ...

    def open(self, sealed: str) -> str | None:
        """None for what was not sealed here; from whom it comes is not believed."""
        ...


class SecretStore(Protocol):
    async def find_secret(self, name: str, project_id: str) -> SecretRecord | None: ...


class SecretAdmin(SecretStore, Protocol):
    async def list_secrets(self, project_id: str | None) -> list[SecretRecord]:
        """By project and name; of all projects with None."""
        ...

    async def save_secrets(self, records: Sequence[SecretRecord]) -> None:
        """Create or replace, in one transaction. What exists keeps its created_at."""
        ...

    async def delete_secret(self, name: str, project_id: str) -> bool:
        """False: there was none."""
        ...
