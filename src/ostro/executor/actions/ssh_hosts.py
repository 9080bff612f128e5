"""Host keys of SSH servers: trusted and recorded at first use, checked ever after.

Guarantees: once a key of a host and port is recorded (or listed in the file by the operator), a server that shows
another one is refused. The file has OpenSSH's known_hosts format.
"""

import os
from pathlib import Path

import asyncssh


class HostKeyChanged(OSError):
    """The server shows another key than the one known for it."""


class KnownHosts:
    """The known keys: of a file that is extended at first use, or in memory if `path` is None.
    Raises ValueError if the file cannot be understood, OSError if it cannot be read."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        text = self._path.read_text() if self._path is not None and self._path.exists() else ""
        self._known = asyncssh.import_known_hosts(text)

    def trusted(
        self, host: str, port: int
    ) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """(host keys, CA keys, revoked keys) known for exactly this host and port."""
        found = self._known.match(_label(host, port), "", None)
        return list(found[0]), list(found[1]), list(found[2])

    def client_for(self, host: str, port: int) -> type[asyncssh.SSHClient]:
        """What decides on a key that is not among the trusted ones: fine only if none is known at all."""
        is_new = not any(self.trusted(host, port))

        class FirstUse(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                return is_new

        return FirstUse

    def record(self, host: str, port: int, key: asyncssh.SSHKey) -> None:
        """Remember the key that a server has proved to hold. Raises HostKeyChanged if another connection has
        recorded a different one meanwhile."""
        keys, authorities, revoked = self.trusted(host, port)
        if key in keys or (authorities and key not in revoked):
            return
        if keys or key in revoked:
            raise HostKeyChanged(f"the host key of {host} is not the known one")
        line = f"{_label(host, port)} {key.export_public_key().decode().strip()}\n"
        self._known.load(line)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)


def _label(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"
