"""A gallery of wrong engines: the classic mistakes, each runnable and drawable beside the right engine.

To learn why engines sort and accumulate, and to ask of a test suite whether it would notice.

gallery.py lists the mistakes. engines.py has the sweeps and rules that they run, mistake.py says what a mistake is, and
comparison.py shows one beside the right engine.

>>> from scalargrad import mistakes
>>> a_mistake = mistakes.overwriting
>>> root, leaves = a_mistake.graph()
>>> wrong = a_mistake.gradients(root)
>>> root.backward()
>>> [(leaf.label, leaf.grad, wrong[leaf]) for leaf in leaves]
[('a', 2.0, 1.0)]
"""

from scalargrad.mistakes.comparison import Comparison
from scalargrad.mistakes.engines import TooManyVisitsError
from scalargrad.mistakes.gallery import (
    GALLERY,
    at_first_visit,
    breadth_first,
    data_changed,
    forgotten_local,
    forgotten_upstream,
    leaves_zeroed_only,
    no_sorting,
    no_zeroing,
    overwriting,
    own_factor,
    parents_in_a_set,
    seed_value,
    seed_zero,
    subtraction_sign,
)
from scalargrad.mistakes.mistake import Mistake

__all__ = [
    "GALLERY",
    "Comparison",
    "Mistake",
    "TooManyVisitsError",
    "at_first_visit",
    "breadth_first",
    "data_changed",
    "forgotten_local",
    "forgotten_upstream",
    "leaves_zeroed_only",
    "no_sorting",
    "no_zeroing",
    "overwriting",
    "own_factor",
    "parents_in_a_set",
    "seed_value",
    "seed_zero",
    "subtraction_sign",
]
