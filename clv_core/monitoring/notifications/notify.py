"""Send a report's new alerts to a webhook and by e-mail, each alert once to each address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from clv_core.errors import ClvError
from clv_core.i18n import translate
from clv_core.locks import writing
from clv_core.monitoring.alerts import Alert
from clv_core.monitoring.monitoring_report import Report, model_folder
from clv_core.monitoring.notifications.mail import Smtp, send
from clv_core.monitoring.notifications.webhook import checked_url, post
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, read_json, write_json


def notify(
    workspace: Workspace, report: Report, *, webhook: str | None = None, smtp: Smtp | None = None, language: str
) -> dict[str, int]:
    """Send the open alerts that were not sent before; where there is none, nothing is sent.

    Args:
        workspace: where sent alerts are recorded.
        report: with the alerts.
        webhook: address; None: no webhook.
        smtp: mail settings; None: no mail.
        language: of the message.

    Returns:
        How many alerts were sent to each of ``webhook`` and ``email``.

    Raises:
        UsageError: the address is not valid.
        ClvError: one of the two failed; the other was sent.
    """
    path = model_folder(workspace, report.about.model) / "told.json"
    failed: ClvError | None = None
    sent: dict[str, int] = {}
    for channel, to in (("webhook", webhook), ("email", None if smtp is None else ",".join(smtp.to))):
        if to is None:
            continue
        address = f"{channel}:{hashlib.sha256(to.encode()).hexdigest()[:16]}"  # an address may hold a secret
        before: dict[str, list[str]] = read_json(path) if path.is_file() else {}
        alerts = [alert for alert in report.open if alert.id not in before.get(address, [])]
        try:
            if alerts and channel == "webhook":
                post(checked_url(to), payload(report, alerts, language))
            elif alerts and smtp is not None:
                send(smtp, *message(report, alerts, language))
        except ClvError as error:
            failed = failed or error
            continue
        with writing(path):
            before = read_json(path) if path.is_file() else {}
            before[address] = sorted({*before.get(address, []), *(alert.id for alert in alerts)})
            write_json(path, before)
        sent[channel] = len(alerts)
    if failed is not None:
        raise failed
    return sent


def message(report: Report, alerts: Sequence[Alert], language: str) -> tuple[str, str]:
    """Return a subject, and a text with each alert and the recommendation."""
    about = {"dataset": report.about.dataset, "model": report.about.model, "as_of": report.about.as_of}
    subject = translate("mail.subject", language, n=len(alerts), dataset=report.about.dataset)
    lines = [f"- {alert.text(language)}" for alert in alerts]
    advice = report.recommendation.why.text(language)
    return subject, "\n".join([translate("mail.about", language, **about), "", *lines, "", advice])


def payload(report: Report, alerts: Sequence[Alert], language: str) -> JsonObject:
    """Return what is posted: ``text`` for chat programs, the rest for programs."""
    subject, text = message(report, alerts, language)
    return {
        "text": f"{subject}\n{text}",
        **report.about.to_json(),
        "lights": {light.question: light.to_json(language) for light in report.lights},
        "recommendation": report.recommendation.to_json(language),
        "alerts": [alert.to_json(language) for alert in alerts],
    }
