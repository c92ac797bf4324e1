"""Read safetensors that nobody vouches for: a sound header, plain number types, finite values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.errors import Refused

DTYPES: Final = ("float64", "float32", "int64", "int32")


def read_weights(content: bytes, member: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file.

    Args:
        content: the file.
        member: its name.

    Raises:
        Refused: its header does not fit its size, or its tensors overlap, leave gaps, or are not finite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors: dict[str, NDArray[Any]] = load(content)
    except (SafetensorError, KeyError, TypeError, ValueError, MemoryError, OverflowError) as error:
        raise Refused("import_header", member=member) from error
    for name, tensor in tensors.items():
        if str(tensor.dtype) not in DTYPES:
            raise Refused("import_header", member=member)
        if not np.isfinite(tensor).all():
            raise Refused("import_not_finite", member=member, tensor=name[:80])
    return tensors
