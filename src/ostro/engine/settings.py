"""What an operator may set of the engine."""

from typing import Any

import msgspec


class EngineSettings(msgspec.Struct, kw_only=True, frozen=True):
    field_size_limit_kb: int = 1024  # -1 = none
    items_in_flight: int = 1000  # per with-items task
    expression_budget_ms: float = 250.0
    quantum_steps: int = 400  # of one tree before others get their turn
    quantum_ms: float = 5.0
    uncommitted_steps: int = 900  # about 600 rows: what may wait for the commit before long trees have to
    execution_limits: dict[str, int] = {}  # PROJECT or PROJECT/WORKFLOW -> root executions that may run; see places
    action_limits: dict[str, int] = {}  # the same for actions that executors run
    project_weights: dict[str, int] = {}  # turns of a project's executions before the next project's; 1 if not named
    open_commands: int = 20_000  # requests that wait for the engine, in all
    open_commands_of_project: int = 10_000
    turn_ms: float = 15.0  # of computing before the event loop gets its turn
    # For a project that uses much, while others have work too:
    least_part: int = 5  # steps that may wait for the commit at least, times its weight; see fair
    shared_turn_ms: float = 0.3  # as turn_ms
    timer_horizon_s: float = 600.0
    system_apis: dict[str, str] = {}  # name -> URL: what automations see as SYSTEM_APIS
    seal_key: bytes | None = None  # in place of the key in the file
    key_file: str | None = None  # seals callers' tokens; made when first needed. None: they do not survive a restart
    resident_weight: int = 400_000  # about one per task held in memory; idle trees beyond it are put away
    publishers: tuple[dict[str, Any], ...] = ()  # of notifications of all executions
