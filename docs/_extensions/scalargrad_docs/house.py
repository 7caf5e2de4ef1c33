"""docs/pictures/house.svg: the rooms of the package in floors, each above all that it imports.

`python docs/_extensions/scalargrad_docs/house.py` reads the imports and writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scalargrad.drawing.theme import MONO, SANS, THEMES
from scalargrad_docs.imports import arrows, modules, room

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "docs" / "pictures" / "house.svg"
OUTSIDE = {"scalargrad", "_methods", "__main__"}
"""No rooms: the door, which imports all of them, the stub for editors, and `python -m`."""
LESSON = {"engine", "ops"}
COLUMNS = {
    "support": 1, "node": 1, "engine": 1, "table": 1, "hooks": 2,
    "functional": 0, "ops": 1, "function": 2, "exact": 3, "words": 1,
    "compiling": 0, "drawing": 2, "nn": 0, "tracing": 2, "mistakes": 3,
    "strategies": 0, "circuit": 2, "cli": 3, "checking": 0, "layers": 2,
}  # fmt: skip
"""Where each room stands on its floor. The floor follows from the imports."""
WIDTH, HEIGHT, ASIDE, ABOVE, MARGIN = 98.0, 40.0, 13.0, 28.0, 4.0
TIP = 7.0
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
    if needs.keys() != COLUMNS.keys():
        raise ValueError(f"give a column, in {Path(__file__).name}, to just these rooms: {', '.join(sorted(needs))}")
    level = floors(needs)
    top = max(level.values())
    corner = {
        one: (MARGIN + COLUMNS[one] * (WIDTH + ASIDE), MARGIN + (top - level[one]) * (HEIGHT + ABOVE)) for one in needs
    }
    _check_that_nothing_covers(needs, level)
    wide, high = 2 * MARGIN + 4 * WIDTH + 3 * ASIDE, 2 * MARGIN + (top + 1) * HEIGHT + top * ABOVE
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
    parts += [_arrow(corner[one], corner[other], level[one] - level[other]) for one, other in next_needed(needs)]
    parts += [_room(one, *corner[one], sizes[one]) for one in sorted(needs, key=lambda one: (level[one], COLUMNS[one]))]
    return "\n".join([*parts, "</svg>", ""])


def _check_that_nothing_covers(needs: dict[str, set[str]], level: dict[str, int]) -> None:
    for one in needs:
        for other in needs:
            if one < other and level[one] == level[other] and abs(COLUMNS[one] - COLUMNS[other]) < 1:
                raise ValueError(f"{one} and {other} stand in one place of floor {level[one]}: change a column")
    for one, other in next_needed(needs):
        for third in needs:
            if level[other] < level[third] < level[one] and abs(COLUMNS[third] - COLUMNS[one]) < 0.6:
                raise ValueError(f"the arrow from {one} to {other} runs through {third}: change a column")


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


def _arrow(start: tuple[float, float], end: tuple[float, float], storeys: int) -> str:
    """From the foot of a room down to the roof of another; past other floors straight down."""
    lean = 0.14 * (start[0] - end[0])
    x0, y0 = start[0] + WIDTH / 2 - lean, start[1] + HEIGHT
    x1, y1 = end[0] + WIDTH / 2 + lean, end[1]
    past = y0 + (storeys - 1) * (HEIGHT + ABOVE)
    bend = 0.6 * (y1 - TIP - past)
    return (
        f'<path d="M{x0:g} {y0:g}V{past:g}C{x0:g} {past + bend:g} {x1:g} {y1 - TIP - bend:g} {x1:g} {y1 - TIP:g}" '
        f'fill="none" {_paint("stroke", "muted")} stroke-width="1.3"/>\n'
        f'<path d="M{x1:g} {y1 - 1:g}l-4 {-TIP:g}h8z" {_paint("fill", "muted")}/>'
    )


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
