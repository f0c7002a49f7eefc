"""How are figures drawn? SVG for a page: its colours are the page's, by the classes `series-0`, `series-1`, …, so that light and dark both fit."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from markupsafe import Markup

_WIDTH, _ROW, _LABEL, _VALUE = 420, 26, 124, 74
_CURVE_HEIGHT, _LEFT, _BOTTOM, _TOP = 210, 40, 26, 10
_BASELINE = 4.5  # from the middle of a row to where its text stands


def bars(values: Mapping[str, float], *, what: str, alike: bool = False) -> Markup:
    """A bar for each value in [0, 1], from 0 to 1; each of its own colour, or all `alike`."""
    rows = []
    for i, (name, value) in enumerate(values.items()):
        middle = i * _ROW + _ROW / 2
        room = _WIDTH - _LABEL - _VALUE
        rows.append(
            f'{_label(name, middle)}<rect class="track" x="{_LABEL}" y="{middle - 7}" width="{room}" height="14" rx="2"/>'
            f'<rect class="series-{0 if alike else i}" x="{_LABEL}" y="{middle - 7}" width="{room * value:.1f}" height="14" rx="2"/>'
            f"{_value(format(value, '.3f'), middle)}"
        )
    return _svg("".join(rows), height=len(values) * _ROW, what=what)


def ranges(values: Mapping[str, Mapping[str, float]], *, what: str) -> Markup:
    """For each a point at its median and a line to its 95th percentile, in ms from 0."""
    most = max((its["p95"] for its in values.values()), default=0) or 1.0
    room = _WIDTH - _LABEL - _VALUE
    rows = []
    for i, (name, its) in enumerate(values.items()):
        middle = i * _ROW + _ROW / 2
        shown = f"{its['p50']:.0f} – {its['p95']:.0f}"
        p50, p95 = (_LABEL + room * its[key] / most for key in ("p50", "p95"))
        rows.append(
            f'{_label(name, middle)}<line class="track-line" x1="{_LABEL}" y1="{middle}" x2="{_LABEL + room}" y2="{middle}"/>'
            f'<line class="series-{i} range" x1="{p50:.1f}" y1="{middle}" x2="{p95:.1f}" y2="{middle}"/>'
            f'<circle class="series-{i}" cx="{p50:.1f}" cy="{middle}" r="5"/>{_value(shown, middle)}'
        )
    return _svg("".join(rows), height=len(values) * _ROW, what=what)


def curves(values: Mapping[str, Sequence[float]], *, what: str) -> Markup:
    """A line for each, of values in [0, 1] at 1, 2, …; the axis begins a little below the least of them."""
    least = min((value for its in values.values() for value in its), default=0.0)
    step = 1 if least >= 0.5 else 2
    floor = min(0.9, int(least * 10 / step) * step / 10)
    depth = max((len(its) for its in values.values()), default=1)

    def across(k: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * (k - 1) / max(1, depth - 1)

    def down(value: float) -> float:
        return _TOP + (_CURVE_HEIGHT - _TOP - _BOTTOM) * (1 - value) / (1 - floor)

    tenths = range(round(floor * 10), 11, step)
    grid = "".join(
        f'<line class="grid" x1="{_LEFT}" y1="{down(t / 10):.1f}" x2="{_WIDTH - 12}" y2="{down(t / 10):.1f}"/>'
        f'<text class="tick" x="{_LEFT - 8}" y="{down(t / 10) + 4:.1f}" text-anchor="end">{t / 10:.1f}</text>'
        for t in tenths
    )
    ticks = "".join(
        f'<text class="tick" x="{across(k):.1f}" y="{_CURVE_HEIGHT - 8}" text-anchor="middle">{k}</text>'
        for k in (1, *range(5, depth + 1, 5))
    )
    lines = [
        f'<polyline class="series-{i} curve" points="{_points(its, across, down)}">'
        f"<title>{escape(name)}</title></polyline>"
        for i, (name, its) in enumerate(values.items())
    ]
    return _svg(grid + ticks + "".join(reversed(lines)), height=_CURVE_HEIGHT, what=what)


def reliability(tenths: Sequence[Mapping[str, float | int]], *, what: str) -> Markup:
    """What was told against what was true, both in [0, 1]: a point for each tenth, its area by its questions, and the line on which both are the same."""
    room = _CURVE_HEIGHT - _TOP - _BOTTOM
    most = max((it["questions"] for it in tenths), default=1)

    def across(told: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * told

    def down(true: float) -> float:
        return _TOP + room * (1 - true)

    grid = "".join(
        f'<line class="grid" x1="{_LEFT}" y1="{down(v):.1f}" x2="{_WIDTH - 12}" y2="{down(v):.1f}"/>'
        f'<text class="tick" x="{_LEFT - 8}" y="{down(v) + 4:.1f}" text-anchor="end">{v:.1f}</text>'
        f'<text class="tick" x="{across(v):.1f}" y="{_CURVE_HEIGHT - 8}" text-anchor="middle">{v:.1f}</text>'
        for v in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    )
    same = f'<line class="same" x1="{across(0):.1f}" y1="{down(0):.1f}" x2="{across(1):.1f}" y2="{down(1):.1f}"/>'
    points = "".join(
        f'<circle class="series-0" cx="{across(it["confidence"]):.1f}" cy="{down(it["answerable"]):.1f}" r="{2 + 8 * (it["questions"] / most) ** 0.5:.1f}">'
        f"<title>{it['questions']:,} questions, told {it['confidence']:.2f}, true {it['answerable']:.2f}</title></circle>"
        for it in tenths
    )
    return _svg(grid + same + points, height=_CURVE_HEIGHT, what=what)


def _points(values: Sequence[float], across: Callable[[int], float], down: Callable[[float], float]) -> str:
    return " ".join(f"{across(k):.1f},{down(value):.1f}" for k, value in enumerate(values, start=1))


def _label(name: str, middle: float) -> str:
    return f'<text class="label" x="{_LABEL - 10}" y="{middle + _BASELINE}" text-anchor="end">{escape(name)}</text>'


def _value(shown: str, middle: float) -> str:
    return f'<text class="value" x="{_WIDTH}" y="{middle + _BASELINE}" text-anchor="end">{shown}</text>'


def _svg(inside: str, *, height: float, what: str) -> Markup:
    return Markup(  # noqa: S704 names are escaped where they are set
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(what)}">{inside}</svg>'
    )
