"""Pieces that pages share: headline, figures in a row, empty and broken states, context line, chart, choice."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, Literal, NoReturn, ParamSpec, TypeVar

import streamlit as st

from clv_core.collection.store import Dataset, Manifest
from clv_core.deployment import Bundle, Scored, Terms
from clv_core.disk import disk_error
from clv_core.errors import ClvError, Message, traced
from clv_core.i18n import without_options
from clv_core.jobs import JobError
from clv_core.plot import Chart
from pages.ui import i18n, navigation, session
from pages.ui.i18n import t
from pages.ui.terms import span

Option = TypeVar("Option")
P = ParamSpec("P")


@dataclass(frozen=True)
class Figure:
    """One figure of a row.

    Args:
        label: what it is, in a few words.
        value: formatted.
        help: one plain sentence behind the help mark.
        note: small text under the value, such as the comparison.
        good: whether the note is good news, bad news, or neither.
    """

    label: str
    value: str
    help: str
    note: str | None = None
    good: bool | None = None


def headline(finding: str, *context: str) -> None:
    """Open a page with its finding, and say below what it is about."""
    st.header(finding, anchor=False)
    if context:
        st.caption("  \n".join(context))


def figures(row: Iterable[Figure], columns: int = 4, width: int = 200) -> None:
    """Show figures side by side; they wrap where one would be narrower than ``width`` pixels."""
    with st.grid(columns, min_column_width=width, gap="small"):
        for item in row:
            colour: Literal["off", "green", "orange"] = (
                "off" if item.good is None else "green" if item.good else "orange"
            )
            st.metric(
                item.label,
                item.value,
                item.note,
                delta_color=colour,
                delta_arrow="off",
                help=item.help,
                border=True,
                height="stretch",
            )


def need(what: str, page: str) -> NoReturn:
    """Say what is missing and why it matters, with a button that leads to it, and end the page here.

    Args:
        what: ``dataset``, ``model`` or another state with the sentences ``need.<what>``, ``.why`` and ``.button``.
        page: name of the page that makes it.
    """
    with st.container(border=True, horizontal_alignment="left"):
        st.header(t(f"need.{what}"), anchor=False)
        st.write(t(f"need.{what}.why"))
        navigation.button(page, t(f"need.{what}.button"), f"need_{what}", type="primary")
    st.stop()


def need_dataset() -> Dataset:
    """Return the dataset in use; where there is none, say so and end the page."""
    dataset = session.dataset()
    if dataset is None:
        need("dataset", "upload")
    return dataset


def need_model() -> Scored:
    """Return the dataset in use by the model in use, for the trained horizon; where one is missing, end the page."""
    dataset, model = need_dataset(), session.model()
    if model is None:
        need("model", "train")
    return session.scored(dataset, model)


def show_error(error: ClvError | Message | JobError) -> None:
    """Show what failed and what to do; the data is safe."""
    text = _worded(error)
    st.error(escape(without_options(text)), icon=":material/error:")


def show_refusal(error: ClvError | JobError) -> None:
    """Say why a part of a page has nothing to show: the log does not hold what it needs."""
    text = _worded(error)
    with st.container(border=True):
        st.header(t("strategy.refused"), anchor=False)
        st.write(escape(text))


def _worded(error: ClvError | Message | JobError) -> str:
    """Return an error in the language of the page, which may not be the one that a job ran in."""
    if isinstance(error, ClvError):
        if "canonical" not in error.params:
            return error.message(session.language())  # a page's own error may have words of its own
        return t(f"error.{error.code}", **i18n.named_params(error.params))
    if error.code == "unexpected":
        return t("job.broken")
    return t(f"error.{error.code}", **i18n.named_params(error.params))


def warning_text(item: dict[str, Any]) -> str:
    """Return a stored warning or reason in the language of the page."""
    return t(item["code"], **item["params"])


def read_only() -> None:
    """Say on every page that nothing can be kept, where the workspace may be read but not written."""
    work = session.workspace()
    if work.read_only:
        st.warning(t("workspace.read_only", path=escape(str(work.root))), icon=":material/edit_off:")


def model_labels(bundles: Iterable[Bundle], *, roles: bool = False) -> dict[str, str]:
    """Return short names of models by id, the most distinctive part first: version, horizon, kind.

    A model without a version has its time of training last; ``roles``: the champion is marked as such.
    """
    versions, labels = session.versions_by_model(), {}
    for bundle in bundles:
        record, version = bundle.record, versions.get(bundle.id)
        parts = [] if version is None else [f"v{version.number}"]
        parts.append(t("unit.days.short", n=record.horizon_days))
        if roles and version is not None and version.role == "champion":
            parts.append(t("models.role.champion"))
        parts.append(i18n.name_of("model", record.model))
        parts += [i18n.moment(record.created)] if version is None else []
        labels[bundle.id] = " · ".join(parts)
    return labels


def context_line(bundle: Bundle, as_of: date | str | None = None, terms: Terms | None = None) -> str:
    """Return dataset, cutoff, horizon with discount and margin, and model in one line; None is the trained horizon.

    The model is named by version and kind; its id is on the models page and in files.
    """
    record = bundle.record
    terms, version = terms or Terms(record.horizon_days), session.versions_by_model().get(bundle.id)
    version_words = [] if version is None else [f"v{version.number}"]
    return t(
        "context",
        dataset=escape(record.dataset.name),
        cutoff=i18n.day(as_of or record.cutoff),
        span=" · ".join([span(terms), *map(i18n.message_text, terms.rates())]),
        model=" · ".join([*version_words, i18n.name_of("model", record.model)]),
    )


def escape(text: str) -> str:
    """Return text from a file so that no part of it is read as formatting.

    What Streamlit draws as an icon, an emoji or a link, of an e-mail address too, it finds behind all escapes; an
    invisible joiner keeps letters.
    """
    text = re.sub(r"(?i):(?=[\w+/-]+:)|https?:(?=//)|www(?=\.)|(?<=\S)@(?=\S)", "\\g<0>\u2060", text)
    return re.sub(r"([\\`*_{}\[\]()#+!|<>$~:&])", r"\\\1", text)


def chart(drawn: Chart, key: str) -> None:
    """Show a chart under its message, which wraps where a title inside the chart would be cut off."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{escape(drawn.message)}**")
        st.plotly_chart(drawn.figure, key=key, alt=drawn.message, config={"displayModeBar": False})


def accounting(facts: Manifest) -> str:
    """Return the accounting line of a log: every row read is kept, rejected, or a duplicate."""
    return t(
        "upload.accounting",
        read=f"{facts.rows_read:,}",
        kept=f"{facts.rows_kept:,}",
        aside=f"{facts.rows_set_aside:,}",
        repeated=f"{facts.rows_duplicate:,}",
    )


def choose(label: str, options: Mapping[Option, str], key: str, **how: Any) -> Option:
    """Let the person choose one of a few views or ways: the first until they do, and theirs as long as they stay.

    ``how``: further options of the widget.
    """
    selected: Option = st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        default=next(iter(options)),
        required=True,
        key=key,
        persist_state="session",
        wrap=True,
        **how,
    )
    return selected


def select(label: str, options: Mapping[Option, str], key: str, **how: Any) -> Option:
    """Let the person choose one of many, each with what it is called; ``how``: further options of the widget."""
    selected: Option = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, **how)
    return selected


def show_failure(error: Exception) -> None:
    """Show why a page failed, where the cause is identified: a full disk, a folder without write permission.

    For other errors the page shows the time; the traceback is in the server's log under the same time.
    """
    clv_error = error if isinstance(error, ClvError) else disk_error(error, [session.workspace().root])
    if clv_error is not None:
        show_error(clv_error)
        return
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    logging.getLogger(__name__).error("page failed at %s: %s", when, traced(error))
    st.error(t("page.broken", time=when), icon=":material/error:")


def safe_fragment(draw: Callable[P, None]) -> Callable[P, None]:
    """Return a part of a page that is redrawn by itself, and shows its own errors."""

    @st.fragment
    @wraps(draw)
    def drawn(*words: P.args, **named: P.kwargs) -> None:
        try:
            draw(*words, **named)
        except Exception as error:
            show_failure(error)

    return drawn
