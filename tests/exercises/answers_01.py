"""Answers to the exercises of lesson 01."""

HALF_RIGHT = {"01.twice": [lambda: {"a_grad": 4}, lambda: {"a_grad": 1}]}
WRONG = {"01.twice": [lambda: {"a_grad": -7}, lambda: {"a_grad": "five"}]}
