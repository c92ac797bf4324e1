"""From a real log to a customer list, through the browser alone.

Without ``$CLV_SCREENSHOTS``, where pictures are kept, the model averages fewer networks, and at the end pages open in
Chinese alone.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from clv_core.i18n import LANGUAGES, translate
from tests.e2e.studio import KEPT, PAGES, Studio

pytestmark = pytest.mark.timeout(3600)


def test_journey_from_upload_to_download(studio: Studio, cdnow_file: Path, tmp_path: Path) -> None:
    for lang in LANGUAGES:
        studio.open("home", lang=lang)
        studio.picture(f"home-empty_{lang}")
    upload(studio, cdnow_file)
    train(studio)
    evaluate(studio)
    explain(studio)
    check_list(segments(studio, tmp_path))
    behaviour(studio)
    for lang in LANGUAGES if KEPT else ("zh",):
        for name in PAGES:
            studio.open(name, lang=lang, dataset="CDNOW")
            studio.shows(translate(f"page.{name}", lang))
            assert translate("error.unexpected", kind="")[:20] not in studio.text()
            studio.picture(f"{name}_{lang}")
    assert studio.outside == []


def upload(studio: Studio, file: Path) -> None:
    studio.open("home", lang="en")
    studio.click("Choose a file")
    studio.page.set_input_files("input[type=file]", str(file))
    studio.wait_for("69,659 rows read = 69,659 kept + 0 rejected + 0 duplicates")
    studio.shows("23,570")
    studio.picture("upload-check_en")
    name = studio.page.get_by_role("textbox", name=translate("upload.name", "en"))
    name.fill("CDNOW")
    name.press("Tab")
    studio.click(translate("upload.save", "en"))
    studio.wait_for("CDNOW saved")
    studio.wait_for("First look only")
    studio.shows("In 182 days, customers known today will bring")
    studio.picture("upload-look_en")


def train(studio: Studio) -> None:
    studio.click(translate("upload.to_train", "en"))
    studio.shows("CDNOW covers 546 days")
    if not KEPT:
        studio.page.get_by_text(translate("train.advanced", "en"), exact=True).click()
        networks = studio.page.get_by_role("spinbutton", name=translate("config.ensemble", "en"))
        networks.fill("2")
        networks.press("Tab")
        studio.wait()
    studio.click(translate("train.start", "en"))
    studio.wait_for(translate("job.leave", "en"))
    studio.page.reload()
    studio.wait_for(translate("job.leave", "en"))
    studio.wait_for("Training loss:")
    studio.picture("train-running_en")
    studio.wait_for(translate("train.evaluate", "en"), 1800)


def evaluate(studio: Studio) -> None:
    studio.click(translate("train.evaluate", "en"))
    studio.wait_for(translate("metric.gini", "en"))
    gini = float(studio.page.get_by_test_id("stMetricValue").first.inner_text())
    assert 0.7 < gini < 0.85
    studio.shows("This model passed its test on unseen past data.")
    studio.shows("Purchase probability: good")


def explain(studio: Studio) -> None:
    studio.click("See why")
    studio.wait_for(translate("explain.words", "en"))
    studio.page.get_by_text(translate("explain.part.customer", "en"), exact=True).click()
    studio.wait_for("above average")


def segments(studio: Studio, folder: Path) -> Path:
    studio.open("segments", lang="en", dataset="CDNOW")
    studio.wait_for("23,570 customers")
    with studio.page.expect_download() as download:
        studio.page.get_by_role("button", name="Download: CSV for spreadsheets").click()
    target = folder / str(download.value.suggested_filename)
    download.value.save_as(target)
    return target


def behaviour(studio: Studio) -> None:
    """The log is summed by a run of its own; the page then opens with its finding and leads to training."""
    studio.open("explore", lang="en", dataset="CDNOW")
    studio.wait_for(translate("explore.headline", "en", share="51%", back="49%"))
    studio.click(translate("explore.to_train", "en"))
    studio.shows("CDNOW covers 546 days")


def check_list(path: Path) -> None:
    """The file names what it is, holds every customer once, ids as text, and numbers that can be."""
    assert re.fullmatch(r"CDNOW_customers_1998-07-01_182d_[0-9a-f]{6}\.csv", path.name)
    frame = pd.read_csv(path, dtype={"customer_id": "str"}, encoding="utf-8-sig")
    assert len(frame) == frame["customer_id"].nunique() == 23_570
    assert frame["customer_id"].str.fullmatch(r"\d{5}").all()
    assert frame["predicted_clv"].is_monotonic_decreasing and (frame["predicted_clv"] >= 0).all()
    assert frame["p_purchase"].between(0, 1).all()
    assert (frame["clv_p10"] <= frame["clv_p50"]).all() and (frame["clv_p50"] <= frame["clv_p90"]).all()
    assert set(frame["horizon_days"]) == {182} and set(frame["as_of"].astype(str)) == {"1998-07-01"}
    assert sorted(frame["tier"].unique()) == [1, 2, 3, 4]
