"""A version leaves as a zip, and comes in as one: checked by a run of its own, never opened by the page."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from clv_core import audit
from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.model_archive.archive_export import export_bundle
from clv_core.deployment.registry import Version
from clv_core.scratch import temporary_folder
from clv_core.strategy.audiences.export_records import log_holdout
from pages.ui import by_role, outcomes, page_files, received, state, widgets
from pages.ui.models.board import Shelf
from pages.ui.saying import t

COMMAND = "models"


def follow(dataset: Dataset) -> None:
    """Watch an import, and say how it ended."""
    job = outcomes.follow(COMMAND)
    if job is None:
        return
    result = job.status()["result"]
    said = "models.imported" if result["new"] else "models.imported.known"
    outcomes.say(t(said, version=result["version"], name=widgets.plain(result["name"])))
    _forget(Path(job.status()["args"][2]))
    if result["name"] == dataset.name:
        state.choose(model=result["model"])
    st.rerun()


def send(found: Shelf, version: Version) -> None:
    """Offer a version as a file."""
    with st.container(border=True):
        st.markdown(f"**{t('models.export')}**")
        st.caption(t("models.export.why"))
        key = f"holdout_{found.name}_{version.number}"
        holdout = bool(version.record["holdout"]) and st.checkbox(t("models.export.holdout"), key=key)
        name = f"{version.bundle}_v{version.number}.zip"
        page_files.download(
            t("models.export.button", version=version.number),
            _maker(version, holdout),
            name,
            f"export_{version.number}",
        )


def receive(found: Shelf) -> None:
    """Take a file and start the run that checks and registers it."""
    with st.form("import_model", border=True, clear_on_submit=True):
        st.markdown(f"**{t('models.import')}**")
        st.caption(t("models.import.why", name=widgets.plain(found.name)))
        may = by_role.if_may("change")
        file = st.file_uploader(t("models.import.file"), type=received.MODELS, key="import_file", **may)
        pressed = st.form_submit_button(t("models.import.button"), icon=":material/upload:", **may)
    if pressed and file is None:
        st.warning(t("models.import.none"), icon=":material/info:")
    elif pressed and file is not None:
        uploads = state.workspace().folder("uploads")
        received.sweep(uploads)
        folder = state.workspace().folder("uploads", secrets.token_hex(6))
        (path,) = received.copy([file], folder)
        state.start_job([COMMAND, "import", str(path), "--name", found.name], path.name)
        st.rerun()


def _forget(path: Path) -> None:
    """Remove our copy of an upload."""
    if path.parent.parent == state.workspace().folder("uploads"):
        shutil.rmtree(path.parent, ignore_errors=True)


def _maker(version: Version, holdout: bool) -> Callable[[], bytes]:
    work, language = state.workspace(), state.language()
    about: dict[str, str | int | None] = {"dataset": version.name, "version": version.number, "model": version.bundle}

    def make() -> bytes:
        with temporary_folder("clv-") as folder:
            out = folder / "model.zip"
            export_bundle(work, version, out, holdout=holdout, language=language)
            if holdout:
                log_holdout(work, version, None)
            audit.note(work, "models export", **about)
            return out.read_bytes()

    return make
