"""Whether a model may be asked as of a day: neither long after what it learned from, nor before the end of it."""

from __future__ import annotations

from datetime import date

from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message


def learned_until(bundle: Bundle) -> date | None:
    """Return the cutoff up to which a model learned; None where it has learned nothing from a log."""
    return None if bundle.untrained else date.fromisoformat(bundle.record["cutoff"])


def untimely(cutoff: date | None, horizon_days: int, as_of: date) -> list[Message]:
    """Return a warning where scores are as of a day that the model is too old for, or has seen beyond.

    Args:
        cutoff: up to when the model learned; None where that is not known.
        horizon_days: that it was trained on; it is too old once all of that has passed.
        as_of: midnight that the scores speak of.
    """
    if cutoff is None:
        return []
    days, said = (as_of - cutoff).days, {"as_of": as_of.isoformat(), "cutoff": cutoff.isoformat()}
    if days < 0:
        return [Message("warning.before_cutoff", {**said, "days": -days})]
    if days > horizon_days:
        return [Message("warning.service_late", {**said, "days": days, "horizon_days": horizon_days})]
    return []


def untimely_scores(bundle: Bundle, as_of: date) -> list[Message]:
    """Return what :func:`untimely` says of scores that a bundle made."""
    return untimely(learned_until(bundle), bundle.record["horizon_days"], as_of)
