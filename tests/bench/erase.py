"""Erase 1,000 of a million customers: seconds, memory, and a search of every file afterwards.

Ids are 24 random letters and digits. The workspace holds the dataset in two versions (a customers table was added),
scores of a million customers where the pages keep them, a comparison's predictions, a list of all of them as CSV and
one as Parquet, and a model (of the first 20,000 customers) with its holdout. ``erase`` runs as anyone would start it,
bound to two cores. What is searched is decoded by ``tests/strategy/searcher.py``, which shares nothing with what
erases. ``python -m tests.bench.erase --each 10``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

import duckdb

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.bench.process import command
from tests.strategy.searcher import found

ID = "substr(translate(to_base64(unhex(sha256('erase' || i))), '+/=', 'xyz'), 1, 24)"
SAMPLE = 20_000
LOG = f"""
copy (
    select {ID} as customer_id, (date '2022-01-01' + ((hash(i, k, 1) % 730)::int))::varchar as event_time,
        if(hash(i, k, 2) % 3 = 0, 'purchase', 'view') as event_type,
        if(hash(i, k, 2) % 3 = 0, (500 + hash(i, k, 3) % 9000) / 100.0, null) as amount,
        'o' || lpad((hash(i, k, 4) % 100000000)::varchar, 9, '0') as order_id,
        'p' || (hash(i, k, 5) % 1000)::varchar as product_id, 'kind ' || (hash(i, k, 5) % 40)::varchar as category
    from range({{customers}}) c(i), range({{each}}) e(k)
) to '{{path}}' (header)
"""


def main() -> None:
    """Make what is not there, erase from a copy, search, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=10, help="events of a customer")
    parser.add_argument("--erased", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=Path("build/erase"))
    options = parser.parse_args()
    folder = options.folder.absolute()
    made, root = folder / "made", folder / "workspace"
    if not (made / "ready").exists():
        prepare(folder, made, options.customers, options.each)
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(made, root)
    with duckdb.connect() as connection:
        step = options.customers // options.erased
        rows = connection.execute(f"select {ID} from range(0, {options.customers}, {step}) c(i)").fetchall()
    ids = [str(row[0]) for row in rows]
    (folder / "ids.txt").write_text("\n".join(ids))
    before = found(root, ids)
    took = command(["erase", "--file", str(folder / "ids.txt"), "--workspace", str(root)], 2)
    started = time.monotonic()
    after = found(root, ids)
    keys = ("seconds", "processor", "memory_mb", "load", "found", "removed", "files", "remains")
    print(json.dumps({key: took.get(key) for key in keys}, indent=1))
    print(f"held ids before: {len(before)} files; after: {after}; searched in {time.monotonic() - started:.0f} s")


def prepare(folder: Path, made: Path, customers: int, each: int) -> None:
    """Make the workspace that is erased from, as far as it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    log, people, sample = folder / "log.csv", folder / "people.csv", folder / "sample"
    workspace, words = Workspace(made), ["--workspace", str(made)]
    if not (made / "datasets" / "shop" / "current.json").exists():
        with duckdb.connect() as connection:
            connection.execute(LOG.format(customers=customers, each=each, path=log))
            mail = f"lower({ID}) || '@mail.example'"
            query = f"select {ID} as customer_id, {mail} as email, 'yes' as consent from range({customers}) c(i)"
            connection.execute(f"copy ({query}) to '{people}' (header)")
        ingest(workspace, log, "shop", currency="EUR", progress=NoProgress())
        command(["customers", str(people), "--dataset", "shop", "--contact", "email=email", *words], 2)
        log.unlink()
    simulate("btyd", SimulationPlan(min(customers, SAMPLE), 540, 1, 90)).write(sample)
    with duckdb.connect() as connection:
        known = (
            f"(select * replace ({ID} as customer_id) from (select *, substr(customer_id, 2)::bigint as i from {{}}))"
        )
        connection.execute(f"copy {known.format(repr(str(sample / 'events.csv')))} to '{sample}.csv' (header)")
    ingest(workspace, sample.with_suffix(".csv"), "sample", currency="EUR", progress=NoProgress())
    model = command(["train", "sample", "--horizon-days", "90", "--model", "naive", *words], 2)["model"]
    outputs = open_dataset(workspace, "shop").made_folder / model
    places = [outputs / "scores-20240101.parquet", outputs / "backtest" / "predictions.parquet"]
    places += [made / "exports" / "tiers.parquet"]
    places += [made / "exports" / "scores.csv"]
    columns = (
        "hash(i) % 1000 / 10.0 as predicted_clv, 0.5 as p_purchase, 1.0 as clv_p10, 2.0 as clv_p50, 3.0 as clv_p90"
    )
    with duckdb.connect() as connection:
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            query = f"select {ID} as customer_id, date '2024-01-01' as as_of, {columns} from range({customers}) c(i)"
            connection.execute(f"copy ({query}) to '{place}'")
    print(open_dataset(workspace, "shop").manifest.customers, "customers,", model)
    (made / "ready").touch()


if __name__ == "__main__":
    main()
