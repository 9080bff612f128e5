"""std.ssh, std.ssh_proxied and std.wait_ssh against an SSH server."""

import asyncio

import asyncssh
import pytest

from ostro.http.egress import EgressPolicy


class Account(asyncssh.SSHServer):
    """`bob` with the password `secret`; public keys by asyncssh's own check. May forward to anywhere."""

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("bob", "secret")

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return True


async def shell(process):
    match process.command:
        case "echo hi":
            process.stdout.write("hi\n")
        case "fail":
            process.stdout.write("half\n")
            process.stderr.write("why\n")
            process.exit(3)
        case "much":
            try:
                for _ in range(200):
                    process.stdout.write("0" * 60_000)
                    await process.stdout.drain()
            except (OSError, asyncssh.Error):
                return
        case "hang":
            await asyncio.Event().wait()
        case "ls -l":
            process.stdout.write("total 0\n")
    process.exit(0)


class Server:
    def __init__(self, acceptor, key):
        self.acceptor = acceptor
        self.key = key
        self.address = f"127.0.0.1:{acceptor.get_port()}"


@pytest.fixture
def user_key():
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
async def start(user_key):
    """`start()` gives a running server with a new host key; `port` to take the place of another one."""
    acceptors = []

    async def make(port=0):
        key = asyncssh.generate_private_key("ssh-ed25519")
        authorized = asyncssh.import_authorized_keys(user_key.export_public_key().decode())
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=Account,
            server_host_keys=[key],
            authorized_client_keys=authorized,
            process_factory=shell,
            reuse_address=True,
        )
        acceptors.append(acceptor)
        return Server(acceptor, key)

    yield make
    for acceptor in acceptors:
        acceptor.close()
        await acceptor.wait_closed()


LOGIN = {"username": "bob", "password": "secret"}


async def test_a_command_gives_its_output(run, start):
    server = await start()
    outcome = await run("std.ssh", cmd="echo hi", host=server.address, **LOGIN)
    assert (outcome.state, outcome.result) == ("SUCCESS", "hi\n")


async def test_several_hosts_give_a_list(run, start):
    hosts = [(await start()).address, (await start()).address]
    assert (await run("std.ssh", cmd="echo hi", host=hosts, **LOGIN)).result == ["hi\n", "hi\n"]


async def test_a_status_other_than_0_is_an_error(run, start):
    server = await start()
    outcome = await run("std.ssh", cmd="fail", host=server.address, **LOGIN)
    assert outcome.state == "ERROR"
    assert f"Failed to execute ssh cmd 'fail' on {server.address}" in outcome.result
    assert "why" not in outcome.result


async def test_with_the_flag_the_result_is_a_map(run, start):
    server = await start()
    outcome = await run("std.ssh", cmd="fail", host=server.address, return_result_on_error=True, **LOGIN)
    assert outcome.state == "ERROR"
    assert outcome.result == {"stdout": "half\n", "stderr": "why\n", "exit_code": 3}
    outcome = await run("std.ssh", cmd="echo hi", host=server.address, return_result_on_error=True, **LOGIN)
    assert outcome.result == {"stdout": "hi\n", "stderr": "", "exit_code": 0}


async def test_a_private_key_as_text_and_with_a_passphrase(run, start, user_key):
    server = await start()
    plain = user_key.export_private_key("openssh").decode()
    outcome = await run("std.ssh", cmd="echo hi", host=server.address, username="eve", private_key=plain)
    assert outcome.result == "hi\n"
    locked = user_key.export_private_key("openssh", "open sesame", rounds=1, ignore_few_rounds=True).decode()
    outcome = await run(
        "std.ssh", cmd="echo hi", host=server.address, username="eve", private_key=locked, password="open sesame"
    )
    assert outcome.result == "hi\n"
    outcome = await run(
        "std.ssh", cmd="echo hi", host=server.address, username="eve", private_key=locked, password="wrong"
    )
    assert "the private key cannot be read" in outcome.result


async def test_a_key_file_only_below_the_folder(runner, run, start, user_key, tmp_path):
    server = await start()
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "id").write_bytes(user_key.export_private_key("openssh"))
    (tmp_path / "outside").write_bytes(user_key.export_private_key("openssh"))
    (keys / "link").symlink_to(tmp_path / "outside")
    given = {"cmd": "echo hi", "host": server.address, "username": "eve"}
    allowed = runner(ssh_keys_folder=str(keys))
    assert (await allowed("std.ssh", private_key_filename="id", **given)).result == "hi\n"
    for escape in ("../outside", str(tmp_path / "outside"), "link", "missing", ".", "id\0"):
        outcome = await allowed("std.ssh", private_key_filename=escape, **given)
        assert "'private_key_filename' names no file in the folder for keys" in outcome.result
    assert "no folder for keys is configured" in (await run("std.ssh", private_key_filename="id", **given)).result


async def test_a_wrong_password(run, start):
    server = await start()
    outcome = await run("std.ssh", cmd="echo hi", host=server.address, username="bob", password="wr0ngpass")
    assert "permission denied" in outcome.result
    assert "wr0ngpass" not in outcome.result


async def test_a_host_key_is_recorded_at_first_use_and_checked_after(runner, start, tmp_path):
    known = tmp_path / "state" / "known_hosts"
    first = await start()
    given = {"cmd": "echo hi", "host": first.address, **LOGIN}
    assert (await runner(ssh_known_hosts=str(known))("std.ssh", **given)).result == "hi\n"
    host, port = first.address.split(":")
    recorded = known.read_text()
    assert recorded == f"[{host}]:{port} {first.key.export_public_key().decode().strip()}\n"
    assert (await runner(ssh_known_hosts=str(known))("std.ssh", **given)).result == "hi\n"
    first.acceptor.close()
    await first.acceptor.wait_closed()
    await start(int(port))
    outcome = await runner(ssh_known_hosts=str(known))("std.ssh", **given)
    assert "the host key is not the known one" in outcome.result
    assert known.read_text() == recorded


async def test_through_a_gateway(run, start, user_key):
    gateway, server = await start(), await start()
    outcome = await run(
        "std.ssh_proxied",
        cmd="echo hi",
        host=server.address,
        username="eve",
        private_key_filename=None,
        private_key=user_key.export_private_key("openssh").decode(),
        gateway_host=gateway.address,
    )
    assert (outcome.state, outcome.result) == ("SUCCESS", "hi\n")


async def test_a_proxy_command_needs_the_operator(run, start, tmp_path):
    server = await start()
    outcome = await run(
        "std.ssh_proxied",
        cmd="echo hi",
        host=server.address,
        username="eve",
        private_key_filename=None,
        gateway_host=server.address,
        proxy_command=f"touch {tmp_path}/ran",
    )
    assert "'proxy_command' is not allowed on this executor" in outcome.result
    assert not (tmp_path / "ran").exists()


async def test_wait_ssh(run, start):
    server = await start()
    assert (await run("std.wait_ssh", host=server.address, **LOGIN)).result == "total 0\n"


async def test_too_much_output_and_too_much_time(run, start):
    server = await start()
    outcome = await run("std.ssh", cmd="much", host=server.address, **LOGIN)
    assert "the command printed more than 5242880 bytes" in outcome.result
    outcome = await run("std.ssh", time_limit=0.5, cmd="hang", host=server.address, **LOGIN)
    assert "Timeout after 0.5 seconds" in outcome.result


async def test_the_policy_holds_for_ssh(runner, start):
    server = await start()
    run = runner(EgressPolicy())
    outcome = await run("std.ssh", cmd="echo hi", host=server.address, **LOGIN)
    assert "'127.0.0.1' resolves to a blocked address (127.0.0.1)." in outcome.result
    outcome = await run(
        "std.ssh_proxied",
        cmd="echo hi",
        host="192.0.2.1",
        username="bob",
        private_key_filename=None,
        gateway_host=server.address,
    )
    assert "'127.0.0.1' resolves to a blocked address (127.0.0.1)." in outcome.result


async def test_nobody_listens(run):
    outcome = await run("std.ssh", cmd="echo hi", host="127.0.0.1:1", **LOGIN)
    assert "Failed to execute ssh cmd 'echo hi' on 127.0.0.1:1: " in outcome.result
