"""A dataset is cleaned, gets next month's file and a customers table, through the browser alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.i18n import translate
from tests.e2e.studio import Studio

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]
SAMPLE = Path(__file__).resolve().parents[2] / "tests" / "sample.csv"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A log with seven rows of a test account, a later file that repeats its last month, and a customers file."""
    events = pd.read_csv(SAMPLE, dtype=str)
    log = events[events["event_time"] < "2024-12-01"]
    test = log.head(7).assign(customer_id="test-user", event_type="purchase", amount="1.00")
    tables = {
        "log": pd.concat([log, test]),
        "next": events[events["event_time"] >= "2024-11-01"],
        "customers": pd.DataFrame({"customer_id": sorted(set(events["customer_id"]))[:500], "email": "a@shop.example"}),
    }
    paths = {name: tmp_path / f"{name}.csv" for name in tables}
    for name, table in tables.items():
        table.to_csv(paths[name], index=False)
    return paths


def test_clean_append_and_customers(studio: Studio, files: dict[str, Path]) -> None:
    events = {name: pd.read_csv(path, dtype=str) for name, path in files.items()}
    studio.open("home", lang="en")
    studio.click("Choose a file")
    studio.page.set_input_files("input[type=file]", str(files["log"]))
    studio.wait_for(f"{len(events['log']):,} rows read")
    name = studio.page.get_by_role("textbox", name=translate("upload.name", "en"))
    name.fill("Walk")
    name.press("Tab")
    studio.click(translate("upload.save", "en"))
    studio.wait_for("Walk saved")
    clean(studio, kept=len(events["log"]) - 7, read=len(events["log"]))
    append(studio, files["next"], overlap=int((events["next"]["event_time"] < "2024-12-01").sum()))
    customers(studio, files["customers"], len(events["customers"]))


def clean(studio: Studio, kept: int, read: int) -> None:
    studio.click("See the dataset")
    studio.page.get_by_test_id("stMain").get_by_text("Clean", exact=True).first.click()
    studio.wait_for("Test and staff accounts")
    studio.wait_for("7 rows, 7 purchases")
    studio.page.get_by_text("Test and staff accounts").first.click()
    studio.wait()
    studio.click("Apply")
    studio.wait_for(f"Cleaned: {kept:,} of {read:,} rows kept.")


def append(studio: Studio, file: Path, overlap: int) -> None:
    studio.click("Add a file")
    studio.page.set_input_files("input[type=file]", str(file))
    studio.wait_for("Dataset to add to")
    studio.click("Add to the dataset")
    studio.wait_for(f"{overlap:,} of them already in the dataset")


def customers(studio: Studio, file: Path, rows: int) -> None:
    studio.click("See the dataset")
    studio.page.get_by_text("Customer data", exact=True).first.click()
    studio.wait()
    studio.page.set_input_files("input[type=file]", str(file))
    studio.wait_for("Replace contact fields with pseudonyms")
    studio.click("Add to Walk")
    studio.wait_for(f"Added: {rows:,} customers in the file, {rows:,} in the log")
