"""Terms: the horizon's limit against sums that know nothing of ours, and what is said and refused."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import MAX_OTHER_TERMS, remove_old_terms, scores_path
from clv_core.deployment.terms import MOST_YEARS, Terms, further_year, lifetime_years
from clv_core.errors import UsageError
from clv_core.features.btyd import BgNbd, ParetoNbd
from clv_core.model.horizon import Horizon, discounted
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop
from tests.conftest import own_copy

R, ALPHA, A, B = 0.243, 4.414 * 7, 0.793, 2.426
"""BG/NBD of the CDNOW sample as published, alpha in days."""


def expected(days: float, x: float, last: float, age: float) -> float:
    """Equation 10 of Fader, Hardie, Lee (2005), with scipy's 2F1."""
    form = hyp2f1(R + x, B + x, A + B + x - 1, days / (ALPHA + age + days))
    alive = 1 + (x > 0) * A / (B + x - 1) * ((ALPHA + age) / (ALPHA + last)) ** (R + x) if x > 0 else 1.0
    base = 1 - ((ALPHA + age) / (ALPHA + age + days)) ** (R + x) * form
    return (A + B + x - 1) / (A - 1) * base / alive


def _expected_of(model: BgNbd | ParetoNbd, people: tuple[list[float], ...], days: float) -> np.ndarray:
    return model.expected_purchases(days, *people)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
@pytest.mark.parametrize(("x", "last", "age"), [(0, 0, 266), (2, 215, 271), (7, 210, 250), (26, 217, 217)])
def test_lifetime_is_the_integral_of_discounted_purchases(rate: float, x: int, last: int, age: int) -> None:
    model, terms = BgNbd(R, ALPHA, A, B), Terms.of("lifetime", 182, rate)
    force = np.log1p(rate) / 365.25

    def counted(days: float) -> float:  # by parts: the density of purchases is the derivative of what is expected
        return force * np.exp(-force * days) * expected(days, x, last, age)

    forever = sum(quad(counted, low, high, limit=400)[0] for low, high in [(0, 2e3), (2e3, 2e4), (2e4, 5e5)])
    curve = partial(_expected_of, model, ([x], [last], [age]))
    assert discounted(curve, terms.horizon)[0] == pytest.approx(forever, rel=0.012)
    daily = [expected(day, x, last, age) for day in range(0, 3651)]
    summed = np.sum(np.diff(daily) * np.exp(-force * (np.arange(3650) + 0.5)))
    assert discounted(curve, Horizon(3650, rate))[0] == pytest.approx(summed, rel=0.001)


def test_without_discount_the_published_count_has_no_limit() -> None:
    """a < 1: each further tenfold of time adds more than the one before."""
    counts = [expected(10.0**power, 2, 215, 271) for power in (3, 4, 5)]
    assert counts[2] - counts[1] > counts[1] - counts[0] > 0
    with pytest.raises(UsageError) as refused:
        Terms.of("lifetime", 182)
    assert refused.value.code == "lifetime_needs_rate" and refused.value.exit_code == 2
    assert "0.1" in refused.value.message("en") and "0.1" in refused.value.message("zh")


@pytest.mark.parametrize("rate", [0.04, 0.1, 0.5, 9.0])
def test_a_further_year_adds_less_than_a_thousandth_to_anyone(rate: float) -> None:
    years = lifetime_years(rate)
    assert further_year(years, rate) < 0.001 and (years == 1 or further_year(years - 1, rate) >= 0.001)
    yearly = (1 + rate) ** -np.arange(years + 1.0)  # a customer who never slows down
    assert further_year(years, rate) == pytest.approx(yearly[years] / yearly[:years].sum())
    longer = Horizon(round((years + 1) * 365.25), rate)
    people = ([0.0, 3, 26], [0.0, 200, 217], [266.0, 271, 217])
    for model in (BgNbd(R, ALPHA, A, B), ParetoNbd(0.55, 10.6 * 7, 0.61, 11.7 * 7)):
        limit, beyond = (
            discounted(partial(_expected_of, model, people), horizon)
            for horizon in (Terms.of("lifetime", 182, rate).horizon, longer)
        )
        assert (beyond / limit - 1 < 0.001).all()


def test_a_small_rate_ends_at_a_hundred_years_and_says_what_is_left_out() -> None:
    (said,) = Terms.of("lifetime", 182, 0.01).warnings(182)
    assert said.params["years"] == MOST_YEARS
    assert said.params["share"] == pytest.approx(100 * 1.01**-100 / np.sum(1.01 ** -np.arange(100.0)), abs=1e-3)
    assert "100" in said.text("en") and "100" in said.text("zh")


def test_only_what_was_not_measured_is_an_assumption() -> None:
    assert Terms.of(None, 182, 0.1, 0.3).warnings(182) == []
    assert [one.code for one in Terms.of(365, 182).warnings(182)] == ["warning.other_horizon"]
    assert [one.code for one in Terms.of("lifetime", 182, 0.1).warnings(182)] == ["warning.lifetime"]


@pytest.mark.parametrize(
    "words", [(0, 0.0, 1.0), (3651, 0.0, 1.0), (90, -0.1, 1.0), (90, 0.0, 0.0), (90, 0.0, 1.1), (90, float("nan"), 1.0)]
)
def test_what_makes_no_sense_is_refused(words: tuple[int, float, float]) -> None:
    with pytest.raises(UsageError):
        Terms(*words)


def test_the_command_says_what_lifetime_assumes_in_its_answer_and_beside_the_file(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path
) -> None:
    out, shop = tmp_path / "scores.csv", Shop(small_workspace, small_bundle)
    asked = "--horizon-days lifetime --discount-rate 0.1 --margin-rate 0.5".split()
    answer = shop.done("score", "--out", out, *asked)
    assert answer["lifetime"] and answer["horizon_days"] == round(48 * 365.25)
    (warning,) = answer["warnings"]
    assert warning["code"] == "lifetime" and warning["params"]["years"] == 48 and "10%" in warning["message"]
    side = json.loads(out.with_name("scores.csv.json").read_text(encoding="utf-8"))
    assert side["warnings"] == [warning] and (side["discount_rate"], side["margin_rate"]) == (0.1, 0.5)
    assert shop.done("score", "--out", out, "--horizon-days", 365)["horizon_days"] == 365
    assert shop.refused("score", "--out", out, "--horizon-days", "lifetime") == (2, "lifetime_needs_rate")
    assert shop.refused("score", "--out", out, "--horizon-days", 3651)[0] == 2


def test_scores_for_other_terms_are_kept_apart_and_the_oldest_let_go(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path
) -> None:
    work = own_copy(small_workspace, tmp_path / "workspace")
    dataset = open_dataset(work, "shop")
    every = [
        Terms(90),
        *(Terms(90, 0.1, (20 + n) / 100) for n in range(MAX_OTHER_TERMS)),
        Terms.of("lifetime", 90, 1e-6),
    ]
    paths = [scores_path(small_bundle, dataset, terms=terms) for terms in every]
    assert len(set(paths)) == len(every)
    paths[0].parent.mkdir(parents=True)
    for age, path in enumerate(paths):
        path.touch()
        os.utime(path, (1000 + age, 1000 + age))
    assert {one.path for one in artifacts(work, "shop")} == set(paths)
    remove_old_terms(paths[0].parent)
    assert {one.path for one in artifacts(work, "shop")} == {paths[0], *paths[2:]}


def test_scores_that_another_run_removes_meanwhile_stop_no_run(tmp_path: Path) -> None:
    kept = [tmp_path / f"scores-20240101-{days}d.parquet" for days in range(1, MAX_OTHER_TERMS + 2)]
    for age, path in enumerate(kept):
        path.touch()
        os.utime(path, (1000 + age, 1000 + age))
    (tmp_path / "scores-20240101-500d.parquet").symlink_to(tmp_path / "gone")  # listed, and not there
    remove_old_terms(tmp_path)
    assert [path.exists() for path in kept] == [False, *[True] * MAX_OTHER_TERMS]
