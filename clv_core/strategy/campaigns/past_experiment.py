"""A past experiment as a campaign: who was in it is a file, and the log has its outcome already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from clv_core.collection.parse import load_key
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored
from clv_core.errors import Refused
from clv_core.jobs import Progress
from clv_core.locks import writing
from clv_core.strategy.campaigns.campaign import FOLDER, GROUPS, JOINED, LIST, RECORD, Campaign
from clv_core.strategy.experiments.randomized_experiment import CONTROL, DATE, GROUP, TREATED, read_experiment
from clv_core.strategy.segments import DEFAULT_SCHEME, SEGMENT, TIER, VALUE, assign_tiers
from clv_core.workspace import atomic_path, check_name, write_json


def add_experiment(
    scored: Scored, name: str, path: Path, *, cost: float, margin_rate: float, window_days: int, progress: Progress
) -> Campaign:
    """Record an experiment as a campaign, with the tiers and values that the model saw on its first day.

    Args:
        scored: dataset and model.
        name: of the campaign.
        path: of the experiment, as :func:`~clv_core.strategy.experiments.randomized_experiment.read_experiment` takes
            it.
        cost: of a customer who got the offer, money.
        margin_rate: share of net revenue that is margin.
        window_days: for how long outcomes count.
        progress: listener.

    Raises:
        Refused: there is a campaign of this name.
    """
    dataset, manifest = scored.dataset, scored.dataset.manifest
    key = load_key(scored.workspace, manifest.key_fingerprint) if manifest.pseudonymised else None
    rows = read_experiment(path, key)
    first = rows[DATE].min().date()
    tiered = assign_tiers(replace(scored.trained, cutoff=first).scores(progress), DEFAULT_SCHEME).set_index(CUSTOMER_ID)
    known = tiered.reindex(rows[CUSTOMER_ID])
    members = pd.DataFrame(
        {
            CUSTOMER_ID: rows[CUSTOMER_ID].to_numpy(),
            GROUP: rows[TREATED].map({True: LIST, False: CONTROL}).to_numpy(),
            JOINED: rows[DATE].dt.strftime("%Y-%m-%d").to_numpy(),
            SEGMENT: known[TIER].astype("Int64").astype("str").replace("<NA>", "").to_numpy(),
            VALUE: known[VALUE].to_numpy(float),
        }
    )
    share, about = round(float((~rows[TREATED]).mean()), 4), {"scheme": str(DEFAULT_SCHEME), "model": scored.model.id}
    randomization = f"experiment {dataset.name} {name}"
    campaign = Campaign(name, first.isoformat(), window_days, share, randomization, about, cost, margin_rate)
    home = dataset.folder.parent / FOLDER / check_name(name)
    with writing(home):
        if (home / RECORD).exists():
            raise Refused("campaign_there", name=name)
        with atomic_path(home / GROUPS) as temporary:
            members.sort_values(CUSTOMER_ID, ignore_index=True).to_parquet(temporary, index=False)
        write_json(home / RECORD, campaign.to_json())
    return campaign
