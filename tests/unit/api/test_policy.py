"""Which rule guards which route, and who passes a rule."""

import pytest

from ostro.api.operations import all_operations
from ostro.api.policy import _BY_ROUTE, PUBLIC, RULES, Policy, read_policy, rule_of
from ostro.api.routing import Operation
from ostro.model.commands import ANYONE, Caller
from ostro.model.errors import Forbidden, InvalidInput

USER = Caller(project_id="shop", user_id="u", roles=("member",))
ADMIN = Caller(project_id="ops", user_id="a", roles=("admin",), is_admin=True)

OPERATIONS = all_operations()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
def test_every_route_names_a_rule_that_exists(operation: Operation) -> None:
    rule = rule_of(operation.method, operation.path)
    assert rule == PUBLIC or rule in RULES


def test_nothing_but_pages_about_the_server_is_public() -> None:
    public = {o.path for o in OPERATIONS if rule_of(o.method, o.path) == PUBLIC}
    about_the_server = {"/", "/v2", "/info", "/healthcheck", "/openapi.json", "/docs"}
    signed = {"/v2/events", "/v2/events/{exchange}/{topic}/{event}"}
    logging_in = {"/v2/session", "/v2/session/oidc", "/v2/session/oidc/callback", "/v3", "/v3/auth/tokens"}
    assert public <= about_the_server | signed | logging_in


def test_a_route_that_nobody_thought_about_is_refused() -> None:
    with pytest.raises(LookupError, match="GET /v2/new names no policy rule"):
        rule_of("GET", "/v2/new")


def test_every_rule_of_the_table_exists() -> None:
    assert set(_BY_ROUTE.values()) - {PUBLIC} <= set(RULES)


@pytest.mark.parametrize("rule", [name for name in RULES if ":" in name])
def test_administrators_pass_every_rule(rule: str) -> None:
    assert Policy(authenticated=True).allows(rule, ADMIN)


@pytest.mark.parametrize("rule", [name for name in RULES if name.endswith((":publicize", ":all_projects"))])
def test_publishing_and_other_projects_are_for_administrators(rule: str) -> None:
    without = [] if rule == "automation:publicize" else [(Policy(), ANYONE)]
    for policy, caller in ((Policy(authenticated=True), USER), *without):
        with pytest.raises(Forbidden, match=r"Operation forbidden \(insufficient permissions\)"):
            policy.require(rule, caller)


@pytest.mark.parametrize("rule", ["automation:publicize", "automation:purge"])
def test_without_authentication_automations_are_everybodys(rule: str) -> None:
    assert Policy().allows(rule, ANYONE)
    assert not Policy(authenticated=True).allows(rule, USER)


@pytest.mark.parametrize("kind", ["code_sources", "dynamic_actions"])
@pytest.mark.parametrize("verb", ["create", "delete", "get", "list", "update"])
def test_uploaded_code_is_for_administrators(kind: str, verb: str) -> None:
    assert not Policy(authenticated=True).allows(f"{kind}:{verb}", USER)
    assert not Policy().allows(f"{kind}:{verb}", ANYONE)


def test_the_whole_server_is_for_administrators_or_for_the_only_user() -> None:
    assert not Policy(authenticated=True).allows("metrics:get", USER)
    assert Policy().allows("metrics:get", ANYONE)


@pytest.mark.parametrize(
    ("text", "users", "admins"),
    [
        ("@", True, True),
        ("", True, True),
        ("!", False, False),
        ("role:member", True, False),
        ("role:MEMBER", True, False),
        ("not role:member", False, True),
        ("rule:admin_only", False, True),
        ("project_id:shop", True, False),
        ("user_id:a", False, True),
        ("project_id:%(project_id)s", True, True),
        ("is_admin:False", True, False),
        ("role:x or role:member", True, False),
        ("role:x or role:member and user_id:b", False, False),
        ("(role:admin or role:member) and not user_id:u", False, True),
    ],
)
def test_rules_are_written_as_in_openstack(text: str, users: bool, admins: bool) -> None:
    policy = read_policy(f"workflows:create: '{text}'", authenticated=True)
    assert (policy.allows("workflows:create", USER), policy.allows("workflows:create", ADMIN)) == (users, admins)


def test_a_file_changes_what_other_rules_refer_to() -> None:
    policy = read_policy("admin_only: role:auditor", authenticated=True)
    auditor = Caller(project_id="x", roles=("auditor",))
    assert policy.allows("executions:list:all_projects", auditor)
    assert not policy.allows("executions:list:all_projects", ADMIN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workflow:create: '@'", "a rule 'workflow:create' that Ostro does not know"),
        ("workflows:create: rule:nobody", "refers to 'rule:nobody', which does not exist"),
        ("admin_only: rule:admin_only", "'admin_only' refers to itself"),
        ("workflows:create: role:a or", "'workflows:create' cannot be understood at ''"),
        ("workflows:create: role:a role:b", "cannot be understood at 'role:b'"),
        ("workflows:create: (role:a", "a bracket that is not closed"),
        ("workflows:create: colour:red", "cannot be understood at 'colour:red'"),
        ("workflows:create: [1]", "must be a text"),
        ("- a", "must be a map of rules"),
        ("a: b: c", "is not YAML"),
        ("workflows:create: http://example.org/check", "cannot be understood at 'http://example.org/check'"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_policy(text, authenticated=True)
    assert message in refused.value.message
