"""A file read as an earlier one was: the same columns, and the same answers where the file leaves them open.

What a file itself proves comes first. A log whose dates were read day first gives its answer only to a file whose dates
fit both orders; a file that proves another order is read by that. UTF-8 proves itself; what is not is read as the
earlier file was, since no bytes prove an encoding of one byte a letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from clv_core.collection.engine import connect_memory, file_text, one
from clv_core.collection.mapping.answers import Answers, named_anew
from clv_core.collection.mapping.money.units import MINOR
from clv_core.collection.parse.id_texts import MERGE, SEPARATE
from clv_core.collection.read.encoding import single_byte
from clv_core.collection.readings.figures import CENTS, HALF
from clv_core.collection.readings.joining_dates import join_dates
from clv_core.collection.readings.reading import Reading, read_log
from clv_core.collection.stored.store import Manifest
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, QUANTITY, READ, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer, Refused, UsageError
from clv_core.jobs import Progress

FEWEST_AMOUNTS: Final = 20
NEEDED: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT, QUANTITY, UNIT_PRICE)
"""Columns without which a file would be read as something else; any other one may be missing."""
MAX_STRANGE: Final = 0.05
"""Share of a file's rows that may contradict its log where its dates are read in the right order."""
MIN_STRANGE, MORE = 10, 3
"""Rows that contradict it in another order, at least, and as many times those in the right one."""
LEFT_TO_THE_LOG: Final = ("dates_ambiguous", "decimal_unsure")
"""What the codes of questions begin with that an earlier file may answer."""
PROVEN: Final = {f"warning.decimal_{how}" for how in ("comma", "mixed", "no_cents")}
"""What is said where a file has shown its decimal mark by itself."""


@dataclass(frozen=True)
class Habit:
    """How an earlier file was read.

    Args:
        dataset: what it became, for messages.
        mapping: canonical name -> source column.
        date_order: ``dmy``, ``mdy`` or ``ymd``, as the file showed or the person said; empty where it did not matter.
        decimal: ``point`` or ``comma``, likewise.
        hidden: source columns that became pseudonyms.
        encoding: of its text, where that has one byte a letter; empty otherwise.
        currency: of its amounts, as far as it is known.
        steps: event names that told of orders which others told of too.
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


def habit_of(manifest: Manifest) -> Habit:
    """Return how a dataset's files were read, the last that showed something first."""

    def last(key: str) -> str:
        return next((str(part[key]) for part in reversed(manifest.parts) if part.get(key)), "")

    hidden = {column for part in manifest.parts for column in part.get("hidden", ())}
    mapping = {name: column for name, column in manifest.mapping.items() if name in READ}
    told = (item["params"]["encoding"] for item in reversed(manifest.warnings) if item["code"] == "warning.encoding")
    encoding = last("encoding") or str(next(told, ""))  # older manifests have it in what was said only
    usual = encoding if encoding and single_byte(encoding) else ""
    shown_so = last("date_order"), last("decimal")
    steps = {name: kind for part in manifest.parts for name, kind in part.get("steps", {}).items()}
    found = Habit(manifest.name, mapping, *shown_so, tuple(sorted(hidden)), usual, manifest.currency, steps)
    return replace(found, similar_ids=last("similar_ids"))


def ask_currency(manifest: Manifest, reading: Reading, answers: Answers) -> None:
    """Ask where a file's own currency is not the log's, unless the person has said what it is.

    Raises:
        NeedsAnswer: they differ.
    """
    found = reading.profile.currency
    if manifest.currency and found and found != manifest.currency and not answers.currency:
        params = {"file": reading.source.file, "found": found, "currency": manifest.currency}
        raise NeedsAnswer("currency_differs", **params)


def ask_unit(log: Path, reading: Reading, answers: Answers) -> None:
    """Ask where a file's amounts look like the log's in cents, unless the person has said what they are in.

    Args:
        log: Parquet file of the log's events.
        reading: of the file.
        answers: what the person said.

    Raises:
        NeedsAnswer: one has fractions, the other whole and far larger amounts.
    """
    if answers.amount_unit or not reading.figures.purchases:
        return
    with connect_memory() as connection:
        old, new = (
            one(
                connection,
                f"SELECT count(*), avg(({AMOUNT} <> floor({AMOUNT}))::INT), median({AMOUNT}) FROM {file_text(path)}"
                f" WHERE {EVENT_TYPE} = '{PURCHASE}' AND {AMOUNT} > 0",
            )
            for path in (log, reading.events)
        )
    if min(old[0], new[0]) < FEWEST_AMOUNTS or (old[1] == 0) == (new[1] == 0) or max(old[1], new[1]) < HALF:
        return
    times = new[2] / old[2] if new[1] == 0 else old[2] / new[2]
    if CENTS[0] < times < CENTS[1]:
        major = {"option": "--amount-unit major", "answers": {"amount_unit": "major"}, "net_revenue": None}
        raise NeedsAnswer("cents_in_file", file=reading.source.file, times=times, readings=[major])


def answers_json(answers: Answers) -> dict[str, Any]:
    """Return what a person said as JSON; ``Answers(**values)`` is its inverse."""
    return asdict(
        replace(answers, mapping=dict(answers.mapping), events=dict(answers.events), states=dict(answers.states))
    )


def shown(reading: Reading, answers: Answers) -> dict[str, Any]:
    """Return how a file was read, for :func:`habit_of`.

    Returns:
        ``date_order`` and ``decimal`` as the file has shown or the person said, empty where neither; ``hidden``, the
        columns that became pseudonyms, where any did; ``encoding``, where it is text and not UTF-8; ``steps``, the
        event names of steps of orders that did not count, where there were any; ``similar_ids``, where several
        spellings of an id became one.
    """
    said = {message.code for message in reading.warnings}
    plan = reading.profile.plan
    settled = answers.date_order or any(code.startswith("warning.read_as_") for code in said)
    money = plan.numbers.get(AMOUNT) or plan.numbers.get(UNIT_PRICE)
    proven = answers.decimal or said & PROVEN or (money is not None and money.proven)
    hidden = {"hidden": sorted(plan.hidden)} if plan.secret else {}
    encoding = reading.source.encoding
    other: dict[str, Any] = {"encoding": encoding} if encoding not in ("", "utf-8", "utf-8-sig") else {}
    steps = {name: kind for name, kind in reading.profile.steps.items() if plan.values.get(name) == kind}
    other |= {"steps": steps} if steps else {}
    merged = "warning.ids_merged" in said or (plan.secret and answers.similar_ids == MERGE)
    other |= {"similar_ids": MERGE} if merged else {}
    return {
        "date_order": plan.time.order if settled else "",
        "decimal": money.decimal if money and proven else "",
        **hidden,
        **other,
    }


def read_alike(
    path: Path,
    answers: Answers,
    habit: Habit,
    scratch: Path,
    progress: Progress,
    *,
    original: str = "",
    key: bytes | None = None,
    part: bool = True,
) -> tuple[Reading, Answers]:
    """Read a file, taking from ``habit`` what ``answers`` and the file leave open.

    Args:
        path: a file, or a folder of Parquet files.
        answers: what the person said about this file.
        habit: how the earlier one was read.
        scratch: an empty folder.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name.
        key: makes ids and contact fields keyed hashes.
        part: whether it is one file of several.

    Returns:
        The reading, and the answers that it was read with.

    Raises:
        NeedsAnswer: something can be read in two ways, and the earlier file did not show which.
        Refused: it cannot be used, or lacks a column that the earlier file was read by.
    """
    of_dates: tuple[Message, ...] = ()
    answers = replace(answers, events={**habit.steps, **answers.events})
    alone = key is not None and habit.dataset  # hashes cannot be held against ids that are written otherwise
    usual = habit.similar_ids or (SEPARATE if alone else None)
    answers = replace(answers, similar_ids=answers.similar_ids or usual)
    tries = _Tries(path, answers.mapping, habit, scratch, progress, original, key, part)
    for _ in range(len(LEFT_TO_THE_LOG)):
        try:
            reading = tries.read(answers)
            break
        except NeedsAnswer as error:
            answers, said = _as_the_log(tries, answers, habit, error)
            of_dates += said
    else:
        reading = tries.read(answers)
    unsure = any(message.code.startswith("warning.decimal_unsure") for message in reading.warnings)
    if unsure and habit.decimal == "comma" and not answers.decimal:
        answers = replace(answers, decimal=habit.decimal)
        reading = tries.read(answers)
    if answers.amount_unit == MINOR and habit.currency and not reading.profile.currency:
        answers = replace(answers, currency=habit.currency)
        reading = tries.read(answers)
    reading = replace(reading, warnings=(*reading.warnings, *of_dates))
    return reading, replace(answers, mapping=tries.mapping)


def _as_the_log(
    tries: _Tries, answers: Answers, habit: Habit, error: NeedsAnswer
) -> tuple[Answers, tuple[Message, ...]]:
    """Return the answers with what the log says to a question that a file leaves open, and what is to be said of it.

    Raises:
        NeedsAnswer: the question, where the log does not tell.
    """
    if error.code.startswith(LEFT_TO_THE_LOG[0]) and habit.date_order and not answers.date_order:
        order, said = _order_that_joins(tries, answers, habit, error)
        return replace(answers, date_order=order), said
    if error.code.startswith(LEFT_TO_THE_LOG[1]) and habit.decimal and not answers.decimal:
        return replace(answers, decimal=habit.decimal), ()
    raise error


def _order_that_joins(
    tries: _Tries, answers: Answers, habit: Habit, error: NeedsAnswer
) -> tuple[str, tuple[Message, ...]]:
    """Return the order of ambiguous dates in which a file joins its log, and what is to be said of it.

    In the right one hardly a row is new in the time that the log covers, or lies in the future, and in the others many
    more are. Where that does not tell, it is the log's own, unless the file would then have the first days of months
    only.

    Raises:
        NeedsAnswer: the error, where that leaves several orders or none.
    """
    own, column, readings = habit.date_order, error.params["column"], error.params.get("spans", {})
    said = Message("warning.dates_as_before", {"column": column, "order": own.upper()})
    if not habit.events or own not in readings:
        return own, (said,)
    found = {order: join_dates(tries.read(replace(answers, date_order=order)), habit.events) for order in readings}
    best, second = sorted(found, key=lambda order: (found[order].strange, order != own))[:2]
    few = found[best].strange <= MAX_STRANGE * found[best].rows
    clear = few and found[second].strange >= max(MIN_STRANGE, MORE * found[best].strange)
    if own == best and few and (clear or not found[own].first_days):
        return own, (said,)
    if not clear:
        raise error
    params = {"column": column, "order": best.upper(), "before": own.upper()}
    return best, (Message("warning.dates_in_other_order", params),)


class _Tries:
    """Readings of one file, each with the earlier file's columns as far as this one has them.

    Attributes:
        mapping: canonical name -> source column, without those that turned out to be missing.
    """

    def __init__(
        self,
        path: Path,
        said: Mapping[str, str],
        habit: Habit,
        scratch: Path,
        progress: Progress,
        original: str,
        key: bytes | None,
        part: bool,
    ) -> None:
        self._path, self._said, self._habit = path, said, habit
        self._scratch, self._progress, self._original = scratch, progress, original
        self._key, self._part = key, part
        self._number = 0
        self.mapping = named_anew(habit.mapping, said)

    def read(self, answers: Answers) -> Reading:
        """Return the file read with ``answers``; a column of the earlier file that it lacks is left out.

        Raises:
            NeedsAnswer: something can be read in two ways.
            Refused: it cannot be used, or lacks a column of :data:`NEEDED`.
            UsageError: it lacks a column that the person named.
        """
        while True:
            try:
                return self._once(replace(answers, mapping=self.mapping))
            except UsageError as error:
                canonical = str(error.params.get("canonical", ""))
                if error.code != "map_column" or canonical in self._said:
                    raise
                if canonical in NEEDED:
                    called = self._original or self._path.name
                    params = {"dataset": self._habit.dataset, "file": called, **error.params}
                    raise Refused("mapped_column_missing", **params) from error
                self.mapping = {name: column for name, column in self.mapping.items() if name != canonical}

    def _once(self, answers: Answers) -> Reading:
        self._number += 1
        folder = self._scratch / f"try-{self._number}"
        folder.mkdir()
        return read_log(
            self._path,
            answers,
            folder,
            self._progress,
            original=self._original,
            key=self._key,
            hidden=self._habit.hidden,
            part=self._part,
            usual=self._habit.encoding,
        )
