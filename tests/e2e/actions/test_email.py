"""std.email against an SMTP server."""

import asyncio
import datetime
import ipaddress
import ssl
from contextlib import asynccontextmanager
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ostro.http.egress import EgressPolicy

ADDRESSED = {"from_addr": "ostro@example.com", "to_addrs": ["a@example.com", "b@example.com"]}


class Mailbox:
    def __init__(self):
        self.envelopes = []
        self.logins = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append((envelope, session.ssl is not None))
        return "250 OK"

    def login(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"hunter2", handled=False)

    def message(self):
        [(envelope, _)] = self.envelopes
        return message_from_bytes(envelope.content, policy=policy.default)


@asynccontextmanager
async def listening(box, **options):
    """The mailbox as a server; `box.server` is its address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="mail", loop=loop, **options), "127.0.0.1", 0)
    box.server = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield box
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate and key file) for 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture
async def mailbox():
    async with listening(Mailbox()) as box:
        yield box


@pytest.fixture
async def secure_mailbox(certificate):
    box = Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with listening(box, tls_context=context, authenticator=box.login, auth_required=True):
        yield box


async def test_a_message_reaches_all_recipients(run, mailbox):
    outcome = await run(
        "std.email",
        **ADDRESSED,
        smtp_server=mailbox.server,
        cc_addrs=["c@example.com"],
        bcc_addrs=["hidden@example.com"],
        reply_to=["d@example.com"],
        subject="Größe",
        body="Hello\n.\nthere",
        html_body="<b>Hello</b>",
    )
    assert (outcome.state, outcome.result) == ("SUCCESS", None)
    [(envelope, _)] = mailbox.envelopes
    assert envelope.mail_from == "ostro@example.com"
    assert envelope.rcpt_tos == ["a@example.com", "b@example.com", "c@example.com", "hidden@example.com"]
    message = mailbox.message()
    assert (message["To"], message["Cc"]) == ("a@example.com, b@example.com", "c@example.com")
    assert (message["Reply-To"], message["Subject"]) == ("d@example.com", "Größe")
    assert "hidden" not in str(message)
    text, html = message.iter_parts()
    assert text.get_content().splitlines() == ["Hello", ".", "there"]
    assert html.get_content().strip() == "<b>Hello</b>"


async def test_subject_and_body_have_defaults(run, mailbox):
    await run("std.email", **ADDRESSED, smtp_server=mailbox.server)
    assert mailbox.message()["Subject"] == "<No subject>"
    assert mailbox.message().get_content().strip() == "<No body>"


async def test_a_password_means_encryption_and_a_login(runner, secure_mailbox, certificate):
    run = runner(email_ca_file=certificate[0])
    outcome = await run("std.email", **ADDRESSED, smtp_server=secure_mailbox.server, smtp_password="hunter2")
    assert (outcome.state, outcome.result) == ("SUCCESS", None)
    assert secure_mailbox.logins == [("ostro@example.com", "hunter2")]
    assert secure_mailbox.envelopes[0][1]


async def test_a_wrong_password_is_an_error_that_does_not_show_it(runner, secure_mailbox, certificate):
    run = runner(email_ca_file=certificate[0])
    outcome = await run("std.email", **ADDRESSED, smtp_server=secure_mailbox.server, smtp_password="wr0ngpass")
    assert "Failed to send an email message: (535)" in outcome.result
    assert "wr0ngpass" not in outcome.result


async def test_the_password_is_not_sent_to_a_server_that_cannot_be_trusted(run, secure_mailbox):
    outcome = await run("std.email", **ADDRESSED, smtp_server=secure_mailbox.server, smtp_password="hunter2")
    assert "Failed to send an email message: " in outcome.result
    assert secure_mailbox.logins == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"to_addrs": "a@b.c, d@e.f"},
        {"to_addrs": []},
        {"from_addr": ""},
        {"subject": "x\nBcc: all@example.com"},
        {"to_addrs": ["nobody@example.com"]},
        {"smtp_server": ""},
        {"smtp_server": "127.0.0.1:1"},
    ],
)
async def test_what_cannot_be_sent(run, mailbox, wrong):
    outcome = await run("std.email", **{**ADDRESSED, "smtp_server": mailbox.server, **wrong})
    assert outcome.state == "ERROR"
    assert "Failed to send an email message: " in outcome.result
    assert mailbox.envelopes == []


async def test_the_policy_holds_for_mail(runner, mailbox):
    outcome = await runner(EgressPolicy())("std.email", **ADDRESSED, smtp_server=mailbox.server)
    assert "'127.0.0.1' resolves to a blocked address (127.0.0.1)." in outcome.result
    assert mailbox.envelopes == []
