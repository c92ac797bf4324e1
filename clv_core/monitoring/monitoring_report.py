"""The result of monitoring a model, its files, and what users did with its alerts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.deployment import ArtifactKind, Bundle, artifact_folder
from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.locks import writing
from clv_core.monitoring.alerts import Alert, acknowledge
from clv_core.monitoring.drift.periods import Check
from clv_core.monitoring.health import UNKNOWN, HealthStatus, Recommendation, assess_health, recommend
from clv_core.monitoring.realized.performance import Realised, Tier, outside, so_far
from clv_core.strategy.audiences import inert_csv
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

FILE: Final = "report.json"
CHECKS_FILE: Final = "checks.parquet"
ABOUT: Final = (
    "model", "dataset", "version", "cutoff", "horizon_days", "currency", "as_of", "made", "kind", "reference",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Report:
    """The result of monitoring a model on a version of a dataset.

    Args:
        about: ``model, dataset, version, cutoff, horizon_days, currency, as_of`` (the log's end), ``made`` (ISO UTC),
            ``kind`` of period, ``reference`` (``source``: training or dataset; ``first_day``; ``chunks``).
        chunks: ISO ``[begin, end]`` of each new period.
        lights: health, one status a question.
        recommendation: what to do.
        alerts: what changed, acknowledged ones too.
        checks: all checks.
        past: each series of the reference: ``test, subject, value, begin`` (ISO dates) and ``figures``.
        realised: realized value, by instant.
        tiers: realized value by tier, and who moved.
        unknown: by question, why it cannot be answered; an open alert of the question goes before.
    """

    about: dict[str, Any]
    chunks: list[list[str]]
    lights: list[HealthStatus]
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

    def seen(self, acknowledgements: dict[str, dict[str, str]]) -> Report:
        """Return the report with these alerts acknowledged, and health and recommendation that follow.

        Args:
            acknowledgements: of :func:`acknowledged`.
        """
        alerts = acknowledge(self.alerts, acknowledgements)
        lights = assess_health(alerts, self.unknown, outside(self.realised), so_far(self.realised))
        return replace(self, alerts=alerts, lights=lights, recommendation=recommend(lights))

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return all but the single checks, JSON-ready, messages as text."""
        return {
            **self.about,
            "lights": {light.question: light.to_json(language) for light in self.lights},
            "recommendation": self.recommendation.to_json(language),
            "alerts": [alert.to_json(language) for alert in self.alerts],
            "chunks": self.chunks,
            "checks": len(self.checks),
            "realised": [asdict(one) for one in self.realised],
            "tiers": [asdict(one) for one in self.tiers],
        }

    def check_table(self) -> pd.DataFrame:
        """Return one row a check."""
        return _table(self.checks, Check).drop(columns="params")

    def save(self, folder: Path) -> None:
        """Write the report into a folder."""
        with atomic_path(folder / CHECKS_FILE) as temporary:  # a page may be reading the one before
            self.check_table().to_parquet(temporary, index=False)
        unknown = {question: why.coded() for question, why in self.unknown.items()}
        write_json(folder / FILE, {**self.to_json(), "past": self.past, "unknown": unknown})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the report in a folder, or None."""
        if not (folder / FILE).is_file():
            return None
        values = read_json(folder / FILE)
        table = pd.read_parquet(folder / CHECKS_FILE)
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        lights = [HealthStatus.from_json(question, light) for question, light in values["lights"].items()]
        unknown = {light.question: light.why for light in lights if light.colour == UNKNOWN}
        unknown |= {question: Message(**why) for question, why in values.get("unknown", {}).items()}
        return cls(
            {key: values[key] for key in ABOUT},
            values["chunks"],
            lights,
            Recommendation.from_json(values["recommendation"]),
            [Alert.from_json(alert) for alert in values["alerts"]],
            [Check(**{str(key): value for key, value in row.items()}) for row in rows],
            values["past"],
            [Realised(**one) for one in values["realised"]],
            [Tier(**one) for one in values["tiers"]],
            unknown,
        )


def _table(records: Sequence[Check] | Sequence[Realised], kind: type[Check] | type[Realised]) -> pd.DataFrame:
    """Return one row a record; the columns are there without any."""
    return pd.DataFrame([asdict(one) for one in records], columns=[item.name for item in dataclasses.fields(kind)])


def write_report(report: Report, out: Path, language: str) -> None:
    """Write ``report.json`` for programs, ``alerts.csv``, ``checks.csv`` and ``realised.csv`` for spreadsheets."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FILE, report.to_json(language))
    alerts = [alert.to_json(language) for alert in report.alerts]
    names = ["id", "light", "grave", "code", "begin", "end", "message"]
    (out / "alerts.csv").write_bytes(inert_csv(pd.DataFrame(alerts, columns=names)))
    (out / "checks.csv").write_bytes(inert_csv(report.check_table()))
    (out / "realised.csv").write_bytes(inert_csv(_table(report.realised, Realised)))


def report_folder(dataset: Dataset, bundle: Bundle) -> Path:
    """Return the folder of a model's report on a version of a dataset."""
    return artifact_folder(dataset, bundle) / ArtifactKind.MONITORING


def model_folder(workspace: Workspace, model_id: str) -> Path:
    """Return the folder of what outlives a version: acknowledged and sent alerts, a reference made later."""
    return workspace.place("alerts", model_id)


def acknowledged(workspace: Workspace, model_id: str) -> dict[str, dict[str, str]]:
    """Return who acknowledged which alerts of a model, ``{by, at}`` by alert id."""
    path = model_folder(workspace, model_id) / "acknowledged.json"
    values: dict[str, dict[str, str]] = read_json(path) if path.is_file() else {}
    return values


def acknowledge_alerts(workspace: Workspace, model_id: str, alerts: Sequence[str], by: str) -> None:
    """Record that a user has seen alerts, by id; they no longer count for health, and are not sent again."""
    path = model_folder(workspace, model_id) / "acknowledged.json"
    with writing(path):
        write_json(path, acknowledged(workspace, model_id) | {alert: {"by": by, "at": _now()} for alert in alerts})


def save_outcome(workspace: Workspace, model_ids: Sequence[str], outcome: dict[str, Any]) -> None:
    """Save the outcome of the last retraining for each model that it is about."""
    for model_id in model_ids:
        path = model_folder(workspace, model_id) / "retrained.json"
        with writing(path):
            write_json(path, {"at": _now(), **outcome})


def last_outcome(workspace: Workspace, model_id: str) -> dict[str, Any] | None:
    """Return the outcome of the last retraining as JSON, with ``at`` (ISO UTC); None where there was none."""
    path = model_folder(workspace, model_id) / "retrained.json"
    return read_json(path) if path.is_file() else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
