"""Reaching NATS: TLS, every kind of credentials, and coming back."""

import asyncio
import base64
import datetime
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from ostro.adapters.nats import keys
from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.streams import consumer_config, ensure_consumer, ensure_stream, stream_config
from ostro.model.errors import InvalidInput, Unavailable
from tests.nats.parts import engine_process
from tests.nats_fixtures import until
from tests.ports import free_port
from tests.servers_nats import NatsServer

MakeNats = Callable[..., NatsServer]


async def works(options: NatsOptions) -> bool:
    async with Connection(options, role="engine", name="e") as connection:
        return await connection.flush()


async def refuses(options: NatsOptions, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("ostro.adapters.nats.connection._CONNECT", 1.0)
    with pytest.raises(Unavailable) as caught:
        await works(options)
    return str(caught.value)


async def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "NATS cannot be reached" in await refuses(
        NatsOptions(servers=f"nats://127.0.0.1:{free_port()}"), monkeypatch
    )


async def test_the_first_server_that_answers_is_used(make_nats: MakeNats) -> None:
    server = make_nats()
    assert await works(NatsOptions(servers=f"nats://127.0.0.1:{free_port()}, {server.url}"))


async def test_user_and_password(make_nats: MakeNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_nats('authorization { user: "ann", password: "s3cret" }')
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("s3cret\n")
    bad.write_text("other")
    assert await works(NatsOptions(servers=server.url, user="ann", password_file=str(good)))
    assert await works(NatsOptions(servers=server.url.replace("//", "//ann@"), password_file=str(good)))
    assert await works(NatsOptions(servers=server.url.replace("//", "//ann:s3cret@")))
    assert "other" not in await refuses(
        NatsOptions(servers=server.url, user="ann", password_file=str(bad)), monkeypatch
    )


async def test_a_token(make_nats: MakeNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_nats('authorization { token: "t0ken" }')
    path = tmp_path / "token"
    path.write_text("t0ken")
    assert await works(NatsOptions(servers=server.url, token_file=str(path)))
    await refuses(NatsOptions(servers=server.url), monkeypatch)


class Key:
    """An nkey of some kind: operator, account or user."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.private = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        return keys.encoded(self.kind, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def seed(self) -> str:
        raw = self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return keys.encoded_seed(self.kind, raw)

    def claims(self, subject: str, name: str, nats: dict[str, Any]) -> str:
        """A JWT as NATS wants it, signed by this key."""
        body = {
            "jti": secrets.token_hex(8), "iat": 1_700_000_000, "iss": self.public, "name": name, "sub": subject,
            "nats": {"version": 2, **nats},
        }  # fmt: skip
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_base64(json.dumps(part).encode()) for part in (head, body))
        return f"{text}.{_base64(self.private.sign(text.encode()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


OPERATOR, ACCOUNT = 14 << 3, 0


async def test_an_nkey(make_nats: MakeNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user, other = Key(keys.USER), Key(keys.USER)
    server = make_nats(f'authorization {{ users = [ {{ nkey: "{user.public}" }} ] }}')
    path = tmp_path / "user.nk"
    path.write_text(user.seed + "\n")
    assert await works(NatsOptions(servers=server.url, credentials_file=str(path)))
    path.write_text(other.seed)
    await refuses(NatsOptions(servers=server.url, credentials_file=str(path)), monkeypatch)


async def test_a_credentials_file(make_nats: MakeNats, tmp_path: Path) -> None:
    operator, system, account, user = Key(OPERATOR), Key(ACCOUNT), Key(ACCOUNT), Key(keys.USER)
    limits = {"subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1}
    storage = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    about = {"type": "account", "limits": {**limits, **storage, "wildcards": True}}
    account_jwt = operator.claims(account.public, "ostro", about)
    plain = {**dict.fromkeys(limits, -1), "wildcards": True}
    system_jwt = operator.claims(system.public, "system", {"type": "account", "limits": plain})
    about = {"type": "user", "subs": -1, "data": -1, "payload": -1}
    user_jwt = account.claims(user.public, "engine", about)
    operator_jwt = operator.claims(operator.public, "op", {"type": "operator"})
    server = make_nats(
        f"operator: {operator_jwt}\nsystem_account: {system.public}\nresolver: MEMORY\n"
        f"resolver_preload: {{ {account.public}: {account_jwt}, {system.public}: {system_jwt} }}"
    )
    path = tmp_path / "engine.creds"
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    options = NatsOptions(servers=server.url, credentials_file=str(path), stream_mb=32)
    assert await works(options)
    async with engine_process(options) as engine:
        assert engine.connection.is_connected


@pytest.mark.parametrize("text", ["", "SUAOOPS", "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------"])
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        keys.read_key(text)
    assert not text or text not in str(caught.value)


def test_the_seed_of_an_account_is_no_users() -> None:
    with pytest.raises(InvalidInput):
        keys.read_key(Key(ACCOUNT).seed)


def test_a_file_that_is_not_there_is_named() -> None:
    for options in (
        NatsOptions(servers="x", credentials_file="/no/such"),
        NatsOptions(servers="x", user="u", password_file="/no/such"),
        NatsOptions(servers="x", token_file="/no/such"),
        NatsOptions(servers="x", ca_file="/no/such"),
    ):
        with pytest.raises(InvalidInput):
            options.key()
            options.arguments()


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """A CA, and a key with certificate for 127.0.0.1 by it."""
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    ca_basic = x509.BasicConstraints(ca=True, path_length=None)

    def certificate(name: x509.Name, public: Any, *extensions: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(ca_name).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    import ipaddress

    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    ca_file, certificate_file, key_file = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    ca_file.write_bytes(certificate(ca_name, ca_key.public_key(), ca_basic))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate_file.write_bytes(certificate(subject, key.public_key(), names))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    os.chmod(key_file, 0o600)
    return ca_file, certificate_file, key_file


async def test_tls_with_certificates_of_both_sides(
    make_nats: MakeNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, certificate, key = map(str, certificates(tmp_path))
    server = make_nats(f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{ca}", verify: true }}')
    url = server.url.replace("nats:", "tls:")
    assert await works(NatsOptions(servers=url, ca_file=ca, certificate_file=certificate, key_file=key))
    await refuses(NatsOptions(servers=url, ca_file=ca), monkeypatch)  # it shows no certificate
    await refuses(NatsOptions(servers=url), monkeypatch)  # it does not know the CA


@pytest.mark.parametrize("restarts", [True, False])
async def test_a_changed_password_is_read_when_the_server_wants_it(
    make_nats: MakeNats, tmp_path: Path, restarts: bool
) -> None:
    server = make_nats('authorization { user: "u", password: "one" }')
    path = tmp_path / "password"
    path.write_text("one")
    options = NatsOptions(servers=server.url, user="u", password_file=str(path))
    heard: list[bytes] = []
    async with Connection(options, role="engine", name="e") as connection:

        async def on_message(message: Any) -> None:
            heard.append(message.data)

        await connection.hear("hello", on_message)
        server.settings = 'authorization { user: "u", password: "two" }'
        if restarts:
            server.stop()
            server.start()
        else:
            server.reload()  # then it tells clients to go, which nats-py takes for the end
        await until(lambda: not connection.is_connected)
        await asyncio.sleep(1.0)
        path.write_text("two")
        await until(lambda: connection.is_connected)
        assert await connection.flush()
        assert await connection.publish("hello", b"again")
        await until(lambda: heard == [b"again"])


async def test_what_is_sent_without_a_connection_is_dropped(make_nats: MakeNats) -> None:
    server = make_nats()
    async with Connection(NatsOptions(servers=server.url), role="engine", name="e") as connection:
        server.kill()
        await until(lambda: not connection.is_connected)
        assert await connection.publish("hello") is False
        assert await connection.flush() is False


async def test_the_stream_is_made_with_our_settings(nats_options: NatsOptions) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        assert await ensure_stream(connection) is True
        assert await ensure_stream(connection) is False
        name = connection.subjects.actions_stream
        found = (await connection.client.jetstream().stream_info(name)).config
        wanted = stream_config(connection)
        for field in (
            "subjects",
            "retention",
            "storage",
            "discard",
            "max_msgs",
            "max_bytes",
            "max_age",
            "num_replicas",
        ):
            assert getattr(found, field) == getattr(wanted, field), field


async def test_limits_of_a_stream_are_the_operators_business(nats_options: NatsOptions) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        config = stream_config(connection)
        config.max_bytes, config.max_age, config.max_msgs, config.duplicate_window = 1 << 20, 60, 10, 10
        await connection.client.jetstream().add_stream(config)
        assert await ensure_stream(connection) is False


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("retention", "limits", "retention is limits, not workqueue"),
        ("discard", "old", "discard is old, not new"),
        ("max_msg_size", 1000, "max_msg_size is 1000"),
    ],
)
async def test_a_stream_that_would_lose_jobs_is_refused(
    nats_options: NatsOptions, field: str, value: Any, words: str
) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        config = stream_config(connection)
        setattr(config, field, value)
        await connection.client.jetstream().add_stream(config)
        with pytest.raises(InvalidInput, match=words) as caught:
            await ensure_stream(connection)
        assert "nats stream rm" in caught.value.message


async def test_another_stream_that_takes_our_subjects_is_told(nats_options: NatsOptions) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        await connection.client.jetstream().add_stream(
            name=f"{nats_options.prefix}-all", subjects=[f"{nats_options.prefix}.>"]
        )
        with pytest.raises(InvalidInput, match="overlap"):
            await ensure_stream(connection)


async def test_settings_of_a_consumer_are_brought_up_to_date(nats_options: NatsOptions) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        await ensure_stream(connection)
        config = consumer_config(connection, 0, "x")
        config.ack_wait = 99
        await connection.client.jetstream().add_consumer(connection.subjects.actions_stream, config)
        assert (await ensure_consumer(connection, 0, "x")).config.ack_wait == 4.0


async def test_a_consumer_of_another_kind_is_refused(nats_options: NatsOptions) -> None:
    async with Connection(nats_options, role="engine", name="e") as connection:
        await ensure_stream(connection)
        config = consumer_config(connection, 0, "x")
        config.deliver_subject = "somewhere"
        config.max_waiting = None
        await connection.client.jetstream().add_consumer(connection.subjects.actions_stream, config)
        with pytest.raises(InvalidInput, match="cannot be used"):
            await ensure_consumer(connection, 0, "x")


async def test_a_server_without_jetstream_is_told(make_nats: MakeNats) -> None:
    server = make_nats()
    server.stop()
    server.jetstream = False
    server.start()
    with pytest.raises(Unavailable, match="JetStream"):
        async with engine_process(NatsOptions(servers=server.url)):
            pass
