"""Reading an experiment: who was in it, in which group, since when; and what they spent before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.collection.files.text_table import read_text_table
from clv_core.collection.stored.store import Dataset
from clv_core.collection.values.id_texts import folded_texts
from clv_core.collection.words.contact_fields import id_column
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.errors import NeedsAnswer, NotEnoughData, NotFound, Refused
from clv_core.features.engine import Engine
from clv_core.strategy.history import money_days

GROUP: Final = "group"
DATE: Final = "date"
TREATED: Final = "treated"
GROUP_NAMES: Final = ("group", "variant", "arm", "分组", "组别", "实验组别")
DATE_NAMES: Final = ("date", "start", "start_date", "day", "日期", "开始日期")
CONTROL_NAMES: Final = (
    *("control", "control group", "ctrl", "holdout", "untreated", "no", "0", "false", "none", "c"),
    *("对照", "对照组", "空白组", "控制组", "否"),
)
YEAR_FIRST: Final = r"(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})(?!\d).*"
"""A day that cannot be read in two ways; 2024/5/31 is what a Chinese or Japanese spreadsheet makes of 2024-05-31."""
FEWEST_DAYS: Final = 7
BEFORE_DAYS: Final = 365


def read_experiment(path: Path, key: bytes | None = None) -> pd.DataFrame:
    """Return who was in an experiment.

    Args:
        path: a table with customer_id, group (two of them, one called control or the like) and date; CSV, workbook,
            JSON Lines or Parquet.
        key: of a dataset whose ids are pseudonyms.

    Returns:
        customer_id (text), treated (bool), date (datetime64), one row a customer.

    Raises:
        NotFound: there is no such file.
        Refused: a column is missing, a cell is blank, dates cannot be read, a customer is in both groups, or lines are
            no rows of the table: nobody is left out in silence.
        NeedsAnswer: it is not clear which of two groups is the control group.
        NotEnoughData: there are not two groups.
    """
    if not path.is_file():
        raise NotFound("experiment_missing", file=path.name)
    frame, rejects = read_text_table(path, key)
    if rejects:
        raise Refused("experiment_bad_lines", file=path.name, rows=len(rejects), line=min(one.line for one in rejects))
    names = {column.strip().lower(): column for column in frame.columns}
    found = {
        CUSTOMER_ID: id_column(list(frame.columns)),
        GROUP: next((names[word] for word in GROUP_NAMES if word in names), None),
        DATE: next((names[word] for word in DATE_NAMES if word in names), None),
    }
    missing = [wanted for wanted, column in found.items() if column is None]
    if missing:
        raise Refused("experiment_columns", missing=list(missing), found=list(frame.columns[:20]))
    texts = {wanted: frame[column].astype("str").str.strip().fillna("") for wanted, column in found.items()}
    rows = pd.DataFrame(texts)
    blank = (rows[[CUSTOMER_ID, GROUP]] == "").any(axis=1)
    if blank.any():
        raise Refused("experiment_blank", rows=int(blank.sum()), line=int(np.flatnonzero(blank)[0]) + 2)
    rows[CUSTOMER_ID] = folded_texts(rows[CUSTOMER_ID])
    when = pd.to_datetime(
        rows[DATE].str.replace(YEAR_FIRST, r"\1-\2-\3", regex=True), format="%Y-%m-%d", errors="coerce"
    )
    if when.isna().any():
        bad = int(np.flatnonzero(when.isna())[0])
        raise Refused(
            "experiment_dates", rows=int(when.isna().sum()), all=len(rows), line=bad + 2, text=rows[DATE].iloc[bad][:40]
        )
    rows[TREATED], rows[DATE] = ~_control(rows[GROUP]), when
    rows = rows.drop_duplicates()
    twice = rows[CUSTOMER_ID].duplicated()
    if twice.any():
        raise Refused(
            "experiment_twice", rows=int(twice.sum()), customer=str(rows.loc[twice, CUSTOMER_ID].iloc[0])[:60]
        )
    return rows[[CUSTOMER_ID, TREATED, DATE]].reset_index(drop=True)


def _control(groups: pd.Series[str]) -> pd.Series[bool]:
    """Who is in the control group."""
    known = sorted(set(groups))
    if len(known) != 2:
        raise NotEnoughData("experiment_groups", found=len(known), names=list(known[:6]))
    control = [word for word in known if word.lower() in CONTROL_NAMES]
    if len(control) != 1:
        raise NeedsAnswer("experiment_control", names=list(known))
    return groups == control[0]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What the customers of an experiment spent; one row a customer who was seen before the experiment.

    Args:
        customer_id: text, [n].
        treated: bool, [n].
        outcome: net value in [date, date + window), money, [n].
        before: net value in the year before the date, money, [n].
        start: the earliest date; what is predicted must be as of then.
        window_days: length of the window.
        left_out: customers who were not seen before ``start``.
    """

    customer_id: npt.NDArray[np.object_]
    treated: npt.NDArray[np.bool_]
    outcome: npt.NDArray[np.float64]
    before: npt.NDArray[np.float64]
    start: date
    window_days: int
    left_out: int


def outcomes(dataset: Dataset, rows: pd.DataFrame, most_days: int) -> Outcomes:
    """Return what the customers of an experiment spent before and after its date.

    Customers without an event before the experiment are left out, whichever their group: who appears only because of
    the offer would be seen in one group alone.

    Args:
        dataset: the log.
        rows: of :func:`read_experiment`.
        most_days: how long after the date value counts at most; less where the log ends before that for anybody.

    Raises:
        NotEnoughData: the log ends less than a week after the last date.
        Refused: no customer of the experiment was seen before it.
    """
    start, last = (moment.date() for moment in (rows[DATE].min(), rows[DATE].max()))
    allowed = (dataset.log_end - last).days
    if allowed < FEWEST_DAYS:
        raise NotEnoughData(
            "experiment_window",
            last=last.isoformat(),
            end=dataset.last_day.isoformat(),
            days=allowed,
            fewest=FEWEST_DAYS,
        )
    window = min(allowed, most_days)
    days, seen = _daily(dataset, start, last + timedelta(days=window))
    known = rows[rows[CUSTOMER_ID].isin(seen)]
    if known.empty:
        raise Refused("experiment_unknown", customers=len(rows), first=str(rows[CUSTOMER_ID].iloc[0])[:60])
    place = pd.Index(known[CUSTOMER_ID]).get_indexer(pd.Index(days[CUSTOMER_ID]))
    inside = place >= 0
    place, value = place[inside], days["value"].to_numpy(float)[inside]
    since = (days["day"].to_numpy("datetime64[D]")[inside] - known[DATE].to_numpy("datetime64[D]")[place]).astype(int)

    def summed(low: int, high: int) -> npt.NDArray[np.float64]:
        chosen = (since >= low) & (since < high)
        return np.asarray(np.bincount(place[chosen], value[chosen], minlength=len(known)), np.float64)

    return Outcomes(
        known[CUSTOMER_ID].to_numpy(object),
        known[TREATED].to_numpy(bool),
        summed(0, window),
        summed(-BEFORE_DAYS, 0),
        start,
        window,
        len(rows) - len(known),
    )


def _daily(dataset: Dataset, start: date, end: date) -> tuple[pd.DataFrame, pd.Index[str]]:
    """Net value by customer and day from a year before ``start`` to ``end``, and who was seen before ``start``."""
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        begun = datetime.combine(start, time())
        seen = events.filter(events[EVENT_TIME] < begun).select(CUSTOMER_ID).distinct().to_pyarrow().to_pandas()
        days = money_days(events, end, start - timedelta(days=BEFORE_DAYS))
        return days.to_pyarrow().to_pandas(), pd.Index(seen[CUSTOMER_ID])
    finally:
        engine.close()
