"""Answers to the exercises of lesson 13."""

import math

import scalargrad as sg
from scalargrad import nn


def unscaled(query, keys, values):
    shares = nn.softmax([sg.dot(query, key) for key in keys])
    return [sg.dot(shares, column) for column in zip(*values, strict=True)]


def of_floats(query, keys, values):
    scores = [sum(getattr(q, "data", q) * k for q, k in zip(query, key, strict=True)) for key in keys]
    shares = nn.softmax([score / math.sqrt(len(query)) for score in scores])
    return [sg.dot(shares, column) for column in zip(*values, strict=True)]


def only_shares(query, keys, values):
    return nn.softmax([sg.dot(query, key) / math.sqrt(len(query)) for key in keys])


HALF_RIGHT = {
    "13.predictions": [lambda: {"count": 6}, lambda: {"count": 8}],
    "13.first-loss": [lambda: {"loss": 1 / 27}, lambda: {"loss": -math.log(27)}],
    "13.head": [lambda: {"head": unscaled}, lambda: {"head": of_floats}, lambda: {"head": only_shares}],
    "13.rows": [lambda: {"rows": 5}, lambda: {"rows": 2}],
    "13.future": [lambda: {"gradient": "positive"}],
    "13.temperature": [lambda: {"times": 2}, lambda: {"times": math.sqrt(2)}],
}
WRONG = {
    "13.predictions": [lambda: {"count": 26}],
    "13.first-loss": [lambda: {"loss": 0.0}],
    "13.head": [lambda: {"head": lambda query, keys, values: query}, lambda: {"head": [1.0]}],
    "13.rows": [lambda: {"rows": 0}],
    "13.future": [lambda: {"gradient": "nothing"}],
    "13.temperature": [lambda: {"times": 0.5}],
}
