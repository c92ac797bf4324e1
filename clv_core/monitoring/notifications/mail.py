"""Send e-mail, with settings in environment variables.

CLV_SMTP_HOST      the mail server (required)
CLV_SMTP_FROM      address of the sender (required)
CLV_SMTP_TO        addresses of the recipients, separated by commas (required)
CLV_SMTP_PORT      587; 465 with ssl; 25 with none
CLV_SMTP_SECURITY  starttls (the default), ssl, or none
CLV_SMTP_USER      name to log in with; empty: no login
CLV_SMTP_PASSWORD  its password
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Self

from clv_core.errors import ClvError, UsageError

TIMEOUT_SECONDS: Final = 15.0
WANTED: Final = ("CLV_SMTP_HOST", "CLV_SMTP_TO")
"""Mail is sent where both of these variables are set."""
PORTS: Final = {"starttls": 587, "ssl": 465, "none": 25}


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
    def of(cls, settings: Mapping[str, str] = os.environ) -> Self:
        """Return the settings of environment variables.

        Raises:
            UsageError: a variable is missing or not valid.
        """
        given = {name: settings.get(f"CLV_SMTP_{name}", "").strip() for name in ("HOST", "FROM", "TO")}
        missing = [f"CLV_SMTP_{name}" for name, value in given.items() if not value]
        if missing:
            raise UsageError("smtp_settings", missing=missing)
        security = settings.get("CLV_SMTP_SECURITY", "").strip().lower() or "starttls"
        if security not in PORTS:
            raise UsageError("setting_choice", setting="CLV_SMTP_SECURITY", value=security, choices=list(PORTS))
        port = settings.get("CLV_SMTP_PORT", "").strip() or str(PORTS[security])
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            raise UsageError("setting_bounds", setting="CLV_SMTP_PORT", value=port, low=1, high=65535)
        to = tuple(address.strip() for address in given["TO"].split(",") if address.strip())
        user, password = settings.get("CLV_SMTP_USER", ""), settings.get("CLV_SMTP_PASSWORD", "")
        return cls(given["HOST"], given["FROM"], to, security, int(port), user, password)


def send(smtp: Smtp, subject: str, text: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """Send one message to all addresses.

    Raises:
        ClvError: the server cannot be reached, or refuses.
    """
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, smtp.sender, ", ".join(smtp.to)
    message.set_content(text)
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
