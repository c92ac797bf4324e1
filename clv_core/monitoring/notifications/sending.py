"""Send notifications: JSON or a Slack card to an address, e-mail by the server that the ``CLV_SMTP_*`` variables name.

It imports nothing of monitoring, as schedules send with it, too.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Self

from clv_core.environment import Environment
from clv_core.errors import ClvError, UsageError
from clv_core.records import JsonObject

POST_SECONDS: Final = 10.0
PRINTABLE_ASCII: Final = re.compile("[!-~]*")
BEFORE_PATH: Final = re.compile(r"(\w+://)?(?:[^/?#]*@)?([^/?#]*)")
"""Scheme and host, without the name and password before the host."""
MAIL_SECONDS: Final = 15.0
PORTS: Final = {"starttls": 587, "ssl": 465, "none": 25}
WEBHOOK, EMAIL = "webhook", "email"
SLACK_HOSTS: Final = ("hooks.slack.com", "hooks.slack-gov.com")
HEADER_CHARACTERS, SECTION_CHARACTERS = 150, 3000
"""Of a header and a section (Slack, Block Kit reference)."""


def channels(environment: Environment) -> tuple[str, ...]:
    """Return by which ways the environment lets messages be sent: :data:`WEBHOOK`, :data:`EMAIL`, both or none."""
    by_mail = environment.smtp_host and environment.smtp_to
    return (*((WEBHOOK,) if environment.webhook_url else ()), *((EMAIL,) if by_mail else ()))


def deliver(
    channel: str, environment: Environment, subject: str, text: str, payload: JsonObject, *, html: str = ""
) -> None:
    """Send a message by one of :func:`channels`: ``payload`` to the address, or subject and text as a mail.

    Raises:
        UsageError: the address or a variable is not valid.
        ClvError: it could not be sent.
    """
    if channel == WEBHOOK:
        post(checked_url(environment.webhook_url), payload)
    else:
        send(Smtp.of(environment), subject, text, html=html)


def chat_payload(url: str, subject: str, lines: Sequence[str], facts: JsonObject) -> JsonObject:
    """Return what is posted of a message: a card for Slack; else ``text`` for chat programs, the rest for programs.

    Args:
        url: where it goes.
        subject: the card's head.
        lines: below it; empty ones part sections.
        facts: for programs.
    """
    text = "\n".join([subject, *lines])
    if urllib.parse.urlsplit(url).hostname not in SLACK_HOSTS:
        return {"text": text, "subject": subject, **facts}
    head = {"type": "header", "text": {"type": "plain_text", "text": subject[:HEADER_CHARACTERS]}}
    parts = "\n".join(lines).split("\n\n")
    escaped = [part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for part in parts if part.strip()]
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": part[:SECTION_CHARACTERS]}} for part in escaped]
    return {"text": text, "blocks": [head, *sections]}


def checked_url(url: str) -> str:
    """Return the address where it is valid.

    Raises:
        UsageError: it is not valid.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        fits = fits and PRINTABLE_ASCII.fullmatch(parts.path + parts.query) is not None
    except ValueError:  # unclosed brackets, an invalid port
        fits = False
    if not fits:
        raise UsageError("webhook_url", url=_without_secrets(url) or "-")
    return url


def _without_secrets(url: str) -> str:
    """Return scheme and host of an invalid address: what comes after them is often a secret."""
    match = BEFORE_PATH.match(url)
    assert match is not None  # it matches the empty text, too
    shown = f"{match[1] or ''}{match[2]}"
    return f"{shown[:80]}{'…' if match.end() < len(url) else ''}"


def post(url: str, payload: JsonObject, timeout: float = POST_SECONDS) -> None:
    """Post a payload; redirects are not followed.

    Args:
        url: of :func:`checked_url`.
        payload: JSON types only.
        timeout: seconds.

    Raises:
        ClvError: it could not be reached, or did not answer with 2xx. The error names only the host: what comes after
            it is often a secret.
    """
    import httpx

    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        answer = httpx.post(url, json=payload, timeout=timeout)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        quotes_address = not isinstance(error, httpx.HTTPError)
        reason = type(error).__name__ if quotes_address else str(error) or type(error).__name__
        raise ClvError("webhook_failed", host=host, reason=reason) from error
    if not answer.is_success:
        raise ClvError("webhook_failed", host=host, reason=f"HTTP {answer.status_code}")


@dataclass(frozen=True)
class Smtp:
    """Settings of a mail server.

    Args:
        host: the mail server.
        sender: address.
        to: addresses.
        security: ``starttls``, ``ssl`` or ``none``.
        port: of the server.
        user: name to log in with; empty: no login.
        password: its password.
    """

    host: str
    sender: str
    to: tuple[str, ...]
    security: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """Return the mail server of the environment.

        Raises:
            UsageError: a variable is missing or not valid.
        """
        host, sender, to = (getattr(environment, name).strip() for name in ("smtp_host", "smtp_from", "smtp_to"))
        required = {"smtp_host": host, "smtp_from": sender, "smtp_to": to}
        if missing := [Environment.variable(name) for name, value in required.items() if not value]:
            raise UsageError("smtp_settings", missing=missing)
        security = environment.smtp_security.strip().lower() or "starttls"
        if security not in PORTS:
            name = Environment.variable("smtp_security")
            raise UsageError("setting_choice", setting=name, value=security, choices=list(PORTS))
        port = environment.smtp_port.strip() or str(PORTS[security])
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            name = Environment.variable("smtp_port")
            raise UsageError("setting_bounds", setting=name, value=port, low=1, high=65535)
        addresses = tuple(address.strip() for address in to.split(",") if address.strip())
        return cls(host, sender, addresses, security, int(port), environment.smtp_user, environment.smtp_password)


def send(smtp: Smtp, subject: str, text: str, timeout: float = MAIL_SECONDS, *, html: str = "") -> None:
    """Send one message to all addresses, with the same as HTML where there is any.

    Raises:
        ClvError: the server cannot be reached, or refuses.
    """
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, smtp.sender, ", ".join(smtp.to)
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    try:
        with _connect(smtp, timeout) as server:
            if smtp.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if smtp.user:
                server.login(smtp.user, smtp.password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        reason = _reason(error)
        raise ClvError("smtp_failed", host=smtp.host, port=smtp.port, reason=reason) from error


def _connect(smtp: Smtp, timeout: float) -> smtplib.SMTP:
    if smtp.security == "ssl":
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=timeout, context=ssl.create_default_context())
    return smtplib.SMTP(smtp.host, smtp.port, timeout=timeout)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__
