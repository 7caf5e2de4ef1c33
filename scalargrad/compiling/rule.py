"""An optimizer's rule on a tape, with what a compiled update takes for granted of the optimizer."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.lowering import simplified
from scalargrad.compiling.surroundings.contents import CONTAINERS, differ, frozen
from scalargrad.compiling.taping import TapedCall
from scalargrad.compiling.watching import WatchedCall
from scalargrad.engine import Value

if TYPE_CHECKING:
    from scalargrad.compiling.optimizer import Optimizer
    from scalargrad.compiling.tape import Instruction


def settings_of(optimizer: Optimizer) -> dict[str, Any]:
    """What a compiled update takes for granted of the optimizer."""
    changing = {*optimizer.progress, *optimizer.moving}
    return {name: x for name, x in vars(optimizer).items() if name not in changing}


def granted(optimizer: Optimizer) -> dict[str, Any]:
    """The same to be compared with later: of lists and dicts, which may change where they are, copies."""
    return {name: frozen(x) if isinstance(x, CONTAINERS) else x for name, x in settings_of(optimizer).items()}


def _watched(rule: Optimizer, reads: set[str]) -> None:
    """Make the optimizer note which of the attributes are read that change from step to step."""
    kind: Any = type(rule)

    def noted(self: Any, name: str) -> Any:
        if name in kind.progress and name != "parameters":
            reads.add(name)
        return kind.__getattribute__(self, name)

    rule.__class__ = type(kind.__name__, (kind,), {"__getattribute__": noted, "__module__": kind.__module__})


RULES = 64
"""So many rules of the package's optimizers are kept on tape."""
_PLAIN = {bool, int, float}
_rules: dict[Any, tuple[list[Instruction], list[int]]] = {}


def update_program(optimizer: Optimizer, mixed: bool = False) -> tuple[list[Instruction], list[int]]:
    """The optimizer's rule for one parameter on a tape: inputs p, g and the state, parameters the moving settings.

    Args:
        optimizer: is asked for its rule, not changed.
        mixed: whether the moving settings are further inputs, as they differ from parameter to parameter.

    Returns:
        The tape's code, and the slots of the new p and the new state.
    """
    kind, settings = type(optimizer), settings_of(optimizer)
    if not kind.__module__.startswith("scalargrad.") or not all(map(_is_plain, settings.values())):
        return _taped_rule(optimizer, mixed)  # it may read what changes around it
    code = kind.update, kind.decayed_update, vars(kind).get("_prepare")
    key = kind, code, mixed, tuple([(name, repr(x)) for name, x in settings.items()])
    if key not in _rules:
        found = _taped_rule(optimizer, mixed)
        if len(_rules) >= RULES:
            _rules.clear()
        _rules[key] = found
    return _rules[key]


def _is_plain(x: Any) -> bool:
    return all(map(_is_plain, x)) if type(x) is tuple else type(x) in _PLAIN


def _taped_rule(optimizer: Optimizer, mixed: bool) -> tuple[list[Instruction], list[int]]:
    settings = [Value(0.5) for _ in optimizer.moving]
    rule = copy.copy(optimizer)
    seen = []
    for t in (1, 2):
        rule._prepare(t)
        seen.append({name: x for name, x in vars(rule).items() if name not in optimizer.moving})
    changed = [name for name in seen[1] if seen[0].get(name) != seen[1][name]]
    if changed:
        raise ValueError(
            f"{type(optimizer).__name__}._prepare changes {', '.join(changed)} from step to step: name that in "
            "`moving`, so that a compiled step reads it anew"
        )
    vars(rule).update(zip(optimizer.moving, settings, strict=True))
    k, n = optimizer.averages, len(optimizer.moving)

    def of_inputs(p: Any, g: Any, *more: Any) -> Any:
        vars(rule).update(zip(optimizer.moving, more[k:], strict=False))
        return rule.decayed_update(p, g, more[:k])

    numbers = [0.5] * (2 + k + (n if mixed else 0))
    reads: set[str] = set()
    before = {name: frozen(x) for name, x in vars(rule).items()}
    _watched(rule, reads)
    call = WatchedCall(of_inputs, [next] * len(numbers), numbers, type(optimizer).__name__)
    written = [
        name
        for name, x in vars(rule).items()
        if name not in optimizer.moving and (name not in before or differ(x, before[name]))
    ]
    if reads or written:
        what = f"reads {', '.join(sorted(reads))}" if reads else f"changes {', '.join(written)}"
        raise ValueError(
            f"the rule of {type(optimizer).__name__} {what}, which a compiled step would do once for all steps: "
            "compute what changes from step to step in _prepare(t) and name it in `moving`, or use backend='python'"
        )
    if call.guards:
        raise ValueError(
            f"the rule of {type(optimizer).__name__} compares numbers, which a compiled step cannot do: choose with "
            f"where or maximum, or use backend='python'. {call.guards[0]}"
        )
    made = [x for x in call.outputs if not isinstance(x, Value)]
    if made:
        raise ValueError(
            f"the rule of {type(optimizer).__name__} must compute with p, g and the state, not give {made[0]!r}"
        )
    taped = TapedCall(call, [] if mixed else settings)
    tape, slots = simplified(taped.tape.code, taped.outputs)
    return tape.code, slots
