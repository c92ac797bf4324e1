"""Every network is trained, and answers, where the setting ``device`` says: on any machine, without a GPU.

A mode of PyTorch remembers of each tensor where it would lie: on the device if it was made there, moved there or made
of what lies there. An operation that mixes both places, or hands numpy what lies on the device, fails as it would on a
GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from weakref import ref

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.jobs import NoProgress
from clv_core.model import calibrated, deep, heads, ziln_mlp
from clv_core.model.instant import model as instant
from clv_core.training import ensemble, single_networks
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace

DEVICE: Final = torch.device("cpu", 0)
"""Stands for a GPU: the processor by another name."""
HOME: Final = torch.device("cpu")
NEW: Final = {"zeros", "ones", "arange", "empty", "full", "rand", "linspace", "from_numpy", "tensor", "as_tensor"}
IN_PLACE: Final = {"detach_", "requires_grad_", "copy_", "backward", "_has_compatible_shallow_copy_type"}
RECURRENT: Final = {"gru", "lstm", "rnn_tanh", "rnn_relu"}
"""They want the sizes of a packed batch on the processor, wherever the batch lies."""


class TwoPlaces(TorchFunctionMode):
    """Remembers where each tensor would lie."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[int, tuple[Any, torch.device]] = {}
        self.computed = 0

    def place(self, tensor: Any) -> torch.device | None:
        """Return where a tensor lies; None of one that was made inside of PyTorch, such as a gradient."""
        known = self._places.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def put(self, result: Any, where: torch.device | None) -> Any:
        """Remember where the tensors of a result lie, and return it."""
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and where is not None:
                self._places[id(tensor)] = ref(tensor), where
        return result

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation."""
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        places = {self.place(each) for each in tensors if each.dim() or self.place(each) == DEVICE} - {None}
        if name == "__get__" and func.__self__ is Tensor.device:
            return self.place(args[0]) or HOME
        if name == "__set__" and func.__self__ is Tensor.data:
            self.put(args[0], self.place(args[1]))
        if name in ("numpy", "__array__") and DEVICE in places:
            raise AssertionError("numpy is handed what lies on the device")
        result = func(*args, **kwargs)
        if name in IN_PLACE or name == "__set__":
            return result
        where = kwargs.get("device")
        if name in ("to", "cpu"):
            asked = [self.place(each) if isinstance(each, Tensor) else each for each in (*args[1:], where)]
            targets = [each for each in asked if isinstance(each, torch.device)] or [self.place(args[0])]
            return self.put(result.view_as(result), HOME if name == "cpu" else targets[0])
        if name in NEW and not tensors:
            return self.put(result, torch.device(where) if where is not None else HOME)
        if len(places) > 1 and name not in RECURRENT:
            raise AssertionError(f"{name} mixes {[(tuple(each.shape), self.place(each)) for each in tensors]}")
        self.computed += DEVICE in places
        return self.put(result, DEVICE if DEVICE in places else next(iter(places), None))


@pytest.mark.examples(3)
@pytest.mark.parametrize("model", ["hybrid", "mlp", "rnn", "instant", "instant_tuned", "blend", "ziln_mlp"])
def test_a_network_is_trained_and_answers_on_its_device(
    small_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    for module in (ensemble, single_networks):
        monkeypatch.setattr(module, "training_device", lambda name: DEVICE)
    for module in (deep, instant, ziln_mlp):
        monkeypatch.setattr(module, "scoring_device", lambda name: DEVICE)
    for module in (calibrated, single_networks):  # a mode holds in its own thread only
        monkeypatch.setattr(module, "each", lambda work, items: [work(item) for item in items])
    config = TrainConfig(horizon_days=90, model=model, ensemble=2, steps=3, cutoffs=2, max_windows=2000, processes=1)
    log = open_log(open_dataset(small_workspace, "shop"))
    snapshot = scoring_snapshot(log, log.end, 90, max_steps=config.max_steps_back)
    train = training_data(log, log.end, config, NoProgress())
    with TwoPlaces() as places:
        for constant in vars(heads).values():
            places.put(constant, HOME)
        fitted = MODELS[model].fit(FitTask(train, config, tmp_path, NoProgress(), "training")).model
        trained = places.computed
        assert (trained > 0) == (model != "instant")
        fitted.predict(snapshot)
    assert places.computed > trained
