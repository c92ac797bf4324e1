"""Every file of ``sequence_encoders``: made, run over rows of different lengths, trained, stacked, saved and loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_sequence

from clv_core.config import SEQUENCE_ENCODERS, TrainConfig
from clv_core.extension_points import ROOT
from clv_core.i18n import LANGUAGES
from clv_core.model.sequence_encoders import sequence_encoder
from clv_core.model.stacking import joined

ENCODER = pytest.mark.parametrize("name", SEQUENCE_ENCODERS)
WIDTH_IN, WIDTH, LENGTHS = 5, 6, (7, 1, 12, 3, 7)


def module(name: str, layers: int = 1, dropout: float = 0.0, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    made: nn.Module = sequence_encoder(name).make(WIDTH_IN, WIDTH, layers, dropout)
    return made.eval()


def rows(seed: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(length, WIDTH_IN, generator=generator) for length in LENGTHS]


def last(encoder: nn.Module, steps: list[Tensor]) -> Tensor:
    """Return the last state of each row, [B, width], as the network takes it."""
    lengths = torch.tensor([len(row) for row in steps])
    batch = pack_padded_sequence(pad_sequence(steps, batch_first=True), lengths, batch_first=True, enforce_sorted=False)
    state = encoder(PackedSequence(batch.data, batch.batch_sizes))[1]
    state = state[0][-1] if isinstance(state, tuple) else state[-1]
    found: Tensor = state.index_select(-2, batch.unsorted_indices)
    return found


@ENCODER
def test_a_file_has_a_cost_and_a_name_in_every_language_and_is_a_choice(name: str) -> None:
    found = sequence_encoder(name)
    assert found.COST > 0 and found.__doc__
    assert set(found.LABELS) == set(LANGUAGES) and len(set(found.LABELS.values())) == len(LANGUAGES)
    assert TrainConfig(rnn=name).rnn == name


def test_files_bring_torch_only_when_a_module_is_made() -> None:
    files = [f"clv_core.model.sequence_encoders.{name}" for name in SEQUENCE_ENCODERS]
    script = f"import sys; import {', '.join(files)}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@ENCODER
@pytest.mark.parametrize("layers", [1, 2])
def test_a_rows_state_is_its_own_and_each_of_its_steps_counts(name: str, layers: int) -> None:
    encoder, steps = module(name, layers), rows()
    with torch.no_grad():
        whole = last(encoder, steps)
        assert whole.shape == (len(LENGTHS), WIDTH) and torch.isfinite(whole).all()
        for at, row in enumerate(steps):
            torch.testing.assert_close(last(encoder, [row])[0], whole[at])
            for step in range(len(row)):
                other = [one.clone() for one in steps]
                other[at][step] += 2.0
                changed = (last(encoder, other) - whole).abs().amax(dim=1) > 1e-6
                assert changed.nonzero().flatten().tolist() == [at], f"step {step} of {len(row)}"


@ENCODER
def test_steps_count_in_their_order(name: str) -> None:
    encoder, steps = module(name), rows()
    with torch.no_grad():
        turned = last(encoder, [row.flip(0) for row in steps])
        moved = (turned - last(encoder, steps)).abs().amax(dim=1) > 1e-4
    assert moved.tolist() == [length > 1 for length in LENGTHS]


@ENCODER
def test_every_weight_has_a_gradient_and_learns_what_the_last_step_says(name: str) -> None:
    encoder, out = module(name, layers=2, dropout=0.2).train(), nn.Linear(WIDTH, 1)
    weights = [*encoder.parameters(), *out.parameters()]
    optimiser, losses = torch.optim.Adam(weights, lr=0.02), []
    for step in range(45):
        steps = rows(seed=step)
        target = torch.stack([row[-1, 0] for row in steps])
        loss = ((out(last(encoder, steps)).squeeze(-1) - target) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        gradients = [weight.grad for weight in weights]
        assert all(one is not None and torch.isfinite(one).all() for one in gradients)
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-15:]) < 0.7 * sum(losses[:15])
    assert any(one.abs().max() > 0 for one in gradients if one is not None)


@ENCODER
def test_saved_and_loaded_it_says_the_same(name: str, tmp_path: Path) -> None:
    encoder, again = module(name, layers=2), module(name, layers=2, seed=9)
    save_file(encoder.state_dict(), tmp_path / "weights.safetensors")
    with torch.no_grad():
        assert not torch.equal(last(again, rows()), last(encoder, rows()))
        again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
        assert torch.equal(last(again, rows()), last(encoder, rows()))


class Steps(nn.Module):
    """An encoder as it stands in a network: its last state alone."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.rnn = encoder

    def forward(self, steps: list[Tensor]) -> Tensor:
        return last(self.rnn, steps)


@ENCODER
def test_several_in_one_say_what_each_says_by_itself(name: str) -> None:
    alone = [module(name, seed=seed) for seed in (1, 2, 3)]
    with torch.no_grad():
        together = joined([Steps(one) for one in alone])(rows())
        for at, encoder in enumerate(alone):
            torch.testing.assert_close(together[at], last(encoder, rows()))
