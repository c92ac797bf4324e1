"""Notifications about a model: its new alerts, each once to each address, and the Monday mail.

The Monday mail (:func:`summary_mail`) has realised against predicted, who moved between tiers, open alerts, and what to
do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from clv_core.collection.store import Dataset
from clv_core.errors import ClvError
from clv_core.i18n import say_day, say_money, say_share, translate
from clv_core.locks import writing
from clv_core.monitoring.alerts import Alert
from clv_core.monitoring.health import GREEN, RED
from clv_core.monitoring.monitoring_report import Report, model_folder
from clv_core.monitoring.notifications.sending import EMAIL, WEBHOOK, Smtp, chat_payload, checked_url, post, send
from clv_core.monitoring.saved_watch import Watched, finding_text, findings_told
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, read_json, write_json

COLOURS: Final = {GREEN: "#2e7d32", RED: "#b3261e"}
OTHER: Final = "#8a6d00"
MAX_ALERTS: Final = 10
"""Of the weekly mail; the rest is counted."""


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
    sent: dict[str, int] = {}

    def tell(channel: str, address: str) -> None:
        before: dict[str, list[str]] = read_json(path) if path.is_file() else {}
        alerts = [alert for alert in report.open if alert.id not in before.get(address, [])]
        if alerts and channel == WEBHOOK:
            post(checked_url(webhook or ""), payload(report, alerts, language))
        elif alerts and smtp is not None:
            send(smtp, *message(report, alerts, language))
        with writing(path):
            before = read_json(path) if path.is_file() else {}
            before[address] = sorted({*before.get(address, []), *(alert.id for alert in alerts)})
            write_json(path, before)
        sent[channel] = len(alerts)

    _tell_each(webhook, smtp, tell)
    return sent


def notify_findings(
    dataset: Dataset, watched: Watched, *, webhook: str | None = None, smtp: Smtp | None = None, language: str
) -> dict[str, int]:
    """Send the recent findings of the watch on the business that were not sent before, each once to each address.

    Returns:
        How many were sent to each of ``webhook`` and ``email``.

    Raises:
        UsageError: the address is not valid.
        ClvError: one of the two failed; the other was sent.
    """
    sent: dict[str, int] = {}

    def tell(channel: str, address: str) -> None:
        new = [(found, record) for found, record in watched.recent if address not in record.told]
        if new:
            subject = translate("mail.business", language, n=len(new), dataset=dataset.name)
            lines = [finding_text(found, language) for found, _ in new]
            if channel == WEBHOOK:
                facts = {"dataset": dataset.name, "business": watched.to_json(language)}
                post(checked_url(webhook or ""), chat_payload(webhook or "", subject, lines, facts))
            elif smtp is not None:
                send(smtp, subject, "\n".join(f"- {line}" for line in lines))
            findings_told(dataset, [record for _, record in new], address)
        sent[channel] = len(new)

    _tell_each(webhook, smtp, tell)
    return sent


def _tell_each(webhook: str | None, smtp: Smtp | None, tell: Callable[[str, str], None]) -> None:
    """Tell by each channel that has an address; where one fails, the other is used before its error is raised."""
    failed: ClvError | None = None
    for channel, to in ((WEBHOOK, webhook), (EMAIL, None if smtp is None else ",".join(smtp.to))):
        if to is None:
            continue
        try:  # an address may hold a secret
            tell(channel, f"{channel}:{hashlib.sha256(to.encode()).hexdigest()[:16]}")
        except ClvError as error:
            failed = failed or error
    if failed is not None:
        raise failed


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


def summary_mail(
    report: Report,
    language: str,
    sources: Sequence[str] = (),
    nights: Sequence[str] = (),
    campaigns: Sequence[str] = (),
    business: Sequence[str] = (),
) -> tuple[str, str, str]:
    """Return the subject of the mail, its text, and the same as HTML without anything that is loaded from elsewhere.

    Args:
        report: of monitoring the model.
        language: of the mail.
        sources: lines on how the dataset compares with its sources.
        nights: lines on what ran, how long it took and what came of it.
        campaigns: lines on what campaigns brought.
        business: lines on what the watch on the business found; they come first.
    """
    about = report.about
    facts = {"dataset": about.dataset, "as_of": say_day(about.as_of, language)}
    subject = translate("summary.subject", language, **facts)
    advice = report.recommendation.why.display(language)
    parts = [(translate("summary.realised", language), _realised(report, language))]
    parts.append((translate("summary.tiers", language), _tiers(report, language)))
    alerts = [alert.text(language) for alert in report.open[:MAX_ALERTS]]
    more = len(report.open) - len(alerts)
    alerts += [translate("summary.more", language, n=more)] if more > 0 else []
    parts.append((translate("summary.alerts", language), alerts or [translate("summary.no_alerts", language)]))
    parts.append((translate("summary.campaigns", language), list(campaigns)))
    parts.append((translate("summary.nights", language), list(nights)))
    parts.append((translate("summary.sources", language), list(sources)))
    lights = [(light.named(language).display(language), COLOURS.get(light.colour, OTHER)) for light in report.lights]
    text = [*business, *([""] if business else []), advice, *(f"- {sentence}" for sentence, _ in lights)]
    html = [f"<h1 style='font-size:20px;margin:0 0 4px'>{escape(subject)}</h1>"]
    html += [f"<p style='font-size:16px'>{escape(line)}</p>" for line in (*business, advice)]
    html += [
        f"<p style='margin:4px 0'><span style='color:{colour}'>●</span> {escape(sentence)}</p>"
        for sentence, colour in lights
    ]
    for heading, lines in parts:
        if lines:
            text += ["", heading, *(f"- {line}" for line in lines)]
            items = "".join(f"<li>{escape(line)}</li>" for line in lines)
            html.append(f"<h2 style='font-size:16px;margin:20px 0 4px'>{escape(heading)}</h2><ul>{items}</ul>")
    footer = translate("summary.model", language, model=about.model)
    text += ["", footer]
    html.append(f"<p style='color:#666;font-size:12px;margin-top:24px'>{escape(footer)}</p>")
    body = "max-width:640px;margin:0 auto;padding:24px;font:14px/1.5 system-ui,sans-serif;color:#1c1b1f;background:#fff"
    head = f"<!doctype html><html lang='{language}'><meta charset='utf-8'>"
    return subject, "\n".join(text), f"{head}<body style='{body}'>{''.join(html)}</body></html>"


def _realised(report: Report, language: str) -> list[str]:
    """Return one line on revenue so far against what was expected of it."""
    if not report.realised:
        return []
    last, currency = report.realised[-1], report.about.currency
    amounts = {name: say_money(getattr(last, name), currency, language) for name in ("realised", "expected")}
    lines = [translate("summary.realised.line", language, days=last.days, **amounts)]
    if last.low is not None and last.high is not None:
        span = {name: say_money(getattr(last, name), currency, language) for name in ("low", "high")}
        lines.append(translate("summary.realised.span", language, **span))
    return lines


def _tiers(report: Report, language: str) -> list[str]:
    """Return a line a tier: how many of its customers are still there, and what they have spent."""
    lines = []
    for tier in report.tiers:
        total = sum(tier.now)
        amounts = {
            name: say_money(getattr(tier, name), report.about.currency, language) for name in ("realised", "expected")
        }
        share = say_share(tier.now[tier.tier - 1] / total) if total else "–"
        lines.append(
            translate("summary.tier", language, tier=tier.tier, share=share, newcomers=tier.newcomers, **amounts)
        )
    return lines
