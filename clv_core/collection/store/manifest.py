"""The manifest of a dataset: what was understood of its source, and what became of every row of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any, Final, Self

from clv_core.columns import BY_NAME
from clv_core.errors import Message
from clv_core.i18n import has

OLD_CODES: Final = {
    "warning.customers_of_one": "warning.customers_of",
    "warning.customers_of_several": "warning.customers_of",
    "warning.encoding_as_before": "warning.encoding",
    "warning.far_after": "warning.far_dates",
    "warning.far_before": "warning.far_dates",
    "warning.hidden_sheets": "warning.sheets_left_out",
    "warning.similar_phones": "warning.similar_phones",
    "warning.totals_row": "warning.totals_row",
    "warning.totals_rows": "warning.totals_row",
}
"""Codes of warnings in older manifests -> the code now; one for itself is given no more, and still shown."""
COUNTS: Final = ("rows_read", "rows_kept", "rows_set_aside", "rows_duplicate")
"""What is counted of a dataset, and of each of its files."""
SHRUNK: Final = 0.9
"""A version with fewer rows than this share of those before it is said to be smaller."""
CLASHED: Final = " (source)"
"""What an extra column is called behind its own name, where that is a canonical one."""


@dataclass(frozen=True)
class Manifest:
    """What a dataset is, and what became of every row of its source.

    Args:
        name: the dataset's name.
        version: content hash of the events and of how they were read, 12 hex digits.
        created: when it was stored, ISO UTC.
        source: the file's name.
        timezone: IANA name of the log's time zone.
        currency: what the amounts are in, as the person or the file said it; may be empty.
        columns: columns of the Parquet file: canonical ones, then extras as text.
        mapping: canonical name -> name in the source.
        rows_read: kept + rejected + duplicate.
        rows_kept: rows in the Parquet file.
        rows_set_aside: rows that could not be used, kept beside it with line and reason.
        rows_duplicate: exact repetitions that were dropped, among them rows that an appended file shares with the log.
        customers: distinct customers.
        purchases: purchase rows; :attr:`lines` where people read it.
        first_event: earliest event, ISO UTC.
        last_event: latest event, ISO UTC.
        log_start: local date of the first event, ISO.
        log_end: first local midnight after the last event, ISO.
        net_revenue: sum of purchase and return amounts, to the cent.
        event_types: rows by event type.
        warnings: ``{code, params}`` of each warning.
        made: how this version came about: ``ingest``, ``append``, ``combine``, ``clean``, ``customers``, ``currency``
            or ``erase``.
        parent: the version that it was made from; empty for a first one.
        raw_version: where cleaning rules are on, the version without any; empty otherwise.
        rules: the cleaning rules that are on, by id, each with its limit (None where it has none).
        parts: one entry a file (or combined dataset): ``{source, rows_read, rows_kept, rows_set_aside, rows_duplicate,
            rows_overlap}``, the last being those of the duplicates that an earlier part holds already; also what the
            file itself has shown or the person said: ``{date_order, decimal}``, each empty where it did not matter,
            and the ``encoding`` that a text was read in where that is not UTF-8.
        answers: what the person said about the file, as :class:`~clv_core.collection.answers.Answers` takes it,
            so that the next file of the same shape is read alike.
        pseudonymised: whether ids and contact fields are keyed hashes (:mod:`clv_core.collection.parse.pseudonyms`).
        key_fingerprint: tells the key of these hashes from others, and nothing else of it; empty where there is none.
        customers_table: what the customers table holds (:mod:`clv_core.collection.customers`), or None.
        orders: orders (:func:`clv_core.collection.rows.log_summary.order_key`); None in manifests that are older
            than this count.
        sampled: where the log is a sample of a larger one's customers, ``{customers, events, fraction}``: how many the
            larger one has, and the share of its customers that was taken, by a hash of their ids; else None.
    """

    name: str
    version: str
    created: str
    source: str
    timezone: str
    currency: str
    columns: list[str]
    mapping: dict[str, str]
    rows_read: int
    rows_kept: int
    rows_set_aside: int
    rows_duplicate: int
    customers: int
    purchases: int
    first_event: str
    last_event: str
    log_start: str
    log_end: str
    net_revenue: float
    event_types: dict[str, int]
    warnings: list[dict[str, Any]] = field(default_factory=list)
    made: str = "ingest"
    parent: str = ""
    raw_version: str = ""
    rules: dict[str, float | None] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    pseudonymised: bool = False
    key_fingerprint: str = ""
    customers_table: dict[str, Any] | None = None
    sampled: dict[str, Any] | None = None
    orders: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the manifest of :meth:`to_json`'s dictionary; keys of later versions are left out.

        So are warnings that are given no more, unless :data:`OLD_CODES` names them.
        """
        known = {item.name for item in fields(cls)}
        manifest = cls(**{key: value for key, value in values.items() if key in known})
        warnings = [{**item, "code": OLD_CODES.get(item["code"], item["code"])} for item in manifest.warnings]
        return dataclasses.replace(manifest, warnings=[item for item in warnings if has(item["code"])])

    @property
    def last_day(self) -> date:
        """Local date of the last event; ``last_event`` is of UTC, where it may be another day."""
        return date.fromisoformat(self.log_end) - timedelta(days=1)

    @property
    def lines(self) -> int:
        """What was bought, line by line: the purchase rows."""
        return self.purchases

    @property
    def brings_nothing(self) -> bool:
        """Whether every purchase has an amount of 0: there is no value to predict."""
        zero = (one["params"]["share"] for one in self.warnings if one["code"] == "warning.zero_purchases")
        return self.net_revenue == 0 and any(share == 1 for share in zero)

    @property
    def merges_similar_ids(self) -> bool:
        """Whether ids that differ only in capitals, blanks or leading zeros became one."""
        return any(part.get("similar_ids") for part in self.parts)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The warnings as messages."""
        return tuple(Message(item["code"], item["params"]) for item in self.warnings)

    @property
    def source_columns(self) -> list[str]:
        """Names of the columns of its file, as far as they are kept: canonical ones under their own names there."""
        kept = [column for column in self.columns if column in self.mapping or column not in BY_NAME]
        return [self.mapping.get(column, column).removesuffix(CLASHED) for column in kept]


def replacement_warnings(before: Manifest, now: Manifest) -> list[Message]:
    """Return what a new version lacks that the one in its place had.

    An export that broke off half-way looks like any other file; only beside the version before it does it show.

    Args:
        before: the current version.
        now: what was read in its place, whole and not joined to it.
    """
    found: list[Message] = []
    if now.rows_kept < SHRUNK * before.rows_kept or now.log_end < before.log_end:
        rows = {"rows": now.rows_kept, "before": before.rows_kept}
        days = {"end": now.last_day.isoformat(), "end_before": before.last_day.isoformat()}
        known = {"name": now.name, "version": before.version}
        found.append(Message("warning.replaced_by_less", {**rows, **days, **known}))
    if before.customers_table is not None:
        customers = before.customers_table["customers"]
        found.append(Message("warning.customers_table_left", {"name": now.name, "customers": customers}))
    if before.rules:
        rules = [name if limit is None else f"{name}={limit:g}" for name, limit in before.rules.items()]
        command = " ".join(f"--rule {rule}" for rule in rules)
        found.append(Message("warning.rules_left", {"name": now.name, "rules": list(before.rules), "command": command}))
    return found
