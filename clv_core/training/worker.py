"""A worker process of :mod:`clv_core.training.ensemble`: ``python -m clv_core.training.worker FOLDER SEED...``."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Train the seeds and print one JSON line a report."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from clv_core.training.ensemble import Run, train_seeds  # seconds of torch, during which the parent may die

    train_seeds(Run(Path(arguments[0])), [int(seed) for seed in arguments[1:]], _tell)


def _tell(seed: int, step: int, loss: float, validation: float | None) -> None:
    facts: dict[str, float] = {"seed": seed, "step": step, "loss": loss}
    print(json.dumps(facts if validation is None else {**facts, "validation": validation}), flush=True)


def _end_with_parent() -> None:
    """Exit at once when the parent's end of our standard input closes, however it died."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
