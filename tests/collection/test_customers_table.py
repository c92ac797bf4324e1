"""The customers table: roles, typing, accounting, matching, pseudonyms; held against pandas and hmac."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv_core.collection.customers import CustomersReading, inspect_customers, read_customers
from clv_core.collection.customers.roles import propose_roles
from clv_core.collection.ingest import ingest
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.errors import ClvError, NeedsAnswer, NotFound, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(9)

IDS = ["007", "0042", "1234567890123456789", "cust 9", "张三", "x", "y", "z"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("log")
    log = pd.DataFrame({"customer_id": IDS * 2, "event_time": ["2024-01-03"] * 8 + ["2024-02-03"] * 8, "amount": 5})
    log.to_csv(folder / "log.csv", index=False)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log.csv", "shop", timezone="Asia/Shanghai")
    return open_dataset(workspace, "shop")


def read(
    dataset: Dataset, folder: Path, content: str | bytes, name: str = "people.csv", **words: Any
) -> CustomersReading:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    key = words.pop("key", None)
    return read_customers(file, dataset, Roles(**words), folder, NoProgress(), key=key)


def stored(reading: CustomersReading) -> pd.DataFrame:
    return pd.read_parquet(reading.table)


def codes(reading: CustomersReading) -> list[str]:
    return [message.code.removeprefix("warning.") for message in reading.warnings]


def test_ids_stay_text_whatever_they_look_like(dataset: Dataset, tmp_path: Path) -> None:
    lines = ["customer_id,age"] + [f" {one}\u3000,{age}" for age, one in enumerate(IDS, 20)]
    found = read(dataset, tmp_path, "\n".join(lines), static=["age"])
    assert stored(found)["customer_id"].tolist() == IDS and found.match.matched == 8
    assert stored(found)["age"].tolist() == [float(age) for age in range(20, 28)]


@pytest.mark.examples(3)
@pytest.mark.parametrize("name", ["people.csv", "people.xlsx", "people.jsonl", "people.parquet", "people.csv.gz"])
def test_a_table_of_any_form_is_read_alike(dataset: Dataset, tmp_path: Path, name: str) -> None:
    ages = [str(age) for age in range(20, 28)]
    frame = pd.DataFrame({"客户编号": IDS, "城市": "上海", "年龄": ages, "邮箱": "A@b.cn"})
    file = tmp_path / name
    if name.endswith(".xlsx"):
        frame.to_excel(file, index=False)
    elif name.endswith(".jsonl"):
        frame.to_json(file, orient="records", lines=True, force_ascii=False)
    elif name.endswith(".parquet"):
        frame.to_parquet(file, index=False)
    else:
        frame.to_csv(file, index=False, sep="\t", encoding="gb18030")
    found = read_customers(file, dataset, Roles(static=("年龄",)), tmp_path, NoProgress())
    kept = stored(found)
    assert sorted(kept["customer_id"]) == sorted(IDS)
    assert (set(kept["email"]), set(kept["city"])) == ({"A@b.cn"}, {"上海"})
    assert found.contacts == ("city", "email") and [item.kind for item in found.attributes] == ["number"]


def test_roles_are_proposed_from_names_and_from_values() -> None:
    columns = {
        "会员编号": ("{}", ("id", "", "number")),
        "Mail": ("a{}@b.de", ("contact", "email", "text")),
        "kontakt": ("+49 30 1234{:04}", ("contact", "phone", "text")),
        "是否同意": ("是", ("contact", "consent", "text")),
        "seit": ("2024-01-02", ("date", "", "date")),
        "filiale": ("01234", ("attribute", "", "text")),
        "plz": ("10115", ("contact", "zip", "text")),
        "score": ("1,5", ("attribute", "", "number")),
    }
    rows = [{name: form.format(n) for name, (form, _) in columns.items()} for n in range(20)]
    proposed = {item.column: (item.role, item.field, item.kind) for item in propose_roles(list(columns), rows)}
    assert proposed == {name: wanted for name, (_, wanted) in columns.items()}


def test_inspecting_shows_samples_and_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("user_id;age\n001;30\n002;31\n")
    proposals = inspect_customers(tmp_path / "people.csv", tmp_path)
    assert [(item.column, item.role, item.samples) for item in proposals] == [
        ("user_id", "id", ("001", "002")),
        ("age", "attribute", ("30", "31")),
    ]


def test_attributes_are_off_unless_they_are_marked(dataset: Dataset, tmp_path: Path) -> None:
    content = "customer_id,age,points,email\n" + "".join(f"{one},30,{n},{n}@b.cd\n" for n, one in enumerate(IDS))
    found = read(dataset, tmp_path, content, static=["AGE"])
    assert list(stored(found)) == ["customer_id", "age", "email"] and found.off == ("points",)
    only_contacts = read(dataset, tmp_path, content)
    assert list(stored(only_contacts)) == ["customer_id", "email"] and only_contacts.attributes == ()


def test_numbers_and_groups_are_told_apart(dataset: Dataset, tmp_path: Path) -> None:
    rows = ["1.234,50 €;01;1;5+;n/a", "2.000,00 €;02;2;4;3", "0,75 €;10;3;3;4"]
    lines = [f"{one};{rows[n % 3]}" for n, one in enumerate(IDS)]
    content = "\n".join(["customer_id;income;zone;branch;size;kids", *lines])
    found = read(dataset, tmp_path, content, static=["income", "zone", "branch", "size", "kids"], text=["branch"])
    kinds = {item.name: item.kind for item in found.attributes}
    assert kinds == {"income": "number", "zone": "text", "branch": "text", "size": "text", "kids": "number"}
    kept = stored(found)
    assert kept["income"].tolist()[:3] == [1234.5, 2000.0, 0.75] and kept["zone"].tolist()[:3] == ["01", "02", "10"]
    assert kept["kids"].isna().tolist()[:3] == [True, False, False]
    assert "decimal_comma" in codes(found)


def test_every_row_is_kept_or_set_aside_with_reason_and_line(dataset: Dataset, tmp_path: Path) -> None:
    """Line 7 says the same as 6, 10 contradicts 8, and 11 has a cell too many."""
    content = (
        'customer_id,age,city\n007,30,"New\nYork"\n,31,Rome\n\nx,32,Rome\nx,32,Rome\ny,33,Rome\n'
        "customer_id,age,city\ny,34,Rome\nz,35,Rome,more\n0042,36,\n"
    )
    found = read(dataset, tmp_path, content, static=["age"], contacts={"city": "city"})
    assert stored(found)["customer_id"].tolist() == ["007", "x", "0042"]
    assert found.rows_read == found.rows + found.rows_set_aside == 9 and found.rows == 3
    lines = {item.reason: [line for line, _ in item.examples] for item in found.problems}
    assert lines == {"customers_twice": [7, 8, 10], "no_customer": [4], "repeated_header": [9], "ragged": [11]}


def test_dates_are_local_days_and_ambiguous_ones_are_asked_about(dataset: Dataset, tmp_path: Path) -> None:
    content = "customer_id,tier,since\n" + "".join(f"{one},gold,03/04/2024\n" for one in IDS)
    with pytest.raises(NeedsAnswer) as asked:
        read(dataset, tmp_path, content, dated={"tier": "since"})
    assert asked.value.code == "dates_ambiguous" and asked.value.exit_code == 3
    found = read(dataset, tmp_path, content, dated={"tier": "since"}, date_order="dmy")
    assert set(stored(found)["since"]) == {date(2024, 4, 3)}
    zoned = content.replace("03/04/2024", "2024-04-03T20:00:00Z")
    assert set(stored(read(dataset, tmp_path, zoned, dated={"tier": "since"}))["since"]) == {date(2024, 4, 4)}


def test_dated_rows_stay_apart_and_static_values_are_the_customers(dataset: Dataset, tmp_path: Path) -> None:
    content = (
        "customer_id,tier,since,age\nx,silver,2024-01-01,30\nx,gold,2024-02-01,\n"
        "y,gold,2024-02-30,31\nz,gold,,32\nz,silver,2024-01-05,32\nz,gold,2024-01-05,32\n"
    )
    found = read(dataset, tmp_path, content, static=["age"], dated={"tier": "since"})
    kept = stored(found)
    assert kept["customer_id"].tolist() == ["x", "x", "z", "z", "z"] and kept["age"].tolist() == [30, 30, 32, 32, 32]
    assert [item.reason for item in found.problems] == ["customers_bad_date"]
    assert found.problems[0].examples == ((4, "2024-02-30"),)
    assert {"customers_undated", "customers_same_day"} <= set(codes(found))
    with pytest.raises(Refused) as varies:
        read(dataset, tmp_path, content.replace("02-01,\n", "02-01,31\n"), static=["age"], dated={"tier": "since"})
    assert varies.value.code == "customers_static_varies" and varies.value.params["customer"] == "x"


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("ids", "hint"), [(["7", "42", "nobody"], "zeros"), (["X", "Y", "Z"], "case"), (["C-007", "C-0042"], "digits")]
)
def test_ids_of_another_shape_are_refused_with_what_would_help(
    dataset: Dataset, tmp_path: Path, ids: list[str], hint: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(dataset, tmp_path, "customer_id,age\n" + "".join(f"{one},3\n" for one in ids), static=["age"])
    assert refused.value.code == f"customers_none_match_{hint}" and ids[0] in refused.value.message("zh")


def test_the_column_that_most_customers_of_the_log_are_in_holds_the_ids(tmp_path: Path) -> None:
    """A shop's orders know customers by e-mail, its customers file by number and e-mail."""
    (tmp_path / "log.csv").write_text("Email,date,amount\nann@x.example,2024-01-03,5\nBob@x.example,2024-01-04,6\n")
    ingest(Workspace(tmp_path / "work"), tmp_path / "log.csv", "shop")
    shop = open_dataset(Workspace(tmp_path / "work"), "shop")
    companion = tmp_path / "customers.csv"
    people = "901,ann@x.example,yes\n902,bob@x.example,no\n903,c@x.example,yes\n"
    companion.write_text(f"Customer ID,Email,Accepts Marketing\n{people}")
    (tmp_path / "scratch").mkdir()
    proposals = inspect_customers(companion, tmp_path / "scratch", events=shop.events_path)
    assert [item.role for item in proposals] == ["attribute", "id", "contact"]
    (tmp_path / "read").mkdir()
    reading = read_customers(companion, shop, Roles(), tmp_path / "read", NoProgress())
    assert reading.match.matched == 2 and reading.contacts == ("consent",)


def test_few_matches_are_warned_of_with_examples(dataset: Dataset, tmp_path: Path) -> None:
    content = "customer_id,age\nx,1\n" + "".join(f"stranger{n},{n}\n" for n in range(9))
    found = read(dataset, tmp_path, content, static=["age"])
    few = next(message for message in found.warnings if message.code == "warning.customers_few_match")
    assert (few.params["matched"], few.params["customers"], few.params["log"]) == (1, 10, 8)
    assert few.params["here"] == ["stranger0", "stranger1", "stranger2"] and "007" in few.params["there"]


def test_useless_attributes_are_warned_of(tmp_path: Path) -> None:
    ids = [f"c{n}" for n in range(200)]
    log = pd.DataFrame({"customer_id": ids, "event_time": "2024-01-03", "amount": 5})
    log.to_csv(tmp_path / "log.csv", index=False)
    ingest(Workspace(tmp_path / "w"), tmp_path / "log.csv", "many")
    frame = pd.DataFrame({"customer_id": ids, "same": "a", "name": [f"n{n}" for n in range(200)], "number": range(200)})
    frame = frame.assign(height=[1.5 + n / 777 for n in range(200)], none="", born=pd.Timestamp("1990-01-01").date())
    content = frame.to_csv(index=False)
    marked = ["same", "name", "number", "height", "none", "born"]
    many = open_dataset(Workspace(tmp_path / "w"), "many")
    said = {(m.code[18:], m.params["column"]): m.params for m in read(many, tmp_path, content, static=marked).warnings}
    assert said.keys() == {
        *(("constant", name) for name in ("same", "none", "born")),
        *(("unique", name) for name in ("name", "number")),
        ("date_as_text", "born"),
    }
    assert said["unique", "name"] == {"column": "name", "rows": 200, "distinct": 200}
    assert said["constant", "same"] == {"column": "same", "rows": 200, "distinct": 1}
    assert "customers_unique" not in codes(read(many, tmp_path, content, dated={"name": "born"}))


def test_pseudonyms_are_keyed_hashes_and_no_id_is_left_in_what_is_kept(dataset: Dataset, tmp_path: Path) -> None:
    key = b"k" * 32
    content = "customer_id,age,email,city,consent\n" + "".join(f"{one},30, A@b.de ,Rome,yes\n" for one in IDS)
    found = read(dataset, tmp_path, content + "007,31,a@b.de,Rome,yes\n", static=["age"], key=key)
    kept = stored(found)
    assert set(kept["email"]) == {hmac.new(key, b"a@b.de", hashlib.sha256).hexdigest()}
    assert set(kept["city"]) == {"Rome"} and set(kept["consent"]) == {"yes"}
    assert kept["customer_id"].tolist() == IDS[1:], "the log's own ids are readable, so the table's stay"
    kept_words = json.dumps([message.coded() for message in found.warnings], ensure_ascii=False)
    assert "007" not in kept_words and "customers_twice" in kept_words


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"static": ["nothing"]}, "customers_column"),
        ({"static": ["email"]}, "customers_personal"),
        ({"static": ["customer_id"]}, "customers_personal"),
        ({"static": ["age"], "dated": {"age": "since"}}, "customers_static_and_dated"),
        ({"static": ["since"], "dated": {"age": "since"}}, "customers_date_is_attribute"),
        ({"contacts": {"fax": "age"}}, "customers_field"),
        ({"static": ["state"], "contacts": {"state": "age"}}, "customers_clash"),
        ({"customer_id": "nothing"}, "customers_column"),
    ],
)
def test_words_that_make_no_sense_are_bad_usage(
    dataset: Dataset, tmp_path: Path, words: dict[str, Any], code: str
) -> None:
    with pytest.raises(UsageError) as error:
        read(dataset, tmp_path, "customer_id,age,since,email,state\nx,1,2024-01-01,a@b.cd,new\n", **words)
    assert error.value.code == code and "{" not in error.value.message("zh")


def test_what_is_missing_is_asked_for(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NeedsAnswer, match="--id"):
        read(dataset, tmp_path, "who,age\nx,1\n", static=["age"])
    with pytest.raises(NeedsAnswer, match="--static"):
        read(dataset, tmp_path, "customer_id,age\nx,1\n")
    with pytest.raises(NotFound):
        read_customers(tmp_path / "no.csv", dataset, Roles(), tmp_path, NoProgress())
    with pytest.raises(Refused) as refused:
        read(dataset, tmp_path, "customer_id,age\n,1\n-,2\n", static=["age"])
    assert refused.value.code == "customers_no_rows"


CELL = st.one_of(
    st.sampled_from(["", "007", "x", "1,5", "2024-01-31", "31/01/2024", "a@b.cd", "NULL", '"', "\n"]),
    st.text(max_size=5),
)


@pytest.mark.slow
@settings(max_examples=30)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8), dated=st.booleans())
def test_any_table_is_accounted_for_or_refused_in_words(
    dataset: Dataset, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], dated: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    frame = pd.DataFrame(rows, columns=["customer_id", "colour", "since"])
    content = frame.to_csv(index=False).encode("utf-8", "surrogatepass")
    marked: dict[str, Any] = {"dated": {"colour": "since"}} if dated else {"static": ["colour"]}
    try:
        found = read(dataset, folder, content, **marked)
    except ClvError as error:
        assert error.message("zh")
        return
    kept = stored(found)
    assert len(kept) == found.rows == found.rows_read - sum(item.rows for item in found.problems)
    assert kept["customer_id"].notna().all() and (dated or kept["customer_id"].is_unique)
    assert found.match.matched == len(set(kept["customer_id"]) & set(IDS))
