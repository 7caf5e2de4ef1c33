"""What the parts of nn are given, read and checked: sizes, inputs, tables of samples, random numbers.

inputs.py: what counts as several numbers and what as one, with the errors; vectors.py: lists as vectors and matrices.
randomness.py: seeds and sources of random numbers; numpy_random.py: numpy's numbers without numpy.
"""
