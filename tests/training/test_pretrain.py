"""Pre-training on simulated shops: the same seed and steps, the same weights; stopped or not."""

import sys
import types
from pathlib import Path

import pytest
import torch

from clv_core.errors import Cancelled
from clv_core.jobs import NoProgress
from clv_core.model.instant.network import InstantNetwork
from clv_core.training import pretrain as module
from clv_core.training.checkpoint import Checkpoint
from clv_core.training.pretrain import pretrain
from clv_core.training.shops import make_chunk

ROWS = 512
STEPS = 5
"""Over three chunks: each is learned from twice."""


def weights(network: InstantNetwork) -> dict[str, torch.Tensor]:
    return network.state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@torch.enable_grad()
def pretrained(steps: int, folder: Path, processes: int = 0) -> InstantNetwork:
    return pretrain(steps, 7, folder, NoProgress(), ROWS, processes)[0]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    return weights(pretrained(STEPS, tmp_path_factory.mktemp("run")))


def test_a_chunk_is_a_function_of_its_seed_and_number() -> None:
    one, again, next_one = make_chunk(3, 0, 300), make_chunk(3, 0, 300), make_chunk(3, 1, 300)
    assert torch.equal(one.target, again.target)
    assert torch.equal(one.inputs.statistics, again.inputs.statistics)
    assert not torch.equal(one.target, next_one.target)
    assert len(one.target) == 300


def test_the_same_seed_and_steps_give_the_same_weights_however_many_processes_make_the_shops(
    undisturbed: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A new process runs the main module first; tests of pages leave a script of theirs in its place.
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    assert same(undisturbed, weights(pretrained(STEPS, tmp_path, processes=1)))


def test_a_run_that_was_stopped_ends_at_the_same_weights(
    undisturbed: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stopping and done >= 3:
                raise Cancelled

    def always(self: Checkpoint, network: torch.nn.Module, optimizer: torch.optim.Optimizer, state: object) -> None:
        self.save(network, optimizer, state)  # type: ignore[arg-type]

    monkeypatch.setattr(Checkpoint, "save_if_due", always)
    monkeypatch.setattr("clv_core.training.loop.STEPS_BETWEEN_REPORTS", 1)
    stopping = True
    with pytest.raises(Cancelled):
        pretrain(STEPS, 7, tmp_path, Stopped(), ROWS, 0)
    assert list(tmp_path.glob("state-7-*.safetensors"))
    stopping = False
    assert same(undisturbed, weights(pretrain(STEPS, 7, tmp_path, Stopped(), ROWS, 0)[0]))


def test_learning_lowers_the_loss_on_shops_never_seen(tmp_path: Path) -> None:
    fresh = make_chunk(99, 0, ROWS)
    network = InstantNetwork(fresh.inputs.statistics.shape[1], fresh.inputs.logs.shape[1])
    network.standardise(fresh.inputs.statistics, fresh.inputs.logs)
    rows = torch.arange(ROWS)
    with torch.no_grad():
        before = float(module.chunk_loss(network.eval(), fresh, rows))
        learned = pretrained(24, tmp_path)
        assert float(module.chunk_loss(learned, fresh, rows)) < before
