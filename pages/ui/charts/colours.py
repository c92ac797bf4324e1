"""The colours of charts. One colour has one meaning on all pages.

They stand for positions in ``chartCategoricalColors`` and ``chartSequentialColors`` of ``.streamlit/config.toml``;
``st.plotly_chart`` puts the colours of the light or dark theme in their place, so that a figure follows a change of
theme at once.
"""

from __future__ import annotations

from typing import Final

PREDICTED, ACTUAL, BASELINE, WARNING, DANGER, GAIN, OTHER = (f"#00000{position}" for position in range(1, 8))
HISTORY: Final = PREDICTED
"""The brand's colour, for what happened where no prediction stands beside it; beside one it is ACTUAL."""
WORDS: Final = "#000010"
RAMP: Final = tuple(f"#0000{position}" for position in range(11, 21))
RAMP_SCALE: Final = [[position / 9, colour] for position, colour in enumerate(RAMP)]
EFFECT_SCALE: Final = [[0, DANGER], [0.5, "rgba(138, 147, 157, 0.12)"], [1, GAIN]]
"""Effects on a value: what takes from it, nothing, what adds to it. Levels from low to high have the ramp."""
DOTTED: Final = {"color": BASELINE, "dash": "dash", "width": 2}
EDGE: Final = {"color": BASELINE, "width": 0.5}
"""Around dots of the ramp: its palest colours are lost on the light page, and its darkest on the dark one."""
PALEST_LINE: Final = 5
"""The first colour of the ramp that a thin line can have: paler ones are lost on the light page or on the dark one."""
PALER: Final = 2.8
"""The ramp ends so many times beyond the largest cell of a table with text: ink is read on its first third alone."""
