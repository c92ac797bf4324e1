"""What can be done with a version: promote, roll back, archive, delete, keep, export, import."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import streamlit as st

from clv_core import audit
from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle
from clv_core.deployment.registry import ChampionConflict, Registry, Version, memory_text
from clv_core.scratch import temporary_folder
from clv_core.strategy.audiences import log_holdout
from pages.ui import access, confirmation, flash, i18n, page_files, progress, received, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

IMPORT: Final = "models"
"""Command of the run that checks a file and registers it."""
ICONS: Final = {
    "promote": ":material/upgrade:",
    "roll_back": ":material/undo:",
    "archive": ":material/archive:",
    "unarchive": ":material/unarchive:",
    "delete": ":material/delete_forever:",
}
"""What can be done with a version; each has the sentences ``models.<action>.sure``, ``.why`` and ``.done``."""


def button(
    label: str, action: str, version: Version, champion: Version | None, key: str, *, primary: bool = False
) -> None:
    """Offer to do something with a version; a dialog describes what will happen.

    Args:
        label: names the version, or is shown next to its name.
        action: one of :data:`ICONS`.
        version: with which.
        champion: the current one as the button is drawn; where another replaced it meanwhile, nothing is done.
        key: of the button.
        primary: whether it is what the page is for.
    """
    names = {"version": version.number, "name": widgets.escape(version.name)}
    question = Confirmation(
        question=t(f"models.{action}.sure", **names),
        consequence=t(f"models.{action}.why", **names),
        label=t("models.delete.button", **names) if action == "delete" else label,
        act=partial(_perform, action, version, "" if champion is None else champion.bundle),
    )
    may = access.if_may("delete" if action == "delete" else "promote")
    kind = "primary" if primary else "secondary"
    confirmation.button(question, label, key, icon=ICONS[action], type=kind, **may)


def restore_button(version: Version) -> None:
    """Offer to bring an archived version back, which needs no question."""
    may = access.if_may("promote")
    if st.button(t("models.unarchive"), key="archive", icon=ICONS["unarchive"], **may):
        _perform("unarchive", version, "")
        st.rerun()


def _perform(action: str, version: Version, champion: str) -> None:
    """Do what was agreed to with the version that the button named, and say so at the top of the page.

    Raises:
        Refused: the current user's role does not allow it, or another version became champion meanwhile.
    """
    access.require("delete" if action == "delete" else "promote")
    registry, name, number = Registry(session.workspace()), version.name, version.number
    try:
        if action == "promote":
            done = registry.promote(name, number, instead_of=champion)
        elif action == "roll_back":
            done = registry.roll_back(name, instead_of=champion)
        elif action == "delete":
            done = registry.delete(name, number)
        else:
            done = registry.archive(name, number, back=action == "unarchive")
    except ChampionConflict as error:
        if error.params["version"] != number:
            raise
        flash.say(t("models.speaks_already", version=number, name=widgets.escape(name)))
        done = version
    else:
        flash.say(t(f"models.{action}.done", version=done.number, name=widgets.escape(name)))
    if action in ("promote", "roll_back"):
        session.choose(model=done.bundle)
    elif action in ("delete", "archive") and st.session_state.get("model") == done.bundle:
        session.choose(model="")


def keep_button(first_look: Bundle) -> None:
    """Offer to keep a first look as a version; nothing where it is one."""
    if not first_look.untrained or first_look.id in session.versions_by_model():
        return
    if st.button(t("models.keep"), key="keep_look", icon=":material/bookmark_add:", **access.if_may("train")):
        access.require("train")
        version = Registry(session.workspace()).register(first_look)
        flash.say(t("models.kept", version=version.number, name=widgets.escape(version.name)))
        st.rerun()


def export_form(version: Version) -> None:
    """Offer a version as a file."""
    with st.container(border=True):
        st.markdown(f"**{t('models.export')}**")
        st.caption(t("models.export.why"))
        st.caption(i18n.with_label(f"**{t('modelcard.memory')}**", memory_text(version.record, session.language())))
        key = f"holdout_{version.name}_{version.number}"
        holdout = version.record.holdout is not None and st.checkbox(t("models.export.holdout"), key=key)
        label, name = t("models.export.button", version=version.number), f"{version.bundle}_v{version.number}.zip"
        page_files.download(label, _archive_writer(version, holdout), name, f"export_{version.number}")


def _archive_writer(version: Version, holdout: bool) -> Callable[[], bytes]:
    work, language = session.workspace(), session.language()
    about: dict[str, str | int | None] = {"dataset": version.name, "version": version.number, "model": version.bundle}

    def write() -> bytes:
        from clv_core.deployment.model_archive import export_bundle

        with temporary_folder("clv-") as folder:
            out = folder / "model.zip"
            export_bundle(work, version, out, holdout=holdout, language=language)
            if holdout:
                log_holdout(work, version, None)
            audit.note(work, "models export", **about)
            return out.read_bytes()

    return write


def import_form(name: str) -> None:
    """Take a file and start the run that checks it and registers it as a version of ``name``."""
    with st.form("import_model", border=True, clear_on_submit=True):
        st.markdown(f"**{t('models.import')}**")
        st.caption(t("models.import.why", name=widgets.escape(name)))
        may = access.if_may("change")
        file = st.file_uploader(t("models.import.file"), type=received.MODELS, key="import_file", **may)
        submitted = st.form_submit_button(t("models.import.button"), icon=":material/upload:", **may)
    if submitted and file is None:
        st.warning(t("models.import.none"), icon=":material/info:")
    elif submitted and file is not None:
        (path,) = received.copy([file], received.new_folder())
        progress.start_job([IMPORT, "import", str(path), "--name", name], path.name)
        st.rerun()


def follow_import(dataset: Dataset) -> None:
    """Watch an import, and say how it ended; our copy of the file is removed then."""
    job = flash.follow(IMPORT)
    if job is None:
        return
    result = job.status().result
    key = "models.imported" if result["new"] else "models.imported.known"
    flash.say(t(key, version=result["version"], name=widgets.escape(result["name"])))
    upload = Path(result["file"])
    if upload.parent.parent == session.workspace().folder("uploads"):
        shutil.rmtree(upload.parent, ignore_errors=True)
    if result["name"] == dataset.name:
        session.choose(model=result["model"])
    st.rerun()
