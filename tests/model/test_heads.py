"""Heads against scipy, against samples, and at the edges; what every head does: ``tests/contracts``."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import mean_tweedie_deviance

from clv_core.model.heads import BASE_WIDTH, Ziln, make_head, tweedie_deviance
from clv_core.model.horizon import at_chance, by_luck
from clv_core.model.ziln_mlp import ZilnMlp, ZilnMlpModel, scale_of, ziln_loss


def some_params(head, rows=200, seed=0):
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(rows, head.args_dim, generator=generator, dtype=torch.float64) * 1.5
    base = torch.randn(rows, BASE_WIDTH, generator=generator, dtype=torch.float64)
    return head.double().domain_map(raw, base)


def test_ziln_loss_is_the_negative_log_density_of_scipy():
    head = Ziln()
    params = some_params(head)
    target = torch.from_numpy(np.r_[np.zeros(100), stats.lognorm.rvs(1, size=100, random_state=1)])
    p = head.p_purchase(params).detach().numpy()
    sigma, mu = params["sigma"].detach().numpy(), head.mu(params).detach().numpy()
    y = target.numpy()
    density = stats.lognorm.logpdf(np.where(y > 0, y, 1), sigma, scale=np.exp(mu))
    expected = np.where(y > 0, np.log(p) + density, np.log1p(-p))
    np.testing.assert_allclose(-head.loss(target, params).detach().numpy(), expected, rtol=1e-9)


def test_ziln_mean_and_quantiles_are_those_of_samples():
    head = Ziln()
    params = {name: value[:4] for name, value in some_params(head, seed=3).items()}
    rng = np.random.default_rng(0)
    p, sigma, mu = (x.detach().numpy() for x in (head.p_purchase(params), params["sigma"], head.mu(params)))
    samples = (rng.random((2_000_000, 4)) < p) * np.exp(mu + sigma * rng.standard_normal((2_000_000, 4)))
    np.testing.assert_allclose(samples.mean(0), head.mean(params).detach().numpy(), rtol=0.02)
    for q in (0.1, 0.5, 0.9):
        expected = head.quantile(params, q).detach().numpy()
        below = (samples <= expected).mean(0)
        np.testing.assert_array_less(np.abs(below - np.maximum(q, 1 - p)), 0.002)


def test_tweedie_deviance_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    target, mean = rng.gamma(1, 2, 50) * (rng.random(50) < 0.5), rng.gamma(2, 1, 50)
    ours = tweedie_deviance(torch.from_numpy(target), torch.from_numpy(mean)).mean().item()
    assert ours == pytest.approx(mean_tweedie_deviance(target, mean, power=1.5), rel=1e-9)


def test_quantiles_of_twice_the_exposure_are_those_of_a_law_with_that_chance_and_mean():
    """The zero-inflated law is its own check: the closed form and the shift of levels agree."""
    head = Ziln()
    params = some_params(head)
    ones = torch.ones(200, dtype=torch.float64)
    scaled = head.rescale(params, 2 * ones, head.poisson_thinning(params, 2.0))
    p = head.p_purchase(params).detach().numpy()
    level, factor = at_chance(p, by_luck(p, 2.0), np.full(200, 2.0), 0.9)
    for row in range(0, 200, 20):
        one = {name: value[row : row + 1] for name, value in params.items()}
        moved = factor[row] * head.quantile(one, float(level[row])).item()
        assert head.quantile(scaled, 0.9)[row].item() == pytest.approx(moved, rel=1e-6)


def test_residual_quantiles_cover_the_training_targets():
    head = make_head("point", "mse")
    assert head.mean_loss(torch.tensor([3.0]), torch.tensor([1.0])) == 4
    params = some_params(head, rows=2000)
    p = head.p_purchase(params).detach()
    bought = torch.from_numpy(np.random.default_rng(4).random(2000)) < p
    spent = head.mean(params).detach() / p * torch.from_numpy(stats.gamma.rvs(1, size=2000, random_state=3))
    target = torch.where(bought, spent, torch.zeros_like(spent))
    head.calibrate(target, params)
    below = (target <= head.quantile(params, 0.9)).double().mean().item()
    assert below == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(("factor", "later"), [(2.4, 0.8), (0.3, 0.2)])
@pytest.mark.parametrize("name", ["tweedie", "point"])
def test_ranges_of_another_horizon_are_those_of_the_law_with_its_chance_and_mean(name, factor, later):
    """Half of all buy in the trained horizon, for a gamma of mean 60; in the other one ``later`` of all do."""
    head, ones = make_head(name, "mse").double(), torch.ones(4000, dtype=torch.float64)
    params = {"logit": 0 * ones, "log_mean": np.log(30) * ones}
    spent = stats.gamma(2, scale=30).ppf((np.arange(2000) + 0.5) / 2000)
    head.calibrate(torch.from_numpy(np.r_[np.zeros(2000), spent]), params)
    other, a_buyer = head.rescale(params, factor * ones, later * ones), factor * 0.5 / later
    for q in (0.1, 0.5, 0.7, 0.9):
        inside = max(0.0, (q - (1 - later)) / later)
        expected = stats.gamma(2, scale=30 * a_buyer).ppf(inside)
        assert head.quantile(other, q)[0].item() == pytest.approx(expected, rel=0.01)


def test_a_part_of_the_horizon_has_the_mean_of_its_purchases_and_scatters_more():
    head = Ziln()
    params = some_params(head)
    part = head.part(params, torch.full((200,), 0.25, dtype=torch.float64))
    np.testing.assert_allclose(head.mean(part).detach().numpy(), head.mean(params).detach().numpy() / 4, rtol=1e-6)
    assert (part["sigma"] > params["sigma"]).all()
    whole = head.part(params, torch.ones(200, dtype=torch.float64))
    for name, value in params.items():
        torch.testing.assert_close(whole[name], value, atol=1e-4, rtol=1e-6)


def test_calibrated_quantiles_hold_for_buyers_whose_value_is_not_lognormal():
    head = Ziln()
    params = {name: value.repeat(100) for name, value in some_params(head).items()}
    rng = np.random.default_rng(2)
    shape = 4.0
    gamma = rng.gamma(shape, 1 / shape, 20_000)
    mean = head.mean(params).detach().numpy() / head.p_purchase(params).detach().numpy()
    bought = rng.random(20_000) < head.p_purchase(params).detach().numpy()
    target = torch.from_numpy(np.where(bought, mean * gamma, 0.0))

    def share_below(q: float) -> float:
        below = target.numpy() <= head.quantile(params, q).detach().numpy()
        none = 1 - head.p_purchase(params).detach().numpy()
        return float(np.where(bought, below, np.minimum(1, q / none)).mean())

    before = max(abs(share_below(q) - q) for q in (0.5, 0.9))
    with torch.no_grad():
        head.calibrate(target, params)
    assert max(abs(share_below(q) - q) for q in (0.1, 0.5, 0.9)) < 0.03 < before


def test_calibrated_quantiles_rise_with_the_level_beyond_what_was_learned():
    head = Ziln()
    params = some_params(head)
    with torch.no_grad():
        head.calibrate(torch.from_numpy(stats.lognorm.rvs(1, size=200, random_state=3)), params)
    levels = [0.5, 0.9, 0.99, 0.995, 0.999, 0.9999]
    quantiles = torch.stack([head.quantile(params, q) for q in levels])
    assert (quantiles.diff(dim=0) >= 0).all() and torch.isfinite(quantiles).all()
    certain = params["logit"] > 2
    assert (quantiles.diff(dim=0)[:, certain] > 0).all()


LOGITS = torch.tensor([[-0.4, 0.3, 0.1], [1.2, -1.0, 0.8], [0.0, 2.0, -1.5]], dtype=torch.float64)


def test_the_plain_mlp_has_the_loss_mean_and_quantiles_of_scipys_lognormal():
    raw = LOGITS.numpy()
    p, mu, sigma = 1 / (1 + np.exp(-raw[:, 0])), raw[:, 1], np.log1p(np.exp(raw[:, 2]))
    values, bought = np.array([2.5, 0.0, 40.0]), stats.lognorm(sigma, scale=np.exp(mu))
    density = np.where(values > 0, p * bought.pdf(np.maximum(values, 1e-9)), 1 - p)
    np.testing.assert_allclose(ziln_loss(torch.from_numpy(values), LOGITS), -np.log(density), rtol=1e-9)
    encoder = SimpleNamespace(transform=lambda table: np.zeros((3, 1), np.float32))
    network = torch.nn.Identity()
    network.forward = lambda table: LOGITS
    found = ZilnMlpModel(encoder, network, 2.0, 1e9, 90).predict(SimpleNamespace(table=None))
    np.testing.assert_allclose(found.p_purchase, p, rtol=1e-9)
    np.testing.assert_allclose(found.predicted_clv, 2 * p * bought.mean(), rtol=1e-9)
    for q, quantile in ((0.1, found.clv_p10), (0.5, found.clv_p50), (0.9, found.clv_p90)):
        expected = np.where(q <= 1 - p, 0.0, bought.ppf(np.clip((q - (1 - p)) / p, 0, 1)))
        np.testing.assert_allclose(quantile, 2 * expected, rtol=1e-6)


def test_sigma_of_the_plain_mlp_never_reaches_zero_and_gradients_stay_finite():
    network = ZilnMlp(2)
    logits = network(torch.tensor([[1e3, -1e3], [0.0, 0.0]]))
    assert (scale_of(torch.tensor([[0.0, 0.0, -500.0]])) > 0).all()
    ziln_loss(torch.tensor([0.0, 1e6]), logits).sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())
