"""What the users of each role must be allowed on the server, as text for its configuration file.

Guarantees: an executor may take the work of its own targets, report on it and say that it lives; it may send no
command, read no other target's work and hear no other process's answers.
"""

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Final

from ostro.adapters.nats.subjects import ANY, LANES, Subjects, token
from ostro.model.errors import InvalidInput

ROLES: Final = ("api", "engine", "executor")
_API: Final = "$JS.API"

Permissions = dict[str, dict[str, list[str]]]


def permissions(
    prefix: str, roles: Sequence[str], *, name: str = "", labels: Sequence[str] = (), shared: bool = True
) -> Permissions:
    """{"publish": {"allow": [...]}, "subscribe": {"allow": [...]}} of a process with these roles. For executors: their
    name and labels, and whether they take jobs without a target. Raises InvalidInput."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise InvalidInput(f"Roles are {', '.join(ROLES)}, not '{', '.join(unknown)}'.")
    if "executor" in roles and not name:
        raise InvalidInput("An executor needs its name: the target whose work it may take.")
    subjects = Subjects(prefix)
    publish: list[str] = []
    subscribe: list[str] = []
    for role in ROLES:
        if role not in roles:
            continue
        if role == "executor":
            targets = [*map(token, (name, *labels)), *([ANY] if shared else [])]
            sends, hears = _executor(subjects, token(name), list(dict.fromkeys(targets)))
        else:
            sends, hears = _ROLES[role](subjects)
        publish += sends
        subscribe += hears
    speaker = main_role(roles)
    # A process has one connection, and its inbox is that of its first role.
    inbox = f"{prefix}.inbox.{speaker}." + (f"{token(name)}.>" if speaker == "executor" else ">")
    alive = f"{subjects.alive}.{speaker}." + (token(name) if speaker == "executor" else "*")
    return {
        "publish": {"allow": list(dict.fromkeys([*publish, alive]))},
        "subscribe": {"allow": list(dict.fromkeys([*subscribe, inbox]))},
    }


def main_role(roles: Sequence[str]) -> str:
    """What a process with several roles connects as: the one that may do most."""
    return next(role for role in ("engine", "api", "executor") if role in roles)


def user_name(roles: Sequence[str], name: str) -> str:
    role = main_role(roles)
    return f"ostro-executor-{name}" if role == "executor" else f"ostro-{role}"


def variable(user: str) -> str:
    """Of nats-server's environment, with the password of a user."""
    word = re.sub(r"[^A-Za-z0-9]", "_", user.removeprefix("ostro-")).upper()
    return f"OSTRO_NATS_{word}"


def as_text(found: Permissions) -> str:
    """For `permissions = ...` of a user in nats-server's configuration; JSON is a part of its language."""
    return json.dumps(found, indent=2)


def as_configuration(users: Sequence[tuple[str, Permissions]]) -> str:
    """The block `authorization` of nats-server's configuration."""
    entries = ",\n".join(
        _indented(
            f"{{\n  user: {json.dumps(name)}\n  password: ${variable(name)}\n"
            f"  permissions: {_indented(as_text(allowed), 2).lstrip()}\n}}",
            4,
        )
        for name, allowed in users
    )
    return f"authorization {{\n  users = [\n{entries}\n  ]\n}}\n"


def _indented(text: str, spaces: int) -> str:
    return textwrap.indent(text, " " * spaces)


def _api(subjects: Subjects) -> tuple[list[str], list[str]]:
    prefix = subjects.prefix
    return (
        [f"{prefix}.shard.*.command", f"{prefix}.signal.>", subjects.watch],
        [f"{prefix}.signal.>", f"{prefix}.live.>", f"{subjects.alive}.>"],
    )


def _engine(subjects: Subjects) -> tuple[list[str], list[str]]:
    prefix, stream = subjects.prefix, subjects.actions_stream
    return (
        [
            subjects.actions,
            subjects.cancel,
            f"{prefix}.shard.*.command",
            f"{prefix}.shard.*.report",
            f"{prefix}.engine.*.report",
            f"{prefix}.signal.>",
            f"{prefix}.live.>",
            f"{prefix}.inbox.>",
            f"{_API}.STREAM.INFO.{stream}",
            f"{_API}.STREAM.CREATE.{stream}",
            f"{_API}.STREAM.DELETE.{stream}",  # `ostro nats purge`
            f"{_API}.CONSUMER.INFO.{stream}.*",
        ],
        [f"{prefix}.shard.>", f"{prefix}.engine.>", f"{prefix}.signal.>", subjects.watch, f"{subjects.alive}.>"],
    )


def _executor(subjects: Subjects, name: str, targets: Sequence[str]) -> tuple[list[str], list[str]]:
    prefix, stream = subjects.prefix, subjects.actions_stream
    sends = [f"{prefix}.engine.*.report", f"{prefix}.shard.*.report"]
    for target in targets:
        sends.append(f"{prefix}.engine.*.job.{target}")
        for lane in LANES:
            consumer, filter = subjects.consumer(lane, target), subjects.action(lane, target)
            sends += [
                f"{_API}.CONSUMER.MSG.NEXT.{stream}.{consumer}",
                f"{_API}.CONSUMER.INFO.{stream}.{consumer}",
                f"{_API}.CONSUMER.CREATE.{stream}.{consumer}.{filter}",
                f"{_API}.CONSUMER.DELETE.{stream}.{consumer}",
                f"$JS.ACK.{stream}.{consumer}.>",
            ]
    return sends, [subjects.cancel]


_ROLES: Final = {"api": _api, "engine": _engine}
