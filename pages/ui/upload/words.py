"""Tables of the file's own words, of events or of states of orders, with what each is taken for; it can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.check import Check
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import MEANINGS, SOLD
from clv_core.columns import EVENT_TYPES
from pages.ui import cells, state
from pages.ui.saying import t
from pages.ui.upload import uploading

FEW: Final = 20
"""A table opens by itself where so many of its words, or fewer, are not known."""


@dataclass(frozen=True)
class Word:
    """One of the file's words.

    Args:
        word: as it stands in the file.
        rows: how many rows carry it.
        usual: what it is taken for where the person says nothing; empty where it has no meaning of its own.
        column: the source column that it stands in; empty where there is but one.
    """

    word: str
    rows: int
    usual: str
    column: str = ""


def event_types(found: Check) -> None:
    """Show what each name of an event is taken for, and keep what the person changes."""
    listed = [item for item in found.event_names if item.name]
    as_it_is = t("look.events.as_it_is")
    words = {t(f"event.{kind}"): kind for kind in EVENT_TYPES} | {as_it_is: ""}
    unknown = sum(item.event_type not in EVENT_TYPES for item in listed)
    changed = _table(
        "events",
        found,
        [Word(item.name, item.rows, item.usual if item.usual in EVENT_TYPES else "") for item in listed],
        words,
        {name: kind if kind in EVENT_TYPES else "" for name, kind in uploading.answers().events.items()},
        unknown,
    )
    _keep("events", {name: kind or name for name, kind in changed.items()} if listed else None)


def order_states(found: Check) -> None:
    """Show what each state of an order is taken for, and keep what the person changes."""
    several = len({item.column for item in found.states}) > 1
    listed = [Word(item.word, item.rows, item.usual, item.column if several else "") for item in found.states]
    words = {t(f"look.states.{meaning or 'unknown'}"): meaning for meaning in (*MEANINGS, "")}
    said = {item.word: item.meaning for item in found.states if item.known}
    changed = _table("states", found, listed, words, said, sum(not item.known for item in found.states))
    here = {fold(item.word) for item in found.states}
    elsewhere = {word: meaning for word, meaning in uploading.answers().states.items() if fold(word) not in here}
    _keep("states", elsewhere | {word: meaning or SOLD for word, meaning in changed.items()} if listed else None)


def _table(
    kind: str, found: Check, listed: Sequence[Word], words: Mapping[str, str], said: Mapping[str, str], unknown: int
) -> dict[str, str]:
    """Return word -> meaning for the words that are given another than the usual one.

    Args:
        kind: ``events`` or ``states``, in keys of texts and widgets.
        found: the check.
        listed: the words; where there are none, nothing is shown.
        words: what the person reads -> the meaning.
        said: word -> meaning, as the person said so far.
        unknown: how many of the words are not known.
    """
    if not listed:
        return {}
    read = {meaning: shown for shown, meaning in words.items()}
    table = pd.DataFrame(
        {
            **({"column": [item.column for item in listed]} if any(item.column for item in listed) else {}),
            "word": [item.word for item in listed],
            "rows": [item.rows for item in listed],
            "meaning": [read[said.get(item.word, item.usual)] for item in listed],
        }
    )
    label = t(f"look.{kind}" if unknown else f"look.{kind}.known", names=len(listed), unknown=unknown)
    config = st.column_config
    with st.expander(label, icon=":material/swap_horiz:", expanded=0 < unknown <= FEW):
        st.caption(t(f"look.{kind}.why"))
        edited = st.data_editor(
            table,
            key=f"{kind}_{found.manifest.source}_{state.language()}_{st.session_state.get(uploading.ROUND, 0)}",
            hide_index=True,
            disabled=["column", "word", "rows"],
            column_config={
                "column": config.TextColumn(t("upload.problems.column")),
                "word": config.TextColumn(t("look.events.name")),
                "rows": cells.whole(t("upload.problems.rows")),
                "meaning": config.SelectboxColumn(t("upload.column.ours"), options=list(words), required=True),
            },
            placeholder="–",
            alt=label,
        )
    meanings = [words[shown] for shown in edited["meaning"]]
    return {item.word: meaning for item, meaning in zip(listed, meanings, strict=True) if meaning != item.usual}


def _keep(kind: str, said: dict[str, str] | None) -> None:
    """Keep what was said of a kind of words, and look at the file anew where that has changed."""
    if said is not None and said != getattr(uploading.answers(), kind):
        uploading.answer(**{kind: said})
        st.rerun()
