"""Checks of an imported bundle's files: the model that they rebuild, its trees, and the tables."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from clv_core.config import OWN, TrainConfig
from clv_core.deployment.bundle import HISTORY, HOLDOUT, POPULATION, REFERENCE
from clv_core.deployment.model_archive.archive_reader import read_document
from clv_core.deployment.model_archive.archive_schemas import ReferenceInfo, State
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.population_context import FORM, PopulationContext
from clv_core.errors import Refused
from clv_core.records import MAX_NUMBER, BadField, Number

MAX_TREES: Final = 10_000
MAX_LEAVES: Final = 100_000
"""Of a tree. Both are 100 times what training makes (``boosting.py``) or more: other files could fill the memory."""
MAX_HOLDOUT_ROWS: Final = 50_000_000
MAX_REFERENCE_ROWS: Final = 10_000_000
"""Likewise; Parquet of few bytes may declare any number of equal rows."""
REFERENCE_TEXTS: Final = {"kind", "subject", "value"}
REFERENCE_NUMBERS: Final = {"chunk", "rows", "customers", "number"}
HOLDOUT_TEXTS: Final = {"customer_id", "as_of", "model", "origin"}
_TREE: Final = re.compile(r"^Tree=(\d+)$", re.MULTILINE)
_INNER: Final = ("split_feature", "threshold", "decision_type", "left_child", "right_child")


def check_model(record: ModelRecord, tensors: dict[str, NDArray[Any]], state: Any) -> None:
    """Rebuild the model and compare its weights and state with those that it was rebuilt from.

    Args:
        record: of the bundle, already checked.
        tensors: its weights, finite.
        state: the value of ``state.json``.

    Raises:
        Refused: a tensor is missing, too many, or of another shape than the model has; a value is of another type or
            out of range; or the model is of another horizon than the record.
    """
    from clv_core.training import MODELS

    kind = record.model
    if kind == OWN:
        _check_own(record, tensors, state)
        return
    try:
        if not all(abs(number) <= MAX_NUMBER for number in _numbers(state)):
            raise ValueError("a number out of range")
        fields = {name.removesuffix("_"): value for name, value in state.items()}
        _check_state(State.model_validate_json(json.dumps(fields)), record.horizon_days)
        model = MODELS[kind].load(dict(tensors), state)
        rebuilt, rebuilt_state = model.state()
    except Exception as error:  # foreign values can raise anything in a model's constructor
        raise Refused("import_mismatch", model=kind) from error
    same = rebuilt.keys() == tensors.keys() and all(np.array_equal(rebuilt[name], tensors[name]) for name in tensors)
    if not same or json.loads(json.dumps(rebuilt_state)) != _with_all_settings(state):
        raise Refused("import_mismatch", model=kind)


def _check_own(record: ModelRecord, tensors: dict[str, NDArray[Any]], state: Any) -> None:
    """Load a model of the user's own, whose class can be imported here, and compare it with the record.

    Raises:
        Refused: it is of another class or horizon, or cannot be loaded.
    """
    from clv_core.training import OwnModel

    try:
        model = OwnModel.from_state(tensors, state)
    except (KeyError, TypeError) as error:
        raise Refused("import_mismatch", model=record.model) from error
    if (model.code, model.horizon_days) != (record.train_config.code, record.horizon_days):
        raise Refused("import_mismatch", model=record.model)


def _with_all_settings(state: Any) -> Any:
    """Return a model's state with the settings that came after its version, at their defaults."""
    if not isinstance(state, dict):
        return state
    parts = {name: _with_all_settings(value) for name, value in state.items()}
    return parts | {"config": TrainConfig.from_json(state["config"]).to_json()} if "config" in state else parts


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def _check_state(state: State, horizon_days: int) -> None:
    """Check that all parts are of one horizon, and the trees of boosters."""
    for part in (state.hybrid, state.instant_tuned):
        if part is not None:
            _check_state(part, horizon_days)
    horizons = {state.config.get("horizon_days", horizon_days)}
    horizons |= {state.horizon_days} if "horizon_days" in state.model_fields_set else set()
    if horizons != {horizon_days}:
        raise ValueError("another horizon")
    for text, columns in state.boosters():
        check_booster(text, columns)


def check_booster(text: str, columns: int) -> None:
    """Check the trees of a boosting model's text before LightGBM reads it.

    LightGBM does not validate the child numbers of a node: one out of range reads foreign memory, a cycle never ends.

    Args:
        text: LightGBM's model format, version 4.
        columns: how many columns the model's encoder makes.

    Raises:
        ValueError: it does not describe valid trees over these columns.
    """
    parts = _TREE.split(text.partition("\nend of trees\n")[0])
    head = _fields(parts[0])
    if not parts[0].startswith("tree\n") or (head.get("num_class"), head.get("num_tree_per_iteration")) != ("1", "1"):
        raise ValueError("no booster of one value")
    if int(head["max_feature_idx"]) != columns - 1:
        raise ValueError("another number of columns")
    trees = parts[2::2]
    if not 1 <= len(trees) <= MAX_TREES or [int(number) for number in parts[1::2]] != list(range(len(trees))):
        raise ValueError("trees are missing")
    if len(head["tree_sizes"].split()) != len(trees) or not text.rstrip().endswith("pandas_categorical:null"):
        raise ValueError("sizes or an end are missing")
    for tree in trees:
        _check_tree(_fields(tree), columns)


def _check_tree(fields: dict[str, str], columns: int) -> None:
    leaves = int(fields["num_leaves"])
    if not 1 <= leaves <= MAX_LEAVES or fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
        raise ValueError("another kind of tree")
    values = [float(value) for value in fields["leaf_value"].split()]
    if len(values) != leaves or not all(map(math.isfinite, values)):
        raise ValueError("leaves without a value")
    if leaves == 1:
        return
    inner = {name: fields[name].split() for name in _INNER}
    if any(len(values) != leaves - 1 for values in inner.values()):
        raise ValueError("nodes are missing")
    if any(not 0 <= int(feature) < columns for feature in inner["split_feature"]):
        raise ValueError("a column that there is not")
    if any(math.isnan(value) for value in map(float, inner["threshold"])):
        raise ValueError("a threshold that is no number")
    if any(not 0 <= int(kind) < 16 or int(kind) & 1 for kind in inner["decision_type"]):
        raise ValueError("another kind of decision")
    _check_children(inner["left_child"], inner["right_child"], leaves)


def _check_children(left: list[str], right: list[str], leaves: int) -> None:
    """Every node but the first, and every leaf, is the child of exactly one node that comes before it."""
    children: list[int] = []
    for node, pair in enumerate(zip(left, right, strict=True)):
        for child in map(int, pair):
            if child >= 0 and not node < child < leaves - 1:
                raise ValueError("a child out of order")
            children.append(child)
    if sorted(children) != [*range(-leaves, 0), *range(1, leaves - 1)]:
        raise ValueError("a child twice")


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key in fields:
            raise ValueError("a field twice")
        fields[key] = value
    return fields


def check_history(content: bytes) -> None:
    """Check the training losses.

    Raises:
        Refused: they are not a list of objects of finite numbers.
    """
    try:
        TypeAdapter(list[dict[str, Number]]).validate_python(read_document(content, HISTORY), strict=True)
    except ValidationError as error:
        raise Refused("import_field", member=HISTORY, field="[]") from error


def check_holdout(content: bytes) -> None:
    """Check the holdout's predictions: our columns, of text and numbers, numbers finite.

    Raises:
        Refused: it is no such table.
    """
    from clv_core.model import COLUMNS

    numbers = {*COLUMNS, "actual"} - HOLDOUT_TEXTS
    _check_table(content, HOLDOUT, HOLDOUT_TEXTS, numbers, MAX_HOLDOUT_ROWS, finite=True)


def read_population(content: bytes, record: ModelRecord) -> PopulationContext:
    """Return what predictions share over all customers.

    Raises:
        Refused: it is not as :class:`PopulationContext` writes it, or of another cutoff than the model.
    """
    values = read_document(content, POPULATION)
    try:
        if not isinstance(values, dict) or values.pop("form", None) != FORM:
            raise BadField("form")
        population = PopulationContext.exactly(values)
        if population.cutoff != record.cutoff:
            raise BadField("cutoff")
        ZoneInfo(population.timezone)
    except BadField as error:
        raise Refused("import_field", member=POPULATION, field=str(error)[:80]) from error
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused("import_field", member=POPULATION, field="timezone") from error
    return population


def check_reference(files: Mapping[str, bytes]) -> None:
    """Check both files of the reference for monitoring, where there is one.

    Raises:
        Refused: one is there without the other, or is not as a reference is.
    """
    info, table = REFERENCE
    missing = [name for name in REFERENCE if name not in files]
    if len(missing) == len(REFERENCE):
        return
    if missing:
        raise Refused("import_missing", member=missing[0])
    read_document(files[info], info)
    try:
        ReferenceInfo.model_validate_json(files[info])
    except ValidationError as error:
        raise Refused("import_field", member=info, field=str((*error.errors()[0]["loc"], "-")[0])) from error
    _check_table(files[table], table, REFERENCE_TEXTS, REFERENCE_NUMBERS, MAX_REFERENCE_ROWS)


def _check_table(
    content: bytes, member: str, texts: set[str], numbers: set[str], max_rows: int, *, finite: bool = False
) -> None:
    """Read a Parquet file through; ``finite`` also refuses numbers that are missing, infinite or NaN."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text_types = (pa.types.is_string, pa.types.is_large_string)
    number_types = (pa.types.is_floating, pa.types.is_integer)
    empty_type = () if finite else (pa.types.is_null,)
    types = {**dict.fromkeys(texts, text_types), **dict.fromkeys(numbers, number_types)}
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        schema, rows = file.schema_arrow, file.metadata.num_rows
        if rows > max_rows or sorted(schema.names) != sorted(types):
            raise ValueError("other columns")
        for field in schema:
            allowed = types[field.name] if rows else (*types[field.name], *empty_type)
            if not any(is_type(field.type) for is_type in allowed):
                raise ValueError("other types")
        for batch in file.iter_batches():
            if finite and not all(_is_finite(batch[name]) for name in numbers):
                raise ValueError("missing or infinite numbers")
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise Refused("import_table", member=member) from error


def _is_finite(column: Any) -> bool:
    return not column.null_count and bool(np.isfinite(column.to_numpy()).all())
