"""Every row of ``HEADS``: a mean, a chance, quantiles in order, a loss that teaches, and the same after loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy import stats
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.i18n import LANGUAGES, has
from clv_core.model.heads import BASE_WIDTH, HEADS, Head, Params, make_head

HEAD = pytest.mark.parametrize("name", HEADS)
ROWS = 400
QS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


def inputs(head: Head, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(ROWS, head.args_dim, generator=generator, dtype=torch.float64) * 1.5
    return raw, torch.randn(ROWS, BASE_WIDTH, generator=generator, dtype=torch.float64)


def params_of(head: Head, seed: int = 0) -> Params:
    return head.double().domain_map(*inputs(head, seed))


def calibrated(name: str) -> tuple[Head, Params]:
    """Return a head that has learned from targets with many zeros, and the parameters of its rows."""
    head = HEADS[name]()
    params = params_of(head)
    rng = np.random.default_rng(2)
    with torch.no_grad():
        bought = torch.from_numpy(rng.random(ROWS)) < head.p_purchase(params)
        spent = torch.from_numpy(stats.gamma.rvs(0.6, size=ROWS, random_state=rng)) * head.mean(params)
        head.calibrate(torch.where(bought, spent, torch.zeros_like(spent)), params)
    return head, {key: value.detach() for key, value in params.items()}


@HEAD
def test_it_is_made_by_a_choice_that_has_a_name_in_every_language(name: str) -> None:
    """``point_mse`` is ``head=point`` with ``point_loss=mse``."""
    settings = TrainConfig.__dataclass_fields__
    losses = settings["point_loss"].metadata["choices"]
    taken = [*settings["head"].metadata["choices"], *settings["head"].metadata["leaving"]]
    made = {f"{head}_{loss}" if head == "point" else head: (head, loss) for head in ("point",) for loss in losses}
    made |= {head: (head, "mse") for head in taken if head != "point"}
    assert set(made) == set(HEADS)
    head, loss = made[name]
    assert type(make_head(head, loss)) is type(HEADS[name]())
    assert all(has(f"choice.head.{head}", language) for language in LANGUAGES)


@HEAD
def test_mean_and_chance_are_finite_and_within_their_bounds(name: str) -> None:
    head = HEADS[name]()
    for params in (params_of(head), calibrated(name)[1]):
        mean, chance = head.mean(params), head.p_purchase(params)
        assert mean.shape == chance.shape == (ROWS,)
        assert (mean > 0).all() and torch.isfinite(mean).all() and ((chance > 0) & (chance < 1)).all()


@HEAD
def test_quantiles_do_not_cross_are_finite_and_of_one_level_as_of_several(name: str) -> None:
    head, params = calibrated(name)
    each = torch.stack([head.quantile(params, q) for q in QS])
    assert each.shape == (len(QS), ROWS) and torch.isfinite(each).all()
    assert (each >= 0).all() and (each.diff(dim=0) >= 0).all() and (each[-1] > 0).any()
    levels = torch.tensor(QS, dtype=torch.float64).unsqueeze(-1)
    torch.testing.assert_close(head.quantile(params, levels), each)
    none = 1 - head.p_purchase(params)
    assert all(torch.equal(quantile > 0, none < q) for q, quantile in zip(QS, each, strict=True))


@HEAD
def test_the_mean_of_all_quantiles_is_the_mean(name: str) -> None:
    """Levels are those of a normal distribution among buyers: even ones would miss the tail."""
    head, params = calibrated(name)
    z = torch.linspace(-7, 7, 1401, dtype=torch.float64).unsqueeze(-1)
    weight, p = torch.exp(-(z**2) / 2) / torch.exp(-(z**2) / 2).sum(), head.p_purchase(params)
    mean = p * (weight * head.quantile(params, 1 - p * torch.special.ndtr(-z))).sum(0)
    likely = p > 0.01
    torch.testing.assert_close(mean[likely], head.mean(params)[likely], rtol=0.005, atol=0)


@HEAD
def test_a_larger_exposure_lowers_no_quantile(name: str) -> None:
    head, params = calibrated(name)
    ones, before = torch.ones(ROWS, dtype=torch.float64), dict[float, Tensor]()
    for exposure in (1e-4, 0.01, 0.3, 0.999, 1.0, 1.001, 2.0, 7.0, 50.0, 1e4):
        scaled = head.rescale(params, 0.7 * exposure * ones, head.poisson_thinning(params, exposure))
        found = {q: head.quantile(scaled, q) for q in QS}
        assert (torch.stack([*found.values()]).diff(dim=0) >= 0).all()
        assert all((value >= before.get(q, value) * (1 - 1e-12)).all() for q, value in found.items())
        before = found


@HEAD
def test_another_level_sets_mean_and_chance_and_a_part_has_its_share_of_both(name: str) -> None:
    head, params = calibrated(name)
    chance, quarter = 0.5 * head.p_purchase(params), torch.full((ROWS,), 0.25, dtype=torch.float64)
    scaled = head.rescale(params, torch.full_like(chance, 3.0), chance)
    torch.testing.assert_close(head.mean(scaled), 3 * head.mean(params))
    torch.testing.assert_close(head.p_purchase(scaled), chance)
    part = head.part(params, quarter)
    torch.testing.assert_close(head.mean(part), quarter * head.mean(params))
    none = (1 - head.p_purchase(params)) ** 0.25
    torch.testing.assert_close(1 - head.p_purchase(part), none, rtol=1e-7, atol=1e-5)


@HEAD
def test_the_loss_has_a_gradient_at_zero_below_it_and_at_the_largest_target(name: str) -> None:
    head = HEADS[name]()
    raw = torch.tensor([[0.0] * head.args_dim, [8.0] * head.args_dim, [-8.0] * head.args_dim] * 3, requires_grad=True)
    base = torch.zeros(9, BASE_WIDTH)
    base[:, 0] = torch.tensor([-4.0, 0.0, 9.0]).repeat_interleave(3)
    target = torch.tensor([0.0, 1e4, -3.0] * 3)
    loss = head.loss(target, head.domain_map(raw, base))
    assert loss.shape == (9,) and torch.isfinite(loss).all()
    loss.sum().backward()
    assert raw.grad is not None and torch.isfinite(raw.grad).all() and (raw.grad.abs().amax(dim=0) > 0).all()


@HEAD
def test_training_comes_nearer_to_who_buys_and_how_much(name: str) -> None:
    torch.manual_seed(3)
    head, rng = HEADS[name](), np.random.default_rng(4)
    group = torch.arange(ROWS) % 2
    chance, worth = np.where(group == 1, 0.8, 0.2), np.where(group == 1, 3.0, 1.0)
    raw = torch.zeros(2, head.args_dim, requires_grad=True)
    optimiser = torch.optim.Adam([raw, *head.parameters()], lr=0.05)
    base = torch.zeros(ROWS, BASE_WIDTH)
    for _ in range(160):
        bought = rng.random(ROWS) < chance
        target = torch.from_numpy(np.where(bought, worth * rng.lognormal(-0.125, 0.5, ROWS), 0.0)).float()
        loss = head.training_loss(target, head.part(head.domain_map(raw[group], base), torch.ones(ROWS)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        params = head.domain_map(raw[group], base)
        p, mean = head.p_purchase(params), head.mean(params)
    assert p[1].item() == pytest.approx(0.8, abs=0.12) and p[0].item() == pytest.approx(0.2, abs=0.12)
    if name == "point_mae":  # aims at the median: of those who mostly buy nothing it is 0
        assert mean[1] > 3 * mean[0]
    else:
        assert mean[1].item() == pytest.approx(2.4, rel=0.2) and mean[0].item() == pytest.approx(0.2, rel=0.4)


@HEAD
def test_saved_and_loaded_it_says_the_same(name: str, tmp_path: Path) -> None:
    head, params = calibrated(name)
    save_file(head.state_dict(), tmp_path / "head.safetensors")
    again = HEADS[name]().double()
    again.load_state_dict(load_file(tmp_path / "head.safetensors"))
    for q in QS:
        assert torch.equal(again.quantile(params, q), head.quantile(params, q))
    assert torch.equal(again.domain_map(*inputs(head))["log_mean"], head.domain_map(*inputs(head))["log_mean"])
