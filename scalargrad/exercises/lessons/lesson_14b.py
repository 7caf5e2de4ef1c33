"""The exercises of notebook 14b, memory."""

from __future__ import annotations

from scalargrad.exercises.exercise import Exercise
from scalargrad.exercises.judging import number, numbers
from scalargrad.ops import dot, sqrt


def _cosines() -> list[float]:
    key = [3.0, 4.0]
    rows = [[4.0, 3.0], [6.0, 8.0], [-3.0, -4.0]]
    return [dot(key, row) / sqrt(dot(key, key) * dot(row, row)) for row in rows]


def _shifted() -> list[float]:
    weights, (back, stay, forward) = [0.8, 0.2, 0.0, 0.0], (0.0, 0.1, 0.9)
    turned = zip([*weights[1:], weights[0]], weights, [weights[-1], *weights[:-1]], strict=True)
    return [back * after + stay * here + forward * before for after, here, before in turned]


def _written() -> list[float]:
    old, erase, add = [1.0, -0.5, 0.0], [1.0, 0.0, 1.0], [0.2, 1.0, 0.4]
    return [m * (1 - 0.5 * e) + 0.5 * a for m, e, a in zip(old, erase, add, strict=True)]


EXERCISES = (
    Exercise(
        id="14b.steps",
        question="The steps of the copy task are counted from 0. For a sequence of 10 vectors: in which step is the "
        "fourth vector presented, and in which must it be given back?",
        parts=(
            number("presented", lambda: 3.0, {4.0: "the first one is in step 0"}, tolerance=1e-9),
            number(
                "answered",
                lambda: 13.0,
                {14.0: "the first answer is in step 10", 12.0: "the first answer is in step 10"},
                tolerance=1e-9,
            ),
        ),
        hints=("The ten vectors are in steps 0 to 9.", "The ten answers are in steps 10 to 19."),
        solution="presented = 3\nanswered = presented + 10",
        reveal="20 steps in all; and for ten of them the vector has to be kept.",
    ),
    Exercise(
        id="14b.content",
        question="What are the cosines of the rows [4, 3], [6, 8] and [-3, -4] with the key [3, 4]?",
        parts=(numbers("cosines", _cosines),),
        hints=(
            "Divide the dot product by both lengths; [3, 4] has the length 5.",
            "A row in the same direction has the cosine 1, however long it is.",
        ),
        solution="cosines = [(3 * 4 + 4 * 3) / (5 * 5), (3 * 6 + 4 * 8) / (5 * 10), (-3 * 3 - 4 * 4) / (5 * 5)]",
        reveal="The length of a row does not matter, only its direction: what is written twice as strongly is found no "
        "sooner.",
    ),
    Exercise(
        id="14b.shift",
        question="The weights of four slots are [0.8, 0.2, 0, 0], and the shift is [0, 0.1, 0.9]: a tenth stays, nine "
        "tenths go on to the next slot. What are the weights after it? And which γ leaves weights as they are?",
        parts=(
            numbers("shifted", _shifted),
            number("gamma", lambda: 1.0, {0.0: "then all weights would be equal"}, tolerance=1e-9),
        ),
        hints=(
            "Slot 0 keeps a tenth of its own; slot 1 keeps a tenth of its own, and gets nine tenths of slot 0.",
            "Which power of a number is the number itself?",
        ),
        solution="shifted = [0.1 * 0.8, 0.1 * 0.2 + 0.9 * 0.8, 0.9 * 0.2, 0.0]\ngamma = 1",
        reveal="0.8 has become 0.74, and there are three slots now in place of two: shifting blurs, so one sharpens.",
    ),
    Exercise(
        id="14b.write",
        question="A row [1, -0.5, 0] is written to with the weight 0.5; erase is [1, 0, 1] and add is [0.2, 1, 0.4]. "
        "What does it hold then?",
        parts=(numbers("row", _written),),
        hints=(
            "What is added is multiplied by the weight, too.",
            "The first number: 1 · (1 - 0.5 · 1) + 0.5 · 0.2.",
        ),
        solution="row = [1 * (1 - 0.5) + 0.5 * 0.2, -0.5 + 0.5 * 1, 0 + 0.5 * 0.4]",
        reveal="With a weight of 0 nothing happens, with 1 and an erase of 1 the row is what is added.",
    ),
    Exercise(
        id="14b.limit",
        question="20 slots; the write head goes on one slot in each step and comes back after 20. Of n vectors, the "
        "one presented in step t is written in this step and read in step t + n - 1; in each step the machine first "
        "writes, then reads. How long may a sequence be, if no vector is to be written over before it is read? And of "
        "26 vectors, numbered from 0: which does slot 0 hold when it is read, in step 25?",
        parts=(
            number(
                "longest",
                lambda: 20.0,
                {
                    10.0: "it does no harm if the head comes round to a slot that has been read",
                    19.0: "with 19 the head comes back two steps after the reading",
                    21.0: "with 21 the slot is written over in the step in which it is read, and writing comes first",
                },
                tolerance=1e-9,
            ),
            number(
                "held",
                lambda: 20.0,
                {0.0: "that one was there up to step 19", 21.0: "the first one is number 0"},
                tolerance=1e-9,
            ),
        ),
        hints=(
            "A vector is lost if t + 20, when the head comes back, is not later than t + n - 1.",
            "Slot 0 is written to in step 0 and again in step 20.",
        ),
        solution="longest = 20  # t + n - 1 < t + 20\nheld = 0 + 20",
        reveal="Four times the length of the longest sequence that it was trained with. Look at what it makes of 26.",
    ),
)
