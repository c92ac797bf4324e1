"""The health of a model: a status for each question, and what to do: keep, retrain, or investigate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.monitoring.alerts import DATA, LIGHTS, PREDICTIONS, REALISED, Alert
from clv_core.monitoring.realized.realized_value import with_tier_name
from clv_core.records import JsonObject, StoredRecord

GREEN, AMBER, RED, UNKNOWN = "green", "amber", "red", "unknown"
KEEP, RETRAIN, INVESTIGATE = "keep", "retrain", "investigate"
BROKEN = "recommend.investigate.data"
WAIT = "recommend.keep.wait"


@dataclass(frozen=True)
class HealthStatus(StoredRecord):
    """The answer to one question.

    Args:
        question: one of :data:`~clv_core.monitoring.alerts.LIGHTS`.
        colour: ``green``, ``amber``, ``red``, or ``unknown`` where there is not enough data yet.
        alerts: how many open alerts it has.
        why: the reason, as a message.
    """

    question: str
    colour: str
    alerts: int
    why: Message

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> JsonObject:
        """Return a JSON-ready dictionary with the message as text."""
        about = {"light": self.colour, "alerts": self.alerts, **self.why.coded()}
        return {**about, "message": self.named(language).text(language)}

    def named(self, language: str = DEFAULT_LANGUAGE, tiers: Sequence[str] = ()) -> Message:
        """Return the reason for a reader: a tier by its name, of those of all ``tiers``, or of the scheme."""
        return with_tier_name(self.why, language, tiers)


@dataclass(frozen=True)
class Recommendation(StoredRecord):
    """What to do.

    Args:
        action: ``keep``, ``retrain`` or ``investigate``.
        why: the reason, as a message.
    """

    action: str
    why: Message

    @property
    def of_broken_data(self) -> bool:
        """Whether the data has to be investigated first: a model trained on it may have learned the fault."""
        return self.why.code == BROKEN

    @property
    def to_wait(self) -> bool:
        """Whether the model should be retrained, but not yet: no test would show what changed."""
        return self.why.code == WAIT

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> JsonObject:
        """Return a JSON-ready dictionary with the message as text."""
        return {"action": self.action, **self.why.coded(), "message": self.why.text(language)}


def assess_health(
    alerts: Sequence[Alert],
    unknown: Mapping[str, Message],
    noted: Mapping[str, Message] | None = None,
    fine: Mapping[str, Message] | None = None,
) -> list[HealthStatus]:
    """Return a status for each question.

    Args:
        alerts: all; acknowledged ones no longer count.
        unknown: by question, why it cannot be answered.
        noted: by question, what is unexpected but no alert; it counts where the question has no alert at all.
        fine: by question, the message of a green status instead of the usual one.
    """
    noted, fine = noted or {}, fine or {}
    statuses = []
    for question in LIGHTS:
        of_question = [alert for alert in alerts if alert.light == question]
        unseen = [alert for alert in of_question if alert.is_open]
        if unseen:
            colour = RED if any(alert.grave for alert in unseen) else AMBER
            why = Message(f"light.{question}.{colour}", {"n": len(unseen)})
        elif question in noted and not of_question:
            colour, why = AMBER, noted[question]
        elif question in unknown:
            colour, why = UNKNOWN, unknown[question]
        elif of_question:
            colour, why = GREEN, Message("light.seen", {"n": len(of_question)})
        else:
            colour, why = GREEN, fine.get(question, Message(f"light.{question}.{GREEN}"))
        statuses.append(HealthStatus(question, colour, len(unseen), why))
    return statuses


def testable_since(alerts: Sequence[Alert], horizon_days: int) -> date | None:
    """Return from which end of the log on a candidate can be tested on the first open change of the data.

    It is tested on the last forecast period of the log, which has to begin after the change. None: nothing changed.
    """
    begins = [date.fromisoformat(alert.begin) for alert in alerts if alert.light == DATA and alert.is_open]
    return min(begins) + timedelta(days=horizon_days + 1) if begins else None


def recommend(statuses: Sequence[HealthStatus], wait: date | None = None) -> Recommendation:
    """Return what to do.

    Broken data has to be investigated first: a model trained on it would learn the fault. What a model can learn is
    learned by retraining.

    Args:
        statuses: of all questions.
        wait: the log has to reach this day before a candidate can be tested on a change of the data; None where it has.
    """
    colours = {status.question: status.colour for status in statuses}
    noted = {status.question for status in statuses if status.colour == AMBER and not status.alerts}
    if colours[DATA] == RED:
        return Recommendation(INVESTIGATE, Message(BROKEN))
    if colours[REALISED] == RED:
        return Recommendation(RETRAIN, Message("recommend.retrain.realised"))
    if colours[PREDICTIONS] in (RED, AMBER):
        return Recommendation(RETRAIN, Message("recommend.retrain.predictions"))
    if colours[DATA] == AMBER and wait is not None:
        return Recommendation(KEEP, Message(WAIT, {"since": wait.isoformat()}))
    if colours[DATA] == AMBER:
        return Recommendation(RETRAIN, Message("recommend.retrain.data"))
    if REALISED in noted:
        return Recommendation(KEEP, Message("recommend.keep.outside"))
    if colours[REALISED] == AMBER:
        return Recommendation(INVESTIGATE, Message("recommend.investigate.coverage"))
    if set(colours.values()) == {UNKNOWN}:
        return Recommendation(KEEP, Message("recommend.keep.early"))
    if UNKNOWN in colours.values():
        return Recommendation(KEEP, Message("recommend.keep.partly"))
    return Recommendation(KEEP, Message("recommend.keep"))
