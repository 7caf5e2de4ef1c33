"""Answers to the exercises of lesson 09a."""

HALF_RIGHT = {
    "09a.tick": [lambda: {"rate": 0.5, "w0_grad": 0.25}, lambda: {"rate": 0.0, "w0_grad": 0.5}],
    "09a.ten-sigmoids": [lambda: {"largest": 0.25}, lambda: {"largest": 0.0}, lambda: {"largest": 1e-6}],
    "09a.parameters": [lambda: {"parameters": 500}, lambda: {"parameters": 43}],
    "09a.xor": [lambda: {"weights": ([[1, 1], [1, 1]], [0, -1], [1, -1])}, lambda: {"weights": ([[1, 1]], [0], [1])}],
}
WRONG = {
    "09a.tick": [lambda: {"rate": 2, "w0_grad": "half"}],
    "09a.ten-sigmoids": [lambda: {"largest": 10}],
    "09a.parameters": [lambda: {"parameters": 20}],
    "09a.xor": [lambda: {"weights": 1}, lambda: {"weights": ([[1, 1], [2, 2]], [0, 1], [1, 1])}],
}
