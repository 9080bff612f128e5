"""std.ssh, std.ssh_proxied and std.wait_ssh: one command on other machines.

Nothing of the executor's own account is used: no agent, no ~/.ssh. Host keys are checked, see `ssh_hosts`.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostro.executor.context import Context
from ostro.executor.services import load
from ostro.http.egress import EgressDenied
from ostro.model.actions import ActionFailed

if TYPE_CHECKING:
    import asyncssh

_MAX_KEY_BYTES = 64 * 1024
_PORT = 22


class SshActionError(Exception):
    """The command failed or never ran; the text is for people."""


async def std_ssh(
    context: Context,
    cmd: Any,
    host: Any,
    username: Any,
    password: Any = "",
    private_key_filename: Any = None,
    private_key: Any = None,
    return_result_on_error: Any = False,
) -> Any:
    """Runs a command over SSH and returns what it printed.

    :param cmd: the command.
    :param host: host, host:port, or a list of them; with several the result is a list in the same order.
    :param username: name to log in with.
    :param password: password, or passphrase of the private key.
    :param private_key_filename: name of a key file in the folder that the operator has set.
    :param private_key: the key itself, as text.
    :param return_result_on_error: give a map of stdout, stderr and exit_code, also as the error's result.
    """
    hosts = host if isinstance(host, list) else [host]
    results = []
    for one in hosts:
        with_reason = _Failure(cmd, one)
        async with with_reason:
            keys = await client_keys(context, private_key_filename, private_key, password)
            async with connect(context, one, username, password, keys) as connection:
                results.append(await execute(context, connection, cmd, one, bool(return_result_on_error)))
    return results if isinstance(host, list) and len(results) != 1 else results[0]


async def std_ssh_proxied(
    context: Context,
    cmd: Any,
    host: Any,
    username: Any,
    private_key_filename: Any,
    gateway_host: Any,
    gateway_username: Any = None,
    password: Any = None,
    proxy_command: Any = None,
    private_key: Any = None,
) -> Any:
    """Runs a command over SSH through a gateway and returns what it printed.

    :param gateway_host: host or host:port to go through; it sees the private key's proof, never the password.
    :param gateway_username: name to log in there with; as `username` if not given.
    :param proxy_command: program on the executor's machine to reach the gateway by; only if the operator allows it.
    :param cmd, host, username, private_key_filename, password, private_key: as of std.ssh.
    """
    hosts = host if isinstance(host, list) else [host]
    results = []
    for one in hosts:
        async with _Failure(cmd, one):
            keys = await client_keys(context, private_key_filename, private_key, password)
            gateway_user = gateway_username or username
            async with (
                connect(context, gateway_host, gateway_user, None, keys, proxy_command=proxy_command) as gateway,
                connect(context, one, username, password, keys, tunnel=gateway) as connection,
            ):
                results.append(await execute(context, connection, cmd, one, False))
    return results if isinstance(host, list) and len(results) != 1 else results[0]


async def std_wait_ssh(context: Context, host: Any, username: Any, password: Any) -> Any:
    """Simple SSH command that tells whether a machine answers: `ls -l`. Use it with the policy `retry`."""
    return await std_ssh(context, "ls -l", host, username, password)


@asynccontextmanager
async def connect(
    context: Context,
    target: Any,
    username: Any,
    password: Any,
    keys: "list[asyncssh.SSHKey] | None",
    *,
    tunnel: "asyncssh.SSHClientConnection | None" = None,
    proxy_command: Any = None,
) -> "AsyncIterator[asyncssh.SSHClientConnection]":
    """A connection that is logged in, its host key checked and recorded."""
    asyncssh = await load("asyncssh")
    host, port = host_and_port(target)
    settings = context.services.settings
    known = await context.services.known_hosts()
    options: dict[str, Any] = {
        "username": str(username),
        "password": str(password) if password else None,
        "client_keys": keys,
        "known_hosts": known.trusted(host, port),
        "client_factory": known.client_for(host, port),
        "agent_path": None,
        "config": None,
        "login_timeout": settings.ssh_connect_timeout,
    }
    async with asyncio.timeout(settings.ssh_connect_timeout):
        if tunnel is not None:
            options["tunnel"] = tunnel
        elif proxy_command:
            if not settings.allow_proxy_command:
                raise SshActionError("'proxy_command' is not allowed on this executor")
            options["proxy_command"] = str(proxy_command)
        else:
            options["sock"] = await context.services.egress.open_socket(host, port)
        try:
            connection = await asyncssh.connect(host, port, **options)
        except BaseException:
            if "sock" in options:
                options["sock"].close()
            raise
    try:
        known.record(host, port, connection.get_server_host_key())
        yield connection
    finally:
        connection.abort()  # the command has ended or is not wanted: nothing to wait for


async def execute(
    context: Context, connection: "asyncssh.SSHClientConnection", cmd: Any, target: Any, as_map: bool
) -> Any:
    """Run the command; its stdout, or the map. A status other than 0 is an error."""
    limit = context.services.settings.ssh_max_output_bytes
    process = await connection.create_process(str(cmd), encoding=None)
    process.stdin.write_eof()
    stdout, stderr = await asyncio.gather(_read(process.stdout, limit), _read(process.stderr, limit))
    await process.wait_closed()
    status = process.exit_status if process.exit_status is not None else -1
    if as_map:
        result = {"stdout": stdout, "stderr": stderr, "exit_code": status}
        if status != 0:
            raise ActionFailed(result)
        return result
    if status != 0:
        raise SshActionError("")  # what the command printed may hold secrets and is not shown
    return stdout


async def client_keys(context: Context, filename: Any, text: Any, passphrase: Any) -> "list[asyncssh.SSHKey] | None":
    """The private key to use, or None. Decrypting one is slow on purpose, so it is done in a thread."""
    if not text and not filename:
        return None
    asyncssh = await load("asyncssh")
    folder = context.services.settings.ssh_keys_folder

    def read() -> Any:
        data = str(text) if text else _key_file(folder, str(filename))
        try:
            return asyncssh.import_private_key(data, str(passphrase) if passphrase else None)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            raise SshActionError("the private key cannot be read") from None

    return [await asyncio.to_thread(read)]


def host_and_port(target: Any) -> tuple[str, int]:
    """`host`, `host:port`, `[IPv6]:port` or a bare IPv6 address."""
    text = str(target).strip()
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return text.strip("[]"), _PORT


def _key_file(folder: str | None, name: str) -> str:
    """The content of a key file; only of files that really lie below the folder."""
    if folder is None:
        raise SshActionError("'private_key_filename' is not allowed: no folder for keys is configured")
    root = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(root, name)) if "\0" not in name else root
    if os.path.commonpath([root, path]) != root or not os.path.isfile(path):
        raise SshActionError("'private_key_filename' names no file in the folder for keys")
    if os.path.getsize(path) > _MAX_KEY_BYTES:
        raise SshActionError("'private_key_filename' names a file that is too large for a key")
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        raise SshActionError("'private_key_filename' names a file that cannot be read") from None


async def _read(stream: Any, limit: int) -> str:
    parts = []
    size = 0
    while part := await stream.read(64 * 1024):
        size += len(part)
        if size > limit:
            raise SshActionError(f"the command printed more than {limit} bytes")
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


class _Failure:
    """Tells every failure inside its block the way people know it, with a reason that holds no secret."""

    def __init__(self, cmd: Any, host: Any) -> None:
        self._what = f"Failed to execute ssh cmd '{cmd}' on {host}"

    async def __aenter__(self) -> None:
        """Nothing to prepare."""

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, ActionFailed):
            return
        if isinstance(error, EgressDenied):
            raise SshActionError(str(error)) from None
        reason = await _reason(error)
        raise SshActionError(f"{self._what}: {reason}" if reason else self._what) from None


async def _reason(error: Exception) -> str:
    asyncssh = await load("asyncssh")
    if isinstance(error, SshActionError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "the host key is not the known one"
    if isinstance(error, asyncssh.PermissionDenied):
        return "permission denied"
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, asyncssh.Error):
        return str(error.reason)
    return type(error).__name__
