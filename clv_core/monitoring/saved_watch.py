"""The watch on a dataset's business on disk, and what people did with what it found.

The watch is made once for a version of a dataset and lies with what else was made from it. What was told of a finding,
and who has seen it, outlives versions: it is in ``watched.json`` beside them. A finding is the same the next night even
where its first day is read a little differently by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from math import isfinite, nan
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.deployment import ArtifactKind
from clv_core.errors import Message, Refused
from clv_core.i18n import DEFAULT_LANGUAGE, has, say_together, translate
from clv_core.jobs import Progress
from clv_core.locks import writing
from clv_core.monitoring.alerts import Acknowledgement
from clv_core.monitoring.business import Course, Finding, Watch, business_watch, watch_json
from clv_core.records import JsonObject, StoredRecord
from clv_core.strategy.audiences import inert_csv
from clv_core.workspace import read_json, write_json

WATCHED: Final = "watched.json"
RECENT: Final = timedelta(days=91)
"""What ended longer ago is history: it is listed as such, and told to nobody. A quarter; a guess."""
LASTING: Final = timedelta(days=365)
"""What lasts for longer is how things are, and history, too; a guess."""
SAME: Final = timedelta(days=21)
"""Findings of one kind and series whose first days are no further apart are one: so long a first day may still move."""
GOOD: Final = ("channel_new", "more")
"""Kinds of findings that are no trouble as such."""
MONEY: Final = ("size", "low", "high")
FIGURES: Final = ("actual", "expected", "low", "high")


@dataclass(frozen=True)
class StoredCourse(StoredRecord):
    """A figure by day as a file has it; a day without an expectation has null (:class:`Course`)."""

    name: str
    first: date
    actual: list[float | None]
    expected: list[float | None]
    low: list[float | None]
    high: list[float | None]


@dataclass(frozen=True)
class WatchRecord(StoredRecord):
    """What is stored of a watch (:class:`Watch`)."""

    FILE: ClassVar[str] = f"{ArtifactKind.WATCH}.json"

    as_of: date
    currency: str
    findings: list[Finding]
    unwatched: list[Message]
    courses: list[StoredCourse]

    @classmethod
    def of(cls, watch: Watch) -> Self:
        """Return what is stored of a watch."""
        courses = [
            StoredCourse(course.name, course.days[0].date(), *(_numbers(getattr(course, name)) for name in FIGURES))
            for course in watch.courses
            if len(course.days)
        ]
        return cls(watch.as_of, watch.currency, list(watch.findings), list(watch.unwatched), courses)

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary; unknown money is null."""
        values = super().to_json()
        for found in values["findings"]:
            found |= {name: found[name] if isfinite(found[name]) else None for name in MONEY}
        return values

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Return a file's object with unknown money as a finding has it."""
        known = [found | {name: nan for name in MONEY if found[name] is None} for found in raw["findings"]]
        return {**raw, "findings": known}

    def watch(self) -> Watch:
        """Return the watch."""
        courses = [
            Course(
                course.name,
                pd.date_range(course.first, periods=len(course.actual)),
                *(np.array(getattr(course, name), np.float64) for name in FIGURES),
            )
            for course in self.courses
        ]
        return Watch(self.as_of, self.currency, tuple(courses), tuple(self.findings), tuple(self.unwatched))


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [round(float(value), 3) if isfinite(value) else None for value in values]


@dataclass(frozen=True)
class FindingRecord(StoredRecord):
    """What became of a finding.

    Args:
        id: the same for the same finding, night after night.
        kind: of it.
        series: of it.
        first_day: as it was read first.
        told: addresses that it was sent to, as hashes.
        acknowledged: who has seen it.
    """

    id: str
    kind: str
    series: str
    first_day: date
    told: tuple[str, ...] = ()
    acknowledged: Acknowledgement = Acknowledgement()

    @classmethod
    def of(cls, found: Finding) -> Self:
        """Return the record of a finding of which nothing is known yet."""
        words = "\n".join((found.kind, found.series, found.first_day.isoformat()))
        return cls(hashlib.sha256(words.encode()).hexdigest()[:12], found.kind, found.series, found.first_day)

    def is_of(self, found: Finding) -> bool:
        """Return whether a finding is this one."""
        same = (self.kind, self.series) == (found.kind, found.series)
        return same and abs(self.first_day - found.first_day) <= SAME


@dataclass(frozen=True, eq=False)
class Watched:
    """A dataset's watch with what became of each finding.

    Args:
        watch: what was seen.
        records: one a finding, in their order.
    """

    watch: Watch
    records: tuple[FindingRecord, ...] = field(default=())

    @property
    def recent(self) -> list[tuple[Finding, FindingRecord]]:
        """Findings that last, or ended lately, and that nobody has seen; the worst first."""
        return [
            (found, record)
            for found, record in zip(self.watch.findings, self.records, strict=True)
            if record.acknowledged == Acknowledgement() and self.is_recent(found)
        ]

    def is_recent(self, found: Finding) -> bool:
        """Return whether a finding lasts, but not for longer than :data:`LASTING`, or ended lately."""
        if found.last_day is None:
            return self.watch.as_of - found.first_day <= LASTING
        return self.watch.as_of - found.last_day <= RECENT

    @property
    def state(self) -> str:
        """``found`` where there is a recent finding, ``as_expected``, or ``unwatched`` where the log is too short."""
        return "found" if self.recent else "as_expected" if self.watch.courses else "unwatched"

    def headline(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the worst of the recent findings; else that the business is as expected, or is not watched."""
        if self.recent:
            return finding_text(self.recent[0][0], language, money=False).rstrip(".。")
        return Message(f"watch.headline.{self.state}", {"day": self.watch.as_of.isoformat()}).display(language)

    def lines(self, language: str) -> list[str]:
        """Return a line on each recent finding; where there is none, the headline alone."""
        return [finding_text(found, language) for found, _ in self.recent] or [self.headline(language)]

    def to_json(self, language: str) -> JsonObject:
        """Return findings and what is not watched, for programs; figures by day are left to files."""
        values = watch_json(self.watch)
        findings = []
        for item, found, record in zip(values["findings"], self.watch.findings, self.records, strict=True):
            cost = found.money()
            said = {
                "message": finding_text(found, language, money=False),
                "money": None if cost is None else cost.text(language),
            }
            state = {"recent": self.is_recent(found), "acknowledged": record.acknowledged.to_json()}
            findings.append({"id": record.id, **item, **said, **state})
        about = {"as_of": values["as_of"], "currency": values["currency"], "state": self.state}
        unwatched = [
            message.to_json(language) | {"message": unwatched_text(message, language)}
            for message in self.watch.unwatched
        ]
        return {**about, "headline": self.headline(language), "findings": findings, "unwatched": unwatched}


def watch_path(dataset: Dataset) -> Path:
    """Return the file of a version's watch, whether it is there or not."""
    return dataset.with_all.made_folder / WatchRecord.FILE


def find_watch(dataset: Dataset) -> Watched | None:
    """Return the saved watch of a version; None where there is none, or another version of the program wrote it."""
    path = watch_path(dataset)
    if not path.is_file():
        return None
    try:
        return _with_records(dataset, WatchRecord.from_json(read_json(path)).watch())
    except Refused:
        return None


def watch_dataset(dataset: Dataset, progress: Progress) -> Watched:
    """Return the watch of a version: the saved one, or one that is made and saved. It is of the log with everybody."""
    found = find_watch(dataset)
    if found is not None:
        return found
    watch = business_watch(dataset.with_all, progress)
    path = watch_path(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, WatchRecord.of(watch).to_json())
    return _with_records(dataset, watch)


def _with_records(dataset: Dataset, watch: Watch) -> Watched:
    """Return a watch with the record of each finding; a record is of one finding only, the nearest."""
    findings = list(enumerate(watch.findings))
    pairs = [(place, record) for place, found in findings for record in _records(dataset) if record.is_of(found)]
    matched: dict[int, FindingRecord] = {}
    for place, record in sorted(pairs, key=lambda pair: abs(watch.findings[pair[0]].first_day - pair[1].first_day)):
        if place not in matched and record not in matched.values():
            matched[place] = record
    return Watched(watch, tuple(matched.get(place) or FindingRecord.of(found) for place, found in findings))


def _records(dataset: Dataset) -> list[FindingRecord]:
    path = _records_path(dataset)
    return [FindingRecord.from_json(values) for values in read_json(path)] if path.is_file() else []


def _records_path(dataset: Dataset) -> Path:
    return dataset.folder.parent / WATCHED


def acknowledge_findings(dataset: Dataset, records: Sequence[FindingRecord], by: str) -> None:
    """Record that a user has seen findings: they are no headline any more, and are not sent again."""
    seen = Acknowledgement(by, datetime.now(UTC).isoformat(timespec="seconds"))
    _change(dataset, records, lambda record: replace(record, acknowledged=seen))


def findings_told(dataset: Dataset, records: Sequence[FindingRecord], address: str) -> None:
    """Record that findings were sent to an address."""
    _change(dataset, records, lambda record: replace(record, told=(*record.told, address)))


def _change(
    dataset: Dataset, records: Sequence[FindingRecord], change: Callable[[FindingRecord], FindingRecord]
) -> None:
    path = _records_path(dataset)
    with writing(path):
        known = {record.id: record for record in _records(dataset)}
        known |= {record.id: change(known.get(record.id, record)) for record in records}
        write_json(path, [record.to_json() for record in known.values()])


def finding_text(found: Finding, language: str = DEFAULT_LANGUAGE, *, money: bool = True) -> str:
    """Return what happened and what it cost, in the same words wherever it is said; kinds of events by their names."""
    said, cost = found.message(), found.money() if money else None
    if "name" in said.params and found.series.startswith("events:"):
        said = Message(said.code, said.params | {"name": _event(said.params["name"], language)})
    return say_together([said.display(language), *([cost.display(language)] if cost else [])], language)


def unwatched_text(message: Message, language: str = DEFAULT_LANGUAGE) -> str:
    """Return what is not watched and why, figures and kinds of events by their names."""
    names = [
        series_name(name, language) if has(f"watch.series.{name}", language) else _event(name, language)
        for name in message.params.get("names", ())
    ]
    return Message(message.code, message.params | ({"names": names} if names else {})).display(language)


def series_name(name: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return what a figure by day is called."""
    kind, _, of = name.partition(":")
    return translate(f"watch.series.{kind}", language, name=_event(of, language) if kind == "events" else of)


def _event(name: str, language: str) -> str:
    return translate(f"event.{name}", language) if has(f"event.{name}", language) else name


def write_watch(watched: Watched, out: Path, language: str) -> None:
    """Write ``business.json`` for programs, and ``business.csv``, one row a figure and day, for spreadsheets."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "business.json", watched.to_json(language))
    (out / "business.csv").write_bytes(inert_csv(day_table(watched.watch)))


def day_table(watch: Watch) -> pd.DataFrame:
    """Return the figures by day, one row a series and day."""
    parts = [
        pd.DataFrame({"series": course.name, "day": course.days.strftime("%Y-%m-%d")}).assign(
            **{name: getattr(course, name) for name in FIGURES}
        )
        for course in watch.courses
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["series", "day", *FIGURES])
