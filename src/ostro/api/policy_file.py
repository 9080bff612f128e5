"""Policy rules from a file that may change while the server runs.

Guarantees that a file which cannot be used changes nothing: the rules from before hold, and the log says why.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from ostro.api.policy import Policy, read_policy
from ostro.model.commands import Caller
from ostro.model.errors import InvalidInput

log = logging.getLogger("ostro.api.policy")

_LOOK_SECONDS = 2.0  # between two looks at the file


class PolicyFile(Policy):
    """Raises OSError, UnicodeError, InvalidInput for a file that cannot be used at the start."""

    def __init__(self, path: Path, *, authenticated: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._is_authenticated = authenticated
        self._monotonic = monotonic
        self._next_look = monotonic() + _LOOK_SECONDS
        self._seen = self._look()
        self._checks = self._read()

    def _read(self) -> dict[str, Callable[[Caller], bool]]:
        return read_policy(self._path.read_text("utf-8"), authenticated=self._is_authenticated)._checks

    def _look(self) -> tuple[int, int, int]:
        """What changes with the file. Raises OSError."""
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _refresh(self) -> None:
        now = self._monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        try:
            seen = self._look()
            if seen == self._seen:
                return
            self._seen = seen  # one that is wrong is told of once
            self._checks = self._read()
        except (OSError, UnicodeError, InvalidInput) as error:
            log.error("the policy file cannot be used, the rules from before hold: %s: %s", self._path, error)
        else:
            log.info("the policy file has changed and was read again: %s", self._path)

    def allows(self, rule: str, caller: Caller) -> bool:
        self._refresh()
        return super().allows(rule, caller)

    def allowed(self, caller: Caller) -> list[str]:
        self._refresh()
        return super().allowed(caller)

    def require(self, rule: str, caller: Caller) -> None:
        self._refresh()
        super().require(rule, caller)
