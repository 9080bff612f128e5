"""What a definition says, after parsing: immutable, independent of YAML and of expressions' compilers.

Texts may hold expressions where the language allows them; they are kept as written.
`None` in an optional place means "not given". `raw` keeps the parsed document for `spec`.
"""

from typing import Any, Final

import msgspec


class _Required:
    """Marks an input without a default."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()

COMMANDS: Final = frozenset({"noop", "fail", "succeed", "pause"})


class Spec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all parts of a definition."""


class Transition(Spec, frozen=True):
    """One target of an `on-*` clause. `guard` None = always. `params`: of a command, `{"msg": ...}`."""

    target: str
    guard: str | None = None
    params: dict[str, Any] = {}


class Publish(Spec, frozen=True):
    """Variables to publish, by scope. `atomic` is merged into `global_vars` by the parser."""

    branch: dict[str, Any] = {}
    global_vars: dict[str, Any] = {}


class OnClause(Spec, frozen=True):
    publish: Publish | None = None
    next: tuple[Transition, ...] = ()


class Retry(Spec, frozen=True):
    """`count`, `delay`: int or expression text (seconds). The others: expression text or bool."""

    count: Any
    delay: Any
    break_on: Any = None
    continue_on: Any = None


class Policies(Spec, frozen=True):
    """Values are literals or expression texts; None = not given. Waits and timeout in seconds."""

    pause_before: Any = None
    wait_before: Any = None
    wait_after: Any = None
    timeout: Any = None
    fail_on: Any = None
    concurrency: Any = None
    retry: Retry | None = None


class TaskSpec(Spec, frozen=True):
    name: str
    description: str | None = None
    tags: tuple[str, ...] = ()
    action: str | None = None  # name (may be an expression); None: see `workflow`; neither: std.noop
    workflow: str | None = None
    inline_params: dict[str, Any] = {}  # from `action: name k=v`; win over `input`
    input: dict[str, Any] | str | None = None
    publish: dict[str, Any] | None = None
    publish_on_error: dict[str, Any] | None = None
    publish_on_skip: dict[str, Any] | None = None
    with_items: tuple[tuple[str, Any], ...] = ()  # (variable, expression text or list)
    keep_result: Any = None  # bool or expression text
    target: str | None = None
    safe_rerun: Any = None
    policies: Policies = Policies()
    join: int | str | None = None  # "all" or a number > 0 ("one" is 1)
    on_success: OnClause | None = None
    on_error: OnClause | None = None
    on_complete: OnClause | None = None
    on_skip: OnClause | None = None
    requires: tuple[str, ...] = ()
    raw: dict[str, Any] = {}
    line: int = 0
    column: int = 0


class TaskDefaults(Spec, frozen=True):
    policies: Policies = Policies()
    safe_rerun: Any = None
    on_success: OnClause | None = None
    on_error: OnClause | None = None
    on_complete: OnClause | None = None
    on_skip: OnClause | None = None
    requires: tuple[str, ...] = ()


class WorkflowSpec(Spec, frozen=True):
    name: str
    type: str = "direct"  # or "reverse"
    description: str | None = None
    tags: tuple[str, ...] = ()
    input: tuple[tuple[str, Any], ...] = ()  # (name, default or REQUIRED)
    output: dict[str, Any] | None = None
    output_on_error: dict[str, Any] | None = None
    vars: dict[str, Any] | None = None
    task_defaults: TaskDefaults = TaskDefaults()
    tasks: dict[str, TaskSpec] = {}  # in the order of the text
    raw: dict[str, Any] = {}  # the item as parsed, with "name" and "version" added, for `execution().spec`


class ActionSpec(Spec, frozen=True):
    """An ad-hoc action. `base` is a name; `base_params` come from `base: name k=v` and win over `base_input`."""

    name: str
    base: str
    base_params: dict[str, Any] = {}
    base_input: dict[str, Any] = {}
    input: tuple[tuple[str, Any], ...] = ()
    output: Any = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    raw: dict[str, Any] = {}


class WorkbookSpec(Spec, frozen=True):
    name: str
    description: str | None = None
    tags: tuple[str, ...] = ()
    actions: dict[str, ActionSpec] = {}  # keys and names without the workbook's prefix
    workflows: dict[str, WorkflowSpec] = {}
    raw: dict[str, Any] = {}
