"""Files of lists: no two of them share a name, each lies beside what it means, and each is in the log."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.i18n import translate
from clv_core.strategy.audiences.export_records import export_log
from clv_core.workspace import Workspace, read_json
from pages.ui import row_files
from tests.pages.conftest import OPEN, Offered, do, enter_effects, press, texts

pytestmark = pytest.mark.first(5)


def ids(path: Path) -> set[str]:
    return set(pd.read_csv(path, encoding="utf-8-sig", dtype=str)["customer_id"])


def test_a_list_made_with_and_without_a_stop_list_is_two_files(open_page: OPEN, root: Path) -> None:
    app = do(open_page(root, "exports", lang="en"), "export_make")
    assert translate("exporting.download", "en") in _labels(app)
    [everyone] = (root / "exports").glob("*.csv")
    out = sorted(ids(everyone))[:20]
    app.file_uploader(key="export_stop_file").set_value(("stop.txt", "\n".join(out).encode(), "text/plain")).run()
    assert translate("exporting.download", "en") not in _labels(app)
    app.button(key="export_make").click().run()
    assert translate("exporting.download", "en") in _labels(app)
    [fewer] = set((root / "exports").glob("*.csv")) - {everyone}
    assert ids(everyone) - ids(fewer) == set(out)


def test_a_list_made_before_somebody_was_suppressed_is_offered_no_more(open_page: OPEN, root: Path) -> None:
    app = do(open_page(root, "exports", lang="en"), "export_make")
    assert translate("exporting.download", "en") in _labels(app)
    [before] = (root / "exports").glob("*.csv")
    one = sorted(ids(before))[0]
    SuppressionList.of(Workspace(root)).add([one])
    app.run()
    assert translate("exporting.download", "en") not in _labels(app)
    app.button(key="export_make").click().run()
    assert translate("exporting.download", "en") in _labels(app)
    [after] = set((root / "exports").glob("*.csv")) - {before}
    assert one in ids(before) and one not in ids(after)


def test_filters_of_the_segments_page_are_in_the_name_the_side_file_and_the_log(
    open_page: OPEN, root: Path, offered: Offered
) -> None:
    app = open_page(root, "segments", lang="en")
    names = [offered["download_list_csv"]["name"]]
    do(app, ("filter_tiers_4", [1, 2]), ("filter_p", 50))
    names.append(offered["download_list_csv"]["name"])
    for part in ("1", "12"):
        do(app, ("filter_id", part))
        names.append(offered["download_list_csv"]["name"])
    assert len(set(names)) == 4 and "tier1-2-p_purchase-0.5" in names[1] and "customer_id" in names[2]
    press(offered["download_list_csv"])
    listed = pd.read_csv(root / "exports" / names[-1], encoding="utf-8-sig", dtype={"customer_id": str})
    assert (listed["p_purchase"] >= 0.5).all() and listed["customer_id"].str.contains("12").all()
    side = json.loads(press(offered["download_list_side"]))
    assert side["segment"] == "tier=1,2 p_purchase>=0.5 customer_id~12" and side["rows"] == len(listed)
    log = export_log(Workspace(root))
    assert len(log) == 1 and log[0].segment == "tier=1,2 p_purchase>=0.5 customer_id~…"


def test_segments_say_who_is_left_out_and_offer_what_numbers_mean(
    open_page: OPEN, root: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_page(root, "segments", lang="en")
    side = json.loads(press(offered["download_list_side"]))
    assert side["files"] == [offered["download_list_csv"]["name"]] and side["left_out"] == {}
    SuppressionList.of(Workspace(root)).add(sorted(ids(root / "exports" / side["files"][0]))[:3])
    monkeypatch.setattr(row_files, "XLSX_ROWS", 5)
    app = open_page(root, "segments", lang="en")
    said = translate("export.left_out.suppressed", "en")
    assert translate("exporting.left_out", "en", reasons=f"{said}: 3") in texts(app)
    assert json.loads(press(offered["download_list_side"]))["left_out"] == {"suppressed": 3}
    assert offered["download_list_xlsx"]["disabled"] and not offered["download_list_csv"]["disabled"]
    assert translate("recommend.xlsx.many", "en", rows="5") in texts(app)


def test_a_plan_is_named_by_its_budget_and_says_its_offers(open_page: OPEN, root: Path, offered: Offered) -> None:
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    slider = app.slider[0]
    first, budget = offered["download_plan_csv"]["name"], slider.value
    assert f"_plan-{budget:.10g}_" in first
    slider.set_value(slider.max).run()
    assert offered["download_plan_csv"]["name"] != first
    side = json.loads(press(offered["download_plan_side"]))
    assert side["settings"]["budget"] == slider.max
    assert {"name", "cost", "effects", "capacity"} <= set(side["settings"]["offers"][0])


def test_card_days_and_reasons_are_in_the_log_and_name_nobody(open_page: OPEN, root: Path, offered: Offered) -> None:
    open_page(root, "customer", lang="en")
    card = json.loads(press(offered["download_card"]))
    days = press(offered["download_days"])
    open_page(root, "explain", lang="en")
    press(offered["download_reasons"])
    reasons, of_days, of_card = export_log(Workspace(root))
    assert [one.format for one in (reasons, of_days, of_card)] == ["reasons", "card_days", "card"]
    assert (of_card.rows, of_days.rows) == (1, days.count(b"\n") - 1)
    assert reasons.customers == reasons.rows == 40
    assert of_card.segment == "customer_id=…" and card["customer_id"] not in json.dumps(
        [of_card.to_json(), of_days.to_json()]
    )


def test_tables_of_figures_and_reasons_say_what_their_numbers_are_of(
    open_page: OPEN, root: Path, offered: Offered
) -> None:
    bundle = read_json(next((root / "models").glob("*/bundle.json")))
    app = open_page(root, "segments", lang="en")
    do(app, (f"terms_horizon_{bundle['horizon_days']}", 30), ("segments_view", "figures"))
    open_page(root, "explain", lang="en")
    end = bundle["cutoff"]
    for key, days in (("download_segments", 30), ("download_reasons", bundle["horizon_days"])):
        table = pd.read_csv(io.BytesIO(press(offered[key])), encoding="utf-8-sig")
        for column, value in (("dataset", "shop"), ("as_of", end), ("horizon_days", days)):
            assert set(table[column]) == {value}, (key, column)
        assert table["model"].str.startswith("shop-").all() and f"_{end}_{days}" in offered[key]["name"]


def test_a_model_with_its_holdout_is_in_the_log_and_one_without_is_not(
    open_page: OPEN, root: Path, offered: Offered
) -> None:
    app = open_page(root, "models", lang="en")
    press(offered["export_1"])
    assert export_log(Workspace(root)) == []
    do(app, ("holdout_", True))
    press(offered["export_1"])
    [line] = export_log(Workspace(root))
    assert (line.format, line.files, line.dataset) == ("model_holdout", [], "shop")
    assert line.customers > 0 and translate("export.model_holdout", "zh") != translate("export.model_holdout", "en")


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_the_log_counts_customers_beside_rows_and_says_all_in_words(open_page: OPEN, root: Path, lang: str) -> None:
    about = {
        **{"made": "2026-01-02T03:04:05+00:00", "who": "ana", "segment": "", "dataset": "shop", "files": ["a.csv"]},
        **{"dataset_version": "0123456789ab", "cutoff": "2025-01-01", "horizon_days": 90, "currency": "EUR"},
    }
    [model] = [path.name for path in (root / "models").iterdir() if not path.name.startswith(".")]
    lines = [
        {**about, "format": "csv", "model": "gone", "rows": 7},
        {**about, "format": "csv", "model": model, "rows": 5, "customers": None},
        {**about, "format": "parquet", "model": model, "rows": 17_500, "customers": 1750},
    ]
    (root / "exports").mkdir()
    (root / "exports" / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    app = open_page(root, "exports", lang=lang)
    assert not app.error
    when = next(item.value for item in app.markdown if "17,500" in str(item.value))
    assert "1,750" in when
    log = app.dataframe[-1].value
    assert log.columns[-1] == translate("column.export_files", lang)
    assert log[translate("column.export_what", lang)].iloc[0] == translate("export.parquet", lang) != "parquet"
    customers = log[translate("column.export_customers", lang)]
    assert customers.iloc[[0, 2]].tolist() == [1750, 7] and pd.isna(customers.iloc[1])
    assert log[translate("column.export_rows", lang)].tolist() == [17_500, 5, 7]
    models = log[translate("column.model", lang)].tolist()
    assert models[0] == models[1] != model and models[2] == "gone"


def _labels(app: AppTest) -> list[str]:
    return [str(getattr(button, "label", "")) for button in app.get("download_button")]
