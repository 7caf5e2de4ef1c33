"""A GPT written with scalargrad's layers has the losses of one that brings its engine, at every step, compiled too."""

import pytest
from compiling_helpers import with_backends
from gpt_of_layers import LayeredGPT
from gpt_of_scalars import GPT, OwnValue
from sizes import has_full_size, size

from scalargrad import nn


@has_full_size
def test_layers_give_the_losses_of_the_program_that_brings_its_engine():
    own, layered = GPT(OwnValue, nn.names()), LayeredGPT(nn.names())
    steps = size(3, 31)
    given = layered.documents(steps)
    losses = [layered.eager_step(tokens, step) for step, tokens in enumerate(given)]
    assert losses == pytest.approx(own.train(steps), rel=1e-12, abs=0)
    assert [p.data for p in layered.params] == pytest.approx([p.data for p in own.params], rel=1e-9, abs=1e-12)


@has_full_size
@with_backends
def test_compiled_it_has_the_losses_of_the_eager_engine_at_every_step(backend):
    eager, compiled = LayeredGPT(nn.names()), LayeredGPT(nn.names())
    steps = size(30, 1000) if backend == "llvm" else size(2, 20)
    given = eager.documents(steps)
    wanted = [eager.eager_step(tokens, step) for step, tokens in enumerate(given)]
    found = []
    with compiled.compiled(backend=backend).training(compiled.optimizer) as step:
        for number, tokens in enumerate(given):
            compiled.optimizer.lr = compiled.rate(number)
            found.append(step([tokens]))
    assert found == pytest.approx(wanted, rel=1e-12, abs=0)
    assert [p.data for p in compiled.params] == pytest.approx([p.data for p in eager.params], rel=1e-9, abs=1e-12)


def test_a_gradient_is_that_of_the_eager_engine():
    model = LayeredGPT(nn.names())
    documents = model.documents(12)
    total, gradients = model.compiled(reduction="sum").value_and_grad(documents)
    losses = [model.loss_of(tokens) for tokens in documents]
    for loss in losses:
        loss.backward()
    assert total == pytest.approx(sum(loss.data for loss in losses), rel=1e-13)
    assert gradients == pytest.approx([p.grad for p in model.params], rel=1e-10, abs=1e-13)
