"""The look before saving: nothing is stored, and everything that will be is said."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection import inspect
from clv_core.collection.check import check_file, load_check, save_check
from clv_core.collection.horizons import HORIZONS, supported_horizons
from clv_core.collection.infer.event_names import EventName, event_names
from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.collection.read import source
from clv_core.collection.read.archives import HEAD_BYTES
from clv_core.workspace import Workspace
from tests.collection.small_logs import put

pytestmark = pytest.mark.first(5)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    lines = [f"c{i % 150};2023-{1 + i % 12:02}-{1 + i % 28:02};{i},50;x" for i in range(400)]
    bad = [";2023-01-01;1,00;x", "c1;never;2,00;x", "c1;2023-01-01;3,00"]
    return put(tmp_path, ["Customer ID;Order Date;Total;note", *lines, *bad])


def test_a_first_look_proposes_and_shows_samples(log: Path) -> None:
    seen = inspect_file(log)
    found = {item.column: (item.canonical, item.samples[0]) for item in seen.columns}
    assert found["Customer ID"] == ("customer_id", "c0") and found["Order Date"][0] == "event_time"
    assert found["Total"] == ("amount", "0,50") and found["note"][0] is None
    assert all(0 <= item.confidence <= 1 for item in seen.columns)
    renamed = log.with_name("renamed.csv")
    renamed.write_text(log.read_text().replace("Total", "Foo"))
    assert "amount" not in [item.canonical for item in inspect_file(renamed).columns]
    assert "amount" in [item.canonical for item in inspect_file(renamed, mapping={"amount": "Foo"}).columns]


@pytest.mark.examples(2)
@pytest.mark.parametrize("ending", ("csv", "csv.gz"))
@pytest.mark.parametrize("encoding", ("utf-8", "utf-16", "gb18030"))
def test_a_first_look_at_a_large_file_reads_only_its_beginning(
    tmp_path: Path, encoding: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def open_source(connection: Any, path: Path, *words: Any, **options: Any) -> Any:
        read.append(path.stat().st_size)
        return source.open_source(connection, path, *words, **options)

    monkeypatch.setattr(inspect, "open_source", open_source)
    draw, rows = random.Random(3), 40_000
    lines = [f"用户{i % 900},2024-0{1 + i % 9}-11,{i}.25,{draw.randbytes(280).hex()}" for i in range(rows)]
    content = "\n".join(["用户ID,下单时间,金额,商品", *lines]).encode(encoding)
    file = tmp_path / f"log.{ending}"
    file.write_bytes(gzip.compress(content, 1) if ending.endswith("gz") else content)
    seen = inspect_file(file)
    assert [item.canonical for item in seen.columns] == ["customer_id", "event_time", "amount", "product_id"]
    assert seen.columns[0].samples[0] == "用户0" and 0 < read[0] <= HEAD_BYTES < len(content)


def test_the_check_says_what_ingest_will_do(log: Path, tmp_path: Path) -> None:
    check = check_file(log, currency="EUR", set_aside=tmp_path / "set_aside.parquet")
    assert check.accounting == {"rows_read": 403, "rows_kept": 400, "rows_set_aside": 3, "rows_duplicate": 0}
    assert check.manifest.net_revenue == sum(i + 0.5 for i in range(400))
    assert {item.reason: item.rows for item in check.problems} == {"no_customer": 1, "bad_time": 1, "ragged": 1}
    assert sorted(pd.read_parquet(tmp_path / "set_aside.parquet").line) == [402, 403, 404]
    assert len(check.first_rows) == 50 and check.first_rows.customer_id[0] == "c0"
    assert set(HORIZONS) <= {item.horizon_days for item in check.horizons}
    stored = ingest(Workspace(tmp_path / "workspace"), log, "log", currency="EUR")
    same = ("version", "rows_kept", "customers", "net_revenue", "mapping", "warnings", "currency")
    assert [getattr(stored, key) for key in same] == [getattr(check.manifest, key) for key in same]


def test_horizons_need_room_and_buyers() -> None:
    verdicts = {item.horizon_days: item.verdict for item in supported_horizons(546, dict.fromkeys(HORIZONS, 500))}
    assert (verdicts[182], verdicts[365], verdicts[730]) == ("measured", "unmeasured", "too_short")
    few = supported_horizons(546, dict.fromkeys(HORIZONS, 99))
    assert {item.verdict for item in few} == {"unmeasured", "too_short"}
    short = {item.horizon_days: item.verdict for item in supported_horizons(391, dict.fromkeys(range(400), 500))}
    assert short == {
        **dict.fromkeys((7, 14, 30, 60, 90, 181), "measured"),
        **dict.fromkeys((182, 363), "unmeasured"),
        **dict.fromkeys((365, 730), "too_short"),
    }
    for item in few:
        assert item.reason.text("en") and item.reason.text("zh")


def test_a_horizon_is_promised_for_buyers_that_a_model_could_have_known_and_who_kept_something(tmp_path: Path) -> None:
    days = pd.date_range("2023-01-01", "2024-06-30")
    rows = [(f"old{n}", days[n], "purchase", 20.0) for n in range(120)]
    rows += [(f"old{n}", days[-20], "purchase", 20.0) for n in range(105)]  # come back, and
    rows += [(f"old{n}", days[-10], "return", -20.0) for n in range(15)]  # some of them send all of it back
    rows += [(f"new{n}", days[-5], "purchase", 20.0) for n in range(150)]  # nobody could have known these
    log = pd.DataFrame(rows, columns=["customer_id", "event_time", "event_type", "amount"])
    log.assign(order_id=range(len(log))).to_csv(tmp_path / "log.csv", index=False)
    thirty = next(item for item in check_file(tmp_path / "log.csv").horizons if item.horizon_days == 30)
    begin = days[-1] + pd.Timedelta(days=1) - pd.Timedelta(days=30)
    known = log.loc[log["event_time"] < begin, "customer_id"]
    inside = log[(log["event_time"] >= begin) & log["customer_id"].isin(known)]
    kept = int((inside.groupby("customer_id")["amount"].sum() > 0).sum())
    assert kept == 90 and (thirty.verdict, thirty.reason.params["found"]) == ("unmeasured", kept)
    assert "only 90 earlier customers bought" in thirty.reason.text("en")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    rows = [f"c{i % 60},2024-03-{1 + i % 9:02},{('浏览', 'addtocart', 'transaction')[i % 3]},{i}.5" for i in range(180)]
    rows += [f"c{i},2024-04-{11 + i % 5:02},wished for,1" for i in range(20)]
    rows += ["c1,someday,transaction,2", "c1,2024-03-01,,3"]
    return put(tmp_path, ["customer_id,event_time,event_type,amount", *rows])


def test_names_of_events_are_listed_with_what_they_are_taken_for(shop: Path) -> None:
    found = event_names(shop, "event_type", {})
    counts = pd.read_csv(shop, keep_default_na=False)["event_type"].value_counts()
    assert {item.name: item.rows for item in found} == counts.to_dict()
    kinds = {item.name: item.event_type for item in found}
    known = {"浏览": "view", "addtocart": "cart", "transaction": "purchase", "wished for": "wished for", "": "unknown"}
    assert kinds == known
    anew = event_names(shop, "event_type", {"wished for": "cart"})
    assert EventName("wished for", 20, "cart", usual="wished for") in anew


def test_the_check_lists_the_types_that_ingest_gives_the_names(shop: Path) -> None:
    check = check_file(shop, events={"wished for": "cart"})
    given: dict[str, int] = {}
    for item in check.event_names:
        given[item.event_type] = given.get(item.event_type, 0) + item.rows
    given["purchase"] -= 1  # set aside: its time cannot be read
    assert given == check.manifest.event_types


def test_the_longest_gap_has_a_length_and_a_first_day(shop: Path) -> None:
    days = pd.to_datetime(pd.read_csv(shop)["event_time"], errors="coerce").dropna().drop_duplicates().sort_values()
    gaps = days.diff().dt.days
    check = check_file(shop)
    assert check.longest_gap_days == gaps.max() - 1
    assert check.gap_start == (days.shift()[gaps.idxmax()] + pd.Timedelta(days=1)).date().isoformat() == "2024-03-10"


def test_a_check_comes_back_from_its_folder(shop: Path, tmp_path: Path) -> None:
    folder = tmp_path / "check"
    folder.mkdir()
    made = check_file(shop, set_aside=folder / "set_aside.parquet")
    save_check(made, folder)
    read = load_check(folder)
    for name in ("manifest", "warnings", "problems", "horizons", "longest_gap_days", "gap_start", "event_names"):
        assert getattr(read, name) == getattr(made, name), name
    pd.testing.assert_frame_equal(read.first_rows, made.first_rows, check_dtype=False)


@pytest.mark.examples(3)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
@pytest.mark.parametrize(("days", "warned"), [(1, False), (20, True)])
def test_a_log_whose_purchases_end_before_its_other_events_is_warned_of(
    tmp_path: Path, days: int, warned: bool, zone: str
) -> None:
    begin = pd.Timestamp("2024-01-01")
    rows = [f"c{i % 9},{begin + pd.Timedelta(hours=12 * i):%Y-%m-%d},purchase,10" for i in range(200)]
    last = begin + pd.Timedelta(hours=12 * 199)
    rows += [f"c1,{last + pd.Timedelta(days=day):%Y-%m-%d},return,-5" for day in range(1, days + 1)]
    file = put(tmp_path, ["customer_id,event_time,event_type,amount", *rows])
    said = {message.code: message.params for message in check_file(file, timezone=zone).warnings}
    assert ("warning.purchases_end" in said) == warned
    if warned:
        assert said["warning.purchases_end"] == {"last": "2024-04-09", "days": 20, "purchases": "40"}
