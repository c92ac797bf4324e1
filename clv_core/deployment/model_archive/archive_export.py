"""Export a version as a zip that another workspace can import; without the customers that it was measured on."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from clv_core.deployment.bundle import HOLDOUT, Bundle
from clv_core.deployment.bundle_record import RECORD, sealed
from clv_core.deployment.model_archive.archive_reader import CARD
from clv_core.deployment.registry import Registry, Version
from clv_core.deployment.registry.model_card import model_card
from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.workspace import Workspace, atomic_path

ENDING: Final = ".zip"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def export_bundle(
    workspace: Workspace,
    version: Version,
    out: Path,
    *,
    holdout: bool = False,
    language: str = DEFAULT_LANGUAGE,
) -> list[str]:
    """Write a version, with its model card, to ``out``; the same version gives the same bytes.

    Args:
        workspace: that has it.
        version: all its files are checked first.
        out: a name that ends in ``.zip``.
        holdout: whether to include the holdout's predictions, which name customers and what they spent.
        language: of the model card.

    Returns:
        The names of the files in it.

    Raises:
        UsageError: the name does not end in ``.zip``.
        Refused: a file of the version is damaged.
    """
    if out.suffix.lower() != ENDING:
        raise UsageError("export_zip", path=out.name)
    bundle = Registry(workspace).open(version)
    files = {**_files(bundle, holdout), CARD: model_card(version, language).encode("utf-8")}
    with atomic_path(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return list(files)


def _files(bundle: Bundle, holdout: bool) -> dict[str, bytes]:
    sums = {name: value for name, value in bundle.record["checksums"].items() if holdout or name != HOLDOUT}
    record = sealed({**bundle.record, "checksums": sums})
    return {RECORD: record.encode("utf-8"), **{name: bundle.read(name) for name in sums}}
