"""Structure: the dense layers that a scalar program hides, found again.

finding.py looks for them on the recorded tape, splitting.py cuts the program there and differentiates what is left. The
llvm backend runs layers by kernels that are compiled once per process (llvm/blocks/); wording.py tells of them.
overview.py reads one sample's graph with its layers, for pictures.
"""
