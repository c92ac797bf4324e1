"""Where a run stands, and that in one safetensors file: weights, optimiser, step and history, written atomically."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from clv_core.workspace import atomic_path

SECONDS_BETWEEN_SAVES = 2.0


@dataclass
class State:
    """Where a run stands."""

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def judge(self, validation: float, network: nn.Module) -> None:
        """Keep the weights where no earlier ones had a lower loss on later windows."""
        if validation < self.best_loss:
            self.best_loss = validation
            self.best_weights = {name: value.clone() for name, value in network.state_dict().items()}


@dataclass
class Checkpoint:
    """The state file of one network's run.

    Args:
        path: the file; None keeps nothing.
    """

    path: Path | None
    saved_at: float = field(default_factory=time.monotonic)

    def save_if_due(self, network: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Save, unless the last save is less than two seconds old."""
        if self.path is not None and time.monotonic() - self.saved_at >= SECONDS_BETWEEN_SAVES:
            self.save(network, optimizer, state)
            self.saved_at = time.monotonic()

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Write weights, optimiser state, step and history as one file."""
        if self.path is None:
            return
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in state.best_weights.items()}
        for number, slots in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in slots.items()}
        facts = {"step": state.step, "best_loss": repr(state.best_loss), "history": state.history}
        with atomic_path(self.path) as temporary:
            save_file(
                {name: value.contiguous() for name, value in tensors.items()}, temporary, {"state": json.dumps(facts)}
            )

    def load(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> State | None:
        """Restore network and optimiser in place; None where there is no readable state."""
        if self.path is None or not self.path.exists():
            return None
        tensors: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimizer": {}}
        device = next(network.parameters()).device
        try:
            with safe_open(self.path, framework="pt", device=str(device)) as file:
                facts = json.loads(file.metadata()["state"])
                for name in file.keys():  # noqa: SIM118 - safe_open is no dictionary
                    kind, _, rest = name.partition(".")
                    tensors[kind][rest] = file.get_tensor(name)
        except SafetensorError:
            return None
        network.load_state_dict(tensors["network"])
        saved = optimizer.state_dict()
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors["optimizer"].items():
            number, _, slot = name.partition(".")
            slots.setdefault(int(number), {})[slot] = value.cpu() if slot == "step" else value
        optimizer.load_state_dict({"state": slots, "param_groups": saved["param_groups"]})
        return State(facts["step"], facts["history"], float(facts["best_loss"]), tensors["best"])
