"""What all scenarios share: determinism, files, sizes, refusals."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.simulate import SCENARIOS, SimulationPlan, simulate
from clv_core.commands import Context
from clv_core.commands.parser import build_parser
from clv_core.errors import UsageError
from clv_core.jobs import NoProgress
from clv_core.upkeep import demo
from clv_core.workspace import Workspace


@pytest.mark.examples(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_seed_same_bytes_and_another_seed_another_log(scenario: str, tmp_path: Path) -> None:
    def files(seed: int, name: str) -> list[bytes]:
        return [path.read_bytes() for path in simulate(scenario, SimulationPlan(300, 300, seed)).write(tmp_path / name)]

    assert files(1, "a") == files(1, "b")
    assert files(1, "a")[0] != files(2, "c")[0]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_files_hold_the_log_and_its_truth(scenario: str, tmp_path: Path) -> None:
    made = simulate(scenario, SimulationPlan(200, 300, 4, horizon_days=60))
    events, truth = (pd.read_csv(path) for path in made.write(tmp_path))
    assert list(events["customer_id"]) == list(made.events["customer_id"])
    assert events["amount"].sum() == pytest.approx(made.events["amount"].sum())
    assert pd.to_datetime(events["event_time"]).equals(made.events["event_time"].astype("datetime64[us]"))
    assert {"customer_id", "actual_value", "expected_value", "attainable_value"} <= set(truth.columns)
    assert truth["customer_id"].is_unique and set(truth["customer_id"]) <= set(events["customer_id"])
    assert truth["expected_value"].notna().all()
    assert truth["attainable_value"].notna().all() == (scenario in ("btyd", "noise"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_smallest_log_is_still_a_log(scenario: str) -> None:
    made = simulate(scenario, SimulationPlan(1, 8, 0, horizon_days=1))
    assert made.events["customer_id"].nunique() == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((0, 455, 1), "simulate_bounds"),
        ((10, 455, -1), "simulate_bounds"),
        ((10, 188, 1), "simulate_days"),
        ((10, 455, 1, 0), "simulate_bounds"),
        ((10, 30, 1, 60), "simulate_days"),
    ],
)
def test_impossible_sizes_are_refused_in_words(arguments: tuple[int, ...], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        SimulationPlan(*arguments)
    assert caught.value.code == code
    assert caught.value.message("en") != caught.value.message("zh")


def test_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="btyd, browsing, regime, noise, store, subscription"):
        simulate("nothing", SimulationPlan(10, 300, 1))


def test_command_writes_both_files_and_tells_what_they_hold(tmp_path: Path) -> None:
    words = "--scenario btyd --customers 150 --days 300 --seed 9 --horizon-days 100 --out".split()
    options = build_parser("zh").parse_args(["simulate", *words, str(tmp_path / "new" / "log")])
    result = options.run(options, Context(Workspace(tmp_path / "workspace"), "en", NoProgress()))
    truth = pd.read_csv(result["truth"])
    assert result["cutoff"] == "2023-07-20" and result["log_end"] == "2023-10-28"
    assert result["rows"] == len(pd.read_csv(result["events"])) and result["customers"] == 150 == len(truth)
    assert result["actual_value"] == pytest.approx(truth["actual_value"].sum(), abs=0.01)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError) as caught:
        simulate("noise", SimulationPlan(10, 300, 1)).write(tmp_path / "file")
    assert caught.value.code == "simulate_out" and "file" in caught.value.message("zh")


def test_the_shipped_sample_is_what_its_data_card_says() -> None:
    card = (demo.FILES / "README.md").read_text(encoding="utf-8")
    log, later = pd.read_parquet(demo.SAMPLE), pd.read_csv(demo.NEXT_QUARTER, sep=";", decimal=",")
    people = pd.read_parquet(demo.CUSTOMERS)
    assert "simulated" in card and f"seed {demo.PLAN.seed}" in card
    assert f"{len(log):,} events of {log['customer_id'].nunique():,} customers" in card
    assert f"net revenue {log['amount'].sum():,.2f}" in card
    assert f"{len(later):,} events" in card and f"net revenue {later['Betrag'].sum():,.2f}" in card
    spend = pd.read_csv(demo.SPEND)
    assert f"{len(spend)} rows, {spend['spend'].sum():,.2f} euros" in card
    assert log["event_time"].max() < pd.Timestamp(demo.PLAN.cutoff)
    assert set(log["customer_id"]) | set(later["Kundennummer"]) <= set(people["customer_id"])
    assert people["email"].str.endswith("@example.com").all() and people["email"].is_unique
    shipped = [path for path in demo.FILES.iterdir() if path.suffix != ".md"]
    assert sum(path.stat().st_size for path in shipped) < 8_000_000


@pytest.mark.slow
def test_the_shipped_sample_is_made_by_its_plan(tmp_path: Path) -> None:
    demo.make_sample(tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / demo.SAMPLE.name), pd.read_parquet(demo.SAMPLE))
    for path in (demo.NEXT_QUARTER, demo.VOUCHER_TEST):
        assert gzip.decompress((tmp_path / path.name).read_bytes()) == gzip.decompress(path.read_bytes())
    assert (tmp_path / demo.SPEND.name).read_text(encoding="utf-8") == demo.SPEND.read_text(encoding="utf-8")
