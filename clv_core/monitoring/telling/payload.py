"""What is said of new alerts, in words and as JSON; and which of them somebody has been told of already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clv_core.i18n import translate
from clv_core.locks import writing
from clv_core.monitoring.alerts import Alert
from clv_core.monitoring.report import Report, kept_folder
from clv_core.workspace import Workspace, read_json, write_json


def not_told(workspace: Workspace, report: Report, to: str) -> list[Alert]:
    """Return the open alerts that ``to`` (a channel and an address) has not been told of."""
    told = _told(workspace, report).get(to, [])
    return [alert for alert in report.open if alert.id not in told]


def note_told(workspace: Workspace, report: Report, to: str, alerts: Sequence[Alert]) -> None:
    """Note that ``to`` was told of alerts, so that a daily run does not say the same every day."""
    path = _path(workspace, report)
    with writing(path):
        known = _told(workspace, report)
        known[to] = sorted({*known.get(to, []), *(alert.id for alert in alerts)})
        write_json(path, known)


def words(report: Report, alerts: Sequence[Alert], language: str) -> tuple[str, str]:
    """Return a subject and a text that name each alert and say what to do."""
    about = {key: str(report.about[key]) for key in ("dataset", "model", "as_of")}
    subject = translate("mail.subject", language, n=len(alerts), dataset=about["dataset"])
    lines = [f"- {alert.text(language)}" for alert in alerts]
    advice = report.recommendation.why.text(language)
    return subject, "\n".join([translate("mail.about", language, **about), "", *lines, "", advice])


def payload(report: Report, alerts: Sequence[Alert], language: str) -> dict[str, Any]:
    """Return what is posted: ``text`` for chat programs, the rest for programs."""
    subject, text = words(report, alerts, language)
    return {
        "text": f"{subject}\n{text}",
        **report.about,
        "lights": {light.question: light.to_json(language) for light in report.lights},
        "recommendation": report.recommendation.to_json(language),
        "alerts": [alert.to_json(language) for alert in alerts],
    }


def _told(workspace: Workspace, report: Report) -> dict[str, list[str]]:
    path = _path(workspace, report)
    known: dict[str, list[str]] = read_json(path) if path.is_file() else {}
    return known


def _path(workspace: Workspace, report: Report) -> Path:
    return kept_folder(workspace, str(report.about["model"])) / "told.json"
