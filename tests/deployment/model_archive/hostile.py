"""Files that somebody might hand over as a model: pickles that act, weights that lie about themselves, endless JSON."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

DEPTH: Final = 100_000
"""How deep the bomb is nested."""


class _Act:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def hostile(mark: Path) -> dict[str, tuple[bytes, str]]:
    """Return the content of each file by its name, and what a refusal of it has to speak of, a pattern.

    Args:
        mark: a folder that is there only if one of them was run.
    """
    acts = pickle.dumps(_Act(mark))
    one = {"dtype": "F32", "shape": [2]}
    climbing = {"name": "../../../../tmp/model", "version": "1/../../x", "weights": "/etc/passwd"}
    return {
        "evil.pkl": (acts, r"pickle|format|not (allowed|supported|trusted)"),
        "evil.joblib": (zlib.compress(acts), r"pickle|joblib|format|not (allowed|supported)"),
        "evil_torch.pt": (_torch(acts), r"pickle|weights|format|unsafe|not (allowed|supported)"),
        "huge_header.safetensors": (struct.pack("<Q", 2**62) + b"{}", r"header|invalid|corrupt|size"),
        "bad_offsets.safetensors": (
            _weights({"w": {"dtype": "F32", "shape": [1_000_000], "data_offsets": [0, 4_000_000]}}, bytes(16)),
            r"offset|invalid|corrupt|size|truncat|incomplete",
        ),
        "overlap.safetensors": (
            _weights({"a": {**one, "data_offsets": [0, 8]}, "b": {**one, "data_offsets": [4, 12]}}, bytes(12)),
            r"offset|overlap|invalid|corrupt",
        ),
        "other_shape.safetensors": (
            _weights({"w": {"dtype": "F32", "shape": [3, 3], "data_offsets": [0, 36]}}, bytes(36)),
            r"shape|missing|lacks|key|architecture|mismatch|config",
        ),
        "not_finite.safetensors": (
            _weights(
                {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
                struct.pack("<4f", float("nan"), float("inf"), 1, 2),
            ),
            r"nan|finite|missing|key|architecture|mismatch|config",
        ),
        "climbing.json": (json.dumps(climbing).encode(), r"name|path|invalid|version"),
        "bomb.json": (b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, r"json|nest|deep|invalid|size"),
    }


def _weights(header: dict[str, Any], content: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def _torch(pickled: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    return target.getvalue()
