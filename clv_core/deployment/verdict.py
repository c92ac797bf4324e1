"""The verdict on a bundle: what was known when it was trained, and the comparison on rolling origins made since."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.past import comparison_folder
from clv_core.evaluation.evidence import Evidence, Rolling
from clv_core.evaluation.trust import Trust, judge
from clv_core.workspace import Workspace, read_json

BACKTEST: Final = "backtest.json"


def trust_of(workspace: Workspace, bundle: Bundle) -> Trust:
    """Return whether a bundle may be trusted by all that is known by now.

    The verdict of its training stands until a comparison of at least two origins lies beside it.
    """
    path, evidence = comparison_folder(workspace, bundle) / BACKTEST, bundle.record.get("evidence")
    rolling = Rolling.of(read_json(path), bundle.record["model"]) if evidence and path.is_file() else None
    if evidence is None or rolling is None:
        return Trust.of(bundle.record["trust"])
    return judge(replace(Evidence.from_json(evidence), rolling=rolling, currency=bundle.record["currency"]))
