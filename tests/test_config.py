"""Settings validate themselves, read text, and survive JSON."""

import dataclasses
import json
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.config import MODEL_IDS, OWN, READS, TrainConfig, setting_warnings
from clv_core.errors import UsageError
from clv_core.estimator.python_words import warn
from clv_core.i18n import translate

FIELDS = dataclasses.fields(TrainConfig)
CHOSEN = [item for item in FIELDS if item.metadata["choices"]]
OF_ANOTHER_TYPE: dict[object, list[object]] = {
    int: ["182", True, 0.5, None, [1]],
    int | None: ["182", True, 0.5, [1]],
    float: ["0.5", True, None, [0.5]],
    bool: ["no", 0, 1, None],
    str: [1, True, None, ["all"]],
}
BOUNDED = [item for item in FIELDS if item.metadata["low"] is not None]


def test_defaults_are_the_measured_recipe() -> None:
    """The measured recipe, with the rate of our own trials: 2e-3 over fewer steps beat 4e-3 on earlier origins."""
    config = TrainConfig()
    assert (config.cutoffs, config.max_windows, config.max_steps_back) == (12, 1_500_000, 40)
    assert (config.rnn, config.rnn_width, config.head, config.ensemble) == ("gru", 32, "ziln", 2)
    assert (config.optimizer, config.learning_rate, config.batch_size) == ("adamw", 2e-3, 512)


def test_json_brings_back_the_same_settings() -> None:
    config = TrainConfig(horizon_days=90, model="mlp", steps=500, early_stopping=True, impute_constant=-1.5)
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_unknown_json_key_is_refused_by_name() -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig.from_json({"horizon_days": 90, "colour": "red"})
    assert caught.value.code == "setting_unknown" and caught.value.params["setting"] == "colour"


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_json_of_another_type_is_refused_by_name(item: dataclasses.Field[object]) -> None:
    for value in OF_ANOTHER_TYPE[get_type_hints(TrainConfig)[item.name]]:
        with pytest.raises(UsageError) as caught:
            TrainConfig.from_json({item.name: value})
        assert caught.value.code == "setting_type" and item.name in caught.value.message("zh")


@pytest.mark.parametrize("setting", ["head=tweedie", "head=point", "optimizer=sgd", "boosting=two_stage"])
def test_a_value_that_is_leaving_is_taken_with_a_warning_and_is_offered_nowhere(setting: str) -> None:
    name, _, value = setting.partition("=")
    config = TrainConfig.from_pairs({name: value}, model="lightgbm" if name == "boosting" else "hybrid")
    assert getattr(config, name) == value and value not in TrainConfig.__dataclass_fields__[name].metadata["choices"]
    (warning,) = setting_warnings(config, {name})
    assert warning.code == "warning.setting_leaving"
    assert setting in warning.text("en") and f"{name}={TrainConfig.__dataclass_fields__[name].default}" in warning.text(
        "zh"
    )
    assert setting_warnings(config, set()) == []  # a model of an earlier version may have it: nobody asked for it now
    with pytest.warns(DeprecationWarning, match=setting):
        warn([warning])


@pytest.mark.parametrize("item", CHOSEN, ids=lambda item: item.name)
def test_every_choice_is_accepted_and_nothing_else(item: dataclasses.Field[str]) -> None:
    for choice in item.metadata["choices"]:
        pairs = {"delete_features": "orders", item.name: choice}
        assert getattr(TrainConfig.from_pairs(pairs), item.name) == choice
    with pytest.raises(UsageError) as caught:
        TrainConfig(**{item.name: "something else"})
    assert caught.value.code == "setting_choice" and item.name in caught.value.message("zh")


@pytest.mark.parametrize("item", BOUNDED, ids=lambda item: item.name)
def test_bounds_hold_on_both_sides(item: dataclasses.Field[float]) -> None:
    low, high = item.metadata["low"], item.metadata["high"]
    for value in (low, high):
        assert getattr(TrainConfig(**{item.name: value}), item.name) == value
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(UsageError) as caught:
            TrainConfig(**{item.name: value})
        assert caught.value.code == "setting_bounds"


def test_text_is_read_by_the_type_of_its_setting() -> None:
    config = TrainConfig.from_pairs(
        {"learning_rate": "1e-3", "steps": "700", "early_stopping": "yes", "rnn_width": "16", "processes": "auto"}
    )
    assert config == TrainConfig(learning_rate=1e-3, steps=700, early_stopping=True, rnn_width=16, processes=None)
    assert type(config.rnn_width) is int and type(config.learning_rate) is float


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (("steps", "many"), "setting_type"),
        (("rnn_width", "1.5"), "setting_type"),
        (("early_stopping", "perhaps"), "setting_truth"),
        (("colour", "red"), "setting_unknown"),
        (("dropout", "nan"), "setting_bounds"),
        (("impute_constant", "nan"), "setting_finite"),
        (("impute_constant", "-inf"), "setting_finite"),
        (("model", "magic"), "setting_choice"),
    ],
)
def test_text_that_does_not_fit_is_refused_in_both_languages(pair: tuple[str, str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig.from_pairs(dict([pair]))
    assert caught.value.code == code
    assert pair[0] in caught.value.message("en") and pair[0] in caught.value.message("zh")


@given(st.dictionaries(st.sampled_from([item.name for item in FIELDS]), st.text(max_size=12), max_size=3))
def test_any_text_gives_settings_or_a_usage_error(pairs: dict[str, str]) -> None:
    try:
        config = TrainConfig.from_pairs(pairs)
    except UsageError as error:
        assert error.message("en") and error.message("zh")
    else:
        hints = get_type_hints(TrainConfig)
        assert all(isinstance(getattr(config, key), hints[key]) for key in pairs)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_setting_has_a_label_a_help_and_a_group(item: dataclasses.Field[object]) -> None:
    for language in ("en", "zh"):
        assert translate(f"config.{item.name}", language) != translate(f"config.{item.name}.help", language)
    assert item.metadata["group"] in ("basic", "data", "network", "training", "own")


def test_every_setting_is_read_by_a_model_and_says_so() -> None:
    assert set(READS) == {*MODEL_IDS, OWN} and OWN not in MODEL_IDS
    assert [model for model, reads in READS.items() if "code" in reads] == [OWN]
    assert set().union(*READS.values()) == {item.name for item in FIELDS}
    config = TrainConfig(model="instant_tuned")
    assert {"rnn", "activation", "dropout", "head", "learning_rate"} <= set(config.ignored())
    assert (
        "impute_constant" in TrainConfig().ignored()
        and "impute_constant" not in TrainConfig(impute="constant").ignored()
    )


def test_windows_are_deleted_for_named_features_only() -> None:
    with pytest.raises(UsageError) as error:
        TrainConfig(impute="delete")
    assert error.value.code == "setting_delete_features"
    config = TrainConfig(impute="delete", delete_features=" orders,attribute:age ")
    assert config.features_to_check == ("orders", "attribute:age")


def test_settings_of_a_bundle_that_left_out_features_with_gaps_are_still_read() -> None:
    assert TrainConfig.from_json({**TrainConfig().to_json(), "impute": "drop"}) == TrainConfig()
