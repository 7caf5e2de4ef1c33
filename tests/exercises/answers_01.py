"""Answers to the exercises of lesson 01."""

HALF_RIGHT = {
    "01.other-place": [lambda: {"nudge_a": 4, "nudge_b": 4}, lambda: {"nudge_a": 5, "nudge_b": 5}],
    "01.relu": [lambda: {"x_grad": 1}],
    "01.twice": [lambda: {"a_grad": 4}, lambda: {"a_grad": 1}],
    "01.cube": [lambda: {"x_grad": 4}, lambda: {"x_grad": 8}],
    "01.stays": [lambda: {"a_grad": 2}],
    "01.downhill": [lambda: {"w_goes": "down"}],
}
WRONG = {
    "01.other-place": [lambda: {"nudge_a": 5, "nudge_b": 4}, lambda: {"nudge_a": 30, "nudge_b": "four"}],
    "01.relu": [lambda: {"x_grad": -1}, lambda: {"x_grad": "none"}],
    "01.twice": [lambda: {"a_grad": -7}, lambda: {"a_grad": "five"}],
    "01.cube": [lambda: {"x_grad": 3}],
    "01.stays": [lambda: {"a_grad": 0}],
    "01.downhill": [lambda: {"w_goes": "sideways"}, lambda: {"w_goes": 1}],
}
