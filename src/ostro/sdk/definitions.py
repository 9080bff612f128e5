"""Workflows, workbooks and actions: texts that are uploaded as they are."""

import sys
from collections.abc import Sequence
from typing import Any, TypeVar

from ostro.sdk import models
from ostro.sdk.collections import Collection
from ostro.sdk.exchange import ask, decode, exchange, json_request, queried, read, whole
from ostro.sdk.models import Definition, Validation
from ostro.sdk.steps import Emit, Emits, M, Request, Response, Steps, Walk, listing, operation

D = TypeVar("D", bound=Definition)


def upload(method: str, path: str, text: str, query: dict[str, str]) -> Request:
    """A definition as the body, whatever it is."""
    return Request(
        method=method,
        path=path,
        content=text.encode(),
        query=query,
        headers={"content-type": "text/plain; charset=utf-8"},
    )


class Definitions(Collection[M, D]):
    """Definitions belong to a `namespace`; the empty one is the default."""

    @operation
    def get(self, name: str, *, namespace: str | None = None) -> Steps[D]:
        """By id or name. Raises NotFound."""
        found = yield from self._read(name, namespace=namespace)
        return found

    @operation
    def delete(self, name: str, *, namespace: str | None = None) -> Steps[None]:
        """By id or name; what runs goes on. Raises NotFound."""
        yield from self._delete(name, namespace=namespace)

    @operation
    def validate(self, definition: str) -> Steps[Validation]:
        """Check a text; nothing is stored."""
        found = yield from ask(upload("POST", f"{self.base}/validate", definition, {}), Validation)
        return found

    def _upload(self, method: str, text: str, scope: str | None, namespace: str | None) -> Steps[Response]:
        query = queried(scope=scope, namespace=namespace)
        answer = yield from exchange(upload(method, self.base, text, query))
        return answer

    def _upload_all(self, method: str, text: str, scope: str | None, namespace: str | None) -> Steps[Sequence[D]]:
        answer = yield from self._upload(method, text, scope, namespace)
        found: dict[str, Any] = decode(answer, dict[str, Sequence[self.kind]])  # type: ignore[name-defined]
        return found[self.name]  # type: ignore[no-any-return]


class _Many(Definitions[M, D]):
    """A text may define several."""

    @operation
    def create(self, definition: str, *, scope: str | None = None, namespace: str | None = None) -> Steps[Sequence[D]]:
        """Store all that a text defines. `scope`: private (the default) or public. Raises Conflict for a name that is
        taken, InvalidRequest for a text that is not good; nothing is stored then."""
        made = yield from self._upload_all("POST", definition, scope, namespace)
        return made

    @operation
    def update(self, definition: str, *, scope: str | None = None, namespace: str | None = None) -> Steps[Sequence[D]]:
        """Replace all that a text defines, by name. Raises NotFound if one of them is not there."""
        made = yield from self._upload_all("PUT", definition, scope, namespace)
        return made


class Workflows(_Many[M, models.Workflow]):
    """`client.workflows`."""

    base, name, kind = "v2/workflows", "workflows", models.Workflow

    @listing
    def revisions(
        self, workflow: str, *, namespace: str | None = None, limit: int | None = None
    ) -> Emits[models.Revision]:
        """The texts that a workflow has had, newest first. Also of an automation, by its uid."""
        return Emits(_revisions(self._at(workflow, "revisions"), queried(namespace=namespace), limit))

    @operation
    def rename(self, name: str, definition: str, *, namespace: str | None = None) -> Steps[models.Workflow]:
        """Replace one workflow by a text in which it may have another name."""
        request = upload("PUT", self._at(name), definition, queried(namespace=namespace))
        made = yield from ask(request, models.Workflow)
        return made


_REVISIONS = 50  # rows of a page: each of them is a whole text


def _revisions(path: str, query: dict[str, str], limit: int | None) -> Walk:
    left = sys.maxsize if limit is None else limit
    while left > 0:
        size = min(_REVISIONS, left)
        found = yield from read(path, dict[str, list[models.Revision]], {**query, "limit": str(size)})
        rows = found["revisions"]
        yield Emit(rows)
        if len(rows) < size:
            return
        left -= len(rows)
        query["marker"] = rows[-1].id


class Workbooks(Definitions[M, models.Workbook]):
    """`client.workbooks`."""

    base, name, kind = "v2/workbooks", "workbooks", models.Workbook

    @operation
    def create(
        self, definition: str, *, scope: str | None = None, namespace: str | None = None
    ) -> Steps[models.Workbook]:
        """Store a workbook with its workflows and actions. Raises Conflict, InvalidRequest."""
        answer = yield from self._upload("POST", definition, scope, namespace)
        return decode(answer, models.Workbook)

    @operation
    def update(
        self, definition: str, *, scope: str | None = None, namespace: str | None = None
    ) -> Steps[models.Workbook]:
        """Replace the workbook that the text names. Raises NotFound, InvalidRequest."""
        answer = yield from self._upload("PUT", definition, scope, namespace)
        return decode(answer, models.Workbook)


class Actions(_Many[M, models.Action]):
    """`client.actions`: ad-hoc and built-in ones."""

    base, name, kind = "v2/actions", "actions", models.Action


class Members(Collection[M, models.Member]):
    """`client.members`: projects that a workflow, given by its id, is shared with."""

    base, name, kind = "v2/workflows", "members", models.Member

    @listing
    def list(self, /, workflow_id: str) -> Emits[models.Member]:  # type: ignore[override]
        """All for the owner, its own for a member."""
        return whole(self._at(workflow_id, "members"), self.name, models.Member)

    @operation
    def add(self, workflow_id: str, project: str) -> Steps[models.Member]:
        """Share the workflow with a project; that has to accept."""
        made = yield from ask(
            json_request("POST", self._at(workflow_id, "members"), {"member_id": project}), models.Member
        )
        return made

    @operation
    def answer(self, workflow_id: str, project: str, status: str) -> Steps[models.Member]:
        """As the member: `accepted`, `rejected` or `pending`."""
        path = self._at(workflow_id, "members", project)
        made = yield from ask(json_request("PUT", path, {"status": status}), models.Member)
        return made

    @operation
    def remove(self, workflow_id: str, project: str) -> Steps[None]:
        """Stop sharing with that project."""
        yield from exchange(Request(method="DELETE", path=self._at(workflow_id, "members", project)))
