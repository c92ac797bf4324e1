"""Rules for what Streamlit draws by itself: readable colours, and its own words in the language of the page.

It knows English only, and takes no words for these.

Its page calls itself English too, and a screen reader would use an English voice: a line of script sets the language.

A rule hides the English text and shows ours in its place. Where another version of Streamlit builds a
place anew, the rule finds nothing and the English text is back: nothing else can break.
"""

from __future__ import annotations

import json
from typing import Final

import streamlit as st

from pages.ui import received, session
from pages.ui.i18n import t

DROP_ZONE: Final = "[data-testid='stFileUploaderDropzone']"
MENU: Final = "[data-testid='stMainMenuItem-{item}']"
TIP: Final = "[data-testid='stTooltipContent'] p"
WRONG: Final = "[data-testid='stTooltipErrorContent']"
POINTED_AT: Final = "body:has({what}:hover) {tip}"
"""A tip is no child of its element: the element under the pointer determines which tip is shown."""
SMALL: Final = "0.875rem"
TOOL: Final = "[data-testid='stElementToolbarButton'] button[aria-label^='{label}']"
TOOLS: Final = {
    "columns": "Show/hide columns",
    "csv": "Download as CSV",
    "search": "Search",
    "fullscreen": "Fullscreen",
    "close": "Close fullscreen",
    "unselect": "Clear selection",
    "add_row": "Add row",
    "delete_rows": "Delete row(s)",
}
"""Buttons over a table, by what they are called in English."""

PLACES: Final = {
    "upload": f"{DROP_ZONE} > span button p",
    "drop": f"{DROP_ZONE} > input + div > span:only-child",
    "enter": "[data-testid='InputInstructions'] > span:first-child",
    "enter_lines": ".stTextArea [data-testid='InputInstructions'] > span:first-child",
    "no_results": "[role='listbox'][data-empty='true'] [role='option'] > span",
    "number": POINTED_AT.format(
        what="[data-testid='stNumberInputContainer'] .stTooltipErrorHoverTarget", tip=f"{WRONG} p"
    ),
    "file": POINTED_AT.format(what="[data-testid='stFileChips'] .stTooltipErrorHoverTarget", tip=WRONG),
    "theme_system": f"button{MENU.format(item='theme-System')}",
    "theme_light": f"button{MENU.format(item='theme-Light')}",
    "theme_dark": f"button{MENU.format(item='theme-Dark')}",
    "print": f"{MENU.format(item='print')} [data-testid='stMainMenuItemLabel']",
    "record": f"{MENU.format(item='recordScreencast')} [data-testid='stMainMenuItemLabel']",
    **{name: POINTED_AT.format(what=TOOL.format(label=label), tip=TIP) for name, label in TOOLS.items()},
    "all_columns": "[data-testid='stDataFrameColumnVisibilityMenu'] > div > label:first-child > span:last-child",
}
"""The element of each text; the sentence is ``streamlit.<name>``, in English Streamlit's own."""
KINDS: Final = (received.LISTS, received.EXPERIMENTS, received.MODELS)
SPOKEN: Final = {"en": "en", "zh": "zh-CN"}
"""Languages as browsers and screen readers know them."""
NO_ROOM: Final = "[data-testid='stElementContainer']:has(> [data-testid='stHtml'] > script) {display: none} "
"""What holds that line would be as far from the title as a paragraph."""
CHOSEN: Final = tuple(
    rule
    for kind in ("segmented_control", "pills")
    for rule in (f"button[kind='{kind}Active']", f"button[data-variant='{kind}'][data-selected]")
)
SLIDER_VALUE: Final = "stSliderThumbValue"
METRIC: Final = "[data-testid='stMetric'] [data-testid='stMarkdownContainer']"
STYLE: Final = (
    f"{', '.join(f'{selector}:not(:disabled):not([data-disabled])' for selector in CHOSEN)}"
    " {color: inherit; font-weight: 600}"
    f" [data-testid='{SLIDER_VALUE}'] {{color: inherit}}"
    f" {METRIC}, {METRIC} p {{white-space: normal; overflow: visible; text-overflow: clip}}"
)
"""A selected option has a border, a tint and bold text, in the colour of all text. The primary
colour has to be dark enough for white words on it, and in the dark theme is then too dark to be words itself: so is
the value above the knob of a slider. A figure and its label wrap where they would be cut off."""
SIZE: Final = "[data-testid='stFileUploaderDropzoneInstructions'] span"


def apply() -> None:
    """Say the page's language, and put the rules into the page; they take no room in it."""
    script = f"<script>document.documentElement.lang = '{SPOKEN[session.language()]}'</script>"
    st.html(script, unsafe_allow_javascript=True)
    words = rules() if session.language() != "en" else ""
    st.html(f"<style>{STYLE} {NO_ROOM}{words}</style>")


def rules() -> str:
    """Return the rules for the language of the page."""
    sentences = {place: t(f"streamlit.{name}") for name, place in PLACES.items()}
    most = t("streamlit.size", size=st.get_option("server.maxUploadSize"))
    return "".join(_rule(place, words) for place, words in {**sentences, **_sizes(most)}.items())


def _sizes(most: str) -> dict[str, str]:
    """Return the text of drop zones next to their button: maximum file size, and the kinds if restricted."""
    rules_by_place = {SIZE: most}
    for kinds in KINDS:
        ends = ",".join(f".{kind}" for kind in kinds)
        rules_by_place[f"input[accept$=',{ends}'] ~ {SIZE}"] = f"{most} • {', '.join(kinds).upper()}"
    return rules_by_place


def _rule(place: str, words: str) -> str:
    content = json.dumps(words, ensure_ascii=False)
    return f"{place}{{font-size:0}} {place}::after{{content:{content};font-size:{SMALL}}} "
