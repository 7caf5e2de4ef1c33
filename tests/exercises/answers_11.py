"""Answers to the exercises of lesson 11."""

from functools import cache

from scalargrad.exercises import solution
from scalargrad.exercises.lessons.lesson_11 import FOUR

ONE = "....##..\n" * 8
CUT = FOUR.replace(".+####+.", "........")


@cache
def reader():
    namespace = {}
    exec(str(solution("11.seven")), namespace)  # noqa: S102  (code of the package)
    return namespace["model"]


HALF_RIGHT = {
    "11.blank": [lambda: {"pixels": 60}, lambda: {"pixels": 0}],
    "11.parameters": [lambda: {"parameters": 1184}, lambda: {"parameters": 2410}],
    "11.dead": [lambda: {"weights": "shrink"}, lambda: {"weights": "grow"}],
    "11.seven": [lambda: {"drawing": (reader(), ONE)}, lambda: {"drawing": (lambda pixels: [0] * 7 + [1, 0, 0], ONE)}],
    "11.other-digit": [lambda: {"drawing": (reader(), FOUR)}, lambda: {"drawing": (reader(), CUT)}],
}
WRONG = {
    "11.blank": [lambda: {"pixels": 1200}],
    "11.parameters": [lambda: {"parameters": 16}],
    "11.dead": [lambda: {"weights": "die"}],
    "11.seven": [lambda: {"drawing": ONE}, lambda: {"drawing": (reader(), "a 7")}],
    "11.other-digit": [lambda: {"drawing": (7, FOUR)}],
}
