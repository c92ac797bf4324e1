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
        "month,channel,spend\n"
        + "".join(
            f"2024-0{month},search,1333\n2024-0{month},mail,2000\n2024-0{month},ads,30000\n" for month in (1, 2, 3)
        ),
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


def test_a_headline_does_not_rest_on_a_sliver_of_the_customers(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    channels = ["web"] * 9_000 + ["7"] * 60 + ["8"] * 60
    level = {"web": 45.0, "7": 90.0, "8": 20.0}
    value = [level[channel] * random.uniform(0.5, 1.5) for channel in channels]
    everyone = customers(channels, value, [0.2 * own for own in value])
    months = [f"2024-0{month},{channel},{cost}" for month in (1, 2, 3) for channel, cost in (("7", 20), ("8", 4000))]
    small = acquisition_report(everyone, spend(tmp_path, "\n".join(["month,channel,spend", *months])), Question())
    assert [message.code for message in findings(small)] == ["acquisition.finding.small_paid"]
    assert small.groups["rank"].notna().sum() == 2  # they are shown and ranked as before
    months += [f"2024-0{month},web,30000" for month in (1, 2, 3)]
    whole = acquisition_report(everyone, spend(tmp_path, "\n".join(["month,channel,spend", *months])), Question())
    assert headline(whole, None).startswith("Web pays back in month 1") and "8" not in headline(whole, None)
    [one] = findings(acquisition_report(everyone, None, Question()))
    assert (one.code, one.params["group"]) == ("acquisition.finding.one_large", "web")
    many = customers([f"c{at % 150}" for at in range(9_000)], value[:9_000], value[:9_000])
    [none] = findings(acquisition_report(many, None, Question()))
    assert none.code == "acquisition.finding.small"


def test_a_headline_says_what_part_of_the_customers_it_rests_on() -> None:
    random = np.random.default_rng(4)
    channels = ["web"] * 800 + ["ads"] * 120 + ["mail"] * 80
    level = {"web": 45.0, "ads": 90.0, "mail": 20.0}
    report = acquisition_report(
        customers(channels, [level[channel] * random.uniform(0.5, 1.5) for channel in channels], [1.0] * 1000),
        None,
        Question(),
    )
    worth, share = findings(report)
    assert (worth.params["best"], worth.params["worst"]) == ("ads", "mail")
    assert share.params == {"groups": 2, "share": 0.2}
    assert headline(report, None).endswith("these groups hold 20% of the new customers")
