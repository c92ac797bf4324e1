"""The event log as models see it: steps, snapshots at any cutoff, and nothing at or after a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES, RATING, RATING_EVENT, REVIEW, REVIEW_TEXT
from clv_core.errors import NotEnoughData
from clv_core.features.anchor import Anchor
from clv_core.features.context.context import MOST_CUSTOMERS, LazyContext, sample_steps
from clv_core.features.duckdb_engine import Engine
from clv_core.features.event_store import EventStore
from clv_core.features.relation_cache import cache_folder, open_store
from clv_core.features.relations import EPOCH, day_of
from clv_core.features.review_texts import read_reviews
from clv_core.features.sequences import Steps, Windows, windows_at
from clv_core.features.signals import Signal, attributes_of, read_attribute
from clv_core.features.snapshot import Snapshot

if TYPE_CHECKING:
    import ibis

    from clv_core.collection.store import Dataset

MEMORY_LIMIT_MB: Final = 512
"""To sort a log's rows: with 1,536 ten million took 1,550 MB instead of 1,040, and as long."""


@dataclass(frozen=True)
class LogContents:
    """What is read of a log.

    Args:
        event_types: ``all``; ``unrated``: without ratings and reviews; ``purchases``: purchases and returns only.
        attributes: whether the attributes of the customers table are read.
        review_text: whether review texts are.
    """

    event_types: str = "all"
    attributes: bool = True
    review_text: bool = True


@dataclass(frozen=True, eq=False)
class EventLog:
    """A log, summed by customer and day once, ready for snapshots.

    Args:
        dataset: where the events come from; None for a bare table.
        connection: the engine of the events.
        store: of the events, summed by customer and day.
        first_day: local date of the first event.
        end: the midnight at which the log ends.
        engine: the engine to close with the log; None where the connection is someone else's.
        signals: the columns that this dataset has beyond ``FEATURES``.
    """

    dataset: Dataset | None
    connection: ibis.BaseBackend
    store: EventStore
    first_day: date
    end: date
    engine: Engine | None = None
    signals: tuple[Signal, ...] = ()

    @classmethod
    def from_table(
        cls,
        events: ibis.Table,
        connection: ibis.BaseBackend,
        *,
        contents: LogContents = LogContents(),
        before: date | None = None,
        dataset: Dataset | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Return the log of a table of canonical columns.

        Args:
            events: canonical columns, ``event_time`` naive in the log's time zone.
            connection: the Ibis engine of ``events``. The embedded one hands them over as sorted columns; of any other
                engine the relations become tables.
            contents: what is read of it.
            before: nothing at or after this midnight is read.
            dataset: what the table belongs to, which has the log's end; without one the log ends at the
                midnight after its last event.
            cache: folder of the relations from one run to the next (:mod:`clv_core.features.relation_cache`); None:
                they go with the engine.

        Raises:
            NotEnoughData: no event is left.
        """
        import ibis

        if contents.event_types == "purchases":
            events = events.filter(events[EVENT_TYPE].isin(MONEY_TYPES))
        elif contents.event_types == "unrated":
            events = events.filter(~events[EVENT_TYPE].isin((RATING_EVENT, REVIEW)).fill_null(False))
            events = events.mutate(**{RATING: ibis.null("float64"), REVIEW_TEXT: ibis.null("string")})
        if before is not None:
            events = events.filter(events[EVENT_TIME] < ibis.timestamp(before.isoformat()))
        store = open_store(events, connection, cache)
        span = store.span()
        if span is None:
            if before is None:
                raise NotEnoughData("log_empty")
            raise NotEnoughData("log_empty_before", before=before.isoformat())
        first, after = EPOCH + timedelta(days=span[0]), EPOCH + timedelta(days=span[1] + 1)
        customers = store.customers_table(connection)
        signals: list[Signal] = []
        if contents.attributes and dataset is not None:
            signals += [
                read_attribute(connection, dataset, customers, attribute) for attribute in attributes_of(dataset)
            ]
        reviews = read_reviews(events, customers, connection) if contents.review_text else None
        if reviews is not None:
            signals.append(reviews)
        end = before or (after if dataset is None else dataset.log_end)
        return cls(dataset, connection, store, first, end, signals=tuple(signals))

    @cached_property
    def steps(self) -> Steps:
        """All steps of the log, ordered by customer and time; read once."""
        return self.store.steps()

    def sample(self, cutoff_day: int) -> Steps:
        """Return the steps of at most :data:`~clv_core.features.context.context.MOST_CUSTOMERS` customers seen by then.

        Of a small log these are all steps; those at or after the cutoff are the reader's to leave out.
        """
        small = len(self.store.customer_ids) <= MOST_CUSTOMERS
        return self.steps if small else sample_steps(self.store, cutoff_day)

    def steps_in_parts(self, customers_at_once: int) -> Iterator[Steps]:
        """Yield the steps of consecutive customers: memory for a part is enough."""
        customers = len(self.store.customer_ids)
        if customers <= customers_at_once:
            yield self.steps
            return
        for first in range(0, customers, customers_at_once):
            yield self.store.steps(first, min(customers, first + customers_at_once))

    def context(self, cutoff_day: int, horizon_days: int, anchor: Anchor) -> LazyContext:
        """Return the log's context at a cutoff, to be made at its first use; ``anchor`` is the one fitted there."""
        return LazyContext(lambda: self.sample(cutoff_day), cutoff_day, horizon_days, counts=anchor.counts)

    def snapshot(
        self, cutoff: date, horizon_days: int, *, max_steps: int = 40, label_days: int | None = None
    ) -> Snapshot:
        """Return all customers with any event before ``cutoff``, their features, and their value afterwards.

        Args:
            cutoff: midnight, log-local.
            horizon_days: length of the predicted span.
            max_steps: most steps of a window.
            label_days: how much of the horizon the target covers; None is all of it.

        Raises:
            NotEnoughData: no customer was seen before the cutoff.
        """
        from clv_core.features.feature_table import feature_table

        day = day_of(cutoff)
        customers, windows = windows_at(self.steps, day, max_steps)
        if len(customers) == 0:
            raise self._nobody(cutoff)
        features, anchor = feature_table(self.store, cutoff, horizon_days, customers)
        context = self.context(day, horizon_days, anchor)
        ids = self.steps.customer_ids[customers]
        part = self._snapshot(features, ids, customers, windows, anchor, context)
        return replace(part, target=self._target(day, label_days or horizon_days, customers))

    def parts(
        self,
        cutoff: date,
        horizon_days: int,
        *,
        max_steps: int = 40,
        customers_at_once: int,
        most: int | None = None,
        anchor: Anchor | None = None,
    ) -> Iterator[Snapshot]:
        """Yield :meth:`snapshot` in parts of consecutive customers, without what followed: memory for a part is enough.

        Args:
            cutoff: midnight, log-local.
            horizon_days: length of the predicted span.
            max_steps: most steps of a window.
            customers_at_once: rows of each part but the last.
            most: of more customers than that only so many are read, in parts that lie evenly among all.
            anchor: fitted on those whom the customers are to be seen among; None fits it on them.

        Raises:
            NotEnoughData: no customer was seen before the cutoff.
        """
        from clv_core.features.feature_table import Anchored, feature_table

        day = day_of(cutoff)
        everyone = self._seen(cutoff)
        anchored = Anchored.of(self.store, cutoff, horizon_days, everyone) if anchor is None else None
        shared_anchor = anchor if anchored is None else anchored.anchor
        assert shared_anchor is not None
        context = self.context(day, horizon_days, shared_anchor)
        begins = np.arange(0, len(everyone), customers_at_once)
        if most is not None and len(everyone) > most:
            begins = begins[np.linspace(0, len(begins) - 1, max(1, most // customers_at_once)).astype(np.int64)]
        for begin in begins.tolist():
            end = begin + customers_at_once
            customers = everyone[begin:end]
            steps = self.store.steps(int(customers[0]), int(customers[-1]) + 1)
            places, windows = windows_at(steps, day, max_steps)
            part_anchored = shared_anchor if anchored is None else anchored.part(begin, end)
            features, fitted = feature_table(self.store, cutoff, horizon_days, customers, part_anchored)
            yield self._snapshot(features, steps.customer_ids[places], customers, windows, fitted, context)

    def history(
        self, cutoff: date, horizon_days: int, anchor: Anchor | None = None
    ) -> tuple[pd.DataFrame, NDArray[np.float64] | None, Anchor]:
        """Return the anchor's inputs and features of all customers seen before ``cutoff``, and their value afterwards.

        Args:
            cutoff: midnight, log-local.
            horizon_days: length of the predicted span.
            anchor: fitted on those whom the customers are to be seen among; None fits it on them.

        Returns:
            The columns of :meth:`snapshot` that hold it, one row a customer, [n, k]; its target, [n], or None; the
            anchor.

        Raises:
            NotEnoughData: no customer was seen before the cutoff.
        """
        from clv_core.features.feature_table import Anchored

        customers = self._seen(cutoff)
        anchored = Anchored.of(self.store, cutoff, horizon_days, customers, anchor)
        return pd.DataFrame(anchored.columns), self._target(day_of(cutoff), horizon_days, customers), anchored.anchor

    def _seen(self, cutoff: date) -> NDArray[np.int64]:
        customers = self.store.seen(day_of(cutoff))
        if len(customers) == 0:
            raise self._nobody(cutoff)
        return customers

    def _nobody(self, cutoff: date) -> NotEnoughData:
        return NotEnoughData("no_customer_before", cutoff=cutoff.isoformat(), first=self.first_day.isoformat())

    def _target(self, day: int, horizon_days: int, customers: NDArray[np.int64]) -> NDArray[np.float64] | None:
        is_complete = EPOCH + timedelta(days=day + horizon_days) <= self.end
        return self.store.net_value(day, day + horizon_days)[customers] if is_complete else None

    def _snapshot(
        self,
        features: pd.DataFrame,
        customer_ids: NDArray[np.object_],
        customers: NDArray[np.int64],
        windows: Windows,
        anchor: Anchor,
        context: LazyContext,
    ) -> Snapshot:
        day = context.cutoff_day
        if self.signals:
            features = features.assign(**{signal.name: signal.at(day, customers) for signal in self.signals})
        features.index = pd.Index(customer_ids, name=CUSTOMER_ID)
        columns = {signal.name: signal.column for signal in self.signals}
        contexts = {day: context}
        anchors = {day: anchor}
        return Snapshot(features, windows, context.horizon_days, None, anchors, signals=columns, contexts=contexts)

    def close(self) -> None:
        """Let go of the engine and its files; steps and snapshots that were read stay usable."""
        if self.engine is not None:
            self.engine.close()


def open_log(
    dataset: Dataset,
    *,
    event_types: str = "all",
    before: date | None = None,
    attributes: bool = True,
    review_text: bool = True,
) -> EventLog:
    """Return the log of a dataset, in an engine of its own that goes with it.

    Args:
        dataset: the stored log.
        event_types: ``all``; ``unrated``: without ratings and reviews; ``purchases``: purchases and returns only.
        before: nothing at or after this midnight is read.
        attributes: whether the attributes of the customers table are read.
        review_text: whether review texts are.

    Raises:
        NotEnoughData: no event is left, or the log ends before ``before``: days that it does not hold are not days
            without purchases.
    """
    if before is not None and before > dataset.log_end:
        raise NotEnoughData("cutoff_after_log", cutoff=before.isoformat(), end=dataset.log_end.isoformat())
    engine = Engine(MEMORY_LIMIT_MB)
    log = EventLog.from_table(
        dataset.events(engine.connection),
        engine.connection,
        contents=LogContents(event_types, attributes, review_text),
        before=before,
        dataset=dataset,
        cache=cache_folder(dataset, event_types, before),
    )
    return replace(log, engine=engine)
