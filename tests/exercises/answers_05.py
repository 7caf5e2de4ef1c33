"""Answers to the exercises of lesson 05."""

from scalargrad import derivative


def newton(step):
    """An answer whose step is of the function, the place, the slope and the curvature there."""

    def answer(f, x):
        return step(f, x, derivative(f, 1)(x), derivative(f, 2)(x))

    return lambda: {"newton": answer}


HALF_RIGHT = {
    "05.table": [
        lambda: {"rows": 2, "columns": 3, "entry": 12},
        lambda: {"rows": 2, "columns": 2, "entry": 6},
        lambda: {"rows": 3, "columns": 2, "entry": 8},
        lambda: {"rows": 2, "columns": 3, "entry": 0},
    ],
    "05.sweeps": [lambda: {"reverse": 500, "forward": 500}, lambda: {"reverse": 3, "forward": 3}],
    "05.fan-out": [lambda: {"pulled": 3}, lambda: {"pulled": 1}, lambda: {"pulled": 2}],
    "05.sin": [lambda: {"derivatives": [0, 1, 0, 1, 0]}, lambda: {"derivatives": [0, 1, 0, -1]}],
    "05.hessian": [
        lambda: {"h00": 14, "h01": 25, "h11": 0},
        lambda: {"h00": 70, "h01": 10, "h11": 25},
    ],
    "05.newton": [
        newton(lambda f, x, slope, curvature: x - f(x) / slope),
        newton(lambda f, x, slope, curvature: x + slope / curvature),
        newton(lambda f, x, slope, curvature: x - slope * curvature),
        newton(lambda f, x, slope, curvature: x - slope),
        newton(lambda f, x, slope, curvature: slope / curvature),
    ],
}
WRONG = {
    "05.table": [lambda: {"rows": 1, "columns": 1, "entry": 7}, lambda: {"rows": [2], "columns": "three", "entry": 24}],
    "05.sweeps": [lambda: {"reverse": 3, "forward": 500}, lambda: {"reverse": 1, "forward": 1}],
    "05.fan-out": [lambda: {"pulled": 20}, lambda: {"pulled": [4]}],
    "05.sin": [lambda: {"derivatives": 0}, lambda: {"derivatives": [1, 0, -1, 0, 1]}],
    "05.hessian": [lambda: {"h00": 70, "h01": 25, "h11": 25}, lambda: {"h00": "14", "h01": [10], "h11": {}}],
    "05.newton": [newton(lambda f, x, slope, curvature: x), lambda: {"newton": 1.5}],
}
