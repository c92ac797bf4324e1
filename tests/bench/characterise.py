"""What every command answers and writes, kept in a folder and compared with what another commit answered.

``python -m tests.bench.characterise OUT`` runs the commands on the sample and on CDNOW in a new workspace under OUT.
``--against OLD`` then compares with a folder that an earlier commit filled, and ends with 1 where anything differs:
numbers by more than 1e-6 of their size, or any text. What names the moment, the machine or the folder is left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pandas as pd

ROOT: Final = Path(__file__).resolve().parents[2]
SMALL: Final = "--set steps=60 --set ensemble=1 --set cutoffs=4 --set processes=1"
OFFER: Final = "--offer name=Voucher,cost=2,effect=10%"
OF_A_MODEL: Final = {
    "score": "score {log} --model {log}@1 --out {out}/scores.csv",
    "segment": "segment {log} --model {log}@1 --out {out}/segments.csv",
    "card": "card {log} --model {log}@1 --customer {customer}",
    "explain": "explain {log} --model {log}@1 --sample 40 --permutations 4 --out {out}/explained",
    "explain_one": "explain {log} --model {log}@1 --customer {customer} --permutations 4 --out {out}/explained_one",
    "plan": "plan {log} --model {log}@1 --budget 200 {offer} --out {out}/plan.csv",
    "export": "export {log} --model {log}@1 --format csv --out {out}/list.csv",
    "export_tier": "export {log} --model {log}@1 --format csv --segment 1 --out {out}/best.csv",
    "report": "report {log} --model {log}@1 --out {out}/report.html",
    "monitor": "monitor {log} --model {log}@1 --out {out}/monitor.json",
}
LOGS: Final = {
    "sample": {
        "check": "check {file} --currency USD",
        "ingest": "ingest {file} --name sample --currency USD",
        "datasets": "datasets sample",
        "clean": "clean sample --list",
        "explore": "explore sample",
        "look": "look sample",
        "train": "train sample --horizon-days 90 --model hybrid {small}",
        "train_bgnbd": "train sample --horizon-days 90 --model bgnbd",
        "train_lightgbm": "train sample --horizon-days 90 --model lightgbm",
        **OF_A_MODEL,
        "recommend": "recommend sample --model sample@1 --out {out}/products.csv",
        "price": "price sample --model sample@1",
        "models": "models list sample",
        "model": "models show sample 1",
        "compare": "models compare sample 1 2",
        "promote": "models promote sample 2",
        "rollback": "models rollback sample",
        "pack": "models export sample 1 --out {out}/model.zip",
        "suppress": "suppress add {customer}",
        "export_suppressed": "export sample --model sample@1 --format csv --out {out}/suppressed.csv",
        "erase": "erase {customer} --dataset sample",
        "rename": "rename sample renamed",
    },
    "cdnow": {
        "check": "check {file} --map customer_id=customer_id --currency USD",
        "ingest": "ingest {file} --name cdnow --currency USD",
        "explore": "explore cdnow",
        "look": "look cdnow",
        "train": "train cdnow --horizon-days 90 --model hybrid {small}",
        "train_paretonbd": "train cdnow --horizon-days 90 --model paretonbd",
        "backtest": "backtest cdnow --horizon-days 90 --models naive,bgnbd --out {out}/backtest.json",
        **OF_A_MODEL,
    },
}
PASSING: Final = re.compile(
    r"created|updated|registered|made_at|trained_at|seconds|^made$|path|machine|versions|libraries"
)
"""Names of fields that say when, where or by which machine."""
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?|[0-9a-f]{12,64}")


def file_of(log: str) -> Path:
    """Return the file of one of the logs."""
    if log == "sample":
        return ROOT / "tests" / "sample.csv"
    spec = find_spec("lifetimes")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"


def run(folder: Path) -> None:
    """Run all commands and keep what they answer and write."""
    for log, commands in LOGS.items():
        out, file = folder / log, file_of(log)
        out.mkdir(parents=True)
        environment = {**os.environ, "CLV_WORKSPACE": str(folder / "workspace")}
        customer = "" if log == "cdnow" else str(pd.read_csv(file, dtype=str)["customer_id"].iloc[0])
        for name, words in commands.items():
            if log == "cdnow" and not customer and "{customer}" in words:
                customer = str(pd.read_csv(out / "scores.csv", dtype=str)["customer_id"].iloc[0])
            said = words.format(log=log, file=file, out=out, customer=customer, small=SMALL, offer=OFFER)
            command = [sys.executable, "-m", "clv_core", *said.split(), "--quiet"]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
            (out / f"{name}.answer.json").write_text(json.dumps({"code": done.returncode, **answer}, indent=1))
            print(f"{log:8}{name:20}{done.returncode}", flush=True)


def differences(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Yield where two answers differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if not PASSING.search(key):
                yield from differences(old.get(key), new.get(key), f"{at}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (first, second) in enumerate(zip(old, new, strict=True)):
            yield from differences(first, second, f"{at}[{place}]")
    elif isinstance(old, float | int) and isinstance(new, float | int):
        if not math.isclose(old, new, rel_tol=1e-6, abs_tol=1e-6):
            yield f"{at}: {old} -> {new}"
    elif isinstance(old, str) and isinstance(new, str):
        if _lasting(old) != _lasting(new):
            yield f"{at}: {old[:200]!r} -> {new[:200]!r}"
    elif old != new:
        yield f"{at}: {str(old)[:200]} -> {str(new)[:200]}"


def _lasting(text: str) -> str:
    """Return a text without moments, hashes and folders."""
    return MOMENT.sub("-", re.sub(r"/\S*/", "/", text))


def content(path: Path) -> Any:
    """Return what a file holds, as :func:`differences` compares it; of a picture or an archive, that it is there."""
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [[_number(cell) for cell in row] for row in csv.reader(file)]
    if path.suffix == ".parquet":
        return json.loads(pd.read_parquet(path).to_json(orient="split"))
    return "there"


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def compare(old: Path, new: Path) -> int:
    """Print what differs between two folders, and return in how many files."""
    found_in = ((place, path) for place in (old, new) for log in LOGS for path in (place / log).rglob("*.*"))
    files = {path.relative_to(place) for place, path in found_in if path.is_file()}
    differing = 0
    for file in sorted(files):
        if not (old / file).exists() or not (new / file).exists():
            found = ["only in the old one" if (old / file).exists() else "only in the new one"]
        else:
            found = list(differences(content(old / file), content(new / file)))
        differing += bool(found)
        print(*(f"{file}{line}" for line in found[:10]), sep="\n", end="\n" if found else "")
    print(f"{len(files)} files, {differing} differ")
    return differing


def main() -> int:
    """Run, and compare where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    wanted = parser.parse_args()
    if not wanted.out.exists():
        run(wanted.out.absolute())
    return bool(wanted.against and compare(wanted.against, wanted.out))


if __name__ == "__main__":
    raise SystemExit(main())
