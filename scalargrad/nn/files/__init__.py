"""Models in files, which are JSON and run nothing.

saving.py: `save` and `load`. fileformat.py: what is in a file, and what is refused. architecture.py: the modules that a
file may name, described and built again.
"""
