"""Servers by name, with the token for each: `~/.config/ostro/contexts.toml`, readable by its owner alone.

A token belongs to the address that it was stored with and is sent to no other.
"""

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ostro.model.errors import InvalidInput

DEFAULT_URL: Final = "http://127.0.0.1:8989"
_HEAD = "# Made by `ostro context`. Holds tokens: keep it to yourself.\n"


@dataclass(frozen=True)
class Context:
    """`ca_file`: certificates to trust, beyond the system's. `token`: "" without one; never in `repr`."""

    url: str
    token: str = field(default="", repr=False)
    ca_file: str = ""


@dataclass(frozen=True)
class Contexts:
    """All of a person. `current`: the one that is used if none is named, "" without one."""

    current: str = ""
    by_name: Mapping[str, Context] = field(default_factory=dict)

    def get(self, name: str) -> Context:
        """Raises InvalidInput."""
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none yet; `ostro context add` makes one"
            raise InvalidInput(f"There is no context '{name}'. There are: {known}.")
        return self.by_name[name]

    def with_one(self, name: str, context: Context) -> "Contexts":
        return replace(self, current=self.current or name, by_name={**self.by_name, name: context})

    def without(self, name: str) -> "Contexts":
        self.get(name)
        left = {other: context for other, context in self.by_name.items() if other != name}
        return Contexts("" if self.current == name else self.current, left)


def place(variables: Mapping[str, str]) -> Path:
    """The file, whether or not it is there."""
    folder = variables.get("XDG_CONFIG_HOME") or f"{variables.get('HOME') or Path.home()}/.config"
    return Path(folder) / "ostro" / "contexts.toml"


def load(file: Path) -> Contexts:
    """Raises InvalidInput for a file that cannot be used, or that others may read."""
    try:
        if file.stat().st_mode & 0o077:
            raise InvalidInput(f"{file} holds tokens and others may read it: chmod 600 {file}")
        data = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Contexts()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    stored = data.get("contexts", {})
    return Contexts(str(data.get("current", "")), {name: _context(file, name, one) for name, one in stored.items()})


def _context(file: Path, name: str, stored: Any) -> Context:
    if not isinstance(stored, dict) or not isinstance(stored.get("url"), str):
        raise InvalidInput(f"{file}: the context '{name}' has no url.")
    return Context(stored["url"], str(stored.get("token", "")), str(stored.get("ca_file", "")))


def save(file: Path, contexts: Contexts) -> None:
    """Replace the file as a whole, so that nobody sees half of it. Raises InvalidInput if it cannot be written."""
    lines = [_HEAD, f"current = {_text(contexts.current)}\n"]
    for name, context in sorted(contexts.by_name.items()):
        lines.append(f"\n[contexts.{_text(name)}]\nurl = {_text(context.url)}\n")
        lines += [f"{key} = {_text(value)}\n" for key in ("token", "ca_file") if (value := getattr(context, key))]
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=".contexts-")  # mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.writelines(lines)
        os.replace(scratch, file)
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}") from None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON's texts are TOML's but for that


@dataclass(frozen=True)
class Target:
    """A server to talk to. `is_named`: somebody said which, it is not the default."""

    url: str
    token: str = field(repr=False)
    ca_file: str = ""
    is_named: bool = False
    context: str = ""


def target(variables: Mapping[str, str], *, url: str | None, context: str | None, token_file: str | None) -> Target:
    """Which server and which token. The address: the option, else the context named by option, else OSTRO_URL, else the
    context named by OSTRO_CONTEXT or in use, else this machine's server. The token: the file's, else OSTRO_TOKEN, else
    that of the context that gave the address. Raises InvalidInput."""
    token = read_token(token_file) if token_file else variables.get("OSTRO_TOKEN", "")
    if url and context:
        raise InvalidInput("Give --url or --context, not both.")
    address = url or ("" if context else variables.get("OSTRO_URL", ""))
    if address:
        return Target(address, token, is_named=True)
    known = load(place(variables))
    name = context or variables.get("OSTRO_CONTEXT") or known.current
    if not name:
        return Target(DEFAULT_URL, token)
    chosen = known.get(name)
    return Target(chosen.url, token or chosen.token, chosen.ca_file, is_named=True, context=name)


def read_token(file: str) -> str:
    """The first line of a file. Raises InvalidInput."""
    try:
        text = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"--token-file {file}: {getattr(error, 'strerror', None) or error}") from None
    if not text or "\n" in text:
        raise InvalidInput(f"--token-file {file}: one token is expected, alone in the file.")
    return text
