"""Answers to the exercises of lesson 14b."""

HALF_RIGHT = {
    "14b.steps": [lambda: {"presented": 3, "answered": 14}, lambda: {"presented": 4, "answered": 13}],
    "14b.content": [lambda: {"cosines": [0.96, 2, -1]}, lambda: {"cosines": [0.96, 1, 1]}],
    "14b.shift": [
        lambda: {"shifted": [0.08, 0.74, 0.18, 0], "gamma": 0},
        lambda: {"shifted": [0.08, 0.02, 0.9, 0], "gamma": 1},
    ],
    "14b.write": [lambda: {"row": [0.6, 0.5, 0.4]}, lambda: {"row": [0.7, 0.5, 0.4]}],
    "14b.limit": [lambda: {"longest": 19, "held": 20}, lambda: {"longest": 20, "held": 0}],
}
WRONG = {
    "14b.steps": [lambda: {"presented": 13, "answered": 3}],
    "14b.content": [lambda: {"cosines": [24, 50, -25]}],
    "14b.shift": [lambda: {"shifted": [0.2, 0, 0, 0.8], "gamma": 2}],
    "14b.write": [lambda: {"row": [1, 1, 1]}],
    "14b.limit": [lambda: {"longest": 10, "held": 26}],
}
