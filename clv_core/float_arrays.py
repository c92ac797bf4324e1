"""Arrays in stored records: nested lists in the JSON. Apart from :mod:`clv_core.records`, which loads no numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydantic_core import CoreSchema


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
