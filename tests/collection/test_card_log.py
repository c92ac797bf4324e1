"""Who looked at whose card: in the log by a pseudonym that only the customer's own key makes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clv_core import audit, cli
from clv_core.collection.ingest import ingest
from clv_core.collection.parse.id_texts import load_key, pseudonym
from clv_core.collection.privacy.card_log import card_views, forget_cards, note_card
from clv_core.workspace import Workspace
from tests.commands.conftest import run


def test_the_log_tells_who_looked_at_whose_card_to_who_has_the_id_and_names_nobody(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for who, customer in (("ana", "anna-0001"), ("bob", "bert-0002"), ("cleo", "anna-0001"), ("ana", "bert-0002")):
        with audit.acting_as(who):
            note_card(workspace, "shop", "m", customer)
    assert [view["who"] for view in card_views(workspace, "anna-0001")] == ["cleo", "ana"]
    assert [view["who"] for view in card_views(workspace, " bert-0002")] == ["ana", "bob"]
    assert card_views(workspace, "dora-0003") == []
    cards = [line["card"] for line in audit.lines(workspace)]
    assert len(set(cards)) == 2 and cards[0] == cards[2]
    names = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(word in path.read_text() + str(path) for path in names for word in ("anna", "bert-0002", "0001"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "audit").rglob("[!.]*") if path.is_file())


def test_without_her_key_nobody_can_tell_whose_card_it_was(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    note_card(workspace, "shop", "m", "anna-0001")
    note_card(workspace, "shop", "m", "bert-0002")
    before = audit.lines(workspace)
    assert forget_cards(workspace, ["anna-0001", "dora-0003"]) == 1
    assert card_views(workspace, "anna-0001") == [] and len(card_views(workspace, "bert-0002")) == 1
    assert audit.lines(workspace) == before and audit.verify(workspace).found == 0
    note_card(workspace, "shop", "m", "anna-0001")
    assert len(card_views(workspace, "anna-0001")) == 1
    assert audit.lines(workspace)[0]["card"] != before[-1]["card"]


def test_many_who_look_at_once_share_one_key(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: note_card(workspace, "shop", "m", "anna-0001"), range(24)))
    assert len(card_views(workspace, "anna-0001")) == 24


def test_a_customer_of_a_pseudonymised_dataset_is_found_by_the_id_that_her_file_has(tmp_path: Path) -> None:
    workspace, file = Workspace(tmp_path / "workspace"), tmp_path / "log.csv"
    rows = [f"c{n % 9}-{n % 9:04},2024-01-{1 + n:02},{n + 1}" for n in range(27)]
    file.write_text("\n".join(["customer_id,event_time,amount", *rows]))
    ingest(workspace, file, "shop", pseudonymise=True)
    note_card(workspace, "shop", "m", pseudonym(load_key(workspace), "c3-0003"))
    assert len(card_views(workspace, "c3-0003")) == 1
    assert cli.main(["erase", "c3-0003", "--workspace", str(workspace.root)]) == 0
    assert card_views(workspace, "c3-0003") == []


def test_an_erasure_destroys_the_key_and_counts_it(tmp_path: Path) -> None:
    workspace, file = Workspace(tmp_path / "workspace"), tmp_path / "log.csv"
    rows = [f"anna-{n % 9:04},2024-01-{1 + n:02},{n + 1}" for n in range(27)]
    file.write_text("\n".join(["customer_id,event_time,amount", *rows]))
    ingest(workspace, file, "shop")
    for customer in ("anna-0001", "anna-0002", "anna-0001"):
        note_card(workspace, "shop", "m", customer)
    code, answer = run(workspace, "erase", "anna-0001")
    assert code == 0 and answer["removed"]["card_keys"] == 1
    assert [len(card_views(workspace, customer)) for customer in ("anna-0001", "anna-0002")] == [0, 1]
    assert "keys that tied lines of the audit log" in Path(answer["certificate_text"]).read_text()
    assert len([line for line in audit.lines(workspace) if line["action"] == "card"]) == 3
    assert audit.verify(workspace).found == 0
    assert json.loads(Path(answer["certificate"]).read_text())["removed"]["card_keys"] == 1
