"""Alerts: what checks found, named in words, one for each thing that changed and not one for each check of it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from clv_core.columns import EVENT_TYPE, RETURN
from clv_core.features.labels import label
from clv_core.i18n import DEFAULT_LANGUAGE, has, say_day, say_last_day, say_list, say_number, translate
from clv_core.monitoring.drift.check import Check
from clv_core.monitoring.drift.profile import PRICES
from clv_core.monitoring.drift.sights import PREDICTED

DATA, PREDICTIONS, REALISED = "data", "predictions", "realised"
LIGHTS: Final = (DATA, PREDICTIONS, REALISED)
GRAVE: Final = (
    "lost_", "new_event_type", "gaps_", "events_fell", "customers_fell", "returns_", "predicted_", "p_purchase_",
    "realised_",
)  # fmt: skip
"""Beginnings of codes that turn a light red; the others turn it amber."""
MONEY: Final = (*PRICES, "predicted_clv")
"""What checks of it find is in the log's currency."""
NAMED: Final = 3
"""So many drifted features are named; the rest is a number."""


@dataclass(frozen=True)
class Alert:
    """One thing that changed.

    Args:
        id: the same for the same change, run after run.
        light: which question it is about, one of :data:`LIGHTS`.
        grave: whether the light turns red, not amber.
        code: catalogue key without ``alert.``.
        params: figures of the latest chunk in which it shows; JSON types only.
        begin: ISO date of the first day in which it shows.
        end: ISO date of the last midnight.
        acknowledged: who has seen it and when, empty where nobody has.
    """

    id: str
    light: str
    grave: bool
    code: str
    params: dict[str, Any]
    begin: str
    end: str
    acknowledged: dict[str, str] = field(default_factory=dict)

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return what changed in a sentence."""
        said = {key: _said(key, value, language) for key, value in self.params.items()}
        if "value" in said:
            said["value"] = _called(self.code, said["value"], language)
        # Predictions are looked at as of instants; all else is of the days before the last midnight.
        last = say_day if self.light == PREDICTIONS or self.begin == self.end else say_last_day
        days = {"begin": say_day(self.begin, language), "end": last(self.end, language)}
        when = days["begin"] if self.begin == self.end else translate("alert.when", language, **days)
        return translate(f"alert.{self.code}", language, when=when, **said)

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return a JSON-ready dictionary with the sentence."""
        return {**dataclasses.asdict(self), "message": self.text(language)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the alert of :meth:`to_json`'s dictionary."""
        return cls(**{key: value for key, value in values.items() if key != "message"})


def alert_of(
    light: str, code: str, subject: str, params: dict[str, Any], begin: str, end: str, *, longer: bool = False
) -> Alert:
    """Return an alert; its id tells it from others of the same code by what it is about, and since when.

    ``longer``: it shows in the first that was looked at, and may have begun before; its id then stays the same while
    what is looked at moves on.
    """
    mark = hashlib.sha256("\n".join((code, subject, "" if longer else begin)).encode()).hexdigest()[:12]
    return Alert(mark, light, code.startswith(GRAVE), code, params, begin, end)


def alerts_of(checks: Iterable[Check], currency: str = "") -> list[Alert]:
    """Return the alerts of all checks: one for a change that goes on over consecutive chunks, the earliest first.

    Args:
        checks: of all chunks.
        currency: of the log's amounts; empty where it has no name.
    """
    checks = list(checks)
    oldest = min((check.chunk for check in checks if _light(check) == PREDICTIONS), default=0)
    beyond = [check for check in checks if check.alert]
    kept = [check for check in beyond if not _implied(check, beyond)]
    named = [_named(check) for check in kept if check.test != "sight" or check.subject in PREDICTED]
    named += _drifted([check for check in kept if check.test == "sight" and check.subject not in PREDICTED])
    going: dict[tuple[str, str], list[tuple[Check, dict[str, Any]]]] = {}
    found: list[Alert] = []
    for check, code, subject, params in sorted(named, key=lambda item: item[0].chunk):
        run = going.setdefault((code, subject), [])
        if run and run[-1][0].chunk < check.chunk - 1:
            found.append(_joined(code, subject, run, currency, oldest))
            run.clear()
        run.append((check, params))
    found += [_joined(code, subject, run, currency, oldest) for (code, subject), run in going.items() if run]
    return sorted(found, key=lambda alert: (alert.begin, not alert.grave, alert.code))


def acknowledge(alerts: Sequence[Alert], known: dict[str, dict[str, str]]) -> list[Alert]:
    """Return the alerts, those that somebody has seen marked so."""
    return [replace(alert, acknowledged=known.get(alert.id, {})) for alert in alerts]


def _joined(code: str, subject: str, run: list[tuple[Check, dict[str, Any]]], currency: str, oldest: int) -> Alert:
    first, (last, params) = run[0][0], run[-1]
    if first.subject in MONEY:
        params = {**params, "currency": currency}
    light = _light(first)
    if light == DATA:
        return alert_of(light, code, subject, params, first.begin, last.end)
    return alert_of(light, code, subject, params, first.end, last.end, longer=first.chunk == oldest > 0)


def _light(check: Check) -> str:
    return PREDICTIONS if check.test == "sight" or check.subject in PREDICTED else DATA


def _implied(check: Check, beyond: Sequence[Check]) -> bool:
    """Say whether another alert of the same chunk says the same, and more."""
    others = [one for one in beyond if one.chunk == check.chunk and one is not check]
    values = [one for one in others if one.test in ("new", "lost") and one.subject == check.subject]
    if check.test == "psi":
        return bool(values)
    if check.test == "volume" and check.subject == EVENT_TYPE:
        rates = [one for one in others if one.subject == "returns" and check.value == RETURN]
        return bool(rates) or any(one.value == check.value for one in values)
    if check.test == "ks":
        return any(one.test == "level" and one.subject == check.subject for one in others)
    if check.test == "sight" and check.subject in PREDICTED:
        return any(one.test == "level" and one.subject == check.subject for one in others)
    return False


def _named(check: Check) -> tuple[Check, str, str, dict[str, Any]]:
    """Return a check with its code, what tells it from others of that code, and the figures that its words need."""
    side = "rose" if check.rose else "fell"
    figures: dict[str, Any] = {"found": check.found, "usual": check.usual, "change": _change(check)}
    subject, value = check.subject, check.value
    if check.test == "volume":
        code = f"events_{side}" if subject == EVENT_TYPE else f"customers_{side}"
        return check, code, value, {**figures, "value": value}
    if check.test == "share" and subject.startswith("missing:"):
        code = f"gaps_{subject.removeprefix('missing:')}_{side}"
        return check, code, value, {**_shares(check.found, check.usual), "value": value}
    if check.test == "share":
        return check, f"returns_{side}", "", _shares(check.found, check.usual)
    if check.test == "psi":
        shares = _shares(check.params["share"], check.params["before"])
        return check, f"mix_{subject}", "", {**shares, "value": value, "index": check.found}
    if check.test in ("new", "lost"):
        share = _shares(check.found, check.usual)
        return check, f"{check.test}_{subject}", value, {**share, "value": value}
    if check.test == "ks":
        medians = {"found": check.params["median"], "usual": check.params["before"]}
        return check, f"shape_{subject}", "", {**medians, "distance": check.found}
    if check.test == "sight":
        return check, f"{_short(subject)}_shape", "", {"index": check.found, "limit": check.high}
    kind = "orders" if subject == "orders" else f"price_{subject}" if subject in PRICES else _short(subject)
    if subject == "p_purchase":
        figures = _shares(check.found, check.usual)
    return check, f"{kind}_{side}", "", figures


def _drifted(checks: Sequence[Check]) -> list[tuple[Check, str, str, dict[str, Any]]]:
    """Return one finding for all features that drifted at an instant."""
    found = []
    for chunk in sorted({check.chunk for check in checks}):
        here = sorted((check for check in checks if check.chunk == chunk), key=lambda check: -check.found)
        params = {
            "features": [check.subject for check in here[:NAMED]],
            "count": len(here),
            "index": here[0].found,
        }
        found.append((here[0], "features", "", params))
    return found


def _short(subject: str) -> str:
    return "predicted" if subject == "predicted_clv" else subject


def _change(check: Check) -> str:
    ratio = check.found / check.usual - 1 if check.usual else 0.0
    return f"{abs(ratio):.0%}"


def _shares(found: float, usual: float) -> dict[str, str]:
    return {"found": f"{found:.1%}", "usual": f"{usual:.1%}"}


def _called(code: str, value: str, language: str) -> str:
    """Return what an event type or a column is called, where it has a name; what comes from data stays as it is."""
    family = "canonical" if code.startswith("gaps_") else "event" if "event" in code else ""
    key = f"{family}.{value}"
    return translate(key, language) if family and has(key, language) else value


def _said(key: str, value: Any, language: str) -> str:
    if key == "features":
        return say_list((label(name, language) for name in value), language)
    return value if isinstance(value, str) else say_number(float(value), language)
