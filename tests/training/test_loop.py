"""The loop knows nothing of CLV: it is tested on a toy regression."""

import pytest
import torch
from torch import nn

from clv_core.config import TrainConfig
from clv_core.training.loop import Checkpoint, Task, learning_rate, rows_of_step, train

CONFIG = TrainConfig(batch_size=16, learning_rate=0.02)
X = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([1.0, -2.0, 0.5])


class Killed(Exception):
    """Stands for kill -9: nothing after it runs."""


def toy(path, steps=60, kill_at=None, optimizer="adamw", validate=None):
    torch.manual_seed(5)
    network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.1), nn.Tanh(), nn.Linear(8, 1))
    checkpoint = Checkpoint(path)
    checkpoint.saved_at = -1e9  # every save is due

    def report(step, loss, validation):
        checkpoint.saved_at = -1e9
        if step == kill_at:
            raise Killed

    config = TrainConfig.from_json({**CONFIG.to_json(), "optimizer": optimizer})
    loss_of = lambda rows, step: ((network(X[rows]).squeeze(1) - Y[rows]) ** 2).mean()  # noqa: E731
    check = (lambda: validate(network)) if validate else None
    state = train(network, Task(loss_of, 100, steps, 3, config, validate=check), checkpoint, report)
    return network, state


@pytest.mark.examples(3)
@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("kill_at", [10, 30, 50])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, kill_at, optimizer):
    undisturbed, expected = toy(None, optimizer=optimizer)
    with pytest.raises(Killed):
        toy(tmp_path / "state", kill_at=kill_at, optimizer=optimizer)
    resumed, state = toy(tmp_path / "state", optimizer=optimizer)
    for one, other in zip(undisturbed.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert state.history == expected.history


def test_an_unreadable_state_starts_anew_instead_of_failing(tmp_path):
    (tmp_path / "state").write_bytes(b"half a file")
    assert torch.equal(toy(tmp_path / "state")[0][0].weight, toy(None)[0][0].weight)


def test_training_lowers_the_loss_to_near_the_attainable_one():
    network, _ = toy(None, steps=600)
    network.eval()
    assert float(((network(X).squeeze(1) - Y) ** 2).mean().detach()) < 0.05 * float(Y.var())


def test_with_validation_the_best_weights_stay():
    losses = iter([3.0, 1.0, 2.0])
    seen = []

    def validate(network):
        seen.append(network[0].weight.clone())
        return next(losses)

    network, state = toy(None, steps=75, validate=validate)
    assert state.best_loss == 1.0
    assert torch.equal(network[0].weight, seen[1])


def test_a_resumed_run_keeps_the_best_weights_of_before_it_was_killed(tmp_path):
    seen = []

    def validate(network):
        seen.append(network[0].weight.clone())
        return next(losses)

    losses = iter([1.0, 2.0])
    with pytest.raises(Killed):
        toy(tmp_path / "state", steps=75, kill_at=60, validate=validate)
    losses = iter([1.5])
    network, state = toy(tmp_path / "state", steps=75, validate=validate)
    assert state.best_loss == 1.0 and torch.equal(network[0].weight, seen[0])


def test_each_epoch_visits_every_row_once():
    rows = torch.cat([rows_of_step(step, 100, 16, 1, torch.device("cpu")) for step in range(7)])
    assert sorted(rows.tolist()) == list(range(100))


def test_the_cycle_rises_to_its_peak_and_falls_to_nothing():
    rates = [learning_rate(step, 100, 1.0) for step in range(101)]
    assert rates[0] == pytest.approx(0.04) and max(rates) == rates[30] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(1e-4)
