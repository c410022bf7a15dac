"""Small SVG plots. Pure; colours are classes of the page's style sheet, and every text is made here or is a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 44  # margins, in the same units; left, "0.32 s" on a phone
_TICKS = 4
_LABELS = 12  # that there is room for below a plot


@dataclass(frozen=True, slots=True)
class Bin:
    """Passages of like relevance."""

    relevance: float  # their mean, 0 to 1
    right: float  # the share of them that is right, 0 to 1
    passages: int


def paired_bars(
    labels: Sequence[str],
    before: Sequence[int],
    after: Sequence[int],
    told: str,
    names: tuple[str, str] = ("before", "after"),
) -> str:
    """Two bars for each label, the first grey and the second coloured; `told` says what they show.

    Of more labels than there is room for only every second or third, and so on, is written out.
    """
    top = max(1, *before, *after)
    slot = (WIDTH - LEFT - RIGHT) / len(labels)
    every = ceil(len(labels) / _LABELS)
    parts = [_grid([round(top * step / _TICKS) for step in range(_TICKS + 1)], top)]
    for place, (label, first, second) in enumerate(zip(labels, before, after, strict=True)):
        x = LEFT + place * slot
        parts += [
            _bar(x + slot * 0.14, slot * 0.34, first / top, "before", f"{label}: {first} {names[0]}"),
            _bar(x + slot * 0.52, slot * 0.34, second / top, "after", f"{label}: {second} {names[1]}"),
            _text(x + slot / 2, HEIGHT - BOTTOM + 18, "" if place % every else label, "middle"),
        ]
    return _svg(parts, told)


def bars(labels: Sequence[str], values: Sequence[float | None], unit: str, told: str) -> str:
    """One bar for each label, in some unit; none where there is no value. `told` says what they show."""
    top = _round_up(max((value for value in values if value), default=1.0))
    slot = (WIDTH - LEFT - RIGHT) / len(labels)
    every = ceil(len(labels) / _LABELS)
    parts = []
    for step in range(_TICKS + 1):
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - step / _TICKS)
        tick = f"{top * step / _TICKS:.3g} {unit}"
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "grid") + _text(LEFT - 6, y + 4, tick, "end"))
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        x = LEFT + place * slot
        if value is not None:
            parts.append(_bar(x + slot * 0.25, slot * 0.5, value / top, "after", f"{label}: {value:.1f} {unit}"))
        parts.append(_text(x + slot / 2, HEIGHT - BOTTOM + 18, "" if place % every else label, "middle"))
    return _svg(parts, told)


def _round_up(value: float) -> float:
    """The next number whose ticks have one digit that counts or two: 0.44 -> 0.8, 0.24 -> 0.32, 14 -> 16."""
    step = 10.0 ** floor(log10(value / _TICKS))
    return next(_TICKS * step * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10) if _TICKS * step * factor >= value)


def sorted_bars(values: Sequence[float], told: str) -> str:
    """One bar for each value from -1 to 1, the highest first; gains up, losses down."""
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
    half = (HEIGHT - TOP - BOTTOM) / 2
    parts = [
        _line(LEFT, y, WIDTH - RIGHT, y, "grid") + _text(LEFT - 6, y + 4, label, "end")
        for y, label in ((middle - half, "+1"), (middle, "0"), (middle + half, "-1"))
    ]
    for place, value in enumerate(sorted(values, reverse=True)):
        height = abs(value) * half
        y = middle - height if value > 0 else middle
        kind = "after" if value > 0 else "loss"
        parts.append(_rectangle(LEFT + place * slot, y, max(slot * 0.9, 0.4), height, kind))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "questions, most helped first", "middle"))
    return _svg(parts, told)


def reliability(bins: Sequence[Bin], told: str) -> str:
    """The share that is right against the relevance that was told; on the diagonal it means what it says."""
    side = HEIGHT - TOP - BOTTOM
    most = max(one.passages for one in bins)
    parts = [_line(LEFT, TOP + side, LEFT + side, TOP, "ideal")]
    for step in (0.0, 0.5, 1.0):
        x, y = LEFT + step * side, TOP + side - step * side
        parts += [
            _line(LEFT, y, LEFT + side, y, "grid"),
            _text(LEFT - 6, y + 4, f"{step:.1f}", "end"),
            _text(x, TOP + side + 16, f"{step:.1f}", "middle"),
        ]
    for one in bins:
        radius = 2 + 6 * (one.passages / most) ** 0.5  # the area stands for the number
        x, y = LEFT + one.relevance * side, TOP + side - one.right * side
        title = f"relevance {one.relevance:.2f}: {one.right:.0%} of {one.passages} right"
        parts.append(
            f'<circle class="after" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{title}</title></circle>'
        )
    parts.append(_text(LEFT + side / 2, HEIGHT - 8, "relevance told", "middle"))
    parts.append(_text(LEFT + side + 16, TOP + 12, "share that is right", "start"))
    return _svg(parts, told)


def line_chart(points: Sequence[tuple[float, float]], axes: tuple[str, str], marked: float, told: str) -> str:
    """A line through points from 0 to 1 in both directions, in the order given, with a dashed line at `marked`."""
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = []
    for step in range(_TICKS + 1):
        share = step / _TICKS
        x, y = LEFT + share * width, TOP + height - share * height
        parts += [
            _line(LEFT, y, WIDTH - RIGHT, y, "grid"),
            _text(LEFT - 6, y + 4, f"{share:.0%}", "end"),
            _text(x, TOP + height + 16, f"{share:.0%}", "middle"),
        ]
    parts.append(_line(LEFT + marked * width, TOP, LEFT + marked * width, TOP + height, "ideal"))
    places = " ".join(f"{LEFT + x * width:.1f},{TOP + height - y * height:.1f}" for x, y in points)
    parts.append(f'<polyline class="curve" points="{places}"/>')
    parts += [_text(LEFT + width / 2, HEIGHT - 8, axes[0], "middle"), _text(LEFT + 8, TOP + 12, axes[1], "start")]
    return _svg(parts, told)


def _svg(parts: Sequence[str], told: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">{"".join(parts)}</svg>'


def _grid(ticks: Sequence[int], top: int) -> str:
    parts = []
    for tick in dict.fromkeys(ticks):
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - tick / top)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "grid") + _text(LEFT - 6, y + 4, f"{tick:,}", "end"))
    return "".join(parts)


def _bar(x: float, width: float, share: float, kind: str, title: str) -> str:
    height = (HEIGHT - TOP - BOTTOM) * share
    return _rectangle(x, HEIGHT - BOTTOM - height, width, height, kind, title)


def _rectangle(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    told = f"<title>{title}</title>" if title else ""
    return f'<rect class="{kind}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}">{told}</rect>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
