"""The plain ZILN parameterisation against scipy's densities and against samples."""

from __future__ import annotations

import numpy as np
import torch
from scipy import stats

from clv_core.model.ziln_mlp import ZilnMlp, _quantile, scale_of, ziln_loss

LOGITS = torch.tensor([[-0.4, 0.3, 0.1], [1.2, -1.0, 0.8], [0.0, 2.0, -1.5]], dtype=torch.float64)


def parameters(logits: torch.Tensor) -> tuple[np.ndarray, ...]:
    raw = logits.numpy()
    return 1 / (1 + np.exp(-raw[:, 0])), raw[:, 1], np.log1p(np.exp(raw[:, 2]))


def test_loss_is_the_negative_log_density_of_scipy() -> None:
    p, mu, sigma = parameters(LOGITS)
    values = np.array([2.5, 0.0, 40.0])
    density = np.where(values > 0, p * stats.lognorm.pdf(np.maximum(values, 1e-9), sigma, scale=np.exp(mu)), 1 - p)
    np.testing.assert_allclose(ziln_loss(torch.from_numpy(values), LOGITS), -np.log(density), rtol=1e-9)


def test_quantiles_are_those_of_a_sample() -> None:
    p, mu, sigma = parameters(LOGITS)
    rng = np.random.default_rng(0)
    size = (400_000, 3)
    sample = np.where(rng.random(size) < p, np.exp(mu + sigma * rng.standard_normal(size)), 0.0)
    for q in (0.1, 0.5, 0.9):
        found = _quantile(torch.from_numpy(p), torch.from_numpy(mu), torch.from_numpy(sigma), q)
        np.testing.assert_allclose(found, np.quantile(sample, q, axis=0), rtol=0.03, atol=0.01)


def test_sigma_never_reaches_zero_and_gradients_stay_finite() -> None:
    network = ZilnMlp(2)
    logits = network(torch.tensor([[1e3, -1e3], [0.0, 0.0]]))
    assert (scale_of(torch.tensor([[0.0, 0.0, -500.0]])) > 0).all()
    ziln_loss(torch.tensor([0.0, 1e6]), logits).sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())
