"""Next month's file: what is held already is left out as often as it is held, everything is accounted for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append, saved_answers
from clv_core.collection.store.version_store import Manifest, open_dataset, restore, versions
from clv_core.errors import Cancelled, NeedsAnswer, Refused
from clv_core.workspace import Workspace
from tests.collection.order_files import check_accounts
from tests.collection.small_logs import warnings

HEAD = "customer_id,event_time,amount"
DAYS = HEAD + "\n" + "".join(f"c{i % 7},2024-01-{1 + i % 28:02},{i % 5 + 1}\n" for i in range(60))


def write(workspace: Workspace, name: str, content: str) -> Path:
    path = workspace.root.parent / name
    path.write_text(content, encoding="utf-8")
    return path


def rows(workspace: Workspace, name: str = "log", columns: str = "*") -> list[tuple[Any, ...]]:
    path = open_dataset(workspace, name).events_path
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM read_parquet('{path}')").fetchall()


lines = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from(["1", "2.5"])), min_size=0, max_size=25
)


@pytest.mark.slow
@settings(max_examples=20)
@given(old=lines, new=lines, ids=st.booleans())
def test_the_result_is_the_larger_count_of_every_row(
    tmp_path_factory: pytest.TempPathFactory, old: list[Any], new: list[Any], ids: bool
) -> None:
    """Against Counter's own union of multisets; with order ids, equal rows of one file count once."""
    workspace = Workspace(tmp_path_factory.mktemp("multiset") / "workspace")
    base = [("z", 9, "9"), ("y", 1, "1")]

    def text(items: list[Any]) -> str:
        head = HEAD + (",order_id" if ids else "")
        return head + "\n" + "".join(f"{c},2024-01-{d:02},{a}{',' + c + a if ids else ''}\n" for c, d, a in items)

    repeated = "drop" if ids else "keep"
    ingest(workspace, write(workspace, "old.csv", text(old + base)), "log", duplicates=repeated)
    if not new:
        return
    made = append(workspace, "log", write(workspace, "new.csv", text(new)))
    count = (lambda items: Counter(set(items))) if ids else Counter
    wanted = count(old + base) | count(new)
    found = Counter((c, t.day, f"{a:g}") for c, t, a in rows(workspace, "log", "customer_id, event_time, amount"))
    assert found == Counter({(c, d, f"{float(a):g}"): n for (c, d, a), n in wanted.items()})
    check_accounts(made)
    assert made.parts[-1].rows_overlap == (count(old + base) & count(new)).total()
    assert made.rows_read == len(old) + len(base) + len(new)


def test_two_months_that_share_their_last_days_are_the_whole_log(workspace: Workspace, cdnow_file: Path) -> None:
    """CDNOW has 255 rows that repeat another one; cut in two with days in common, it comes together again."""
    whole = [line.split() for line in cdnow_file.read_text().splitlines()[1:]]
    early = [cells for cells in whole if cells[1] < "19970701"]
    late = [cells for cells in whole if cells[1] >= "19970601"]
    head = "customer_id,date,cds,dollars\n"
    for name, part in (("early", early), ("late", late)):
        write(workspace, f"{name}.csv", head + "\n".join(",".join(cells) for cells in part) + "\n")
    said = {"customer_id": "customer_id", "event_time": "date", "amount": "dollars", "quantity": "cds"}
    ingest(workspace, workspace.root.parent / "early.csv", "log", mapping=said)
    made = append(workspace, "log", workspace.root.parent / "late.csv")
    assert (made.rows_kept, made.net_revenue, made.customers) == (69_659, 2_500_315.63, 23_570)
    assert made.parts[1].rows_overlap == len(early) + len(late) - len(whole) > 1000
    assert made.log_end == "1998-07-01"
    check_accounts(made)
    assert sorted(rows(workspace, "log", "customer_id, strftime(event_time, '%Y%m%d')")) == sorted(
        (cells[0], cells[1]) for cells in whole
    )


def test_the_new_version_knows_where_it_comes_from_and_the_old_one_stays(workspace: Workspace) -> None:
    first = ingest(workspace, write(workspace, "jan.csv", DAYS), "log", currency="EUR")
    made = append(workspace, "log", write(workspace, "feb.csv", HEAD + "\nc1,2024-01-28,2\nc9,2024-02-01,4\n,x,\n"))
    assert (made.made, made.parent) == ("append", first.version)
    assert [item.version for item in versions(workspace, "log")] == [made.version, first.version]
    assert [part.source for part in made.parts] == ["jan.csv", "feb.csv"] and made.source == "jan.csv, feb.csv"
    assert made.currency == "EUR" and made.last_event.startswith("2024-02-01")
    assert open_dataset(workspace, "log").manifest == made
    assert Manifest.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False))) == made
    check_accounts(made)
    aside = duckdb.sql(f"SELECT file, line, reason FROM '{open_dataset(workspace, 'log').rejected_path}'").fetchall()
    assert aside == [("feb.csv", 4, "no_customer")]


def test_the_same_file_again_makes_no_version_and_says_so(workspace: Workspace) -> None:
    first = begin(workspace, *DAYS.splitlines())
    made = go_on(workspace, *DAYS.splitlines())
    assert made.version == first.version and "nothing_new" in warnings(made)
    assert made.parts[1].rows_overlap == made.parts[1].rows_read == first.rows_kept
    check_accounts(made)
    assert open_dataset(workspace, "log").manifest == first and len(versions(workspace, "log")) == 1


def begin(workspace: Workspace, *lines: str, **said: Any) -> Manifest:
    """Read a first file of these lines."""
    return ingest(workspace, write(workspace, "a.csv", "\n".join(lines) + "\n"), "log", **said)


def go_on(workspace: Workspace, *lines: str, **said: Any) -> Manifest:
    """Append one."""
    return append(workspace, "log", write(workspace, "b.csv", "\n".join(lines) + "\n"), **said)


def test_new_columns_are_empty_in_old_rows_and_missing_ones_in_new_rows(workspace: Workspace) -> None:
    begin(workspace, HEAD + ",country,Shade", "a,2024-01-01,1,FR,red", "b,2024-01-02,2,DE,")
    made = go_on(workspace, HEAD + ",shade,coupon", "a,2024-01-01,1,red,X", "c,2024-02-01,3,blue,Y")
    assert made.columns == ["customer_id", "event_time", "event_type", "amount", "country", "Shade", "coupon"]
    cells = sorted(rows(workspace, "log", "customer_id, country, Shade, coupon"))
    assert cells == [("a", "FR", "red", None), ("b", "DE", None, None), ("c", None, "blue", "Y")]
    assert made.parts[1].rows_overlap == 1
    warned = warnings(made)
    assert warned["columns_missing"]["columns"] == ["country"] and warned["columns_added"]["columns"] == ["coupon"]


def test_rows_that_are_held_already_are_dated_by_the_logs_own_days(workspace: Workspace) -> None:
    shared = ("a,2024-03-01T23:30:00Z,1", "b,2024-03-04T16:30:00Z,2")  # 2 and 5 March in Shanghai
    begin(workspace, HEAD, "a,2024-02-01T08:00:00Z,5", *shared, timezone="Asia/Shanghai")
    overlap = warnings(go_on(workspace, HEAD, *shared, "c,2024-04-01T08:00:00Z,3"))["rows_overlap"]
    assert (overlap["rows"], overlap["first"], overlap["last"]) == (2, "2024-03-02", "2024-03-05")


def test_rows_that_repeat_in_a_later_file_are_kept_or_dropped_as_in_the_dataset(workspace: Workspace) -> None:
    """Whether two equal rows are two purchases is known of the log, not of five rows of its next file."""
    begin(workspace, *DAYS.splitlines())
    assert saved_answers(open_dataset(workspace, "log")).duplicates == "keep"
    ids = HEAD + ",order_id"
    made = go_on(workspace, ids, "a,2024-02-01,3,o1", "a,2024-02-01,3,o1", "b,2024-02-02,1,o2")
    assert (made.rows_kept, made.net_revenue) == (63, sum(i % 5 + 1 for i in range(60)) + 7)
    begin(workspace, ids, *(f"c{i % 7},2024-01-{1 + i % 28:02},{i % 5 + 1},o{i}" for i in range(60)))
    assert saved_answers(open_dataset(workspace, "log")).duplicates == "drop"


def test_of_three_equal_rows_of_which_the_log_holds_two_one_is_new(workspace: Workspace) -> None:
    begin(workspace, *DAYS.splitlines(), "a,2024-01-30,9", "a,2024-01-30,9")
    made = go_on(workspace, HEAD, *["a,2024-01-30,9"] * 3, "b,2024-02-01,1")
    assert made.parts[1].rows_overlap == 2 and made.rows_kept == 60 + 3 + 1


def test_a_row_that_a_log_of_days_holds_once_is_held_once_however_a_later_file_times_it(workspace: Workspace) -> None:
    """The row of midnight is the log's own; that of the afternoon is a second purchase of the same day."""
    begin(workspace, HEAD, "a,2024-01-01,5", "a,2024-01-20,10", "b,2024-01-21,20", "b,2024-01-22,30")
    timed = ("a,2024-01-20 00:00:00,10", "a,2024-01-20 14:00:00,10", "b,2024-01-21 09:00:00,20")
    made = go_on(workspace, HEAD, *timed, "c,2024-02-03 10:00:00,7")
    assert made.parts[1].rows_overlap == 2 and made.net_revenue == 65 + 10 + 7


def test_columns_are_read_as_they_were_said_to_be(workspace: Workspace) -> None:
    head, mapping = "who,when_it_was,x1,x2", {"customer_id": "who", "event_time": "when_it_was", "amount": "x2"}
    begin(workspace, head, "a,2024-01-01,1,10", "b,2024-01-02,1,20", mapping=mapping)
    go_on(workspace, head, "a,2024-02-01,1,30")
    assert sorted(rows(workspace, "log", "amount")) == [(10.0,), (20.0,), (30.0,)]
    renamed = ("who,when_it_was,x1,total", "a,2024-03-01,1,40")
    with pytest.raises(Refused) as lacking:
        go_on(workspace, *renamed)
    assert lacking.value.code == "mapped_column_missing"
    assert lacking.value.params["canonical"] == "amount" and lacking.value.params["column"] == "x2"
    go_on(workspace, *renamed, answers=Answers({"amount": "total"}))
    assert sorted(rows(workspace, "log", "amount"))[-1] == (40.0,)


def test_a_column_that_was_said_to_be_no_country_is_none_next_month_either(workspace: Workspace) -> None:
    begin(workspace, HEAD + ",country", "a,2024-01-01,1,x", "b,2024-01-02,2,y", mapping={"country": ""})
    made = go_on(workspace, HEAD + ",country", "a,2024-02-01,3,z")
    assert "country" not in made.columns and made.columns[-1] == "country (source)"
    assert len(rows(workspace, "log", '"country (source)"')) == 3


def test_dates_that_fit_both_orders_are_read_as_before_and_a_proof_wins(workspace: Workspace) -> None:
    begin(workspace, HEAD, "a,31/01/2024,1", "b,02/01/2024,2")
    made = go_on(workspace, HEAD, "a,03/02/2024,3")
    assert made.last_event == "2024-02-03T00:00:00Z" and "dates_as_before" in warnings(made)
    made = go_on(workspace, HEAD, "a,02/13/2024,4", "a,03/04/2024,5")
    assert made.last_event == "2024-03-04T00:00:00Z" and made.rows_set_aside == 0


def test_marks_of_decimals_hold_where_a_later_file_is_too_short_to_show_them(workspace: Workspace) -> None:
    """1.500 is fifteen hundred where commas marked cents; so is it in dong, which have none."""
    begin(workspace, HEAD.replace(",", ";"), "a;2024-01-01;1,50", "b;2024-01-02;2,25")
    assert go_on(workspace, HEAD.replace(",", ";"), "a;2024-02-01;1.500").net_revenue == 1503.75
    dong = [f"c{n % 5};2024-01-{1 + n % 28:02};{10 + n}.000" for n in range(30)]
    begin(workspace, "customer_id;date;amount", *dong, currency="VND")
    made = go_on(workspace, "customer_id;date;amount", *(f"c{n};2024-02-{1 + n:02};{10 + n}.500" for n in range(3)))
    assert made.net_revenue == sum(1000 * (10 + n) for n in range(30)) + 3 * 11_500


def test_another_currency_is_asked_about(workspace: Workspace) -> None:
    begin(workspace, HEAD, "a,2024-01-01,€1", "b,2024-01-02,€2")
    pounds = (HEAD, "a,2024-02-01,£3")
    with pytest.raises(NeedsAnswer) as asked:
        go_on(workspace, *pounds)
    assert asked.value.code == "currency_differs"
    assert (asked.value.params["found"], asked.value.params["currency"]) == ("GBP", "EUR")
    assert go_on(workspace, *pounds, answers=Answers(currency="EUR")).net_revenue == 6
    with pytest.raises(Refused, match="GBP"):
        go_on(workspace, *pounds, answers=Answers(currency="GBP"))
    assert len(versions(workspace, "log")) == 2


def test_ids_of_another_kind_are_noticed(workspace: Workspace) -> None:
    begin(workspace, HEAD, *(f"c{i},2024-01-{1 + i:02},1" for i in range(28)))
    assert "other_ids" in warnings(go_on(workspace, HEAD, *(f"{900 + i}@x,2024-01-{1 + i:02},2" for i in range(28))))
    later = go_on(workspace, HEAD, *(f"n{i},2024-02-{1 + i:02},2" for i in range(28)))
    assert [one.code for one in later.warnings].count("warning.other_ids") == 1


WRITTEN_OTHERWISE: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "seconds cut": lambda rows: rows.assign(event_time=rows["event_time"].dt.strftime("%Y-%m-%d %H:%M")),
    "days only": lambda rows: rows.assign(event_time=rows["event_time"].dt.strftime("%Y-%m-%d")),
    "another zone": lambda rows: rows.assign(event_time=rows["event_time"] + pd.Timedelta("2h")),
    "with tax": lambda rows: rows.assign(amount=(rows["amount"] * 1.19).round(2)),
}


@pytest.mark.parametrize("how", WRITTEN_OTHERWISE)
def test_purchases_written_otherwise_are_counted_once_or_asked_about(workspace: Workspace, how: str) -> None:
    """Orders with ids; those without are asked about in ``test_second_files``."""
    at = pd.RangeIndex(300)
    orders = pd.DataFrame({"order_id": at, "customer_id": at * 37 % 83, "amount": (20.17 + at * 1.01 % 97).round(2)})
    orders["event_time"] = pd.Timestamp("2024-01-01 08:03:07") + pd.to_timedelta(at * 37_411, unit="s")
    first = begin(workspace, *orders[:200].to_csv(index=False).splitlines())
    again = WRITTEN_OTHERWISE[how](orders[100:]).to_csv(index=False).splitlines()
    if how != "with tax":
        assert go_on(workspace, *again).net_revenue == pytest.approx(orders["amount"].sum(), abs=0.005)
        return
    with pytest.raises(NeedsAnswer) as asked:
        go_on(workspace, *again)
    assert asked.value.code == "orders_changed"
    for reading in asked.value.params["readings"]:
        found = go_on(workspace, *again, answers=Answers(**reading["answers"]))
        assert found.net_revenue == pytest.approx(reading["net_revenue"])
        restore(workspace, "log", first.version)


def test_rows_that_differ_in_a_side_column_only_are_asked_about(workspace: Workspace) -> None:
    def log(stamp: str) -> list[str]:
        lines = (f"c{i % 7},2024-01-{1 + i % 28:02} 10:00:0{i % 9},{i},{stamp}" for i in range(60))
        return [HEAD + ",loaded", *lines]

    begin(workspace, *log("monday"))
    with pytest.raises(NeedsAnswer) as asked:
        go_on(workspace, *log("tuesday"))
    assert [one["net_revenue"] for one in asked.value.params["readings"]] == [1770, 1770, 3540]


def test_a_part_needs_no_purchases_and_no_second_customer(workspace: Workspace) -> None:
    head = "customer_id,event_time,event_type,amount"
    begin(workspace, head, "a,2024-01-01,purchase,1", "b,2024-01-02,purchase,2")
    assert go_on(workspace, head, "a,2024-02-01,view,").event_types == {"purchase": 2, "view": 1}


def test_several_files_at_once_are_one_version_and_one_that_is_refused_leaves_nothing(workspace: Workspace) -> None:
    half = DAYS.splitlines()
    first = write(workspace, "1.csv", "\n".join(half[:40]) + "\n")
    second = write(workspace, "2.csv", "\n".join([half[0], *half[30:]]) + "\n")
    made = ingest(workspace, [first, second], "log", overlap="add")  # every 28th row is of the same customer and day
    ingest(workspace, write(workspace, "all.csv", DAYS), "whole")
    assert Counter(rows(workspace, "log")) == Counter(rows(workspace, "whole"))
    check_accounts(made)
    assert len(versions(workspace, "log")) == 1 and made.made == "ingest" and made.parts[1].rows_overlap == 10
    bad = write(workspace, "3.csv", "customer_id,colour\na,red\nb,blue\n")
    for target, files in (("log", [first, bad]), ("other", [first, bad])):
        with pytest.raises((Refused, NeedsAnswer)):
            ingest(workspace, files, target)
    with pytest.raises((Refused, NeedsAnswer)):
        append(workspace, "log", [second, bad])
    assert open_dataset(workspace, "log").manifest == made
    assert sorted(path.name for path in workspace.datasets.iterdir()) == ["log", "whole"]


def test_a_stopped_append_leaves_the_dataset_as_it_was(workspace: Workspace) -> None:
    class Stop:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stage == "figures" and self.seen:
                raise Cancelled
            self.seen = stage == "overlap" or self.seen

        seen = False

    first = begin(workspace, *DAYS.splitlines())
    with pytest.raises(Cancelled):
        append(workspace, "log", write(workspace, "b.csv", DAYS + "c9,2024-03-01,1\n"), progress=Stop())
    assert open_dataset(workspace, "log").manifest == first
    assert [path.name for path in workspace.datasets.iterdir()] == ["log"]
