"""The figures of a process, from the parts that it has."""

from typing import TYPE_CHECKING

from ostro.app_cluster import Worker
from ostro.app_core import Core

if TYPE_CHECKING:
    from ostro.adapters.telemetry import Metrics
    from ostro.adapters.telemetry.metrics import Reading
    from ostro.api.traffic import Traffic
    from ostro.api.turns import Turns
    from ostro.engine import Owner
    from ostro.executor import Executor


def metrics_of(core: Core | Worker, traffic: "Traffic | None" = None, turns: "Turns | None" = None) -> "Metrics":
    """`traffic`, `turns`: of the API, if the process has one."""
    from ostro.adapters.telemetry import Metrics
    from ostro.expr.budget import Refusals

    def read() -> "dict[str, Reading]":
        found: dict[str, Reading] = {"expression_refusals": Refusals.total}
        if core.executor is not None:
            found |= _of_executor(core.executor)
        if traffic is not None:
            found |= {"http_requests": traffic.requests, "http_request_seconds": traffic.seconds}
        if turns is not None:
            found |= {"waiting_requests": turns.waiting, "refused_requests": turns.refused}
        if isinstance(core, Core):
            found["duty"] = {(name,): value for name, value in core.duty_counters().items()}
            if core.owner is not None:
                found |= _of_owner(core.owner) | {"queued_actions": len(core.queue)}
        return found

    return Metrics(read, core.counts)


def _of_owner(owner: "Owner") -> "dict[str, Reading]":
    tally = owner.tally
    return {
        "started": {(kind,): count for kind, count in tally.started.items()},
        "ended": tally.ended,
        "commit_seconds": tally.commit_seconds,
        "commit_trees": tally.commit_trees,
        "commit_rows": tally.commit_rows,
        "commit_retries": owner.counters["retries"],
        "steps": owner.counters["steps"],
        "timer_lag_seconds": tally.timer_lag,
        "timers_ahead": owner.timers_ahead,
        "resident_executions": owner.resident_trees,
        "ready_executions": owner.ready_trees,
        "open_commands": owner.door.open,
        "refused_commands": owner.door.refused,
        "expression_fallbacks": owner.expression_fallbacks,
        "shards": len(owner.shards),
    }


def _of_executor(executor: "Executor") -> "dict[str, Reading]":
    return {
        "running_actions": executor.running,
        "put_off_requests": executor.refused_requests,
        "open_breakers": executor.open_breakers,
    }
