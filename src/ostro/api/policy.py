"""Authorisation: which rule guards which route, and who passes a rule. One table each; an
operator's policy file may replace rules.

A rule says what a caller may ask for; whose rows it then sees or changes is the store's scope and `ownership`'s.
Rules are written as OpenStack's policy files write them, so a Mistral `policy.yaml` can be used as it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml

from ostro.model.commands import Caller
from ostro.model.errors import Forbidden, InvalidInput

FORBIDDEN: Final = "Operation forbidden (insufficient permissions)"
PUBLIC: Final = "public"  # of routes that ask nobody who they are

Check = Callable[[Caller], bool]

# Names that other rules refer to. `operator` guards what is about the whole server: administrators, and everybody
# where there is no authentication (everybody there is on this machine).
ROLES: Final = {
    "admin_only": "is_admin:True",
    "admin_or_owner": "is_admin:True or project_id:%(project_id)s",
    "operator": "is_admin:True or authentication:none",
}

_CRUD = ("create", "delete", "get", "list", "update")
_ALL, _ADMIN, _OPERATOR = "rule:admin_or_owner", "rule:admin_only", "rule:operator"

RULES: Final[dict[str, str]] = {
    **ROLES,
    **{f"workbooks:{verb}": _ALL for verb in _CRUD},
    "workbooks:publicize": _ADMIN,
    **{f"workflows:{verb}": _ALL for verb in _CRUD},
    "workflows:publicize": _ADMIN,
    "workflows:list:all_projects": _ADMIN,
    **{f"actions:{verb}": _ALL for verb in _CRUD},
    "actions:publicize": _ADMIN,
    **{f"executions:{verb}": _ALL for verb in _CRUD},
    "executions:list:all_projects": _ADMIN,
    **{f"tasks:{verb}": _ALL for verb in ("get", "list", "update")},
    **{f"action_executions:{verb}": _ALL for verb in _CRUD},
    **{f"cron_triggers:{verb}": _ALL for verb in _CRUD},
    "cron_triggers:publicize": _ADMIN,
    "cron_triggers:list:all_projects": _ADMIN,
    **{f"event_triggers:{verb}": _ALL for verb in _CRUD},
    "event_triggers:publicize": _ADMIN,
    "event_triggers:list:all_projects": _ADMIN,
    "events:create": _ALL,  # asked by the handler: an event may be signed in place of a token
    **{f"environments:{verb}": _ALL for verb in _CRUD},
    "environments:publicize": _ADMIN,
    **{f"members:{verb}": _ALL for verb in _CRUD},
    "services:list": _ALL,
    **{f"code_sources:{verb}": _ADMIN for verb in (*_CRUD, "publicize")},
    **{f"dynamic_actions:{verb}": _ADMIN for verb in (*_CRUD, "publicize")},
    **{f"automation:{verb}": _ALL for verb in (*_CRUD, "run")},
    # Without authentication everybody is on this machine, and the one workspace is theirs.
    "automation:publicize": _OPERATOR,
    "automation:purge": _OPERATOR,
    "automation:list:all_projects": _ADMIN,
    "maintenance:get": _ALL,
    "maintenance:update": _OPERATOR,
    "metrics:get": _OPERATOR,
    "audit:list": _OPERATOR,
    "stream:get": _ALL,
    "overview:get": _ALL,
    "lint:create": _ALL,
    **{f"secrets:{verb}": _ALL for verb in ("delete", "get", "list", "update")},
    **{f"tokens:{verb}": _ADMIN for verb in ("create", "delete", "list")},
}

# Every route, by the rule that guards it. A route that is not here does not start.
_ROUTES: Final = """
GET    /                                            public
GET    /v2                                          public
GET    /info                                        public
GET    /healthcheck                                 public
GET    /openapi.json                                public
GET    /docs                                        public
GET    /metrics                                     metrics:get
GET    /maintenance                                 maintenance:get
PUT    /maintenance                                 maintenance:update
GET    /v2/services                                 services:list
GET    /v2/audit                                    audit:list

GET    /v2/executions                               executions:list
POST   /v2/executions                               executions:create
PUT    /v2/executions                               executions:update
DELETE /v2/executions                               executions:delete
GET    /v2/executions/{id}                          executions:get
PUT    /v2/executions/{id}                          executions:update
DELETE /v2/executions/{id}                          executions:delete
GET    /v2/executions/{id}/tasks                    tasks:list
GET    /v2/executions/{id}/report                   executions:get
GET    /v2/executions/{id}/executions               executions:get

GET    /v2/tasks                                    tasks:list
PUT    /v2/tasks                                    tasks:update
GET    /v2/tasks/{id}                               tasks:get
PUT    /v2/tasks/{id}                               tasks:update
GET    /v2/tasks/{id}/action_executions             action_executions:list
GET    /v2/tasks/{id}/action_executions/{action_id} action_executions:get
GET    /v2/tasks/{id}/workflow_executions           executions:list
GET    /v2/tasks/{id}/executions                    executions:get

GET    /v2/action_executions                        action_executions:list
POST   /v2/action_executions                        action_executions:create
PUT    /v2/action_executions                        action_executions:update
DELETE /v2/action_executions                        action_executions:delete
GET    /v2/action_executions/{id}                   action_executions:get
PUT    /v2/action_executions/{id}                   action_executions:update
DELETE /v2/action_executions/{id}                   action_executions:delete

GET    /v2/workflows                                workflows:list
POST   /v2/workflows                                workflows:create
PUT    /v2/workflows                                workflows:update
DELETE /v2/workflows                                workflows:delete
POST   /v2/workflows/validate                       workflows:create
POST   /v2/workflows/validation                     workflows:create
GET    /v2/workflows/{id}                           workflows:get
PUT    /v2/workflows/{id}                           workflows:update
DELETE /v2/workflows/{id}                           workflows:delete
GET    /v2/workflows/{id}/members                   members:list
POST   /v2/workflows/{id}/members                   members:create
GET    /v2/workflows/{id}/members/{member_id}       members:get
PUT    /v2/workflows/{id}/members/{member_id}       members:update
DELETE /v2/workflows/{id}/members/{member_id}       members:delete

GET    /v2/workbooks                                workbooks:list
POST   /v2/workbooks                                workbooks:create
PUT    /v2/workbooks                                workbooks:update
DELETE /v2/workbooks                                workbooks:delete
POST   /v2/workbooks/validate                       workbooks:create
POST   /v2/workbooks/validation                     workbooks:create
GET    /v2/workbooks/{name}                         workbooks:get
DELETE /v2/workbooks/{name}                         workbooks:delete

GET    /v2/actions                                  actions:list
POST   /v2/actions                                  actions:create
PUT    /v2/actions                                  actions:update
DELETE /v2/actions                                  actions:delete
POST   /v2/actions/validate                         actions:create
POST   /v2/actions/validation                       actions:create
GET    /v2/actions/{id}                             actions:get
PUT    /v2/actions/{id}                             actions:update
DELETE /v2/actions/{id}                             actions:delete
GET    /v2/actions/{id}/{namespace}                 actions:get
DELETE /v2/actions/{id}/{namespace}                 actions:delete

GET    /v2/environments                             environments:list
POST   /v2/environments                             environments:create
PUT    /v2/environments                             environments:update
DELETE /v2/environments                             environments:delete
GET    /v2/environments/{name}                      environments:get
DELETE /v2/environments/{name}                      environments:delete

GET    /v2/cron_triggers                            cron_triggers:list
POST   /v2/cron_triggers                            cron_triggers:create
DELETE /v2/cron_triggers                            cron_triggers:delete
GET    /v2/cron_triggers/{id}                       cron_triggers:get
DELETE /v2/cron_triggers/{id}                       cron_triggers:delete

POST   /v2/events                                   public
POST   /v2/events/{exchange}/{topic}/{event}        public

GET    /v2/event_triggers                           event_triggers:list
POST   /v2/event_triggers                           event_triggers:create
PUT    /v2/event_triggers                           event_triggers:update
DELETE /v2/event_triggers                           event_triggers:delete
GET    /v2/event_triggers/{id}                      event_triggers:get
PUT    /v2/event_triggers/{id}                      event_triggers:update
DELETE /v2/event_triggers/{id}                      event_triggers:delete
POST   /v2/events                                   public
POST   /v2/events/{exchange}/{topic}/{event}        public

GET    /automation/v1/schema                        automation:get
GET    /automation/v1/workflows                     automation:list
POST   /automation/v1/workflows                     automation:create
POST   /automation/v1/workflows/validate            automation:create
GET    /automation/v1/workflows/{uid}               automation:get
PUT    /automation/v1/workflows/{uid}               automation:update
PATCH  /automation/v1/workflows/{uid}               automation:update
DELETE /automation/v1/workflows/{uid}               automation:delete
POST   /automation/v1/workflows/{uid}/restore       automation:update
POST   /automation/v1/workflows/{uid}/preview       automation:run
POST   /automation/v1/workflows/{uid}/run           automation:run
GET    /automation/v1/workflows/{uid}/executions    executions:list
GET    /automation/v1/executions/{id}/state         executions:get

GET    /v2/code_sources                             code_sources:list
POST   /v2/code_sources                             code_sources:create
PUT    /v2/code_sources                             code_sources:update
DELETE /v2/code_sources                             code_sources:delete
GET    /v2/code_sources/{id}                        code_sources:get
DELETE /v2/code_sources/{id}                        code_sources:delete
GET    /v2/dynamic_actions                          dynamic_actions:list
POST   /v2/dynamic_actions                          dynamic_actions:create
PUT    /v2/dynamic_actions                          dynamic_actions:update
DELETE /v2/dynamic_actions                          dynamic_actions:delete
GET    /v2/dynamic_actions/{id}                     dynamic_actions:get
DELETE /v2/dynamic_actions/{id}                     dynamic_actions:delete

GET    /v2/session                                  public
POST   /v2/session                                  public
DELETE /v2/session                                  public
GET    /v2/session/oidc                             public
GET    /v2/session/oidc/callback                    public
GET    /v3                                          public
POST   /v3/auth/tokens                              public
GET    /v2/stream                                   stream:get
GET    /v2/overview                                 overview:get
GET    /v2/executions/{id}/graph                    executions:get
GET    /v2/executions/{id}/waits                    executions:get
GET    /v2/executions/{id}/timeline                 executions:get
POST   /v2/graph                                    lint:create
POST   /v2/lint                                     lint:create
GET    /v2/schema/{kind}                            workflows:get
GET    /v2/workflows/{id}/revisions                 workflows:get
GET    /v2/cron_triggers/{id}/next                  cron_triggers:get
GET    /v2/secrets                                  secrets:list
GET    /v2/secrets/{name}                           secrets:get
PUT    /v2/secrets/{name}                           secrets:update
DELETE /v2/secrets/{name}                           secrets:delete
GET    /v2/tokens                                   tokens:list
POST   /v2/tokens                                   tokens:create
DELETE /v2/tokens/{id}                              tokens:delete
"""

_NAMES = re.compile(r"\{\w+\}")


def _key(method: str, path: str) -> tuple[str, str]:
    return method, _NAMES.sub("{}", path)


_BY_ROUTE: Final = {_key(*line.split()[:2]): line.split()[2] for line in _ROUTES.splitlines() if line}


def rule_of(method: str, path: str) -> str:
    """The rule that guards a route. LookupError for a route that nobody has thought about."""
    try:
        return _BY_ROUTE[_key(method, path)]
    except KeyError:
        raise LookupError(f"{method} {path} names no policy rule: add it to ostro/api/policy.py.") from None


class Policy:
    """All rules, compiled. `overrides`: rules of an operator's file. InvalidInput if one cannot be understood."""

    def __init__(self, overrides: Mapping[str, Any] | None = None, *, authenticated: bool = False) -> None:
        texts = dict(RULES)
        for name, text in (overrides or {}).items():
            if name not in RULES:
                raise InvalidInput(f"The policy file has a rule '{name}' that Ostro does not know.")
            texts[name] = "@" if text is None or text == "" else text
        self._checks = _Compiler(texts, authenticated).all()

    def allows(self, rule: str, caller: Caller) -> bool:
        return self._checks[rule](caller)

    def allowed(self, caller: Caller) -> list[str]:
        """The rules about resources that a caller passes, in order."""
        return sorted(name for name, check in self._checks.items() if ":" in name and check(caller))

    def require(self, rule: str, caller: Caller) -> None:
        """Raises Forbidden."""
        if not self._checks[rule](caller):
            raise Forbidden(FORBIDDEN)


def read_policy(text: str, *, authenticated: bool) -> Policy:
    """The rules with those of a YAML text on top: a map of rule to expression. Raises InvalidInput."""
    try:
        rules = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput(f"The policy file is not YAML: {error}") from None
    if rules is None:
        rules = {}
    if not isinstance(rules, dict):
        raise InvalidInput("The policy file must be a map of rules: `workflows:create: rule:admin_only`.")
    return Policy({str(name): text for name, text in rules.items()}, authenticated=authenticated)


def _everybody(caller: Caller) -> bool:
    return True


def _nobody(caller: Caller) -> bool:
    return False


_TOKEN = re.compile(r"\s*(?:([()])|((?:%\(\w+\)s|[^\s()])+))")


class _Compiler:
    """OpenStack's rule language: `role:x`, `rule:x`, `is_admin:True`, `project_id:X`, `user_id:X`, `@`, `!`,
    `not`, `and`, `or`, brackets. `%(project_id)s` is the caller's own, so it holds for everybody."""

    def __init__(self, texts: Mapping[str, Any], authenticated: bool) -> None:
        self._texts = texts
        self._authenticated = authenticated
        self._done: dict[str, Check] = {}
        self._under_way: list[str] = []

    def all(self) -> dict[str, Check]:
        return {name: self._named(name) for name in self._texts}

    def _named(self, name: str) -> Check:
        if name not in self._texts:
            raise InvalidInput(f"A policy rule refers to 'rule:{name}', which does not exist.")
        if name in self._under_way:
            raise InvalidInput(f"The policy rule '{name}' refers to itself.")
        if name not in self._done:
            self._under_way.append(name)
            self._done[name] = self._compile(name, self._texts[name])
            self._under_way.pop()
        return self._done[name]

    def _compile(self, name: str, text: Any) -> Check:
        if not isinstance(text, str):
            raise InvalidInput(f"The policy rule '{name}' must be a text, such as 'rule:admin_only'.")
        words = [bracket or word for bracket, word in _TOKEN.findall(text)]
        check = self._either(name, words)
        if words:
            raise InvalidInput(f"The policy rule '{name}' cannot be understood at '{words[0]}'.")
        return check

    def _either(self, name: str, words: list[str]) -> Check:
        checks = [self._both(name, words)]
        while words and words[0].lower() == "or":
            words.pop(0)
            checks.append(self._both(name, words))
        if _everybody in checks:  # most rules: one call is all that they cost
            return _everybody
        return checks[0] if len(checks) == 1 else lambda caller: any(check(caller) for check in checks)

    def _both(self, name: str, words: list[str]) -> Check:
        checks = [self._one(name, words)]
        while words and words[0].lower() == "and":
            words.pop(0)
            checks.append(self._one(name, words))
        return checks[0] if len(checks) == 1 else lambda caller: all(check(caller) for check in checks)

    def _one(self, name: str, words: list[str]) -> Check:
        word = words.pop(0) if words else ""
        if word == "(":
            inner = self._either(name, words)
            if not words or words.pop(0) != ")":
                raise InvalidInput(f"The policy rule '{name}' has a bracket that is not closed.")
            return inner
        if word.lower() == "not":
            refused = self._one(name, words)
            return lambda caller: not refused(caller)
        return self._term(name, word)

    def _term(self, name: str, word: str) -> Check:
        if word in ("@", "!"):
            return _everybody if word == "@" else _nobody
        kind, colon, value = word.partition(":")
        if colon:
            match kind:
                case "rule":
                    return self._named(value)
                case "role":
                    return lambda caller: value.lower() in (role.lower() for role in caller.roles)
                case "is_admin":
                    wanted = value.lower() in ("true", "1")
                    return lambda caller: caller.is_admin == wanted
                case "project_id" | "user_id" if value == f"%({kind})s":
                    return _everybody
                case "project_id" | "user_id":
                    return lambda caller: getattr(caller, kind) == value
                case "authentication":
                    return _everybody if self._authenticated == (value != "none") else _nobody
        raise InvalidInput(f"The policy rule '{name}' cannot be understood at '{word}'.")
