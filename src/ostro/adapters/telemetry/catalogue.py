"""Every figure of `/metrics`: its name, what kind it is, its labels, what it means. The page
`docs/reference/metrics.md` says the same."""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]
PREFIX = "ostro_"


class Figure(NamedTuple):
    """`name` without prefix and, of counters, without `_total`."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """As it is on the page."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"


FIGURES: tuple[Figure, ...] = (
    Figure("unfinished", "gauge", "Executions, tasks and actions that are not over.", ("kind", "state")),
    Figure("started", "counter", "Executions, tasks and actions that were created.", ("kind",)),
    Figure("ended", "counter", "Executions, tasks and actions that ended, by outcome.", ("kind", "state")),
    Figure("commit_seconds", "histogram", "How long transactions of the engine took."),
    Figure("commit_trees", "histogram", "Execution trees in one transaction."),
    Figure("commit_rows", "histogram", "Rows written by one transaction."),
    Figure("commit_retries", "counter", "Transactions that failed and were carried out again in parts."),
    Figure("steps", "counter", "Steps of executions."),
    Figure("timer_lag_seconds", "histogram", "How late durable timers fired."),
    Figure("timers_ahead", "gauge", "Durable timers due within the next minutes."),
    Figure("resident_executions", "gauge", "Execution trees held in memory."),
    Figure("ready_executions", "gauge", "Execution trees that have work to do and wait for their turn."),
    Figure("shards", "gauge", "Shards of executions that this process owns, of 256."),
    Figure("open_commands", "gauge", "Requests that wait for the engine's answer."),
    Figure("refused_commands", "counter", "Requests refused because too many were waiting."),
    Figure("waiting_requests", "gauge", "Requests that wait for others of their project."),
    Figure("refused_requests", "counter", "Requests refused because too many of their project were waiting."),
    Figure("queued_actions", "gauge", "Actions handed out that no executor has taken yet."),
    Figure("running_actions", "gauge", "Actions that the executor of this process runs now."),
    Figure("put_off_requests", "counter", "HTTP requests of actions put off to spare their host.", ("reason",)),
    Figure("open_breakers", "gauge", "Hosts that get no requests of actions because they failed."),
    Figure("expression_refusals", "counter", "Expressions that broke their budget of time or size."),
    Figure("expression_fallbacks", "gauge", "YAQL parts in use that are evaluated by the library."),
    Figure("http_requests", "counter", "Answered requests.", ("method", "route", "status")),
    Figure("http_request_seconds", "histogram", "How long requests took, from their head to the answer."),
    Figure("duty", "gauge", "Figures of triggers, notifications, heartbeats, retention and upkeep.", ("name",)),
)
