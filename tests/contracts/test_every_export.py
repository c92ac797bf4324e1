"""Every row of ``EXPORTS``: written and read back by other readers, with all who may be in it once, and nobody else."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from clv_core.errors import NotEnoughData
from clv_core.i18n import LANGUAGES
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import export, log_export
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.workspace import Workspace
from tests.strategy.lists import SIDE

FORMAT = pytest.mark.parametrize("format", EXPORTS)
REFUSED, MORE = 20, 40
"""The first customers did not agree to be contacted; the list is so much longer than the smallest one."""
IDS = [f"c{place:05}" for place in range(1100)]


def people_of(format: str) -> int:
    """Return how many customers are listed, those who did not agree among them."""
    return REFUSED + EXPORTS[format].fewest + MORE


def scored(count: int) -> pd.DataFrame:
    """Return customers with scores and a first order, the most valuable first."""
    return pd.DataFrame(
        {
            "customer_id": IDS[:count],
            "as_of": "1998-07-01",
            "horizon_days": 182,
            "p_purchase": np.linspace(1, 0, count),
            "predicted_clv": np.linspace(500, 1, count).round(2),
            "tier": 1,
            "converted_at": pd.Timestamp("1998-06-01 10:20:30"),
            "conversion_value": 480.5,
            "conversion_currency": "EUR",
            "break_even_uplift": 0.05,
        }
    )


def contacts(count: int) -> Contacts:
    """Return what is known of them: of each an address, a mobile number and a click; of every other one the country."""
    people = pd.DataFrame({"customer_id": IDS[:count]})
    people["email"] = "person" + people["customer_id"] + "@example.org"
    people["phone"] = [f"138{place:08}" for place in range(count)]
    people["gclid"] = "Cj" + people["customer_id"]
    people["consent"] = ["no"] * REFUSED + ["yes"] * (count - REFUSED)
    people["country"] = ["China" if place % 2 else "" for place in range(count)]
    return Contacts(people.assign(first_name="Ann", last_name="Lee", zip="SW1A 1AA"))


def rows_of(path: Path, *, header: bool) -> list[list[str]]:
    """Return the rows below the names, as a reader that is not ours has them."""
    if path.suffix == ".xlsx":
        rows = [[str(cell) for cell in row] for row in openpyxl.load_workbook(path)["customers"].values]
    else:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    return rows[1:] if header else rows


def traces(place: int) -> set[str]:
    """Return what a list may tell a customer by: id, address, number and click, as they are and hashed."""
    phone = f"138{place:08}"
    plain = {IDS[place], f"person{IDS[place]}@example.org", phone, f"86{phone}", f"+86{phone}", f"Cj{IDS[place]}"}
    return plain | {getattr(hashlib, way)(text.encode()).hexdigest() for text in plain for way in ("sha256", "md5")}


@FORMAT
def test_everybody_who_may_be_in_it_is_there_once_and_nobody_else(format: str, tmp_path: Path) -> None:
    entry = EXPORTS[format]
    given = contacts(people_of(format)) if entry.needs_contacts else None
    made = export(scored(people_of(format)), format, tmp_path / f"list{entry.suffix}", side=SIDE, contacts=given)
    rows = [row for path in made.files for row in rows_of(path, header=entry.header)]
    inside = range(REFUSED if entry.needs_contacts else 0, people_of(format))
    assert len(rows) == made.rows == len(inside) and len({len(row) for row in rows}) == 1
    cells = [set(row) for row in rows]
    for place, row in zip(inside, cells, strict=True):
        assert row & traces(place), "the key that the platform matches by, in the order of value"
    shown = set().union(*cells)
    left = [traces(place) & shown for place in range(people_of(format)) if place not in inside]
    assert not any(left) and (not entry.needs_contacts or made.left_out == {"no_consent": REFUSED})


BEHIND = {"Email Marketing Consent", "currency"}
"""Columns that are last in any list that has them: what else a row is, comes before."""


@FORMAT
def test_the_break_even_uplift_is_a_last_column_where_the_format_has_room_and_nowhere_else(
    format: str, tmp_path: Path
) -> None:
    entry, headers = EXPORTS[format], []
    given = contacts(people_of(format)) if entry.needs_contacts else None
    for people in (scored(people_of(format)).drop(columns="break_even_uplift"), scored(people_of(format))):
        made = export(people, format, tmp_path / f"list{entry.suffix}", side=SIDE, contacts=given)
        headers.append(rows_of(made.files[0], header=False)[0])
    without, with_uplift = ([name for name in names if name not in BEHIND] for names in headers)
    assert with_uplift == [*without, "break_even_uplift"] if entry.takes_break_even else with_uplift == without
    assert "max_spend" not in with_uplift, "known customers have no ceiling"


@FORMAT
def test_it_says_what_it_is_and_is_the_same_file_again(format: str, tmp_path: Path) -> None:
    entry, found = EXPORTS[format], []
    given = contacts(people_of(format)) if entry.needs_contacts else None
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        found.append(
            export(
                scored(people_of(format)), format, tmp_path / name / f"list{entry.suffix}", side=SIDE, contacts=given
            )
        )
    texts = [[rows_of(path, header=entry.header) for path in made.files] for made in found]
    assert texts[0] == texts[1]
    record = json.loads(found[0].side_file.read_text(encoding="utf-8"))
    about = {"cutoff": "1998-07-01", "horizon_days": 182, "model": SIDE.model, "currency": "EUR", "format": format}
    assert about.items() <= record.items() and record["files"] == [f"list{entry.suffix}"]
    workspace = Workspace(tmp_path / "workspace")
    for made in found:
        log_export(workspace, made, format, SIDE)
    lines = [json.loads(line) for line in (workspace.exports / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["rows"] for line in lines] == [record["rows"]] * 2
    assert {"who", "made", "format", "segment"} <= set(lines[1])


@FORMAT
def test_a_list_that_is_too_small_for_it_is_refused_in_words(format: str, tmp_path: Path) -> None:
    entry = EXPORTS[format]
    count = REFUSED * entry.needs_contacts + entry.fewest - 1
    given = contacts(max(count, REFUSED)) if entry.needs_contacts else None
    with pytest.raises(NotEnoughData) as caught:
        export(scored(count), format, tmp_path / f"list{entry.suffix}", side=SIDE, contacts=given)
    assert len({caught.value.message(language) for language in LANGUAGES}) == len(LANGUAGES)
    assert list(tmp_path.iterdir()) == []


@FORMAT
def test_its_fields_fit_each_other(format: str) -> None:
    entry = EXPORTS[format]
    assert entry.id == format and entry.suffix in (".csv", ".txt", ".xlsx")
    assert bool(entry.keys) == entry.needs_contacts and entry.fewest >= 1
    assert (entry.columns is None) or entry.columns.__doc__
