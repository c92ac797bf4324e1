"""Processes that train networks side by side, a thread each, and the largest memory of all of them.

They start once and serve every ensemble of this process. Each runs :func:`serve`: it reads a line a network, prints one
a report, and ends when its parent does, however that died.

The kernel's ``ru_maxrss`` is no use for memory: it starts from what the parent held when it started the process, so a
worker of 200 MB would be counted like its parent of several GB. ``VmHWM`` is the process's own (proc_pid_status(5)).
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from clv_core.errors import ClvError

PEAK, NOW = "VmHWM", "VmRSS"
"""Fields of ``/proc/<pid>/status``: the largest resident memory of a process, and its current one."""


class Workers:
    """Remembers the largest memory of this process and its workers together."""

    def __init__(self) -> None:
        self.together_mb = 0.0

    def look(self, processes: Iterable[int]) -> None:
        """Update the maximum with the peaks of these processes, by their ids, plus what this one holds now."""
        workers_mb = sum(process_mb(process) for process in processes)
        self.together_mb = max(self.together_mb, process_mb("self", NOW) + workers_mb)


WORKERS: Final = Workers()
"""Of this process."""


def process_mb(process: int | str, which: str = PEAK) -> float:
    """Return the memory of a process in MB; 0 where that cannot be read: it has ended, or the system is not Linux."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    match = re.search(rf"{which}:\s+(\d+) kB", status)
    return int(match[1]) * 1024 / 1e6 if match else 0.0


def peak_memory_mb() -> float:
    """Return the largest memory so far of this process and its workers together, in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    process_peak = process_mb("self") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return max(process_peak, WORKERS.together_mb)


Report = Callable[[int, int, float, float | None], None]
"""Called with seed, step, loss and validation loss."""
WORKER: Final = "clv_core.training.ensemble"


class Pool:
    """Worker processes.

    Args:
        processes: how many.
    """

    def __init__(self, processes: int) -> None:
        self.size = processes
        self._lines: queue.SimpleQueue[tuple[subprocess.Popen[str], str]] = queue.SimpleQueue()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._workers = [
            subprocess.Popen(
                [sys.executable, "-m", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                cwd=Path(__file__).resolve().parents[2],
            )
            for _ in range(processes)
        ]
        for worker in self._workers:
            threading.Thread(target=self._read, args=(worker,), daemon=True).start()

    def train(self, folder: Path, seeds: Sequence[int], report: Report) -> None:
        """Train the networks of a run (:class:`clv_core.training.ensemble.Run`), each as soon as a worker is free.

        Raises:
            ClvError: a worker ended.
        """
        waiting = list(seeds)
        running = [self._give(worker, folder, waiting.pop(0)) for worker in self._workers[: len(waiting)]]
        while running:
            worker, line = self._lines.get()
            WORKERS.look(process.pid for process in self._workers)
            facts = json.loads(line) if line else {}
            if not facts:
                raise ClvError("training_failed", folder=str(folder))
            if "step" in facts:
                report(facts["seed"], facts["step"], facts["loss"], facts.get("validation"))
                continue
            running.remove(worker)
            if waiting:
                running.append(self._give(worker, folder, waiting.pop(0)))

    def stop(self) -> None:
        """End the processes, whatever they do."""
        for worker in self._workers:
            worker.kill()
            worker.wait()

    @staticmethod
    def _give(worker: subprocess.Popen[str], folder: Path, seed: int) -> subprocess.Popen[str]:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps({"folder": str(folder), "seed": seed}) + "\n")
        worker.stdin.flush()
        return worker

    def _read(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdout is not None
        for line in worker.stdout:
            self._lines.put((worker, line))
        self._lines.put((worker, ""))


_pools: list[Pool] = []


def train_in_pool(processes: int, folder: Path, seeds: Sequence[int], report: Report) -> None:
    """Train the networks of a run in the pool of this process; one that failed or was stopped is not used again.

    Raises:
        ClvError: a worker ended.
    """
    if not _pools or _pools[0].size != processes:
        stop_pool()
        _pools.append(Pool(processes))
    try:
        _pools[0].train(folder, seeds, report)
    except BaseException:
        stop_pool()
        raise


@atexit.register
def stop_pool() -> None:
    """End the pool, if there is one."""
    while _pools:
        _pools.pop().stop()


def serve(train: Callable[[Path, int, Report], None]) -> None:
    """Train a network of a folder by its seed, one after the other, and exit at once when standard input closes."""
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            tasks.put(line)
        os._exit(1)

    def tell(seed: int, step: int, loss: float, validation: float | None) -> None:
        facts: dict[str, float] = {"seed": seed, "step": step, "loss": loss}
        print(json.dumps(facts if validation is None else {**facts, "validation": validation}), flush=True)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        task = json.loads(tasks.get())
        train(Path(task["folder"]), task["seed"], tell)
        print(json.dumps({"seed": task["seed"]}), flush=True)
