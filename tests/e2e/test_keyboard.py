"""The way from a file to a customer list without a pointer: Tab, Enter, arrows and Space alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from clv_core.i18n import translate
from tests.e2e.conftest import ROOT, serving, window
from tests.e2e.studio import Studio

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

SAMPLE: Final = ROOT / "tests" / "sample.csv"
STOPS: Final = 80
"""More than a page has places for the focus."""
AT: Final = """() => {
  const here = document.activeElement;
  if (!here.matches("a, button, input, summary")) return "";
  return here.ariaLabel || [...(here.labels || [])].map(one => one.innerText).join() || here.innerText;
}"""


@pytest.fixture
def keys(chromium: str, tmp_path: Path) -> Iterator[Studio]:
    """A window on an app over the sample with its model."""
    made = [sys.executable, "-m", "clv_core", "demo", "--workspace", str(tmp_path)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    with serving(tmp_path) as address, window(chromium, address, accept_downloads=True) as studio:
        yield studio


def press(studio: Studio, label: str, key: str = "Enter") -> None:
    """Go on by Tab to what has this label, and press a key there."""
    reach(studio, label)
    studio.page.keyboard.press(key)


def reach(studio: Studio, label: str) -> None:
    passed = []
    for _ in range(STOPS):
        studio.page.keyboard.press("Tab")
        passed.append(str(studio.page.evaluate(AT)))
        if label in passed[-1]:
            return
    raise AssertionError(f"{label} is not among {passed}")


def test_from_a_file_to_a_list_by_keys_alone(keys: Studio) -> None:
    keys.open("home", lang="en", dataset="sample")
    press(keys, translate("home.upload.button"))
    keys.wait()
    reach(keys, translate("upload.way.upload"))
    with keys.page.expect_file_chooser() as chooser:
        press(keys, "Upload")
    chooser.value.set_files(str(SAMPLE))
    keys.wait_for("26,823 rows read")
    press(keys, translate("save.way.new"), "Space")
    keys.wait()
    press(keys, translate("upload.save"))
    keys.page.get_by_role("dialog").wait_for()  # the sample is there already
    press(keys, translate("upload.save"))
    keys.wait_for("sample saved")
    keys.wait_for("Your model stays in use")
    press(keys, translate("upload.to_train"))
    keys.wait_for(translate("train.horizon"))
    press(keys, "30 days", "Space")
    keys.wait()
    days = keys.page.get_by_role("radio", name="30 days")
    keys.until(lambda: days.get_attribute("aria-checked") == "true")
    keys.wait()
    press(keys, translate("train.start"))
    keys.wait_for(translate("job.leave")[:30])
    press(keys, translate("job.cancel"))
    keys.page.get_by_role("dialog").wait_for()
    press(keys, translate("job.cancel.confirm"))
    keys.wait_for(translate("job.cancelled"))
    keys.open("segments", lang="en", dataset="sample")
    keys.wait_for("Download: CSV")  # the new version is scored first
    with keys.page.expect_download() as list_:
        press(keys, "Download: CSV", "Space")
    assert list_.value.suggested_filename.startswith("sample_customers_")
    keys.open("exports", lang="en", dataset="sample")
    keys.wait_for(translate("exporting.make"))
    press(keys, translate("exporting.make"))
    keys.wait()
    with keys.page.expect_download() as list_:
        press(keys, translate("exporting.download"))
    assert list_.value.suggested_filename.endswith(".csv")
