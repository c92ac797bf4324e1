"""How value builds up over time."""

import torch

from clv_core.model.instant import curve


def weights_of_many(customers: int = 500) -> torch.Tensor:
    raw = 6 * torch.randn(customers, curve.WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return raw.softmax(-1)


def at(weights: torch.Tensor, ratio: float) -> torch.Tensor:
    return curve.share(weights, torch.full((len(weights),), ratio, dtype=torch.float64))


def test_all_of_a_horizons_value_comes_in_the_horizon() -> None:
    assert torch.allclose(at(weights_of_many(), 1.0), torch.ones(500, dtype=torch.float64))


def test_nothing_comes_in_no_time() -> None:
    assert at(weights_of_many(), 0.0).abs().max() == 0


def test_a_longer_span_never_holds_less_whatever_the_weights() -> None:
    weights = weights_of_many()
    shares = torch.stack([at(weights, days / 182) for days in range(731)])
    assert (shares.diff(dim=0) > 0).all()


def test_an_even_curve_is_the_ratio_itself() -> None:
    even = torch.zeros(1, curve.WIDTH, dtype=torch.float64)
    even[0, len(curve.SATURATIONS)] = 1
    assert float(at(even, 0.25)) == 0.25


def test_a_saturating_curve_reaches_its_share_by_its_own_time() -> None:
    saturating = torch.zeros(1, curve.WIDTH, dtype=torch.float64)
    saturating[0, 0] = 1
    tau = torch.tensor(curve.SATURATIONS[0], dtype=torch.float64)
    expected = (1 - torch.exp(torch.tensor(-1.0))) / (1 - torch.exp(-1 / tau))
    assert torch.allclose(at(saturating, float(tau)), expected.double())
