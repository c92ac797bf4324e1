"""A shop's order export whose customers are e-mail addresses goes from upload to a list for Klaviyo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored, score
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, do, keys_of


def orders(path: Path) -> pd.DataFrame:
    """Write 800 orders of 150 customers; two thirds accept marketing."""
    random = np.random.default_rng(1)
    who = random.integers(1, 151, 800)
    when = pd.Timestamp("2023-01-01 10:00") + pd.to_timedelta(random.integers(0, 700, 800), "D")
    frame = pd.DataFrame(
        {
            "Name": [f"#{1000 + row}" for row in range(800)],
            "Email": [f"user{number}@mail.example" for number in who],
            "Financial Status": "paid",
            "Accepts Marketing": np.where(who % 3, "yes", "no"),
            "Currency": "EUR",
            "Subtotal": random.integers(5, 60, 800).astype(float),
            "Created at": when.strftime("%Y-%m-%d %H:%M:%S +0000"),
        }
    )
    frame.to_csv(path, index=False)
    return frame


def test_klaviyo_gets_the_addresses_of_those_who_accept_marketing(open_page: OPEN, tmp_path: Path) -> None:
    log, root = orders(tmp_path / "orders.csv"), tmp_path / "work"
    ingest(Workspace(root), tmp_path / "orders.csv", "shop")
    config = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=2)
    pipeline.train(Workspace(root), "shop", config, progress=NoProgress())
    [bundle] = list_bundles(Workspace(root))
    score(Scored.open(Workspace(root), open_dataset(Workspace(root), "shop").name, bundle.id), progress=NoProgress())
    app = do(open_page(root, "exports", lang="en"), ("export_format", "klaviyo"))
    assert "export_assume" not in keys_of(app, "checkbox"), "consent is in the log and is not asked for"
    do(app, (f"acknowledge_{bundle.id}", True), ("export_measured", False), "export_make")
    [file] = (root / "exports").glob("*klaviyo*.csv")
    written = pd.read_csv(file)
    agreed = log.loc[log["Accepts Marketing"] == "yes", "Email"].unique()
    assert sorted(written["Email"]) == sorted(agreed)


def test_a_list_is_made_of_segments_of_any_scheme(open_page: OPEN, root: Path) -> None:
    app = do(open_page(root, "exports", lang="en"), ("export_by_shop", "rfm"))
    pills = app.pills[0]
    pills.set_value([1]).run()
    do(app, "export_make")
    [file] = (root / "exports").glob("*rfm*.csv")
    assert set(pd.read_csv(file, encoding="utf-8-sig")["segment_name"]) == {pills.options[0]}
