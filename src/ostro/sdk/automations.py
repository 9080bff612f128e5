"""HTTP automations."""

from collections.abc import Mapping
from typing import Any

from ostro.sdk.collections import Collection
from ostro.sdk.exchange import ask, json_request, pages, queried, read, segments
from ostro.sdk.executions import _started
from ostro.sdk.models import Automation, Execution, Validation
from ostro.sdk.steps import Emits, M, Request, Steps, listing, operation
from ostro.sdk.triggers import given

Document = Mapping[str, Any] | str  # a text is YAML or JSON


class Automations(Collection[M, Automation]):
    """`client.automations`. One is named by its uid or its name."""

    base, name, kind = "automation/v1/workflows", "workflows", Automation

    @operation
    def get(self, name: str) -> Steps[Automation]:
        """Raises NotFound."""
        found = yield from self._read(name)
        return found

    @operation
    def create(self, document: Document) -> Steps[Automation]:
        """Raises InvalidDocument with `problems`, Conflict."""
        made = yield from ask(_upload("POST", self.base, document), Automation)
        return made

    @operation
    def update(self, name: str, document: Document) -> Steps[Automation]:
        """Replace it as a whole."""
        made = yield from ask(_upload("PUT", self._at(name), document), Automation)
        return made

    @operation
    def change(self, name: str, changes: Mapping[str, Any]) -> Steps[Automation]:
        """A JSON merge patch (RFC 7396)."""
        made = yield from ask(json_request("PATCH", self._at(name), changes), Automation)
        return made

    @operation
    def delete(self, name: str, *, purge: bool = False) -> Steps[None]:
        """It can be restored; with `purge` (administrators) it cannot."""
        yield from self._delete(name, purge=purge or None)

    @operation
    def restore(self, name: str) -> Steps[Automation]:
        """Bring a deleted one back."""
        made = yield from ask(json_request("POST", self._at(name, "restore")), Automation)
        return made

    @operation
    def validate(self, document: Document) -> Steps[Validation]:
        """Nothing is stored."""
        found = yield from ask(_upload("POST", f"{self.base}/validate", document), Validation)
        return found

    @operation
    def preview(
        self,
        name: str,
        input: Mapping[str, Any] | None = None,
        *,
        state: Mapping[str, Any] | None = None,
        env: Mapping[str, Any] | None = None,
    ) -> Steps[list[dict[str, Any]]]:
        """The calls that a run would make, secrets masked; nothing is sent. `state`: what earlier steps had written."""
        request = json_request(
            "POST", self._at(name, "preview"), given(input=input, state=state, env=env), is_safe=True
        )
        found = yield from ask(request, dict[str, Any])
        return list(found["calls"])

    @operation
    def run(
        self,
        name: str,
        input: Mapping[str, Any] | None = None,
        *,
        wait: bool | float = False,
        env: Mapping[str, Any] | str | None = None,
        description: str | None = None,
        key: str | None = None,
    ) -> Steps[Execution]:
        """Start it; see `executions.start` for `wait`, `env` and `key`."""
        body = given(input=input, env=env, description=description)
        made = yield from _started(self._at(name, "run"), body, wait, key)
        return made

    @listing
    def executions(self, /, name: str, *, limit: int | None = None, **filters: Any) -> Emits[Execution]:
        """Its runs."""
        return pages(self._at(name, "executions"), "executions", Execution, limit, queried(**filters))

    @operation
    def state(self, execution_id: str) -> Steps[dict[str, Any]]:
        """What templates of a run see, secrets masked."""
        found = yield from read(f"automation/v1/executions/{segments(execution_id)}/state", dict[str, Any])
        return found


def _upload(method: str, path: str, document: Document) -> Request:
    if not isinstance(document, str):
        return json_request(method, path, document)
    kind = "json" if document.lstrip("\ufeff \t\r\n")[:1] == "{" else "yaml"
    return Request(method=method, path=path, content=document.encode(), headers={"content-type": f"application/{kind}"})
