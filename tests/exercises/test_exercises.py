"""Every exercise of the lessons tells right, half-right and wrong answers apart, and its solution is right."""

import sys
from pathlib import Path

import pytest

from scalargrad import no_grad
from scalargrad.exercises import check, exercises, hint, solution
from scalargrad.exercises.finding import all_exercises

sys.path.insert(0, str(Path(__file__).parent))
from answers import HALF_RIGHT, WRONG

BANK = {exercise.id: exercise for exercise in all_exercises()}


def states(marks):
    return [mark.state for mark in marks]


@pytest.mark.parametrize("name", BANK)
def test_the_solution_runs_and_is_right(name):
    namespace = {}
    exec(solution(name), namespace)  # noqa: S102  (code of the package)
    marks = check(name, **{part: namespace[part] for part in BANK[name].names})
    assert marks, repr(marks)
    assert set(states(marks)) == {"right"}
    assert BANK[name].reveal[:20] in repr(marks)
    with no_grad():
        assert check(name, **{part: namespace[part] for part in BANK[name].names})


@pytest.mark.parametrize("name", BANK)
def test_nothing_is_answered_before_one_has_tried(name):
    marks = check(name, **dict.fromkeys(BANK[name].names, ...))
    assert not marks
    assert set(states(marks)) == {"open"}
    assert "not answered yet" in repr(marks)
    assert states(check(name)) == states(marks)


@pytest.mark.parametrize("name", BANK)
def test_half_right_answers_are_told_what_is_missing(name):
    """Half right: some part is right and another is not, or what was built does some of what it should."""
    for answers in HALF_RIGHT[name]:
        marks = check(name, **answers())
        assert not marks, repr(marks)
        assert "not yet" in states(marks)
        assert len(BANK[name].parts) == 1 or "right" in states(marks), repr(marks)
        assert all(len(mark.why) > 15 for mark in marks if mark.state == "not yet"), repr(marks)


@pytest.mark.parametrize("name", BANK)
def test_wrong_answers_are_wrong_in_every_part(name):
    for answers in WRONG[name]:
        marks = check(name, **answers())
        assert set(states(marks)) == {"not yet"}, repr(marks)


@pytest.mark.parametrize("name", BANK)
def test_no_answer_makes_it_fail(name):
    for answer in (object(), "text", float("nan"), [], {}, lambda *args: 1 / 0, lambda *args: ..., type, 10**400):
        marks = check(name, **dict.fromkeys(BANK[name].names, answer))
        assert not marks
        assert isinstance(repr(marks), str)


@pytest.mark.parametrize("name", BANK)
def test_there_are_hints_and_a_question(name):
    texts = [str(hint(name, i + 1)) for i in range(len(BANK[name].hints))]
    assert len(texts) == len(set(texts)) >= 1
    assert BANK[name].question in str(exercises(name.partition(".")[0]))


def test_an_id_that_is_not_there_is_answered_by_those_that_are_near():
    with pytest.raises(ValueError, match=r"did you mean 01\.twice"):
        check("01.twise")
    with pytest.raises(ValueError, match=r"by its id"):
        hint(1)
    with pytest.raises(TypeError, match="asks for a_grad"):
        check("01.twice", b_grad=1)
    with pytest.raises(ValueError, match="hints 1 to 2"):
        hint("01.twice", 3)
    with pytest.raises(ValueError, match="no lesson"):
        exercises("77")


def test_each_id_stands_once():
    assert len(all_exercises()) == len(BANK)
    assert BANK.keys() == HALF_RIGHT.keys() == WRONG.keys()
