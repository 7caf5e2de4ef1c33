"""Ctrl-C in fit(..., compiled=True), wherever it falls, leaves the parameters and the optimizer after a whole step."""

from itertools import count

from compiling_helpers import with_backends
from interrupting import stopped

from scalargrad import nn
from scalargrad.compiling.llvm import in_memory, updating
from scalargrad.nn.training import compiled_stepping

FILES = {module.__file__ for module in (compiled_stepping, in_memory, updating)}


@with_backends
def test_also_where_the_steps_are_recorded_anew(backend):
    states = {}

    def fit(model, optimizer, keep=False):
        def change(epoch, history):
            if keep:
                states[optimizer.steps] = [p.data for p in model.parameters()]
            model.epoch = epoch  # its attributes are another's now, so the next step is recorded anew

        nn.fit(
            model, [[1.0], [2.0]], [1.0, -1.0], loss="mse", optimizer=optimizer, epochs=2, progress=False,
            callback=change, compiled=backend,
        )  # fmt: skip

    def begun():
        model = nn.Neuron(1, nonlin=False, seed=1)
        states[0] = [p.data for p in model.parameters()]
        return model, nn.Adam(model.parameters(), lr=0.05)

    fit(*begun(), keep=True)
    for n in count():
        model, optimizer = begun()
        was_stopped = stopped(lambda mine=(model, optimizer): fit(*mine), n, FILES, at_calls=True)
        assert [p.data for p in model.parameters()] == states[optimizer.steps], f"stopped at call {n}"
        assert optimizer._counts == [optimizer.steps] * 2
        if not was_stopped:
            break
    assert n > 50
