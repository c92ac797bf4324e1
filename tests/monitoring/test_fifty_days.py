"""A chain runs unattended for 50 days: what each day leaves is reckoned here again, by other means."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.sources import Source, add_source, load_state
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message
from clv_core.features.behaviour import FEATURES
from clv_core.features.feature_table import ANCHORS
from clv_core.features.log import open_log
from clv_core.jobs import NoProgress
from clv_core.monitoring.chains import StepResult, run_due
from clv_core.monitoring.schedules import Schedule, add_schedule, history
from clv_core.pipeline import train
from clv_core.preprocessing.refresh import refresh
from clv_core.workspace import Workspace
from tests.monitoring import reckoned_alerts as reckoned
from tests.monitoring import steady_shop as shop
from tests.monitoring.reckoned_alerts import PREDICTED, Alert

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
DAYS = 50
CUTOFF_DAY, TRAINED_AGO, HORIZON_DAYS = 140, 14, 56
CUTOFF = pd.Timestamp(shop.day_after(CUTOFF_DAY))
CHANGES = (
    (16, None, lambda late: shop.another_channel(late, 0.015)),
    (21, 35, lambda late: shop.twice_the_returns(late, 2)),
    (28, None, shop.without_ratings),
    (31, None, lambda late: shop.dearer(late, 5)),
    (35, 49, shop.half_of_the_views),
    (42, 49, lambda late: shop.twice_the_returns(late, 2)),
    (49, None, shop.gaps_in_categories),
)
"""First day after the cutoff, first day on which it is as before, and what changes."""

ALERT = ("light", "code", "begin", "end")


def in_process(workspace: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
    """Run a step by the same command line as a job does, without a process of its own."""
    code = main([*words, "--workspace", str(workspace.root), "--quiet"])
    return StepResult(None if code == 0 else Message("unexpected", {"kind": str(code)}))


def changing_log() -> pd.DataFrame:
    """Return the log of a shop that changes again and again after the cutoff."""
    events = shop.steady_log(1500, CUTOFF_DAY + TRAINED_AGO + DAYS, seed=3)
    for begin, end, change in CHANGES:
        until = None if end is None else shop.day_after(CUTOFF_DAY + end)
        events = shop.changed_from(events, shop.day_after(CUTOFF_DAY + begin), change, until)
    return events.sort_values("event_time", kind="stable", ignore_index=True)


class Reckoner:
    """Reckons the alerts of each day from the rows that had arrived, and from scores.

    What models say is theirs: scores are those of ``clv score``, features those that the model reads.
    """

    def __init__(self, workspace: Workspace, bundle: Bundle, folder: Path) -> None:
        self.workspace, self.bundle, self.folder = workspace, bundle, folder
        self.past = bundle.holdout(bundle.record.model)
        self.errors = reckoned.PastErrors(self.past)
        self.customers = {self.instant(number): self.seen_at(self.instant(number)) for number in range(-2, 1)}
        self.months: list[reckoned.Check] = []

    @staticmethod
    def instant(months: int) -> pd.Timestamp:
        return CUTOFF + pd.DateOffset(months=months)

    def score(self, cutoff: pd.Timestamp, days: int) -> pd.DataFrame:
        out = self.folder / f"{cutoff:%Y%m%d}-{days}.parquet"
        words = f"score shop --model champion --cutoff {cutoff:%Y-%m-%d} --horizon-days {days} --out {out}"
        if not out.is_file():
            assert in_process(self.workspace, words.split(), "en", "").error is None
        return pd.read_parquet(out)

    def seen_at(self, instant: pd.Timestamp) -> pd.DataFrame:
        """Return the features of all customers that the log before the cutoff is long enough for, and predictions."""
        config = self.bundle.record.train_config
        log = open_log(open_dataset(self.workspace, "shop"), **config.of_log())
        snapshot = log.snapshot(instant.date(), HORIZON_DAYS, max_steps=config.max_steps_back)
        features = snapshot.features.select_dtypes("number").astype("float32")
        log.close()
        long = [name for name in features if name not in FEATURES or (FEATURES[name].days or 0) <= CUTOFF_DAY]
        return features[long].join(self.score(instant, HORIZON_DAYS).set_index("customer_id")[list(PREDICTED)])

    def checks(self, rows: pd.DataFrame, end: pd.Timestamp) -> list[reckoned.Check]:
        later = self.instant(sum(at >= CUTOFF for at in self.customers))
        if later <= end:
            self.customers[later] = self.seen_at(later)
            self.months = reckoned.check_months(self.customers, CUTOFF, set(ANCHORS))
        return [*reckoned.check_weeks(rows, CUTOFF, end, HORIZON_DAYS), *self.months]

    def realised(self, rows: pd.DataFrame, end: pd.Timestamp, found: list[dict[str, Any]]) -> set[Alert]:
        """Return the alerts of realized value, after the latest figures that were found agree.

        Their chance is an average over 20,000 draws, 3% off by the luck of these: alerts are those of the chance found.
        """
        days = min(HORIZON_DAYS, (end - CUTOFF).days)
        if days < 28:
            assert found == []
            return set()
        scored, whole, last = self.score(CUTOFF, days), self.score(CUTOFF, HORIZON_DAYS), found[-1]
        actual = reckoned.spent(rows, CUTOFF, days).reindex(scored["customer_id"]).to_numpy()
        expected, came = scored["predicted_clv"].sum(), actual.sum()
        share = expected / whole["predicted_clv"].sum()
        parts = reckoned.past_parts(rows, CUTOFF, HORIZON_DAYS, days) if days < HORIZON_DAYS else []
        assert (last["realised"], last["expected"]) == pytest.approx((came, expected), abs=0.01)
        assert last["chance"] == pytest.approx(self.errors.chance(scored, came, share, parts), rel=0.1)
        codes = []
        if last["chance"] < 0.05 / round(HORIZON_DAYS / 30.4):
            codes.append("realised_rose" if came > expected else "realised_fell")
        if days == HORIZON_DAYS and reckoned.became_narrow(scored.assign(actual=actual), self.past):
            codes.append("outside")
        until = CUTOFF + timedelta(days=days)
        return {Alert("realised", code, "", f"{CUTOFF:%Y-%m-%d}", f"{until:%Y-%m-%d}") for code in codes}


def test_a_chain_runs_unattended_for_fifty_days(tmp_path: Path) -> None:
    """Rows, scored customers, dates, lengths of lists, and each alert of each day with its limits are reckoned.

    Also that an alert keeps its id from day to day. Not reckoned: the figures in an alert's message.
    """
    workspace, events = Workspace(tmp_path / "workspace"), changing_log()
    begin = CUTOFF + timedelta(days=TRAINED_AGO)
    texts = events.assign(event_time=events["event_time"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    table = sqlite3.connect(tmp_path / "shop.sqlite")

    def arrive(low: pd.Timestamp, high: pd.Timestamp) -> None:
        new = texts[(events["event_time"] >= low) & (events["event_time"] < high)]
        new.to_sql("orders", table, if_exists="append", index=False)

    arrive(events["event_time"].min(), begin)
    add_source(
        workspace, Source("orders", "sqlite", str(tmp_path / "shop.sqlite"), "shop", "orders", time_column="event_time")
    )
    refresh(workspace, "orders")
    config = TrainConfig(horizon_days=HORIZON_DAYS, model="bgnbd", cutoffs=4)
    bundle = train(workspace, "shop", config, cutoff=CUTOFF.date(), progress=NoProgress())  # the first is the champion
    lists = tmp_path / "lists"
    steps = (
        "source run orders",
        f"score shop --model champion --out {lists}/scores-{{day}}.csv",
        f"monitor shop --model champion --chunk week --out {lists}/report-{{day}}",
        f"export shop --model champion --format csv --out {lists}/list-{{day}}.csv",
    )
    add_schedule(workspace, Schedule("nightly", "0 4 * * *", steps), begin.replace(tzinfo=UTC) + timedelta(hours=5))
    reckoner, ids, seen = Reckoner(workspace, bundle, tmp_path), dict[tuple[str, ...], str](), set[str]()
    for day in range(DAYS):
        today = begin + timedelta(days=day)
        end = today + timedelta(days=1)
        arrive(today, end)
        now = end.replace(tzinfo=UTC) + timedelta(hours=4)
        assert run_due(workspace, now - timedelta(minutes=1), in_process) == {}
        assert run_due(workspace, now, in_process) == {"nightly": "done"}
        there = events[events["event_time"] < end]
        assert open_dataset(workspace, "shop").manifest.rows_kept == len(there)
        scored = pd.read_csv(lists / f"scores-{end:%Y-%m-%d}.csv")
        assert set(scored["customer_id"]) == set(there["customer_id"])
        assert set(scored["as_of"]) == {f"{end:%Y-%m-%d}"}
        assert len(pd.read_csv(lists / f"list-{end:%Y-%m-%d}.csv")) == len(scored)
        checks, folder = reckoner.checks(there, end), lists / f"report-{end:%Y-%m-%d}"
        found = pd.read_csv(folder / "checks.csv", keep_default_na=False, na_values={"low": "", "high": ""})
        keys, figures = ["chunk", "test", "subject", "value"], ["found", "usual", "low", "high", "alert"]
        pd.testing.assert_frame_equal(
            found.set_index(keys)[figures].sort_index(),
            pd.DataFrame(checks, columns=[*keys, *figures]).set_index(keys).sort_index(),
            check_dtype=False,
            rtol=1e-6,
            obj=f"checks on {end:%Y-%m-%d}",
        )
        report = json.loads((folder / "report.json").read_text())
        alerts, whole = report["alerts"], reckoner.realised(there, end, report["realised"])
        told = [Alert(value=one["params"].get("value", ""), **{key: one[key] for key in ALERT}) for one in alerts]
        assert sorted(told) == sorted(reckoned.join_alerts(checks, CUTOFF) | whole), f"alerts on {end:%Y-%m-%d}"
        for one, alert in zip(alerts, told, strict=True):
            subject = "" if alert.code.startswith("mix_") else alert.value
            assert ids.setdefault((alert.code, subject, alert.begin), one["id"]) == one["id"]
        seen |= {alert.code for alert in told}
    assert len(set(ids.values())) == len(ids)
    assert seen >= {"new_channel", "returns_rose", "lost_event_type", "price_amount_rose", "events_fell"}
    assert seen >= {"gaps_purchase_rose", "gaps_other_rose", "features", "predicted_rose", "realised_rose", "outside"}
    runs = history(workspace, "nightly")
    assert [len(run.steps) for run in runs] == [len(steps)] * DAYS
    assert [run.started[:10] for run in reversed(runs)] == [
        f"{begin + timedelta(days=n + 1):%Y-%m-%d}" for n in range(DAYS)
    ]
    assert load_state(workspace, "orders").error is None
    table.close()
