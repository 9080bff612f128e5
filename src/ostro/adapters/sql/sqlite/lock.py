"""One server per file: an operating-system lock on a file beside the database, gone when its process is."""

import fcntl
import os

from ostro.model.errors import StoreError


class FileLock:
    """Held from creation until `release`, or until the process ends in whatever way."""

    def __init__(self, database: str) -> None:
        """StoreError if another process (or another store of this one) has it."""
        self._path = f"{database}.lock"
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"The database {database} cannot be used: {error.strerror} ({self._path})."
                " Is its folder there, and may this user write to it?"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreError(
                f"The database {database} is in use by another Ostro server (process {owner})."
                " Stop that server, or give this one a database of its own."
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        # The file stays: removing it would let two newcomers lock two different files of this name.
        os.close(self._descriptor)
