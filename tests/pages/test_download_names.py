"""Names of files are short, say what is in them in the words of the page, and tell lists apart that differ."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from clv_core.deployment.bundle import Bundle
from clv_core.i18n import LANGUAGES
from clv_core.strategy.audiences.spreadsheet_safety import inert_csv
from pages.ui import page_files, session
from pages.ui.page_files import LONGEST, dated, file_name, spoken
from tests.records import model_record

CUTOFF = "2026-10-20"


def bundle_of(dataset: str) -> Bundle:
    record = model_record(dataset={"name": dataset, "version": "0123456789ab"}, horizon_days=182)
    return cast(Bundle, SimpleNamespace(record=record, id=f"{dataset}-blend-20261020-c33e0654f015"))


def test_a_name_says_what_is_in_a_file_in_the_words_of_the_page_and_the_dataset_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "language", lambda: "zh")
    name = file_name(bundle_of("有赞订单导出_2024-11至2026-10"), "customers", CUTOFF, "csv")
    assert name == "有赞订单导出_2024-11至2026-10_用户名单_2026-10-20_182d.csv"
    assert spoken("tier1-2-phone_hashes") == "层级1-2-腾讯手机号包" and spoken("report-zh") == "报告-zh"
    assert dated("exports", "csv") == f"导出记录_{datetime.now(UTC):%Y-%m-%d}.csv"
    monkeypatch.setattr(session, "language", lambda: "en")
    assert file_name(bundle_of("shop"), "tier1-2", CUTOFF, "xlsx") == "shop_tier1-2_2026-10-20_182d.xlsx"


def test_no_name_is_longer_than_a_person_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "our export of a shop with a very long name of sixty-four letters"
    whats = ("customers", "tier1-2-p_purchase-0.5-customer_id-google_customer_match-and-more-of-it")
    for language, dataset, what in product(LANGUAGES, ("shop", long), whats):
        monkeypatch.setattr(session, "language", lambda said=language: said)
        name = file_name(bundle_of(dataset), what, CUTOFF, "parquet", mark="ab12cd")
        assert len(name) <= LONGEST and name.endswith("_2026-10-20_182d_ab12cd.parquet")
        assert name.startswith(dataset[:20].replace(" ", "-")) and " " not in name


def test_an_exact_table_opens_in_any_alphabet_with_every_digit_and_runs_nothing() -> None:
    made = inert_csv(pd.DataFrame({"dataset": ["有赞", "=1+1"], "value": [1 / 3, 2.0]}))
    assert made.startswith("\ufeff".encode()) and "有赞,0.3333333333333333\r\n".encode() in made
    assert b"\n=1+1" not in made


@pytest.mark.parametrize(("name", "kind"), [("a.csv", "text/csv"), ("a.csv.json", "application/json"), ("a.x", None)])
def test_a_file_is_of_the_type_that_its_ending_says(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: str | None
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(page_files.st, "download_button", lambda *args, **options: given.extend(args))
    page_files.download("Take it", b"1", name, "template")
    assert given[2:] == [name, kind]
