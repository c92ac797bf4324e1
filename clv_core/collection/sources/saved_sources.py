"""Saved sources, one JSON file each in ``workspace/sources``: their settings, and how far they have been read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from clv_core.errors import ClvError, Message, NotFound, Refused, UsageError
from clv_core.locks import writing
from clv_core.records import JsonObject, StoredRecord
from clv_core.workspace import Workspace, check_name, read_json, write_json

FOLDER: Final = "sources"
APPEND, REPLACE = "append", "replace"
NO_ORDERS: Final = "none"
"""The order column of a source without orders: each row is one by itself."""
READS: Final = {"kind", "where", "what", "dataset", "grows", "time_column"}
"""Fields of a source that decide which rows it has."""
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Args:
        address: an example of where it is.
        title: its proper name; empty where it has none.
        dialect: of its SQL, as :mod:`sqlglot` calls it; empty where files are fetched.
        extra: of this package that installs its driver; empty where none is needed.
        is_tested: whether it was tried against a server.
        is_local: whether it is a path on this machine.
    """

    address: str
    title: str = ""
    dialect: str = ""
    extra: str = ""
    is_tested: bool = True
    is_local: bool = False


KINDS: Final = {
    "postgresql": Kind("postgresql://reader@db.example.com:5432/shop", "PostgreSQL", "postgres", "postgresql"),
    "mysql": Kind("mysql://reader@db.example.com:3306/shop", "MySQL / MariaDB", "mysql", "mysql"),
    "snowflake": Kind(
        "snowflake://reader@account/shop/public?warehouse=small", "Snowflake", "snowflake", "snowflake", False
    ),
    "bigquery": Kind("bigquery://project/dataset", "BigQuery", "bigquery", "bigquery", False),
    "sqlite": Kind("/data/shop.sqlite", "SQLite", "sqlite", is_local=True),
    "duckdb": Kind("/data/shop.duckdb", "DuckDB", "duckdb", is_local=True),
    "folder": Kind("/data/exports", is_local=True),
    "s3": Kind("s3://bucket/exports?region=eu-central-1", "S3"),
    "https": Kind("https://shop.example.com/orders.csv", "HTTPS"),
    "shopify": Kind("https://shop.myshopify.com", "Shopify"),
}
"""Kinds of sources. ``mysql`` is MariaDB, too; ``s3`` any store with its protocol (``&endpoint=https://...``)."""


@dataclass(frozen=True)
class Source(StoredRecord):
    """A saved source.

    Args:
        name: of the source.
        kind: one of :data:`KINDS`.
        where: address or path, without a password.
        what: a table or one SELECT of a database; a pattern such as ``orders-*.csv`` of a folder or bucket; empty for
            the others.
        dataset: name of the dataset that it fills.
        grows: ``append`` adds what is new, ``replace`` reads everything each time.
        time_column: column of a database by which new rows are selected; empty: everything is fetched each time.
        look_back_days: so many days before the latest time are fetched again, for rows that come late.
        order_column: column of a database with the number of the order, by which all lines of an order are fetched;
            empty: the one that its dataset has it from; :data:`NO_ORDERS`: each row is an order by itself.
        secret: reference to the password or token (:func:`clv_core.secrets_by_reference.secret`); empty: none.
        ca: file of the certificate authority that the server's certificate is checked with; empty: those of this
            system for HTTPS; databases are then encrypted but not identified.
        tls: whether the connection to a database is encrypted.
        answers: how it is read, as :class:`~clv_core.collection.answers.Answers` has it; empty:
            what is remembered of a file with these columns.
    """

    name: str
    kind: str
    where: str
    dataset: str
    what: str = ""
    grows: str = APPEND
    time_column: str = ""
    look_back_days: int = 3
    order_column: str = ""
    secret: str = ""
    ca: str = ""
    tls: bool = True
    answers: JsonObject = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host of its address, or its path."""
        return self.where if KINDS[self.kind].is_local else urlsplit(self.where).hostname or self.where

    def check(self) -> None:
        """Refuse a source that cannot work or is not safe, before anything connects.

        Raises:
            UsageError: a field does not fit the kind, or a password is in the address.
            Refused: its name or that of its dataset cannot be one, or its query is not a SELECT.
        """
        check_name(self.name)
        check_name(self.dataset)
        if self.kind not in KINDS:
            raise UsageError("source_kind", kind=self.kind[:40], known=list(KINDS))
        kind = KINDS[self.kind]
        if not kind.is_local and (self.kind != "shopify" or "://" in self.where):  # which may be a file as well
            self._check_address(kind)
        if "@" in self.where.partition("://")[2] and urlsplit(self.where).password:
            raise UsageError("source_password")
        if self.grows not in (APPEND, REPLACE) or self.look_back_days < 0:
            raise UsageError("source_grows")
        if (self.time_column or self.order_column) and not kind.dialect:
            raise UsageError("source_time_column", kind=self.kind)
        if kind.dialect:
            from clv_core.collection.sources.query import select

            select(self.what, kind.dialect)
        elif self.kind in ("folder", "s3") and (not self.what or {"..", "/"} & {*PurePosixPath(self.what).parts}):
            raise UsageError("source_pattern", kind=self.kind)

    def _check_address(self, kind: Kind) -> None:
        parts = urlsplit(self.where)
        scheme = "https" if self.kind == "shopify" else self.kind
        secure = parts.scheme == scheme or (scheme == "https" and parts.hostname in LOCAL_HOSTS)
        if not secure or not (parts.hostname or parts.path.strip("/")):
            raise UsageError("source_address", kind=self.kind, example=kind.address)
        if self.kind in ("postgresql", "mysql") and (parts.query or parts.fragment):
            raise UsageError("source_options", kind=self.kind)


@dataclass(frozen=True)
class ComparedDays(StoredRecord):
    """What a run of a source and its dataset have of the same days.

    Args:
        first: day of the look-back, ISO.
        last: the same.
        rows: there.
        amount: there, None for unknown.
        held_rows: in the dataset.
        held_amount: in the dataset.
        left_out: rows that were read and not kept.
        days: those that differ.
        in_utc: whether days are those of UTC.
    """

    first: str
    last: str
    rows: int
    amount: float | None
    held_rows: int
    held_amount: float
    left_out: int
    days: tuple[str, ...]
    in_utc: bool = False


@dataclass(frozen=True)
class SourceState(StoredRecord):
    """How far a source has been read, and how its last run ended.

    Args:
        version: version of the dataset after the last run. Where the dataset has another one, everything is fetched
            again: rows that it holds already are not added twice.
        watermark: the latest value of ``time_column``, an ISO time.
        files: name of each file that was read -> what it looked like.
        refreshed: when it last ran to its end, ISO UTC.
        rows: fetched by that run.
        new_rows: added by it.
        seconds: that it took.
        failed: when the last run failed, empty where it did not.
        error: why, under its own code.
        warnings: what the last run to its end left out, or whose figures differ.
        reconciled: what that run compared; None where it compared nothing.
        gaps: day -> rows and amount that the source had more than the dataset when all of the day was last fetched;
            days without a difference are left out. None: never measured.
        removed: hashes of the numbers of orders that left the dataset, as the source has them no more.
        role: privileges of the source's role besides reading, as of when it was added or tested.
        told: warnings on rows of runs that brought nothing new, so that no version has them.
    """

    version: str = ""
    watermark: str = ""
    files: dict[str, str] = field(default_factory=dict)
    refreshed: str = ""
    rows: int = 0
    new_rows: int = 0
    seconds: float = 0.0
    failed: str = ""
    error: Message | None = None
    warnings: tuple[Message, ...] = ()
    reconciled: ComparedDays | None = None
    gaps: dict[str, tuple[int, float]] | None = None
    removed: list[str] = field(default_factory=list)
    role: tuple[Message, ...] = ()
    told: tuple[Message, ...] = ()

    def to_json(self) -> JsonObject:
        """Return it as JSON; a comparison that was not made is empty."""
        values = super().to_json()
        return {**values, "reconciled": values["reconciled"] or {}}

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Take an empty comparison for none."""
        return {**raw, "reconciled": raw.get("reconciled") or None}


def add_source(workspace: Workspace, source: Source) -> None:
    """Save a new source.

    Raises:
        UsageError: see :meth:`Source.check`.
        Refused: likewise, or there is one of this name.
    """
    source.check()
    path = _path(workspace, source.name)
    with writing(path):
        if path.exists():
            raise Refused("source_exists", name=source.name)
        write_json(path, {"source": source.to_json(), "state": SourceState().to_json()})


def changes_of(before: Source, after: Source) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ -> what they are and what they become."""
    old, new = before.to_json(), after.to_json()
    return {key: (old[key], value) for key, value in new.items() if value != old[key]}


def change_source(workspace: Workspace, source: Source) -> None:
    """Save a source that there is, as it now is; where it reads something else, its next run fetches everything.

    Raises:
        UsageError: see :meth:`Source.check`.
        NotFound: there is none of this name.
    """
    source.check()
    changed = changes_of(load_source(workspace, source.name), source)
    update_source(workspace, source)
    if READS & {*changed}:
        state = load_state(workspace, source.name)
        save_state(workspace, source.name, replace(state, version="", watermark="", files={}, gaps=None))


def update_source(workspace: Workspace, source: Source) -> None:
    """Save a source that there is, as it now is; how far it has been read stays."""
    path = _path(workspace, source.name)
    with writing(path):
        write_json(path, {**_read(workspace, source.name), "source": source.to_json()})


def load_source(workspace: Workspace, name: str) -> Source:
    """Return a saved source.

    Raises:
        NotFound: there is none of this name; the error names those that there are.
    """
    return Source.from_json(_read(workspace, name)["source"])


def load_state(workspace: Workspace, name: str) -> SourceState:
    """Return how far a source has been read.

    Raises:
        NotFound: there is none of this name.
    """
    return SourceState.from_json(_read(workspace, name)["state"])


def save_state(workspace: Workspace, name: str, state: SourceState) -> None:
    """Keep how far a source has been read; of one that was removed meanwhile nothing is kept."""
    path = _path(workspace, name)
    with writing(path):
        if path.exists():
            write_json(path, {**read_json(path), "state": state.to_json()})


def list_sources(workspace: Workspace) -> list[Source]:
    """Return all saved sources by name."""
    paths = sorted(path for path in workspace.place(FOLDER).glob("*.json") if not path.name.startswith("."))
    return [Source.from_json(read_json(path)["source"]) for path in paths]


def remove_source(workspace: Workspace, name: str) -> None:
    """Remove a saved source; its dataset stays.

    Raises:
        NotFound: there is none of this name.
    """
    _read(workspace, name)
    _path(workspace, name).unlink()


def _path(workspace: Workspace, name: str) -> Path:
    return workspace.place(FOLDER) / f"{check_name(name)}.json"


def _read(workspace: Workspace, name: str) -> JsonObject:
    path = _path(workspace, name)
    if not path.exists():
        raise NotFound("no_source", name=name, known=[source.name for source in list_sources(workspace)] or "-")
    record: JsonObject = read_json(path)
    return record


def unreachable(source: Source, error: BaseException, values: Mapping[str, str] | None = None) -> ClvError:
    """Return the error of a source that cannot be reached or read, without the secret in it.

    Args:
        source: which.
        error: of its driver; its first line is quoted.
        values: texts that must not be quoted -> their placeholders.
    """
    message = error.args[1] if len(error.args) == 2 else error  # a number and a text
    lines = str(message).strip().splitlines() or [type(error).__name__]
    reason = re.sub(r"^([A-Z_]+: )?(\[\w+\] )?", "", lines[0])
    for value, shown in (values or {}).items():
        reason = reason.replace(value, shown) if value else reason
    return ClvError("source_failed", source=source.name, host=source.host, reason=reason[:200])
