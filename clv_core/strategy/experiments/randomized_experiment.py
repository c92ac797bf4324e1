"""An experiment: who gets an offer and who, by chance, does not; and, measured on a dataset, what the offer brought.

A customer's group follows from a hash of the id and of the experiment's name: it does not depend on the other customers
of the list, nor on their order, and groups of different experiments are independent. Afterwards
:func:`measure_experiment` reads who was in which group and what they spent.
Source: Kohavi, Tang, Xu (2020), Trustworthy online controlled experiments, chapters 4 and 17.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import scipy

from clv_core.collection import connect_memory
from clv_core.collection.parse import folded_texts, load_key
from clv_core.collection.read import read_text_table
from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import id_column
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.deployment import Scored
from clv_core.errors import Message, NeedsAnswer, NotEnoughData, NotFound, Refused, UsageError
from clv_core.features import Engine
from clv_core.jobs import Progress
from clv_core.strategy.experiments.treatment_effect import CONFIDENCE, Experiment, measure
from clv_core.strategy.purchase_history import money_days
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers

TREATED: Final = "treated"
GROUP_NAMES: Final = ("group", "variant", "arm", "分组", "组别", "实验组别")
DATE_NAMES: Final = ("date", "start", "start_date", "day", "日期", "开始日期")
CONTROL_NAMES: Final = (
    *("control", "control group", "ctrl", "holdout", "untreated", "no", "0", "false", "none", "c"),
    *("对照", "对照组", "空白组", "控制组", "否"),
)
YEAR_FIRST: Final = r"(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})(?!\d).*"
"""A day that cannot be read in two ways; 2024/5/31 is what a Chinese or Japanese spreadsheet makes of 2024-05-31."""
MIN_DAYS: Final = 7
"""Shortest window of outcomes: a full week, as sales differ by weekday."""
BEFORE_DAYS: Final = 365
"""Days before the experiment whose net value is the covariate: a year, so that all seasons are in it."""
GROUP: Final = "group"
DATE: Final = "date"
OFFERED: Final = "offer"
CONTROL: Final = "control"
HASH_DIGITS: Final = 13
"""Hexadecimal, as many as a float64 holds."""
POWER: Final = 0.8
"""Probability that an experiment detects its detectable effect."""


def in_control_group(customers: Iterable[str], share: float, experiment: str) -> npt.NDArray[np.bool_]:
    """Return who is in the control group, [n].

    Args:
        customers: ids, [n].
        share: of customers who do not get the offer, above 0 and below 1.
        experiment: its name; other names give other groups.

    Raises:
        UsageError: a share out of bounds.
    """
    check_share(share)
    values = pd.Series(customers if isinstance(customers, pd.Series) else list(customers), dtype="str")
    ids = pa.table({"id": pa.array(values, pa.string())})
    with connect_memory() as connection:
        connection.register("ids", ids)
        hashed = f"('0x' || left(sha256(concat(?, chr(10), id)), {HASH_DIGITS}))::BIGINT"
        hashes = connection.execute(f"SELECT {hashed} AS hash FROM ids", [experiment]).fetchnumpy()["hash"]
    return np.asarray(hashes < share * 16.0**HASH_DIGITS)


def randomization_name(dataset: str, start: str) -> str:
    """Return the name of an experiment: a dataset's offers of one first day share their groups."""
    return f"{dataset} {start}"


def assign_groups(customers: pd.Series[Any], share: float, experiment: str, start: str) -> pd.DataFrame:
    """Return the table that :func:`read_experiment` reads afterwards.

    Args:
        customers: ids, [n].
        share: of customers who do not get the offer.
        experiment: its name.
        start: ISO day from which on outcomes count.

    Returns:
        customer_id, group (``offer`` or ``control``), date, [n].
    """
    group = np.where(in_control_group(customers, share, experiment), CONTROL, OFFERED)
    return pd.DataFrame({CUSTOMER_ID: customers.to_numpy(), GROUP: group, DATE: start})


def check_share(share: float) -> None:
    """Refuse a share of customers without the offer that leaves a group empty.

    Raises:
        UsageError: it is not above 0 and below 1.
    """
    if not 0 < share < 1:
        raise UsageError("experiment_share", share=f"{100 * share:g}")


def residual_std(
    outcome: npt.ArrayLike, predicted: npt.ArrayLike, tier: npt.ArrayLike, offered: npt.ArrayLike
) -> float:
    """Return the standard deviation of outcomes after CUPED, with tiers weighted as they are among ``offered``.

    Args:
        outcome: of past customers, money, [n].
        predicted: of them, money, [n].
        tier: of each of them, [n].
        offered: tier of each customer who may get the offer, [m].

    Returns:
        Money; NaN where a tier of ``offered`` has no past customer.
    """
    past = pd.DataFrame({"y": np.asarray(outcome, float), "x": np.asarray(predicted, float), "tier": tier})
    inside = past[["y", "x"]] - past.groupby("tier")[["y", "x"]].transform("mean")
    squares = float((inside["x"] ** 2).sum())
    theta = float((inside["x"] * inside["y"]).sum()) / squares if squares > 0 else 0.0
    variance = ((inside["y"] - theta * inside["x"]) ** 2).groupby(past["tier"]).mean()
    counts = pd.Series(np.asarray(offered, np.int64)).value_counts()
    return float(np.sqrt((variance.reindex(counts.index) * counts).sum(skipna=False) / counts.sum()))


def detectable_effect(treated: int, control: int, std: float) -> float:
    """Return the effect per customer that an experiment detects with the probability :data:`POWER`, money.

    Args:
        treated: customers with the offer, at least 1.
        control: customers without, at least 1.
        std: standard deviation of outcomes, money.
    """
    return _standard_errors() * std * float(np.sqrt(1 / treated + 1 / control))


def required_sample_size(effect: float, std: float, share: float) -> int:
    """Return how many customers, in both groups, detect an effect with the probability :data:`POWER`.

    Args:
        effect: per customer, above 0, money.
        std: standard deviation of outcomes, money.
        share: of customers who do not get the offer.
    """
    return int(np.ceil((_standard_errors() * std / effect) ** 2 * (1 / share + 1 / (1 - share))))


def _standard_errors() -> float:
    """Return how many standard errors a detectable effect is: its interval lies beyond 0 with the wanted power."""
    return float(scipy.special.ndtri((1 + CONFIDENCE) / 2) + scipy.special.ndtri(POWER))


def measure_experiment(
    scored: Scored, path: Path, *, most_days: int, scheme: ValueTiers = DEFAULT_SCHEME, progress: Progress
) -> Experiment:
    """Return what the experiment in ``path`` showed, over all customers and in each tier as of before it.

    Predictions are as of the earliest date, so that neither tiers nor CUPED depend on who got the offer. The network
    itself may have been trained on later days.

    Args:
        scored: dataset, and model whose predictions are subtracted from the outcomes.
        path: of the experiment, as :func:`read_experiment` takes it.
        most_days: for how long outcomes count at most: the horizon of the plan that the effect is for.
        scheme: how customers are cut into tiers.
        progress: listener.

    Raises:
        ClvError: the file cannot be used, or shows too little.
    """
    manifest = scored.dataset.manifest
    key = load_key(scored.workspace, manifest.key_fingerprint) if manifest.pseudonymised else None
    spent = outcomes(scored.dataset, read_experiment(path, key), most_days)
    scores = replace(scored.trained, cutoff=spent.start).scores(progress)
    value = scores["predicted_clv"].to_numpy(float)
    rows = pd.Index(scores["customer_id"]).get_indexer(pd.Index(spent.customer_id))
    is_scored = rows >= 0
    rows = rows[is_scored]
    experiment = measure(
        spent.outcome[is_scored],
        spent.treated[is_scored],
        spent.before[is_scored],
        value[rows],
        scheme.tier_of(value)[rows],
        scheme.tiers,
        spent.window_days,
    )
    left_out = spent.left_out + int((~is_scored).sum())
    if not left_out:
        return experiment
    warning = Message("warning.experiment_left_out", {"customers": left_out, "start": spent.start.isoformat()})
    return replace(experiment, warnings=(*experiment.warnings, warning))


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
        raise Refused(
            "experiment_bad_lines", file=path.name, rows=len(rejects), line=min(reject.line for reject in rejects)
        )
    names = {column.strip().lower(): column for column in frame.columns}
    columns = {
        CUSTOMER_ID: id_column(list(frame.columns)),
        GROUP: next((names[word] for word in GROUP_NAMES if word in names), None),
        DATE: next((names[word] for word in DATE_NAMES if word in names), None),
    }
    missing = [name for name, column in columns.items() if column is None]
    if missing:
        raise Refused("experiment_columns", missing=list(missing), found=list(frame.columns[:20]))
    rows = pd.DataFrame({name: frame[column].astype("str").str.strip().fillna("") for name, column in columns.items()})
    blank = (rows[[CUSTOMER_ID, GROUP]] == "").any(axis=1)
    if blank.any():
        raise Refused("experiment_blank", rows=int(blank.sum()), line=int(np.flatnonzero(blank)[0]) + 2)
    rows[CUSTOMER_ID] = folded_texts(rows[CUSTOMER_ID])
    days = rows[DATE].str.replace(YEAR_FIRST, r"\1-\2-\3", regex=True)
    dates = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce")
    bad = np.flatnonzero(dates.isna())
    if len(bad):
        text = rows[DATE].iloc[bad[0]][:40]
        raise Refused("experiment_dates", rows=len(bad), all=len(rows), line=int(bad[0]) + 2, text=text)
    rows[TREATED], rows[DATE] = ~_is_control(rows[GROUP]), dates
    rows = rows.drop_duplicates()
    twice = rows.loc[rows[CUSTOMER_ID].duplicated(), CUSTOMER_ID]
    if len(twice):
        raise Refused("experiment_twice", rows=len(twice), customer=str(twice.iloc[0])[:60])
    return rows[[CUSTOMER_ID, TREATED, DATE]].reset_index(drop=True)


def _is_control(groups: pd.Series[str]) -> pd.Series[bool]:
    names = sorted(set(groups))
    if len(names) != 2:
        raise NotEnoughData("experiment_groups", found=len(names), names=names[:6])
    control = [name for name in names if name.lower() in CONTROL_NAMES]
    if len(control) != 1:
        raise NeedsAnswer("experiment_control", names=names)
    return groups == control[0]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What the customers of an experiment spent; one row a customer who was seen before the experiment.

    Args:
        customer_id: text, [n].
        treated: bool, [n].
        outcome: net value in [date, date + window), money, [n].
        before: net value in the year before the date, money, [n].
        start: the earliest date; predictions must be as of then.
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
        most_days: for how long value counts at most; less where the log ends before that for anybody.

    Raises:
        NotEnoughData: the log ends less than a week after the last date.
        Refused: no customer of the experiment was seen before it.
    """
    start, last = (moment.date() for moment in (rows[DATE].min(), rows[DATE].max()))
    allowed = (dataset.log_end - last).days
    if allowed < MIN_DAYS:
        ends = {"last": last.isoformat(), "end": dataset.last_day.isoformat()}
        raise NotEnoughData("experiment_window", **ends, days=allowed, fewest=MIN_DAYS)
    window = min(allowed, most_days)
    days, seen = _daily(dataset, start, last + timedelta(days=window))
    customers = rows[rows[CUSTOMER_ID].isin(seen)]
    if customers.empty:
        raise Refused("experiment_unknown", customers=len(rows), first=str(rows[CUSTOMER_ID].iloc[0])[:60])
    place = pd.Index(customers[CUSTOMER_ID]).get_indexer(pd.Index(days[CUSTOMER_ID]))
    inside = place >= 0
    place, value = place[inside], days["value"].to_numpy(float)[inside]
    since = (days["day"].to_numpy("datetime64[D]")[inside] - customers[DATE].to_numpy("datetime64[D]")[place]).astype(
        int
    )

    def summed(low: int, high: int) -> npt.NDArray[np.float64]:
        in_span = (since >= low) & (since < high)
        return np.asarray(np.bincount(place[in_span], value[in_span], minlength=len(customers)), np.float64)

    return Outcomes(
        customers[CUSTOMER_ID].to_numpy(object),
        customers[TREATED].to_numpy(bool),
        summed(0, window),
        summed(-BEFORE_DAYS, 0),
        start,
        window,
        len(rows) - len(customers),
    )


def net_revenue_around(
    dataset: Dataset, start: date, window_days: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return what customers who were seen before a day spent in the year before it, and in the window from it on.

    Args:
        dataset: the log.
        start: the day.
        window_days: length of the window.

    Returns:
        Net value before and in the window, money, each [n].
    """
    days, seen = _daily(dataset, start, start + timedelta(days=window_days))
    place = seen.get_indexer(pd.Index(days[CUSTOMER_ID]))
    place, value, day = place[place >= 0], days["value"].to_numpy(float)[place >= 0], days["day"][place >= 0]
    is_after = day.to_numpy("datetime64[D]") >= np.datetime64(start)
    sums = (np.bincount(place[part], value[part], minlength=len(seen)) for part in (~is_after, is_after))
    before, outcome = (np.asarray(total, np.float64) for total in sums)
    return before, outcome


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
