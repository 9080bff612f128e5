"""python-mistralclient in front of a server with authentication: our own tokens, Keycloak's, Keystone's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mistralclient.api import base
from mistralclient.api import client as mistral_client

from ostro.cli.token import create
from ostro.config import load
from tests.e2e.server import Server
from tests.unit.identity.services import Issuer, Keystone

WORKFLOW = "version: '2.0'\nhello:\n  tasks:\n    t:\n      action: std.noop\n"


def works(client: Any, project: str) -> None:
    """Makes, runs and reads something."""
    made = client.workflows.create(WORKFLOW)
    assert [workflow.project_id for workflow in made] == [project]
    execution = client.executions.create("hello")
    assert client.executions.get(execution.id).project_id == project
    assert client.environments.create(name="e", variables={"a": 1}).variables == {"a": 1}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer("shop", "stock") as running:
        running.users = {
            ("shop", "anna"): ("pw-of-anna", ["member"]),
            ("stock", "sam"): ("pw-of-sam", ["member", "admin"]),
        }
        yield running


def test_our_own_tokens(tmp_path: Path) -> None:
    settings = load({"database": str(tmp_path / "ostro.sqlite3")}, {"HOME": str(tmp_path)})
    token, _ = create(settings, project="shop", user="u", roles=(), expires="1h", description="")
    with Server(tmp_path, "--auth", "token") as server:
        works(mistral_client.client(mistral_url=f"{server.url}/v2", auth_token=token, project_id="shop"), "shop")
        stranger = mistral_client.client(mistral_url=f"{server.url}/v2", auth_token="wrong", project_id="shop")
        with pytest.raises(base.APIException) as refused:
            stranger.workflows.list()
        assert refused.value.error_code == 401


def test_keycloak_as_the_client_speaks_it(tmp_path: Path, issuer: Issuer) -> None:
    with Server(tmp_path, "--auth", "oidc", "--oidc-issuer", issuer.url) as server:

        def client(realm: str, user: str, password: str) -> Any:
            return mistral_client.client(
                mistral_url=f"{server.url}/v2",
                auth_type="keycloak-oidc",
                auth_url=issuer.url,
                client_id="mistral",
                project_name=realm,
                username=user,
                api_key=password,
            )

        anna, sam = client("shop", "anna", "pw-of-anna"), client("stock", "sam", "pw-of-sam")
        works(anna, "shop")
        with pytest.raises(base.APIException, match="insufficient permissions") as refused:
            anna.workflows.create(WORKFLOW.replace("hello", "public"), scope="public")
        assert refused.value.error_code == 403
        assert sam.workflows.create(WORKFLOW.replace("hello", "public"), scope="public")[0].project_id == "stock"
        assert {one.project_id for one in sam.workflows.list()} == {"shop", "stock"}

        shared = anna.workflows.get("hello").id
        anna.members.create(shared, "workflow", "stock")
        sam.members.update(shared, "workflow", status="accepted", member_id="stock")
        assert [member.status for member in anna.members.list(shared, "workflow")] == ["accepted"]


def test_keystone_tokens(tmp_path: Path) -> None:
    with Keystone() as keystone:
        keystone.add("token-1", "p1", "member")
        with Server(tmp_path, "--auth", "keystone", "--keystone-url", keystone.url) as server:
            works(mistral_client.client(mistral_url=f"{server.url}/v2", auth_token="token-1", project_id="p1"), "p1")
            on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
            assert b"token-1" not in on_disk
            assert "token-1" not in "".join(server.lines)
            assert keystone.asked == ["/v3/auth/tokens?nocatalog"]
