"""Scores sent to a saved destination: checked first, then sent by a run of its own; and new destinations."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePath
from typing import Final

import pandas as pd
import streamlit as st

from clv_core import audit, jobs
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import PHONE
from clv_core.errors import ClvError, Message, UsageError
from clv_core.i18n import without_options
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences import EXPORTS, Contacts, knows_consent, stored_fields
from clv_core.strategy.destinations import (
    KINDS,
    MARKETING,
    Destination,
    Pushed,
    PushList,
    add_destination,
    list_destinations,
    push_contacts,
    remove_destination,
    set_purpose,
)
from clv_core.strategy.destinations.push import push
from clv_core.strategy.segments import MEMBER, Condition, Rules
from pages.ui import access, cells, confirmation, i18n, progress, received, row_files, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.exports import campaigns, choose, lists
from pages.ui.exports.campaigns import Measured
from pages.ui.exports.choose import ListRequest
from pages.ui.i18n import t

COMMAND: Final = "push"
OF_PUSHES: Final = "warning.push_"
"""How the codes of warnings begin that are about pushes alone."""


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
        to = st.selectbox(t("pushing.to"), saved, format_func=_label, key="push_to", width=320)
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
            _offer_purpose(to, disabled=busy)
    request = replace(request, contacts=_ask_contacts(request, dataset, to), measured=_ask_campaign(request, to))
    try:
        if pressed:
            _ask_or_start(to, label, request, dataset)
            st.rerun()
        if checked:
            _check(to, request, dataset)
    except ClvError as error:
        widgets.show_error(error)
    if job is not None and access.may("export") and not checked:
        _follow(job)


def _label(destination: Destination) -> str:
    facts = [
        _kind_name(destination.kind),
        _purpose_name(destination.purpose),
        *([destination.host] if access.may("connect") else []),
    ]
    return f"{destination.name} ({', '.join(facts)})"


def _purpose_name(purpose: str) -> str:
    return t(f"pushing.purpose.{purpose}")


def _offer_purpose(to: Destination, *, disabled: bool) -> None:
    """Offer to change what a destination is for, where its kind can be for something else."""
    for purpose in KINDS[to.kind].purposes:
        if purpose != to.purpose:
            sure, why = t(f"pushing.{purpose}.sure", name=to.name), t(f"pushing.{purpose}.why")
            changing = Confirmation(sure, why, t(f"pushing.{purpose}"), partial(_set_purpose, to.name, purpose))
            word, icon = t("pushing.purpose.change"), ":material/swap_horiz:"
            confirmation.button(changing, word, "push_purpose", icon=icon, disabled=disabled)


def _kind_name(kind: str) -> str:
    return KINDS[kind].title or t(f"export.{kind}")


def _ask_contacts(request: ListRequest, dataset: Dataset, to: Destination) -> Contacts:
    """Return how customers can be reached, asking what the list above, of another kind, did not ask."""
    fields, format = stored_fields(dataset), KINDS[to.kind].format
    needs_contacts = EXPORTS[format].needs_contacts
    if to.purpose != MARKETING or EXPORTS[request.format].needs_contacts or (needs_contacts and not fields):
        return request.contacts
    agreed = knows_consent(dataset) or choose.ask_consent(dataset, "push_assume", t("exporting.assume"))
    if not needs_contacts:
        return replace(request.contacts, assume_consent=agreed)
    region = choose.ask_region(dataset, "push_region", format) if PHONE in fields else ""
    return replace(request.contacts, region=region or None, assume_consent=agreed)


def _ask_campaign(request: ListRequest, to: Destination) -> Measured:
    """Return the campaign of a push: that of the list above where it is one for marketing, else what is asked."""
    if to.purpose != MARKETING:
        return Measured()
    if EXPORTS[request.format].needs_contacts and EXPORTS[request.format].conversion_days is None:
        return request.measured
    return campaigns.ask(request.members, "push", proposed=True)


def _checked(to: Destination, request: ListRequest, dataset: Dataset) -> Pushed:
    """Return what would be sent."""
    access.require("export")
    with st.spinner(t("exporting.wait")):
        members, contacts = request.members, push_contacts(to, request.contacts, dataset)
        campaign, stop = request.measured.campaign, session.suppression_list()
        people = PushList(members.frame(), members.side(), contacts, stop, campaign)
        return push(session.workspace(), to, people, dry_run=True, progress=NoProgress())


def _check(to: Destination, request: ListRequest, dataset: Dataset) -> None:
    """Show what would be sent, and whom not and why."""
    checked = _checked(to, request, dataset)
    st.markdown(t("pushing.checked", changed=checked.changed, unchanged=checked.unchanged))
    _show_left_out(checked.audience, checked.left_out)
    _show_notes(checked.notes)
    if checked.examples:
        st.caption(t("pushing.examples"))
        cells.table(pd.json_normalize(checked.examples), t("pushing.examples"))


def _ask_or_start(to: Destination, label: str, request: ListRequest, dataset: Dataset) -> None:
    """Start a push; ask first where it leaves out more than the last one, or leaves some of a control group there."""
    checked = _checked(to, request, dataset)
    if not (checked.more_left_out or checked.control_there):
        _start(to, label, request, dataset)
        return
    notes = [_note_text(note) for note in checked.notes if note.code.startswith(OF_PUSHES)]
    notes.append(t("exporting.left_out", reasons=row_files.reasons(checked.left_out)))
    if checked.more_left_out:
        sure = t("pushing.more.sure", more=checked.more_left_out)
    else:
        sure = t("pushing.control.sure", customers=checked.control_there)
    starting = partial(_start, to, label, request, dataset)
    confirmation.ask(Confirmation(sure, i18n.join_sentences(notes), t("pushing.send"), starting))


def _start(to: Destination, label: str, request: ListRequest, dataset: Dataset) -> None:
    """Send in a run of its own, so that it outlives the page.

    Raises:
        Denied: the current user's role does not allow it.
        UsageError: several segments that overlap were chosen.
    """
    access.require("export")
    members, contacts = request.members, request.contacts
    scheme = members.segmented.scheme
    words = [COMMAND, dataset.name, "--model", members.segmented.bundle.id, f"--to={to.name}", f"--scheme={scheme}"]
    segments = [members.segmented.placed.segments[place] for place in members.segments]
    if segments and isinstance(scheme, Rules) and scheme.overlapping:
        if len(segments) > 1:
            raise UsageError(
                "push_one_segment", names=", ".join(segment.name(session.language()) for segment in segments)
            )
        words.append(f"--segment={Condition(f'{MEMBER}{segments[0].key}', '=', ('yes',))}")
    elif segments:
        words.append(f"--segment={members.side().segment}")
    words += [f"--region={contacts.region}"] if contacts.region else []
    words += ["--assume-consent"] if contacts.assume_consent and not knows_consent(dataset) else []
    words += [] if contacts.ids_as_email else ["--no-ids-as-email"]
    words += request.measured.words()
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
    elif not status.put_away:
        with st.container(border=True):
            st.caption(i18n.moment(datetime.fromtimestamp(status.updated, UTC).isoformat()))
            result = status.result or {"failed": []}
            if status.state == jobs.DONE:
                st.markdown(t("pushing.sent", sent=result["sent"], unchanged=result["unchanged"]))
                _show_left_out(result.get("audience"), result["left_out"])
                notes = [
                    Message(f"warning.{warning['code']}", warning["params"]) for warning in result.get("warnings", ())
                ]
                _show_notes(note for note in notes if note.code != "warning.not_trusted")
            if result["failed"]:
                st.warning(t("pushing.failed", failed=len(result["failed"])), icon=":material/error:")
                names = {"customer_id": t("pushing.customer"), "reason": t("pushing.reason")}
                cells.table(pd.DataFrame(result["failed"]).rename(columns=names), t("pushing.reason"))
            if status.state == jobs.DONE:
                icon = ":material/close:"
                st.button(t("outcome.close"), icon=icon, type="tertiary", key="push_close", on_click=job.dismiss)
            else:
                progress.show_failure(job)


def _show_left_out(audience: int | None, left_out: dict[str, int]) -> None:
    """Show how many customers can have arrived at the destination, and why the others are left out."""
    if left_out:
        total = None if audience is None else audience + sum(left_out.values())
        sentences = [] if total is None else [t("pushing.of", audience=audience, asked=total)]
        st.caption(i18n.join_sentences([*sentences, t("exporting.left_out", reasons=row_files.reasons(left_out))]))


def _show_notes(notes: Iterable[Message]) -> None:
    """Show the warnings of a push; those on what it sends stand out."""
    remaining = []
    for note in notes:
        if note.code.startswith(OF_PUSHES):
            st.warning(_note_text(note), icon=":material/shield_person:")
        else:
            remaining.append(note)
    lists.say_notes(remaining)


def _note_text(note: Message) -> str:
    return widgets.escape(without_options(note.text(session.language())))


def _set_purpose(name: str, purpose: str) -> None:
    access.require("connect")
    audit.set_actor(access.current_user())
    set_purpose(session.workspace(), name, purpose)


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
        purpose, names = MARKETING, {purpose_key: _purpose_name(purpose_key) for purpose_key in about.purposes}
        if len(names) > 1:
            help = t("pushing.purpose.help")
            purpose = widgets.choose(t("pushing.purpose"), names, f"push_purpose_of_{kind}", help=help)
    with right:
        hint = about.address or about.example
        address = st.text_input(t("pushing.address"), key="push_address", placeholder=hint)
        help = t("pushing.secret.help")
        secret = st.text_input(t("pushing.secret"), key="push_secret", placeholder="env:CRM_KEY", help=help)
    if st.button(t("pushing.save"), key="push_save", type="primary", icon=":material/save:"):
        try:
            access.require("connect")
            audit.set_actor(access.current_user())
            table = table.strip() or Destination.table
            add_destination(session.workspace(), name, kind, address.strip(), secret.strip(), table, purpose)
        except ClvError as error:
            widgets.show_error(error)
            return
        st.rerun()
