"""Training: `fit`, which goes over samples in epochs, and all that it does, shows and says on the way.

- fitting.py: `fit`, of samples of one structure or several (ragged.py). history.py: its epochs; progress.py: how they
  are shown.
- stepping.py: its steps on Values. compiled_stepping.py: compiled, with sample_loss.py: what is compiled of a sample,
  gathering.py: batches, attributes.py: those that were read, checked_stepping.py and agreement.py: compiled and eager
  compared, and, for Dropout, left_out.py.
- run_watch.py: what is said of runs that go wrong, with dead_relus.py.
"""
