"""Answers to the exercises of lesson 02."""

HALF_RIGHT = {
    "02.circuit": [
        lambda: {"x_grad": 2, "y_grad": -1, "z_grad": 2},
        lambda: {"x_grad": 1, "y_grad": 2, "z_grad": 3},
    ],
    "02.patterns": [
        lambda: {"add": [10, 10], "maximum": [0, 10], "multiply": [40, -10]},
        lambda: {"add": [10, 10], "maximum": [10, 0], "multiply": [10, ...][:1]},
    ],
    "02.without-plus": [lambda: {"c_grad": 1, "a_grad": 25}, lambda: {"c_grad": 7, "a_grad": 1}],
    "02.paths": [lambda: {"paths": 6, "edges": 6}, lambda: {"paths": 8, "edges": 3}],
}
WRONG = {
    "02.circuit": [lambda: {"x_grad": 3, "y_grad": -1, "z_grad": 1}, lambda: {"x_grad": 1, "y_grad": 1, "z_grad": 1}],
    "02.patterns": [
        lambda: {"add": [40, -10], "maximum": 10, "multiply": [40, -10]},
        lambda: {"add": [1, 1], "maximum": [1, 0], "multiply": [-1, 4]},
        lambda: {"add": [5, 5], "maximum": [10, 10], "multiply": [-10, -40]},
    ],
    "02.without-plus": [
        lambda: {"c_grad": 7, "a_grad": 25},
        *(lambda c=c, a=a: {"c_grad": c, "a_grad": a} for c in (6, 5) for a in (18, 7, 6, 4, 3)),
    ],
    "02.paths": [lambda: {"paths": 3, "edges": 3}],
}
