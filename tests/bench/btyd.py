"""Seconds to fit and predict the single models, ``python -m tests.bench.btyd [--sizes 2357,23570,200000,1000000]``.

Customers are simulated by Pareto/NBD in days; 2,357 and 23,570 are as many as CDNOW's. lifetimes takes its turn right
after each of ours where it ends in time: BG/NBD up to 200,000, Pareto/NBD up to 2,357. Prints a table.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from clv_core import BGNBD, MBGNBD, ParetoNBD
from clv_core.btyd.fitting import unique_rows

SIZES: Final = (2_357, 23_570, 200_000, 1_000_000)
THEIRS_UP_TO: Final = {"BGNBD": 200_000, "MBGNBD": 23_570, "ParetoNBD": 2_357}
HORIZON_DAYS: Final = 90


def customers(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frequency, recency and T in days."""
    random = np.random.default_rng(0)
    age = random.integers(1, 550, size).astype(float)
    rate, leaving = random.gamma(0.6, 1 / 40, size), random.gamma(0.6, 1 / 100, size)
    there = np.minimum(random.exponential(1 / leaving), age)
    x = random.poisson(rate * there).astype(float)
    last = np.where(x > 0, np.ceil(there * random.beta(np.maximum(x, 1), 1)), 0.0)
    last = np.minimum(last, age)
    return np.minimum(x, last), last, age


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call took, and what it gave."""
    begin = time.perf_counter()
    given = call()
    return time.perf_counter() - begin, given


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes
    warnings.simplefilter("ignore")
    fitters = {
        BGNBD: lifetimes.BetaGeoFitter,
        MBGNBD: lifetimes.ModifiedBetaGeoFitter,
        ParetoNBD: lifetimes.ParetoNBDFitter,
    }
    BGNBD.fit(*customers(100))  # what is imported late is
    print("| model | customers | distinct rows | fit, s | predict, s | lifetimes: fit | predict |")
    print("|---|---|---|---|---|---|---|")
    for kind, fitter in fitters.items():
        for size in sizes:
            rows = customers(size)
            fit, model = seconds(lambda kind=kind, rows=rows: kind.fit(*rows))
            predict, _ = seconds(lambda model=model, rows=rows: model.expected_purchases(HORIZON_DAYS, *rows))
            theirs = ["", ""]
            if size <= THEIRS_UP_TO[kind.__name__]:
                took, fitted = seconds(lambda fitter=fitter, rows=rows: fitter().fit(*rows))
                asked = fitted.conditional_expected_number_of_purchases_up_to_time
                theirs = [
                    f"{one:.2f}"
                    for one in (took, seconds(lambda asked=asked, rows=rows: asked(HORIZON_DAYS, *rows))[0])
                ]
            distinct = len(unique_rows(*rows)[0][0])
            figures = [f"{size:,}", f"{distinct:,}", f"{fit:.2f}", f"{predict:.2f}", *theirs]
            print(f"| {kind.__name__} | " + " | ".join(figures) + " |", flush=True)


if __name__ == "__main__":
    main()
