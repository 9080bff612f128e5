"""std.email: one message over SMTP."""

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any

from ostro.executor.context import Context
from ostro.executor.services import load
from ostro.http.egress import EgressDenied

if TYPE_CHECKING:
    import socket

_SMTP = 25
_SMTPS = 465


class EmailActionError(Exception):
    """The message was not sent; the text is for people."""


async def std_email(
    context: Context,
    from_addr: Any,
    to_addrs: Any,
    smtp_server: Any,
    reply_to: Any = None,
    cc_addrs: Any = None,
    bcc_addrs: Any = None,
    smtp_password: Any = None,
    subject: Any = None,
    body: Any = None,
    html_body: Any = None,
) -> None:
    """Sends an email message.

    :param from_addr: address of the sender, and the login name if there is a password.
    :param to_addrs: list of addresses; also reply_to, cc_addrs and bcc_addrs.
    :param smtp_server: host or host:port of the mail server; port 25 if not given, 465 means TLS from the start.
    :param smtp_password: with it the connection is encrypted (STARTTLS) and logged in.
    :param subject: "<No subject>" if not given.
    :param body: text, "<No body>" if not given.
    :param html_body: the same as HTML.
    """
    try:
        message = build(from_addr, to_addrs, reply_to, cc_addrs, subject, body, html_body)
        recipients = [a for given in (to_addrs, cc_addrs, bcc_addrs) for a in addresses("address", given)]
        host, port = server_of(smtp_server)
        async with asyncio.timeout(context.services.settings.email_timeout):
            sock = await context.services.egress.open_socket(host, port)
        await send(context, sock, host, port, message, str(from_addr), recipients, smtp_password)
    except EgressDenied as exc:
        raise EmailActionError(str(exc)) from None
    except (ValueError, OSError) as exc:
        raise EmailActionError(f"Failed to send an email message: {exc or 'no answer in time'}") from None


async def send(
    context: Context,
    sock: "socket.socket",
    host: str,
    port: int,
    message: EmailMessage,
    sender: str,
    recipients: list[str],
    password: Any,
) -> None:
    """One session over a connected socket. Raises OSError: every error of aiosmtplib is told as one."""
    aiosmtplib = await load("aiosmtplib")
    tls = (
        ssl.create_default_context(cafile=context.services.settings.email_ca_file)
        if password or port == _SMTPS
        else None
    )
    session = aiosmtplib.SMTP(
        hostname=host,
        sock=sock,
        use_tls=port == _SMTPS,
        start_tls=bool(password) and port != _SMTPS,
        tls_context=tls,
        timeout=context.services.settings.email_timeout,
    )
    try:
        async with session:
            if password:
                await session.login(sender, str(password))
            await session.send_message(message, sender=sender, recipients=recipients)
    except aiosmtplib.SMTPException as exc:
        raise OSError(_reason(exc)) from None
    finally:
        sock.close()


def build(
    from_addr: Any, to_addrs: Any, reply_to: Any, cc_addrs: Any, subject: Any, body: Any, html_body: Any
) -> EmailMessage:
    """The message. Raises ValueError; a line break in an address or subject is one."""
    if not isinstance(from_addr, str) or not from_addr:
        raise ValueError("'from_addr' must be an address.")
    if not addresses("to_addrs", to_addrs):
        raise ValueError("'to_addrs' must name at least one address.")
    message = EmailMessage()
    message["From"] = from_addr
    for header, name, given in (
        ("To", "to_addrs", to_addrs),
        ("Cc", "cc_addrs", cc_addrs),
        ("Reply-To", "reply_to", reply_to),
    ):
        if given:
            message[header] = ", ".join(addresses(name, given))
    message["Subject"] = str(subject) if subject else "<No subject>"
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=from_addr.rpartition("@")[2].strip("> ") or "localhost")
    message.set_content(str(body) if body else "<No body>")
    if html_body:
        message.add_alternative(str(html_body), subtype="html")
    return message


def addresses(name: str, given: Any) -> list[str]:
    """A list of addresses; one address alone is fine, several in one text are not."""
    if not given:
        return []
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(one, str) and "," not in one for one in listed):
        raise ValueError(f"'{name}' must be a list of addresses.")
    return listed


def server_of(text: Any) -> tuple[str, int]:
    """Host and port of `host`, `host:port` or `[IPv6]:port`."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError("'smtp_server' must be a host or host:port.")
    host, _, port = text.strip().rpartition(":") if not text.strip().endswith("]") else (text.strip(), "", "")
    if not host:
        return port, _SMTP
    if ":" in host and not host.startswith("["):  # an IPv6 address without a port
        return text.strip(), _SMTP
    if port and not port.isdigit():
        raise ValueError("the port of 'smtp_server' must be a number.")
    return host.strip("[]"), int(port or _SMTP)


def _reason(error: Exception) -> str:
    """aiosmtplib's errors hold a reply's code and text, or a list of refused recipients."""
    recipients = getattr(error, "recipients", None)
    if isinstance(recipients, list):
        return "; ".join(_reason(one) for one in recipients)
    code, text = getattr(error, "code", None), getattr(error, "message", None)
    if code is not None and text is not None:
        return f"({code}) {text}"
    return str(error).replace(" on port None", "") or type(error).__name__  # it knows the socket only
