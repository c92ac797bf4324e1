"""The content of a report, independent of the file format."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

from clv_core.errors import Message

PREDICTED: Final = "predicted"
ACTUAL: Final = "actual"
BASELINE: Final = "baseline"
Role = Literal["predicted", "actual", "baseline"]


@dataclass(frozen=True)
class ReportFigure:
    """One figure.

    Args:
        label: its name.
        value: formatted.
        note: what it is compared with; "" for nothing.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A small table.

    Args:
        head: names of the columns; the first is of text, the others of numbers.
        rows: formatted cells.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Series:
    """One kind of bar.

    Args:
        name: in the legend.
        values: one a category.
        role: decides its colour, the same in all charts.
    """

    name: str
    values: tuple[float, ...]
    role: Role

    @property
    def counts(self) -> bool:
        """Whether its values are counts, which are shown without decimals."""
        return all(float(value).is_integer() for value in self.values)


@dataclass(frozen=True)
class Chart:
    """A bar chart; its message is the section's finding.

    Args:
        kind: vertical ``columns``, or horizontal ``bars`` with the first category on top.
        categories: what the bars are of.
        series: one or more.
        category_axis: title of the axis of categories.
        value_axis: title of the axis of values, with its unit.
        percent: whether values are shares, 0 to 1.
        waterfall: whether each of the ``bars`` begins where the one above ends, and the last at zero. A category then
            has its value in one of the series, and 0 in the others.
    """

    kind: Literal["columns", "bars"]
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    category_axis: str
    value_axis: str
    percent: bool = False
    waterfall: bool = False

    @property
    def starts(self) -> tuple[float, ...]:
        """Where the bars of each category begin."""
        if not self.waterfall:
            return (0.0,) * len(self.categories)
        steps = [sum(values) for values in zip(*(series.values for series in self.series), strict=True)]
        return (*accumulate(steps[:-2], initial=0.0), 0.0)

    @property
    def top(self) -> float:
        """The end of the longest bar."""
        ends = (zip(self.starts, series.values, strict=True) for series in self.series)
        return max((max(start, start + value) for pairs in ends for start, value in pairs), default=0.0)


@dataclass(frozen=True)
class Section:
    """One slide, or one section of a page: figures, a table, a chart and points in this order, each optional.

    Args:
        id: name of its function in :data:`clv_core.strategy.report.sections.SECTIONS`.
        title: its subject.
        finding: its message, in one sentence.
        points: further sentences.
        figures: figures side by side.
        table: a table.
        chart: a chart.
    """

    id: str
    title: str
    finding: str
    points: tuple[str, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    table: Table | None = None
    chart: Chart | None = None


@dataclass(frozen=True)
class Report:
    """A report.

    Args:
        title: of the report.
        finding: its main message, in one sentence.
        made: date and version of the app.
        language: of all texts.
        sections: in order.
        notes: warnings on the plan.
        logo: a PNG for the cover; None for none.
    """

    title: str
    finding: str
    made: str
    language: str
    sections: tuple[Section, ...]
    notes: tuple[Message, ...] = ()
    logo: bytes | None = None
