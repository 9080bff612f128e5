"""`ostro member`, `ostro service`, `ostro code-source`, `ostro dynamic-action`, `ostro audit`."""

import click

from ostro.cli.server import (
    LIMIT,
    NAMESPACE,
    SCOPE,
    SORT,
    WHERE,
    YES,
    Server,
    at_server,
    confirmed,
    filters_of,
    read_text,
)

_WORKFLOW = click.argument("workflow")
_PROJECT = click.argument("project")
_NAME = click.argument("name")
_FILE = click.argument("file")


@click.group()
def member() -> None:
    """Projects that a workflow is shared with: `ostro member add deploy shop`."""


def _id(server: Server, workflow: str) -> str:
    """The id of a workflow that may be given by name; a workflow that is only offered is known by its id alone."""
    from ostro.sdk import NotFound

    try:
        found: str = server.client.workflows.get(workflow).id
    except NotFound:
        return workflow
    return found


@member.command("list")
@_WORKFLOW
@at_server
def list_members(server: Server, workflow: str) -> None:
    """List the projects that a WORKFLOW (name or id) is shared with.

    Example: ostro member list deploy
    """
    found = server.client.members.list(_id(server, workflow))
    server.out.rows(found, ("member_id", "status", "project_id", "created_at", "updated_at"))


@member.command()
@_WORKFLOW
@_PROJECT
@at_server
def add(server: Server, workflow: str, project: str) -> None:
    """Share a WORKFLOW with a project, which has to accept.

    Example: ostro member add deploy shop
    """
    made = server.client.members.add(_id(server, workflow), project)
    server.out.result(made, f"Offered to {project}. There: ostro member accept {made.resource_id} {project}")


@member.command()
@_WORKFLOW
@_PROJECT
@at_server
def accept(server: Server, workflow: str, project: str) -> None:
    """As the project that a workflow (id) was shared with: accept it.

    Example: ostro member accept WORKFLOW_ID shop
    """
    server.out.result(server.client.members.answer(workflow, project, "accepted"), "Accepted.")


@member.command()
@_WORKFLOW
@_PROJECT
@at_server
def reject(server: Server, workflow: str, project: str) -> None:
    """As the project that a workflow (id) was shared with: reject it.

    Example: ostro member reject WORKFLOW_ID shop
    """
    server.out.result(server.client.members.answer(workflow, project, "rejected"), "Rejected.")


@member.command()
@_WORKFLOW
@_PROJECT
@YES
@at_server
def remove(server: Server, workflow: str, project: str, yes: bool) -> None:
    """Stop sharing a WORKFLOW with a project.

    Example: ostro member remove deploy shop --yes
    """
    if confirmed(f"Stop sharing {workflow} with {project}?", yes=yes):
        server.client.members.remove(_id(server, workflow), project)
        server.out.result({"member_id": project}, f"{workflow} is not shared with {project} any more.")


@click.group()
def service() -> None:
    """Running processes of the server: `ostro service list`."""


@service.command("list")
@at_server
def list_services(server: Server) -> None:
    """List the server's processes.

    Example: ostro service list
    """
    server.out.rows(server.client.services.list(), ("name", "type"))


@click.command()
@WHERE
@SORT
@LIMIT
@at_server
def audit(server: Server, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """Print who changed what, the newest first (administrators).

    Example: ostro audit --where action=workflows:delete
    """
    found = server.client.audit.list(limit=limit + 1, sort=sort or "-created_at", **filters_of(where))
    server.out.rows(found, ("created_at", "user_id", "project_id", "action", "target", "status"), limit=limit)


@click.group("code-source")
def code_source() -> None:
    """Uploaded Python for dynamic actions (administrators): `ostro code-source create mine actions.py`."""


@code_source.command("list")
@WHERE
@SORT
@LIMIT
@at_server
def list_sources(server: Server, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """List code sources.

    Example: ostro code-source list
    """
    found = server.client.code_sources.list(limit=limit + 1, sort=sort or "name", **filters_of(where))
    columns = ("name", "version", "namespace", "scope", "project_id", "updated_at", "created_at")
    server.out.rows(found, columns, limit=limit)


@code_source.command("show")
@_NAME
@NAMESPACE
@at_server
def show_source(server: Server, name: str, namespace: str | None) -> None:
    """Print the text of a code source; with --json or --yaml all about it.

    Example: ostro code-source show mine
    """
    found = server.find(server.client.code_sources, name, namespace=namespace)
    if server.out.is_for_people:
        print(found.content.rstrip("\n"))
    else:
        server.out.one(found)


@code_source.command("create")
@_NAME
@_FILE
@SCOPE
@NAMESPACE
@at_server
def create_source(server: Server, name: str, file: str, scope: str | None, namespace: str | None) -> None:
    """Upload a Python FILE (-: standard input).

    Example: ostro code-source create mine actions.py
    """
    made = server.client.code_sources.create(name, read_text(file), scope=scope, namespace=namespace)
    server.out.result(made, f"Created: {made.name}.")


@code_source.command("update")
@_NAME
@_FILE
@SCOPE
@NAMESPACE
@at_server
def update_source(server: Server, name: str, file: str, scope: str | None, namespace: str | None) -> None:
    """Replace the text of a code source by a FILE.

    Example: ostro code-source update mine actions.py
    """
    made = server.client.code_sources.update(name, read_text(file), scope=scope, namespace=namespace)
    server.out.result(made, f"Updated: {made.name}, version {made.version}.")


@code_source.command("delete")
@_NAME
@NAMESPACE
@YES
@at_server
def delete_source(server: Server, name: str, namespace: str | None, yes: bool) -> None:
    """Delete a code source with its dynamic actions.

    Example: ostro code-source delete mine --yes
    """
    found = server.find(server.client.code_sources, name, namespace=namespace)
    actions = f" with {', '.join(found.actions)}" if found.actions else ""
    if confirmed(f"Delete {found.name}{actions}?", yes=yes):
        server.client.code_sources.delete(found.id, namespace=namespace)
        server.out.result(found, f"Deleted: {found.name}{actions}.")


@click.group("dynamic-action")
def dynamic_action() -> None:
    """Actions whose classes are in code sources: `ostro dynamic-action create greet Greet mine`."""


@dynamic_action.command("list")
@WHERE
@SORT
@LIMIT
@at_server
def list_actions(server: Server, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """List dynamic actions.

    Example: ostro dynamic-action list
    """
    found = server.client.dynamic_actions.list(limit=limit + 1, sort=sort or "name", **filters_of(where))
    server.out.rows(found, ("name", "class_name", "code_source_name", "namespace", "scope", "updated_at"), limit=limit)


@dynamic_action.command("show")
@_NAME
@NAMESPACE
@at_server
def show_action(server: Server, name: str, namespace: str | None) -> None:
    """Print a dynamic action.

    Example: ostro dynamic-action show greet
    """
    server.out.one(server.find(server.client.dynamic_actions, name, namespace=namespace))


@dynamic_action.command("create")
@_NAME
@click.argument("class_name", metavar="CLASS")
@click.argument("code_source")
@SCOPE
@NAMESPACE
@at_server
def create_action(
    server: Server, name: str, class_name: str, code_source: str, scope: str | None, namespace: str | None
) -> None:
    """Make an action of a CLASS of a code source.

    Example: ostro dynamic-action create greet Greet mine
    """
    made = server.client.dynamic_actions.create(name, class_name, code_source, scope=scope, namespace=namespace)
    server.out.result(made, f"Created: {made.name}.")


@dynamic_action.command("update")
@_NAME
@click.option("--class", "class_name", metavar="CLASS", help="Another class.")
@click.option("--code-source", metavar="NAME", help="Another code source.")
@SCOPE
@NAMESPACE
@at_server
def update_action(
    server: Server,
    name: str,
    class_name: str | None,
    code_source: str | None,
    scope: str | None,
    namespace: str | None,
) -> None:
    """Change a dynamic action; what is not given stays.

    Example: ostro dynamic-action update greet --class GreetLoudly
    """
    made = server.client.dynamic_actions.update(
        name, class_name=class_name, code_source=code_source, scope=scope, namespace=namespace
    )
    server.out.result(made, f"Updated: {made.name}.")


@dynamic_action.command("delete")
@_NAME
@NAMESPACE
@YES
@at_server
def delete_action(server: Server, name: str, namespace: str | None, yes: bool) -> None:
    """Delete a dynamic action.

    Example: ostro dynamic-action delete greet --yes
    """
    found = server.find(server.client.dynamic_actions, name, namespace=namespace)
    if confirmed(f"Delete {found.name}?", yes=yes):
        server.client.dynamic_actions.delete(found.id, namespace=namespace)
        server.out.result(found, f"Deleted: {found.name}.")
