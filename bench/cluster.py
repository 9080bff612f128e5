"""Scaled out: chains of 20 tasks over PostgreSQL and NATS, beside a bare writer and DBOS on the same PostgreSQL.

    python -m bench.cluster [--chains 400] [--in-flight 20] [--dbos /path/to/python] [--out bench/RESULTS-cluster.md]

Starts its own PostgreSQL (synchronous_commit and fsync on) and NATS. `inline`: echo tasks, which the engine runs
itself; `travelling`: an action of a plug-in that does nothing, so each goes over NATS to an executor process and back.
CPU is that of all Ostro processes. Statements are what pg_stat_statements counted (no BEGIN, no COMMIT), transactions
what pg_stat_database did, reads included; what an idle cell does (leases, duties) counts only as far as it was done
while the tasks ran. `--chains` and `--in-flight` are per engine. `--dbos`: a Python that has dbos (pip install dbos).
"""

import argparse
import shutil

from bench.cluster_cell import DURABLE, BenchCell, Used, run_dbos
from bench.cluster_writer import tasks_per_second
from bench.report import Rows, markdown, run
from tests.faults.servers import Postgres, new_folder

LENGTH = 20


def chain(name: str, action: str) -> str:
    lines = [f"version: '2.0'\n{name}:\n  input: [x: start]\n  output: {{last: <% $.x %>}}\n  tasks:"]
    for number in range(LENGTH):
        lines.append(
            f"    step{number}:\n      action: {action} output=<% $.x %>\n      publish: {{x: <% task().result %>}}"
        )
        if number + 1 < LENGTH:
            lines.append(f"      on-success: step{number + 1}")
    return "\n".join(lines) + "\n"


WORKFLOWS = {"inline": chain("inline", "std.echo"), "travelling": chain("travelling", "bench.echo")}

LAYOUTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "1 process, no NATS": ({"all": "api,engine,executor"}, ("inline",)),
    "1 engine, 1 executor": ({"engine": "api,engine", "executor": "executor"}, ("inline", "travelling")),
    "api, 1 engine, 1 executor": ({"api": "api", "e1": "engine", "executor": "executor"}, ("inline", "travelling")),
    "api, 2 engines, 1 executor": ({"api": "api", "e1": "engine", "e2": "engine", "executor": "executor"},
                                   ("inline", "travelling")),
    "api, 4 engines, 1 executor": ({"api": "api", **{f"e{n}": "engine" for n in range(1, 5)}, "executor": "executor"},
                                   ("inline", "travelling")),
}  # fmt: skip


def figures(used: Used, tasks: int) -> dict[str, float]:
    found = {
        "tasks/s": tasks / used.seconds,
        "CPU ms/task, Ostro": used.ostro / tasks * 1e3,
        "CPU ms/task, executor alone": used.executors / tasks * 1e3,
        "CPU ms/task, PostgreSQL": used.postgres / tasks * 1e3,
        "CPU ms/task, NATS": used.nats / tasks * 1e3,
        "statements/task": used.statements / tasks,
        "transactions/task": used.transactions / tasks,
    }
    for table in ("tasks", "actions", "executions", "history"):  # history has a partition for each week
        found[f"rows/task, {table}"] = (
            sum(map(sum, (used.rows[name] for name in used.rows if name.startswith(table)))) / tasks
        )
    return found


async def measure(options: argparse.Namespace) -> Rows:
    found: Rows = []

    def add(case: str, values: dict[str, float]) -> None:
        for name, value in values.items():
            found.append((case, name, value))
            print(f"{case:40} {name:28} {value:10.3f}", flush=True)

    folder = new_folder("ostro-bench-")
    postgres = Postgres(folder / "postgres")
    try:
        postgres.start(**DURABLE)
        per_commit = 0.0
        for number, (layout, (roles, workflows)) in enumerate(LAYOUTS.items()):
            if options.only not in layout:
                continue
            database = f"bench{number}"
            async with BenchCell(folder / database, postgres, database, roles, nats=number > 0) as cell:
                # As many per engine: with fewer each would have less to put into a transaction.
                engines = max(1, sum(part == "engine" for part in roles.values()))
                width = options.in_flight * engines
                idle = await cell.idle()
                for name in workflows:
                    await cell.call("POST", "/workflows", WORKFLOWS[name], ("Content-Type", "text/plain"))
                    await cell.chains(name, width * 2, width)
                    count = options.chains * engines // (1 if name == "inline" else 2)
                    values = figures(await cell.measured(name, count, width, idle), count * LENGTH)
                    add(f"{layout}: {name}", values)
                    if not per_commit:
                        per_commit = 1 / values["transactions/task"]
            if number == 0:
                rate = await tasks_per_second(postgres.url(database=database), max(1, round(per_commit)), 4.0)
                add("bare writer of the same rows", {"tasks/s": rate, "tasks/transaction": per_commit})
        if options.dbos:
            postgres.query("CREATE DATABASE dbos", database="postgres")
            rates = run_dbos(options.dbos, postgres.url(database="dbos"), options.chains // 4, options.in_flight)
            add("DBOS", {f"steps/s, {name}": rate for name, rate in rates.items()})
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)
    return found + ratios(found)


def ratios(rows: Rows) -> Rows:
    """What the bars ask for."""
    values = {(case, name): value for case, name, value in rows}
    found: Rows = []

    def add(name: str, value: float | None, other: float | None) -> None:
        if value and other:
            found.append(("ratios", name, value / other))

    inline = values.get(("1 process, no NATS: inline", "tasks/s"))
    travelling = values.get(("1 engine, 1 executor: travelling", "tasks/s"))
    dbos = max((value for case, name, value in rows if case == "DBOS"), default=None)
    add("inline / bare writer", inline, values.get(("bare writer of the same rows", "tasks/s")))
    add("inline / DBOS", inline, dbos)
    add("travelling / DBOS", travelling, dbos)
    for engines in ("2 engines", "4 engines"):  # beside one engine that is apart from the API too
        for kind in ("inline", "travelling"):
            for figure in ("statements/task", "transactions/task", "CPU ms/task, PostgreSQL"):
                add(
                    f"{engines} / 1 engine, {kind}: {figure}",
                    values.get((f"api, {engines}, 1 executor: {kind}", figure)),
                    values.get((f"api, 1 engine, 1 executor: {kind}", figure)),
                )
    for _, name, value in found:
        print(f"{'ratios':40} {name:60} {value:10.3f}")
    return found


def report(rows: Rows, options: argparse.Namespace) -> str:
    command = f"python -m bench.cluster --chains {options.chains} --in-flight {options.in_flight} --dbos PYTHON"
    note = "PostgreSQL, NATS, Ostro, DBOS and the client share the cores."
    return markdown("scaled out", command, note, "case", rows, _shown)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, default=400)
    parser.add_argument("--in-flight", type=int, default=20)
    parser.add_argument("--only", default="", help="layouts whose name contains this text")
    parser.add_argument("--dbos", default="", help="a Python interpreter that has dbos")
    run(parser, measure, report)


if __name__ == "__main__":
    main()
