"""What the figures of new customers say in words, from customers with known answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from clv_core.i18n import LANGUAGES
from clv_core.strategy.acquisition import NewCustomers, Question, acquisition_report
from clv_core.strategy.acquisition.findings import discount_question, findings, headline
from tests.strategy.test_acquisition import customers, spend

CHANNELS = ["search", "ads", "mail"] * 200


def people(*levels: float) -> NewCustomers:
    """Return 600 customers, those of search, ads and mail spending about these amounts on their first day."""
    random = np.random.default_rng(1)
    value = [level * random.uniform(0.5, 1.5) for level in levels * 200]
    return customers(CHANNELS, value, [0.2 * own for own in value])


def test_the_group_that_pays_back_first_and_the_one_that_does_not_are_named(tmp_path: Path) -> None:
    table = spend(
        tmp_path,
        "date,channel,spend\n2024-01-01,search,4000\n2024-01-01,mail,6000\n2024-01-01,ads,90000\n2024-03-30,ads,1\n",
    )
    report = acquisition_report(people(60.0, 30.0, 45.0), table, Question())
    paid, unpaid = findings(report)
    assert (paid.code, paid.params) == ("acquisition.finding.paid", {"group": "search", "month": 1})
    assert unpaid.code == "acquisition.finding.unpaid" and unpaid.params["group"] == "ads"
    assert 3 <= unpaid.params["lived"] < unpaid.params["last"]  # won from January to March, seen until July
    assert headline(report, None).startswith("Search pays back in month 1; ads has not paid back after")
    assert all("{" not in headline(report, None, language) for language in LANGUAGES)


def test_without_a_cost_only_differences_beyond_chance_are_said() -> None:
    apart, alike = (
        findings(acquisition_report(people(*levels), None, Question())) for levels in ((90, 30, 45), (50, 50, 50))
    )
    assert apart[0].code == "acquisition.finding.worth"
    assert (apart[0].params["best"], apart[0].params["worst"]) == ("search", "ads")
    assert [message.code for message in alike] == ["acquisition.finding.alike"]


def test_customers_won_with_a_discount_are_compared_with_those_at_full_price() -> None:
    everyone = people(80.0, 40.0, 79.0)
    bands = pd.Categorical([{"search": "0%", "ads": "20-30%", "mail": "<10%"}[channel] for channel in CHANNELS])
    everyone = replace(everyone, origin={**everyone.origin, "discount": bands})
    asked = discount_question(everyone, Question())
    assert asked is not None and discount_question(everyone, Question(("discount",))) is None
    said = findings(acquisition_report(everyone, None, Question()), acquisition_report(everyone, None, asked))[-1]
    assert said.params["band"] == "20-30%" and 0.45 < said.params["share"] < 0.6
    assert "customers won with 20-30% off are worth 5" in said.text()
