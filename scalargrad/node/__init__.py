"""What a node is made of. The engine (engine.py) stands on this and makes a graph of it.

- node.py: what a Value shows of itself; numbers.py: how it behaves as a number, and the number it holds.
- rules.py: what a node knows about its operation, and the table of adjoints; the op table's rows are rules.
- by_hand.py: nodes with a closure or with numbers for derivatives, as micrograd and microgpt make them.
- mode.py: the one mode of a thread; contexts.py: `no_grad` and others that change it (decorating.py: as decorators).
- new_nodes.py: what becomes of a new node in a mode; rebinding.py: of `a -= ...` there.
- watched_data.py: `data` while a function is recorded.
- extras.py: labels and hooks; naming.py: the names that all who show a graph give its nodes;
  variables.py: those of them that are the caller's variables.
- copying.py, overwritten.py, identity.py, structures.py: copies; numbers assigned afterwards; nodes told apart as
  objects; Values in lists and dicts.
- errors.py: messages with the user's line. misnamed.py: what other names are called here.
- large.py, webassembly.py: the sweep, and the end, of very large graphs.
"""
