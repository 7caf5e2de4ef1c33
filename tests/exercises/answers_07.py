"""Answers to the exercises of lesson 07."""

import math


def slope(function):
    return lambda: {"slope": function}


HALF_RIGHT = {
    "07.half-step": [lambda: {"one_side": 2, "both_sides": 2}, lambda: {"one_side": 4, "both_sides": 4}],
    "07.kink": [
        lambda: {"below": 1, "above": 3, "engine": 1},
        lambda: {"below": -1, "above": 1, "engine": 2},
        lambda: {"below": 1, "above": 3, "engine": 0},
    ],
    "07.softsign": [
        slope(lambda x: 1 / (1 + abs(x))),
        slope(lambda x: math.copysign(1, x) / (1 + abs(x)) ** 2),
        slope(lambda x: 1 / (1 + x) ** 2 if x >= 0 else 0.0),
    ],
    "07.notice": [
        lambda: {"graph": "a * b + a", "right": 3, "wrong": 3},
        lambda: {"graph": "a * b + c", "right": 4, "wrong": 1},
        lambda: {"graph": "a*b+a", "right": 3, "wrong": 4},
    ],
    "07.softplus": [
        slope(lambda x: [1 / (1 + math.exp(x))]),
        slope(lambda x: math.exp(x) / (1 + math.exp(x)) if x < 1 else 1.0),
    ],
}
WRONG = {
    "07.half-step": [lambda: {"one_side": 0.5, "both_sides": 0.25}, lambda: {"one_side": "h", "both_sides": [4]}],
    "07.kink": [lambda: {"below": 0, "above": 0, "engine": 0}, lambda: {"below": 3, "above": 1, "engine": "between"}],
    "07.softsign": [slope(lambda x: x / (1 + abs(x))), lambda: {"slope": 0.25}],
    "07.notice": [
        lambda: {"graph": "a * b + c", "right": 3, "wrong": 4},
        lambda: {"graph": 2, "right": "four", "wrong": [3]},
    ],
    "07.softplus": [slope(lambda x: math.log(1 + math.exp(x))), lambda: {"slope": "sigmoid"}],
}
