"""What an HTTP automation says, after validation: immutable, independent of its text and of pydantic."""

from typing import Any, Final, Literal

import msgspec

from ostro.model.definition import Spec

ACTION: Final = "std.http_step"  # what every call of a step is
MARK: Final = "# automation: "  # begins the first line of a stored definition; the automation as JSON follows
NAMESPACE: Final = "automation"  # of the stored workflows, and their tag
RESERVED: Final = frozenset({"SYSTEM_APIS", "USER", "CURRENT_STEP", "INPUT", "STEPS"})


class RetryRules(msgspec.Struct, frozen=True, kw_only=True):
    """urllib3's parameters and defaults. A count of None has no limit of its own; `total` False means no retries
    at all. `allowed_methods` None means every method, an empty list none. `backoff_factor` in seconds."""

    total: int | None = 10  # or False
    connect: int | None = None
    read: int | None = None
    redirect: int | None = None
    status: int | None = None
    other: int | None = None
    allowed_methods: frozenset[str] | None = frozenset({"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"})
    status_forcelist: frozenset[int] = frozenset()
    backoff_factor: float = 0.0
    raise_on_redirect: bool = True
    raise_on_status: bool = True
    respect_retry_after_header: bool = True


class PageRules(Spec, frozen=True):
    """How a list that comes in pages is read. `by`: the Link header, a field with the next address or cursor (`next`, a
    dotted path), or page numbers. `items`: dotted path of the list in a page; None if the page is the list. `param`:
    query parameter of the cursor or number. More than the limits is an error."""

    by: Literal["link", "next", "page"]
    items: str | None = None
    next: str | None = None
    param: str | None = None
    start: int = 1  # number of the first page
    max_pages: int = 100
    max_items: int = 10_000
    max_bytes: int = 1_048_576


class CallSpec(Spec, frozen=True):
    """One API call. Texts may be templates; maps hold templates as values."""

    url: str
    method: str = "GET"
    headers: dict[str, Any] | str | None = None
    params: dict[str, Any] | str | None = None
    data: dict[str, Any] | str | None = None
    json_body: Any = None
    timeout: int | str = 60  # seconds for connecting, and again for each wait while reading
    paginate: PageRules | None = None


class StepSpec(Spec, frozen=True):
    """`calls` follow one another for each item. `retry`: the step's own, or the workflow's default."""

    name: str
    task: str  # name of the task in the engine
    calls: tuple[CallSpec, ...]
    concurrency: int = 1
    input: str | None = None
    output: str | None = None
    retry: RetryRules = RetryRules()


class AutomationSpec(Spec, frozen=True):
    """`uid` and `name` of the automation, and its steps in order. `source`: the whole automation as plain data."""

    uid: str
    name: str
    scope: str
    steps: tuple[StepSpec, ...]
    source: dict[str, Any] = {}

    @property
    def workflow_name(self) -> str:
        return f"{NAMESPACE}.{self.uid}"
