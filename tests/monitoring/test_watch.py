"""What cannot be answered yet is said in words, with the day from which on it can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clv_core.deployment.saved_scores import Scored
from clv_core.errors import Message
from clv_core.evaluation.calibration import Intervals
from clv_core.evaluation.evidence import Evidence, Held
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.monitoring import monitor
from clv_core.monitoring.alerts import DATA, REALISED
from clv_core.monitoring.drift.data_checks import FALSE_ALARMS
from clv_core.monitoring.drift.drift_reference import DATASET, Reference
from clv_core.monitoring.drift.periods import KINDS, MIN_PERIODS
from clv_core.monitoring.realized import realized_value
from clv_core.monitoring.realized.realized_value import Realised
from clv_core.monitoring.retraining import resting
from clv_core.workspace import Workspace
from tests.records import model_record

CUTOFF = date(2024, 3, 1)


def log_until(end: date) -> Any:
    return SimpleNamespace(log_end=end, log_start=date(2023, 1, 1))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_short_reference_says_how_many_weeks_or_months_it_takes(kind: str, lang: str) -> None:
    short = Reference(CUTOFF, DATASET, CUTOFF - timedelta(days=20), {}, {}, ())
    unknown: dict[str, Message] = {}
    assert monitor._check_data(log_until(CUTOFF), short, kind, [], 90, unknown) == ([], [])
    said = unknown[DATA].text(lang)
    assert "20" in said and str(MIN_PERIODS[kind]) in said
    assert {"en": f"{kind}s", "zh": {"week": "整周", "month": "整月"}[kind]}[lang] in said


@pytest.mark.parametrize(("horizon", "days"), [(14, 14), (90, 28)])
def test_the_day_that_is_promised_is_the_first_on_which_something_came_true(
    tmp_path: Path, horizon: int, days: int
) -> None:
    bundle: Any = SimpleNamespace(record=model_record(cutoff=CUTOFF.isoformat(), horizon_days=horizon))
    unknown: dict[str, Message] = {}
    day_before = log_until(CUTOFF + timedelta(days=days - 1))
    workspace = Workspace(tmp_path)
    scored = Scored.of(workspace, day_before, bundle)
    assert realized_value.compare_realized(scored, None, unknown, NoProgress()) == ([], [], None)
    promised = date.fromisoformat(unknown[REALISED].params["until"])
    assert promised == CUTOFF + timedelta(days=days)
    assert realized_value.matured(CUTOFF, horizon, promised) == [days]


@pytest.mark.parametrize(("horizon", "looks"), [(30, 1), (90, 3), (182, 6), (365, 12)])
def test_a_sum_is_looked_at_every_month_and_all_looks_share_the_chance_of_a_false_alarm(
    horizon: int, looks: int
) -> None:
    bundle: Any = SimpleNamespace(record=model_record(cutoff=CUTOFF.isoformat(), horizon_days=horizon))

    def alarms(chance: float | None) -> list[str]:
        came = [Realised("2024-04-01", 31, 60.0, 0.0, 100.0, 80.0, 120.0, chance, None, 5, 5.0)]
        return [alert.code for alert in realized_value.realized_alerts(bundle, came, None)]

    assert alarms(1.05 * FALSE_ALARMS / looks) == alarms(None) == []
    assert alarms(0.95 * FALSE_ALARMS / looks) == ["realised_fell"]


def test_the_next_challenger_waits_until_the_log_has_grown_since_the_last_one() -> None:
    def version(number: int, cutoff: str, untrained: bool = False) -> Any:
        record = model_record(cutoff=cutoff)
        return SimpleNamespace(number=number, bundle=f"b{number}", record=record, untrained=untrained)

    champion = version(2, "2024-02-01")
    later = [version(1, "2024-03-09"), version(3, "2024-02-20"), version(4, "2024-03-05")]
    later += [version(5, "2024-03-08", untrained=True)]
    for end, since in (("2024-03-11", "2024-03-12"), ("2024-03-12", None)):
        found = resting(champion, [champion, *later], log_until(date.fromisoformat(end)), 7)
        assert (found and found.why.params["since"]) == since
    soon = log_until(date(2024, 3, 11))
    assert resting(champion, [champion, *later], soon, 0) is None
    assert resting(champion, [champion, later[0]], soon, 7) is None


HONEST = Intervals(300, 0.2, 0.2, 0.02, 0.65, 0.65, 0.03, 1.0, 1000, 0.1, 0.5, 0.9)
NARROW = replace(HONEST, outside=0.45, over=2.2)


@pytest.mark.parametrize(
    ("then", "now", "codes"),
    [
        (HONEST, NARROW, ["outside"]),
        (NARROW, NARROW, []),  # known since the model was measured
        (None, NARROW, []),  # a model from before this was measured: nothing to hold it against
        (HONEST, HONEST, []),
        (HONEST, replace(HONEST, above=0.3), []),  # a matter of level
        (HONEST, None, []),  # a part of the horizon
    ],
)
def test_intervals_that_became_too_narrow(then: Intervals | None, now: Intervals | None, codes: list[str]) -> None:
    held = Held("2024-01-01", 1000, 300, 1.0, 1.0, None, 0.8, intervals=then)
    bundle: Any = SimpleNamespace(record=replace(model_record(), cutoff=CUTOFF, evidence=Evidence(90, held)))
    came = [Realised("2024-05-30", 90, 100.0, 0.0, 100.0, 80.0, 120.0, 0.9, 0.5, 5, 5.0)]
    found = realized_value.realized_alerts(bundle, came, now)
    assert [alert.code for alert in found] == codes and not any(alert.grave for alert in found)
    for alert in found:
        assert all("45%" in alert.text(language) and "20%" in alert.text(language) for language in LANGUAGES)
