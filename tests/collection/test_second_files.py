"""A second file with purchases that the log has in another form, or in another unit, is asked about at any size.

The files, and what is right for each, are those of ``tests/bench/second_files.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.bench.second_files import DATES, GROUPS, REPEATED, UNITS, SecondFile, outcome, shop

COLUMNS = ["customer_id", "event_time", "amount"]
LOG = shop(1, orders=600)[COLUMNS]
TOTAL = LOG["amount"].sum()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("second") / "workspace")
    path = workspace.root.parent / "first.csv"
    LOG.to_csv(path, index=False)
    ingest(workspace, path, "log")
    return workspace


def second(workspace: Workspace, rows: pd.DataFrame, name: str = "second.csv") -> Path:
    path = workspace.root.parent / name
    rows.to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def restored(workspace: Workspace) -> Iterator[None]:
    version = open_dataset(workspace, "log").version
    yield
    restore(workspace, "log", version)


CODES = {
    "dates only, with tax": "amounts_scaled",
    "another currency": "amounts_scaled",
    "tax of two rates": "amounts_scaled",
    "other customer ids": "customers_renamed",
    "cents": "cents_in_file",
    "half in cents": "amounts_unusual",
    "thousands": "amounts_unusual",
}


@pytest.mark.parametrize("size", [5, 60])
@pytest.mark.parametrize("kind", REPEATED)
def test_purchases_in_another_form_are_asked_about_and_each_answer_keeps_its_word(
    workspace: Workspace, kind: str, size: int
) -> None:
    rows = REPEATED[kind](LOG.iloc[-size:])
    file = second(workspace, rows)
    with pytest.raises(NeedsAnswer) as asked:
        append(workspace, "log", file)
    assert asked.value.code == CODES.get(kind, "purchases_alike")
    sums = {one["answers"]["overlap"]: one["net_revenue"] for one in asked.value.params["readings"]}
    repeated = rows["amount"].sum()
    right = {"add": TOTAL + repeated, "keep": TOTAL, "replace": TOTAL - LOG["amount"].iloc[-size:].sum() + repeated}
    assert sums == pytest.approx(right, abs=0.01)
    if size == 60:
        how = "keep" if kind.startswith("hours") else "replace"
        made = append(workspace, "log", file, answers=Answers(overlap=how))
        assert made.net_revenue == pytest.approx(sums[how], abs=0.01)


@pytest.mark.parametrize("kind", UNITS)
def test_new_days_in_another_unit_are_asked_about(workspace: Workspace, kind: str) -> None:
    later = shop(2, start="2024-04-30")[COLUMNS].iloc[:12]
    with pytest.raises(NeedsAnswer) as asked:
        append(workspace, "log", second(workspace, UNITS[kind](later)))
    assert asked.value.code == CODES[kind]
    made = append(workspace, "log", second(workspace, UNITS[kind](later)), answers=Answers(amount_unit="major"))
    assert made.rows_kept == len(LOG) + 12


def test_a_currency_that_the_log_does_not_name_is_asked_about(workspace: Workspace) -> None:
    file = second(workspace, shop(2, start="2024-04-30")[COLUMNS].iloc[:12].assign(currency="USD"))
    with pytest.raises(NeedsAnswer) as asked:
        append(workspace, "log", file)
    assert (asked.value.code, asked.value.params["currency"]) == ("currency_of_log", "USD")
    assert append(workspace, "log", file, answers=Answers(currency="USD")).currency == "USD"


def test_both_files_by_days_alone_with_tax_are_asked_about(tmp_path: Path) -> None:
    workspace, rows = Workspace(tmp_path / "days"), LOG.assign(event_time=LOG["event_time"].dt.strftime(DATES))
    ingest(workspace, second(workspace, rows, "first.csv"), "log", duplicates="keep")
    with pytest.raises(NeedsAnswer, match="1.19 times"):
        append(workspace, "log", second(workspace, REPEATED["dates only, with tax"](LOG.iloc[-8:])))


def test_a_correction_in_days_that_are_else_repeated_takes_the_place_of_what_was_there(workspace: Workspace) -> None:
    """Without order ids: 39 of 40 purchases are the log's; the other one's amount was put right."""
    rows = LOG.iloc[-40:].copy()
    rows.iloc[17, 2] += 5
    assert append(workspace, "log", second(workspace, rows)).net_revenue == pytest.approx(TOTAL + 5)


def test_new_purchases_of_known_customers_on_covered_days_are_added(workspace: Workspace) -> None:
    """Another branch of the shop: the same customers and weeks, but hardly the same customers' days."""
    rows = shop(7, orders=600)[COLUMNS].iloc[200:260]
    assert append(workspace, "log", second(workspace, rows)).net_revenue == pytest.approx(TOTAL + rows["amount"].sum())


def test_the_same_purchases_on_the_next_day_are_new(tmp_path: Path) -> None:
    """Deliveries of every morning: the same customers, times and amounts, a day later."""
    workspace, log = Workspace(tmp_path / "daily"), LOG.iloc[:40].assign(event_time="2024-01-01 06:00:00")
    log["customer_id"] = [f"c{at}" for at in range(40)]
    ingest(workspace, second(workspace, log, "first.csv"), "log")
    made = append(workspace, "log", second(workspace, log.assign(event_time="2024-01-02 06:00:00")))
    assert made.net_revenue == pytest.approx(2 * log["amount"].sum())


def test_lines_of_known_orders_with_other_amounts_are_asked_about_at_any_size(tmp_path: Path) -> None:
    workspace, log = Workspace(tmp_path / "orders"), shop(1, orders=600)
    ingest(workspace, second(workspace, log, "first.csv"), "log")
    taxed = log.iloc[-3:].assign(amount=(log["amount"].iloc[-3:] * 1.19).round(2))
    with pytest.raises(NeedsAnswer) as asked:
        append(workspace, "log", second(workspace, taxed))
    assert (asked.value.code, asked.value.params["orders"]) == ("orders_changed", 3)


def test_an_answer_about_the_first_files_says_nothing_of_a_later_one(tmp_path: Path) -> None:
    workspace, taxed = Workspace(tmp_path / "several"), REPEATED["another currency"]
    files = [second(workspace, LOG, "first.csv"), second(workspace, taxed(LOG.iloc[-40:-20]))]
    ingest(workspace, files, "log", overlap="add")
    with pytest.raises(NeedsAnswer):
        append(workspace, "log", second(workspace, taxed(LOG.iloc[-20:])))


@pytest.mark.slow
@pytest.mark.parametrize(("title", "files", "right"), GROUPS, ids=[title for title, _, _ in GROUPS])
def test_forty_doubtful_files_are_asked_about_and_honest_ones_are_not(
    tmp_path: Path, title: str, files: object, right: range
) -> None:
    assert callable(files)
    found: list[tuple[SecondFile, str]] = []
    for file in files():
        found.append((file, outcome(Workspace(tmp_path / "workspace"), file).asked))
    assert sum(bool(asked) for _, asked in found) in right, [file.kind for file, asked in found if not asked]


def test_orders_that_came_late_to_days_that_are_all_there_are_not_asked_about(workspace: Workspace) -> None:
    """The same export a day later: each purchase of the log again, and forty more of customers who bought that day."""
    late = LOG.iloc[-300::7].iloc[:40].assign(amount=lambda rows: (rows["amount"] * 1.37 + 3).round(2))
    late["event_time"] += pd.Timedelta(minutes=7)
    made = append(workspace, "log", second(workspace, pd.concat([LOG.iloc[-300:], late])))
    assert made.net_revenue == pytest.approx(TOTAL + late["amount"].sum(), abs=0.01)
