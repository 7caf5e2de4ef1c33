"""Answers to the exercises of lesson 08."""

import scalargrad as sg


def huber_if(x):
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


HALF_RIGHT = {
    "08.cost": [lambda: {"forward": 1600, "backward": 1600}, lambda: {"forward": 32, "backward": 3200}],
    "08.replay": [lambda: {"calls": 100, "notices": "yes"}, lambda: {"calls": 1, "notices": "no"}],
    "08.layers": [
        lambda: {"rows": 5, "columns": 5, "computed": "no"},
        lambda: {"rows": 2, "columns": 6, "computed": "yes"},
    ],
    "08.line": [
        lambda: {"line_loss": lambda slope, offset, x, y: slope * x + offset - y},
        lambda: {"line_loss": lambda slope, offset, x, y: (slope * x + offset - y) ** 4 * 1e-9},
    ],
    "08.huber": [
        lambda: {"huber": huber_if},
        lambda: {"huber": lambda x: 0.5 * x * x},
        lambda: {"huber": lambda x: sg.where(sg.greater(abs(x), 1), 0.5 * x * x, abs(x) - 0.5)},
    ],
}
WRONG = {
    "08.cost": [lambda: {"forward": 1200, "backward": 2400}, lambda: {"forward": "many", "backward": [2]}],
    "08.replay": [lambda: {"calls": 0, "notices": "no"}, lambda: {"calls": "once", "notices": 1}],
    "08.layers": [
        lambda: {"rows": 5, "columns": 2, "computed": "no"},
        lambda: {"rows": "two", "columns": [5], "computed": 1},
    ],
    "08.line": [lambda: {"line_loss": lambda slope, offset, x, y: y}, lambda: {"line_loss": 0.0}],
    "08.huber": [lambda: {"huber": lambda x: x}, lambda: {"huber": 0.5}],
}
