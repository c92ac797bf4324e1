"""The result of monitoring a model, its files, and what users did with its alerts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar, Final, Self

import pandas as pd

from clv_core.deployment import ArtifactKind, Scored
from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.locks import writing
from clv_core.monitoring.alerts import Acknowledgement, Alert, acknowledge
from clv_core.monitoring.drift.periods import Check, PastSeries
from clv_core.monitoring.health import UNKNOWN, HealthStatus, Recommendation, assess_health, recommend, testable_since
from clv_core.monitoring.realized.realized_value import Realised, Tier, outside, so_far
from clv_core.monitoring.retraining import Outcome
from clv_core.records import JsonObject, StoredRecord
from clv_core.strategy.audiences import inert_csv
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

FILE: Final = "report.json"
CHECKS_FILE: Final = "checks.parquet"


@dataclass(frozen=True)
class ReferenceFacts(StoredRecord):
    """What new data is compared with.

    Args:
        source: ``training``, or ``dataset`` where the bundle has no reference of its own.
        first_day: ISO date.
        chunks: how many periods it has.
    """

    source: str
    first_day: str
    chunks: int


@dataclass(frozen=True)
class ReportFacts(StoredRecord):
    """What a report is about.

    Args:
        model: id of the bundle.
        dataset: its name.
        version: of the dataset.
        cutoff: of the model, ISO date.
        horizon_days: of the model.
        currency: of the log's amounts, may be empty.
        as_of: the log's end, ISO date.
        made: when, ISO UTC.
        kind: of period, ``week`` or ``month``.
        reference: what new data is compared with.
    """

    model: str
    dataset: str
    version: str
    cutoff: str
    horizon_days: int
    currency: str
    as_of: str
    made: str
    kind: str
    reference: ReferenceFacts


@dataclass(frozen=True, eq=False)
class Report(StoredRecord):
    """The result of monitoring a model on a version of a dataset.

    Args:
        about: which model, which dataset, and as of when.
        chunks: ISO ``[begin, end]`` of each new period.
        lights: health, one status a question.
        recommendation: what to do.
        alerts: what changed, acknowledged ones too.
        checks: all checks.
        past: each series of the reference.
        realised: realized value, by instant.
        tiers: realized value by tier, and who moved.
        unknown: by question, why it cannot be answered; an open alert of the question goes before.
    """

    FILE: ClassVar = FILE

    about: ReportFacts
    chunks: list[list[str]]
    lights: list[HealthStatus]
    recommendation: Recommendation
    alerts: list[Alert]
    checks: list[Check]
    past: list[PastSeries]
    realised: list[Realised]
    tiers: list[Tier]
    unknown: dict[str, Message] = field(default_factory=dict)

    @property
    def open(self) -> list[Alert]:
        """Alerts that nobody has acknowledged."""
        return [alert for alert in self.alerts if alert.is_open]

    def seen(self, acknowledgements: Mapping[str, Acknowledgement]) -> Report:
        """Return the report with these alerts acknowledged, and health and recommendation that follow.

        Args:
            acknowledgements: of :func:`acknowledged`.
        """
        alerts = acknowledge(self.alerts, acknowledgements)
        lights, recommendation = judge(self.about, alerts, self.unknown, self.realised, self.tiers)
        return replace(self, alerts=alerts, lights=lights, recommendation=recommendation)

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> JsonObject:
        """Return all but the single checks, JSON-ready, messages as text."""
        return {
            **self.about.to_json(),
            "lights": {light.question: light.to_json(language) for light in self.lights},
            "recommendation": self.recommendation.to_json(language),
            "alerts": [alert.to_json(language) for alert in self.alerts],
            "chunks": self.chunks,
            "checks": len(self.checks),
            "realised": [record.to_json() for record in self.realised],
            "tiers": [record.to_json() for record in self.tiers],
        }

    def check_table(self) -> pd.DataFrame:
        """Return one row a check."""
        return _table(self.checks, Check).drop(columns="params")

    def save(self, folder: Path) -> None:
        """Write the report into a folder."""
        with atomic_path(folder / CHECKS_FILE) as temporary:  # a page may be reading the one before
            self.check_table().to_parquet(temporary, index=False)
        unknown = {question: why.coded() for question, why in self.unknown.items()}
        past = [series.to_json() for series in self.past]
        write_json(folder / FILE, {**self.to_json(), "past": past, "unknown": unknown})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the report in a folder, or None."""
        if not (folder / FILE).is_file():
            return None
        table = pd.read_parquet(folder / CHECKS_FILE)
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        return cls.from_json({**read_json(folder / FILE), "checks": rows})

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Nest the facts and messages that the file has flat; its sentences are dropped."""
        facts = [item.name for item in dataclasses.fields(ReportFacts)]
        lights = [{"question": question, **_with_why(light)} for question, light in raw["lights"].items()]
        unknown = {light["question"]: light["why"] for light in lights if light["light"] == UNKNOWN}
        return {
            **{name: value for name, value in raw.items() if name not in facts},
            "about": {name: raw[name] for name in facts},
            "lights": [{"colour": light.pop("light"), **light} for light in lights],
            "recommendation": _with_why(raw["recommendation"]),
            "alerts": [{key: value for key, value in alert.items() if key != "message"} for alert in raw["alerts"]],
            "unknown": unknown | raw.get("unknown", {}),
        }


def judge(
    about: ReportFacts,
    alerts: Sequence[Alert],
    unknown: Mapping[str, Message],
    realised: Sequence[Realised],
    tiers: Sequence[Tier],
) -> tuple[list[HealthStatus], Recommendation]:
    """Return health and recommendation that follow from what was found; arguments as in :class:`Report`."""
    lights = assess_health(alerts, unknown, outside(realised, tiers, about.currency), so_far(realised))
    since = testable_since(alerts, about.horizon_days)
    return lights, recommend(lights, since if since and since > date.fromisoformat(about.as_of) else None)


def _with_why(record: JsonObject) -> JsonObject:
    """Return a record with code and parameters of its message under ``why``, and without the sentence."""
    rest = {key: value for key, value in record.items() if key not in ("code", "params", "message")}
    return {**rest, "why": {"code": record["code"], "params": record["params"]}}


def _table(records: Sequence[Check] | Sequence[Realised], kind: type[Check] | type[Realised]) -> pd.DataFrame:
    """Return one row a record; the columns are there without any."""
    return pd.DataFrame(
        [asdict(record) for record in records], columns=[item.name for item in dataclasses.fields(kind)]
    )


def write_report(report: Report, out: Path, language: str) -> None:
    """Write ``report.json`` for programs, ``alerts.csv``, ``checks.csv`` and ``realised.csv`` for spreadsheets."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FILE, report.to_json(language))
    alerts = [alert.to_json(language) for alert in report.alerts]
    names = ["id", "light", "grave", "code", "begin", "end", "message"]
    (out / "alerts.csv").write_bytes(inert_csv(pd.DataFrame(alerts, columns=names)))
    (out / "checks.csv").write_bytes(inert_csv(report.check_table()))
    (out / "realised.csv").write_bytes(inert_csv(_table(report.realised, Realised)))


def report_folder(scored: Scored) -> Path:
    """Return the folder of a model's report on a version of a dataset."""
    return scored.folder / ArtifactKind.MONITORING


def model_folder(workspace: Workspace, model_id: str) -> Path:
    """Return the folder of what outlives a version: acknowledged and sent alerts, a reference made later."""
    return workspace.place("alerts", model_id)


def acknowledged(workspace: Workspace, model_id: str) -> dict[str, Acknowledgement]:
    """Return who acknowledged which alerts of a model, by alert id."""
    path = model_folder(workspace, model_id) / "acknowledged.json"
    values = read_json(path) if path.is_file() else {}
    return {alert: Acknowledgement.from_json(record) for alert, record in values.items()}


def acknowledge_alerts(workspace: Workspace, model_id: str, alerts: Sequence[str], by: str) -> None:
    """Record that a user has seen alerts, by id; they no longer count for health, and are not sent again."""
    path = model_folder(workspace, model_id) / "acknowledged.json"
    with writing(path):
        acknowledgements = acknowledged(workspace, model_id) | dict.fromkeys(alerts, Acknowledgement(by, _now()))
        write_json(path, {alert: record.to_json() for alert, record in acknowledgements.items()})


def save_outcome(
    workspace: Workspace, model_ids: Sequence[str], outcome: Outcome, language: str = DEFAULT_LANGUAGE
) -> None:
    """Save the outcome of the last retraining for each model that it is about."""
    for model_id in model_ids:
        path = model_folder(workspace, model_id) / "retrained.json"
        with writing(path):
            write_json(path, {"at": _now(), **outcome.to_json(language)})


def last_outcome(workspace: Workspace, model_id: str) -> Outcome | None:
    """Return the outcome of the last retraining; None where there was none."""
    path = model_folder(workspace, model_id) / "retrained.json"
    return Outcome.from_json(read_json(path)) if path.is_file() else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
