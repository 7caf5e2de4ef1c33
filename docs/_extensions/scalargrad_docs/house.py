"""docs/pictures/house.svg: the rooms of the package in floors, each above all that it imports.

`python docs/_extensions/scalargrad_docs/house.py` reads the imports and writes it anew.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from scalargrad.drawing.theme import MONO, SANS, THEMES
from scalargrad_docs.imports import arrows, modules, room

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "docs" / "pictures" / "house.svg"
OUTSIDE = {"scalargrad", "_methods", "__main__"}
"""No rooms: the door, which imports all of them, the stub for editors, and `python -m`."""
LESSON = {"engine", "ops"}
ACROSS = 4
"""How many rooms have a place on a floor, if none has more."""
BEGINNINGS = 30
WIDTH, HEIGHT, ASIDE, ABOVE, MARGIN = 98.0, 40.0, 13.0, 28.0, 4.0
TIP, DOOR = 7.0, 14.0
ROLES = ("card", "border", "root", "root-border", "ink", "muted")
NAME = "scalargrad-house"
COLORS = THEMES["default"]


def imported(package: Path) -> dict[str, set[str]]:
    """The rooms that each room imports, lazily or for types only too."""
    found: dict[str, set[str]] = {room(module): set() for module in modules(package)}
    for one, other in arrows(package):
        found[room(one)].add(room(other))
    return {one: others - OUTSIDE - {one} for one, others in found.items() if one not in OUTSIDE}


def floors(needs: dict[str, set[str]]) -> dict[str, int]:
    """For each room one more than the highest floor of those that it imports; the ground is 0."""
    found: dict[str, int] = {}
    while len(found) < len(needs):
        ready = [one for one in needs if one not in found and needs[one] <= found.keys()]
        if not ready:
            raise ValueError(f"rooms import each other in a circle: {sorted(needs.keys() - found.keys())}")
        found.update({one: max((found[other] + 1 for other in needs[one]), default=0) for one in ready})
    return found


def next_needed(needs: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The arrows that no way over other rooms stands for: the transitive reduction."""
    below: dict[str, set[str]] = {}
    for one in sorted(needs, key=floors(needs).__getitem__):
        below[one] = needs[one].union(*(below[other] for other in needs[one]))
    return sorted(
        (one, other) for one in needs for other in needs[one] if not any(other in below[third] for third in needs[one])
    )


def columns(needs: dict[str, set[str]]) -> dict[str, int]:
    """Where each room stands on its floor, so that arrows are short, seldom cross and seldom pass rooms.

    From several beginnings, the same in every run, rooms move or change places as long as that helps.
    """
    level, ways, rng = floors(needs), next_needed(needs), Random(1)
    rooms = [sorted(one for one in needs if level[one] == n) for n in range(max(level.values()) + 1)]
    across = max(ACROSS, *map(len, rooms))
    found = []
    for _ in range(BEGINNINGS):
        column = {one: i for on in rooms for one, i in zip(on, rng.sample(range(across), len(on)), strict=False)}
        least, before = _trouble(column, level, ways), None
        while least != before:
            before = least
            for on in rooms:
                for one, place in product(on, range(across)):
                    moved = {**column, one: place}
                    moved.update({other: column[one] for other in on if other != one and column[other] == place})
                    trouble = _trouble(moved, level, ways)
                    if trouble < least:
                        least, column = trouble, moved
        found.append((least, sorted(column.items())))
    return dict(min(found)[1])


def lanes(column: dict[str, int], level: dict[str, int], ways: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The column in which each arrow passes other floors: its own where no room is in the way, else between two."""
    found: dict[tuple[str, str], float] = {}
    for one, other in ways:
        passed = [third for third in level if level[other] < level[third] < level[one]]
        taken = {lane for (a, b), lane in found.items() if level[b] + 1 < level[one] and level[other] + 1 < level[a]}
        free: list[float] = [column[one]] if all(column[third] != column[one] for third in passed) else []
        free += [i + 0.5 for i in range(max(column.values())) if i + 0.5 not in taken]
        found[one, other] = min(free, key=lambda lane: abs(lane - column[one]) + abs(lane - column[other]) + lane % 1)
    return found


def _trouble(column: dict[str, int], level: dict[str, int], ways: list[tuple[str, str]]) -> float:
    """How far the arrows go aside, squared; crossings, and rooms in the way, are worse. The left is a little better."""
    trouble = 0.01 * sum(column.values())
    for one, other in ways:
        trouble += (column[one] - column[other]) ** 2
        for third, floor in level.items():
            if level[other] < floor < level[one] and column[third] == column[one]:
                trouble += 3
        for a, b in ways:  # an arrow goes straight down, and aside above the floor where it ends
            if level[b] <= level[other] < level[a]:
                end = column[b] if level[b] == level[other] else column[a]
                if (column[one] - column[a]) * (column[other] - end) < 0:
                    trouble += 5
    return trouble


def lines(package: Path) -> dict[str, int]:
    """How many lines of Python each room has, to the next hundred."""
    found: dict[str, int] = {}
    for module, path in modules(package).items():
        if path.suffix == ".py":
            found[room(module)] = found.get(room(module), 0) + len(path.read_text(encoding="utf-8").splitlines())
    return {one: max(100, round(count, -2)) for one, count in found.items()}


def svg(package: Path) -> str:
    """The picture."""
    needs, sizes = imported(package), lines(package)
    level, column = floors(needs), columns(needs)
    top, across = max(level.values()), max(ACROSS, 1 + max(column.values()))
    corner = {
        one: (MARGIN + column[one] * (WIDTH + ASIDE), MARGIN + (top - level[one]) * (HEIGHT + ABOVE)) for one in needs
    }
    wide = 2 * MARGIN + across * WIDTH + (across - 1) * ASIDE
    high = 2 * MARGIN + (top + 1) * HEIGHT + top * ABOVE
    light, dark = (
        "".join(f"--{role}:{COLORS.colors(scheme)[role]};" for role in ROLES) for scheme in ("light", "dark")
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{NAME}" width="{wide:g}" height="{high:g}" '
        f'viewBox="0 0 {wide:g} {high:g}" role="img" aria-labelledby="{NAME}-title {NAME}-desc">'
    )
    parts = [
        head,
        f'<title id="{NAME}-title">The rooms of scalargrad</title>',
        f'<desc id="{NAME}-desc">{_in_words(needs, level)}</desc>',
        f"<style>\n#{NAME}{{{light}}}\n@media (prefers-color-scheme: dark){{#{NAME}{{{dark}}}}}\n</style>",
    ]
    ends = [(*way, lane) for way, lane in lanes(column, level, next_needed(needs)).items()]
    leaving = _doors([(one, lane if lane % 1 else column[other], other) for one, other, lane in ends], column)
    arriving = _doors([(other, lane if lane % 1 else column[one], one) for one, other, lane in ends], column)
    for one, other, lane in ends:
        (x0, y0), (x1, y1) = corner[one], corner[other]
        start, end = (x0 + leaving[one, other], y0 + HEIGHT), (x1 + arriving[other, one], y1)
        past = x0 + WIDTH / 2 + (lane - column[one]) * (WIDTH + ASIDE) if lane % 1 else start[0]
        parts.append(_arrow(start, end, past if level[one] - level[other] > 1 else None))
    parts += [_room(one, *corner[one], sizes[one]) for one in sorted(needs, key=lambda one: (level[one], column[one]))]
    return "\n".join([*parts, "</svg>", ""])


def _in_words(needs: dict[str, set[str]], level: dict[str, int]) -> str:
    on = {n: sorted(one for one in needs if level[one] == n) for n in range(max(level.values()) + 1)}
    return "From the ground up: " + "; ".join(", ".join(rooms) for rooms in on.values()) + "."


def _room(name: str, x: float, y: float, size: int) -> str:
    fill, border = ("root", "root-border") if name in LESSON else ("card", "border")
    middle = x + WIDTH / 2
    return (
        f'<g><rect x="{x:g}" y="{y:g}" width="{WIDTH:g}" height="{HEIGHT:g}" rx="8" '
        f'{_paint("fill", fill)} {_paint("stroke", border)} stroke-width="{1.6 if name in LESSON else 1}"/>\n'
        f"{_text(middle, y + 17.5, name, 'ink', MONO, 13, 'bold')}\n"
        f"{_text(middle, y + 32, f'{size:,} lines'.replace(',', ' '), 'muted', SANS, 11, 'normal')}</g>"
    )


def _doors(ends: list[tuple[str, float, str]], column: dict[str, int]) -> dict[tuple[str, str], float]:
    """Where arrows leave or reach a room, from its left edge: straight ones in the middle, the others to their side.

    Args:
        ends: for each arrow the room, the column that it comes from or goes to there, and the room at its other end.
        column: where the rooms stand.
    """
    found = {}
    for room_ in {one for one, _, _ in ends}:
        aside = sorted((x - column[room_], other) for one, x, other in ends if one == room_)
        left, right = [other for dx, other in aside if dx < 0], [other for dx, other in aside if dx > 0]
        places = {other: 0 for _, other in aside}
        places.update({other: i - len(left) for i, other in enumerate(left)})
        places.update({other: i + 1 for i, other in enumerate(right)})
        found.update({(room_, other): WIDTH / 2 + DOOR * place for other, place in places.items()})
    return found


def _arrow(start: tuple[float, float], end: tuple[float, float], past: float | None) -> str:
    """From the foot of a room to the roof of another; past other floors, if there are any, straight down at an x."""
    (x, y), (x1, y1) = start, end
    way = f"M{x:g} {y:g}"
    if past is not None:
        way += _bend(x, y, past, y + ABOVE)
        x, y = past, y1 - ABOVE
        way += f"V{y:g}"
    way += _bend(x, y, x1, y1 - TIP)
    return (
        f'<path d="{way}" fill="none" {_paint("stroke", "muted")} stroke-width="1.3"/>\n'
        f'<path d="M{x1:g} {y1 - 1:g}l-4 {-TIP:g}h8z" {_paint("fill", "muted")}/>'
    )


def _bend(x0: float, y0: float, x1: float, y1: float) -> str:
    """The rest of a path: from one place down to another, upright at both."""
    bend = 0.6 * (y1 - y0)
    return f"C{x0:g} {y0 + bend:g} {x1:g} {y1 - bend:g} {x1:g} {y1:g}"


def _text(x: float, y: float, text: str, role: str, font: str, size: float, weight: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" {_paint("fill", role)} font-family="{font}" '
        f'font-size="{size:g}" font-weight="{weight}">{text}</text>'
    )


def _paint(what: str, role: str) -> str:
    """The colour for programs that know no stylesheets, and the one that follows the page."""
    return f'{what}="{COLORS.light[role]}" style="{what}:var(--{role})"'


if __name__ == "__main__":
    PICTURE.write_text(svg(ROOT / "scalargrad"), encoding="utf-8")
