"""The command ``customers``: every word is heard, the JSON accounts for every row, exports find the contacts."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.parse.id_texts import load_key, pseudonym
from clv_core.collection.store.version_store import open_dataset, restore, versions
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, codes, done, refused

pytestmark = pytest.mark.first(4)

PEOPLE = (
    "Nr;Alter;Gebiet;Stufe;seit;Post\n"
    "007;30,5;1;silver;03/04/2024;a@b.de\n"
    "007;30,5;1;gold;04/04/2024;a@b.de\n"
    "08;1.000;2;gold;03/04/2024;c@d.de\n"
    ";41;2;gold;03/04/2024;e@f.de\n"
)
LOG = "customer_id,event_time,amount\n007,2024-01-03,5\n08,2024-01-04,6\n09,2024-01-04,7\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "people.csv").write_text(PEOPLE)
    ingest(Workspace(tmp_path / "workspace"), tmp_path / "log.csv", "shop")
    return Workspace(tmp_path / "workspace")


def added(workspace: Workspace, words: str, **changed: str) -> dict[str, Any]:
    """Return what adding the people says, once a word of their table was changed."""
    path = workspace.root.with_name("people.csv")
    for old, new in changed.items():
        path.write_text(path.read_text().replace(old, new))
    return done(workspace, "customers", path, "--dataset", "shop", *words.split())


def test_an_attribute_whose_name_holds_an_equals_sign_is_dated(workspace: Workspace) -> None:
    answer = added(workspace, "--id Nr --dated=Stufe=neu=seit --date-order dmy", Stufe="Stufe=neu")
    assert answer["attributes"] == [{"name": "Stufe=neu", "kind": "text", "dated_by": "seit"}]


def test_every_word_is_heard_and_every_row_accounted_for(workspace: Workspace) -> None:
    parent = open_dataset(workspace, "shop").version
    words = "--id Nr --static Alter --static Gebiet --text Gebiet --dated Stufe=seit --contact email=Post"
    answer = added(workspace, f"{words} --date-order dmy --decimal comma --lang zh")
    counts = {"rows_read": 4, "rows_kept": 3, "rows_set_aside": 1, "customers": 2, "matched": 2, "customers_in_log": 3}
    assert {key: answer[key] for key in counts} == counts
    assert answer["parent"] == parent and answer["contacts"] == ["email"]
    assert answer["attributes"] == [
        {"name": "Alter", "kind": "number", "dated_by": None},
        {"name": "Gebiet", "kind": "text", "dated_by": None},
        {"name": "Stufe", "kind": "text", "dated_by": "seit"},
    ]
    assert {"no_customer", "leaks_log_too_short"} <= set(codes(answer))
    assert all("{" not in item["message"] for item in answer["warnings"])
    stored = pd.read_parquet(open_dataset(workspace, "shop").customers_path)
    assert stored["Alter"].tolist() == [30.5, 30.5, 1000.0] and stored["customer_id"].tolist() == ["007", "007", "08"]
    assert [str(day) for day in stored["seit"]] == ["2024-04-03", "2024-04-04", "2024-04-03"]


def test_removing_makes_a_version_without_and_keeps_the_one_with(workspace: Workspace) -> None:
    table = added(workspace, "--id Nr --contact email=Post --static Alter --decimal comma")
    assert table["rows_kept"] == 2 and table["rows_set_aside"] == 2
    answer = done(workspace, "customers", "--dataset", "shop", "--remove")
    assert answer["removed"] and answer["parent"] == table["version"]
    assert open_dataset(workspace, "shop").manifest.customers_table is None
    assert table["version"] in {item.version for item in versions(workspace, "shop")}
    again = refused(workspace, "customers", "--dataset", "shop", "--remove")
    assert again == (4, "customers_nothing_to_remove")


def test_the_same_table_twice_is_one_meaning_and_another_role_is_another_version(workspace: Workspace) -> None:
    start, made = open_dataset(workspace, "shop").version, []
    for static in ("Alter", "Alter", "Gebiet"):
        made.append(added(workspace, f"--id Nr --decimal comma --static {static}")["version"])
        restore(workspace, "shop", start)
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ("{people} --static Alter", 3, "customers_no_id"),
        ("{people} --id Nr --contact email=", 3, "customers_nothing_on"),
        ("{people} --id Nr --dated Stufe=seit", 3, "dates_ambiguous"),
        ("{people} --id Nr --dated Stufe", 2, "map_pair"),
        ("{people} --id Nr --static Hut", 2, "customers_column"),
        ("{people} --id Nr --static Alter --accept Hut", 2, "customers_accept"),
        ("{people} --remove", 2, "customers_remove_with_file"),
        ("{people} --id Post --static Alter", 4, "customers_none_match"),
        ("", 2, "customers_needs_file"),
    ],
)
def test_what_cannot_be_added_is_refused_and_changes_nothing(
    workspace: Workspace, words: str, code: int, error: str
) -> None:
    before = open_dataset(workspace, "shop").version
    asked = words.format(people=workspace.root.with_name("people.csv")).split()
    assert refused(workspace, "customers", *asked, "--dataset", "shop") == (code, error)
    assert open_dataset(workspace, "shop").version == before
    assert [path.name for path in workspace.datasets.iterdir()] == ["shop"]


def test_in_a_pseudonymised_dataset_ids_and_contacts_become_the_same_hashes(
    workspace: Workspace, tmp_path: Path
) -> None:
    ingest(workspace, tmp_path / "log.csv", "shop", pseudonymise=True)
    answer = added(workspace, "--id Nr --contact email=Post --static Gebiet")
    assert answer["pseudonymised"] and answer["matched"] == 2
    key = load_key(workspace)
    stored = pd.read_parquet(open_dataset(workspace, "shop").customers_path)
    assert stored[["customer_id", "email"]].to_numpy().tolist() == [
        [pseudonym(key, "007"), pseudonym(key, "a@b.de")],
        [pseudonym(key, "08"), pseudonym(key, "c@d.de")],
    ]
    assert "007" not in json.dumps(open_dataset(workspace, "shop").manifest.customers_table)


def test_an_export_takes_contacts_and_consent_from_the_table(shop: Shop, tmp_path: Path) -> None:
    own = Shop(Workspace(tmp_path / "copy"), shop.model)
    shutil.copytree(shop.workspace.root, own.workspace.root)
    words = ("export", "--format", "hubspot", "--out", tmp_path / "list.csv")
    assert own.refused(*words) == (2, "export_needs_contacts")
    ids = own.scores()["customer_id"]
    agreed = ["no" if place % 4 == 0 else "yes" for place in range(len(ids))]
    people = pd.DataFrame({"customer_id": ids, "email": [f"{one}@b.de" for one in ids], "consent": agreed})
    people.to_csv(tmp_path / "people.csv", index=False)
    done(own.workspace, "customers", tmp_path / "people.csv", "--dataset", "shop")
    answer, no = own.done(*words), agreed.count("no")
    assert answer["rows"] == len(ids) - no and answer["left_out"] == {"no_consent": no}
    with (tmp_path / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        mails = {row["Email"] for row in csv.DictReader(file)}
    assert mails == {f"{one}@b.de".lower() for one, word in zip(ids, agreed, strict=True) if word == "yes"}
