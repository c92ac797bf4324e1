"""The report written to a file and as JSON, for the command line and the page's download."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.deployment import Scored
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.acquisition.customer_origins import load_new_customers
from clv_core.strategy.acquisition.economics import acquisition_report
from clv_core.strategy.acquisition.question import Acquisition, Question
from clv_core.strategy.acquisition.spend import Spend
from clv_core.strategy.audiences.customer_list import side_of
from clv_core.strategy.audiences.export import Exported, Side, write_rows
from clv_core.strategy.audiences.list_files import check_ending

NEVER: Final = "never"
UNKNOWN_COST: Final = "no_cost"
OBSERVED, PREDICTED = "observed", "predicted"
"""When a group pays back: beyond its curve, unknown without a cost, or by an age that most customers (not) reached."""
MAX_SPEND: Final = ("max_spend", "max_spend_low")
SHARES: Final = ("own_weight", "ratio", "ratio_low", "ratio_high", "p_above_one", "p_above_target", "never_again")


def acquire(
    scored: Scored,
    question: Question,
    spend: Spend | None,
    out: Path | None,
    *,
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> tuple[Exported | None, Acquisition]:
    """Return what new customers cost and are worth, and write the table of groups if a file is named.

    Args:
        scored: model, dataset and cutoff, with horizon and discount of predicted value; the question has the margin.
        question: grouping, margin, targets.
        spend: of :func:`.read_spend.read_spend`; None without a spend table.
        out: file of the table, CSV, XLSX or Parquet; None writes none.
        language: of the side file's sentences.
        progress: listener.
    """
    if out is not None:
        check_ending(out)
    report = acquisition_report(load_new_customers(scored, progress), spend, question)
    if out is None:
        return None, report
    side = acquisition_side(scored, report, language)
    return write_rows(scored.workspace, report_table(report), out, side, dataset=scored.dataset), report


def report_table(report: Acquisition) -> pd.DataFrame:
    """Return the groups as a table for a file: when they pay back in a word and in months, missing where never.

    The most that may be spent comes last.
    """
    groups = report.groups
    month = groups["payback_month"].to_numpy(float)
    reached = np.where(groups["payback_observed"], OBSERVED, PREDICTED)
    when = np.select([np.isnan(month), np.isinf(month), month == 0], [UNKNOWN_COST, NEVER, OBSERVED], reached)
    finite = groups.replace([np.inf, -np.inf], np.nan)
    finite = finite.round({name: 4 if name in SHARES else 2 for name in finite.select_dtypes("float")})
    last = finite[list(MAX_SPEND)]
    return finite.drop(columns=["payback_observed", *MAX_SPEND]).assign(payback=when).join(last)


def acquisition_side(scored: Scored, report: Acquisition, language: str) -> Side:
    """Return the side file of a report."""
    question = report.question
    settings = {**dataclasses.asdict(question), "by": list(question.by), "margins": dict(question.margins)}
    side = side_of(scored).at(scored.terms, report.warnings, language)
    return replace(side, currency=report.currency, margin_rate=question.margin_rate, settings=settings)


def report_json(report: Acquisition) -> JsonObject:
    """Return the figures as JSON types, with null for missing values."""
    tables = {
        "groups": report_table(report),
        "cohorts": report.cohorts,
        "curves": report.curves,
        "held": report.held,
        "periods": report.periods,
        "spend_days": report.spend_days,
    }
    return {
        "by": list(report.question.by),
        "currency": report.currency,
        "margin_rate": report.question.margin_rate,
        "target_ratio": report.question.target_ratio,
        "payback_months": report.question.payback_months,
        "totals": {name: _plain(value) for name, value in dataclasses.asdict(report.totals).items()},
        **{
            name: [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]
            for name, table in tables.items()
        },
    }


def _plain(value: Any) -> Any:
    """Return a cell as a JSON type; amounts and shares to the millionth."""
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    if value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value
