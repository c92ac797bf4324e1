"""Files beside a dataset whose customers are e-mail addresses name the same people in whatever case."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clv_core.collection.parse.id_texts import pseudonym
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.suppression_file import words_of
from clv_core.strategy.experiments.randomized_experiment import read_experiment

SCORED = pd.DataFrame({"customer_id": ["ann@a.example", "bob@a.example", "AB12"], "predicted_clv": [3.0, 2.0, 1.0]})


def test_contacts_and_a_list_of_those_to_leave_alone_are_joined() -> None:
    people = SCORED.assign(
        customer_id=["Ann@A.example", "BOB@a.example", "ab12"], email=["x@b.example", "y@b.example", "z@b.example"]
    )
    found = filter_audience(SCORED, "hubspot", Contacts(people, None, True, ["bOB@a.example"]))
    assert found.customers["customer_id"].tolist() == ["ann@a.example"]
    assert found.left_out == {"suppressed": 1, "no_contact": 1}  # ab12 is another customer than AB12


def test_an_experiment_knows_its_customers(tmp_path: Path) -> None:
    rows = "Ann@A.example,offer,2024-01-01\nBOB@a.example,control,2024-01-01\nAB12,offer,2024-01-01"
    (tmp_path / "e.csv").write_text(f"customer_id,group,date\n{rows}\n", encoding="utf-8")
    assert read_experiment(tmp_path / "e.csv")["customer_id"].tolist() == SCORED["customer_id"].tolist()


def test_a_word_of_a_list_has_the_pseudonym_of_the_customer() -> None:
    key = b"k" * 32
    assert words_of((("Ann@A.example",),), key) == {"Ann@A.example", pseudonym(key, "ann@a.example")}
