"""The manifest of a dataset: what was understood of its source, and what became of every row of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, ClassVar, Final, Literal

from annotated_types import Len

from clv_core.collection.answers import Answers
from clv_core.columns import BY_NAME
from clv_core.errors import Message
from clv_core.i18n import has
from clv_core.records import JsonObject, StoredRecord

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
MIN_ROWS_SHARE: Final = 0.9
"""A version with fewer rows than this share of those before it gets a warning (a guess)."""
CLASHED: Final = " (source)"
"""What an extra column is called behind its own name, where that is a canonical one."""


@dataclass(frozen=True)
class FileMessage(Message):
    """A warning about one of several files.

    Args:
        file: which.
    """

    file: str = field(kw_only=True)


@dataclass(frozen=True)
class ColumnAccount(StoredRecord):
    """What became of one column of a file.

    Args:
        column: its name; :data:`~clv_core.collection.answers.FILE` and ``SHEET`` are the names of file and sheet.
        state: ``used``, ``harmless``, or ``doubted`` where it may part the money by less than is worth a question.
        what: of a used one, canonical names and roles; of the others the reason, a key behind ``ledger.``.
    """

    column: str
    state: Literal["used", "harmless", "doubted"]
    what: str


@dataclass(frozen=True)
class Part(StoredRecord):
    """A file of a dataset, or one of the datasets that were combined.

    Args:
        source: its name.
        rows_read: kept + rejected + duplicate.
        rows_kept: rows of it in the Parquet file.
        rows_set_aside: rows that could not be used.
        rows_duplicate: exact repetitions that were dropped.
        rows_overlap: those of the duplicates that an earlier part holds already.
        date_order: ``dmy``, ``mdy`` or ``ymd``, as the file has shown or the person answered; empty where neither did.
        decimal: ``point`` or ``comma``, likewise.
        hidden: columns that became pseudonyms.
        encoding: that a text was read in; empty where that is UTF-8.
        steps: event names of steps of orders that did not count.
        similar_ids: ``merge`` where several spellings of an id became one.
        recipe: that was used.
        version: of a combined dataset.
        columns: what became of each of its columns; none where nobody looked, as in earlier versions.
    """

    OMITTED: ClassVar = frozenset({"hidden", "encoding", "steps", "similar_ids", "recipe", "version", "columns"})

    source: str
    rows_read: int
    rows_kept: int
    rows_set_aside: int
    rows_duplicate: int
    rows_overlap: int = 0
    date_order: str = ""
    decimal: str = ""
    hidden: tuple[str, ...] = ()
    encoding: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    similar_ids: str = ""
    recipe: str = ""
    version: str = ""
    columns: tuple[ColumnAccount, ...] = ()

    @property
    def rows_not_kept(self) -> int:
        """Rows that were rejected or dropped, but for those that the dataset had from others."""
        return self.rows_set_aside + self.rows_duplicate - self.rows_overlap


@dataclass(frozen=True)
class SampledFrom(StoredRecord):
    """The larger log that a log is a sample of: whose customers were taken by a hash of their ids.

    Args:
        customers: that the larger one has.
        events: that it has.
        fraction: share of its customers that was taken.
    """

    customers: int
    events: int
    fraction: float


@dataclass(frozen=True)
class Attribute(StoredRecord):
    """An attribute that models may read.

    Args:
        name: its column.
        kind: ``number`` or ``text``.
        dated_by: the column with the date since which a row's value holds; None where it holds at any time.
    """

    name: Annotated[str, Len(1)]
    kind: Literal["number", "text"]
    dated_by: str | None = None


@dataclass(frozen=True)
class Roles(StoredRecord):
    """The person's answers about a customers file.

    Args:
        customer_id: the column of ids; empty takes the proposal.
        static: attributes that hold at any cutoff.
        dated: attribute -> the column with the date since which it holds.
        contacts: contact field, or ``consent`` -> column; an empty column switches the field off.
        text: attributes of digits that are names of groups, not quantities.
        date_order: ``dmy``, ``mdy``, ``ymd`` or None.
        decimal: ``point``, ``comma`` or None.
        header: whether the file names its columns; None looks.
    """

    customer_id: str = ""
    static: Sequence[str] = ()
    dated: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    text: Sequence[str] = ()
    date_order: str | None = None
    decimal: str | None = None
    header: bool | None = None


@dataclass(frozen=True)
class CustomersTable(StoredRecord):
    """What the customers table of a dataset holds.

    Args:
        file: what the person calls the file that it came from.
        rows_read: kept + rejected.
        rows: in the table.
        rows_set_aside: rows that could not be used.
        customers: distinct ones in it.
        matched: those of them who are in the log.
        attributes: that are on.
        date_columns: that date attributes.
        contacts: contact fields and ``consent`` that it holds.
        off: columns of the file that were not taken.
        accepted: attributes that are refused by default and that the person took all the same.
        pseudonymised: whether contact fields are keyed hashes.
        roles: the person's answers about the columns.
        warnings: all of them.
    """

    file: str
    rows_read: int
    rows: int
    rows_set_aside: int
    customers: int
    matched: int
    attributes: tuple[Attribute, ...]
    date_columns: tuple[str, ...]
    contacts: tuple[str, ...]
    off: tuple[str, ...]
    accepted: tuple[str, ...]
    pseudonymised: bool
    roles: Roles
    warnings: tuple[Message, ...]


@dataclass(frozen=True)
class Manifest(StoredRecord):
    """What a dataset is, and what became of every row of its source.

    Args:
        name: the dataset's name.
        version: content hash of the events and of how they were read, 12 hex digits.
        created: when it was stored, ISO UTC.
        source: the file's name.
        timezone: IANA name of the log's time zone.
        currency: what the amounts are in, as the person or the file has it; may be empty.
        columns: columns of the Parquet file: canonical ones, then extras as text.
        mapping: canonical name -> name in the source.
        rows_read: kept + rejected + duplicate.
        rows_kept: rows in the Parquet file.
        rows_set_aside: rejected rows, stored next to it with line and reason.
        rows_duplicate: exact repetitions that were dropped, among them rows that an appended file shares with the log.
        customers: distinct customers.
        purchases: purchase rows; :attr:`lines` where people read it.
        first_event: earliest event, ISO UTC.
        last_event: latest event, ISO UTC.
        log_start: local date of the first event, ISO.
        log_end: first local midnight after the last event, ISO.
        net_revenue: sum of purchase and return amounts, to the cent.
        event_types: rows by event type.
        warnings: of the reading.
        made: how this version came about: ``ingest``, ``append``, ``combine``, ``clean``, ``customers``,
            ``currency``, ``erase`` or ``expire``.
        parent: the version that it was made from; empty for a first one.
        raw_version: where cleaning rules are on, the version without any; empty otherwise.
        rules: the cleaning rules that are on, by id, each with its limit (None where it has none).
        parts: its files.
        answers: the person's answers about the file, so that the next one of the same shape is read in the same way;
            None in manifests that are older than this.
        pseudonymised: whether ids and contact fields are keyed hashes (:mod:`clv_core.collection.parse.id_texts`).
        key_fingerprint: identifies the key of these hashes, and reveals nothing of it; empty where there is none.
        customers_table: what the customers table holds (:mod:`clv_core.collection.customers`), or None.
        orders: orders (:func:`clv_core.collection.rows.log_summary.order_key`); None in manifests that are older
            than this count.
        sampled: what the log is a sample of, or None.
    """

    FILE: ClassVar = "manifest.json"

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
    warnings: list[FileMessage | Message] = field(default_factory=list)
    made: str = "ingest"
    parent: str = ""
    raw_version: str = ""
    rules: dict[str, float | None] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    answers: Answers | None = None
    pseudonymised: bool = False
    key_fingerprint: str = ""
    customers_table: CustomersTable | None = None
    sampled: SampledFrom | None = None
    orders: int | None = None

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Leave out warnings that are given no more, unless :data:`OLD_CODES` names them, and empty answers."""
        warnings = [
            {**warning, "code": OLD_CODES.get(warning["code"], warning["code"])} for warning in raw.get("warnings", [])
        ]
        current = [warning for warning in warnings if has(warning["code"])]
        return {**raw, "warnings": current, "answers": raw.get("answers") or None}

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
        zero = (warning.params["share"] for warning in self.warnings if warning.code == "warning.zero_purchases")
        return self.net_revenue == 0 and any(share == 1 for share in zero)

    @property
    def merges_similar_ids(self) -> bool:
        """Whether ids that differ only in capitals, blanks or leading zeros became one."""
        return any(part.similar_ids for part in self.parts)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The warnings, whatever file they are about."""
        return tuple(Message(item.code, item.params) for item in self.warnings)

    @property
    def source_columns(self) -> list[str]:
        """Names of the columns of its file, as far as they are kept: canonical ones under their own names there."""
        columns = [column for column in self.columns if column in self.mapping or column not in BY_NAME]
        return [self.mapping.get(column, column).removesuffix(CLASHED) for column in columns]


def replacement_warnings(before: Manifest, now: Manifest) -> list[Message]:
    """Return what a new version lacks that the one in its place had.

    An export that broke off half-way looks like any other file; only the version before it shows it.

    Args:
        before: the current version.
        now: what was read in its place, not joined to it.
    """
    warnings: list[Message] = []
    if now.rows_kept < MIN_ROWS_SHARE * before.rows_kept or now.log_end < before.log_end:
        rows = {"rows": now.rows_kept, "before": before.rows_kept}
        days = {"end": now.last_day.isoformat(), "end_before": before.last_day.isoformat()}
        replaced = {"name": now.name, "version": before.version}
        warnings.append(Message("warning.replaced_by_less", {**rows, **days, **replaced}))
    if before.customers_table is not None:
        customers = before.customers_table.customers
        warnings.append(Message("warning.customers_table_left", {"name": now.name, "customers": customers}))
    if before.rules:
        rules = [name if limit is None else f"{name}={limit:g}" for name, limit in before.rules.items()]
        command = " ".join(f"--rule {rule}" for rule in rules)
        warnings.append(
            Message("warning.rules_left", {"name": now.name, "rules": list(before.rules), "command": command})
        )
    return warnings
