"""A file read as an earlier one was: the same columns, and the same answers where the file leaves them open.

What a file itself proves comes first. A log whose dates were read day first gives its answer only to a file whose dates
fit both orders; a file that proves another order is read by that. UTF-8 proves itself; what is not is read as the
earlier file was, since no bytes prove an encoding of one byte a letter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from clv_core.collection.answers import Answers, named_anew
from clv_core.collection.engine import connect_memory, file_text, one
from clv_core.collection.infer.money.units import MINOR
from clv_core.collection.parse.id_texts import MERGE, SEPARATE
from clv_core.collection.read.encoding import single_byte
from clv_core.collection.rows.log_loader import LoadedFile, load_log
from clv_core.collection.rows.quality_checks import CENTS, MIN_FRACTIONS
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.manifest import COUNTS, Manifest, Part
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, QUANTITY, READ, REFUND, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer, Refused, UsageError
from clv_core.jobs import Progress

MIN_AMOUNTS: Final = 20
"""Amounts of a log without which its usual ones are unknown (a guess)."""
UNUSUAL: Final = 0.001
"""Share of a log's amounts that lie below, and above, its usual ones."""
MIN_UNUSUAL: Final = 0.05
"""Share of a file's amounts that must lie there before its unit is doubted: less are single large orders."""
MAX_LUCK_INTEGERS, MAX_LUCK_UNUSUAL = 0.01, 1e-4
"""Chance below which amounts are not integers, and not unusual, by luck: one file in 10,000 fails the second."""
NEEDED: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT, QUANTITY, UNIT_PRICE)
"""Columns without which a file would be read as something else; any other one may be missing."""
FORMER_COLUMNS: Final = {"idgoal.event_type": "idgoal"}
"""Column that datasets of earlier releases were read by -> the one that later files are read by instead."""
FORMER_REFUNDS: Final = {"Order Total - Adjusted Order Total": "Adjusted Order Total | Order Total"}
"""The same of a refund, in place of which later files are read by this amount."""
MAX_STRANGE: Final = 0.05
"""Share of a file's rows that may contradict its log where its dates are read in the right order."""
MIN_STRANGE, MORE = 10, 3
"""Rows that contradict it in another order, at least, and as many times those in the right one."""
UNREAD: Final = ("bad_time", "time_out_of_range")
MIN_MONTHS, MIN_DAYS, FIRST_DAYS = 3, 3, 12
"""Months, and days of a month, from which on a file without a day after the 12th has months for days (guesses; the 12th
is the last day that is a month's number too)."""
PROVEN: Final = {f"warning.decimal_{how}" for how in ("comma", "mixed", "no_cents")}
"""Warnings of a file that has shown its decimal mark by itself."""


@dataclass(frozen=True)
class ReadSettings:
    """How an earlier file was read.

    Args:
        dataset: what it became, for messages.
        mapping: canonical name -> source column.
        date_order: ``dmy``, ``mdy`` or ``ymd``, as the file showed or the person answered; empty where it did not
            matter.
        decimal: ``point`` or ``comma``, likewise.
        hidden: source columns that became pseudonyms.
        encoding: of its text, where that has one byte a letter; empty otherwise.
        currency: of its amounts; may be empty.
        steps: event names that record orders which others record too.
        similar_ids: ``merge`` where ids were written in several ways; empty where not.
        events: Parquet files of the log that the next file is to join; none where it begins one.
    """

    dataset: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    date_order: str = ""
    decimal: str = ""
    hidden: tuple[str, ...] = ()
    encoding: str = ""
    currency: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    similar_ids: str = ""
    events: tuple[Path, ...] = ()


def read_settings_of(manifest: Manifest) -> ReadSettings:
    """Return how a dataset's files were read, the last that showed something first."""

    def last(key: str) -> str:
        return next((str(getattr(part, key)) for part in reversed(manifest.parts) if getattr(part, key)), "")

    # Manifests of earlier releases have the encoding in a warning only.
    warned = (item.params["encoding"] for item in reversed(manifest.warnings) if item.code == "warning.encoding")
    encoding = last("encoding") or str(next(warned, ""))
    mapping = {name: FORMER_COLUMNS.get(column, column) for name, column in manifest.mapping.items() if name in READ}
    if mapping.get(REFUND) in FORMER_REFUNDS:
        mapping[AMOUNT] = FORMER_REFUNDS[mapping.pop(REFUND)]
    return ReadSettings(
        dataset=manifest.name,
        mapping=mapping,
        date_order=last("date_order"),
        decimal=last("decimal"),
        hidden=tuple(sorted({column for part in manifest.parts for column in part.hidden})),
        encoding=encoding if encoding and single_byte(encoding) else "",
        currency=manifest.currency,
        steps={name: kind for part in manifest.parts for name, kind in part.steps.items()},
        similar_ids=last("similar_ids"),
    )


def ask_money(log: LogFiles, result: LoadedFile, answers: Answers) -> None:
    """Ask for the unit of a file's amounts where it seems to differ from the log's and there is no answer yet.

    Args:
        log: that the file joins.
        result: of the file.
        answers: the person's answers.

    Raises:
        NeedsAnswer: the currencies differ, or the log's is unknown; one has fractions, the other integers that are far
            larger amounts, as of cents; or more of the file's amounts lie beyond the log's usual ones than luck would
            bring.
    """
    manifest, currency, file = log.manifest, result.profile.currency, result.source.file
    if currency and currency != manifest.currency and not answers.currency:
        if not manifest.currency:
            raise NeedsAnswer("currency_of_log", file=file, currency=currency)
        raise NeedsAnswer("currency_differs", file=file, found=currency, currency=manifest.currency)
    if answers.amount_unit or not result.summary.purchases:
        return
    with connect_memory() as connection:
        old, new = (_usual_amounts(connection, path) for path in (log.events, result.events))
        if old.rows < MIN_AMOUNTS or not new.rows:
            return
        major = [{"option": "--amount-unit major", "answers": {"amount_unit": "major"}, "net_revenue": None}]
        integers, other = (new, old) if new.fractions == 0 else (old, new)
        times = integers.median / other.median
        is_integer_by_luck = (1 - other.fractions) ** integers.rows > MAX_LUCK_INTEGERS
        if (
            integers.fractions == 0
            and other.fractions >= MIN_FRACTIONS
            and not is_integer_by_luck
            and CENTS[0] < times < CENTS[1]
        ):
            raise NeedsAnswer("cents_in_file", file=file, times=times, readings=major)
        for test, bound in (("<", old.low), (">", old.high)):
            query = (
                f"SELECT count(*), median({AMOUNT}) FROM ({_amounts(result.events)}) WHERE {AMOUNT} {test} {bound!r}"
            )
            count, median = one(connection, query)
            if count and _is_unusual(count, new.rows, old.rows) and not 1 / CENTS[0] < median / old.median < CENTS[0]:
                params = {"count": count, "rows": new.rows, "found": median, "usual": old.median}
                raise NeedsAnswer("amounts_unusual", file=file, readings=major, **params)


@dataclass(frozen=True)
class _UsualAmounts:
    """Positive amounts of purchases: how many, the share with fractions, the median, and between which most lie."""

    rows: int
    fractions: float
    median: float
    low: float
    high: float


def _amounts(events: Path) -> str:
    return f"SELECT {AMOUNT} FROM {file_text(events)} WHERE {EVENT_TYPE} = '{PURCHASE}' AND {AMOUNT} > 0"


def _usual_amounts(connection: duckdb.DuckDBPyConnection, events: Path) -> _UsualAmounts:
    query = (
        f"SELECT count(*), coalesce(avg(({AMOUNT} <> floor({AMOUNT}))::INT), 0), coalesce(median({AMOUNT}), 0),"
        f" coalesce(quantile_disc({AMOUNT}, {UNUSUAL}), 0), coalesce(quantile_disc({AMOUNT}, {1 - UNUSUAL}), 0)"
        f" FROM ({_amounts(events)})"
    )
    return _UsualAmounts(*one(connection, query))


def _is_unusual(count: int, rows: int, amounts: int) -> bool:
    """Return whether so many of a file's rows beyond all usual amounts are no luck, by the bound of the binomial tail.

    Of ``amounts`` draws the largest is beyond the others in one of ``amounts + 1``, however rare that is.
    """
    share = max(UNUSUAL, 1 / (amounts + 1))
    luck = math.comb(rows, count) * share**count if rows < 1000 else (math.e * rows * share / count) ** count
    return count >= MIN_UNUSUAL * rows and luck <= MAX_LUCK_UNUSUAL * (1 + 1e-9)


def part_of(result: LoadedFile) -> Part:
    """Return what became of a file's rows and how it was read, for :func:`read_settings_of`."""
    answers = result.answers
    codes = {message.code for message in result.warnings}
    plan = result.profile.plan
    settled = answers.date_order or any(code.startswith("warning.read_as_") for code in codes)
    money = plan.numbers.get(AMOUNT) or plan.numbers.get(UNIT_PRICE)
    proven = answers.decimal or codes & PROVEN or (money is not None and money.proven)
    encoding, merged = result.source.encoding, plan.secret and answers.similar_ids == MERGE
    return Part(
        source=result.source.file,
        rows_read=result.rows_read,
        rows_kept=result.summary.rows,
        rows_set_aside=result.rows_rejected,
        rows_duplicate=result.rows_duplicate,
        date_order=plan.time.order if settled else "",
        decimal=money.decimal if money and proven else "",
        hidden=tuple(sorted(plan.hidden)) if plan.secret else (),
        encoding="" if encoding in ("utf-8", "utf-8-sig") else encoding,
        steps={name: kind for name, kind in result.profile.steps.items() if plan.values.get(name) == kind},
        similar_ids=MERGE if merged or "warning.ids_merged" in codes else "",
        recipe=result.recipe,
        columns=result.columns,
    )


def load_with_settings(
    path: Path,
    answers: Answers,
    settings: ReadSettings,
    scratch: Path,
    progress: Progress,
    *,
    original: str = "",
    key: bytes | None = None,
    part: bool = True,
) -> LoadedFile:
    """Load a file, taking from ``settings`` what ``answers`` and the file leave open.

    Args:
        path: a file, or a folder of Parquet files.
        answers: the person's answers about this file.
        settings: how the earlier one was read.
        scratch: an empty folder.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name.
        key: makes ids and contact fields keyed hashes.
        part: whether it is one file of several.

    Raises:
        NeedsAnswer: something can be read in two ways, and the earlier file did not show which.
        Refused: it cannot be used, or lacks a column that the earlier file was read by.
    """
    separate = key is not None and settings.dataset  # hashes cannot be compared with ids that are written otherwise
    usual = settings.similar_ids or (SEPARATE if separate else None)
    events = {**settings.steps, **answers.events}
    answers = replace(answers, events=events, similar_ids=answers.similar_ids or usual)
    options = {"original": original, "key": key, "hidden": settings.hidden, "part": part, "usual": settings.encoding}
    mapping = named_anew(settings.mapping, answers.mapping)
    loader = RetryingLoader(path, answers.mapping, settings, scratch, progress, options, mapping)
    of_dates: tuple[Message, ...] = ()
    result = None
    while result is None:
        try:
            result = loader.load(answers)
        except NeedsAnswer as error:
            if error.code.startswith("dates_ambiguous") and settings.date_order and not answers.date_order:
                order, of_dates = _order_of_log(loader, answers, error)
                answers = replace(answers, date_order=order)
            elif error.code.startswith("decimal_unsure") and settings.decimal and not answers.decimal:
                answers = replace(answers, decimal=settings.decimal)
            else:
                raise
    unsure = any(message.code.startswith("warning.decimal_unsure") for message in result.warnings)
    if unsure and settings.decimal == "comma" and not answers.decimal:
        answers = replace(answers, decimal=settings.decimal)
        result = loader.load(answers)
    if answers.amount_unit == MINOR and settings.currency and not result.profile.currency:
        answers = replace(answers, currency=settings.currency)
        result = loader.load(answers)
    return replace(result, warnings=(*result.warnings, *of_dates))


def _order_of_log(loader: RetryingLoader, answers: Answers, error: NeedsAnswer) -> tuple[str, tuple[Message, ...]]:
    """Return the order of ambiguous dates in which a file joins its log, and the warnings about it.

    In the right one hardly a row is new in the time that the log covers, or lies in the future, and in the others many
    more are. Where that does not decide, it is the log's own, unless the file would then have the first days of months
    only.

    Raises:
        NeedsAnswer: the error, where that leaves several orders or none.
    """
    log, usual = loader.settings.events, loader.settings.date_order
    column, orders = error.params["column"], error.params.get("spans", {})
    as_before = Message("warning.dates_as_before", {"column": column, "order": usual.upper()})
    if not log or usual not in orders:
        return usual, (as_before,)
    results = {order: loader.load(replace(answers, date_order=order)) for order in orders}
    strange = {order: _contradictions(result, log) for order, result in results.items()}
    best, second = sorted(strange, key=lambda order: (strange[order][0], order != usual))[:2]
    few = strange[best][0] <= MAX_STRANGE * results[best].rows_read
    clear = few and strange[second][0] >= max(MIN_STRANGE, MORE * strange[best][0])
    if usual == best and few and (clear or not strange[usual][1]):
        return usual, (as_before,)
    if not clear:
        raise error
    params = {"column": column, "order": best.upper(), "before": usual.upper()}
    return best, (Message("warning.dates_in_other_order", params),)


@dataclass
class RetryingLoader:
    """Loads one file, each time with the earlier file's columns as far as this one has them.

    Args:
        path: the file.
        named: columns that the person named: canonical name -> source column.
        settings: how the earlier file was read.
        scratch: an empty folder.
        progress: who listens.
        options: those of :func:`~clv_core.collection.rows.log_loader.load_log` that stay.
        mapping: canonical name -> source column; those that turn out to be missing are left out.
        tries: how often it was loaded.
    """

    path: Path
    named: Mapping[str, str]
    settings: ReadSettings
    scratch: Path
    progress: Progress
    options: dict[str, Any]
    mapping: Mapping[str, str]
    tries: int = 0

    def load(self, answers: Answers) -> LoadedFile:
        """Return the file read with ``answers``; a column of the earlier file that it lacks is left out.

        Raises:
            NeedsAnswer: something can be read in two ways.
            Refused: it cannot be used, or lacks a column of :data:`NEEDED`.
            UsageError: it lacks a column that the person named.
        """
        while True:
            self.tries += 1
            folder = self.scratch / f"try-{self.tries}"
            folder.mkdir()
            try:
                mapped = replace(answers, mapping=self.mapping)
                return load_log(self.path, mapped, folder, self.progress, **self.options)
            except UsageError as error:
                canonical = str(error.params.get("canonical", ""))
                if error.code != "map_column" or canonical in self.named:
                    raise
                if canonical in NEEDED:
                    file = self.options["original"] or self.path.name
                    params = {"dataset": self.settings.dataset, "file": file, **error.params}
                    raise Refused("mapped_column_missing", **params) from error
                self.mapping = {name: column for name, column in self.mapping.items() if name != canonical}


def _contradictions(result: LoadedFile, log: Sequence[Path]) -> tuple[int, bool]:
    """Return how many rows of a file contradict its log, and whether it has the first days of several months only.

    Rows contradict where their date cannot be an event's, or where their customer has no row of that day in the log,
    though the log covers it.

    Args:
        result: of the file.
        log: Parquet files of the log's events.
    """
    days = f"SELECT {CUSTOMER_ID} AS id, {EVENT_TIME}::DATE AS day FROM"
    log_days = " UNION ".join(f"{days} {file_text(path)}" for path in log)
    # ``log`` and ``file`` are (customer, day) of each; days of ``file`` inside the log's span that are not in ``log``
    # are new.
    with connect_memory() as connection:
        new, months, monthdays, last = one(
            connection,
            f"WITH log AS MATERIALIZED ({log_days}), file AS ({days} {file_text(result.events)})"
            " SELECT count(*) FILTER (day > (SELECT min(day) FROM log) AND day < (SELECT max(day) FROM log)"
            " AND (id, day) NOT IN (SELECT (id, day) FROM log)), count(DISTINCT date_trunc('month', day)),"
            " count(DISTINCT day(day)), max(day(day)) FROM file",
        )
    unread = sum(problem.rows for problem in result.problems if problem.reason in UNREAD)
    return int(new) + unread, months >= MIN_MONTHS and monthdays >= MIN_DAYS and last <= FIRST_DAYS


def one_part(manifest: Manifest) -> Part:
    """Return a dataset as one part, whatever files it was made of."""
    settings = read_settings_of(manifest)
    return Part(
        source=manifest.source,
        **{key: getattr(manifest, key) for key in COUNTS},
        rows_overlap=sum(earlier.rows_overlap for earlier in manifest.parts),
        date_order=settings.date_order,
        decimal=settings.decimal,
        hidden=settings.hidden,
        encoding=settings.encoding,
        similar_ids=settings.similar_ids,
    )
