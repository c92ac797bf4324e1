"""Exports: customer lists that a spreadsheet, an ad platform or a mail platform accepts.

Every export is one or more files, a side file ``<file>.json`` with what the numbers mean, and a line of the export log.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

import pandas as pd

from clv_core import audit
from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset, open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Terms
from clv_core.errors import ClvError, Message, NotEnoughData, UsageError
from clv_core.records import JsonObject, StoredRecord
from clv_core.strategy.audiences.audience_filter import OF_CONTROL, filter_audience
from clv_core.strategy.audiences.campaign_list import UNMEASURED, CampaignList, Enrolment, enrolled
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.list_files import check_ending, remove_earlier_parts, write_any, write_csv_parts
from clv_core.workspace import Workspace, append_record, write_json

LOG: Final = "log.jsonl"
"""The export log, in the folder of exports."""
ID_CONDITION: Final = re.compile(rf"({CUSTOMER_ID}\s*(?:!=|[<>]=?|=|~)).*")
"""A condition on ids and what follows it: no log line holds that."""
PREVIEW_ROWS: Final = 5
"""Rows that a preview shows."""


@dataclass(frozen=True)
class Assumption(StoredRecord):
    """What values assume beyond what was measured.

    Args:
        code: of the message, without its first part.
        params: of it.
        message: the sentence, in the language of who made the export.
    """

    code: str
    params: JsonObject
    message: str

    @classmethod
    def of(cls, note: Message, language: str) -> Assumption:
        """Return a message as an assumption."""
        return cls(**note.to_json(language))


@dataclass(frozen=True)
class Side(StoredRecord):
    """What the numbers of an export mean.

    Args:
        dataset: name of the dataset.
        dataset_version: its content hash.
        model: id of the bundle.
        cutoff: as of when, ISO date.
        horizon_days: predicted span.
        currency: of the amounts, may be empty.
        segment: conditions that customers fulfil (:mod:`clv_core.strategy.segments.segment_rules`); "" for all.
        scheme: how tiers were cut, "" where there are none.
        lifetime: whether ``horizon_days`` are the years of a lifetime.
        discount_rate: yearly, 0 is none.
        margin_rate: share of net value that the values are, 1 is all.
        assumptions: what the values assume beyond what was measured.
        settings: what a person chose beyond that, as JSON types: budget and offers of a plan, the rule of prices.
        objected: customers of the log who objected to profiling: they have no score and are in no list.
    """

    OMITTED: ClassVar = frozenset({"objected"})

    dataset: str
    dataset_version: str
    model: str
    cutoff: str
    horizon_days: int
    currency: str
    segment: str = ""
    scheme: str = ""
    lifetime: bool = False
    discount_rate: float = 0.0
    margin_rate: float = 1.0
    assumptions: tuple[Assumption, ...] = ()
    settings: JsonObject = field(default_factory=dict)
    objected: int | None = None

    @property
    def about(self) -> JsonObject:
        """Facts of a workbook's second sheet by id, as JSON types; the assumptions in words."""
        sentences = [assumption.message for assumption in self.assumptions]
        words = "".join(text if text.endswith("。") else f"{text} " for text in sentences).strip()
        facts = self.to_json()
        del facts["settings"]
        return {**facts, "assumptions": words, **self.settings}

    @property
    def logged_segment(self) -> str:
        """The conditions as the export log has them, which names no customer."""
        return ID_CONDITION.sub(r"\1…", self.segment)

    @property
    def mark(self) -> str:
        """Ten hexadecimal digits that differ where anything here does."""
        content = json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:10]

    def unmeasured(self, language: str) -> Side:
        """Return it for a list that somebody declined to measure, once."""
        said = Assumption.of(UNMEASURED, language)
        return self if said in self.assumptions else dataclasses.replace(self, assumptions=(*self.assumptions, said))

    def of_campaign(self, campaign: CampaignList) -> Side:
        """Return it for the list of a campaign, once."""
        said = Assumption.of(campaign.note, campaign.language)
        if said in self.assumptions:
            return self
        settings = {**self.settings, **campaign.settings}
        return dataclasses.replace(self, assumptions=(*self.assumptions, said), settings=settings)

    def at(self, terms: Terms, notes: Iterable[Message], language: str) -> Side:
        """Return it for values at other terms, with what they assume in a language."""
        return dataclasses.replace(
            self,
            horizon_days=terms.horizon_days,
            lifetime=terms.lifetime,
            discount_rate=terms.discount_rate,
            margin_rate=terms.margin_rate,
            assumptions=tuple(Assumption.of(note, language) for note in notes),
        )


@dataclass(frozen=True, kw_only=True)
class ExportRecord(Side):
    """The content of an export's side file, and its line of the export log, which alone has ``who`` and ``folder``.

    Args:
        who: made it, as the audit log names people.
        format: id of ``EXPORTS``, or what else it is; its name for people is the catalogue key ``export.<format>``.
        files: their names; none for a download that was not stored.
        rows: of the list, over all files.
        customers: different customers in it; None where its rows are not about customers.
        asked: customers of the segment, in the list or left out.
        left_out: as of :class:`Exported`.
        reach: the same.
        made: when, ISO UTC.
        folder: of the files.
    """

    FILE: ClassVar = LOG
    FORMAT_KEY: ClassVar = "file_format"
    OMITTED: ClassVar = Side.OMITTED | {"who", "folder"}

    who: str = ""
    format: str
    files: list[str]
    rows: int
    customers: int | None
    asked: int
    left_out: dict[str, int]
    reach: dict[str, int] = field(default_factory=dict)
    made: str
    folder: str = ""

    def to_json(self) -> JsonObject:
        """Return it as JSON, who made it first."""
        return {**({"who": self.who} if self.who else {}), **super().to_json()}

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Fill in what the first lines of the export log did not have."""
        rows = raw.get("rows")
        filled = {"segment": "", "scheme": "", "customers": rows, "asked": rows, "left_out": {}, **raw}
        return filled | {"settings": raw.get("settings") or {}}

    @property
    def paths(self) -> list[Path]:
        """The files where they were written."""
        return [Path(self.folder) / file for file in self.files]


@dataclass(frozen=True)
class Exported:
    """An export that was written.

    Args:
        files: the list, in one or more files.
        side_file: JSON next to the first.
        rows: of the list, over all files.
        customers: different customers in it; None where its rows are not about customers.
        left_out: customers of the segment but not in it, by reason: suppressed, no_consent, shared_contact, no_contact,
            same_contact (:data:`clv_core.strategy.audiences.audience_filter.RULES`).
        reach: customers in it by contact field.
        unknown_consent: as of :class:`~clv_core.strategy.audiences.audience_filter.Audience`; in no side file or log.
        unread: the same.
        notes: warnings of both.
    """

    files: tuple[Path, ...]
    side_file: Path
    rows: int
    customers: int | None
    left_out: dict[str, int] = field(default_factory=dict)
    reach: dict[str, int] = field(default_factory=dict)
    unknown_consent: dict[str, int] = field(default_factory=dict)
    unread: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()

    @property
    def asked(self) -> int:
        """Customers of the segment, in the list or left out."""
        return (self.rows if self.customers is None else self.customers) + sum(self.left_out.values())

    @property
    def contacted(self) -> int:
        """Customers of the segment who could be in the list, with the control group of its campaign."""
        return self.rows + sum(self.left_out.get(reason, 0) for reason in OF_CONTROL)


@dataclass(frozen=True, eq=False)
class Preview:
    """What an export would write.

    Args:
        format: id of ``EXPORTS``.
        asked: customers of the segment.
        rows: those of them who would be in the list.
        left_out: the others by reason, as in :class:`Exported`.
        reach: customers in it by contact field.
        first: its first rows as the platform would read them; None for generic formats.
        unknown_countries: customers in it whose country is not recognised, by its text; their phone numbers
            without a country code are read by the region.
        notes: warnings of :class:`~clv_core.strategy.audiences.audience_filter.Audience`.
    """

    format: str
    asked: int
    rows: int
    left_out: dict[str, int]
    reach: dict[str, int]
    first: pd.DataFrame | None
    unknown_countries: dict[str, int]
    notes: tuple[Message, ...]

    @property
    def share_with_consent(self) -> float:
        """Share of the segment's customers who could be in the list, 0 to 1; 0 for an empty segment."""
        return self.contacted / self.asked if self.asked else 0.0

    @property
    def contacted(self) -> int:
        """Customers of the segment who could be in the list, with the control group of its campaign."""
        return self.rows + sum(self.left_out.get(reason, 0) for reason in OF_CONTROL)

    @property
    def too_small(self) -> Message | None:
        """Why the platform would refuse the list; None where it would not."""
        fewest = EXPORTS[self.format].fewest
        params = {"format": self.format, "rows": self.rows, "fewest": fewest}
        return Message("error.export_too_few", params) if self.rows < fewest else None


def preview(
    frame: pd.DataFrame,
    format: str,
    contacts: Contacts | None = None,
    *,
    stop: SuppressionList | None = None,
    campaign: CampaignList | None = None,
) -> Preview:
    """Return what :func:`export` would write; arguments and errors are those of ``filter_audience``."""
    if campaign is None:
        audience = filter_audience(frame, format, contacts, stop)
    else:
        audience = enrolled(campaign, frame, format, contacts, stop, fewest=None).audience
    columns = EXPORTS[format].columns
    first = None if columns is None else columns(audience.customers.head(PREVIEW_ROWS)).reset_index(drop=True)
    counts = (len(frame), len(audience.customers), audience.left_out, audience.reach)
    return Preview(format, *counts, first, audience.unknown_countries, audience.notes)


def export(
    frame: pd.DataFrame,
    format: str,
    path: Path,
    *,
    side: Side,
    contacts: Contacts | None = None,
    stop: SuppressionList | None = None,
    language: str = "",
    campaign: CampaignList | None = None,
) -> Exported:
    """Write a customer list and its side file.

    Args:
        frame: scored customers, any further columns; for generic formats all are written, text made inert.
        format: id of ``EXPORTS``.
        path: the file to write; several get ``-1``, ``-2`` before the ending.
        side: what the numbers mean.
        contacts: needed by platform formats; generic formats use only whom it suppresses, and the addresses of those.
        stop: the suppression list of the workspace; who is on it is in no list.
        language: of the headers of a spreadsheet, "" for ids; platforms read their own.
        campaign: whose list it is, and whose control group is left out; the side file says so.

    Raises:
        UsageError: unknown format, a platform format without contacts, or a region that is no country.
        NotEnoughData: nobody is left, or fewer than the platform takes.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or an id in two rows.
    """
    if format not in EXPORTS:
        raise UsageError("export_format", format=format, known=list(EXPORTS))
    entry = EXPORTS[format]
    if campaign is None:
        audience = filter_audience(frame, format, contacts, stop)
    else:
        audience = enrolled(campaign, frame, format, contacts, stop, fewest=entry.fewest).audience
        side = side.of_campaign(campaign)
    rows = audience.customers
    _check_size(format, len(rows), entry.fewest)
    if entry.columns is not None:
        files = write_csv_parts(entry.columns(rows), path, entry.largest_file, entry.header, entry.most_rows)
        remove_earlier_parts(path, files)
    else:
        files = (write_any(rows, path, entry.suffix, side.about, language),)
    counts = (audience.left_out, audience.reach, audience.unknown_consent, audience.unread)
    made = Exported(files, _side_file(files[0]), len(rows), len(rows), *counts, audience.notes)
    write_json(made.side_file, _record(made, format, side).to_json())
    return made


def write_rows(
    workspace: Workspace,
    frame: pd.DataFrame,
    path: Path,
    side: Side,
    *,
    dataset: Dataset | None = None,
    fewest: int = 0,
    language: str = "",
    enrolment: Enrolment | None = None,
) -> Exported:
    """Write a table by the file's ending, with its side file, and note it in the export log.

    Rows of customers who are on the suppression list of the workspace are left out.

    Args:
        workspace: whose suppression list and export log they are.
        frame: any columns, text made inert for spreadsheets.
        path: CSV, XLSX or Parquet.
        side: what the numbers mean.
        dataset: of the customers, whose table resolves suppressed addresses; None opens the one named by ``side``.
        fewest: smallest number of rows that is worth a file.
        language: of the headers of a spreadsheet, "" for ids.
        enrolment: of a campaign's list, who may be in it; None: whoever is not suppressed.

    Raises:
        UsageError: another ending.
        NotEnoughData: fewer rows are left.
        Refused: more rows than a worksheet holds.
    """
    check_ending(path)
    format, customers, left_out = path.suffix.removeprefix("."), None, {}
    rows = frame
    if enrolment is not None:
        rows = frame[frame[CUSTOMER_ID].isin(enrolment.audience.customers[CUSTOMER_ID])]
        customers, left_out = rows[CUSTOMER_ID].nunique(), enrolment.audience.left_out
        side = side.of_campaign(enrolment.campaign)
    elif CUSTOMER_ID in frame:
        rows = SuppressionList.of(workspace, dataset or open_dataset(workspace, side.dataset)).without(frame)
        customers = rows[CUSTOMER_ID].nunique()
        if len(rows) < len(frame):
            left_out = {"suppressed": frame[CUSTOMER_ID].nunique() - customers}
    _check_size(format, len(rows), fewest)
    write_any(rows, path, path.suffix, side.about, language)
    made = Exported((path,), _side_file(path), len(rows), customers, left_out)
    write_json(made.side_file, _record(made, format, side).to_json())
    log_export(workspace, made, format, side, None if enrolment is None else enrolment.campaign)
    return made


def log_export(
    workspace: Workspace, made: Exported, format: str, side: Side, campaign: CampaignList | None = None
) -> None:
    """Append one line to ``exports/log.jsonl``: who exported what, when, how many. It names no customer.

    Where the line cannot be written, the files are deleted: there is no export without one. A campaign notes that its
    list left.
    """
    side = side if campaign is None else side.of_campaign(campaign)
    line = dataclasses.replace(
        _record(made, format, side),
        who=audit.actor(),
        segment=side.logged_segment,
        folder=str(made.side_file.parent.absolute()),
    )
    try:
        append_record(workspace.exports / LOG, line.to_json())
    except (OSError, ClvError):
        for file in (*made.files, made.side_file):
            file.unlink(missing_ok=True)
        raise
    counts = {"rows": made.rows, "customers": made.customers}
    audit.note(workspace, "export", dataset=side.dataset, model=side.model, format=format, **counts)
    if campaign is not None:
        campaign.note_sent(format, side.model, made.customers or 0, made.left_out, file=made.files[0].name)


def log_download(workspace: Workspace, format: str, side: Side, rows: int, customers: int) -> None:
    """Note a download that is not stored here in the export log.

    Args:
        workspace: whose log.
        format: what it is; its name for people is the catalogue key ``export.<format>``.
        side: what the numbers mean.
        rows: of the file.
        customers: different customers in it.
    """
    log_export(workspace, Exported((), workspace.exports / "none", rows, customers), format, side)


def _side_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _record(made: Exported, format: str, side: Side) -> ExportRecord:
    """Return the content of the side file."""
    return ExportRecord(
        **vars(side),
        format=format,
        files=[file.name for file in made.files],
        rows=made.rows,
        customers=made.customers,
        asked=made.asked,
        left_out=made.left_out,
        reach=made.reach,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _check_size(format: str, rows: int, fewest: int) -> None:
    if rows < fewest:
        raise NotEnoughData("export_too_few", format=format, rows=rows, fewest=fewest)
