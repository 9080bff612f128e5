"""`ostro overview`: what a person wants to know first."""

import click

from ostro.cli.output import time_text
from ostro.cli.server import Server, at_server
from ostro.cli.tables import one_line, print_table

_BARS = "▁▂▃▄▅▆▇█"


@click.command()
@at_server
def overview(server: Server) -> None:
    """What runs, what needs attention, what is due next.

    Example: ostro overview
    """
    found = server.client.overview()
    if not server.out.is_for_people:
        server.out.one(found)
        return
    counts = [
        f"{number}{'+' if state in found.capped else ''} {state}" for state, number in found.counts.items() if number
    ]
    print(", ".join(counts) or "Nothing has run in the last 24 hours.")
    print(f"started in the last hour  {_spark([minute.started for minute in found.series])}")
    if found.attention:
        print("\nNeeds attention")
        print_table(
            [
                {"what": one.kind.replace("_", " "), "name": one.name, "at": time_text(one.at),
                 "id": one.execution_id or one.id, "why": one_line(one.message)}
                for one in found.attention
            ]
        )  # fmt: skip
    if found.due:
        print("\nDue next")
        print_table([{"at": time_text(one.at), "trigger": one.name, "workflow": one.workflow} for one in found.due])


def _spark(numbers: list[int]) -> str:
    most = max(numbers, default=0)
    return "".join(_BARS[round(number * (len(_BARS) - 1) / most)] if most else _BARS[0] for number in numbers)


@click.command()
@click.argument("status", required=False, type=click.Choice(["pause", "resume"]))
@at_server
def maintenance(server: Server, status: str | None) -> None:
    """Print whether the server is in maintenance; `pause` begins it, `resume` ends it (administrators).

    Example: ostro maintenance pause
    """
    wanted = {"pause": "PAUSED", "resume": "RUNNING", None: None}[status]
    found = server.client.maintenance(wanted)
    server.out.result({"status": found}, found)
