"""Programs with dense layers, worked off step by step over blocks of samples by kernels compiled once per process.

- code.py makes the steps of a program: still.py those of what is the same for all samples, moving.py the others.
- fusing.py finds the ops that are computed together.
- A step is a record for a kernel (steps.py, records.py, kernels.py): dense.py has the two for matrices, lane_kernels.py
  those over the numbers of a block, uniform_kernels.py those over what is the same for all samples.
- loop.py runs the steps, chunk after chunk of blocks.
"""
