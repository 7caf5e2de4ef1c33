"""The exercises of notebook 09b, training a network."""

from __future__ import annotations

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise
from scalargrad.exercises.judging import choice, number
from scalargrad.nn import SGD, Dropout, hidden_neurons


def _samples() -> float:
    """How many the rule asks for: it is linear in them."""
    return 100 / hidden_neurons(1, 2, 1, alpha=2)


def _y_after(steps: int) -> float:
    x, y = Value(-7.0), Value(2.0)
    optimizer = SGD([x, y], lr=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        (x**2 / 20 + y**2).backward()
        optimizer.step()
    return y.data


def _kept(p: float) -> float:
    dropout = Dropout(p, seed=0)
    return max(float(v) for _ in range(50) for v in (u.data for u in dropout([Value(1.0)])))


EXERCISES = (
    Exercise(
        id="09b.rule-of-thumb",
        question="For how many samples does the rule of thumb ask for 100 hidden neurons, with 2 inputs, 1 output and "
        "α = 2?",
        parts=(
            number(
                "samples",
                _samples,
                {
                    200.0: "the inputs and the outputs count too",
                    50.0: "α multiplies the weights, it does not divide them",
                },
                tolerance=1e-9,
            ),
        ),
        hints=(
            "Solve the formula for the samples.",
            "100 neurons have 100 · (2 + 1) weights, and each wants α samples.",
        ),
        solution="samples = 2 * 100 * (2 + 1)",
        reveal="Two samples for each of 300 weights.",
    ),
    Exercise(
        id="09b.overfitting",
        question="One network has loss 0.02 on its own points and 0.80 on others; a second one 0.25 and 0.26; a third "
        "one 0.69 and 0.69. Which one learned by heart, and which should get less regularization? Answer with 'first', "
        "'second' or 'third'.",
        parts=(
            choice(
                "by_heart",
                "first",
                {"second": "it knows others as well as its own", "third": "it does not even know its own points"},
            ),
            choice(
                "less_penalty",
                "third",
                {"first": "it follows the noise already: it needs more", "second": "it does well on both sides"},
            ),
        ),
        hints=("Compare the two numbers of each network.", "Who cannot fit even its own points is held back too much."),
        solution="by_heart = 'first'  # a large gap\nless_penalty = 'third'  # ln 2 = 0.69: it only guesses",
        reveal="0.69 is ln 2, what guessing between two classes costs.",
    ),
    Exercise(
        id="09b.steps",
        question="1200 samples, batches of 25, 15 epochs: how many steps are made?",
        parts=(
            number(
                "steps",
                lambda: 15.0 * len(range(0, 1200, 25)),
                {48.0: "that is one epoch", 15.0: "those are the epochs", 375.0: "how many batches has an epoch?"},
                tolerance=1e-9,
            ),
        ),
        hints=("How many batches are there in one epoch?", "A step for each batch."),
        solution="steps = 15 * 1200 // 25",
        reveal="A schedule counts steps, not epochs: this is the number that cosine_lr(0.01, ...) needs.",
    ),
    Exercise(
        id="09b.valley",
        question="SGD runs down x² / 20 + y² with lr = 0.9 and begins at x = −7, y = 2. What is y after one step, and "
        "from which learning rate on would y get farther away with every step?",
        parts=(
            number(
                "y_after_one", lambda: _y_after(1), {0.2: "y.grad is 2 · y, so it is 4 here", 1.1: "y.grad is 2 · y"}
            ),
            number(
                "limit", lambda: 2 / 2.0, {2.0: "a step multiplies y by 1 − 2 · lr", 0.5: "there it arrives at once"}
            ),
        ),
        hints=(
            "The step is y − lr · y.grad, and y.grad is 2 · y.",
            "So each step multiplies y by (1 − 2 · lr). When is that beyond −1?",
        ),
        solution="y_after_one = 2 - 0.9 * 4\nlimit = 1.0  # 1 − 2 · lr = −1",
        reveal="It lands on the other wall at −1.6, and then at 1.28: the zigzag that you will see.",
    ),
    Exercise(
        id="09b.dropout",
        question="nn.Dropout(0.2) leaves out one number in five. While training, what are those multiplied by that "
        "stay?",
        parts=(
            number(
                "factor",
                lambda: _kept(0.2),
                {
                    5.0: "that would be for p = 0.8",
                    0.8: "then the sum would shrink even more",
                    1.2: "1.2 · 0.8 is not 1",
                },
            ),
        ),
        hints=("On average the sum of many numbers is to stay the same.", "Four fifths stay: 0.8 · factor = 1."),
        solution="factor = 1 / (1 - 0.2)",
        reveal="So nothing has to be rescaled in use: the sums are as large as they were on average.",
    ),
)
