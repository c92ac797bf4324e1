"""Parts of pages that are drawn by themselves, and two people at once, as a browser's socket has them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from clv_core.i18n import translate
from tests.e2e.conftest import ROOT, serving


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over a workspace with a dataset and a model of each kind."""
    folder = tmp_path_factory.mktemp("frozen")
    with zipfile.ZipFile(ROOT / "tests" / "frozen" / "workspace.zip") as packed:
        packed.extractall(folder)
    with serving(folder / "workspace") as base:
        yield base


@pytest.fixture
def socket(address: str) -> Iterator[ClientConnection]:
    """A browser's socket."""
    with listening(address) as found:
        yield found


def listening(address: str) -> ClientConnection:
    """Open a browser's socket."""
    stream = address.replace("http", "ws") + "/_stcore/stream"
    return connect(stream, origin=address, subprotocols=["streamlit"], max_size=None)  # type: ignore[arg-type, list-item]


def ask(socket: ClientConnection, page: str, query: str, fragment: str = "", **widgets: float | str) -> None:
    """Ask for a page, or for one part of it, with values of sliders and of choices by their ids."""
    asked = BackMsg()
    asked.rerun_script.query_string, asked.rerun_script.page_name = query, page
    asked.rerun_script.fragment_id = fragment
    for name, value in widgets.items():
        state = asked.rerun_script.widget_states.widgets.add(id=name)
        if isinstance(value, str):
            state.string_array_value.data.append(value)
        else:
            state.double_array_value.data.append(value)
    socket.send(asked.SerializeToString())


def hear(socket: ClientConnection) -> list[Delta]:
    """Return what the server draws until it rests."""
    drawn: list[Delta] = []
    while True:
        heard = ForwardMsg.FromString(socket.recv(60))  # type: ignore[arg-type]
        if heard.WhichOneof("type") == "delta":
            drawn.append(heard.delta)
        if heard.WhichOneof("type") == "script_finished":
            return drawn


def kinds(drawn: list[Delta], kind: str) -> list[Delta]:
    """Return the elements of a kind."""
    return [one for one in drawn if one.new_element.WhichOneof("type") == kind]


def test_a_slider_of_a_part_redraws_that_part_alone(socket: ClientConnection) -> None:
    query = "lang=en&model="
    ask(socket, "evaluate", query)
    (parts,) = [
        one for one in kinds(hear(socket), "button_group") if "evaluate_part" in one.new_element.button_group.id
    ]
    ask(socket, "evaluate", query, **{parts.new_element.button_group.id: translate("evaluate.part.buyers")})
    whole = hear(socket)
    (slider,) = kinds(whole, "slider")
    own = [one for one in whole if one.fragment_id == slider.fragment_id]
    assert slider.fragment_id and kinds(whole, "heading") and not kinds(own, "heading")
    ask(socket, "evaluate", query, slider.fragment_id, **{slider.new_element.slider.id: 5})
    part = hear(socket)
    assert part and {one.fragment_id for one in part} == {slider.fragment_id}
    assert len(part) == len(own) and not kinds(part, "heading")
    before, after = ([one.new_element.metric.body for one in kinds(drawn, "metric")] for drawn in (own, part))
    assert len(before) == len(after) == 4 and before != after
    spec = [[one.new_element.plotly_chart.spec for one in kinds(drawn, "plotly_chart")] for drawn in (own, part)]
    assert spec[0][0] != spec[1][0] and spec[0][1:] == spec[1][1:]


def test_two_who_ask_at_once_are_answered_each_in_her_language(address: str) -> None:
    with listening(address) as one, listening(address) as other:
        people = ((one, "en"), (other, "zh"))
        for page in ("home", "segments", "evaluate", "strategy"):
            for socket, lang in people:
                ask(socket, page, f"lang={lang}")
            for socket, lang in people:
                titles = [found.new_element.heading.body for found in kinds(hear(socket), "heading")]
                assert titles[0] == translate(f"page.{page}", lang)
                assert all(("\u4e00" <= max(title)) is (lang == "zh") for title in titles), titles
