"""The wheel, installed into an environment of its own and run from another folder, does what a checkout does."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
SCRIPT = """
import json, sys, warnings
import joblib
import pandas as pd
from sklearn.model_selection import GridSearchCV
from clv_core import CLV, ClvWarning, PastOrigins, __file__ as place

log, out = sys.argv[1:]
columns = ["customer_id", "day", "cds", "amount"]
events = pd.read_csv(log, names=columns, skiprows=1, sep=r"\\s+", dtype={"customer_id": str, "day": str})
events["event_time"] = pd.to_datetime(events.pop("day"), format="%Y%m%d")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", ClvWarning)
    clv = CLV(horizon_days=91, model="bgnbd").fit(events, duplicates="keep")
clv.predict().to_parquet(out)
few = events[events["customer_id"] < "02500"]
search = GridSearchCV(CLV(horizon_days=91), {"model": ["naive", "bgnbd"]}, cv=PastOrigins(1, horizon_days=91))
search.fit(few, duplicates="keep")
origin = events["event_time"].max() - pd.Timedelta("90D")
earlier = CLV(horizon_days=91, model="bgnbd").fit(events[events["event_time"] < origin], duplicates="keep")
joblib.dump(clv, "clv.joblib")
clv.plot_deciles().write_html("deciles.html")
print(json.dumps({
    "place": place, "verdict": clv.trust_.verdict, "gini": clv.metrics_["gini"], "read": clv.load_.rows_read,
    "kept": clv.load_.rows_kept, "customers": clv.load_.customers, "columns": len(clv.load_.columns),
    "warned": [one.message.code for one in caught], "best": search.best_params_, "score": earlier.score(events),
}))
"""

ELSEWHERE = """
import joblib
import pandas as pd
new = pd.DataFrame({"customer_id": ["new"], "event_time": ["1998-05-30"], "amount": [25.0], "cds": [2]})
print(joblib.load("clv.joblib").predict(new)[["customer_id", "p_purchase", "predicted_clv"]].to_json(orient="records"))
"""

SEGMENTS = """
import sys
from clv_core.program_files import APP_FOLDER
sys.path.insert(0, str(APP_FOLDER))
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(str(APP_FOLDER / "pages" / "shell.py"), default_timeout=60)
page.query_params["dataset"] = "sample"
page = page.run().switch_page("act/segments.py").run()
shown = " ".join(str(one.value) for one in (*page.markdown, *page.dataframe))
print([title.value for title in page.title], len(page.exception), "Top value" in shown)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scripts of an environment with the wheel; what it needs it finds in the one that runs the tests."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    (own,) = (folder / "env" / "lib").glob("python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "--python", folder / "env", "install", "--no-deps", wheel], check=True)
    (own / "needed.pth").write_text(str(Path(pd.__file__).parents[1]))
    return folder / "env" / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, object]:
    """Return how a process is started in a folder that is no checkout, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CLV_", "XDG_"))}
    return {"cwd": tmp_path, "env": {**kept, "HOME": str(tmp_path)}}


def test_the_package_says_what_it_is_and_that_it_is_typed(installed: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (site,) = (installed.parent / "lib").glob("python*/site-packages")
    (own,) = distributions(name=project["name"], path=[str(site)])
    said = own.metadata
    assert said["Author"] == "CLV Studio" and said["License-Expression"] == "Apache-2.0"
    assert set(said.get_all("Classifier")) == set(project["classifiers"]) >= {"Typing :: Typed"}
    assert set(said["Keywords"].split(",")) == set(project["keywords"])
    wanted = {canonicalize_name(one.name) for one in map(Requirement, own.requires or ()) if one.marker is None}
    assert {"streamlit", "torch"} <= wanted and wanted.isdisjoint({"lifetimes", "pytest"})
    assert (site / "clv_core" / "py.typed").is_file()


def test_commands_and_python_give_the_same_predictions(
    installed: Path, elsewhere: dict, tmp_path: Path, cdnow_file: Path
) -> None:
    log = tmp_path / "cdnow.csv"
    shutil.copy(cdnow_file, log)

    def clv(*words: str) -> dict:
        run = subprocess.run(
            [installed / "clv", *words, "--quiet"], capture_output=True, text=True, check=True, **elsewhere
        )
        return json.loads(run.stdout.splitlines()[-1])

    read = clv("ingest", str(log), "--name", "cdnow")
    trained = clv("train", "cdnow", "--horizon-days", "91", "--model", "bgnbd")
    model = trained["model"]
    clv("score", "cdnow", "--model", model, "--out", "by_command.parquet")
    assert (tmp_path / ".local/share/clv-studio/workspace/models" / model).is_dir()

    def python(code: str, *words: object) -> Any:
        run = subprocess.run([installed / "python", "-c", code, *words], capture_output=True, text=True, **elsewhere)
        assert run.returncode == 0, run.stderr[-3000:]
        return json.loads(run.stdout.splitlines()[-1])

    said = python(SCRIPT, log, tmp_path / "in_python.parquet")
    assert said["place"].startswith(str(installed.parent)) and said["verdict"] == trained["trust"]["verdict"]
    assert (said["read"], said["kept"], said["customers"]) == (69_659, 69_659, 23_570) and said["columns"] == 4
    assert said["gini"] == trained["metrics"]["gini"] and said["score"] == pytest.approx(said["gini"], rel=1e-9)
    assert set(said["warned"]) == {one["code"] for one in (*read["warnings"], *trained["warnings"])}
    assert said["best"] == {"model": "bgnbd"} and "<html>" in (tmp_path / "deciles.html").read_text(encoding="utf-8")
    one, other = (
        pd.read_parquet(tmp_path / f"{name}.parquet").set_index("customer_id") for name in ("by_command", "in_python")
    )
    columns = ["p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90"]
    pd.testing.assert_frame_equal(one[columns], other.loc[one.index, columns], rtol=0, atol=0)
    (row,) = python(ELSEWHERE)
    assert row["customer_id"] == "new" and 0 < row["p_purchase"] < 1 and row["predicted_clv"] > 0


def test_the_example_of_the_python_page_runs_and_has_types(installed: Path, elsewhere: dict, tmp_path: Path) -> None:
    page = (ROOT / "assets" / "docs" / "python.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    random = np.random.default_rng(7)
    customer = np.repeat(np.arange(200), 1 + random.poisson(random.gamma(1.0, 5.0, 200)))
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 700, len(customer)), unit="D")
    log = pd.DataFrame({"customer_id": customer, "event_time": day, "amount": random.gamma(3.0, 9.0, len(customer))})
    log.to_csv(tmp_path / "events.csv", index=False)
    (tmp_path / "script.py").write_text(code, encoding="utf-8")
    run = subprocess.run([installed / "python", "script.py"], capture_output=True, text=True, **elsewhere)
    assert run.returncode == 0, run.stderr[-3000:]
    assert f"{len(log):,} rows read" in run.stdout and (tmp_path / "deciles.html").is_file()
    assert len(pd.read_csv(tmp_path / "predictions.csv")) == log["customer_id"].nunique()
    words = ["-m", "mypy", "--strict", "--python-executable", installed / "python", "script.py"]
    checked = subprocess.run([sys.executable, *words], capture_output=True, text=True, **elsewhere)
    assert "error" not in checked.stdout and checked.returncode == 0, checked.stdout


def test_the_tutorial_can_be_followed_with_the_wheel_alone(installed: Path, elsewhere: dict, tmp_path: Path) -> None:
    tutorial = (ROOT / "assets" / "docs" / "tutorial.md").read_text(encoding="utf-8")
    shell, python = (
        re.search(rf"^## {heading}$.*?^```{kind}\n(.*?)^```", tutorial, re.MULTILINE | re.DOTALL)[1]
        for heading, kind in (("2. From the command line", "sh"), ("3. In Python", "python"))
    )
    shell = re.sub(r"^(clv train [^#\n]*)", r"\1 --model bgnbd ", shell, flags=re.MULTILINE)  # in seconds
    path = f"{installed}:{elsewhere['env']['PATH']}"
    here = {**elsewhere, "env": {**elsewhere["env"], "PATH": path}, "capture_output": True, "text": True}
    run = subprocess.run(["bash", "-ec", shell], **here)
    assert run.returncode == 0, run.stderr[-2000:]
    assert len(run.stdout.splitlines()) == shell.count("\nclv") + 1 == 7
    scored, tiers = pd.read_csv(tmp_path / "scores.csv"), pd.read_csv(tmp_path / "tiers.csv")
    assert len(scored) == len(tiers) == pd.read_parquet(tmp_path / "sample" / "events.parquet")["customer_id"].nunique()
    assert "simulated" in (tmp_path / "sample" / "README.md").read_text(encoding="utf-8")
    run = subprocess.run([installed / "python", "-c", python + "\nprint(clv.trust_.verdict)"], **here)
    assert run.returncode == 0 and f"BG/NBD alone gets **{run.stdout.split()[-1]}**" in tutorial, run.stderr[-2000:]


def test_app_shows_the_sample(installed: Path, elsewhere: dict, tmp_path: Path) -> None:
    told = subprocess.run([installed / "clv", "--help"], check=True, capture_output=True, text=True, **elsewhere).stdout
    assert "usage: clv" in told and " recover " in told
    subprocess.run([installed / "clv", "demo", "--quiet"], check=True, capture_output=True, **elsewhere)
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    app = subprocess.Popen([installed / "clv", "app", "--no-browser", "--port", str(port)], **elsewhere)
    try:
        run = subprocess.run([installed / "python", "-c", SEGMENTS], capture_output=True, text=True, **elsewhere)
        assert run.stdout.strip() == "['Segments'] 0 True", run.stdout + run.stderr[-2000:]
        assert answer(f"http://localhost:{port}/_stcore/health") == b"ok"
        assert b"<title>" in answer(f"http://localhost:{port}/segments")
    finally:
        app.terminate()
        app.wait(30)


def answer(address: str) -> bytes:
    """Return what an address answers, once something listens there."""
    for _ in range(60):
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return reply.read()
        except OSError:  # it is still starting
            time.sleep(0.5)
    raise AssertionError(address)
