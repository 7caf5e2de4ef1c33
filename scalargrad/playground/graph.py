"""The view of a graph: an expression or function, its inputs, and what a page asks about the run at those inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.playground.examples import EXAMPLES
from scalargrad.playground.frames import frame, stage
from scalargrad.playground.inputs import MOST, Input, Reading, beginnings, moved
from scalargrad.playground.messages import Flag, Named, Number, RefusedError, Text, View, read_fields
from scalargrad.playground.picture import GraphPicture, shape_of
from scalargrad.playground.running import Running, Trouble, of_expression
from scalargrad.tracing.explanation import TooManyPathsError, explain
from scalargrad.tracing.guesses import guesses
from scalargrad.tracing.marking import agrees, leeway
from scalargrad.tracing.page import shown
from scalargrad.words.expressions import MAX_LENGTH
from scalargrad.words.texts import counted, number_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scalargrad.playground.messages import Field
    from scalargrad.tracing.steps import Step, TracedGraph

BEGINNING = "tanh(w*x + b)"
MOST_PATHS = 30
_NO_RUN = "the function has no value here: move an input first"


@dataclass(frozen=True)
class Opened:
    """What a page has open; a message puts another in its place, whole or not at all.

    Attributes:
        running: what is run.
        inputs: at which inputs, with their sliders.
        graph: the last graph that there was.
        picture: its picture.
        at: the inputs of that graph.
        serial: the number of the picture: no two that the page is shown have the same.
        trouble: what to say, and at which card, if there is none at these inputs.
    """

    running: Running
    inputs: dict[str, Input]
    graph: TracedGraph
    picture: GraphPicture
    at: dict[str, Input]
    serial: int
    trouble: dict[str, Any] | None = None


class GraphView(View):
    """The messages about a graph: open, set, steps, edge, explain, guess.

    Args:
        start: what `open` without an expression opens: an expression, or what `running` made of something else.
        inputs: its inputs; of an expression those that are not given begin at small numbers.
    """

    name: ClassVar[str] = "graph"
    messages: ClassVar[Mapping[str, Mapping[str, Field]]] = {
        "open": {"expression": Text(MAX_LENGTH, ""), "inputs": Named(Reading(), MOST, {})},
        "set": {
            "inputs": Named(Reading(), MOST),
            "step": Number(0, 10_000, None, whole=True),
            "hidden": Flag(),
            "seen": Number(0, 2**53 - 1, None, whole=True),
        },
        "steps": {"step": Number(0, 10_000, whole=True), "hidden": Flag()},
        "edge": {"edge": Number(0, 10_000, whole=True)},
        "explain": {"card": Number(0, 10_000, whole=True)},
        "guess": {"step": Number(0, 10_000, whole=True), "answer": Text(40)},
    }

    def __init__(self, start: str | Running = BEGINNING, inputs: Mapping[str, Input] | None = None) -> None:
        self._start = start
        self._given = dict(inputs or {})
        self._opened: Opened | None = None

    def still(self) -> str:
        """The stepper of the graph that it begins with."""
        if self._opened is None:
            self.do_open(read_fields("open", self.messages["open"], {}))
        return shown(self._now().graph)

    # ---------------------------------------------------------------- what is run

    def do_open(self, fields: dict[str, Any]) -> dict[str, Any]:
        """An expression, or what the session began with: its picture and first frame."""
        start = fields["expression"].strip() or self._start
        running = of_expression(start) if isinstance(start, str) else start
        if len(running.names) > MOST:
            raise RefusedError(f"it has {counted(len(running.names), 'input')}; there is room for {MOST} sliders")
        before = self._opened.inputs if self._opened else {}
        known = {**self._given, **before} if running.typed else self._given
        numbers = {name: x for name, x in fields["inputs"].items() if name in running.names}
        trouble: Trouble | None = None
        for inputs in beginnings(running.names, known):
            at = moved(inputs, numbers)
            try:
                run = running.at(_numbers(at))
            except Trouble as error:  # log(-3), say: other numbers for those that were not asked for
                trouble = trouble or error
                continue
            serial = self._opened.serial + 1 if self._opened else 0
            self._opened = Opened(running, at, run.graph, GraphPicture(run, shape_of(run)), at, serial)
            found = self._whole(self._opened)
            return found if trouble is None else {**found, "changed": f"{trouble}: the inputs begin elsewhere."}
        raise RefusedError(f"{trouble}; give other numbers") from None

    def do_set(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Other inputs: a frame, and a picture only if it is another one than the page has seen."""
        now = self._now()
        inputs = moved(now.inputs, fields["inputs"])
        grown = {name: one.shown() for name, one in inputs.items() if one is not now.inputs[name]}
        try:
            run = now.running.at(_numbers(inputs))
        except Trouble as error:
            self._opened = replace(now, inputs=inputs, trouble=self._place(now, inputs, error))
            return {"of": now.serial, "inputs": grown, "trouble": self._opened.trouble}
        new = replace(now, inputs=inputs, graph=run.graph, at=inputs, trouble=None)
        shape = shape_of(run)
        if shape != now.picture.shape:
            new = replace(new, picture=GraphPicture(run, shape), serial=now.serial + 1)
            changed = "Other operations are run for these inputs: the graph is another one now."
            found = {**self._whole(new), "changed": changed}
        elif fields["seen"] not in (None, new.serial):  # the answer that had the picture is still on its way, or lost
            found = self._whole(new)
        else:
            found = {"of": new.serial, "inputs": grown, "frame": frame(run.graph, now.picture)}
            if fields["step"] is not None:
                found["stage"] = self._stage(new, fields["step"], fields["hidden"])
        self._opened = new
        return found

    def _now(self) -> Opened:
        if self._opened is None:
            raise RefusedError("nothing is open yet: send {do: 'open'} first")
        return self._opened

    def _sound(self) -> Opened:
        now = self._now()
        if now.trouble is not None:
            raise RefusedError(_NO_RUN)
        return now

    def _place(self, now: Opened, inputs: Mapping[str, Input], error: Trouble) -> dict[str, Any]:
        """The card of the operation that has no value, and the numbers up to there."""
        run, card, known = now.running.stopped(_numbers(now.at), _numbers(inputs))
        if card is not None and not str(error).startswith(f"{getattr(run.graph.order[card]._rule, 'name', '')}:"):
            card = None  # the function itself raised, between two operations
        return {"text": str(error), "card": card, "values": {str(i): number_text(x) for i, x in known.items()}}

    def _whole(self, now: Opened) -> dict[str, Any]:
        examples = [[one.title, one.expression, dict(one.inputs)] for one in EXAMPLES] if now.running.typed else []
        return {
            "expression": now.running.text, "typed": now.running.typed, "examples": examples,
            "inputs": {name: one.shown() for name, one in now.inputs.items()},
            "picture": {**now.picture.shown, "serial": now.serial}, "frame": frame(now.graph, now.picture),
            "of": now.serial,
        }  # fmt: skip

    # ---------------------------------------------------------------- what is asked about it

    def do_steps(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The picture as it stands after a step."""
        now = self._sound()
        return {"of": now.serial, "stage": self._stage(now, fields["step"], fields["hidden"])}

    def do_edge(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The equation of what goes back along an edge, and its rule in words."""
        now = self._sound()
        i = fields["edge"]
        if i >= len(now.picture.ends):
            raise RefusedError(f"edge: there is no edge {i}: they are 0 to {len(now.picture.ends) - 1}")
        steps = [step for step, used in zip(now.graph.steps, now.picture.edges_of, strict=True) if i in used]
        if not steps:
            return {
                "of": now.serial,
                "edge": i,
                "pieces": [],
                "why": "It leads from a constant, which is handed no gradient.",
            }
        step = steps[0]
        pieces = [list(piece) for piece in step.pieces]
        return {"of": now.serial, "edge": i, "step": step.index, "pieces": pieces, "why": str(step.why)}

    def do_explain(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The derivative with respect to a card's Value as a sum over paths, and which edges lie on them."""
        now = self._sound()
        i, order = fields["card"], now.graph.order
        if i >= len(order):
            raise RefusedError(f"explain: there is no card {i}: they are 0 to {len(order) - 1}")
        names = now.running.called(now.graph.root)
        try:
            explanation = explain(now.graph.root, order[i], max_paths=MOST_PATHS, names=names)
        except TooManyPathsError as error:
            text = str(error).split(";")[0]
            return {"of": now.serial, "card": i, "lines": [f"{text}; at most {MOST_PATHS} are listed."], "edges": []}
        except (ValueError, TypeError) as error:
            raise RefusedError(str(error).split("\n", 1)[0]) from None
        place = {(end[1], end[2]): k for k, end in enumerate(now.picture.ends)}
        position = {node: k for k, node in enumerate(order)}
        used = [(position[edge.child], edge.operand) for path in explanation.paths for edge in path.edges]
        edges = sorted({place[use] for use in used if use in place})
        return {"of": now.serial, "card": i, "lines": str(explanation.text).split("\n"), "edges": edges}

    def do_guess(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Whether an answer is the gradient after a step, by the rules of worksheets, or a hint."""
        now = self._sound()
        at = fields["step"]
        step = self._step(now, at)
        judged, hints = guesses(now.graph)
        k = at - len(now.graph.order)
        if k < 0 or judged[k] is None or step.after is None:
            raise RefusedError(f"guess: step {at + 1} hands no gradient on, so there is nothing to guess")
        try:
            answer = Reading().read(fields["answer"], "guess: answer")
        except RefusedError:
            return {"verdict": "open", "text": "That is not a number: write −0.3932, 0,5, 1/3 or 1e-7."}
        if agrees(answer, step.after):
            return {"of": now.serial, "verdict": "right", "text": "Right.", "stage": self._stage(now, at)}
        _, _, mistakes, near, close, general = judged[k]
        found = next((hint for hint, *number in mistakes if _within(answer, number)), None)
        hint = found if found is not None else close if _within(answer, near) else general
        return {"verdict": "wrong", "text": f"Not yet: {hints[hint]}"}

    def _step(self, now: Opened, at: int) -> Step:
        if at >= len(now.graph.steps):
            raise RefusedError(f"there is no step {at}: they are 0 to {len(now.graph.steps) - 1}")
        return now.graph.steps[at]

    def _stage(self, now: Opened, at: int, hidden: bool = False) -> dict[str, Any]:
        step = self._step(now, at)
        return stage(now.graph, now.picture, at, hidden=hidden and step.phase == "backward")


def _numbers(inputs: Mapping[str, Input]) -> dict[str, float]:
    return {name: one.number for name, one in inputs.items()}


def _within(answer: float, number: list[float | None]) -> bool:
    right = number[0]
    return right is not None and abs(answer - right) <= (number[1] if len(number) > 1 and number[1] else leeway(1.0))
