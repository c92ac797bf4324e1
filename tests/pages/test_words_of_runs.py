"""What a person names reaches the command line as it is, also where it begins with a hyphen."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.cli import build_parser
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.questions import option_words
from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.workspace import Workspace
from pages.ui import progress
from pages.ui.datasets.customers_file import Uses
from pages.ui.explain import explained


class Waiting(Exception):
    """The page ends where a run is waited for."""


def test_a_customer_whose_id_begins_with_a_hyphen_is_explained(
    with_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def need(ready: bool, command: list[str], label: str, note: str) -> None:
        assert build_parser().parse_args(command).customer == "-abc"
        raise Waiting

    work = Workspace(with_model)
    monkeypatch.setenv("CLV_WORKSPACE", str(with_model))
    monkeypatch.setattr(progress, "need", need)
    with pytest.raises(Waiting):
        explained.need_explanation(open_dataset(work, "shop"), list_bundles(work)[0], "-abc")


def test_columns_and_events_whose_names_begin_with_a_hyphen_are_read() -> None:
    uses = Uses("-id", ("-age",), {"-level": "-since"}, {"email": "-mail"})
    said = build_parser().parse_args(["customers", "people.csv", "--dataset", "shop", *uses.words()])
    assert (said.id, said.static, said.dated, said.contact) == ("-id", ["-age"], ["-level=-since"], ["email=-mail"])
    words = option_words(Answers(mapping={"amount": "-paid"}, events={"-won": "purchase"}))
    said = build_parser().parse_args(["ingest", "log.csv", "--name", "shop", *words])
    assert (said.map, said.event) == (["amount=-paid"], ["-won=purchase"])
