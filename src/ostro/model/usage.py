"""Who has used much lately, and who little: for whatever projects share, in any unit."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

_LATELY: Final = 10.0  # seconds for which a project counts as one that wants something
_HALF_LIFE: Final = 1.0  # seconds in which what was used counts half
_LOOK_EVERY: Final = 0.05  # seconds
_MUCH: Final = 0.5  # of what the projects have used on average
_NONE: Final[frozenset[str]] = frozenset()


class Usage:
    """`weights`: by project, how many times as much as others it may use; 1 for those that are not named.

    `heavy`: projects that have used much, while several want something; a project that is alone is not heavy. One that
    is not heavy may have what it wants at once: by its nature that is little.
    """

    def __init__(self, weights: Mapping[str, int] = MappingProxyType({})) -> None:
        self._weights = weights
        self._used: defaultdict[str, float] = defaultdict(float)
        self._seen: dict[str, float] = {}  # project -> when it last wanted something
        self._looked_at = 0.0
        self.heavy: Collection[str] = _NONE

    @property
    def is_shared(self) -> bool:
        """More than one project has wanted something lately."""
        return len(self._seen) > 1

    def add(self, project: str, amount: float = 1.0) -> None:
        self._used[project] += amount

    def look(self, now: float, projects: Iterable[str]) -> bool:
        """These want something. `now`: monotonic seconds. Whether `heavy` is new."""
        seen = self._seen
        before = len(seen)
        for project in projects:
            seen[project] = now
        passed = now - self._looked_at
        if passed < _LOOK_EVERY and len(seen) == before:
            return False
        self._looked_at = now
        if self.is_shared:
            self._seen = seen = {project: at for project, at in seen.items() if at > now - _LATELY}
        left = 0.5 ** (passed / _HALF_LIFE)
        self._used = defaultdict(float, {project: self._used[project] * left for project in seen})
        self.heavy = self._find_heavy() if self.is_shared else _NONE
        return True

    def _find_heavy(self) -> Collection[str]:
        shares = {project: used / self._weights.get(project, 1) for project, used in self._used.items()}
        much = sum(shares.values()) / len(shares) * _MUCH
        return frozenset(project for project, share in shares.items() if share >= much > 0)
