"""Recall against queries per CPU second as a picture: SVG written by hand, legible on light and on dark."""

import math

WIDTH, HEIGHT = 880, 560
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 44, 52
RECALLS = (0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
LINE = 15  # between labels
OURS = "#e11d48"
COLOURS = (
    *("#3b82f6", "#10b981", "#a855f7", "#d97706", "#0891b2", "#65a30d", "#db2777", "#7c83fd", "#0d9488", "#a16207"),
    *("#64748b", "#f97316", "#22c55e", "#6366f1"),
)
STYLE = """
.page { fill: #fff }
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8884; stroke-width: 1 }
.curve { fill: none; stroke-width: 1.5; stroke-linejoin: round }
.lead { fill: none; stroke-width: 0.75; stroke-dasharray: 2 2 }
.ours { stroke-width: 3.5 }
.name { font-weight: 700 }
@media (prefers-color-scheme: dark) { .page { fill: #16181c } text { fill: #ddd } }
"""


def svg(title, curves):
    """`curves`: (ef, recall, queries per CPU second) by system, those named kith… drawn last and boldest."""
    shown = {name: inside(points) for name, points in sorted(curves.items(), key=lambda item: is_ours(item[0]))}
    shown = {name: points for name, points in shown.items() if points}
    rates = [rate for points in shown.values() for _, rate in points] or [1]
    low, high = min(rates) / 1.1, max(rates) * 1.1
    paths = {
        name: [(across(recall), up(rate, low, high)) for recall, rate in points] for name, points in shown.items()
    }
    others = [name for name in paths if not is_ours(name)]
    colours = {name: COLOURS[others.index(name) % len(COLOURS)] if name in others else OURS for name in paths}
    parts = [*axes(title, low, high), *(curve(name, path, colours[name]) for name, path in paths.items())]
    for name, height in spread({name: path[-1][1] for name, path in paths.items()}).items():
        parts.append(label(name, paths[name][-1], height, colours[name]))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def is_ours(name):
    return name.startswith("kith")


def inside(points):
    """(recall, rate) by recall, from the left edge on; where the edge cuts a line, the point on it. A setting that another
    one beats in both is left out."""
    points = sorted((recall, rate) for _, recall, rate in points)
    points = [point for place, point in enumerate(points) if all(rate < point[1] for _, rate in points[place + 1 :])]
    left = [point for point in points if point[0] < RECALLS[0]]
    right = [point for point in points if point[0] >= RECALLS[0]]
    if left and right:
        (r0, q0), (r1, q1) = left[-1], right[0]
        part = (nines(RECALLS[0]) - nines(r0)) / (nines(r1) - nines(r0))
        right.insert(0, (RECALLS[0], q0 ** (1 - part) * q1**part))
    return right


def nines(recall):
    """A scale on which 0.9, 0.99 and 0.999 are equally far apart; it ends there."""
    return -math.log10(1 - min(recall, RECALLS[-1]))


def across(recall):
    least, most = nines(RECALLS[0]), nines(RECALLS[-1])
    return LEFT + (nines(recall) - least) / (most - least) * (WIDTH - LEFT - RIGHT)


def up(rate, low, high):
    return HEIGHT - BOTTOM - math.log(rate / low) / math.log(high / low) * (HEIGHT - TOP - BOTTOM)


def axes(title, low, high):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    yield f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>'
    heading = f"{title}: queries per CPU second by recall@10; up and right is better"
    yield f'<text class="title" x="{LEFT}" y="24">{heading}</text>'
    for recall in RECALLS:
        x = across(recall)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
        text = f"≥ {recall}" if recall == RECALLS[-1] else recall
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>'
    for rate in ticks(low, high):
        y = up(rate, low, high)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{rate:,}</text>'
    yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">recall@10</text>'


def ticks(low, high):
    """1, 2, 5, 10, … between the two."""
    every = (digit * 10**power for power in range(8) for digit in (1, 2, 5))
    return [rate for rate in every if low <= rate <= high]


def curve(name, path, colour):
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in path)
    kind = "curve ours" if is_ours(name) else "curve"
    dash = ' stroke-dasharray="8 4"' if is_ours(name) and name != "kith" else ""
    return f'<polyline class="{kind}" stroke="{colour}"{dash} points="{points}"/>{dots}'


def spread(heights):
    """Heights near the wanted ones, in their order, a line of text or more apart, within the page."""
    names = sorted(heights, key=heights.get)
    placed = []
    for name in names:
        placed.append(max(heights[name], placed[-1] + LINE if placed else TOP))
    for row in reversed(range(len(placed))):
        limit = HEIGHT - BOTTOM if row == len(placed) - 1 else placed[row + 1] - LINE
        placed[row] = min(placed[row], limit)
    return dict(zip(names, placed))


def label(name, end, height, colour):
    """The system's name at the right, with a thin line to its curve's end."""
    x = WIDTH - RIGHT + 18
    lead = f'<path class="lead" stroke="{colour}" d="M{end[0]:.1f} {end[1]:.1f}L{x - 4} {height:.1f}"/>'
    kind = ' class="name"' if is_ours(name) else ""
    return f'{lead}<text{kind} x="{x}" y="{height + 4:.1f}" style="fill:{colour}">{name}</text>'
