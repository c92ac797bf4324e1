"""Seconds of what a page or a person waits for, on inputs of a fixed size: part of ``make bench``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from clv_core.evaluation.deciles import Thresholds
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Side, export
from clv_core.strategy.segments import assign_tiers, table
from clv_core.strategy.segments.value_tiers import ValueTiers, tier_names


def main() -> None:
    """Print one line a case: what, the bound where the project has one, and the seconds it took."""
    rng = np.random.default_rng(0)
    scored = pd.DataFrame({"predicted_clv": rng.lognormal(3, 1.5, 1_000_000), "p_purchase": rng.random(1_000_000)})
    thresholds = Thresholds.of(rng.random(1_000_000) < scored["p_purchase"].to_numpy(), scored["p_purchase"].to_numpy())
    scheme, names = ValueTiers.parse("share:50,80,95"), tier_names(4)
    cases: list[tuple[str, float, Callable[[], object]]] = [
        ("tiers of 1,000,000 customers", 1.0, lambda: table(assign_tiers(scored, scheme), names)),
        ("101 thresholds over 1,000,000 customers", 0.05, lambda: thresholds.at(np.linspace(0, 1, 101))),
        ("100,000 customers for Google Ads", 10.0, lambda: _google(100_000)),
    ]
    print(f"\n{'answer':<44}{'bound s':>9}{'seconds':>9}")
    for name, bound, answer in cases:
        started = time.perf_counter()
        answer()
        print(f"{name:<44}{bound:>9.2f}{time.perf_counter() - started:>9.2f}", flush=True)


def _google(customers: int) -> None:
    ids = pd.Series([f"{i:06}" for i in range(customers)])
    scored = pd.DataFrame({"customer_id": ids, "predicted_clv": 1.0, "p_purchase": 0.5})
    people = pd.DataFrame(
        {"customer_id": ids, "email": ids + "@example.org", "phone": "+4420718" + ids.str[1:], "consent": "yes"}
    )
    side = Side("bench", "0", "bench", "2024-01-01", 182, "EUR")
    with tempfile.TemporaryDirectory() as folder:
        export(scored, "google_customer_match", Path(folder) / "list.csv", side=side, contacts=Contacts(people))


if __name__ == "__main__":
    main()
