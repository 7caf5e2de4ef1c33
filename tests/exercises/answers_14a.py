"""Answers to the exercises of lesson 14a."""

HALF_RIGHT = {
    "14a.weight": [lambda: {"gradient": 2}, lambda: {"gradient": 1}, lambda: {"gradient": 5}],
    "14a.edge": [
        lambda: {"kernel": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]},
        lambda: {"kernel": [[1, 0, -1]] * 3},
        lambda: {"kernel": [[0, 0, 0]] * 3},
        lambda: {"kernel": [[1, 1, 1]] * 3},
    ],
    "14a.alexnet": [
        lambda: {"rows": 54, "parameters": 34944},
        lambda: {"rows": 55, "parameters": 34848},
        lambda: {"rows": 55, "parameters": 11712},
    ],
    "14a.damp": [lambda: {"sign": "negative"}, lambda: {"sign": "positive"}],
    "14a.count": [
        lambda: {"convolution": 108, "dense": 49920},
        lambda: {"convolution": 120, "dense": 49152},
    ],
}
WRONG = {
    "14a.weight": [lambda: {"gradient": 7}],
    "14a.edge": [lambda: {"kernel": 3}, lambda: {"kernel": [[1, 2], [3, 4]]}],
    "14a.alexnet": [lambda: {"rows": 227, "parameters": 96}],
    "14a.damp": [lambda: {"sign": "some"}],
    "14a.count": [lambda: {"convolution": 12, "dense": 64}],
}
