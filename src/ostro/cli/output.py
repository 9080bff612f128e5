"""What commands print: tables for people, JSON or YAML for programs."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from ostro.cli.tables import one_line, print_table

Column = tuple[str, Callable[[Any], Any]] | str  # heading and value, or the name of a field


class Output:
    """`form`: table, json or yaml."""

    def __init__(self, form: str = "table") -> None:
        self.form = form

    @property
    def is_for_people(self) -> bool:
        return self.form == "table"

    def rows(self, values: Iterable[Any], columns: Sequence[Column], *, limit: int | None = None) -> None:
        """A list. If `limit` leaves some out, that is told on standard error."""
        found = list(values if limit is None else islice(values, limit + 1))
        has_more = limit is not None and len(found) > limit
        found = found[:limit]
        if not self.is_for_people:
            self.data([plain(value) for value in found])
        else:
            _table([_row(value, columns) for value in found])
        if has_more:
            note(f"These are {limit}; there are more: --limit N shows them.")

    def maps(self, rows: list[dict[str, str]]) -> None:
        """Rows that are texts already."""
        if self.is_for_people:
            _table(rows)
        else:
            self.data(rows)

    def one(self, value: Any, *, without: Sequence[str] = ()) -> None:
        """All fields of one thing; for people without those that are empty or named in `without`."""
        data = plain(value)
        if not self.is_for_people:
            self.data(data)
            return
        shown = {name: inner for name, inner in data.items() if inner not in (None, "", [], {}) and name not in without}
        width = max((len(name) for name in shown), default=0)
        for name, inner in shown.items():
            lines = (_time(inner) if _is_time(name, inner) else as_text(inner)).splitlines() or [""]
            print(f"{name:{width}}  {lines[0]}")
            for line in lines[1:]:
                print(f"{'':{width}}  {line}")

    def data(self, value: Any) -> None:
        """As JSON, or as YAML."""
        print(to_yaml(value) if self.form == "yaml" else to_json(value))

    def result(self, value: Any, sentence: str) -> None:
        """What a change made: a sentence for people."""
        if self.is_for_people:
            print(sentence)
        else:
            self.data(plain(value))


def _table(rows: Sequence[Mapping[str, str]]) -> None:
    if not rows:
        note("There is nothing to list.")
    print_table(rows)


def note(text: str) -> None:
    """For people, beside what is printed for programs."""
    print(text, file=sys.stderr)


def plain(value: Any) -> Any:
    """As JSON has it; times are ISO 8601."""
    return msgspec.to_builtins(value)


def to_json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def to_yaml(value: Any) -> str:
    """Without a line end; long texts as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, inner: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", inner, style="|" if "\n" in inner else None)

    Dumper.add_representer(str, text)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")


def as_text(value: Any) -> str:
    """For a person: texts as they are, all else as JSON (short ones in one line)."""
    if isinstance(value, str):
        return value
    short = msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    return short if len(short) <= 100 else to_json(value)


def time_text(moment: datetime | None) -> str:
    """UTC, by the second."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _is_time(name: str, value: Any) -> bool:
    return isinstance(value, str) and name.endswith(("_at", "_time")) and value[:2] == "20"


def _time(text: str) -> str:
    return time_text(datetime.fromisoformat(text))


def _row(value: Any, columns: Sequence[Column]) -> dict[str, str]:
    return {heading: _cell(shown) for heading, shown in (_column(value, one) for one in columns)}


def _column(value: Any, column: Column) -> tuple[str, Any]:
    if isinstance(column, str):
        return column.removesuffix("_at").replace("_", " "), getattr(value, column)
    return column[0], column[1](value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(str(inner) for inner in value)
    return one_line(str(value))
