"""Charts as SVG: positions are attributes, colours are classes, and every chart has a title and says itself in words."""

from collections.abc import Sequence
from fractions import Fraction

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from groundswell.core.concentration import Concentration
from groundswell.web.shell.words import percent


def _chart(width: int, height: int, title: str, inside: SafeString, kind: str = "") -> SafeString:
    return format_html(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>',
        kind, width, height, title, title, inside,
    )  # fmt: skip


_LINE = 14
"""Between two lines of text."""


def _points(xy: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in xy)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> SafeString:
    return format_html(
        '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', kind, f"{x1:.1f}", f"{y1:.1f}", f"{x2:.1f}", f"{y2:.1f}"
    )


def _text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> SafeString:
    return format_html(
        '<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>', f"{x:.1f}", f"{y:.1f}", kind, anchor, said
    )


def _all(parts: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def lorenz(found: Concentration, marks: Sequence[int] = (3, 10)) -> SafeString:
    """How much the largest carry together, the largest first; at most 400 points are drawn."""
    width, height, left, bottom = 400, 220, 44, 26
    n = max(found.producing, 1)
    reach = min(len(found.amounts), max(n + n // 4, max(marks) + 2))
    step = max(1, reach // 400)
    whole, run, curve = found.whole, Fraction(0), [(0.0, 0.0)]
    for place, amount in enumerate(found.amounts[:reach], 1):
        run += amount
        if place % step == 0 or place in (n, reach, *marks):
            curve.append((place, float(run / whole)))
    scale_x, scale_y = (width - left - 10) / reach, height - bottom - 12

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * scale_x, 12 + (1 - y) * scale_y

    parts = [_line("axis", left, at(0, share)[1], width - 10, at(0, share)[1]) for share in (0, 0.5, 1)]
    parts += [_text(left - 8, at(0, share)[1] + 4, percent(share), anchor="end") for share in (0, 0.5, 1)]
    area = [*(at(x, y) for x, y in curve), at(reach, 0), at(0, 0)]
    parts.append(format_html('<polygon class="band" points="{}"/>', _points(area)))
    parts.append(format_html('<polyline class="subject" points="{}"/>', _points([at(x, y) for x, y in curve])))
    floor = float(height - bottom - 6)
    written = float(floor + 2 * _LINE)
    for mark in reversed(marks):
        if mark < n:
            x, y = at(mark, float(found.top(mark)))
            parts.append(format_html('<circle class="dot" cx="{}" cy="{}" r="4"/>', f"{x:.1f}", f"{y:.1f}"))
            if abs(min(y + 14, floor) - written) >= _LINE:  # two marks of almost the same share have one label
                written = min(y + 14, floor)
                parts.append(_text(x + 10, written, f"top {mark} carry {percent(found.top(mark))}", "strong"))
    x, y = at(n, 1)
    early = x < left + 110  # the words would run into the axis
    parts.append(_text(x + 10 if early else width - 12, y + 16, f"{n:,} carry all", "", "start" if early else "end"))
    ticks = sorted({0, round(reach / 2), reach})
    parts += [_text(at(tick, 0)[0], height - 6, f"{tick:,}", anchor="middle") for tick in ticks]
    said = f"{n} of {len(found.amounts)} partners carry all; " + "; ".join(
        f"the top {mark} carry {percent(found.top(mark))}" for mark in marks if mark < n
    )
    return _chart(width, height, said, _all(parts))


def dot_on_range(
    low: float, point: float | None, high: float, peers: tuple[float, float] | None, name: str, of: float = 100
) -> SafeString:
    """One figure on its range, over the middle half of its peers."""
    width, height, scale = 300, 22, 300 / of
    parts = [_line("axis", 0, 11, width, 11)]
    said = (
        f"{name} {round(low)} to {round(high)}"
        if point is None
        else f"{name} {round(point)}, between {round(low)} and {round(high)}"
    )
    if peers:
        parts.append(
            format_html(
                '<rect class="peers" x="{}" y="4" width="{}" height="14" rx="2"/>',
                f"{peers[0] * scale:.1f}",
                f"{max((peers[1] - peers[0]) * scale, 1):.1f}",
            )
        )
        said += f"; half of its peers lie between {round(peers[0])} and {round(peers[1])}"
    parts.append(_line("subject", low * scale, 11, max(high * scale, low * scale + 1), 11))
    if point is not None:
        parts.append(format_html('<circle class="dot" cx="{}" cy="11" r="5"/>', f"{point * scale:.1f}"))
    return _chart(width, height, said, _all(parts))


def band(
    days: Sequence[str], lows: Sequence[float], points: Sequence[float | None], highs: Sequence[float],
    marks: Sequence[tuple[int, str]] = (), of: float = 100,
) -> SafeString:  # fmt: skip
    """A figure over time with its range; dashed lines where the policy changed."""
    width, height, left, bottom = 640, 200, 32, 24
    gap = (width - left - 40) / max(len(days) - 1, 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return left + place * gap, 14 + (1 - value / of) * (height - bottom - 14)

    parts = [_line("axis", left, at(0, y)[1], width - 40, at(0, y)[1]) for y in (0, of / 2, of)]
    parts += [_text(left - 6, at(0, y)[1] + 4, f"{round(y)}", anchor="end") for y in (0, of / 2, of)]
    outline = [at(i, y) for i, y in enumerate(highs)] + [at(i, y) for i, y in reversed(list(enumerate(lows)))]
    parts.append(format_html('<polygon class="band" points="{}"/>', _points(outline)))
    for place, said in marks:
        x = at(place, 0)[0]
        parts += [_line("mark", x, 14, x, height - bottom), _text(x + 4, 12, said)]
    stretch: list[tuple[float, float]] = []
    for place, point in enumerate([*points, None]):
        if point is not None:
            stretch.append(at(place, point))
        elif stretch:
            parts.append(format_html('<polyline class="subject" points="{}"/>', _points(stretch)))
            stretch = []
    last = points[-1] if points else None
    if last is not None:
        x, y = at(len(points) - 1, last)
        parts.append(format_html('<circle class="dot" cx="{}" cy="{}" r="4"/>', f"{x:.1f}", f"{y:.1f}"))
        parts.append(_text(x + 10, y + 4, f"{round(last)}", "strong"))
    for place in {0, len(days) // 2, len(days) - 1}:
        anchor = "start" if place == 0 else "middle"
        parts.append(_text(at(place, 0)[0], height - 4, days[place], anchor=anchor))
    known = [point for point in points if point is not None]
    said = f"from {days[0]} to {days[-1]}: " + (
        f"from {round(known[0])} to {round(known[-1])}" if known else "never known enough to say"
    )
    return _chart(width, height, said, _all(parts))


def steps(parts_of: Sequence[tuple[str, float]], whole: float | None, of: float = 100) -> dict[str, SafeString]:
    """Contributions as bars, each starting where the last one ended; by name, and `whole`."""
    found, start, scale = {}, 0.0, 300 / of
    for name, points in parts_of:
        low, size = min(start, start + points) * scale, max(abs(points) * scale, 1)
        kind = "bar" if points >= 0 else "bar off"
        inside = format_html(
            '<rect class="{}" x="{}" y="5" width="{}" height="12" rx="2"/>', kind, f"{low:.1f}", f"{size:.1f}"
        )
        found[name] = _chart(300, 22, f"{name} gives {points:.0f}", _all([_line("axis", 0, 21, 300, 21), inside]))
        start += points
    if whole is not None:
        inside = format_html(
            '<rect class="bar whole" x="0" y="5" width="{}" height="12" rx="2"/>', f"{max(whole * scale, 1):.1f}"
        )
        found["whole"] = _chart(300, 22, f"together {whole:.0f} of {of:.0f}", inside)
    return found


def shares(there: int, would_add: Sequence[int], whole: int) -> SafeString:
    """How much of a whole is there, and what more would add, largest first, on one bar."""
    width, scale, at = 1000, 1000 / max(whole, 1), there * 1000 / max(whole, 1)
    rect = '<rect class="{}" x="{}" y="0" width="{}" height="8"/>'
    parts = [format_html(rect, "peers", "0", str(width)), format_html(rect, "bar", "0", f"{at:.1f}")]
    for count in would_add:
        size = min(count * scale, width - at)
        if size > 2:
            parts.append(format_html(rect, "band", f"{at + 2:.1f}", f"{size - 2:.1f}"))
        at += size
    return format_html(
        '<svg class="chart stripe" viewBox="0 0 {} 8" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        width, f"{there} of {whole}", _all(parts),
    )  # fmt: skip
