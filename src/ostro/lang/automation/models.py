"""The models of an HTTP automation, with the fields and names that its authors know.

They check form only; what concerns several fields of a whole automation is in `check`. Values that come out are
as written: expressions stay texts.
"""

import re
import unicodedata
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    field_validator,
    model_validator,
)

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS")
MAX_STEPS = 200
MAX_NAME = 255
MAX_CONCURRENCY = 64  # unless the operator sets another limit
MAX_TIMEOUT = 3600  # seconds

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def is_template(text: str) -> bool:
    """Whether a text holds Jinja."""
    return "{{" in text or "{%" in text or "{#" in text


def is_identifier(text: str) -> bool:
    return _IDENTIFIER.fullmatch(text) is not None


def utcnow() -> datetime:
    return datetime.now(UTC)


class ScopeEnum(str, Enum):  # noqa: UP042 - its name and bases are the contract
    """Who may see and run an automation."""

    workspace_scope = "workspace"
    global_scope = "global"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _whole(value: Any) -> Any:
    """Numbers as JSON writes them: no texts, no flags, no fractions."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("Input should be a whole number")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("Input should be a number")
    return value


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("Input should be true or false")
    return value


def _total(value: Any) -> Any:
    if value is None or value is False:
        return value
    if value is True:
        raise ValueError("Input should be a whole number, null or false")
    if _whole(value) < 0:
        raise ValueError("Input should be greater than or equal to 0")
    return value


Count = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Flag = Annotated[bool, BeforeValidator(_flag)]


class Retry(_Model):
    """When to try a call again, with the meaning and the defaults of urllib3's Retry."""

    total: Annotated[
        int | None,
        PlainValidator(_total, json_schema_input_type=int | Literal[False] | None),
        Field(description="Total number of retries to allow. Takes precedence over other counts. false: none at all."),
    ] = 10
    connect: Count | None = Field(default=None, description="How many connection-related errors to retry on.")
    read: Count | None = Field(default=None, description="How many times to retry on read errors.")
    redirect: Count | None = Field(default=None, description="How many redirects to allow.")
    status: Count | None = Field(default=None, description="How many times to retry on bad status codes.")
    other: Count | None = Field(default=None, description="How many times to retry on other errors.")
    allowed_methods: list[str] | None = Field(
        default_factory=lambda: ["HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"],
        description="HTTP verbs to retry on; null means any.",
    )
    status_forcelist: list[Annotated[int, BeforeValidator(_whole), Field(ge=100, le=999)]] = Field(
        default_factory=list, description="HTTP status codes to retry on."
    )
    backoff_factor: Annotated[float, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)] = Field(
        default=0, description="Backoff factor to apply between attempts after the second try."
    )
    raise_on_redirect: Flag = True
    raise_on_status: Flag = True
    respect_retry_after_header: Flag = Field(
        default=True, description="Whether to respect the Retry-After header on status codes 413, 429, 503."
    )

    @field_validator("allowed_methods")
    @classmethod
    def _upper(cls, value: list[str] | None) -> list[str] | None:
        return None if value is None else [method.strip().upper() for method in value]


def _map_or_text(value: Any) -> Any:
    if value is not None and not isinstance(value, dict | str):
        raise ValueError("Input should be a map, a text or null")
    return value


def _json_or_text(value: Any) -> Any:
    if value is not None and not isinstance(value, dict | list | str):
        raise ValueError("Input should be a map, a list, a text or null")
    return value


Mapped = Annotated[dict[str, Any] | str | None, BeforeValidator(_map_or_text)]
Body = Annotated[dict[str, Any] | list[Any] | str | None, BeforeValidator(_json_or_text)]


_Field = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class Paginate(_Model):
    """How a list that comes in pages is read: the step's result is the items of all pages."""

    by: Literal["link", "next", "page"] = Field(
        description="What leads to the next page: the Link header, a field of the page, or page numbers."
    )
    items: _Field | None = Field(
        default=None, description="Dotted path of the list in a page; absent: the page is the list."
    )
    next: _Field | None = Field(default=None, description="Dotted path of the field with the next address or cursor.")
    param: _Field | None = Field(
        None, description="Query parameter of the cursor (absent: `next` holds an address), or of the page number."
    )
    start: Count = Field(1, description="Number of the first page.")
    max_pages: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10_000)] = 100
    max_items: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=1_000_000)] = 10_000
    max_bytes: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=104_857_600)] = 1_048_576

    @model_validator(mode="after")
    def _fits(self) -> "Paginate":
        if (self.by == "next") != (self.next is not None):
            raise ValueError("next is needed with by: next, and only there")
        return self


class APISpec(_Model):
    """How one HTTP call is made."""

    url: str = Field(min_length=1, description="The URL to call, http or https; may be a template.")
    method: str = Field(default="GET", description=f"One of {', '.join(METHODS)}, in any case, or a template.")
    headers: Mapped = None
    params: Mapped = None
    data: Mapped = None
    json_body: Body = None
    timeout: int | str = Field(
        default=60, description="Seconds, 1 to 3600, for connecting and for each read; may be a template."
    )

    paginate: Paginate | None = Field(default=None, description="Extension: read all pages of a list.")

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str) -> str:
        if is_template(value):
            return value
        method = value.strip().upper()
        if method not in METHODS:
            raise ValueError(f"Unknown method '{value[:40]}': one of {', '.join(METHODS)}")
        return method

    @field_validator("url")
    @classmethod
    def _good_url(cls, value: str) -> str:
        text = value.strip()
        if not text:
            raise ValueError("The URL is empty")
        return text

    @field_validator("timeout", mode="before")
    @classmethod
    def _good_timeout(cls, value: Any) -> Any:
        if isinstance(value, str) and is_template(value):
            return value
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("Input should be a whole number of seconds, or a template")
        if not 1 <= value <= MAX_TIMEOUT:
            raise ValueError(f"Input should be from 1 to {MAX_TIMEOUT} seconds")
        return value

    @model_validator(mode="after")
    def _one_body(self) -> "APISpec":
        if self.data is not None and self.json_body is not None:
            raise ValueError("Only one of data and json_body may be set")
        return self


def _one_or_many(value: Any) -> str:
    return "many" if isinstance(value, list) else "one"


class Step(_Model):
    """One step: a call, or one call per item of its input."""

    name: str = Field(min_length=1, max_length=MAX_NAME, description="Unique in the workflow.")
    apispec: Annotated[
        Annotated[APISpec, Tag("one")] | Annotated[list[APISpec], Tag("many")], Discriminator(_one_or_many)
    ]
    concurrency: Annotated[int, BeforeValidator(_whole), Field(ge=1)] = Field(
        default=1, description="How many calls of a fan-out may be in flight."
    )
    input: str | None = None
    output: str | None = None
    retry: Retry | None = Field(default=None, description="Replaces the workflow's default_retry as a whole.")

    @field_validator("name")
    @classmethod
    def _good_name(cls, value: str) -> str:
        name = value.strip()
        if not name:
            raise ValueError("The name is empty")
        if any(unicodedata.category(char) == "Cs" or char == "\0" for char in name):
            raise ValueError("The name holds a character that cannot be stored")
        return name

    @field_validator("apispec", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if isinstance(value, list) and not value:
            raise ValueError("At least one call is needed")
        return value

    @field_validator("output")
    @classmethod
    def _good_output(cls, value: str | None) -> str | None:
        if value is None:
            return None
        text = value.strip()
        if not is_template(text) and not is_identifier(text):
            raise ValueError("The output must be an identifier or a template")
        return text

    @property
    def calls(self) -> list[APISpec]:
        return self.apispec if isinstance(self.apispec, list) else [self.apispec]


class Workflow(_Model):
    """An automation: steps that follow one another."""

    uid: UUID = Field(default_factory=uuid4)
    name: str = Field(min_length=1, max_length=MAX_NAME, description="Unique in the workspace.")
    scope: ScopeEnum = ScopeEnum.workspace_scope
    steps: list[Step] = Field(min_length=1, max_length=MAX_STEPS, description="In their order.")
    workspace_id: str | None = None
    user_id: str | None = None
    updated_by: str | None = None
    created: datetime = Field(default_factory=utcnow)
    updated: datetime = Field(default_factory=utcnow)
    deleted: bool = False
    default_retry: Retry = Field(default_factory=lambda: Retry())

    @field_validator("name")
    @classmethod
    def _good_name(cls, value: str) -> str:
        return Step._good_name(value)

    @field_validator("workspace_id", mode="before")
    @classmethod
    def _workspace(cls, value: Any) -> Any:
        """A UUID, or the one workspace there is without authentication."""
        if value is None or value == "<default-project>":
            return value
        try:
            UUID(str(value))
        except ValueError:
            raise ValueError("Input should be a UUID") from None
        return str(value)

    @field_validator("user_id", "updated_by")
    @classmethod
    def _email(cls, value: str | None) -> str | None:
        if value is not None and _EMAIL.fullmatch(value) is None:
            raise ValueError("Input should be an e-mail address")
        return value
