"""Static covariates: CLVTools' figures, numerical derivatives, and what they must not change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import optimize

from clv_core import BGBB, BGNBD, MBGNBD, CovariateModel, ParetoNBD
from clv_core.btyd.covariates import _summed
from clv_core.btyd.purchase_model import PurchaseModel
from tests.btyd.test_purchase_model import KINDS, made, simulated


def test_new_customers_buy_as_in_clvtools() -> None:
    """Pareto/NBD of the apparel data of CLVTools, all weeks: its estimates, and what ``newcustomer.static`` expects in
    52 weeks by gender and channel. CLVTools counts the first purchase as well.

    Source: Meierer, Bachmann, Näf, Schilter, Algesheimer 2026, Estimating Individual Customer Lifetime Values with R
    (arXiv 2602.09845), sections 6.3.4 and 6.4.1, whose run in R others stored to more digits (github.com/neilmurrayee/
    clvtools, tests/fixtures/newcustomer_static.json).
    """
    model = CovariateModel(
        ParetoNBD(1.694250320230549, 85.666983821260374, 0.69849661491608395, 56.485410134736462),
        buying={"Gender": 0.30042926570501033, "Channel": 0.55833227109832295},
        leaving={"Gender": -0.66344015382652188, "Channel": 0.55436810877499687},
    )
    people = {"Gender": [0, 1, 0, 1], "Channel": [0, 0, 1, 1]}
    published = np.array([1.8057463686868325, 2.205875106667448, 2.2434833274341202, 2.9404379735055621])
    np.testing.assert_allclose(model.of(buying=people, leaving=people).expected_purchases(52), published - 1, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_equals_finite_differences(kind: type[PurchaseModel]) -> None:
    customers = np.array([[0.0, 0, 38], [2, 30, 38], [2, 5, 38], [7, 37, 39]]).T
    table = {"a": [0.0, 1, 2, 1], "b": [1.0, 1, 0, 3]}
    rows, names = CovariateModel._rows(kind, *customers, table, {"b": table["b"]}, None)
    log_likelihood, at = _summed(kind, rows, len(names[0])), np.array([*made(kind)._parameters, 0.2, -0.3, 0.4])
    slopes = optimize.approx_fprime(at, lambda parameters: log_likelihood(parameters)[0], 1e-7)
    np.testing.assert_allclose(log_likelihood(at)[1], slopes, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_effects_of_customers_who_were_made_so_are_found(kind: type[PurchaseModel]) -> None:
    """Two groups, the second with half the parameter of buying and half again that of leaving; four standard errors."""
    baseline, n, random = made(kind), 6_000, np.random.default_rng(0)
    truth = CovariateModel(baseline, {"online": 0.6}, {"online": 0.4})
    people = {"online": np.repeat([0, 1], n)}
    groups = [truth.of(buying={"online": [k]}, leaving={"online": [k]}) for k in (0, 1)]
    values = [[float(np.ravel(getattr(group, name))[0]) for name in kind.NAMES] for group in groups]
    alone = [kind(*parameters) for parameters in values]
    x, last = np.concatenate([simulated(one, random, 60, n)[:2] for one in alone], axis=1)
    known = {"buying": people, "leaving": people}
    model = CovariateModel.fit(kind, x, last, np.full(2 * n, 60), **known)
    errors = model.standard_errors(x, last, np.full(2 * n, 60), **known)
    assert model.converged
    assert abs(model.buying["online"] - 0.6) < 4 * errors["buying.online"] < 1
    assert abs(model.leaving["online"] - 0.4) < 4 * errors["leaving.online"] < 2


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD])
def test_units_and_origin_of_a_covariate_change_nothing_but_its_effect(
    kind: type[PurchaseModel], sample: pd.DataFrame
) -> None:
    customers = [sample[name] for name in ("frequency", "recency", "T")]
    age = np.random.default_rng(0).integers(20, 70, len(sample))
    years, tens = (CovariateModel.fit(kind, *customers, buying={"age": column}) for column in (age, (age - 45) / 10))
    assert tens.buying["age"] == pytest.approx(10 * years.buying["age"], rel=1e-3, abs=1e-5)
    likelihood = [m.log_likelihood(*customers, buying={"age": c}) for m, c in ((years, age), (tens, (age - 45) / 10))]
    assert likelihood[0] == pytest.approx(likelihood[1], abs=1e-5)
    assert likelihood[0] >= kind.fit(*customers).log_likelihood(*customers) - 1e-6


def test_tables_of_every_library_give_the_same() -> None:
    model = CovariateModel(BGBB(1.204, 0.750, 0.657, 2.783), {"member": 0.5}, {"member": -0.2})
    table = {"member": [0, 1, 1]}
    expected = model.of(buying=table, leaving=table).p_alive([0, 2, 3], [0, 4, 5], [6, 6, 6])
    for other in (pd.DataFrame(table), pl.DataFrame(table), pa.table(table)):
        np.testing.assert_array_equal(model.of(buying=other, leaving=other).p_alive([0, 2, 3], [0, 4, 5], 6), expected)


def test_many_customers_are_worked_out_as_each_alone() -> None:
    random = np.random.default_rng(0)
    model = CovariateModel(BGNBD(0.243, 4.414, 0.793, 2.426), {"age": 0.5}, {"age": -0.2})
    age, x = random.normal(size=300), random.integers(0, 9, 300)
    customers = x, np.where(x > 0, 20.0, 0.0), np.full(300, 38.0)
    for figure in ("expected_purchases", "p_purchase"):
        every = getattr(model.of(buying={"age": age}, leaving={"age": age}), figure)(39, *customers)
        for at in (0, 150, 299):
            one = model.of(buying={"age": age[at]}, leaving={"age": age[at]})
            alone = getattr(one, figure)(39, *(column[at] for column in customers))
            assert every[at] == pytest.approx(alone, rel=1e-10)
