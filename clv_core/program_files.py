"""Where the program's own files are: ``assets`` and the app, in a checkout or in an installed package.

A checkout has them next to ``clv_core``; the wheel carries them in ``clv_core/_app`` (``pyproject.toml``), so that
``pages`` is no top-level package of the environment that it is installed in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
IS_CHECKOUT: Final = (_PACKAGE.parent / "assets" / "locale").is_dir() and (_PACKAGE.parent / "app.py").is_file()
APP_FOLDER: Final = _PACKAGE.parent if IS_CHECKOUT else _PACKAGE / "_app"
"""Folder of ``app.py``, ``pages`` and ``assets``."""
ASSETS: Final = APP_FOLDER / "assets"
