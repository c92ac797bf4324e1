"""Alerts: checks beyond their limits as messages, one for each thing that changed, not one for each check of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, NamedTuple

from clv_core.columns import EVENT_TYPE, RETURN
from clv_core.features import label
from clv_core.i18n import DEFAULT_LANGUAGE, has, say_day, say_last_day, say_list, say_number, translate
from clv_core.monitoring.drift.feature_histograms import PREDICTED
from clv_core.monitoring.drift.periods import PRICES, Check
from clv_core.records import JsonObject, StoredRecord

DATA, PREDICTIONS, REALISED = "data", "predictions", "realised"
LIGHTS: Final = (DATA, PREDICTIONS, REALISED)
GRAVE: Final = (
    "lost_", "new_event_type", "gaps_", "events_fell", "customers_fell", "returns_", "predicted_", "p_purchase_",
    "realised_",
)  # fmt: skip
"""Beginnings of codes that turn a light red; the others turn it amber."""
MONEY: Final = (*PRICES, "predicted_clv")
"""Subjects of checks whose figures are in the log's currency."""
NAMED_FEATURES: Final = 3
"""So many drifted features are named; the rest is counted."""


@dataclass(frozen=True)
class Acknowledgement(StoredRecord):
    """Who has seen an alert, and when; both empty where nobody has."""

    OMITTED: ClassVar = frozenset({"by", "at"})

    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class Alert(StoredRecord):
    """One thing that changed.

    Args:
        id: the same for the same change, run after run.
        light: its question, one of :data:`LIGHTS`.
        grave: whether health turns red, not amber.
        code: catalogue key without ``alert.``.
        params: figures of the latest period with the change; JSON types only.
        begin: ISO date of the first day of the change; of predictions the first instant that differs from the cutoff.
        end: ISO date of the last midnight; of predictions the last instant.
        acknowledged: who has seen it.
    """

    id: str
    light: str
    grave: bool
    code: str
    params: JsonObject
    begin: str
    end: str
    acknowledged: Acknowledgement = Acknowledgement()

    @property
    def is_open(self) -> bool:
        """Whether nobody has acknowledged it."""
        return self.acknowledged == Acknowledgement()

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the message."""
        params = {key: _formatted(key, value, language) for key, value in self.params.items()}
        if "value" in params:
            params["value"] = _translated(self.code, params["value"], language)
        # Predictions are checked as of instants; all else is of the days before the last midnight.
        last = say_day if self.light == PREDICTIONS or self.begin == self.end else say_last_day
        days = {"begin": say_day(self.begin, language), "end": last(self.end, language)}
        when = days["begin"] if self.begin == self.end else translate("alert.when", language, **days)
        return translate(f"alert.{self.code}", language, when=when, **params)

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> JsonObject:
        """Return a JSON-ready dictionary with the message."""
        return {**super().to_json(), "message": self.text(language)}


def alert_of(
    light: str, code: str, subject: str, params: JsonObject, begin: str, end: str, *, longer: bool = False
) -> Alert:
    """Return an alert; its id is a hash of code, subject and begin.

    ``longer``: the change may have begun before the first check; then its id leaves ``begin`` out, so that it stays the
    same as checks move on.
    """
    mark = hashlib.sha256("\n".join((code, subject, "" if longer else begin)).encode()).hexdigest()[:12]
    return Alert(mark, light, code.startswith(GRAVE), code, params, begin, end)


def alerts_of(checks: Iterable[Check], currency: str = "") -> list[Alert]:
    """Return the alerts of all checks, earliest first: one for a change that lasts for consecutive periods.

    Args:
        checks: of all periods.
        currency: of the log's amounts; empty where it has no name.
    """
    checks = list(checks)
    oldest = min((check.chunk for check in checks if _light(check) == PREDICTIONS), default=0)
    beyond = [check for check in checks if check.alert]
    direct = [check for check in beyond if not _implied(check, beyond)]
    findings = [_finding(check) for check in direct if not _of_feature(check)]
    findings += _drifted([check for check in direct if _of_feature(check)])
    runs: dict[tuple[str, str], list[_Finding]] = {}
    alerts: list[Alert] = []
    for finding in sorted(findings, key=lambda item: item.check.chunk):
        run = runs.setdefault((finding.code, finding.subject), [])
        if run and run[-1].check.chunk < finding.check.chunk - 1:
            alerts.append(_joined(run, currency, oldest))
            run.clear()
        run.append(finding)
    alerts += [_joined(run, currency, oldest) for run in runs.values()]
    return sorted(alerts, key=lambda alert: (alert.begin, not alert.grave, alert.code))


def acknowledge(alerts: Sequence[Alert], acknowledgements: Mapping[str, Acknowledgement]) -> list[Alert]:
    """Return the alerts with who has acknowledged each, by id."""
    return [replace(alert, acknowledged=acknowledgements.get(alert.id, Acknowledgement())) for alert in alerts]


class _Finding(NamedTuple):
    """A check with the code of its alert, its subject among alerts of that code, and the params of its message."""

    check: Check
    code: str
    subject: str
    params: JsonObject


def _joined(run: Sequence[_Finding], currency: str, oldest: int) -> Alert:
    """Return the alert of one change in consecutive periods."""
    (first, code, subject, _), (last, _, _, params) = run[0], run[-1]
    if first.subject in MONEY:
        params = {**params, "currency": currency}
    light = _light(first)
    if light == DATA:
        return alert_of(light, code, subject, params, first.begin, last.end)
    return alert_of(light, code, subject, params, first.end, last.end, longer=first.chunk == oldest > 0)


def _of_feature(check: Check) -> bool:
    return check.test == "sight" and check.subject not in PREDICTED


def _light(check: Check) -> str:
    return PREDICTIONS if check.test == "sight" or check.subject in PREDICTED else DATA


def _implied(check: Check, beyond: Sequence[Check]) -> bool:
    """Whether an alert of the same period covers this one, and is more exact.

    - A new or lost value: that the mix of its column shifted; of an event type also that its events rose or fell.
    - The return rate: how many returns there are, and a mix of event types that shifted mostly by them.
    - How many events of a type there are: a mix of event types that shifted mostly by that type.
    - The level of prices or predictions: the shape of their distribution.
    """
    same_period = [other for other in beyond if other.chunk == check.chunk and other is not check]
    same = [other for other in same_period if other.subject == check.subject]
    if check.test in ("ks", "sight"):
        return any(other.test == "level" for other in same)
    if check.test not in ("psi", "volume"):
        return False
    values = [other for other in same if other.test in ("new", "lost")]
    if check.subject != EVENT_TYPE:
        return check.test == "psi" and bool(values)
    if check.value == RETURN and any(other.subject == "returns" for other in same_period):
        return True
    if check.test == "volume":
        return any(other.value == check.value for other in values)
    return bool(values) or any(other.test == "volume" and other.value == check.value for other in same)


def _finding(check: Check) -> _Finding:
    side = "rose" if check.rose else "fell"
    subject, value, figure = check.subject, check.value, check.found
    shares = _shares(figure, check.usual)
    figures: JsonObject = {"found": figure, "usual": check.usual, "change": _change(check)}
    if check.test == "volume":
        code = f"events_{side}" if subject == EVENT_TYPE else f"customers_{side}"
        return _Finding(check, code, value, {**figures, "value": value})
    if check.test == "share" and subject.startswith("missing:"):
        code = f"gaps_{subject.removeprefix('missing:')}_{side}"
        return _Finding(check, code, value, {**shares, "value": value})
    if check.test == "share":
        return _Finding(check, f"returns_{side}", "", shares)
    if check.test == "psi":
        shares = _shares(check.params["share"], check.params["before"])
        return _Finding(check, f"mix_{subject}", "", {**shares, "value": value, "index": figure})
    if check.test in ("new", "lost"):
        return _Finding(check, f"{check.test}_{subject}", value, {**shares, "value": value})
    if check.test == "ks":
        medians = {"found": check.params["median"], "usual": check.params["before"]}
        return _Finding(check, f"shape_{subject}", "", {**medians, "distance": figure})
    if check.test == "sight":
        return _Finding(check, f"{_short(subject)}_shape", "", {"index": figure, "limit": check.high})
    kind = "orders" if subject == "orders" else f"price_{subject}" if subject in PRICES else _short(subject)
    if subject == "p_purchase":
        figures = dict(shares)
    return _Finding(check, f"{kind}_{side}", "", figures)


def _drifted(checks: Sequence[Check]) -> list[_Finding]:
    """Return one finding for all features that drifted at an instant."""
    findings = []
    for period in sorted({check.chunk for check in checks}):
        drifted = sorted((check for check in checks if check.chunk == period), key=lambda check: -check.found)
        features = [check.subject for check in drifted[:NAMED_FEATURES]]
        params = {"features": features, "count": len(drifted), "index": drifted[0].found}
        findings.append(_Finding(drifted[0], "features", "", params))
    return findings


def _short(subject: str) -> str:
    return "predicted" if subject == "predicted_clv" else subject


def _change(check: Check) -> str:
    ratio = check.found / check.usual - 1 if check.usual else 0.0
    return f"{abs(ratio):.0%}"


def _shares(figure: float, usual: float) -> dict[str, str]:
    return {"found": f"{figure:.1%}", "usual": f"{usual:.1%}"}


def _translated(code: str, value: str, language: str) -> str:
    """Return the catalogue's word for an event type or a column; other values are returned as they are."""
    family = "canonical" if code.startswith("gaps_") else "event" if "event" in code else ""
    key = f"{family}.{value}"
    return translate(key, language) if family and has(key, language) else value


def _formatted(key: str, value: Any, language: str) -> str:
    if key == "features":
        return say_list((label(name, language) for name in value), language)
    return value if isinstance(value, str) else say_number(float(value), language)
