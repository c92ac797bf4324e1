"""How old scores and their model are; warnings where they are too old, have seen beyond the day, or lack columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from clv_core.collection.privacy import learned_from
from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.model_record import Signals
from clv_core.errors import Message, NotFound
from clv_core.features import attributes_of
from clv_core.records import JsonObject
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from clv_core.training import Model


def training_cutoff(bundle: Bundle) -> date | None:
    """Return the cutoff up to which a model learned; None where it has learned nothing from a log."""
    return None if bundle.untrained else bundle.record.cutoff


def staleness_warnings(cutoff: date | None, horizon_days: int, as_of: date) -> list[Message]:
    """Return a warning where a model is too old for a day, or learned from later data.

    Args:
        cutoff: up to which the model learned; None where that is unknown.
        horizon_days: that it was trained on; it is too old once all of that has passed.
        as_of: midnight that the scores are as of.
    """
    if cutoff is None:
        return []
    days, params = (as_of - cutoff).days, {"as_of": as_of.isoformat(), "cutoff": cutoff.isoformat()}
    if days < 0:
        return [Message("warning.before_cutoff", {**params, "days": -days})]
    if days > horizon_days:
        return [Message("warning.service_late", {**params, "days": days, "horizon_days": horizon_days})]
    return []


def old_scores_warnings(as_of: date, horizon_days: int, today: date) -> list[Message]:
    """Return a warning where the days that scores are about have all passed.

    Args:
        as_of: midnight that the scores are as of.
        horizon_days: that they are about, from then on.
        today: in the log's time zone.
    """
    days = (today - as_of).days
    if days <= horizon_days:
        return []
    return [Message("warning.scores_old", {"as_of": as_of.isoformat(), "days": days, "horizon_days": horizon_days})]


def model_age(cutoff: date | None, as_of: date) -> JsonObject:
    """Return ``{cutoff, days_since_cutoff}`` of scores as of a day; null where the model learned nothing from a log."""
    if cutoff is None:
        return {"cutoff": None, "days_since_cutoff": None}
    return {"cutoff": cutoff.isoformat(), "days_since_cutoff": (as_of - cutoff).days}


def today_in(timezone: str) -> date:
    """Return today's date in a time zone."""
    return datetime.now(UTC).astimezone(ZoneInfo(timezone)).date()


def bundle_staleness_warnings(bundle: Bundle, as_of: date) -> list[Message]:
    """Return :func:`staleness_warnings` of a bundle's scores."""
    return staleness_warnings(training_cutoff(bundle), bundle.record.horizon_days, as_of)


def learned_from_objected(workspace: Workspace, bundle: Bundle) -> int:
    """Return how many customers who object to profiling now a model was trained with; 0 where its log is gone."""
    if bundle.untrained:
        return 0
    record = bundle.record
    try:
        return learned_from(workspace, record.dataset.name, record.dataset.version, record.cutoff)
    except NotFound:
        return 0


def signals_of(model: Model, dataset: Dataset, config: TrainConfig) -> Signals:
    """Return the dataset's own columns that a model reads; none for models that read no feature table.

    A model of the user's own may read each attribute.
    """
    from clv_core.training import OwnModel, table_of

    table = table_of(model)
    if table is None and not isinstance(model, OwnModel):
        return Signals()
    attributes = tuple(attributes_of(dataset)) if config.attributes else ()
    return Signals(attributes, () if table is None else tuple(tuple(theme) for theme in table.review_themes()))


def gap_warnings(config: TrainConfig, customers: int) -> list[Message]:
    """Return how many customers lack a feature that the training windows had to have; their gap was filled."""
    if not customers:
        return []
    names = ", ".join(config.features_to_check)
    return [Message("warning.gaps_filled", {"customers": customers, "names": names})]


def lost_signal_warnings(bundle: Bundle, dataset: Dataset) -> list[Message]:
    """Return a warning where a dataset lacks attributes that the model learned from, or has them as another kind.

    Such an attribute counts as missing, as for a customer who is not in the customers table.
    """
    learned = bundle.record.signals.attributes
    kinds = {attribute.name: attribute.kind for attribute in attributes_of(dataset)}
    lost = [attribute.name for attribute in learned if kinds.get(attribute.name) != attribute.kind]
    if not lost:
        return []
    return [Message("warning.attributes_lost", {"names": ", ".join(lost), "dataset": dataset.name, "count": len(lost)})]
