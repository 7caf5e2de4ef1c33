"""Answers to the exercises of lesson 09b."""

HALF_RIGHT = {
    "09b.rule-of-thumb": [lambda: {"samples": 200}, lambda: {"samples": 50}],
    "09b.overfitting": [
        lambda: {"by_heart": "first", "less_penalty": "second"},
        lambda: {"by_heart": "third", "less_penalty": "third"},
    ],
    "09b.steps": [lambda: {"steps": 48}, lambda: {"steps": 375}],
    "09b.valley": [
        lambda: {"y_after_one": -1.6, "limit": 2},
        lambda: {"y_after_one": 0.2, "limit": 1},
    ],
    "09b.dropout": [lambda: {"factor": 0.8}, lambda: {"factor": 1.2}],
}
WRONG = {
    "09b.rule-of-thumb": [lambda: {"samples": 100}],
    "09b.overfitting": [lambda: {"by_heart": "second", "less_penalty": "first"}],
    "09b.steps": [lambda: {"steps": 25}],
    "09b.valley": [lambda: {"y_after_one": 2, "limit": 0.9}],
    "09b.dropout": [lambda: {"factor": 0.2}],
}
