"""Networks as one say what each of them says alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.config import TrainConfig
from clv_core.features.sequences import STEP_CODES
from clv_core.model.deep import Network, Shape
from clv_core.model.heads import BASE_WIDTH, HEADS, Head
from clv_core.model.inputs import STEP_CHANNELS, Batch, Sequence
from clv_core.model.instant.model import InstantNetwork
from clv_core.model.instant.pretrained_inputs import CHANNELS
from clv_core.model.instant.pretrained_inputs import Batch as InstantBatch
from clv_core.model.instant.pretrained_inputs import Sequence as InstantSequence
from clv_core.model.stacking import FEW_ROWS, LAYERS, Grus, StackedEnsemble, joined

TABLE, VOCABULARIES, STATISTICS, LOGS = 9, (5,) * len(STEP_CODES), 11, 2
NETWORKS = 3
N = TypeVar("N", bound=nn.Module)


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def packed(rows: int) -> tuple[int, Tensor, Tensor]:
    """Return steps, batch sizes and order of rows of which the first is longest."""
    batch_sizes = torch.tensor([rows, rows - 1, max(rows // 2, 1)])
    return int(batch_sizes.sum()), batch_sizes, torch.randperm(rows)


def deep_batch(rows: int) -> Batch:
    total, batch_sizes, unsort = packed(rows)
    codes = torch.randint(0, 5, (total, len(VOCABULARIES)))
    sequence = Sequence(torch.randn(total, len(STEP_CHANNELS)), codes, batch_sizes, unsort)
    return Batch(torch.randn(rows, TABLE), torch.randn(rows, BASE_WIDTH), sequence)


def instant_batch(rows: int) -> InstantBatch:
    total, batch_sizes, unsort = packed(rows)
    steps = InstantSequence(torch.randn(total, CHANNELS), batch_sizes, unsort)
    log_of = torch.arange(rows) % LOGS
    return InstantBatch(
        torch.randn(rows, STATISTICS), torch.randn(LOGS, 4), log_of, torch.randn(rows, BASE_WIDTH), steps
    )


def with_own_weights(network: N) -> N:
    """Return a network whose every weight and statistic is drawn anew: nothing is 0, or the same in two networks."""
    for value in [*network.parameters(), *network.buffers()]:
        drawn = torch.rand_like(value).sort(dim=-1)[0]  # edges and residuals ascend
        value.copy_(drawn - 0.5 if value.ndim > 1 else 0.1 + drawn)
    return network.eval()


def assert_same(whole: nn.Module, networks: list[nn.Module], batch: object) -> None:
    said = whole(batch)
    for number, network in enumerate(networks):
        for name, alone in network(batch).items():
            torch.testing.assert_close(said[name][number], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [4, 40])
@pytest.mark.parametrize(
    "changes",
    [{}, {"model": "mlp"}, {"model": "rnn"}, {"rnn": "lstm"}, {"rnn": "rnn"}, {"rnn_layers": 2}, {"head": "tweedie"}],
    ids=str,
)
def test_networks_that_are_trained_on_a_log(changes: dict[str, object], rows: int) -> None:
    config = replace(TrainConfig(horizon_days=90), **changes)
    networks = [with_own_weights(Network(Shape(TABLE, VOCABULARIES), config)) for _ in range(NETWORKS)]
    assert_same(joined(networks), networks, deep_batch(rows))


@pytest.mark.parametrize("rows", [4, 40])
def test_pre_trained_networks_in_several_logs(rows: int) -> None:
    networks = [with_own_weights(InstantNetwork(STATISTICS, 4)) for _ in range(NETWORKS)]
    assert_same(joined(networks), networks, instant_batch(rows))


def test_networks_say_the_same_bits_at_once_and_in_turn() -> None:
    networks = [with_own_weights(InstantNetwork(STATISTICS, 4)) for _ in range(NETWORKS)]
    ensemble, batch = StackedEnsemble(networks, torch.device("cpu")), instant_batch(FEW_ROWS + 1)
    in_turn, at_once = ensemble.ask(lambda network: network(batch), FEW_ROWS + 1), joined(networks)(batch)
    assert in_turn.keys() == at_once.keys() and all(torch.equal(in_turn[name], at_once[name]) for name in in_turn)


@pytest.mark.parametrize("read", [24, 64, 256])
@pytest.mark.parametrize("said", [*range(1, 14), 48])
def test_layers_say_the_same_bits_of_a_row_among_few_and_among_many(read: int, said: int) -> None:
    layers = [nn.Linear(read, said) for _ in range(NETWORKS)]
    whole, rows = LAYERS[nn.Linear](layers), torch.randn(NETWORKS, 500, read)
    many = whole(rows)
    alone = torch.stack([layer(own) for layer, own in zip(layers, rows, strict=True)])
    torch.testing.assert_close(many, alone, rtol=0, atol=1e-5)
    # The same bits are told of AVX-512 alone, which MKL leaves aside where it is asked for older code.
    exact = torch.backends.cpu.get_cpu_capability() == "AVX512" and "MKL_CBWR" not in os.environ
    for few in (*range(4, 20), 203):
        torch.testing.assert_close(whole(rows[:, :few]), many[:, :few], rtol=0, atol=0.0 if exact else 1e-5)


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_of_several_networks_has_the_quantiles_of_each_at_any_horizon(kind: str) -> None:
    heads = [with_own_weights(HEADS[kind]()) for _ in range(NETWORKS)]
    raw, base = torch.randn(NETWORKS, 50, heads[0].args_dim), torch.randn(50, BASE_WIDTH)
    factor, chance, q = 2 + torch.rand(50), torch.rand(NETWORKS, 50), torch.tensor([0.1, 0.5, 0.9])

    def quantiles(head: Head, own: Tensor, chance: Tensor, levels: Tensor) -> Tensor:
        return head.quantile(head.rescale(head.domain_map(own, base), factor, chance), levels)

    said = quantiles(joined(heads), raw, chance, q.view(3, 1, 1))
    assert said.shape == (3, NETWORKS, 50) and (said > 0).any()
    for number, head in enumerate(heads):
        alone = quantiles(head, raw[number], chance[number], q.view(3, 1))
        torch.testing.assert_close(said[:, number], alone, rtol=1e-4, atol=1e-5)


def test_grus_answer_as_pytorch_does() -> None:
    grus = [nn.GRU(7, 6) for _ in range(NETWORKS)]
    both = Grus(grus)
    for rows in (5, 40):
        total, batch_sizes, _ = packed(rows)
        batch = PackedSequence(torch.randn(total, 7), batch_sizes)
        expected = torch.stack([gru(batch)[1][-1] for gru in grus])
        torch.testing.assert_close(both(batch)[1][-1], expected, rtol=0, atol=1e-6)


def test_the_networks_themselves_stay_as_they_were() -> None:
    networks = [with_own_weights(InstantNetwork(STATISTICS, 4)) for _ in range(NETWORKS)]
    before = [{name: value.clone() for name, value in network.state_dict().items()} for network in networks]
    whole = joined(networks)
    for value in [*whole.parameters(recurse=False), *whole.buffers(recurse=False)]:
        value.add_(1)
    for network, weights in zip(networks, before, strict=True):
        assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
