"""Exports: customer lists that a spreadsheet, an ad platform or a mail platform accepts.

Every export is one or more files and a side file ``<file>.json`` that says what the numbers mean.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core import audit
from clv_core.collection.privacy.stoplist import StopList
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import ClvError, Message, NotEnoughData, UsageError
from clv_core.strategy.contacts.reach import Reach, hidden, reachable, stopped
from clv_core.strategy.exports.exported import LOG
from clv_core.strategy.exports.files import remove_earlier_parts, write_any, write_csv_parts
from clv_core.strategy.exports.formats import EXPORTS
from clv_core.workspace import Workspace, append_record, write_json

NAMES_CUSTOMERS: Final = re.compile(rf"({CUSTOMER_ID}\s*(?:!=|[<>]=?|=|~)).*")
"""A condition on ids and what follows it: no log line holds that."""


@dataclass(frozen=True)
class Side:
    """What the numbers of an export mean.

    Args:
        dataset: name of the dataset.
        dataset_version: its content hash.
        model: id of the bundle.
        cutoff: as of when, ISO date.
        horizon_days: predicted span.
        currency: of the amounts, may be empty.
        segment: which customers were asked for, in the words of :mod:`clv_core.strategy.conditions`; "" for all.
        scheme: how tiers were cut, "" where there are none.
        lifetime: whether ``horizon_days`` stands for the limit of the discounted sum.
        discount_rate: yearly, 0 is none.
        margin_rate: share of net value that the values are, 1 is all.
        assumptions: ``{code, params, message}`` of what the values assume beyond what was measured.
        settings: what a person chose beyond that, as JSON types: budget and offers of a plan, the rule of prices.
    """

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
    assumptions: tuple[dict[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """What a workbook says of itself, by id, as JSON types; the assumptions in words."""
        said = [str(one["message"]) for one in self.assumptions]
        words = "".join(one if one.endswith("。") else f"{one} " for one in said).strip()
        own = {name: value for name, value in dataclasses.asdict(self).items() if name != "settings"}
        return {**own, "assumptions": words, **self.settings}

    @property
    def mark(self) -> str:
        """Ten letters that differ where anything that is said here does."""
        said = json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:10]


@dataclass(frozen=True)
class Contacts:
    """How customers can be reached, and who must not be.

    Args:
        customers: customer_id and contact fields, under our names or usual ones; platform formats need it.
        region: country of phone numbers without a country code, by its code or name; None for the format's own.
        assume_consent: whether all may be contacted where the frame has no consent column.
        suppressed: customer ids, e-mail addresses and phone numbers that must not be in any list.
    """

    customers: pd.DataFrame | None = None
    region: str | None = None
    assume_consent: bool = False
    suppressed: Collection[str] = ()


@dataclass(frozen=True)
class Exported:
    """What was made.

    Args:
        files: the list, in one or more files.
        side_file: JSON beside the first.
        rows: of the list, over all files.
        customers: different customers in it; None where its rows are not about customers.
        left_out: customers asked for but not in it, by reason: suppressed, no_consent, shared_contact, no_contact,
            same_contact.
        reach: customers in it by contact field.
        unknown_consent: see :class:`~clv_core.strategy.contacts.reach.Reach`; like ``unread`` in no side file and no
            log.
        unread: the same.
        notes: what is to be said of them.
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
        """Customers that were asked for."""
        return (self.rows if self.customers is None else self.customers) + sum(self.left_out.values())


def export(
    frame: pd.DataFrame,
    format: str,
    path: Path,
    *,
    side: Side,
    contacts: Contacts | None = None,
    stop: StopList | None = None,
    language: str = "",
) -> Exported:
    """Write a customer list and its side file.

    Args:
        frame: scored customers, any further columns; for generic formats all are written, text made inert.
        format: id of ``EXPORTS``.
        path: the file to write; several get ``-1``, ``-2`` before the ending.
        side: what the numbers mean.
        contacts: needed by platform formats; generic formats take only suppression from it, of e-mail addresses by the
            customers that it names.
        stop: the suppression list of the workspace; who is on it is in no list.
        language: of the headers of a spreadsheet, "" for ids; platforms read their own.

    Raises:
        UsageError: unknown format, a platform format without contacts, or a region that is no country.
        NotEnoughData: nobody is left, or fewer than the platform takes.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or ids that stand twice.
    """
    people = who_is_in(frame, format, contacts, stop)
    entry, rows = EXPORTS[format], people.customers
    if len(rows) < entry.fewest:
        raise NotEnoughData("export_too_few", format=format, rows=len(rows), fewest=entry.fewest)
    if entry.columns is not None:
        files = write_csv_parts(entry.columns(rows), path, entry.largest_file, entry.header, entry.most_rows)
        remove_earlier_parts(path, files)
    else:
        files = (write_any(rows, path, entry.suffix, side.about, language),)
    made = with_side_file(files, format, side, len(rows), len(rows), people.left_out, people.reach)
    return dataclasses.replace(
        made, unknown_consent=people.unknown_consent, unread=people.unread, notes=people.not_understood
    )


def who_is_in(frame: pd.DataFrame, format: str, contacts: Contacts | None, stop: StopList | None = None) -> Reach:
    """Return which of the customers a list of this format may and can hold, and why the others are not in it.

    Args:
        frame: scored customers.
        format: id of ``EXPORTS``.
        contacts: how they can be reached.
        stop: the suppression list of the workspace.

    Raises:
        UsageError: unknown format, a platform format without contacts, or a region that is no country.
        NeedsAnswer: the contacts say nothing about consent, and it is not assumed.
        Refused: contacts without ids, or ids that stand twice.
    """
    if format not in EXPORTS:
        raise UsageError("export_format", format=format, known=list(EXPORTS))
    entry, given = EXPORTS[format], contacts or Contacts()
    if not entry.needs_contacts:
        suppressed = {*given.suppressed, *(stopped(frame, given.customers, stop) if stop else ())}
        out = hidden(frame, given.customers, suppressed)
        return Reach(frame[~out], {"suppressed": int(out.sum())} if out.any() else {}, {})
    if given.customers is None:
        raise UsageError("export_needs_contacts", format=format)
    keys, region = entry.reached or entry.keys, given.region or entry.region or None
    return reachable(frame, given.customers, keys, region, given.assume_consent, given.suppressed, stop, entry.read_as)


def with_side_file(
    files: tuple[Path, ...],
    format: str,
    side: Side,
    rows: int,
    customers: int | None,
    left_out: dict[str, int],
    reach: dict[str, int] | None = None,
) -> Exported:
    """Write the side file of a list whose files are written, and return what was made (see :class:`Exported`)."""
    made = Exported(files, files[0].with_name(files[0].name + ".json"), rows, customers, left_out, reach or {})
    write_json(made.side_file, side_record(made, format, side))
    return made


def side_record(made: Exported, format: str, side: Side) -> dict[str, Any]:
    """Return what the side file says."""
    return {
        **dataclasses.asdict(side),
        "format": format,
        "files": [file.name for file in made.files],
        "rows": made.rows,
        "customers": made.customers,
        "asked": made.asked,
        "left_out": made.left_out,
        "reach": made.reach,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def log_export(workspace: Workspace, made: Exported, format: str, side: Side) -> None:
    """Append one line to ``exports/log.jsonl``: who exported what, when, how many. It names no customer.

    Where the line cannot be written, the files go: no list leaves without one.
    """
    line = {"who": audit.actor(), **side_record(made, format, side), "folder": str(made.side_file.parent.absolute())}
    line["segment"] = NAMES_CUSTOMERS.sub(r"\1…", side.segment)
    try:
        append_record(workspace.exports / LOG, line)
    except (OSError, ClvError):
        for file in (*made.files, made.side_file):
            file.unlink(missing_ok=True)
        raise
    counts = {"rows": made.rows, "customers": made.customers}
    audit.note(workspace, "export", dataset=side.dataset, model=side.model, format=format, **counts)


def log_taken(workspace: Workspace, format: str, side: Side, rows: int, customers: int) -> None:
    """Note in the export log what was handed over without a file of it staying here.

    Args:
        workspace: whose log.
        format: what it is; its name for people is the catalogue key ``export.<format>``.
        side: what the numbers mean.
        rows: of the file.
        customers: different customers in it.
    """
    log_export(workspace, Exported((), workspace.exports / "none", rows, customers), format, side)
