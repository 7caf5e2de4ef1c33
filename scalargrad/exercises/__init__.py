"""The exercises of the lessons: each is asked in a notebook, and checked, hinted at and solved here.

    check("01.twice", a_grad=5)     # marks each answer; `...` leaves it open
    hint("01.twice")                # what to look at; hint("01.twice", 2) says more
    solution("01.twice")            # Python code that answers it, for who has tried
    exercises("01")                 # the questions of a lesson

exercise.py says what an exercise is: parts that are judged one by one. judging.py makes the parts: numbers, gradients
of a graph, choices, and helps to judge what a learner builds. marks.py holds what `check` gives. finding.py finds an
exercise by its id. lessons/ has a file for each lesson.

>>> from scalargrad.exercises import check
>>> check("01.twice", a_grad=...)
01.twice is not answered yet: a_grad
  hint("01.twice") says what to look at.
"""

from scalargrad.exercises.finding import check, exercises, hint, solution

__all__ = ["check", "exercises", "hint", "solution"]
