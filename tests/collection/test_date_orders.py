"""Times whose form alone does not say what they are: other epochs, short years, later files, customers' dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.collection.values import times
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(2)

START = datetime(2022, 3, 1, 9, 30, tzinfo=UTC)
MOMENTS = [START + timedelta(hours=31 * step) for step in range(240)]
AGES = {"apple": (datetime(2001, 1, 1, tzinfo=UTC), 1), "ticks": (datetime(1, 1, 1, tzinfo=UTC), 10**7)}
AGES |= {"filetime": (datetime(1601, 1, 1, tzinfo=UTC), 10**7), "webkit": (datetime(1601, 1, 1, tzinfo=UTC), 10**6)}


def log(path: Path, moments: list[datetime], written: Callable[[datetime], str], *, head: str = "order_date") -> Path:
    rows = [f"K{place % 20},{written(moment)},{place + 1}.50" for place, moment in enumerate(moments)]
    path.write_text("\n".join([f"customer_id,{head},amount", *rows]) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, written: Callable[[datetime], str], moments: list[datetime] = MOMENTS) -> Manifest:
    return ingest(Workspace(tmp_path / "ws"), log(tmp_path / "a.csv", moments, written), "shop")


def days(tmp_path: Path) -> list[date]:
    events = pd.read_parquet(open_dataset(Workspace(tmp_path / "ws"), "shop").events_path)
    return sorted(events["event_time"].dt.date)


def codes(manifest: Manifest) -> set[str]:
    return {item["code"].removeprefix("warning.") for item in manifest.warnings}


@pytest.mark.examples(3)
@pytest.mark.parametrize("epoch", AGES)
def test_numbers_since_other_years_than_1970_are_read_by_those(tmp_path: Path, epoch: str) -> None:
    since, a_second = AGES[epoch]
    made = read(tmp_path, lambda moment: str(int((moment - since).total_seconds()) * a_second))
    assert f"epoch_{epoch}" in codes(made)
    assert days(tmp_path) == [moment.date() for moment in MOMENTS]


def test_seconds_that_may_be_of_1995_or_of_this_year_are_refused() -> None:
    now = int((datetime.now(UTC) - datetime(2001, 1, 1, tzinfo=UTC)).total_seconds())
    forms = ask(times.form("x"), [str(now - 9_000), "1700000000", "700000000"])
    assert forms == ["epoch_s_or_apple", "epoch_s", "apple"]
    with pytest.raises(Refused) as refused:
        times.decide({"epoch_s_or_apple": 9}, "t", None, "UTC")
    assert refused.value.code == "epoch_unclear"
    assert times.decide({"epoch_s_or_apple": 9, "apple": 3}, "t", None, "UTC")[0].apple
    assert not times.decide({"epoch_s_or_apple": 9, "epoch_s": 3}, "t", None, "UTC")[0].apple


@pytest.mark.examples(3)
@pytest.mark.parametrize(("written", "order"), [("%d-%m-%y", "dmy"), ("%d/%m/%y", "dmy"), ("%y-%m-%d", "ymd")])
def test_whole_months_show_which_part_of_a_short_date_is_the_day(tmp_path: Path, written: str, order: str) -> None:
    made = read(tmp_path, lambda moment: moment.strftime(written))
    assert f"read_as_{order}" in codes(made) and days(tmp_path) == [moment.date() for moment in MOMENTS]


def test_a_short_date_is_not_decided_by_what_day_it_is_today(tmp_path: Path) -> None:
    """20-03-27 to 20-03-30 may be 20 March 2027 to 2030: that these are still to come proves nothing next year."""
    moments = [datetime(2020, 3, 24 + step, tzinfo=UTC) for step in range(7)]
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, lambda moment: moment.strftime("%y-%m-%d"), moments)
    assert asked.value.code == "dates_ambiguous_year"
    assert asked.value.params["spans"] == {"dmy": ["2024-03-20", "2030-03-20"], "ymd": ["2020-03-24", "2020-03-30"]}


def test_a_question_of_order_says_the_days_of_each(tmp_path: Path) -> None:
    moments = [datetime(2024, 1 + step % 5, 2 + step % 7, tzinfo=UTC) for step in range(30)]
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, lambda moment: moment.strftime("%d/%m/%Y"), moments)
    other = sorted(date(2024, moment.day, moment.month) for moment in moments)
    assert asked.value.params["spans"] == {
        "dmy": [str(min(moments).date()), str(max(moments).date())],
        "mdy": [str(other[0]), str(other[-1])],
    }


def later(tmp_path: Path, written: str) -> Path:
    """Write a second file, whose days are all below 13, of the months behind the first."""
    moments = [datetime(2023, month, day, tzinfo=UTC) for month in range(4, 12) for day in range(1, 13, 2)]
    return log(tmp_path / "b.csv", moments, lambda moment: moment.strftime(written))


@pytest.mark.parametrize("together", [True, False])
def test_a_later_file_in_another_order_is_read_so_that_it_joins_the_log(tmp_path: Path, together: bool) -> None:
    """The first is written day first until March 2023; month first the second begins behind it, and overlaps else."""
    workspace = Workspace(tmp_path / "ws")
    moments = [datetime(2022, 3, 1, tzinfo=UTC) + timedelta(hours=20 * step) for step in range(470)]
    first = log(tmp_path / "a.csv", moments, lambda moment: moment.strftime("%d/%m/%Y"))
    second = later(tmp_path, "%m/%d/%Y")
    if together:
        made = ingest(workspace, [first, second], "shop")
    else:
        ingest(workspace, first, "shop")
        made = append(workspace, "shop", second)
    assert "dates_in_other_order" in codes(made)
    assert made.log_end == "2023-11-12"
    assert days(tmp_path)[len(moments)] == date(2023, 4, 1)


def test_a_date_of_the_customer_is_not_the_time_of_her_orders(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"K{place % 20},2021-05-{place % 20 + 1:02},{moment:%Y-%m-%d},5.00" for place, moment in enumerate(MOMENTS)]
    path.write_text("\n".join(["customer_id,created_at,date,amount", *rows]) + "\n", encoding="utf-8")
    made = ingest(Workspace(tmp_path / "ws"), path, "shop")
    assert "customer_date" in codes(made) and days(tmp_path) == [moment.date() for moment in MOMENTS]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("2022061", datetime(2022, 3, 2)), ("03/02/2022 05:06AM", datetime(2022, 3, 2, 5, 6)), ("2022-13-04", None)],
)
def test_days_of_the_year_and_clocks_without_a_blank(value: str, wanted: datetime | None) -> None:
    assert ask(times.TimeReading("mdy").value("x"), [value]) == [wanted]
