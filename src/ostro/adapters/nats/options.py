"""How NATS is reached, and who we say we are."""

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ostro.adapters.nats.keys import UserKey, read_key
from ostro.model.errors import InvalidInput


class NatsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Files are read whenever a connection is made, so replaced ones hold from the next time on.

    `servers`: URLs separated by commas; a user and password, or a token, may stand in them. `credentials_file`: a file
    of `nsc` (.creds) or one with an nkey's seed. `prefix`: first part of all subjects and of the stream's name, so that
    several installations can share a server.
    """

    servers: str
    user: str = ""
    password_file: str = ""
    token_file: str = ""
    credentials_file: str = ""
    ca_file: str = ""
    certificate_file: str = ""  # of the client, with its chain
    key_file: str = ""
    prefix: str = "ostro"
    stream_mb: int = 1024  # the server sets as much of its storage aside for the stream of actions
    replicas: int = 1  # of that stream, in a cluster of servers
    setting: str = "--nats"  # how the options are called from which this was made, for errors

    @property
    def urls(self) -> list[str]:
        return [url.strip() for url in self.servers.split(",") if url.strip()]

    def arguments(self) -> dict[str, Any]:
        """For nats-py's `connect`, but for the key. Raises InvalidInput, never with a secret."""
        found: dict[str, Any] = {"servers": self.urls}
        if self._user:
            found["user"] = self._user
            found["password"] = _fresh(lambda: self._secret(self.password_file, "password-file"))
        elif self.token_file:
            found["token"] = _fresh(lambda: self._secret(self.token_file, "token-file"))
        if self.ca_file or self.certificate_file or any(url.startswith("tls:") for url in self.urls):
            found["tls"] = self._tls()
        return found

    @property
    def _user(self) -> str:
        """A name alone in the URL is a token to NATS; beside a file with a password it is the user."""
        if self.user or not self.password_file:
            return self.user
        return next((name for url in self.urls if (name := urlsplit(url).username)), "")

    def key(self) -> UserKey | None:
        """Raises InvalidInput."""
        if not self.credentials_file:
            return None
        option = f"{self.setting}-credentials"
        return read_key(_read(self.credentials_file, option).decode("ascii", "replace"), option)

    def _secret(self, path: str, what: str) -> str:
        return _read(path, f"{self.setting}-{what}").decode("utf-8", "replace").strip() if path else ""

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file or None)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(f"{self.setting}: the certificates or their key cannot be used: {error}") from None
        return context


def _fresh(read: Callable[[], str]) -> Callable[[], str]:
    """Reads again each time; what was read last is good enough while a file cannot be read. Raises InvalidInput now."""
    last = read()

    def get() -> str:
        nonlocal last
        with contextlib.suppress(InvalidInput):
            last = read()
        return last

    return get


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"{option} {path} cannot be read: {error.strerror}.") from None
