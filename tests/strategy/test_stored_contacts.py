"""Exports take contact fields from the dataset's own customers table."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.parse.id_texts import load_key, pseudonym
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.audiences.contacts import Contacts, read_contacts
from clv_core.strategy.audiences.stored_contacts import (
    knows_consent,
    latest_contacts,
    stored_contacts,
    stored_fields,
    with_stored_contacts,
)
from clv_core.strategy.audiences.suppression_file import read_entries, words_of
from clv_core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "log.csv").write_text("customer_id,event_time,amount\n007,2024-01-03,5\n08,2024-01-04,6\n")
    ingest(Workspace(tmp_path / "workspace"), tmp_path / "log.csv", "shop")
    return Workspace(tmp_path / "workspace")


def with_table(
    workspace: Workspace, folder: Path, content: str, pseudonymise: bool = False, **roles: object
) -> Dataset:
    (folder / "people.csv").write_text(content)
    words = Roles(**roles)  # type: ignore[arg-type]
    add_customers(workspace, "shop", folder / "people.csv", words, pseudonymise=pseudonymise, progress=NoProgress())
    return open_dataset(workspace, "shop")


def test_contact_fields_come_from_the_table_unless_a_file_is_given(workspace: Workspace, tmp_path: Path) -> None:
    content = "customer_id,Mail,Country,consent\n007,a@b.de,DE,yes\n08,c@d.fr,FR,no\n"
    dataset = with_table(workspace, tmp_path, content, static=("Country",))
    known = with_stored_contacts(Contacts(region="DE"), dataset, "hubspot")
    assert known is not None and known.customers is not None and known.region == "DE"
    expected = [["007", "a@b.de", "DE", "yes"], ["08", "c@d.fr", "FR", "no"]]
    assert known.customers[["customer_id", "email", "country", "consent"]].to_numpy().tolist() == expected
    given = Contacts(pd.DataFrame({"customer_id": ["007"]}))
    assert with_stored_contacts(given, dataset, "hubspot") is given
    assert with_stored_contacts(None, dataset, "csv") is None


def test_of_several_rows_the_latest_counts(workspace: Workspace, tmp_path: Path) -> None:
    content = (
        "customer_id,plan,since,email,consent\n007,b,2024-03-01,new@b.de,no\n007,a,2024-01-01,old@b.de,yes\n"
        "08,a,,first@b.de,yes\n08,b,2024-01-01,second@b.de,no\n08,b,2024-01-01,third@b.de,yes\n"
    )
    dataset = with_table(workspace, tmp_path, content, dated={"plan": "since"})
    contacts = stored_contacts(dataset)
    assert contacts is not None
    latest = contacts.set_index("customer_id").loc[["007", "08"], ["email", "consent"]].to_numpy().tolist()
    assert latest == [["new@b.de", "no"], ["third@b.de", "yes"]]
    assert set(pd.read_parquet(dataset.customers_path)["since"].dropna()) == {date(2024, 1, 1), date(2024, 3, 1)}


def test_a_table_without_contact_fields_is_none(workspace: Workspace, tmp_path: Path) -> None:
    assert stored_contacts(open_dataset(workspace, "shop")) is None
    assert stored_contacts(with_table(workspace, tmp_path, "customer_id,age\n007,30\n08,31\n", static=("age",))) is None


def test_hashed_contacts_are_refused_and_a_file_finds_hashed_ids(workspace: Workspace, tmp_path: Path) -> None:
    dataset = with_table(workspace, tmp_path, "customer_id,email\n007,a@b.de\n08,c@d.fr\n", pseudonymise=True)
    with pytest.raises(Refused) as refused:
        stored_contacts(dataset)
    assert refused.value.code == "contacts_pseudonymised" and "--customers" in refused.value.message("zh")
    key = load_key(workspace)
    read = read_contacts(tmp_path / "people.csv", key)
    assert read["customer_id"].tolist() == [pseudonym(key, "007"), pseudonym(key, "08")]
    assert read["email"].tolist() == ["a@b.de", "c@d.fr"]
    (tmp_path / "stop.txt").write_text("007\na@b.de\n")
    assert {"007", "a@b.de", pseudonym(key, "007")} <= words_of(read_entries(tmp_path / "stop.txt"), key)


SHOPIFY = """Name,Email,Financial Status,Created at,Subtotal,Accepts Marketing,Phone
#1,Ann@Mail.example,paid,2024-01-03 10:00:00 +0000,20.00,yes,
#2,bob@mail.example,paid,2024-01-04 10:00:00 +0000,30.00,yes,+49 151 23456789
#3,bob@mail.example,paid,2024-02-04 10:00:00 +0000,31.00,no,
#4,cyd@mail.example,paid,2024-02-05 10:00:00 +0000,32.00,,
"""


def test_ids_that_are_addresses_and_consent_of_the_log_are_contact_fields(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(SHOPIFY)
    workspace = Workspace(tmp_path / "work")
    ingest(workspace, tmp_path / "orders.csv", "shop")
    dataset = open_dataset(workspace, "shop")
    assert set(stored_fields(dataset)) == {"email", "consent", "phone"}
    contacts = stored_contacts(dataset)
    assert contacts is not None
    rows = contacts.astype(object).where(contacts.notna(), "").set_index("email")
    assert rows["consent"].to_dict() == {"ann@mail.example": "yes", "bob@mail.example": "no", "cyd@mail.example": ""}
    assert rows.loc["bob@mail.example", "phone"] == "+49 151 23456789"


def test_consent_of_a_log_that_reaches_nobody_is_found_where_consent_is_all_that_is_asked(tmp_path: Path) -> None:
    rows = ["customer_id,event_time,amount,marketing_consent", "a1,2024-01-03,5,yes", "a1,2024-02-04,6,no"]
    (tmp_path / "log.csv").write_text("\n".join([*rows, "b2,2024-01-05,7,yes"]))
    for hidden in (False, True):
        work = Workspace(tmp_path / f"workspace{hidden}")
        ingest(work, tmp_path / "log.csv", "shop", pseudonymise=hidden)
        dataset = open_dataset(work, "shop")
        assert latest_contacts(dataset) is None and knows_consent(dataset)
        people = latest_contacts(dataset, consent_alone=True)
        assert people is not None and sorted(people["consent"]) == ["no", "yes"]


def test_the_customers_table_goes_before_the_log(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(SHOPIFY)
    workspace = Workspace(tmp_path / "work")
    ingest(workspace, tmp_path / "orders.csv", "shop")
    ids = pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"]
    ann = next(one for one in ids if one.lower().startswith("ann"))
    dataset = with_table(workspace, tmp_path, f"customer_id,phone\n{ann},+49 30 123456\n")
    contacts = stored_contacts(dataset)
    assert contacts is not None
    rows = contacts.set_index("customer_id")
    assert rows.loc[ann, ["phone", "email", "consent"]].tolist() == ["+49 30 123456", "ann@mail.example", "yes"]
    assert sorted(rows["email"]) == ["ann@mail.example", "bob@mail.example", "cyd@mail.example"]


def test_results_stay_where_a_table_brings_contact_fields_only(workspace: Workspace, tmp_path: Path) -> None:
    dataset = open_dataset(workspace, "shop")
    scores = dataset.made_folder / "model" / "scores-20240105.parquet"
    scores.parent.mkdir(parents=True)
    scores.write_bytes(b"scores")
    reached = with_table(workspace, tmp_path, "customer_id,email\n007,a@b.de\n08,c@d.fr\n")
    assert reached.version != dataset.version
    assert (reached.made_folder / "model" / scores.name).read_bytes() == b"scores" and scores.exists()
    aged = with_table(workspace, tmp_path, "customer_id,age\n007,30\n08,31\n", static=("age",))
    assert not aged.made_folder.exists()


def test_ids_are_no_addresses_where_the_person_says_so(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(SHOPIFY)
    ingest(Workspace(tmp_path / "work"), tmp_path / "orders.csv", "shop")
    dataset = open_dataset(Workspace(tmp_path / "work"), "shop")
    for wanted in (True, False):
        found = with_stored_contacts(Contacts(ids_as_email=wanted), dataset, "klaviyo")
        assert found is not None and found.customers is not None and ("email" in found.customers) is wanted
