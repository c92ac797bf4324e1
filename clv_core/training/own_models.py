"""Models of the user's own: which class one is, whether it may be loaded here, and what it has to keep to.

A class of the user's is named by its import path, ``module:Class``. What is saved are tensors, JSON and that path;
code is never saved. A saved model is loaded where its class was registered in the process (:func:`register`), or where
an administrator has named its path in ``CLV_MODELS``. The rules of :func:`check_contract` are checked at every fit.
"""

from __future__ import annotations

import inspect
import json
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from importlib import import_module
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.environment import Environment
from clv_core.errors import ClvError, Refused, UsageError
from clv_core.features import Snapshot
from clv_core.model import Horizon, Predictions, PredictiveDistribution, contradictory, discounted
from clv_core.records import JsonObject

METHODS: Final = ("fit", "predict", "state", "from_state")
DTYPES: Final = ("float64", "float32", "int64", "int32")
"""Of tensors, as an imported model may have them."""
CHECKED_WINDOWS: Final = 200
"""Of those that a model was fitted on; a guess: a model that breaks a rule breaks it for some of them."""
ALONE: Final = 3
"""Customers that are predicted one by one: the lowest, the middle and the highest prediction."""
TOLERANCE: Final = 1e-6
"""Of a value: so far may sums in another order be apart, as on another processor (CONTRIBUTING.md)."""
RANGE: Final = ("clv_p10", "clv_p50", "clv_p90")
SMALLEST: Final = float(np.finfo(np.float64).tiny)


class OwnModelProtocol(Protocol):
    """What a model of the user's own has to be; a subclass of :class:`~clv_core.model.Baseline` is that."""

    def fit(self, train: Snapshot) -> Self:
        """Learn from windows whose horizon has passed, and return the model itself.

        Args:
            train: customers at past cutoffs, with their history up to then and their value afterwards.
        """

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions | PredictiveDistribution:
        """Predict every row over ``horizon_days``; None is the trained horizon.

        Args:
            snapshot: customers at a cutoff; without targets.
            horizon_days: length of the predicted span, without discount.
        """

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return tensors by name, and a JSON-ready dictionary: all that was learned."""

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], settings: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""


Class = type[OwnModelProtocol]
_registered: dict[str, Class] = {}


def register(model: Any) -> str:
    """Register the class of a model in this process, and return its import path, ``module:Class``.

    Args:
        model: an object that was not fitted yet, made without arguments; or its class.

    Raises:
        UsageError: it lacks a method, its class needs arguments, or it was made with others than the defaults: whoever
            trains it again would not know them.
    """
    kind = model if isinstance(model, type) else type(model)
    code = f"{kind.__module__}:{kind.__qualname__}"
    _check_methods(code, kind)
    try:
        plain = kind()
    except Exception as error:
        raise UsageError("own_model_arguments", path=code) from error
    if not isinstance(model, type) and (changed := _different(vars(model), vars(plain))):
        raise UsageError("own_model_changed", path=code, names=", ".join(changed))
    _registered[code] = kind
    return code


def own_class(code: str) -> Class:
    """Return the class of an import path.

    Raises:
        UsageError: the path is empty or none, or the class lacks a method.
        Refused: it is neither registered here nor named by an administrator, or it cannot be imported.
    """
    if code in _registered:
        return _registered[code]
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.([^\W\d]\w*|<locals>))*", code):
        raise UsageError("own_model_path" if code else "own_model_unnamed", path=code)
    if code not in Environment.from_environment().models.replace(",", " ").split():
        raise Refused("own_model_not_allowed", path=code)
    module, _, name = code.partition(":")
    try:
        target: Any = import_module(module)
    except Exception as error:
        raise Refused("own_model_no_module", path=code, module=module, kind=type(error).__name__) from error
    for part in name.split("."):
        target = getattr(target, part, None)
    if not isinstance(target, type):
        raise Refused("own_model_no_class", path=code, module=module, name=name)
    _check_methods(code, target)
    return target


@dataclass(frozen=True)
class OwnModel:
    """A fitted model of the user's own, as everyone else sees it; a member of ``MODELS``.

    Args:
        code: import path of its class.
        wrapped: the user's object.
        horizon_days: the trained horizon.
        source: hash of the class's source at its fit, so that a model of another source is another one.
    """

    code: str
    wrapped: OwnModelProtocol
    horizon_days: int
    source: str

    @classmethod
    def fit(cls, code: str, windows: Snapshot) -> Self:
        """Return the fitted model, which keeps to the contract.

        Args:
            code: import path.
            windows: with targets; all of them complete.

        Raises:
            UsageError: it breaks a rule (:func:`check_contract`).
            ClvError: its code failed.
        """
        kind = own_class(code)
        with _named(code, kind, "fit"):
            fitted = kind().fit(windows)
        if not isinstance(fitted, kind):
            raise UsageError("own_model_fit", path=code, kind=type(fitted).__name__)
        model = cls(code, fitted, windows.horizon_days, _source(kind))
        check_contract(model, windows)
        return model

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row; the mean is discounted by what it gains in time, ranges alike.

        Raises:
            UsageError: the user's object breaks a rule.
            ClvError: its code failed.
        """
        horizon = Horizon.of(horizon_days or self.horizon_days)
        blind = snapshot if snapshot.target is None else replace(snapshot, target=None)
        answers = self.answers(blind, int(horizon))
        if horizon.yearly_rate == 0:
            return answers

        def mean(days: float) -> NDArray[np.float64]:
            return self.answers(blind, int(days)).predicted_clv if days else np.zeros(len(snapshot))

        worth = discounted(mean, horizon)
        share = np.where(answers.predicted_clv > 0, worth / np.maximum(answers.predicted_clv, SMALLEST), 0.0)
        return Predictions(answers.p_purchase, worth, *(getattr(answers, name) * share for name in RANGE))

    def answers(self, snapshot: Snapshot, days: int) -> Predictions:
        """Return the user's predictions of a snapshot over plain days, checked.

        Raises:
            UsageError: it breaks a rule.
            ClvError: its code failed.
        """
        try:
            with _named(self.code, type(self.wrapped), "predict"):
                answer: Any = self.wrapped.predict(snapshot, days)
        except Refused as error:
            if error.code != "impossible_predictions":
                raise
            raise UsageError("own_model_impossible", path=self.code, **error.params) from error
        if isinstance(answer, PredictiveDistribution):
            answer = answer.predictions()
        if not isinstance(answer, Predictions):
            raise UsageError("own_model_type", path=self.code, kind=type(answer).__name__)
        figures = (np.asarray(getattr(answer, item.name), dtype=np.float64) for item in fields(answer))
        answers = Predictions(*figures)
        rows = len(snapshot)
        if answers.p_purchase.shape != (rows,):
            raise UsageError("own_model_rows", path=self.code, found=len(answers), needed=rows)
        if (below := int((answers.predicted_clv < 0).sum())) > 0:
            raise UsageError("own_model_negative", path=self.code, rows=below, all=rows)
        low, middle, high = answers.clv_p10, answers.clv_p50, answers.clv_p90
        if (crossed := int((_above(low, middle) | _above(middle, high)).sum())) > 0:
            raise UsageError("own_model_order", path=self.code, rows=crossed, all=rows)
        return answers

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return the tensors of the user's object, and JSON with its settings and its import path."""
        with _named(self.code, type(self.wrapped), "state"):
            tensors, settings = self.wrapped.state()
        facts = {"code": self.code, "source": self.source, "horizon_days": self.horizon_days}
        return dict(tensors), {**facts, "settings": settings}

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described.

        Raises:
            Refused: its class may not be loaded here.
            ClvError: its code failed.
        """
        code = state["code"]
        kind = own_class(code)
        with _named(code, kind, "from_state"):
            model = kind.from_state(tensors, state["settings"])
        return cls(code, model, state["horizon_days"], state["source"])


def check_contract(model: OwnModel, windows: Snapshot) -> None:
    """Hold a fitted model to the rules, on some of the windows that it was fitted on.

    Every row has an answer: finite, a chance between 0 and 1, a mean that is not negative, ranges in order that begin
    above 0 where the chance does. A longer horizon is not worth less, and not less likely to bring a purchase. The same
    customers get the same answers, whoever else is predicted, and whatever their targets are. What is saved is tensors
    and JSON, and loaded it gives the same answers to the bit.

    Raises:
        UsageError: a rule is broken; the error names it and the values.
        ClvError: the model's code failed.
    """
    some = np.unique(np.linspace(0, len(windows) - 1, min(len(windows), CHECKED_WINDOWS)).astype(np.int64))
    sample, days = windows.take(some), model.horizon_days
    answers = model.answers(sample, days)
    if not _equal(model.answers(sample, days), answers):
        raise UsageError("own_model_random", path=model.code)
    _check_blind(model, sample, answers)
    longer = model.answers(sample, 2 * days)
    if (lost := int(_above(answers.p_purchase, longer.p_purchase).sum())) > 0:
        raise UsageError("own_model_chance", path=model.code, rows=lost, all=len(sample), days=days, longer=2 * days)
    if (fallen := int(_above(answers.predicted_clv, longer.predicted_clv).sum())) > 0:
        raise UsageError("own_model_horizon", path=model.code, rows=fallen, all=len(sample), days=days, longer=2 * days)
    for row in np.unique(np.argsort(answers.predicted_clv)[np.linspace(0, len(sample) - 1, ALONE).astype(np.int64)]):
        alone = model.answers(sample.take(np.array([row])), days)
        for item in fields(answers):
            single, among = float(getattr(alone, item.name)[0]), float(getattr(answers, item.name)[row])
            if abs(single - among) > TOLERANCE * (1 + abs(among)):
                raise UsageError("own_model_alone", path=model.code, figure=item.name, alone=single, among=among)
    if (apart := int(contradictory(answers).sum())) > 0:
        raise UsageError("own_model_law", path=model.code, rows=apart, all=len(sample))
    if not _equal(OwnModel.from_state(*_stored(model)).answers(sample, days), answers):
        raise UsageError("own_model_state", path=model.code)


def _check_blind(model: OwnModel, sample: Snapshot, answers: Predictions) -> None:
    """Check that the answers are the same without targets.

    Raises:
        UsageError: they are not, or there are none.
    """
    try:
        blind = model.answers(replace(sample, target=None), model.horizon_days)
    except ClvError as error:
        raise UsageError("own_model_target", path=model.code) from error
    if not _equal(blind, answers):
        raise UsageError("own_model_target", path=model.code)


def _stored(model: OwnModel) -> tuple[dict[str, NDArray[Any]], JsonObject]:
    """Return a model's tensors and state as they come back from files.

    Raises:
        UsageError: they are no tensors, or no JSON.
    """
    from safetensors.numpy import load, save

    with _named(model.code, type(model.wrapped), "state"):
        arrays, settings = model.wrapped.state()
        tensors = dict(arrays)
    for name, tensor in tensors.items():
        if not isinstance(tensor, np.ndarray) or str(tensor.dtype) not in DTYPES or not np.isfinite(tensor).all():
            raise UsageError("own_model_tensors", path=model.code, name=str(name), allowed=", ".join(DTYPES))
    try:
        text = json.dumps(model.state()[1], allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError("own_model_json", path=model.code, what=str(error)) from error
    if not isinstance(settings, dict):
        raise UsageError("own_model_json", path=model.code, what=type(settings).__name__)
    loaded: dict[str, NDArray[Any]] = load(save(tensors))
    return loaded, json.loads(text)


def _equal(left: Predictions, right: Predictions) -> bool:
    """Return whether answers are the same to the bit."""
    return all(np.array_equal(getattr(left, item.name), getattr(right, item.name)) for item in fields(left))


def _above(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where ``low`` is larger than ``high`` by more than the order of a sum explains."""
    return low - high > TOLERANCE * (1 + np.abs(high))


def _check_methods(code: str, kind: type) -> None:
    missing = [name for name in METHODS if not callable(getattr(kind, name, None))]
    if missing:
        raise UsageError("own_model_methods", path=code, names=", ".join(missing))


def _different(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    """Return the names under which two objects hold different values."""
    return sorted(
        name for name in {*left, *right} if name not in left or name not in right or not _same(left[name], right[name])
    )


def _same(left: Any, right: Any) -> bool:
    """Return whether two values are equal: arrays by their elements, other objects by what they hold."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return np.array_equal(left, right)
    if type(left).__eq__ is object.__eq__ and hasattr(left, "__dict__"):  # type: ignore[comparison-overlap]
        return not _different(vars(left), vars(right))
    return bool(left == right)


def _source(kind: type) -> str:
    """Return the hash of a class's source, "" where there is none to be read."""
    try:
        return sha256(inspect.getsource(kind).encode()).hexdigest()
    except (OSError, TypeError):
        return ""


@contextmanager
def _named(code: str, kind: type, method: str) -> Iterator[None]:
    """Raise an error of the user's code as one that names the method, file and line; the error itself is its cause."""
    try:
        yield
    except (ClvError, MemoryError):
        raise
    except Exception as error:
        class_files = {part.__code__.co_filename for part in vars(kind).values() if inspect.isfunction(part)}
        frames = traceback.extract_tb(error.__traceback__)
        place = next((frame for frame in reversed(frames) if frame.filename in class_files), frames[-1])
        facts = {"kind": type(error).__name__, "file": place.filename.replace("\\", "/").split("/")[-1]}
        raise ClvError("own_model_failed", path=code, method=method, **facts, line=place.lineno) from error
