"""A model of the user's own: known by its path, held to its contract, loaded where that is allowed, never by a file."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.commands.parser import build_parser
from clv_core.commands.training import config_from
from clv_core.config import OWN, TrainConfig, config_words
from clv_core.deployment.bundle import RECORD, STATE, WEIGHTS, Bundle, list_bundles, save_bundle, sealed
from clv_core.deployment.dataset_scoring import snapshot_of
from clv_core.deployment.model_archive.archive_reader import read_archive
from clv_core.deployment.model_archive.import_export import archive_bytes, check_files, export_bundle, import_bundle
from clv_core.deployment.registry import Registry
from clv_core.errors import ClvError, Refused, UsageError
from clv_core.features.log import open_log
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.model.horizon import Horizon
from clv_core.model.predictions import Predictions
from clv_core.monitoring.retraining import settings_of
from clv_core.training.fit import Fitted
from clv_core.training.own_models import OwnModel, own_class, register
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.conftest import ROOT, SMALL, own_copy
from tests.records import address, model_record
from tests.training.own_models import CODE, RecentRate, ShareOfBuyers

PATH = "shop_models:RecentRate"
MODULE = """
import os
from pathlib import Path
from tests.training.own_models import RecentRate as Plain

Path(os.environ["RAN"]).touch()

class RecentRate(Plain):
    pass
"""
FIGURES = ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")
Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def windows(small_workspace: Workspace) -> Snapshot:
    log = open_log(open_dataset(small_workspace, "shop"))
    return training_data(log, log.end - timedelta(days=90), replace(SMALL, cutoffs=2), NoProgress()).complete()


def fitted(kind: type, windows: Snapshot) -> OwnModel:
    return OwnModel.fit(register(kind), windows)


def test_a_class_that_is_nothing_but_the_protocol_keeps_to_the_contract(windows: Snapshot) -> None:
    model = fitted(ShareOfBuyers, windows)
    assert model.code == "tests.training.own_models:ShareOfBuyers"
    spent = windows.features["net_value_180d"].fillna(0).clip(lower=0)
    found = model.predict(windows)
    np.testing.assert_allclose(found.predicted_clv, spent / 180 * 90)
    assert windows.target is not None and found.p_purchase[0] == (windows.target > 0).mean()
    np.testing.assert_array_equal(model.predict(windows, 180).predicted_clv, found.predicted_clv * 2)


def test_value_is_discounted_day_by_day_though_the_class_knows_plain_days_alone(windows: Snapshot) -> None:
    """At an even rate, what is spent over t years is worth the integral of 1.1 ** -s over them."""
    model = fitted(ShareOfBuyers, windows)
    plain, worth = model.predict(windows, 3650), model.predict(windows, Horizon(3650, 0.1))
    years, force = 3650 / 365.25, np.log(1.1)
    share = -np.expm1(-force * years) / (force * years)
    for name in FIGURES[1:]:
        np.testing.assert_allclose(getattr(worth, name), getattr(plain, name) * share, rtol=1e-3)
    np.testing.assert_array_equal(worth.p_purchase, plain.p_purchase)
    one = model.predict(windows, Horizon(90, 0.0))
    np.testing.assert_array_equal(one.predicted_clv, model.predict(windows).predicted_clv)


def changed(**figures: Callable[[Predictions, Snapshot, int], Any]) -> type:
    """Return a class whose predictions are changed."""

    class Changed(ShareOfBuyers):
        def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
            days = horizon_days or snapshot.horizon_days
            plain = super().predict(snapshot, days)
            return replace(plain, **{name: change(plain, snapshot, days) for name, change in figures.items()})

    return Changed


def altered(method: str, change: Callable[..., Any]) -> type:
    """Return a class with another method."""
    return type("Altered", (ShareOfBuyers,), {method: change})


def of_nine(own: ShareOfBuyers, snapshot: Snapshot, days: int) -> Predictions:
    return ShareOfBuyers.predict(own, snapshot.take(np.arange(9)), days)


def no_predictions(own: ShareOfBuyers, snapshot: Snapshot, days: int) -> Any:
    return ShareOfBuyers.predict(own, snapshot, days).predicted_clv


def one_infinite(plain: Predictions, *_: Any) -> Any:
    return np.where(np.arange(len(plain)) == 1, np.inf, plain.clv_p90)


def at_random(plain: Predictions, *_: Any) -> Any:
    return plain.predicted_clv + np.random.default_rng().random()


def with_target(plain: Predictions, rows: Snapshot, _: int) -> Any:
    return plain.predicted_clv if rows.target is None else np.maximum(rows.target, 0)


def target_alone(plain: Predictions, rows: Snapshot, _: int) -> Any:
    return np.maximum(rows.target, 0)  # type: ignore[arg-type]


def falling(plain: Predictions, _: Snapshot, days: int) -> Any:
    return plain.predicted_clv * (90 / days) ** 2


def mean_of_all(plain: Predictions, *_: Any) -> Any:
    return np.full(len(plain), plain.predicted_clv.mean())


def saved(change: Callable[[Any], Any], settings: Callable[[int], Any] = lambda days: {"days": days}) -> type:
    """Return a class that saves other tensors, made of its own, or other settings."""
    return altered("state", lambda own: (change(own.shares), settings(own.days)))


def own_shares(shares: Any) -> dict[str, Any]:
    return {"shares": shares}


BROKEN = {
    "rows": (altered("predict", of_nine), "9 rows"),
    "type": (altered("predict", no_predictions), "ndarray"),
    "impossible": (changed(clv_p90=one_infinite), "clv_p90"),
    "impossible, chance": (changed(p_purchase=lambda plain, *_: plain.p_purchase + 1), "p_purchase"),
    "negative": (changed(predicted_clv=lambda plain, *_: plain.predicted_clv - 1e-3), "below 0"),
    "order": (changed(clv_p10=lambda plain, *_: plain.clv_p50 + 1), "cross for 200 of 200"),
    "order, above": (changed(clv_p90=lambda plain, *_: plain.clv_p50 - 1), "cross for 200 of 200"),
    "law": (changed(p_purchase=lambda plain, *_: 0.05 + 0 * plain.p_purchase), "exceeds 1 - q"),
    "law, nothing": (changed(clv_p90=lambda plain, *_: plain.clv_p50), "contradict p_purchase"),
    "chance": (changed(p_purchase=lambda plain, _, days: plain.p_purchase * 90 / days), "buy in 180 days than in 90"),
    "random": (changed(predicted_clv=at_random), "random"),
    "target": (changed(predicted_clv=with_target), "target"),
    "target, needed": (changed(predicted_clv=target_alone), "target"),
    "horizon": (changed(predicted_clv=falling), "over 180 days than over 90"),
    "alone": (changed(predicted_clv=mean_of_all), "among others"),
    "tensors": (saved(lambda shares: {"shares": list(shares)}), "shares"),
    "tensors, kind": (saved(lambda shares: {"shares": shares > 0}), "float64"),
    "tensors, infinite": (saved(lambda shares: {"shares": shares, "more": np.array([np.nan])}), "more"),
    "json": (saved(own_shares, lambda days: {"days": days, "more": {1, 2}}), "set"),
    "json, infinite": (saved(own_shares, lambda days: {"days": days, "more": np.inf}), "JSON"),
    "json, list": (saved(own_shares, lambda days: [days]), "list"),
    "state": (saved(lambda shares: {"shares": shares / 2}), "from_state"),
    "fit": (altered("fit", lambda own, train: None), "return self"),
}
"""What authors get wrong, with what its sentence names; up to a comma, the rule."""


@pytest.mark.parametrize("fault", BROKEN)
def test_a_model_that_breaks_a_rule_is_refused_by_a_sentence_that_names_it(fault: str, windows: Snapshot) -> None:
    kind, named = BROKEN[fault]
    with pytest.raises(UsageError) as error:
        fitted(kind, windows)
    assert error.value.code == f"own_model_{fault.partition(',')[0]}"
    assert named in error.value.message("en") and kind.__qualname__ in error.value.message("zh")


@pytest.mark.parametrize("method", ["fit", "predict", "state", "from_state"])
def test_an_error_of_the_class_names_its_method_and_line_and_is_the_cause(method: str, windows: Snapshot) -> None:
    columns: dict[str, int] = {}

    def fails(*_: Any) -> Any:
        return columns["a column"]

    change: Any = classmethod(fails) if method == "from_state" else fails
    kind = type("Fails", (ShareOfBuyers,), {method: change, "helper": fails})
    with pytest.raises(ClvError) as error:
        fitted(kind, windows)
    params = error.value.params
    assert (error.value.code, params["method"], params["kind"]) == ("own_model_failed", method, "KeyError")
    assert (params["file"], params["line"]) == ("test_own_models.py", fails.__code__.co_firstlineno + 1)
    assert isinstance(error.value.__cause__, KeyError) and "a column" not in error.value.message("en")


def test_what_is_predicted_later_keeps_to_the_rules_too_and_no_target_reaches_the_class(windows: Snapshot) -> None:
    class LongRunner(ShareOfBuyers):
        def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
            assert horizon_days is not None
            plain = super().predict(snapshot, horizon_days)
            return replace(plain, predicted_clv=plain.predicted_clv - (horizon_days > 1000))

    model = fitted(LongRunner, windows)
    with pytest.raises(UsageError, match="below 0"):
        model.predict(windows, 3650)

    class Asks(ShareOfBuyers):
        given = True

        def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
            Asks.given = snapshot.target is not None
            return super().predict(snapshot, horizon_days)

    fitted(Asks, windows).predict(windows)
    assert not Asks.given


class Wants:
    """A class that needs an argument."""

    def __init__(self, days: int) -> None:
        self.days = days


def test_only_what_can_be_made_again_without_arguments_is_registered(windows: Snapshot) -> None:
    assert register(RecentRate()) == register(RecentRate) == CODE == "tests.training.own_models:RecentRate"
    with pytest.raises(UsageError) as error:
        register(ShareOfBuyers(days=30))
    assert (error.value.code, error.value.params["names"]) == ("own_model_changed", "days")
    with pytest.raises(UsageError) as error:
        register(ShareOfBuyers().fit(windows))
    assert (error.value.code, error.value.params["names"]) == ("own_model_changed", "shares")
    with pytest.raises(UsageError) as error:
        register(Wants(30))
    assert (error.value.code, error.value.params["names"]) == ("own_model_methods", "fit, predict, state, from_state")
    with pytest.raises(UsageError) as error:
        register(type("Needs", (Wants, ShareOfBuyers), {}))
    assert error.value.code == "own_model_arguments"


def test_an_object_that_holds_others_is_registered_while_these_are_as_new() -> None:
    class Holds(ShareOfBuyers):
        def __init__(self) -> None:
            super().__init__()
            self.part = ShareOfBuyers()

    assert register(Holds()).endswith("Holds")
    other = Holds()
    other.part.days = 30
    with pytest.raises(UsageError, match="part"):
        register(other)


@pytest.mark.parametrize(
    ("path", "allowed", "code"),
    [
        ("", "", "own_model_unnamed"),
        ("shop_models", "shop_models", "own_model_path"),
        ("os:system('true')", "os:system('true')", "own_model_path"),
        ("shop_models.RecentRate", "*", "own_model_path"),
        ("json:JSONDecoder", "", "own_model_not_allowed"),
        ("json:JSONDecoder", "json json:JSONDecoder2, json:*", "own_model_not_allowed"),
        ("json:JSONDecoder", "other:One,json:JSONDecoder", "own_model_methods"),
        ("json:dumps", "json:dumps", "own_model_no_class"),
        ("json:nothing.here", "json:nothing.here", "own_model_no_class"),
        ("no_such_module:Model", "no_such_module:Model", "own_model_no_module"),
    ],
)
def test_a_class_is_imported_only_where_its_very_path_is_named(
    path: str, allowed: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLV_MODELS", allowed)
    with pytest.raises(ClvError) as error:
        own_class(path)
    assert error.value.code == code and all(error.value.message(language) for language in ("en", "zh"))
    assert not path or path in error.value.message("en")


@pytest.fixture(scope="module")
def run(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return what runs a command in a process of its own, in which the class's module can be found."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "shop_models.py").write_text(MODULE, encoding="utf-8")
    workspace = own_copy(small_workspace, folder / "workspace")
    ran = folder / "ran"

    def command(*words: str, allowed: str = "", imported: bool = True) -> tuple[int, dict[str, Any]]:
        ran.unlink(missing_ok=True)
        variables = {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "CLV_MODELS": allowed, "RAN": str(ran)}
        done = subprocess.run(
            [sys.executable, "-m", "clv_core", *words, "--workspace", str(workspace.root)],
            env={**os.environ, **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.exists() == imported
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    command.workspace = workspace  # type: ignore[attr-defined]
    return command


@pytest.fixture(scope="module")
def trained(run: Run) -> tuple[Workspace, Bundle]:
    """Return a workspace with a model that a command trained where its class is allowed."""
    words = ("train", "shop", "--horizon-days", "90", "--model", "own", "--set", f"code={PATH}", "--set", "cutoffs=2")
    code, said = run(*words, allowed=f"other:Model, {PATH}")
    assert code == 0 and said["metrics"]["gini"] > 0.2, said
    workspace: Workspace = run.workspace  # type: ignore[attr-defined]
    return workspace, next(one for one in list_bundles(workspace, "shop") if one.id == said["model"])


def test_a_command_trains_what_is_allowed_and_another_process_scores_with_it(
    run: Run, trained: tuple[Workspace, Bundle], tmp_path: Path
) -> None:
    bundle = trained[1]
    out = tmp_path / "scores.parquet"
    words = ("score", "shop", "--model", bundle.id, "--out", str(out))
    code, said = run(*words, imported=False)
    assert (code, said["error"]["code"]) == (4, "own_model_not_allowed")
    assert PATH in said["error"]["message"] and "CLV_MODELS" in said["error"]["message"] and not out.exists()
    code, said = run(*words, allowed=PATH)
    assert code == 0 and said["customers"] == len(pd.read_parquet(out)) > 800
    seen = snapshot_of(bundle, open_dataset(trained[0], "shop"), None, NoProgress())
    spent = seen.features["net_value_180d"].to_numpy()
    scores = pd.read_parquet(out).set_index("customer_id").loc[seen.features.index, "predicted_clv"].to_numpy()
    some = (spent > 0) & (scores < scores.max())
    np.testing.assert_allclose(scores[some], spent[some] * np.median(scores[some] / spent[some]), rtol=1e-9)


def test_training_says_at_once_that_a_class_is_not_allowed(run: Run) -> None:
    words = ("train", "shop", "--horizon-days", "90", "--model", "own")
    code, said = run(*words, "--set", f"code={PATH}", imported=False)
    assert (code, said["error"]["code"]) == (4, "own_model_not_allowed")
    code, said = run(*words, allowed=PATH, imported=False)
    assert (code, said["error"]["code"]) == (2, "own_model_unnamed")


@pytest.mark.slow
def test_a_backtest_holds_it_against_models_that_ship(run: Run, tmp_path: Path) -> None:
    words = (
        "backtest",
        "shop",
        "--horizon-days",
        "90",
        "--origins",
        "1",
        "--models",
        "own,naive",
        "--out",
        str(tmp_path),
    )
    code, said = run(*words, "--set", f"code={PATH}", "--set", "cutoffs=2", allowed=PATH)
    assert code == 0 and said["models"] == ["own", "naive"] and {one["model"] for one in said["verdicts"]} == {"own"}


def test_a_new_training_takes_the_settings_of_the_model_with_its_path(trained: tuple[Workspace, Bundle]) -> None:
    config = settings_of(trained[1], "blend")
    assert config == TrainConfig(horizon_days=90, model=OWN, cutoffs=2, code=PATH)
    options = build_parser().parse_args(["train", "shop", *config_words(config)])
    assert config_from(options, options.model) == config


def test_an_own_model_is_not_exported(trained: tuple[Workspace, Bundle], tmp_path: Path) -> None:
    workspace, bundle = trained
    version = Registry(workspace).find(bundle.id)
    assert version is not None
    with pytest.raises(Refused, match="are not exported") as error:
        export_bundle(workspace, version, tmp_path / "model.zip")
    assert error.value.params == {"path": PATH} and not any(tmp_path.iterdir())


def test_an_archive_of_one_is_refused_unless_its_class_is_known_to_the_caller(
    trained: tuple[Workspace, Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLV_MODELS", PATH)  # allowed here: a file may not name code all the same
    path, other = tmp_path / "model.zip", Workspace(tmp_path / "other")
    path.write_bytes(archive_bytes(trained[1]))
    with pytest.raises(Refused) as error:
        import_bundle(other, path)
    assert (error.value.code, error.value.params) == ("import_own_model", {"member": RECORD})
    assert list_bundles(other) == []
    monkeypatch.delenv("CLV_MODELS")
    with pytest.raises(Refused) as error:
        import_bundle(other, path, allow_own_model=True)
    assert error.value.code == "own_model_not_allowed" and list_bundles(other) == []


def test_the_bytes_of_a_bundle_come_back_as_it_was(windows: Snapshot, tmp_path: Path) -> None:
    workspace, other = Workspace(tmp_path / "one"), Workspace(tmp_path / "other")
    model = OwnModel.fit(CODE, windows)
    config = TrainConfig(horizon_days=90, model=OWN, code=CODE)
    record = model_record(model=OWN, config=config.to_json())
    bundle = save_bundle(workspace, "shop", Fitted(model, []), record, None)
    (tmp_path / "model.zip").write_bytes(archive_bytes(bundle))
    version = import_bundle(other, tmp_path / "model.zip", allow_own_model=True)
    (again,) = list_bundles(other)
    assert version.digest == bundle.record.digest and again.record.train_config.code == CODE
    for name in FIGURES:
        found, before = (getattr(one.predict(windows), name) for one in (again.model, model))
        np.testing.assert_array_equal(found, before)


@pytest.mark.parametrize("member", [RECORD, STATE])
def test_no_archive_names_code(small_bundle: Bundle, tmp_path: Path, member: str) -> None:
    """Of a hybrid whose record or state names a class; all checksums are right."""
    (tmp_path / "model.zip").write_bytes(archive_bytes(small_bundle, holdout=False))
    files = read_archive(tmp_path / "model.zip")
    assert check_files(files) == replace(small_bundle.record, checksums=check_files(files).checksums)
    record, state = (json.loads(files[name]) for name in (RECORD, STATE))
    for one in (record, state) if member == RECORD else (state,):
        one["config"]["code"] = PATH
    files[STATE] = json.dumps(state).encode()
    record["checksums"][STATE] = hashlib.sha256(files[STATE]).hexdigest()
    record["digest"] = address(record, {name: record["checksums"][name] for name in (STATE, WEIGHTS)})
    files[RECORD] = sealed(record).encode()
    with pytest.raises(Refused) as error:
        check_files(files)
    assert (error.value.code, error.value.params) == ("import_own_model", {"member": member})
