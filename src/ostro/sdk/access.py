"""Secrets, tokens, uploaded code, the audit log and running processes."""

from ostro.sdk import models
from ostro.sdk.collections import Collection, Named
from ostro.sdk.definitions import upload
from ostro.sdk.exchange import ask, json_request, queried, whole
from ostro.sdk.steps import Emits, M, Steps, listing, operation
from ostro.sdk.triggers import given


class Secrets(Named[M, models.Secret]):
    """`client.secrets`: values go in and never come out."""

    base, name, kind = "v2/secrets", "secrets", models.Secret

    @listing
    def list(self, /) -> Emits[models.Secret]:  # type: ignore[override]
        """Names and times."""
        return whole(self.base, self.name, models.Secret)

    @operation
    def set(self, name: str, value: str) -> Steps[models.Secret]:
        """Store it, or change it."""
        made = yield from ask(json_request("PUT", self._at(name), {"value": value}), models.Secret)
        return made


class Tokens(Collection[M, models.Token]):
    """`client.tokens`, for administrators."""

    base, name, kind = "v2/tokens", "tokens", models.Token

    @listing
    def list(self, /) -> Emits[models.Token]:  # type: ignore[override]
        """All, newest first, without the tokens themselves."""
        return whole(self.base, self.name, models.Token)

    @operation
    def create(
        self,
        project: str,
        *,
        user: str = "api",
        roles: tuple[str, ...] = (),
        expires: str | None = None,
        description: str = "",
    ) -> Steps[models.Token]:
        """The token is the answer's `token`, this once. `expires`: `90d` (the default), `12h`, `30m`, `1y`, `never`."""
        body = given(project_id=project, user_id=user, roles=roles, expires=expires, description=description)
        made = yield from ask(json_request("POST", self.base, body), models.Token)
        return made

    @operation
    def revoke(self, id: str) -> Steps[None]:
        """It is refused from then on, within seconds."""
        yield from self._delete(id)


class CodeSources(Collection[M, models.CodeSource]):
    """`client.code_sources`, for administrators."""

    base, name, kind = "v2/code_sources", "code_sources", models.CodeSource

    @operation
    def get(self, name: str, *, namespace: str | None = None) -> Steps[models.CodeSource]:
        """By id or name. Raises NotFound."""
        found = yield from self._read(name, namespace=namespace)
        return found

    @operation
    def create(
        self, name: str, content: str, *, scope: str | None = None, namespace: str | None = None
    ) -> Steps[models.CodeSource]:
        """Upload Python."""
        query = queried(name=name, scope=scope, namespace=namespace)
        made = yield from ask(upload("POST", self.base, content, query), models.CodeSource)
        return made

    @operation
    def update(
        self, name: str, content: str, *, scope: str | None = None, namespace: str | None = None
    ) -> Steps[models.CodeSource]:
        """Replace its text; its dynamic actions must find their classes in it."""
        query = queried(identifier=name, scope=scope, namespace=namespace)
        made = yield from ask(upload("PUT", self.base, content, query), models.CodeSource)
        return made

    @operation
    def delete(self, name: str, *, namespace: str | None = None) -> Steps[None]:
        """With its dynamic actions."""
        yield from self._delete(name, namespace=namespace)


class DynamicActions(Collection[M, models.DynamicAction]):
    """`client.dynamic_actions`, for administrators."""

    base, name, kind = "v2/dynamic_actions", "dynamic_actions", models.DynamicAction

    @operation
    def get(self, name: str, *, namespace: str | None = None) -> Steps[models.DynamicAction]:
        """By id or name. Raises NotFound."""
        found = yield from self._read(name, namespace=namespace)
        return found

    @operation
    def create(
        self, name: str, class_name: str, code_source: str, *, scope: str | None = None, namespace: str | None = None
    ) -> Steps[models.DynamicAction]:
        """Make an action of a class of a code source (by name)."""
        body = given(name=name, class_name=class_name, code_source_name=code_source, scope=scope, namespace=namespace)
        made = yield from ask(json_request("POST", self.base, body), models.DynamicAction)
        return made

    @operation
    def update(
        self,
        name: str,
        *,
        class_name: str | None = None,
        code_source: str | None = None,
        scope: str | None = None,
        namespace: str | None = None,
    ) -> Steps[models.DynamicAction]:
        """What is not given stays."""
        body = given(name=name, class_name=class_name, code_source_name=code_source, scope=scope, namespace=namespace)
        made = yield from ask(json_request("PUT", self.base, body), models.DynamicAction)
        return made

    @operation
    def delete(self, name: str, *, namespace: str | None = None) -> Steps[None]:
        """By id or name."""
        yield from self._delete(name, namespace=namespace)


class Services(Collection[M, models.Service]):
    """`client.services`: running processes."""

    base, name, kind = "v2/services", "services", models.Service

    @listing
    def list(self, /) -> Emits[models.Service]:  # type: ignore[override]
        """Of the server, at this moment."""
        return whole(self.base, self.name, models.Service)


class Audit(Collection[M, models.AuditRecord]):
    """`client.audit`, for administrators: who changed what."""

    base, name, kind = "v2/audit", "audit", models.AuditRecord
