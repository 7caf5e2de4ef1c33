"""Steps downhill: how gradients move parameters.

optimizers.py: SGD, Adam and the others; schedules.py: their learning rates; clipping.py: gradients made shorter.
memories.py: where a compiled training keeps an optimizer's numbers; resuming.py: what it remembers, as plain data.
step_watch.py: what is said of loops by hand that go wrong.
"""
