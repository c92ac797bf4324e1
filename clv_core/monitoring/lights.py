"""One light a question, and what to do: keep, retrain, or investigate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from clv_core.errors import Message
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.monitoring.alerts import DATA, LIGHTS, PREDICTIONS, REALISED, Alert

GREEN, AMBER, RED, UNKNOWN = "green", "amber", "red", "unknown"
KEEP, RETRAIN, INVESTIGATE = "keep", "retrain", "investigate"
BROKEN = "recommend.investigate.data"


@dataclass(frozen=True)
class Light:
    """The answer to one question.

    Args:
        question: one of :data:`~clv_core.monitoring.alerts.LIGHTS`.
        colour: ``green``, ``amber``, ``red``, or ``unknown`` where nothing can be said yet.
        alerts: how many open alerts it has.
        why: in a sentence.
    """

    question: str
    colour: str
    alerts: int
    why: Message

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return a JSON-ready dictionary with the sentence."""
        about = {"light": self.colour, "alerts": self.alerts, **self.why.coded()}
        return {**about, "message": self.why.text(language)}

    @classmethod
    def from_json(cls, question: str, values: dict[str, Any]) -> Self:
        """Return the light of :meth:`to_json`'s dictionary."""
        return cls(question, values["light"], values["alerts"], Message(values["code"], values["params"]))


@dataclass(frozen=True)
class Recommendation:
    """What to do.

    Args:
        action: ``keep``, ``retrain`` or ``investigate``.
        why: in a sentence.
    """

    action: str
    why: Message

    @property
    def of_broken_data(self) -> bool:
        """Whether the data has to be looked at first: a model that was trained on it may have learned the fault."""
        return self.why.code == BROKEN

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return a JSON-ready dictionary with the sentence."""
        return {"action": self.action, **self.why.coded(), "message": self.why.text(language)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the recommendation of :meth:`to_json`'s dictionary."""
        return cls(values["action"], Message(values["code"], values["params"]))


def lights_of(
    alerts: Sequence[Alert],
    unknown: Mapping[str, Message],
    noted: Mapping[str, Message] | None = None,
    fine: Mapping[str, Message] | None = None,
) -> list[Light]:
    """Return a light for each question.

    Args:
        alerts: all; those that somebody has acknowledged no longer count.
        unknown: why nothing can be said, by question; questions that can be answered are not in it.
        noted: what is no alert and yet not as expected, by question; it counts where there is no alert at all.
        fine: what is said where nothing is wrong, by question, instead of the usual words.
    """
    found = []
    for question in LIGHTS:
        own = [alert for alert in alerts if alert.light == question and not alert.acknowledged]
        if own:
            colour = RED if any(alert.grave for alert in own) else AMBER
            found.append(Light(question, colour, len(own), Message(f"light.{question}.{colour}", {"n": len(own)})))
        elif question in (noted or {}) and not any(alert.light == question for alert in alerts):
            found.append(Light(question, AMBER, 0, (noted or {})[question]))
        elif question in unknown:
            found.append(Light(question, UNKNOWN, 0, unknown[question]))
        else:
            seen = sum(alert.light == question for alert in alerts)
            usual = (fine or {}).get(question, Message(f"light.{question}.{GREEN}"))
            found.append(Light(question, GREEN, 0, Message("light.seen", {"n": seen}) if seen else usual))
    return found


def recommend(lights: Sequence[Light]) -> Recommendation:
    """Return what to do.

    Data that arrives broken has to be looked at first: a model trained on it would learn the fault. What a model can
    learn is learned by training it again.
    """
    by = {light.question: light.colour for light in lights}
    noted = {light.question for light in lights if light.colour == AMBER and not light.alerts}
    if by[DATA] == RED:
        return Recommendation(INVESTIGATE, Message(BROKEN))
    if by[REALISED] == RED:
        return Recommendation(RETRAIN, Message("recommend.retrain.realised"))
    if by[PREDICTIONS] == RED or by[PREDICTIONS] == AMBER:
        return Recommendation(RETRAIN, Message("recommend.retrain.predictions"))
    if by[DATA] == AMBER:
        return Recommendation(RETRAIN, Message("recommend.retrain.data"))
    if REALISED in noted:
        return Recommendation(KEEP, Message("recommend.keep.outside"))
    if by[REALISED] == AMBER:
        return Recommendation(INVESTIGATE, Message("recommend.investigate.coverage"))
    if set(by.values()) == {UNKNOWN}:
        return Recommendation(KEEP, Message("recommend.keep.early"))
    if UNKNOWN in by.values():
        return Recommendation(KEEP, Message("recommend.keep.partly"))
    return Recommendation(KEEP, Message("recommend.keep"))
