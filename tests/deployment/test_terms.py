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

from clv_core.btyd import BGNBD, ParetoNBD
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import MAX_OTHER_TERMS, Scored, remove_old_terms
from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
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


def _expected_of(model: BGNBD | ParetoNBD, people: tuple[list[float], ...], days: float) -> np.ndarray:
    return model.expected_purchases(days, *people)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
@pytest.mark.parametrize(("x", "last", "age"), [(0, 0, 266), (2, 215, 271), (7, 210, 250), (26, 217, 217)])
def test_a_hundred_years_are_the_integral_of_discounted_purchases(rate: float, x: int, last: int, age: int) -> None:
    model, terms = BGNBD(R, ALPHA, A, B), Terms.of("lifetime:100", 182, rate)
    force = np.log1p(rate) / 365.25

    def counted(days: float) -> float:  # by parts: the density of purchases is the derivative of what is expected
        return force * np.exp(-force * days) * expected(days, x, last, age)

    forever = sum(quad(counted, low, high, limit=400)[0] for low, high in [(0, 2e3), (2e3, 2e4), (2e4, 5e5)])
    curve = partial(_expected_of, model, ([x], [last], [age]))
    assert discounted(curve, terms.horizon)[0] == pytest.approx(forever, rel=0.012)
    daily = [expected(day, x, last, age) for day in range(0, 3651)]
    summed = np.sum(np.diff(daily) * np.exp(-force * (np.arange(3650) + 0.5)))
    assert discounted(curve, Horizon(3650, rate))[0] == pytest.approx(summed, rel=0.001)


def test_lifetime_is_five_years_unless_others_are_named_and_says_so() -> None:
    five, eight = Terms.of("lifetime", 182, 0.1), Terms.of("lifetime:8", 182)
    assert (five.horizon_days, five.mark, five.option) == (1826, "lifetime5y-r10", "lifetime:5")
    assert (eight.horizon_days, eight.mark) == (2922, "lifetime8y")
    assert Terms.of(eight.option, 182) == eight
    for terms, years in ((five, 5), (eight, 8)):
        (warning,) = terms.warnings(182)
        assert warning.params["years"] == years
        assert all(str(years) in warning.text(language) for language in ("en", "zh"))


def test_terms_that_differ_have_files_of_their_own() -> None:
    """The page rounds a rate and a margin to a millionth: shares that it tells apart are told apart on disk."""
    rates, margins = (0.0, 0.02, 0.024, 0.1, 0.1 + 1e-6), (1.0, 0.3, 0.304, 0.3 + 1e-6)
    every = [
        Terms.of(horizon, 182, rate, margin)
        for horizon in (30, 365, 1826, "lifetime", "lifetime:8")
        for rate in rates
        for margin in margins
    ]
    assert len({terms.mark for terms in every}) == len(every)


def test_terms_are_plain_only_where_horizon_rate_and_margin_all_are() -> None:
    """The scores of any other terms have a file of their own: those after a margin are not those before it."""
    others = Terms(30), Terms(182, 0.1), Terms(182, 0.0, 0.3), Terms(182, 0.1, 0.3)
    assert Terms(182).plain(182) and not any(one.plain(182) for one in others)


@pytest.mark.parametrize("words", ["lifetime:0", "lifetime:101", "lifetime:", "lifetime:x"])
def test_years_out_of_bounds_are_refused(words: str) -> None:
    with pytest.raises(UsageError) as refused:
        Terms.of(words, 182)
    assert refused.value.code == "setting_bounds"


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
    assert answer["lifetime"] and answer["horizon_days"] == 1826
    (warning,) = answer["warnings"]
    assert warning["code"] == "lifetime" and warning["params"]["years"] == 5 and "10%" in warning["message"]
    side = json.loads(out.with_name("scores.csv.json").read_text(encoding="utf-8"))
    assert side["warnings"] == [warning] and (side["discount_rate"], side["margin_rate"]) == (0.1, 0.5)
    assert shop.done("score", "--out", out, "--horizon-days", 365)["horizon_days"] == 365
    assert shop.done("score", "--out", out, "--horizon-days", "lifetime:8")["horizon_days"] == 2922
    assert shop.refused("score", "--out", out, "--horizon-days", "lifetime:101") == (2, "setting_bounds")
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
    paths = [Scored.of(work, dataset, small_bundle, terms).scores_path for terms in every]
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
