"""``explore NAME``: how the customers of a dataset behaved, in figures; the Explore page reads what it makes."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context, day
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--start", type=day, default=None, help=translate("cli.explore.start", language))
    parser.add_argument("--end", type=day, default=None, help=translate("cli.explore.end", language))
    parser.add_argument("--channel", action="append", default=[], help=translate("cli.explore.channel", language))
    parser.add_argument("--country", action="append", default=[], help=translate("cli.explore.country", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Sum the log where that has not been done, and return the key figures of the selection."""
    from clv_core.features.explore.build import build_cube
    from clv_core.features.explore.concentration import concentration
    from clv_core.features.explore.figures import figures
    from clv_core.features.explore.funnel import funnel
    from clv_core.features.explore.gaps import FIRST, LATER, SPANS, back_within, come_back, gaps, median_gap
    from clv_core.features.explore.selection import CubePart, Selection
    from clv_core.features.explore.views import keep_answers

    cube = build_cube(context.workspace, options.name, context.progress)
    part = CubePart(cube, options.channel, options.country)
    selection = Selection.of(part, options.start, options.end)
    keep_answers(selection)
    spread, waits = concentration(selection), gaps(selection)
    curve = come_back(waits)
    return {
        "dataset": cube.dataset,
        "version": cube.version,
        "currency": cube.currency,
        "start": selection.start.isoformat(),
        "end": selection.end.isoformat(),
        **figures(selection).to_json(),
        "top10_share": spread.top10,
        "gini": spread.gini,
        "median_gap_days": median_gap(waits),
        "back_within": {
            after: {str(days): back_within(curve, after, days) for days in SPANS} for after in (FIRST, LATER)
        },
        "funnel": funnel(selection).to_dict("records"),
    }
