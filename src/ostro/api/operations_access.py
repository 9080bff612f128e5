"""The part of the index that is about access and uploaded code: audit log, code sources, dynamic actions."""

from collections.abc import Callable

from ostro.api.mistral import audit, code_sources, dynamic_actions, uploads
from ostro.api.mistral.query import Collection
from ostro.api.routing import Operation, Param

_NAMESPACE = Param("namespace", "Empty is the default one.")
_SCOPE = Param("scope", "`private` or `public`.")


def access_operations(list_params: Callable[[Collection], tuple[Param, ...]]) -> tuple[Operation, ...]:
    return (
        Operation(
            method="GET", path="/v2/audit", handler=audit.read_list, tag="Server",
            summary="Who changed what, and when (administrators)", params=list_params(audit.COLLECTION),
            answer="[]AuditRecord", errors=(400, 403),
        ),
        Operation(
            method="GET", path="/v2/code_sources", handler=code_sources.read_list, tag="Code sources",
            summary="List code sources (administrators, as all of these)",
            params=list_params(code_sources.COLLECTION), answer="[]CodeSource", errors=(400, 403),
        ),
        Operation(
            method="POST", path="/v2/code_sources", handler=code_sources.create, tag="Code sources",
            summary="Upload Python", params=(Param("name", "Its name."), _SCOPE, _NAMESPACE), body="text", status=201,
            answer="CodeSource", errors=(400, 403, 409), plain_faults=True,
        ),
        Operation(
            method="PUT", path="/v2/code_sources", handler=code_sources.update, tag="Code sources",
            summary="Replace its content", params=(Param("identifier", "Id or name."), _SCOPE, _NAMESPACE), body="text",
            answer="CodeSource", errors=(400, 403, 404), plain_faults=True,
        ),
        Operation(
            method="GET", path="/v2/code_sources/{id}", handler=code_sources.read, tag="Code sources",
            summary="Read a code source by id or name", params=(_NAMESPACE,), answer="CodeSource", errors=(403, 404),
        ),
        Operation(
            method="DELETE", path="/v2/code_sources/{id}", handler=code_sources.delete, tag="Code sources",
            summary="Delete it with its dynamic actions", params=(_NAMESPACE,), status=204, errors=(403, 404),
        ),
        Operation(
            method="DELETE", path="/v2/code_sources", handler=uploads.missing_argument("identifier"), hidden=True
        ),
        Operation(
            method="GET", path="/v2/dynamic_actions", handler=dynamic_actions.read_list, tag="Dynamic actions",
            summary="List dynamic actions (administrators, as all of these)",
            params=list_params(dynamic_actions.COLLECTION), answer="[]DynamicAction", errors=(400, 403),
        ),
        Operation(
            method="POST", path="/v2/dynamic_actions", handler=dynamic_actions.create, tag="Dynamic actions",
            summary="Make an action of a class of a code source", body="DynamicActionBody", status=201,
            answer="DynamicAction", errors=(400, 403, 404, 409),
        ),
        Operation(
            method="PUT", path="/v2/dynamic_actions", handler=dynamic_actions.update, tag="Dynamic actions",
            summary="Change the one that the body names", body="DynamicActionBody", answer="DynamicAction",
            errors=(400, 403, 404),
        ),
        Operation(
            method="GET", path="/v2/dynamic_actions/{id}", handler=dynamic_actions.read, tag="Dynamic actions",
            summary="Read a dynamic action by id or name", params=(_NAMESPACE,), answer="DynamicAction",
            errors=(403, 404),
        ),
        Operation(
            method="DELETE", path="/v2/dynamic_actions/{id}", handler=dynamic_actions.delete, tag="Dynamic actions",
            summary="Delete a dynamic action", params=(_NAMESPACE,), status=204, errors=(403, 404),
        ),
        Operation(
            method="DELETE", path="/v2/dynamic_actions", handler=uploads.missing_argument("identifier"), hidden=True
        ),
    )  # fmt: skip
