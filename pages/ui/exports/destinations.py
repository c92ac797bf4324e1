"""Scores sent to a saved destination: checked first, then sent by a run of its own; and new destinations."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePath
from typing import Final

import pandas as pd
import streamlit as st

from clv_core import audit, jobs
from clv_core.collection.store.version_store import Dataset
from clv_core.collection.vocabulary.contact_fields import CONSENT, PHONE
from clv_core.errors import ClvError, UsageError
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.stored_contacts import stored_fields, with_stored_contacts
from clv_core.strategy.destinations import (
    KINDS,
    Destination,
    add_destination,
    list_destinations,
    push,
    remove_destination,
)
from clv_core.strategy.segments.conditions import Condition
from clv_core.strategy.segments.segment_rules import Rules
from clv_core.strategy.segments.segmentation import MEMBER
from pages.ui import access, cells, confirmation, i18n, progress, received, row_files, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.exports import choose
from pages.ui.exports.choose import ListRequest
from pages.ui.i18n import t

COMMAND: Final = "push"


def show(request: ListRequest, dataset: Dataset, *, allowed: bool) -> None:
    """Offer to check and to send the chosen customers, and to manage destinations to those who may."""
    saved = list_destinations(session.workspace())
    if saved:
        _offer(saved, request, dataset, allowed=allowed)
    else:
        st.caption(t("pushing.none"))
    if access.may("connect"):
        with st.expander(t("pushing.add"), icon=":material/add_link:"):
            _form()


def _offer(saved: list[Destination], request: ListRequest, dataset: Dataset, *, allowed: bool) -> None:
    """Offer to check and to send to one of the saved destinations, and show what became of the last push to it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        to = st.selectbox(t("pushing.to"), saved, format_func=_label, key="push_to", width=360)
        label = f"{dataset.name} → {to.name}"
        job = progress.latest_run(COMMAND, label)
        busy = progress.is_running(job)
        may = access.if_may("export", disabled=busy)
        checked = st.button(t("pushing.check"), key="push_check", icon=":material/fact_check:", **may)
        may = access.if_may("export", disabled=busy or not allowed)
        pressed = st.button(t("pushing.send"), key="push_send", icon=":material/send:", **may)
        if access.may("connect"):
            sure, why, word = t("pushing.remove.sure", name=to.name), t("pushing.remove.why"), t("pushing.remove")
            removing = Confirmation(sure, why, word, partial(_remove, to.name))
            confirmation.button(removing, word, "push_remove", icon=":material/delete:", disabled=busy)
    request = replace(request, contacts=_ask_contacts(request, dataset, KINDS[to.kind].format))
    try:
        if pressed:
            _start(to, label, request, dataset)
            st.rerun()
        if checked:
            _check(to, request, dataset)
    except ClvError as error:
        widgets.show_error(error)
    if job is not None and access.may("export") and not checked:
        _follow(job)


def _label(one: Destination) -> str:
    host = f", {one.host}" if access.may("connect") else ""
    return f"{one.name} ({_kind_name(one.kind)}{host})"


def _kind_name(kind: str) -> str:
    return KINDS[kind].title or t(f"export.{kind}")


def _ask_contacts(request: ListRequest, dataset: Dataset, format: str) -> Contacts:
    """Return how customers can be reached, asking what the list above, of another kind, did not ask."""
    fields = stored_fields(dataset)
    if not fields or not EXPORTS[format].needs_contacts or EXPORTS[request.format].needs_contacts:
        return request.contacts
    region = choose.ask_region(dataset, "push_region", format) if PHONE in fields else ""
    agreed = CONSENT in fields or choose.ask_consent(dataset, "push_assume", t("exporting.assume"))
    return replace(request.contacts, region=region or None, assume_consent=agreed)


def _check(to: Destination, request: ListRequest, dataset: Dataset) -> None:
    """Show what would be sent."""
    access.require("export")
    with st.spinner(t("exporting.wait")):
        checked = push(
            session.workspace(),
            to,
            request.members.frame(),
            request.members.side(),
            contacts=with_stored_contacts(request.contacts, dataset, KINDS[to.kind].format),
            stop=session.suppression_list(),
            dry_run=True,
            progress=NoProgress(),
        )
    st.markdown(t("pushing.checked", changed=checked.changed, unchanged=checked.unchanged))
    _show_left_out(checked.left_out)
    if checked.examples:
        st.caption(t("pushing.examples"))
        cells.table(pd.json_normalize(checked.examples), t("pushing.examples"))


def _start(to: Destination, label: str, request: ListRequest, dataset: Dataset) -> None:
    """Send in a run of its own, so that it outlives the page.

    Raises:
        Denied: the role of who is here does not allow it.
        UsageError: several segments that overlap were chosen.
    """
    access.require("export")
    members, contacts = request.members, request.contacts
    scheme = members.segmented.scheme
    words = [COMMAND, dataset.name, "--model", members.segmented.bundle.id, f"--to={to.name}", f"--scheme={scheme}"]
    chosen = [members.segmented.placed.segments[place] for place in members.segments]
    if chosen and isinstance(scheme, Rules) and scheme.overlapping:
        if len(chosen) > 1:
            raise UsageError("push_one_segment", names=", ".join(one.name(session.language()) for one in chosen))
        words.append(f"--segment={Condition(f'{MEMBER}{chosen[0].key}', '=', ('yes',))}")
    elif chosen:
        words.append(f"--segment={members.side().segment}")
    words += [f"--region={contacts.region}"] if contacts.region else []
    words += ["--assume-consent"] if contacts.assume_consent and CONSENT not in stored_fields(dataset) else []
    words += [] if contacts.ids_as_email else ["--no-ids-as-email"]
    upload = st.session_state.get("export_stop_file")
    if upload is not None:
        path = session.workspace().folder("uploads", secrets.token_hex(6)) / f"list{PurePath(upload.name).suffix}"
        path.touch(mode=0o600)
        received.save(upload, path)
        words.append(f"--suppress={path}")
    progress.start_job(words, label)


def _follow(job: jobs.Job) -> None:
    """Show a push while it runs, then what became of it, until somebody closes it."""
    status = job.status()
    if progress.is_running(job):
        progress.watch(job)
    elif not status.get("put_away"):
        with st.container(border=True):
            st.caption(i18n.moment(datetime.fromtimestamp(status["updated"], UTC).isoformat()))
            result = status.get("result") or {"failed": []}
            if status["state"] == jobs.DONE:
                st.markdown(t("pushing.sent", sent=result["sent"], unchanged=result["unchanged"]))
                _show_left_out(result["left_out"])
            if result["failed"]:
                st.warning(t("pushing.failed", failed=len(result["failed"])), icon=":material/error:")
                names = {"customer_id": t("pushing.customer"), "reason": t("pushing.reason")}
                cells.table(pd.DataFrame(result["failed"]).rename(columns=names), t("pushing.reason"))
            if status["state"] == jobs.DONE:
                icon = ":material/close:"
                st.button(t("outcome.close"), icon=icon, type="tertiary", key="push_close", on_click=job.dismiss)
            else:
                progress.show_failure(job)


def _show_left_out(left_out: dict[str, int]) -> None:
    if left_out:
        st.caption(t("exporting.left_out", reasons=row_files.reasons(left_out)))


def _remove(name: str) -> None:
    access.require("connect")
    audit.set_actor(access.current_user())
    remove_destination(session.workspace(), name)


def _form() -> None:
    """Offer to save a destination, with the fields that its kind has."""
    left, right = st.columns(2)
    with left:
        kind = st.selectbox(t("pushing.kind"), list(KINDS), format_func=_kind_name, key="push_kind")
        about = KINDS[kind]
        name = st.text_input(t("pushing.name"), key="push_name")
        table = st.text_input(t("pushing.table"), Destination.table, key="push_table") if kind == "postgresql" else ""
    with right:
        hint = about.address or about.example
        address = st.text_input(t("pushing.address"), key="push_address", placeholder=hint)
        help = t("pushing.secret.help")
        secret = st.text_input(t("pushing.secret"), key="push_secret", placeholder="env:CRM_KEY", help=help)
    if st.button(t("pushing.save"), key="push_save", type="primary", icon=":material/save:"):
        try:
            access.require("connect")
            audit.set_actor(access.current_user())
            add_destination(
                session.workspace(), name, kind, address.strip(), secret.strip(), table.strip() or "clv_scores"
            )
        except ClvError as error:
            widgets.show_error(error)
            return
        st.rerun()
