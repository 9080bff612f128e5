"""Groups whose commands are imported when they are used, so that `ostro --help` pays for none of them."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click

Places = Mapping[str, tuple[str, str]]  # name -> (module:attribute, what it does, in one line)


class _Commands(MutableMapping[str, click.Command]):
    """Those that are there already, and those that have a place; the latter are imported when looked up."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._here: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._here:
            module, _, attribute = self._places[name][0].partition(":")
            self._here[name] = getattr(import_module(module), attribute)
        return self._here[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._here[name] = command

    def __delitem__(self, name: str) -> None:
        del self._here[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._here})

    def __len__(self) -> int:
        return len({**self._places, **self._here})

    def summary(self, name: str, width: int) -> str:
        return self._here[name].get_short_help_str(width) if name in self._here else self._places[name][1]


class LazyGroup(click.Group):
    """`places` says where commands are. `sections`: headings of the help, each with the names below it."""

    def __init__(
        self, *args: object, places: Places, sections: Mapping[str, tuple[str, ...]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.commands: _Commands = _Commands(places)
        self.sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in self.sections.items():
            width = formatter.width - 6 - max(len(name) for name in names)
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands.summary(name, width)) for name in names])
