"""``simulate``: make an event log with known truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.collection.simulate import SCENARIOS, SimulationPlan, simulate
from clv_core.commands import Context
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's options."""

    def text(option: str) -> str:
        return translate(f"cli.simulate.{option}", language)

    parser.add_argument("--scenario", required=True, choices=sorted(SCENARIOS), help=text("scenario"))
    parser.add_argument("--customers", required=True, type=int, metavar="N", help=text("customers"))
    parser.add_argument("--days", required=True, type=int, metavar="D", help=text("days"))
    parser.add_argument("--seed", required=True, type=int, metavar="S", help=text("seed"))
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help=text("out"))
    parser.add_argument("--horizon-days", default=182, type=int, metavar="H", help=text("horizon_days"))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Simulate, write ``events.csv`` and ``truth.csv``, and say what was made."""
    plan = SimulationPlan(options.customers, options.days, options.seed, options.horizon_days)
    context.progress.report("simulate", 0, 1)
    made = simulate(options.scenario, plan)
    context.progress.report("simulate_write", 0, 1)
    events, truth = made.write(options.out)
    return {
        "scenario": options.scenario,
        "events": str(events),
        "truth": str(truth),
        "rows": len(made.events),
        "customers": int(made.events["customer_id"].nunique()),
        "customers_before_cutoff": len(made.truth),
        "cutoff": plan.cutoff.isoformat(),
        "horizon_days": plan.horizon_days,
        "log_end": plan.end.isoformat(),
        "actual_value": round(float(made.truth["actual_value"].sum()), 2),
        "seed": plan.seed,
    }
