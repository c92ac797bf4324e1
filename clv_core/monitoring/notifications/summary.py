"""The Monday mail: realised against predicted, who moved between tiers, open alerts, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from clv_core.i18n import say_day, say_money, say_share, translate
from clv_core.monitoring.health import GREEN, RED
from clv_core.monitoring.monitoring_report import Report

COLOURS: Final = {GREEN: "#2e7d32", RED: "#b3261e"}
OTHER: Final = "#8a6d00"
MAX_ALERTS: Final = 10


def summary_mail(report: Report, language: str, sources: Sequence[str] = ()) -> tuple[str, str, str]:
    """Return the subject of the mail, its text, and the same as HTML without anything that is loaded from elsewhere.

    Args:
        report: of monitoring the model.
        language: of the mail.
        sources: lines on how the dataset compares with its sources.
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
    parts.append((translate("summary.sources", language), list(sources)))
    lights = [(light.why.display(language), COLOURS.get(light.colour, OTHER)) for light in report.lights]
    text = [advice, *(f"- {said}" for said, _ in lights)]
    html = [f"<h1 style='font-size:20px;margin:0 0 4px'>{escape(subject)}</h1>"]
    html.append(f"<p style='font-size:16px'>{escape(advice)}</p>")
    html += [
        f"<p style='margin:4px 0'><span style='color:{colour}'>●</span> {escape(said)}</p>" for said, colour in lights
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
