"""Settings that describe themselves.

Each field's metadata (choices, bounds, group) draws the form on the train page, the ``--set key=value`` flag and the
documentation; its label and help are the catalogue keys ``config.<field>`` and ``config.<field>.help``.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, Self, get_args, get_origin, get_type_hints

from clv_core.errors import Message, UsageError
from clv_core.records import JsonObject


def option(
    default: Any,
    *,
    choices: tuple[str, ...] | None = None,
    leaving: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
    group: str = "basic",
) -> Any:
    """Declare one setting.

    Args:
        default: the value that is right for most.
        choices: values of a text setting that are offered.
        leaving: values that are taken with a warning for as long as ``CONTRIBUTING.md`` promises, and not offered.
        low: smallest allowed number.
        high: largest allowed number.
        group: where the form shows it: ``basic``, ``data``, ``network`` or ``training``; ``own`` is not in the form.
    """
    return field(
        default=default, metadata={"choices": choices, "leaving": leaving, "low": low, "high": high, "group": group}
    )


@dataclass(frozen=True)
class Settings:
    """Base of all settings: validated on construction, readable from text and JSON."""

    def __post_init__(self) -> None:
        """Check every field against its metadata.

        Raises:
            UsageError: a value is outside its choices or bounds, or no finite number.
        """
        for item in fields(self):
            value = getattr(self, item.name)
            choices, low, high = (item.metadata.get(key) for key in ("choices", "low", "high"))
            if choices is not None and value not in (*choices, *item.metadata["leaving"]):
                raise UsageError("setting_choice", setting=item.name, value=str(value), choices=list(choices))
            if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            if (low is not None and not value >= low) or (high is not None and not value <= high):
                raise UsageError("setting_bounds", setting=item.name, value=value, low=low, high=high)
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError("setting_finite", setting=item.name, value=value)

    @classmethod
    def from_pairs(cls, pairs: dict[str, str], **defaults: Any) -> Self:
        """Return settings from ``key=value`` texts (the ``--set`` flag) over ``defaults``.

        Raises:
            UsageError: an unknown key, or a value that its type cannot hold.
        """
        values = dict(defaults)
        for key, text in pairs.items():
            values[key] = _parse(key, text, cls._type_of(key))
        return cls(**values)

    @classmethod
    def from_json(cls, values: JsonObject) -> Self:
        """Return settings from :meth:`to_json`'s dictionary.

        Raises:
            UsageError: an unknown key, or a value of another type: a text is no number and no truth.
        """
        for key, value in values.items():
            kind = cls._type_of(key)
            kinds = get_args(kind) or (kind,)
            if type(value) not in kinds and not (float in kinds and type(value) is int):
                raise UsageError("setting_type", setting=key, value=str(value), type=kinds[0].__name__)
        return cls(**values)

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary of all fields."""
        return dataclasses.asdict(self)

    @classmethod
    def _type_of(cls, key: str) -> Any:
        types = _types(cls)  # type: ignore[arg-type]
        if key not in types:
            raise UsageError("setting_unknown", setting=key, known=sorted(types))
        return types[key]


@cache
def _types(kind: type[Settings]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
"""Texts for true and false, in any case."""


def _parse(key: str, text: str, hint: Any) -> Any:
    optional = get_origin(hint) is types.UnionType and type(None) in get_args(hint)
    if optional:
        if text.lower() in ("", "none", "auto"):
            return None
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    try:
        if hint is bool:
            return BOOLEANS[text.strip().lower()]
        return hint(text)
    except (ValueError, KeyError) as error:
        if hint is bool:
            raise UsageError("setting_truth", setting=key, value=text) from error
        raise UsageError("setting_type", setting=key, value=text, type=hint.__name__) from error


MODEL_IDS: Final = (
    *("hybrid", "instant", "instant_tuned", "blend", "mlp", "rnn"),
    *("naive", "bgnbd", "paretonbd", "lightgbm", "ziln_mlp"),
)
"""The models that ship."""
OWN: Final = "own"
"""A class of the user's own, which the setting ``code`` names (:mod:`clv_core.training.own_models`)."""


DELETE: Final = "delete"
"""Of missing values: training windows with a gap in one of ``delete_features`` are left out."""

_WINDOWS: Final = frozenset({"horizon_days", "model", "seed", "cutoffs", "max_windows", "event_types"})
_TABLE: Final = frozenset({"impute", "impute_constant", "delete_features", "attributes", "review_text"})
_TUNED: Final = frozenset({"partial_windows", "ensemble", "batch_size", "steps", "weight_decay"})
_NETWORK: Final = _TUNED | {
    *("head", "point_loss", "mlp_width", "dropout", "activation"),
    *("optimizer", "learning_rate", "early_stopping", "device", "processes"),
}
_SEQUENCE: Final = frozenset({"max_steps_back", "rnn", "rnn_layers", "rnn_width", "rnn_rate"})
_HYBRID: Final = _WINDOWS | _TABLE | _NETWORK | _SEQUENCE | {"mlp_layers", "branch_dropout"}

READS: Final[dict[str, frozenset[str]]] = {
    "hybrid": _HYBRID,
    "instant": _WINDOWS | {"partial_windows", "device"},  # the largest value in a window bounds its predictions
    "instant_tuned": _WINDOWS | _TUNED | {"device"},
    "blend": _HYBRID | {"boosting"},
    "mlp": _WINDOWS | _TABLE | _NETWORK | {"mlp_layers", "max_steps_back"},  # steps give the unit of money
    "rnn": _WINDOWS | _NETWORK | _SEQUENCE,
    "naive": _WINDOWS,
    "bgnbd": _WINDOWS,
    "paretonbd": _WINDOWS,
    "lightgbm": _WINDOWS | _TABLE | {"partial_windows", "boosting"},
    "ziln_mlp": _WINDOWS | _TABLE | {"batch_size", "steps", "device"},
    OWN: _WINDOWS | {"attributes", "review_text", "max_steps_back", "code"},  # they decide what its class is given
}
"""Which settings each model reads; the form shows no others, and the command warns of those that it ignores."""

READ_WITH: Final = {
    "impute_constant": ("impute", "constant"),
    "delete_features": ("impute", DELETE),
    "point_loss": ("head", "point"),
    "weight_decay": ("optimizer", "adamw"),
}
"""Settings that are read with one value of another setting only."""


def is_read(name: str, values: Mapping[str, Any]) -> bool:
    """Return whether a setting of :class:`TrainConfig` changes anything, given the model and the settings before it."""
    reads = READS[values["model"]]
    other, value = READ_WITH.get(name, ("", None))
    return name in reads and (other not in reads or values[other] == value)


SEQUENCE_ENCODERS: Final = tuple(
    sorted(path.stem for path in (Path(__file__).parent / "model" / "sequence_encoders").glob("[!_]*.py"))
)
"""Each is a file of its own."""


@dataclass(frozen=True)
class TrainConfig(Settings):
    """What is trained, on what, and how. Defaults are the recipe of the page "How it was measured"."""

    horizon_days: int = option(182, low=1, high=3650)
    model: str = option("hybrid", choices=(*MODEL_IDS, OWN))
    seed: int = option(1, low=0, high=2**31 - 1)

    cutoffs: int = option(12, low=1, high=60, group="data")
    partial_windows: bool = option(True, group="data")
    max_windows: int = option(1_500_000, low=100, high=5_000_000, group="data")
    max_steps_back: int = option(40, low=1, high=500, group="data")
    impute: str = option("median", choices=("mean", "median", "max", "constant", "delete"), group="data")
    impute_constant: float = option(0.0, group="data")
    delete_features: str = option("", group="data")
    event_types: str = option("all", choices=("all", "unrated", "purchases"), group="data")
    attributes: bool = option(True, group="data")
    review_text: bool = option(True, group="data")

    head: str = option("ziln", choices=("ziln",), leaving=("tweedie", "point"), group="network")
    point_loss: str = option("mse", choices=("mse", "mae"), group="network")
    rnn: str = option("gru", choices=SEQUENCE_ENCODERS, group="network")
    rnn_layers: int = option(1, low=1, high=4, group="network")
    rnn_width: int = option(32, low=4, high=512, group="network")
    mlp_layers: int = option(2, low=1, high=6, group="network")
    mlp_width: int = option(64, low=4, high=1024, group="network")
    dropout: float = option(0.1, low=0.0, high=0.8, group="network")
    branch_dropout: float = option(0.3, low=0.0, high=0.8, group="network")
    activation: str = option("silu", choices=("relu", "silu", "tanh", "sigmoid"), group="network")

    ensemble: int = option(2, low=1, high=20, group="training")
    optimizer: str = option("adamw", choices=("adamw", "adam"), leaving=("sgd",), group="training")
    learning_rate: float = option(2e-3, low=1e-6, high=1.0, group="training")
    rnn_rate: float = option(3.0, low=0.01, high=100.0, group="training")
    weight_decay: float = option(1e-2, low=0.0, high=1.0, group="training")
    batch_size: int = option(512, low=16, high=65_536, group="training")
    steps: int | None = option(None, low=1, high=1_000_000, group="training")
    early_stopping: bool = option(False, group="training")
    boosting: str = option("tweedie", choices=("tweedie",), leaving=("two_stage",), group="training")
    device: str = option("auto", choices=("auto", "cpu", "cuda"), group="training")
    processes: int | None = option(None, low=1, high=64, group="training")

    code: str = option("", group="own")

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            UsageError: a value is not allowed, or windows with gaps are to be deleted and no feature is named.
        """
        super().__post_init__()
        if self.impute == DELETE and not self.features_to_check:
            raise UsageError("setting_delete_features")

    @classmethod
    def from_json(cls, values: JsonObject) -> Self:
        """Return settings from :meth:`to_json`'s dictionary, also that of an earlier version.

        Raises:
            UsageError: an unknown key, or a value of another type.
        """
        if values.get("impute") == "drop":  # it left out features with gaps, and filled later gaps by the median
            values = {**values, "impute": "median"}
        return super().from_json(values)

    @property
    def measured(self) -> TrainConfig:
        """The settings of a fit that is only measured: half the networks, which costs up to .002 of Gini.

        Their ranges hold as well (tests/bench/README.md, "The default's members and their weights").
        """
        return dataclasses.replace(self, ensemble=math.ceil(self.ensemble / 2))

    @property
    def features_to_check(self) -> tuple[str, ...]:
        """The features of ``delete_features``."""
        return tuple(name for name in map(str.strip, self.delete_features.split(",")) if name)

    def ignored(self) -> tuple[str, ...]:
        """Return the settings that change nothing with this model and these values, in their order."""
        values = self.to_json()
        return tuple(name for name in values if not is_read(name, values))

    def same_as(self, other: TrainConfig) -> bool:
        """Return whether both train the same model: settings that neither reads do not count."""
        return self.model == other.model and self._read() == other._read()

    def _read(self) -> dict[str, Any]:
        unread = self.ignored()
        return {name: value for name, value in self.to_json().items() if name not in unread}

    def of_log(self) -> dict[str, Any]:
        """Return the settings that decide what is read of a log: arguments of ``features.log.open_log``."""
        return {name: getattr(self, name) for name in ("event_types", "attributes", "review_text")}


LEAVING: Final = "warning.setting_leaving"
"""Of a setting's value that a later version no longer takes."""


def setting_warnings(config: TrainConfig, named: Collection[str], models: Sequence[str] = ()) -> list[Message]:
    """Return a warning of given settings that none of ``models`` (the config's own) reads, and of each that is leaving.

    Args:
        config: the settings.
        named: those that were given.
        models: ids of the models that are trained with them; empty: the config's own.
    """
    names = list(models) or [config.model]
    ignored = set(named).intersection(*(dataclasses.replace(config, model=model).ignored() for model in names))
    warnings = []
    if ignored:
        params = {"names": ", ".join(sorted(ignored)), "model": ", ".join(names)}
        warnings.append(Message("warning.settings_ignored", params))
    for item in fields(config):
        value = getattr(config, item.name)
        if item.name in set(named) - ignored and value in item.metadata["leaving"]:
            params = {"setting": f"{item.name}={value}", "instead": f"{item.name}={item.default}"}
            warnings.append(Message(LEAVING, params))
    return warnings


def config_words(config: TrainConfig) -> list[str]:
    """Return the words of the command line that a command reads as ``config``: what is not the default."""
    seed = [] if config.seed == TrainConfig.seed else ["--seed", str(config.seed)]
    return ["--horizon-days", str(config.horizon_days), "--model", config.model, *seed, *set_words(config)]


def set_words(config: TrainConfig) -> list[str]:
    """Return ``--set name=value`` for each setting that is not the default and has no option of its own."""
    words = []
    for item in fields(TrainConfig):
        value = getattr(config, item.name)
        if value != item.default and item.name not in ("horizon_days", "model", "seed"):
            words += ["--set", f"{item.name}={value}"]
    return words
