"""One thread an operation: what networks say must not depend on how many processors there are."""

from __future__ import annotations

import torch


def one_thread() -> None:
    """Have every operation of torch done by one thread, in this process and from now on.

    The same bits anywhere, and far faster on a busy machine: the small operations of an RNN would wait for their
    slowest thread at every step. Work is shared out above them instead: in training a process a network, in scoring a
    thread a batch. It is for good because torch keeps the number partly for the process: one caller putting it back
    would change it under another.
    """
    torch.set_num_threads(1)
