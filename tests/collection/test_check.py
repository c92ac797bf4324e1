"""The look before saving: nothing is stored, and everything that will be is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.check import check_file
from clv_core.collection.horizons import HORIZONS, supported_horizons
from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.workspace import Workspace


@pytest.fixture
def log(tmp_path: Path) -> Path:
    lines = ["Customer ID;Order Date;Total;note"]
    for i in range(400):
        lines.append(f"c{i % 150};2023-{1 + i % 12:02}-{1 + i % 28:02};{i},50;x")
    lines += [";2023-01-01;1,00;x", "c1;never;2,00;x", "c1;2023-01-01;3,00"]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_first_look_proposes_and_shows_samples(log: Path) -> None:
    seen = inspect_file(log)
    found = {item.column: (item.canonical, item.samples[0]) for item in seen.columns}
    assert found["Customer ID"] == ("customer_id", "c0") and found["Order Date"][0] == "event_time"
    assert found["Total"] == ("amount", "0,50") and found["note"][0] is None
    assert (seen.delimiter, seen.missing, seen.encoding) == (";", (), "utf-8")
    assert all(0 <= item.confidence <= 1 for item in seen.columns)
    renamed = log.with_name("renamed.csv")
    renamed.write_text(log.read_text().replace("Total", "Foo"))
    assert inspect_file(renamed).missing == ("amount",)
    assert inspect_file(renamed, mapping={"amount": "Foo"}).missing == ()


def test_the_check_says_what_ingest_will_do(log: Path, tmp_path: Path) -> None:
    check = check_file(log, currency="EUR")
    assert check.accounting == {"rows_read": 403, "rows_kept": 400, "rows_set_aside": 3, "rows_duplicate": 0}
    assert check.manifest.net_revenue == sum(i + 0.5 for i in range(400))
    assert {problem.reason: problem.rows for problem in check.problems} == {
        "no_customer": 1,
        "bad_time": 1,
        "ragged": 1,
    }
    assert check.set_aside.line.tolist() == [402, 403, 404]
    assert len(check.first_rows) == 50 and check.first_rows.customer_id[0] == "c0"
    assert [item.horizon_days for item in check.horizons] == list(HORIZONS)
    stored = ingest(Workspace(tmp_path / "workspace"), log, "log", currency="EUR")
    same = ("version", "rows_kept", "customers", "net_revenue", "mapping", "warnings", "currency")
    assert [getattr(stored, key) for key in same] == [getattr(check.manifest, key) for key in same]


def test_horizons_need_room_and_buyers() -> None:
    verdicts = {item.horizon_days: item.verdict for item in supported_horizons(546, dict.fromkeys(HORIZONS, 500))}
    assert (verdicts[182], verdicts[365]) == ("measured", "too_short")
    few = supported_horizons(546, dict.fromkeys(HORIZONS, 99))
    assert {item.verdict for item in few} == {"unmeasured", "too_short"}
    assert supported_horizons(400, dict.fromkeys(HORIZONS, 500))[5].verdict == "unmeasured"
    for item in few:
        assert item.reason.text("en") and item.reason.text("zh")
