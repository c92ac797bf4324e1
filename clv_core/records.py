"""Records that are stored as JSON: dataclasses whose JSON is their fields."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import CoreSchema


class JsonRecord:
    """Base of dataclasses whose JSON is an object of their fields, records within records included."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary of all fields: tuples and arrays as lists, dates in ISO format."""
        values: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json")  # type: ignore[arg-type]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the record of :meth:`to_json`'s dictionary; other keys are ignored.

        Raises:
            ValueError: a field without a default is missing, or a value is not of its type.
        """
        record: Self = _adapter(cls).validate_python(values)  # type: ignore[arg-type]
        return record


@cache
def _adapter(kind: type[JsonRecord]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # a tenth of a second that most commands do without

    return TypeAdapter(kind)


class _Lists:
    """Has an array stored as nested lists."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        from pydantic_core import core_schema

        to_lists = core_schema.plain_serializer_function_ser_schema(np.ndarray.tolist)
        return core_schema.no_info_plain_validator_function(_array, serialization=to_lists)


def _array(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)


FloatArray = Annotated[NDArray[np.float64], _Lists()]
"""An array of float64 in a record."""
