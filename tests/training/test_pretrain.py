"""Pre-training on simulated shops: the same seed and steps, the same weights; stopped or not."""

import shutil
import sys
import types
from pathlib import Path

import pytest
import torch

from clv_core.errors import Cancelled
from clv_core.features.context.customer_statistics import RENEWAL
from clv_core.jobs import NoProgress
from clv_core.model.instant.model import InstantNetwork, save_network
from clv_core.training import pretrain as module
from clv_core.training.loop import Checkpoint
from clv_core.training.pretrain import (
    CORE,
    Tally,
    budgeted_steps,
    chunks_in,
    code_hash,
    forget,
    make_chunk,
    pretrain,
    tally_path,
)

pytestmark = pytest.mark.slow

ROWS = 512
STEPS = 9
"""Over three chunks: each is learned from four times."""


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@torch.enable_grad()
def pretrained(steps: int, folder: Path, processes: int = 0) -> InstantNetwork:
    return pretrain(steps, 7, folder, NoProgress(), ROWS, processes)[0]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    return pretrained(STEPS, tmp_path_factory.mktemp("run")).state_dict()


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
    assert same(undisturbed, pretrained(STEPS, tmp_path, processes=1).state_dict())


def test_a_run_that_was_stopped_ends_at_the_same_weights(
    undisturbed: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stopping and done >= 6:
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
    before = Tally.of(tally_path(tmp_path, 7, STEPS))
    network, _, tally = pretrain(STEPS, 7, tmp_path, Stopped(), ROWS, 0)
    assert same(undisturbed, network.state_dict())
    chunks = [make_chunk(7, number, ROWS) for number in range(chunks_in(STEPS, ROWS))]
    assert tally.shops_of(3) == sum(int(chunk.inputs.log_of.max()) + 1 for chunk in chunks)
    assert tally.seconds > before.seconds > 0 and list(before.shops) == ["0", "1"]


def test_a_run_can_go_on_from_a_network_that_knows_fewer_statistics(tmp_path: Path) -> None:
    shop = make_chunk(3, 0, 100).inputs
    earlier = InstantNetwork(shop.statistics.shape[1] - len(RENEWAL), shop.logs.shape[1])
    earlier.standardise(torch.randn(9, len(earlier.statistics_mean)), torch.randn(9, len(earlier.log_mean)))
    save_network(earlier, tmp_path / "earlier", {})
    with torch.enable_grad():
        network = pretrain(1, 7, tmp_path, NoProgress(), ROWS, 0, start=tmp_path / "earlier")[0]
    known = len(earlier.statistics_mean)
    torch.testing.assert_close(network.join.weight[:, :known], earlier.join.weight[:, :known], atol=1e-4, rtol=0)
    assert (
        torch.equal(network.statistics_mean[:known], earlier.statistics_mean) and len(network.statistics_mean) > known
    )


def test_a_run_of_minutes_has_the_same_steps_whenever_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speeds = iter([100, 90, 80])
    monkeypatch.setattr(module, "steps_in", lambda minutes, seed: next(speeds))
    assert [budgeted_steps(30, 7, tmp_path) for _ in range(2)] == [100, 100]
    assert budgeted_steps(30, 8, tmp_path) == 90
    forget(tmp_path, 7, 100, 30)
    assert budgeted_steps(30, 7, tmp_path) == 80


def test_shops_that_an_earlier_run_did_not_count_are_not_guessed(tmp_path: Path) -> None:
    tally = Tally.of(tmp_path / "tally.json")
    tally.note(1, 20)
    tally.note(1, 20)
    assert tally.shops_of(2) is None
    tally.note(0, 3)
    assert Tally.of(tmp_path / "tally.json").shops_of(2) == 23


def test_the_code_of_a_record_changes_with_what_decides_the_weights_alone(tmp_path: Path) -> None:
    core = tmp_path / "clv_core"
    shutil.copytree(CORE, core, ignore=shutil.ignore_patterns("__pycache__"))
    with (core / "cli.py").open("a") as file:
        file.write("# more\n")
    assert code_hash(core) == code_hash()
    with (core / "training" / "prior" / "shop_traits.py").open("a") as file:
        file.write("# more\n")
    assert code_hash(core) != code_hash()


def test_learning_lowers_the_loss_on_shops_never_seen(tmp_path: Path) -> None:
    fresh = make_chunk(99, 0, ROWS)
    network = InstantNetwork(fresh.inputs.statistics.shape[1], fresh.inputs.logs.shape[1])
    network.standardise(fresh.inputs.statistics, fresh.inputs.logs)
    rows = torch.arange(ROWS)
    with torch.no_grad():
        before = float(module.chunk_loss(network.eval(), fresh, rows))
        learned = pretrained(24, tmp_path)
        assert float(module.chunk_loss(learned, fresh, rows)) < before
