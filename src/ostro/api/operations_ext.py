"""The part of the index that Mistral does not have: for the page, the command line and the Python client."""

from ostro.api.ext import cron, graph, keystone, log_in, overview, revisions, runs, secrets, session, stream, tokens
from ostro.api.routing import Operation, Param


def extension_operations() -> tuple[Operation, ...]:
    return (*_SESSION, *_LIVE, *_RUNS, *_TEXTS, *_SECRETS, *_TOKENS, *_KEYSTONE)


_CSRF = Param("X-CSRF-Token", "The session's word, where the session's cookie is what logs in.", place="header")

_SESSION = (
    Operation(
        method="GET", path="/v2/session", handler=session.read, tag="Session", summary="Who is asking, and how",
        answer="Session", errors=(400,),
    ),
    Operation(
        method="POST", path="/v2/session", handler=session.begin, tag="Session",
        summary="Log in: a token becomes a session's cookie", body="LogIn", answer="Session",
        errors=(400, 401, 415, 429),
    ),
    Operation(
        method="DELETE", path="/v2/session", handler=session.end, tag="Session", summary="Log out", params=(_CSRF,),
        status=204, errors=(400, 403),
    ),
    Operation(
        method="GET", path="/v2/session/oidc", handler=log_in.begin, tag="Session",
        summary="Send a browser to the issuer, to log in there",
        params=(Param("to", "The page it wants to see then."), Param("realm", "In place of --oidc-realm.")),
        status=302, errors=(400, 404),
    ),
    Operation(
        method="GET", path="/v2/session/oidc/callback", handler=log_in.finish, tag="Session",
        summary="Where the issuer sends it back to: the session begins",
        params=(Param("code"), Param("state"), Param("error"), Param("error_description")),
        status=302, errors=(400, 404, 429),
    ),
)  # fmt: skip

_LIVE = (
    Operation(
        method="GET", path="/v2/stream", handler=stream.read, tag="Live",
        summary="What happens to executions, as server-sent events",
        description="Goes on until the client ends it. With `Last-Event-ID` it goes on where it was, if it still can.",
        params=(
            Param("execution_id", "Comma list of at most 8 executions: also every change of their trees."),
            Param("last_event_id", "In place of the header `Last-Event-ID`."),
        ),
        answer="events", errors=(400, 404, 429, 503),
    ),
)  # fmt: skip

_RUNS = (
    Operation(
        method="GET", path="/v2/executions/{id}/graph", handler=graph.read_of_execution, tag="Executions",
        summary="The graph of the definition that it runs", answer="Graph", errors=(400, 404),
    ),
    Operation(
        method="GET", path="/v2/executions/{id}/waits", handler=runs.read_waits, tag="Executions",
        summary="What it waits for, since when and until when", answer="Waits", errors=(400, 404, 503),
    ),
    Operation(
        method="GET", path="/v2/executions/{id}/timeline", handler=runs.read_timeline, tag="Executions",
        summary="What happened in it and when", answer="Timeline", errors=(400, 404),
    ),
    Operation(
        method="GET", path="/v2/overview", handler=overview.read, tag="Live",
        summary="How the project does, and what needs somebody", answer="Overview", errors=(400, 503),
    ),
    Operation(
        method="GET", path="/v2/cron_triggers/{id}/next", handler=cron.read_next, tag="Cron triggers",
        summary="Its next times, and what became of the last one",
        params=(Param("count", "How many times, at most 100.", "integer"),), answer="NextTimes", errors=(400, 404),
    ),
)  # fmt: skip

_TEXTS = (
    Operation(
        method="GET", path="/v2/workflows/{id}/revisions", handler=revisions.read_list, tag="Workflows",
        summary="The texts that it had, newest first; all of them for its own project only",
        params=(
            Param("limit", "At most 200.", "integer"), Param("marker", "Id of the last one of the page before."),
            Param("namespace", "Namespace of the definition; empty is the default one."),
        ),
        answer="Revisions", errors=(400, 404),
    ),
    Operation(
        method="POST", path="/v2/graph", handler=graph.preview, tag="Definitions",
        summary="The graph of a text, as far as it can be read", body="GraphRequest", answer="Graph",
        errors=(400, 415),
    ),
    Operation(
        method="POST", path="/v2/lint", handler=graph.findings, tag="Definitions",
        summary="What is wrong or suspicious in a text, by line and column", body="LintRequest", answer="Findings",
        errors=(400, 415),
    ),
    Operation(
        method="GET", path="/v2/schema/{kind}", handler=graph.schema, tag="Definitions",
        summary="JSON Schema of documents: workflow, workbook, action or automation", errors=(400, 404),
    ),
)  # fmt: skip

_SECRETS = (
    Operation(
        method="GET", path="/v2/secrets", handler=secrets.read_list, tag="Secrets",
        summary="List the project's secrets, without values", answer="Secrets", errors=(400,),
    ),
    Operation(
        method="GET", path="/v2/secrets/{name}", handler=secrets.read, tag="Secrets",
        summary="Whether a secret is there, and since when", answer="Secret", errors=(400, 404),
    ),
    Operation(
        method="PUT", path="/v2/secrets/{name}", handler=secrets.write, tag="Secrets",
        summary="Store a secret (201 if it is new), or replace its value", body="SecretValue", answer="Secret",
        errors=(400, 415),
    ),
    Operation(
        method="DELETE", path="/v2/secrets/{name}", handler=secrets.delete, tag="Secrets", summary="Delete a secret",
        status=204, errors=(400, 404),
    ),
)  # fmt: skip

_TOKENS = (
    Operation(
        method="GET", path="/v2/tokens", handler=tokens.read_list, tag="Tokens",
        summary="List API tokens of all projects (administrators, as all of these)", answer="Tokens",
        errors=(400, 403),
    ),
    Operation(
        method="POST", path="/v2/tokens", handler=tokens.create, tag="Tokens",
        summary="Make a token; its text is in this answer only", body="TokenRequest", status=201, answer="Token",
        errors=(400, 403, 415),
    ),
    Operation(
        method="DELETE", path="/v2/tokens/{id}", handler=tokens.revoke, tag="Tokens", summary="Revoke a token",
        status=204, errors=(400, 403, 404),
    ),
)  # fmt: skip

_KEYSTONE = (
    Operation(
        method="GET", path="/v3", handler=keystone.version, tag="Session",
        summary="Where OpenStack's clients log in (with `--auth token`)", errors=(404,),
    ),
    Operation(
        method="POST", path="/v3/auth/tokens", handler=keystone.authenticate, tag="Session",
        summary="Log in as at Keystone, with an Ostro token as token or password", body="KeystoneRequest", status=201,
        errors=(400, 401, 404, 429),
    ),
)  # fmt: skip
