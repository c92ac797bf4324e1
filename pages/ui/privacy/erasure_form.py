"""Erase customers: whom, from where, a confirmation to type, and the certificates."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core import jobs
from clv_core.collection.parse import BLANKS
from clv_core.erasure import FOLDER, Certificate, certificates, markdown_path
from clv_core.errors import ClvError
from clv_core.strategy.audiences import read_entries, words_of
from pages.ui import cells, confirmation, flash, i18n, page_files, progress, received, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

IDS: Final = "erase_ids"
ROUND: Final = "erase_round"


def all_certificates() -> list[Certificate]:
    """Return the certificates of erasures, the latest first."""
    return certificates(session.workspace())


def headline(erasures: list[Certificate], suppressed: str) -> str:
    """Return how many customers were erased, followed by ``suppressed`` (who must not be contacted)."""
    count = sum(sum(erasure.customers.values()) for erasure in erasures if erasure.finished)
    erased = t("privacy.erased", n=f"{count:,}") if count else t("privacy.erased.none")
    return t("privacy.headline", erased=erased, suppressed=suppressed)


def follow() -> None:
    """Follow an erasure, and show its result."""
    job = flash.follow("erase")
    if job is None:
        return
    result = job.status().result
    parts = [t("privacy.erase.done", found=f"{result['found']:,}", n=f"{result['customers']:,}")]
    if result["retrain"]:
        parts.append(t("privacy.erase.retrain", models=i18n.join_names(map(widgets.escape, result["retrain"]))))
    if result["remains"]:
        parts.append(t("privacy.erase.remains", n=len(result["remains"])))
    if result.get("unsure"):
        parts.append(t("privacy.erase.unsure", n=len(result["unsure"])))
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    flash.say(i18n.join_sentences(parts))
    st.rerun()


def show() -> None:
    """Show the form and the certificates."""
    _unfinished()
    with st.container(border=True):
        st.markdown(f":red[:material/person_remove: **{t('privacy.erase')}**]  \n{t('privacy.erase.why')}")
        ids = _ids()
        scope = _scope()
        _offer_erasing(ids, scope)
    _certificates()


def _ids() -> list[str]:
    """Return the ids that were typed or uploaded in a file, each once."""
    mark = st.session_state.get(ROUND, 0)
    typed = st.text_area(t("privacy.erase.ids"), key=f"{IDS}_{mark}", height=110, help=t("privacy.erase.ids.help"))
    file = st.file_uploader(t("privacy.erase.file"), received.LISTS, key=f"{IDS}_file_{mark}")
    words = (typed or "").splitlines()
    if file is not None:
        try:
            read = partial(read_entries, exact=True)
            words += words_of(received.read_once(file, session.workspace(), read))
        except ClvError as error:
            widgets.show_error(error)
    return sorted({word.strip(BLANKS) for word in words if word.strip(BLANKS)})


def _scope() -> str:
    """Return the only dataset to erase from, "" for all."""
    names = [item.name for item in session.newest_datasets()]
    if len(names) < 2:
        return ""
    options = {"": t("privacy.erase.everywhere"), **{name: name for name in names}}
    return widgets.select(t("privacy.erase.scope"), options, "erase_scope", help=t("privacy.erase.scope.help"))


def _offer_erasing(ids: list[str], scope: str) -> None:
    label = t("privacy.erase.button", n=f"{len(ids):,}") if ids else t("privacy.erase.button.none")
    place = t("privacy.erase.from", name=widgets.escape(scope)) if scope else t("privacy.erase.from_all")
    question = Confirmation(
        question=t("privacy.erase.sure", n=f"{len(ids):,}"),
        consequence=f"{place} {t('privacy.erase.why')}\n\n{t('privacy.erase.stays')}",
        label=label,
        act=partial(_erase, ids, scope),
        typed=str(len(ids)),
    )
    icon = ":material/delete_forever:"
    confirmation.button(question, label, "erase_for_good", disabled=not ids, icon=icon)


def _erase(ids: list[str], scope: str) -> None:
    path = session.workspace().folder(FOLDER) / f"asked-{secrets.token_hex(6)}.txt"
    path.touch(mode=0o600)
    path.write_text("".join(f"{word}\n" for word in ids), encoding="utf-8")
    command = ["erase", "--file", str(path), *(["--dataset", scope] if scope else [])]
    progress.start_job(command, scope or t("privacy.erase.everywhere"))


def _unfinished() -> None:
    """Offer to finish an erasure that was cut off: the file of its ids stays until it is done."""
    job = progress.latest_run("erase")
    if job is None or job.status().state in (jobs.RUNNING, jobs.DONE):
        return
    if job == progress.followed_run("erase") and job.status().state == jobs.INTERRUPTED:
        return  # it is offered where the run is shown
    words = job.status().args
    file = Path(words[words.index("--file") + 1]) if "--file" in words else None
    if file is not None and file.is_file():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":orange[:material/warning: {t('privacy.erase.unfinished')}]")
            if st.button(t("privacy.erase.finish"), key="erase_again", icon=":material/refresh:"):
                progress.restart(job)


def _certificates() -> None:
    finished = [certificate for certificate in all_certificates() if certificate.finished]
    st.header(t("privacy.certificates"), anchor=False)
    if not finished:
        st.caption(t("privacy.certificates.none"))
        return
    table = pd.DataFrame(
        {
            t("privacy.certificate.when"): [i18n.moment(certificate.finished) for certificate in finished],
            t("privacy.certificate.who"): [certificate.who for certificate in finished],
            t("privacy.certificate.scope"): [
                certificate.dataset or t("privacy.erase.everywhere") for certificate in finished
            ],
            t("privacy.certificate.asked"): [len(certificate.customers) for certificate in finished],
            t("privacy.certificate.found"): [sum(certificate.customers.values()) for certificate in finished],
            t("privacy.certificate.models"): [len(certificate.learned) for certificate in finished],
            t("privacy.certificate.remains"): [len(certificate.remains) for certificate in finished],
        }
    )
    cells.table(table, t("privacy.certificates"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {
            certificate.id: t(
                "privacy.certificate.name", when=i18n.moment(certificate.finished), n=len(certificate.customers)
            )
            for certificate in finished
        }
        selected_id = widgets.select(t("privacy.certificate.which"), names, "certificate")
        root = session.workspace().root
        text = markdown_path(session.workspace(), selected_id, session.language())
        name = f"erasure-{selected_id}"
        page_files.download(t("privacy.certificate.text"), text.read_text(encoding="utf-8"), f"{name}.md", "erasure_md")
        record = (root / FOLDER / f"{selected_id}.json").read_text(encoding="utf-8")
        page_files.download("JSON", record, f"{name}.json", "erasure_json")
