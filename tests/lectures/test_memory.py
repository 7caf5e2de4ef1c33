"""The Neural Turing Machine of the lecture: PyTorch's numbers, and copies of sequences twice as long as those it learned from.

The machine is that of notebook 14b, cell by cell. The oracle is PyTorch, with all slots and heads as tensors.
"""

import random
from fractions import Fraction

import pytest
from beside_pytorch import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need, optional
from optional import numpy as np
from sizes import has_full_size, only_long, size
from turing_machine import machine_cells

import scalargrad as sg

llvmlite = optional("llvmlite")
NOTEBOOK = machine_cells()
TuringMachine, episode, loss_of, random_rows, train = (
    NOTEBOOK[name] for name in ("TuringMachine", "episode", "loss_of", "random_rows", "train")
)


def near(x, tolerance=1e-12):
    return pytest.approx(x, rel=tolerance, abs=tolerance)


# -------------------------------------------------------------------- 48: its parts

weights = st.integers(1, 6).flatmap(lambda n: st.lists(st.fractions(0, 1), min_size=n, max_size=n))


@given(weights, st.integers(-1, 1))
def test_48_a_whole_shift_turns_the_weights_round(weights, by):
    s = [Fraction(by == -1), Fraction(by == 0), Fraction(by == 1)]
    n = len(weights)
    moved = NOTEBOOK["shift"]([float(w) for w in weights], [float(x) for x in s])
    assert moved == [float(weights[(i - by) % n]) for i in range(n)]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_48_a_shift_is_the_circular_convolution(weights, s):
    n, kernel = len(weights), [0.0] * len(weights)
    for by, share in zip((-1, 0, 1), s, strict=True):
        kernel[by % n] += share
    convolved = np.fft.ifft(np.fft.fft(weights) * np.fft.fft(kernel)).real.tolist()
    assert NOTEBOOK["shift"](weights, s) == near(convolved)


def test_48_erase_and_add_in_whole_numbers():
    memory, write = [[1, 2], [3, 4], [5, 6]], NOTEBOOK["write"]
    assert write(memory, [0, 1, 0], [1, 1], [7, 8]) == [[1, 2], [7, 8], [5, 6]]
    assert write(memory, [1, 0, 0], [1, 0], [0, 1]) == [[0, 3], [3, 4], [5, 6]]
    assert write(memory, [0, 0, 0], [1, 1], [7, 8]) == memory
    half = Fraction(1, 2)
    assert write(memory, [0, 0, half], [1, half], [1, 1]) == [[1, 2], [3, 4], [3, 5]]


# -------------------------------------------------------------------- 48: beside PyTorch


def in_pytorch(machine, sequence):
    """The loss of one sequence by tensors, and the gradients by the names of the state_dict."""
    functional, number = torch.nn.functional, torch.float64
    state = {}
    for name in ("controller", "write_head", "read_head", "answer"):
        layer = getattr(machine, name)
        state[f"{name}.W"] = torch.tensor([[w.data for w in row] for row in layer.W], dtype=number, requires_grad=True)
        state[f"{name}.b"] = torch.tensor([b.data for b in layer.b], dtype=number, requires_grad=True)
    size = machine.size

    def layer(name, x):
        return functional.linear(x, state[f"{name}.W"], state[f"{name}.b"])

    def move(said, before, memory):
        key, beta = torch.tanh(said[:size]), functional.softplus(said[size + 1])
        lengths = torch.sqrt((memory * memory).sum(1) * (key * key).sum() + 1e-3)
        found = torch.softmax(beta * (memory @ key) / lengths, 0)
        gate, gamma = torch.sigmoid(said[size]), 1 + functional.softplus(said[size + 2])
        back, stay, on = torch.softmax(said[size + 3 : size + 6], 0)
        w = gate * found + (1 - gate) * before
        w = back * torch.roll(w, -1) + stay * w + on * torch.roll(w, 1)
        return w**gamma / (w**gamma).sum()

    memory, remembered = torch.zeros(machine.slots, size, dtype=number), torch.zeros(size, dtype=number)
    writing = reading = torch.eye(machine.slots, dtype=number)[0]
    scores = []
    for x in torch.tensor(episode(sequence), dtype=number):
        hidden = torch.tanh(layer("controller", torch.cat([x, remembered])))
        said = layer("write_head", hidden)
        writing = move(said, writing, memory)
        erase, add = torch.sigmoid(said[size + 6 : 2 * size + 6]), torch.tanh(said[2 * size + 6 :])
        memory = memory * (1 - torch.outer(writing, erase)) + torch.outer(writing, add)
        reading = move(layer("read_head", hidden), reading, memory)
        remembered = reading @ memory
        scores.append(layer("answer", torch.cat([hidden, remembered])))
    answers = torch.stack(scores[-len(sequence) :])
    loss = functional.binary_cross_entropy_with_logits(answers, torch.tensor(sequence, dtype=number))
    loss.backward()
    return loss.item(), {name: tensor.grad.tolist() for name, tensor in state.items()}


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(2, 7), st.integers(1, 4), st.integers(1, 5))
def test_48_loss_and_gradients_are_those_of_pytorch(seed, length, slots, size, hidden):
    machine, sequence = TuringMachine(slots, size, hidden, seed), random_rows(random.Random(seed), length)
    expected_loss, expected = in_pytorch(machine, sequence)
    loss = loss_of(machine)(sequence)
    loss.backward()
    assert loss.data == near(expected_loss)
    for name in ("controller", "write_head", "read_head", "answer"):
        layer = getattr(machine, name)
        for row, right in zip(layer.W, expected[f"{name}.W"], strict=True):
            assert [w.grad for w in row] == near(right)
        assert [b.grad for b in layer.b] == near(expected[f"{name}.b"])


def test_48_a_compiled_batch_gives_the_eager_gradients():
    machine, rng = TuringMachine(slots=5, size=3, hidden=4, seed=1), random.Random(0)
    batch = [random_rows(rng, length) for length in (1, 2, 1, 2, 2)]
    parameters = machine.parameters()
    value, gradients = sg.compile(loss_of(machine), parameters=parameters).value_and_grad(batch)
    losses = [loss_of(machine)(sequence) for sequence in batch]
    mean = sg.mean(losses)
    assert value == near(mean.data, 1e-13)
    assert gradients == near(sg.grad(mean, parameters), 1e-12)


# -------------------------------------------------------------------- 48: what it learns


def wrong_bits(machine, length, count=200):
    """The share of wrong bits in the answers to new sequences."""
    rng = random.Random(f"{length} new ones")
    sequences = [random_rows(rng, length) for _ in range(count)]
    answers = sg.compile(lambda rows: machine(episode(rows))[-length:]).values(sequences)
    return np.mean((np.array(answers) > 0) != (np.array(sequences) > 0.5))


def trained(seed, steps):
    machine = TuringMachine(slots=20, size=6, hidden=24, seed=seed)
    train(machine, steps=steps, lr=0.01, seed=seed)
    return machine


def test_48_the_machine_of_the_notebook_copies_sequences_four_times_as_long():
    """It was trained with sequences of 1 to 5 vectors; after 20 its memory is full."""
    need(llvmlite)  # programs of 100 000 instructions
    machine = trained(7, size(400, 1000))
    assert [wrong_bits(machine, length) < 0.01 for length in (5, 10, 20, 21)] == [True, True, True, False]


@has_full_size
@only_long
def test_48_at_least_eight_of_ten_machines_copy_sequences_twice_as_long():
    """Nine, where this was written; where lanes are others, sums are others in their last digits."""
    need(llvmlite)
    machines = [trained(seed, 1000) for seed in range(10)]
    copied = [wrong_bits(machine, 5) < 0.01 and wrong_bits(machine, 10) < 0.01 for machine in machines]
    assert sum(copied) >= 8
