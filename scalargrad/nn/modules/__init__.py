"""What a module is: anything that holds parameters. The layers, which are modules, have rooms of their own.

module.py: Module, and how its parameters are found. states.py: their numbers by name; naming.py: their labels.
known_module.py: KnownModule, a module that says its settings, so that a model file can name it.
resumable.py: what `save` asks of an optimizer. misnamed.py: what PyTorch's names are called here.
"""
