"""Answers to the exercises of lesson 12a."""

from scalargrad.exercises import solution


def homemade(old, new):
    """The solution with one rule spoilt."""
    text = str(solution("12a.homemade"))
    assert old in text

    def answers():
        namespace = {}
        exec(text.replace(old, new), namespace)  # noqa: S102  (code of the package)
        return {"engine": namespace["engine"]}

    return answers


HALF_RIGHT = {
    "12a.overwriting": [lambda: {"a_grad": 6}, lambda: {"a_grad": 1}],
    "12a.seed": [lambda: {"a_grad": 3}, lambda: {"a_grad": 6}],
    "12a.homemade": [
        homemade("other.data**2", "other.data"),
        homemade("self.data ** (n - 1)", "self.data**n"),
        homemade("self.grad += other.data * grad", "self.grad = other.data * grad"),
    ],
    "12a.which": [lambda: {"names": ("at_first_visit", "no_zeroing", "own_factor")}],
    "12a.function": [lambda: {"function": lambda a, b: a * b - a}, lambda: {"function": lambda a, b: a * a + a * b}],
}
WRONG = {
    "12a.overwriting": [lambda: {"a_grad": 10}],
    "12a.seed": [lambda: {"a_grad": -1}],
    "12a.homemade": [lambda: {"engine": dict}],
    "12a.which": [lambda: {"names": ["own_factor"] * 2}, lambda: {"names": "own_factor"}],
    "12a.function": [lambda: {"function": lambda a, b: a + b}, lambda: {"function": lambda a, b: 1.0}],
}
