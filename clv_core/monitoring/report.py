"""What monitoring found, as one thing that pages, files and messages are made from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from clv_core.collection.stored.dataset import Dataset
from clv_core.deployment.artifacts import MONITORING, artifact_folder
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.locks import writing
from clv_core.monitoring.alerts import Alert, acknowledge
from clv_core.monitoring.drift.check import Check
from clv_core.monitoring.lights import UNKNOWN, Light, Recommendation, lights_of, recommend
from clv_core.monitoring.plain import Plain
from clv_core.monitoring.truth.realised import Realised, outside, so_far
from clv_core.monitoring.truth.tiers import Tier
from clv_core.strategy.audiences.spreadsheet_safety import inert_csv
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

FILE: Final = "report.json"
CHECKS_FILE: Final = "checks.parquet"
ABOUT: Final = (
    "model", "dataset", "version", "cutoff", "horizon_days", "currency", "as_of", "made", "kind", "reference",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Report:
    """What monitoring found.

    Args:
        about: ``model, dataset, version, cutoff, horizon_days, currency, as_of`` (the log's end), ``made`` (ISO UTC),
            ``kind`` of chunk, ``reference`` (``source``: training or dataset; ``first_day``; ``chunks``).
        chunks: ISO ``[begin, end]`` of each new chunk.
        lights: one a question.
        recommendation: what to do.
        alerts: what changed, acknowledged ones too.
        checks: all that was looked at.
        past: each series of the reference: ``test, subject, value, begin`` (ISO dates) and ``figures``.
        realised: what came true, by instant.
        tiers: what came true by tier, and who moved.
        unknown: why nothing can be said, by question; an alert of the question covers it until it is acknowledged.
    """

    about: dict[str, Any]
    chunks: list[list[str]]
    lights: list[Light]
    recommendation: Recommendation
    alerts: list[Alert]
    checks: list[Check]
    past: list[dict[str, Any]]
    realised: list[Realised]
    tiers: list[Tier]
    unknown: dict[str, Message]

    @property
    def open(self) -> list[Alert]:
        """Alerts that nobody has acknowledged."""
        return [alert for alert in self.alerts if not alert.acknowledged]

    def seen(self, known: dict[str, dict[str, str]]) -> Report:
        """Return the report with its alerts acknowledged as known, and lights and recommendation that follow."""
        alerts = acknowledge(self.alerts, known)
        lights = lights_of(alerts, self.unknown, outside(self.realised), so_far(self.realised))
        return replace(self, alerts=alerts, lights=lights, recommendation=recommend(lights))

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return lights, recommendation, alerts and what came true, JSON-ready; single checks are a table beside it."""
        return {
            **self.about,
            "lights": {light.question: light.to_json(language) for light in self.lights},
            "recommendation": self.recommendation.to_json(language),
            "alerts": [alert.to_json(language) for alert in self.alerts],
            "chunks": self.chunks,
            "checks": len(self.checks),
            "realised": [one.to_json() for one in self.realised],
            "tiers": [one.to_json() for one in self.tiers],
        }

    def check_table(self) -> pd.DataFrame:
        """Return one row a check."""
        return _table(self.checks, Check).drop(columns="params")

    def save(self, folder: Path) -> None:
        """Keep the report in a folder."""
        with atomic_path(folder / CHECKS_FILE) as temporary:  # a page may be reading the one before
            self.check_table().to_parquet(temporary, index=False)
        unknown = {question: why.coded() for question, why in self.unknown.items()}
        write_json(folder / FILE, {**self.to_json(), "past": self.past, "unknown": unknown})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the report kept in a folder, or None."""
        if not (folder / FILE).is_file():
            return None
        values = read_json(folder / FILE)
        table = pd.read_parquet(folder / CHECKS_FILE)
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        lights = [Light.from_json(question, light) for question, light in values["lights"].items()]
        unknown = {light.question: light.why for light in lights if light.colour == UNKNOWN}
        unknown |= {question: Message(**why) for question, why in values.get("unknown", {}).items()}
        return cls(
            {key: values[key] for key in ABOUT},
            values["chunks"],
            lights,
            Recommendation.from_json(values["recommendation"]),
            [Alert.from_json(alert) for alert in values["alerts"]],
            [Check.from_json({str(key): value for key, value in row.items()}) for row in rows],
            values["past"],
            [Realised.from_json(one) for one in values["realised"]],
            [Tier.from_json(one) for one in values["tiers"]],
            unknown,
        )


def _table(records: Sequence[Plain], kind: type[Plain]) -> pd.DataFrame:
    """Return one row a record; the columns are there without any."""
    return pd.DataFrame([one.to_json() for one in records], columns=[item.name for item in dataclasses.fields(kind)])


def report_folder(dataset: Dataset, bundle: Bundle) -> Path:
    """Return where the report of a model on a version of a dataset is kept."""
    return artifact_folder(dataset, bundle) / MONITORING


def kept_folder(workspace: Workspace, model_id: str) -> Path:
    """Return where what outlives a version is kept: who acknowledged what, who was told, a reference made later."""
    return workspace.place("alerts", model_id)


def acknowledged(workspace: Workspace, model_id: str) -> dict[str, dict[str, str]]:
    """Return who acknowledged which alerts of a model, ``{by, at}`` by alert id."""
    path = kept_folder(workspace, model_id) / "acknowledged.json"
    known: dict[str, dict[str, str]] = read_json(path) if path.is_file() else {}
    return known


def acknowledge_alerts(workspace: Workspace, model_id: str, alerts: Sequence[str], by: str) -> None:
    """Note that somebody has seen alerts; they no longer turn a light, and nobody is told of them again."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    path = kept_folder(workspace, model_id) / "acknowledged.json"
    with writing(path):
        known = acknowledged(workspace, model_id) | {alert: {"by": by, "at": now} for alert in alerts}
        write_json(path, known)


def keep_outcome(workspace: Workspace, model_ids: Sequence[str], outcome: dict[str, Any]) -> None:
    """Keep what came of the last retraining beside the models that it is about, for whoever looks at them."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for model_id in model_ids:
        path = kept_folder(workspace, model_id) / "retrained.json"
        with writing(path):
            write_json(path, {"at": at, **outcome})


def last_outcome(workspace: Workspace, model_id: str) -> dict[str, Any] | None:
    """Return what came of the last retraining, an outcome as JSON and ``at``; None where there was none."""
    path = kept_folder(workspace, model_id) / "retrained.json"
    return read_json(path) if path.is_file() else None


def write_report(report: Report, out: Path, language: str) -> None:
    """Write ``report.json`` for programs, ``alerts.csv``, ``checks.csv`` and ``realised.csv`` for spreadsheets."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FILE, report.to_json(language))
    alerts = [alert.to_json(language) for alert in report.alerts]
    names = ["id", "light", "grave", "code", "begin", "end", "message"]
    (out / "alerts.csv").write_bytes(inert_csv(pd.DataFrame(alerts, columns=names)))
    (out / "checks.csv").write_bytes(inert_csv(report.check_table()))
    (out / "realised.csv").write_bytes(inert_csv(_table(report.realised, Realised)))
