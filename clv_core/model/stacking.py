"""The networks of an ensemble as one network: each layer holds the weights of all, on an axis before the rows.

With few rows a layer costs its call, and hardly its arithmetic: all networks answer in the calls of one. With many it
costs memory, and networks run in turn, so that what lies between their layers stays in the processor's caches. A
network in the stack and one by itself are made of the same operations, so their answers are the same bits. A network's
answer for a row among few and among many rows is the same bits where the processor has AVX-512, of Intel or AMD;
elsewhere the rows at a product's end may be rounded otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, Final, Generic, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from clv_core.errors import ClvError
from clv_core.model.heads import Params

N = TypeVar("N", bound=nn.Module)

FEW_ROWS: Final = 512
"""Up to so many, networks together are no slower than in turn."""
SMALL: Final = 100
"""Up to so many weights, BLAS sums a product of few rows in another order than one of many: it is summed here
(measured)."""
COLUMNS: Final = 12
"""A product of fewer columns takes another code path in BLAS, which on AMD sums odd and even counts of rows otherwise.
A GRU has three columns a unit, and four units at least."""


class StackedEnsemble(Generic[N]):
    """An ensemble.

    Args:
        networks: k of one architecture, on the CPU; their parameters outside of layers must allow an axis before their
            own.
        device: where they answer.
    """

    def __init__(self, networks: Sequence[N], device: torch.device) -> None:
        self.device = device
        together = joined(networks)
        self.head: Any = deepcopy(together.get_submodule("head"))
        self._stacked = together.to(device)
        self._alone = [joined([network]).to(device) for network in networks]

    def ask(self, question: Callable[[N], Params], rows: int) -> Params:
        """Return the answers of all networks for B rows, on the CPU, [k, B] where one network returns [B].

        Args:
            question: calls a network.
            rows: B.
        """
        if rows <= FEW_ROWS:
            return {name: values.cpu() for name, values in question(self._stacked).items()}
        answers = [question(network) for network in self._alone]
        return {name: torch.cat([answer[name] for answer in answers]).cpu() for name in answers[0]}


def training_device(name: str) -> torch.device:
    """Return where the setting ``device`` trains networks: ``auto`` on a GPU where there is one.

    Raises:
        ClvError: there is none, and it asks for one.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ClvError("no_gpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def scoring_device(name: str) -> torch.device:
    """Return where networks answer that were trained with the setting ``device``.

    That is the CPU, where answers are the same bits everywhere, unless the setting asks for a GPU and there is one.
    """
    return torch.device("cuda" if name == "cuda" and torch.cuda.is_available() else "cpu")


def weights_by_name(networks: Sequence[nn.Module]) -> dict[str, NDArray[Any]]:
    """Return the weights of all networks as arrays, each name begins with the network's number."""
    return {
        f"{k}.{name}": value.numpy()
        for k, network in enumerate(networks)
        for name, value in network.state_dict().items()
    }


def beginning_with(tensors: dict[str, NDArray[Any]], prefix: object) -> dict[str, NDArray[Any]]:
    """Return what lies under a prefix of a bundle's tensors, by the rest of its name."""
    begin = f"{prefix}."
    return {name.removeprefix(begin): value for name, value in tensors.items() if name.startswith(begin)}


@torch.no_grad()
def joined(networks: Sequence[N]) -> N:
    """Return one network with the outputs of k networks for B rows, [k, B] for [B]."""
    stacked = deepcopy(networks[0])
    _fill(stacked, networks)
    return stacked.eval()


class Linears(nn.Module):
    """Linear layers: [B, in], the same for all, or [k, B, in] -> [k, B, out].

    Args:
        weights: of each, [out, in].
        biases: of each, [out].
    """

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        super().__init__()
        self.layers, self.small, self.width = len(weights), weights[0].numel() <= SMALL, len(biases[0])
        lacking = 0 if self.small else max(0, COLUMNS - self.width)
        self.register_buffer("weight", F.pad(torch.stack([weight.T for weight in weights]), (0, lacking)).contiguous())
        self.register_buffer("bias", F.pad(torch.stack(list(biases)), (0, lacking)).unsqueeze(1))
        self.weight: Tensor
        self.bias: Tensor

    def forward(self, rows: Tensor) -> Tensor:
        """Return what each layer makes of its rows."""
        return self.at_hand()(rows.expand(self.layers, *rows.shape[-2:]), None)[..., : self.width]

    def at_hand(self) -> Callable[[Tensor, Tensor | None], Tensor]:
        """Return the layers as a function of [k, B, in] and of where to write what they make of it, None for anywhere.

        Called for each step, a module's own way would cost too much.
        """
        weight, bias = self.weight, self.bias
        if self.small:
            return lambda rows, out: torch.add((rows.unsqueeze(-1) * weight.unsqueeze(1)).sum(-2), bias, out=out)
        return lambda rows, out: torch.baddbmm(bias, rows, weight, out=out)


class Norms(nn.Module):
    """Layer norms: [k, B, width] -> [k, B, width]."""

    def __init__(self, layers: Sequence[nn.LayerNorm]) -> None:
        super().__init__()
        self.shape, self.eps = layers[0].normalized_shape, layers[0].eps
        self.register_buffer("weight", torch.stack([layer.weight for layer in layers]).unsqueeze(1))
        self.register_buffer("bias", torch.stack([layer.bias for layer in layers]).unsqueeze(1))
        self.weight: Tensor
        self.bias: Tensor

    def forward(self, rows: Tensor) -> Tensor:
        """Return what each layer makes of its rows."""
        return torch.addcmul(self.bias, F.layer_norm(rows, self.shape, eps=self.eps), self.weight)


class Embeddings(nn.Module):
    """Embedding tables: codes [total], the same for all -> [k, total, width]."""

    def __init__(self, tables: Sequence[nn.Embedding]) -> None:
        super().__init__()
        self.register_buffer("weight", torch.stack([table.weight for table in tables]))
        self.weight: Tensor

    def forward(self, codes: Tensor) -> Tensor:
        """Return what each table holds for the codes."""
        return self.weight.index_select(1, codes)


class Grus(nn.Module):
    """GRUs of one layer. A packed batch, the same for all or [k, total, in] -> nothing, and the last states.

    Source: Cho et al. (2014), arXiv 1406.1078, in the form of :class:`torch.nn.GRU`, whose place it takes.
    """

    def __init__(self, grus: Sequence[nn.GRU]) -> None:
        super().__init__()
        self.width = grus[0].hidden_size
        self.read, self.keep = (
            Linears(
                [gru.get_parameter(f"weight_{of}_l0") for gru in grus], [getattr(gru, f"bias_{of}_l0") for gru in grus]
            )
            for of in ("ih", "hh")
        )

    def forward(self, packed: PackedSequence) -> tuple[None, Tensor]:
        """Return the last state of each row in the packed order, [1, k, B, width]."""
        read, keep, alive = self.read(packed.data), self.keep.at_hand(), packed.batch_sizes.tolist()
        state = read.new_zeros(len(read), alive[0], self.width)
        buffer, ended = state.new_empty(0, 0), list[Tensor]()
        width = [2 * self.width, self.width]
        steps = (part.split(alive, dim=1) for part in read.split(width, dim=-1))
        for gates, new, rows in zip(*steps, alive, strict=True):
            if rows < state.shape[1]:
                ended.append(state[:, rows:])
                state = state[:, :rows]
            if rows != buffer.shape[1]:
                buffer = read.new_empty(len(read), rows, read.shape[-1])
                buffer_gates, buffer_new = buffer.split(width, dim=-1)
                reset, update = buffer_gates.chunk(2, dim=-1)
            keep(state, buffer)
            buffer_gates.add_(gates).sigmoid_()
            state = torch.addcmul(new, reset, buffer_new).tanh_().lerp_(state, update)
        return None, torch.cat([state, *reversed(ended)], dim=1).unsqueeze(0)


class Rnns(nn.Module):
    """Any other recurrent layers, each by itself; they answer as :class:`Grus` do."""

    def __init__(self, rnns: Sequence[nn.RNNBase]) -> None:
        super().__init__()
        self.each = nn.ModuleList(rnns)

    def forward(self, packed: PackedSequence) -> tuple[None, Tensor]:
        """Return the last state of each row in the packed order, [1, k, B, width]."""
        read = packed.data.expand(len(self.each), *packed.data.shape[-2:])
        states = [rnn(PackedSequence(rows, packed.batch_sizes))[1] for rnn, rows in zip(self.each, read, strict=True)]
        last = [(state[0] if isinstance(state, tuple) else state)[-1] for state in states]
        return None, torch.stack(last).unsqueeze(0)


def _linears(layers: Sequence[nn.Linear]) -> Linears:
    return Linears([layer.weight for layer in layers], [layer.bias for layer in layers])


def _grus(layers: Sequence[nn.GRU]) -> nn.Module:
    return Grus(layers) if layers[0].num_layers == 1 else Rnns(layers)


LAYERS: Final[dict[type[nn.Module], Callable[[Sequence[Any]], nn.Module]]] = {
    nn.Linear: _linears,
    nn.LayerNorm: Norms,
    nn.Embedding: Embeddings,
    nn.GRU: _grus,
    nn.LSTM: Rnns,
    nn.RNN: Rnns,
    nn.Dropout: lambda _: nn.Identity(),
}
"""What takes the place of layers; all others have no weights, or are made of these. Dropout is off in predictions."""


def _fill(stacked: nn.Module, networks: Sequence[nn.Module]) -> None:
    """Put the weights of all networks into ``stacked``, a copy of one."""
    for name, part in list(stacked.named_children()):
        parts = [network.get_submodule(name) for network in networks]
        if type(part) in LAYERS:
            setattr(stacked, name, LAYERS[type(part)](parts))
        else:
            _fill(part, parts)
    for name, tensor in [*stacked.named_parameters(recurse=False), *stacked.named_buffers(recurse=False)]:
        tensor.data = torch.stack([getattr(network, name) for network in networks])


def one_thread() -> None:
    """Have every operation of torch done by one thread, in this process and from now on.

    The same bits anywhere, and far faster on a busy machine: the small operations of an RNN would wait for their
    slowest thread at every step. Work is shared out above them instead: in training a process a network, in scoring a
    thread a batch. It is for good because torch keeps the number partly for the process: one caller putting it back
    would change it under another.
    """
    torch.set_num_threads(1)
