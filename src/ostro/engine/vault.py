"""Sealing secrets for the rows: a key of this installation, in a file that only its owner can read."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

log = structlog.get_logger("ostro.engine")


class FileVault:
    """Implements `core.env.Vault`. The key is given, or read from the file, or made, when it is first needed. Without a
    file it lives as long as the process."""

    def __init__(self, key_file: str | None, key: bytes | None = None) -> None:
        self._path = None if key_file is None else Path(key_file)
        self._given = key
        self._key: Fernet | None = None

    def seal(self, text: str) -> str:
        return self._fernet().encrypt(text.encode("utf-8", "surrogatepass")).decode()

    def open(self, sealed: str) -> str | None:
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet().decrypt(sealed.encode()).decode("utf-8", "surrogatepass")
        except InvalidToken:
            log.warning("a stored token was sealed with another key and cannot be read")
            return None

    def _fernet(self) -> "Fernet":
        if self._key is None:
            from cryptography.fernet import Fernet

            self._key = Fernet(self._given or self._read())
        return self._key

    def _read(self) -> bytes:
        from cryptography.fernet import Fernet

        return Fernet.generate_key() if self._path is None else read_or_make(self._path)


def read_or_make(path: Path) -> bytes:
    """Raises OSError. Of two processes that make it at once, one wins and both use its key."""
    from cryptography.fernet import Fernet

    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # fails if the other process was first
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes().strip()
