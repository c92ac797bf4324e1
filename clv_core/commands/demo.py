"""``demo``: the sample log with a trained model, ready to be shown; ``demo --make DIR`` trains that model anew."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from clv_core import __version__
from clv_core.commands import Context, trust_json
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("--make", type=Path, default=None, metavar="DIR", help=translate("cli.demo.make", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Put the sample and its model into the workspace, and return their names."""
    from clv_core import pipeline
    from clv_core.deployment.demo import add_demo

    if options.make is not None:
        return _make(options.make, context)
    dataset, bundle = add_demo(context.workspace, progress=context.progress)
    return {
        "dataset": dataset.name,
        "model": bundle.id,
        "customers": dataset.manifest.customers,
        "trust": trust_json(pipeline.trust(context.workspace, bundle.id), context.language),
    }


def _make(folder: Path, context: Context) -> dict[str, Any]:
    """Train on the sample as ``train`` does, score, explain, and keep all of it in ``folder``."""
    from clv_core import pipeline
    from clv_core.collection.ingest import ingest
    from clv_core.collection.stored.store import open_dataset
    from clv_core.deployment.demo import CURRENCY, NAME, SAMPLE, SETTINGS, keep_demo
    from clv_core.deployment.kept_explanations import explanation_folder

    started, work = time.monotonic(), context.workspace
    ingest(work, SAMPLE, NAME, currency=CURRENCY, progress=context.progress)
    dataset = open_dataset(work, NAME)
    bundle = pipeline.train(work, NAME, SETTINGS, progress=context.progress)
    pipeline.score(work, NAME, bundle.id, progress=context.progress)
    reasons = explanation_folder(work, bundle, dataset)
    pipeline.explain(work, NAME, bundle.id, reasons, progress=context.progress)
    about = {
        "made_by": "python -m clv_core demo --make assets/demo",
        "code_version": __version__,
        "settings": SETTINGS.to_json(),
        "seconds": round(time.monotonic() - started, 1),
    }
    keep_demo(work, bundle, dataset, folder, about)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"out": str(folder), "dataset": dataset.name, "model": bundle.id, "bytes": size, "seconds": about["seconds"]}
