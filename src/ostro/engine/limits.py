"""Limits as they are set: `PROJECT=NUMBER`, `PROJECT/WORKFLOW=NUMBER`, `*` for each project without its own."""

from collections.abc import Mapping
from typing import Final

ANY: Final = "*"  # in place of a project: each of those that have no limit of their own
_MOST_REMEMBERED: Final = 10_000


class Limits:
    """`kind`: what is limited; part of the names that limits have in the database."""

    def __init__(self, kind: str, numbers: Mapping[str, int]) -> None:
        self._kind = kind
        self._numbers = numbers
        self._names: dict[tuple[str, str], tuple[str, ...]] = {}
        self.most: dict[str, int] = {}  # name of a limit that somebody has met -> its number

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def of(self, project: str, workflow: str) -> tuple[str, ...]:
        """The names of the limits that hold for it, the narrowest first; none if it is not limited."""
        names = self._names.get((project, workflow))
        if names is None:
            if len(self._names) >= _MOST_REMEMBERED:
                self._names.clear()
            found = (self.of_workflow(project, workflow), self.of_project(project))
            names = self._names[(project, workflow)] = tuple(name for name in found if name is not None)
        return names

    def of_workflow(self, project: str, workflow: str) -> str | None:
        """The name of the workflow's own limit."""
        return self._name(project, f"/{workflow}", f"\t{workflow}")

    def of_project(self, project: str) -> str | None:
        return self._name(project, "", "")

    def _name(self, project: str, end: str, shown: str) -> str | None:
        most = self._numbers.get(f"{project}{end}", self._numbers.get(f"{ANY}{end}"))
        if most is None:
            return None
        name = f"{self._kind}\t{project}{shown}"
        self.most[name] = most
        return name
