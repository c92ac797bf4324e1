"""Exports, measured: ``python -m tests.bench.exports``.

Seconds of one core in which each format of ``EXPORTS`` previews and writes a list of 100,000 customers with e-mail,
phone, name, address and consent.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Side, export, preview
from clv_core.strategy.audiences.formats import EXPORTS

CUSTOMERS: Final = 100_000
SIDE: Final = Side("bench", "0" * 12, "bench-model", "2024-12-31", 90, "EUR", "", "quantile:10,30,60")


def customers(count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scored customers and their contact fields; every phone number is another, one in ten has not agreed."""
    rng = np.random.default_rng(seed)
    ids = pd.Series([f"C{number:07}" for number in range(count)])
    value = rng.lognormal(3, 1.2, count)
    scored = pd.DataFrame(
        {
            "customer_id": ids,
            "as_of": "2024-12-31",
            "horizon_days": 90,
            "p_purchase": rng.random(count),
            "predicted_clv": value,
            "clv_p10": 0.3 * value,
            "clv_p50": 0.8 * value,
            "clv_p90": 2.0 * value,
            "model": "bench-model",
            "tier": rng.integers(1, 5, count),
            "tier_name": rng.choice(["Top value", "High value", "Medium value", "Low value"], count),
            "last_purchase": pd.Timestamp("2024-12-31") - pd.to_timedelta(rng.integers(1, 700, count), "D"),
        }
    )
    people = pd.DataFrame(
        {
            "customer_id": ids,
            "email": [f"Person.{number}@Example.org" for number in range(count)],
            "phone": [f"020 7{number:07}" for number in range(count)],
            "first_name": rng.choice(["José", "Anna", "伟"], count),
            "last_name": rng.choice(["Smith", "O'Neil", "王"], count),
            "city": "London",
            "zip": "SW1A 1AA",
            "country": "United Kingdom",
            "consent": np.where(rng.random(count) < 0.9, "yes", "no"),
        }
    )
    return scored, people


def main() -> None:
    """Print the seconds of each format as a table."""
    scored, people = customers(CUSTOMERS, 1)
    contacts = Contacts(people, region="GB", suppressed=scored["customer_id"].iloc[:500].tolist())
    print("| format | preview, s | written, s | rows | MB |\n|---|---|---|---|---|")
    for format, entry in EXPORTS.items():
        with tempfile.TemporaryDirectory(prefix="clv-bench-") as folder:
            begun = time.process_time()
            preview(scored, format, contacts)
            between = time.process_time()
            made = export(scored, format, Path(folder) / f"list{entry.suffix}", side=SIDE, contacts=contacts)
            ended = time.process_time()
            size = sum(file.stat().st_size for file in made.files) / 1e6
        print(f"| {format} | {between - begun:.1f} | {ended - between:.1f} | {made.rows:,} | {size:.1f} |")


if __name__ == "__main__":
    main()
