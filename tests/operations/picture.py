"""A dashboard, drawn as SVG."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import accumulate

from tests.operations.alarms import alarms
from tests.operations.cloudwatch import Metrics
from tests.operations.dashboard import Widget

Values = Sequence[float | None]

# Pixels: of one step of the grid, and of the frame of a graph.
STEP_X, STEP_Y, GAP = 50, 36, 6
TOP, LEFT, BOTTOM = 24, 40, 46

# Longer than the widgets' own: it is a whole day that is drawn.
PERIOD = timedelta(minutes=30)

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#7f7f7f")
STYLE = (
    "text{font:11px sans-serif;fill:#16191f}.title{font-weight:bold;font-size:12px}"
    ".faint{fill:#687078;font-size:10px}.lit{fill:#fff}"
)


def draw(widgets: Sequence[Widget], metrics: Metrics, start: datetime, end: datetime) -> str:
    """What whoever looks at the dashboard at the end sees of the time since the start."""
    width = max(x + w for x, _, w, _ in (each.place for each in widgets)) * STEP_X
    height = max(y + h for _, y, _, h in (each.place for each in widgets)) * STEP_Y
    parts = [part for each in widgets for part in _widget(each, metrics, start, end)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    back = f'<style>{STYLE}</style><rect width="{width}" height="{height}" fill="#f2f3f3"/>'
    return "\n".join([head, back, *parts, "</svg>", ""])


def _widget(widget: Widget, metrics: Metrics, start: datetime, end: datetime) -> Iterator[str]:
    x, y, w, h = widget.place
    width, height = w * STEP_X - GAP, h * STEP_Y - GAP
    yield f'<g transform="translate({x * STEP_X + GAP // 2} {y * STEP_Y + GAP // 2})">'
    yield f'<rect width="{width}" height="{height}" fill="#fff" stroke="#d5dbdb"/>'
    yield f'<text class="title" x="8" y="16">{escape(widget.title)}</text>'
    if widget.alarms:
        yield from _alarms(widget, metrics, end, width)
    else:
        series = list(widget.series(metrics, start, end, PERIOD))
        yield from _graph(series, widget.is_stacked, width, height)
        yield from _hours(start, end, width, height)
        yield from _legend([label for label, _ in series], width, height)
    yield "</g>"


def _alarms(widget: Widget, metrics: Metrics, end: datetime, width: int) -> Iterator[str]:
    in_a_row = 8
    box = width // in_a_row
    for number, name in enumerate(widget.alarms):
        row, column = divmod(number, in_a_row)
        x, y = 8 + column * box, 26 + row * 36
        colour = "#d13212" if alarms()[name].is_raised(metrics, end) else "#1d8102"
        yield f'<rect x="{x}" y="{y}" width="{box - 14}" height="26" fill="{colour}" rx="3"/>'
        yield f'<text class="lit" x="{x + 8}" y="{y + 17}">{escape(name)}</text>'


def _graph(series: Sequence[tuple[str, Values]], is_stacked: bool, width: int, height: int) -> Iterator[str]:
    drawn = _stacked(series) if is_stacked else [values for _, values in series]
    most = max((value for values in drawn for value in values if value is not None), default=None)
    floor = height - BOTTOM
    if most is None:
        yield f'<text class="faint" x="{width // 2 - 24}" y="{(TOP + floor) // 2}">no data</text>'
    else:
        across, up = (width - LEFT - 10) / (len(drawn[0]) - 1), (floor - TOP) / (most or 1)
        for number, y in ((round(most, 1), TOP + 8), (0, floor)):
            yield f'<text class="faint" x="8" y="{y}">{number:g}</text>'
        # The last first: what is stacked on others must not hide them.
        for values, colour in reversed(list(zip(drawn, COLOURS, strict=False))):
            points = [(LEFT + n * across, None if v is None else floor - v * up) for n, v in enumerate(values)]
            yield _area(points, floor, colour) if is_stacked else _line(points, colour)
    yield f'<path d="M{LEFT} {TOP}V{floor}H{width - 10}" fill="none" stroke="#aab7b8"/>'


def _line(points: Sequence[tuple[float, float | None]], colour: str) -> str:
    """Joined where period follows period; a dot where a period is alone."""
    path, is_joined = "", False
    for x, y in points:
        if y is not None:
            path += f"{'L' if is_joined else 'M'}{x:.1f} {y:.1f}" + ("" if is_joined else "h0.1")
        is_joined = y is not None
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="round"/>'


def _area(points: Sequence[tuple[float, float | None]], floor: int, colour: str) -> str:
    top = "".join(f"L{x:.1f} {floor if y is None else y:.1f}" for x, y in points)
    return f'<path d="M{points[0][0]:.1f} {floor}{top}V{floor}Z" fill="{colour}"/>'


def _stacked(series: Sequence[tuple[str, Values]]) -> Sequence[Values]:
    """Each on top of those before it; what was not written is nothing."""
    if not any(value is not None for _, values in series for value in values):
        return [values for _, values in series]
    columns = zip(*(values for _, values in series), strict=True)
    return list(zip(*(accumulate(value or 0 for value in column) for column in columns), strict=True))


def _hours(start: datetime, end: datetime, width: int, height: int) -> Iterator[str]:
    for number in range(5):
        x = LEFT + number * (width - LEFT - 10) / 4 - (24 if number == 4 else 12)
        hours = number * (end - start) / 4 / timedelta(hours=1)
        yield f'<text class="faint" x="{x:.0f}" y="{height - BOTTOM + 12}">{hours:g} h</text>'


def _legend(labels: Sequence[str], width: int, height: int) -> Iterator[str]:
    x, y = 8, height - 20
    for label, colour in zip(labels, COLOURS, strict=False):
        wide = 24 + 5 * len(label)
        if x + wide > width:
            x, y = 8, y + 13
        yield f'<rect x="{x}" y="{y - 8}" width="8" height="8" fill="{colour}"/>'
        yield f'<text class="faint" x="{x + 11}" y="{y}">{escape(label)}</text>'
        x += wide
