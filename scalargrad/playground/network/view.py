"""The network view: the messages by which a page builds a network, trains it, and looks into it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.nn.files.saving import model_file
from scalargrad.playground.messages import Choice, Field, Number, RefusedError, Several, Text, Tuple, View
from scalargrad.playground.network import plan
from scalargrad.playground.network.in_python import in_python
from scalargrad.playground.network.points import KINDS, MOST_POINTS, make_points
from scalargrad.playground.network.shown import Inputs, Shown, shades
from scalargrad.playground.network.trained import Trained
from scalargrad.playground.network.walk import Walk
from scalargrad.playground.network.weight import about_weight
from scalargrad.support.arguments import brief
from scalargrad.words.texts import counted, grouped, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scalargrad.playground.network.own import Own

LARGEST_INPUT = 1e6


@dataclass(frozen=True)
class _Class:
    """-1 or 1, as the number of a class."""

    default: Any = None

    def read(self, given: Any, what: str) -> float:
        """The class."""
        if isinstance(given, bool) or given not in (-1, 1):
            raise RefusedError(f"{what} must be the class -1 or 1, not {brief(given)}")
        return float(given)


_COORDINATE = Number(-LARGEST_INPUT, LARGEST_INPUT)
_POINTS = Several(Tuple((_COORDINATE, _COORDINATE, _Class()), "[0.5, -1, 1]"), MOST_POINTS, default=[])
_LAYER = Tuple((Number(1, 64, whole=True), Choice(plan.ACTIVATION_NAMES)), '[8, "tanh"]')
_NET: Mapping[str, Field] = {
    "data": Choice((*KINDS, "own"), None),
    "n": Number(2, 1000, 100, whole=True),
    "noise": Number(0, 2, 0.1),
    "test": Number(0, 0.9, 0.0),
    "function": Text(500, "sin(2*x)"),
    "table": Text(60_000, ""),
    "points": _POINTS,
    "model": Choice(("new", "own"), None),
    "inputs": Several(Text(100), 12, default=["x0", "x1"], least=1),
    "layers": Several(_LAYER, 6, default=[(8, "tanh"), (8, "tanh")]),
    "init": Choice(plan.INITS, "uniform"),
    "seed": Number(0, 2**31, 1, whole=True),
    "loss": Choice(plan.LOSS_NAMES, "bce_with_logits"),
    "optimizer": Choice(tuple(plan.OPTIMIZERS), "momentum"),
    "batch": Number(0, 1000, 0, whole=True),
    "fine": Number(4, 100, 40, whole=True),
}


class _Open:
    """A network that is open: all that one `net` message made."""

    def __init__(self, fields: Mapping[str, Any], own: Own | None) -> None:
        self.fields = fields
        own_model = own if fields["model"] == "own" else None
        if fields["data"] == "own":
            if own is None:
                raise RefusedError("data: there is no own data here: give it in Python, model.live(X, y)")
            self.points = own.points()
        else:
            self.points = make_points(fields)
        points = self.points
        self.two_classes = len({*points.y, *points.y_test}) <= 2
        loss: Callable[[Any, Any], Any]
        if fields["model"] == "own":
            if own is None or fields["data"] != "own":
                raise RefusedError("model: your own model goes with your own data; other data takes a new one")
            own.reset()
            self.inputs, model, optimizer, loss = Inputs(["x0", "x1"]), own.model, own.optimizer, own.loss
        else:
            self.inputs = Inputs(fields["inputs"])
            model = plan.build_model(fields)
            optimizer = plan.build_optimizer(fields["optimizer"], model)
            loss = plan.named_loss(fields["loss"])
        self.grid = self.inputs.rows(points.plane.grid(fields["fine"]))
        self.shown = Shown(model, own_model.names if own_model else self.inputs.texts)
        self.trained = Trained(
            model, optimizer, loss, (self.inputs.rows(points.X), points.y),
            (self.inputs.rows(points.X_test), points.y_test), batch=fields["batch"], seed=fields["seed"],
        )  # fmt: skip
        self.sample: tuple[list[float], float] | None = None

    def all_points(self) -> list[list[float]]:
        """Each point's place, 1 or 0 for its class, and 1 if it is held out."""
        known = sorted({*self.points.y, *self.points.y_test})
        top = known[-1] if len(known) == 2 else 0.0
        parts = ((self.points.X, self.points.y, 0), (self.points.X_test, self.points.y_test, 1))
        return [
            [*x, int(t == top if len(known) == 2 else t > 0), held]
            for X, y, held in parts
            for x, t in zip(X, y, strict=True)
        ]

    def walk(self) -> Walk:
        """The graph of the chosen sample, as the parameters are now."""
        row, target = self.sample or (self.inputs.rows([[0.5, 0.5]])[0], 1.0)
        if self.sample is None and self.trained.rows:
            row, target = self.trained.rows[0], self.trained.targets[0]
        return self.walk_of(row, target)

    def walk_of(self, row: list[float], target: float) -> Walk:
        """The graph of a sample's loss.

        Raises:
            RefusedError: if it has no value.
        """
        try:
            return Walk(self.shown, row, target, self.trained.loss)
        except (ValueError, ArithmeticError) as error:
            raise RefusedError(f"the graph of this point has no value: {str(error).splitlines()[0]}") from None

    def target(self, label: float) -> float:
        """The target of a class, -1 or 1, in these data."""
        known = sorted({*self.points.y, *self.points.y_test})
        if len(known) < 2:
            return label
        return known[0] if label < 0 else known[-1]


class NetworkView(View):
    """A network on the page.

    Args:
        own: a model and its data, if they come from Python.
    """

    name: ClassVar[str] = "network"
    messages: ClassVar[Mapping[str, Mapping[str, Field]]] = {
        "net": _NET,
        "train": {
            "budget_ms": Number(0, 200, 8),
            "steps": Number(0, 100_000, 100_000, whole=True),
            "lr": Number(0, 1000, 0.05),
            "decay": Number(0, 10, 0.0),
        },
        "data": {"points": _POINTS},
        "sample": {
            "index": Number(0, MOST_POINTS, None, whole=True),
            "x0": Number(-LARGEST_INPUT, LARGEST_INPUT, None),
            "x1": Number(-LARGEST_INPUT, LARGEST_INPUT, None),
            "target": _Class(1.0),
        },
        "neuron": {"column": Number(0, 100, whole=True), "neuron": Number(0, 1000, whole=True)},
        "weight": {
            "column": Number(0, 100, whole=True),
            "neuron": Number(0, 1000, whole=True),
            "index": Number(0, 1000, whole=True),
            "set": Number(-1e6, 1e6, None),
        },
        "export": {"what": Choice(("model", "python", "picture"))},
    }

    def __init__(self, own: Own | None = None) -> None:
        self._own = own
        self._open: _Open | None = None

    def still(self) -> str:
        """The picture of the model, if there is one of the user's own."""
        said = "<p><em>A network that learns: run this cell, with Python behind it, to watch it.</em></p>\n"
        if self._own is None:
            return said
        bundle = self._own.model.draw()._repr_mimebundle_()
        return f"{bundle.get('text/html') or '<pre>' + escape(bundle['text/plain']) + '</pre>'}\n{said}"

    def _net(self) -> _Open:
        if self._open is None:
            raise RefusedError("no network is open yet: send net first")
        return self._open

    # ---------------------------------------------------------------- build and train

    def do_net(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A new network and its data, and its first frame.

        Without the fields data and model these are the user's own, if there are any.
        """
        own = self._own is not None
        fields = {
            **fields,
            "data": fields["data"] or ("own" if own else "moons"),
            "model": fields["model"] or ("own" if own and fields["data"] in (None, "own") else "new"),
        }
        net = _Open(fields, self._own)
        plane, k = net.points.plane, fields["fine"]
        reply = {
            "columns": net.shown.described(),
            "wires": net.shown.wires(),
            "points": net.all_points(),
            "plane": [*plane.across, *plane.up],
            "plane_texts": [number_text(round(x, 2)) for x in (*plane.across, *plane.up)],
            "fine": k,
            "inputs": shades(net.grid),
            "summary": f"{net.shown.network.head}, {counted(len(net.trained.model.parameters()), 'parameter')}",
            "classes": list(net.points.classes),
            "remark": net.points.remark,
            "frame": self._frame(net),
            "settings": {name: x for name, x in fields.items() if name not in ("table", "points", "fine")},
            "choices": {name: list(field.words) for name, field in _NET.items() if isinstance(field, Choice)},
            "activations": list(plan.ACTIVATION_NAMES),
            "own": own,
        }
        if fields["model"] == "own":
            reply["settings"]["lr"] = net.trained.optimizer.lr
            reply["settings"]["decay"] = net.trained.optimizer.weight_decay
        self._open = net
        return reply

    def do_train(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Steps for so many milliseconds, at least one and at most so many, and what is to be shown after them."""
        net = self._net()
        try:
            diverged = net.trained.train(fields["budget_ms"] / 1e3, fields["steps"], fields["lr"], fields["decay"])
        except (ValueError, ArithmeticError) as error:
            raise RefusedError(str(error).splitlines()[0]) from None
        return {**self._frame(net), "diverged": diverged}

    def _frame(self, net: _Open) -> dict[str, Any]:
        trained, shown = net.trained, net.shown
        lines, largest = shown.lines()
        dead = shown.dead(trained.rows)
        frame: dict[str, Any] = {
            "steps": trained.steps,
            "step": grouped(trained.steps),
            "epoch": number_text(round(trained.epochs, 2)),
            "lines": lines,
            "largest": largest,
            "maps": shown.maps(net.grid),
            "dead": dead,
            "said": self._dead_in_words(net, dead),
        }
        for name, (rows, targets) in (("train", (trained.rows, trained.targets)), ("test", trained.held_out)):
            if rows:
                try:
                    loss, right = trained.measure(rows, targets)
                except (ValueError, ArithmeticError) as error:  # a loss of the user's own that branches, say
                    raise RefusedError(str(error).splitlines()[0]) from None
                frame[name] = {"loss": number_text(loss), "curve": loss if abs(loss) < 1e300 else None}
                if net.two_classes:
                    frame[name]["right"] = f"{grouped(right)} of {grouped(len(rows))} right"
        return frame

    def _dead_in_words(self, net: _Open, dead: list[list[int]]) -> str:
        if not dead:
            return ""
        names = [net.shown.name(c, i) for c, i in dead]
        listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        n = len(net.trained.rows)
        return (
            f"{counted(len(dead), 'relu neuron')} dead: {listed}: 0 for all {counted(n, 'point')}. While that is so, "
            "no gradient reaches the weights, so they stay as they are. Raise the bias by hand, take leaky relu, "
            "another seed, or a smaller learning rate from the start."
        )

    def do_data(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Points that are trained on from now on, beside those that are there."""
        net = self._net()
        new = fields["points"]
        if len(net.points.X) + len(net.points.X_test) + len(new) > MOST_POINTS:
            raise RefusedError(f"points: at most {grouped(MOST_POINTS)} points are allowed")
        if not net.two_classes:
            raise RefusedError("points: these data have numbers for targets, and no classes")
        X = [[a, b] for a, b, _ in new]
        rows, y = net.inputs.rows(X), [net.target(label) for *_, label in new]
        net.points.X, net.points.y = [*net.points.X, *X], [*net.points.y, *y]
        net.trained.add(rows, y)
        return {"points": net.all_points(), "frame": self._frame(net)}

    # ---------------------------------------------------------------- look into it

    def do_sample(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The steps through the graph of one point's loss, on the picture of the network."""
        net = self._net()
        index, place = fields["index"], [fields["x0"], fields["x1"]]
        if index is not None:
            places, targets = net.points.X + net.points.X_test, net.points.y + net.points.y_test
            every = list(zip(places, targets, strict=True))
            if index >= len(every):
                raise RefusedError(f"index: there are {counted(len(every), 'point')}, counted from 0: {index} is none")
            place, target = every[index]
        elif None in place:
            raise RefusedError("sample: give the index of a point, or x0 and x1")
        else:
            target = net.target(fields["target"])
        row = net.inputs.rows([place])[0]
        walk = net.walk_of(row, target)
        values, gradients = walk.numbers()
        steps = walk.steps()
        net.sample = row, target
        return {
            "place": place,
            "at": f"x0 = {number_text(place[0])}, x1 = {number_text(place[1])}, target {number_text(target)}",
            "steps": steps,
            "values": values,
            "gradients": gradients,
            "lines": net.shown.lines(walk.gradients())[0],
            "nodes": counted(len(walk.trace.graph.order), "node"),
        }

    def do_neuron(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A neuron: what it is, and its weights."""
        net = self._net()
        column, neuron = fields["column"], fields["neuron"]
        node = net.shown.node(column, neuron)
        before = [net.shown.name(column - 1, k) for k in range(len(net.shown.columns[column - 1].nodes))]
        names = [f"from {name}" for weights in node.weights for name in before] + ["bias" for _ in node.biases]
        return {
            "name": net.shown.name(column, neuron),
            "activation": net.shown.columns[column].shown_in(node),
            "weights": [[name, number_text(v.data)] for name, v in zip(names, node.parameters, strict=True)],
            **self._graph(net.walk(), column, neuron),
        }

    def _graph(self, walk: Walk, column: int, neuron: int) -> dict[str, str]:
        """The picture of a neuron's graph, with the gradients that the chosen sample's loss hands it."""
        end, gradient = walk.neuron(column, neuron)
        if end.is_leaf:
            return {"svg": "", "of": ""}
        end.backward(gradient)
        at = ", ".join(f"{name} = {number_text(x)}" for name, x in zip(walk.shown.inputs, walk.row, strict=True))
        said = (
            f"Its graph for {at}; target {number_text(walk.target)}. The loss hands it the gradient "
            f"{number_text(gradient)}."
        )
        try:
            return {"svg": end.draw(names=False, scheme="light", legend=False, id_prefix="neuron").svg, "of": said}
        except (OSError, RuntimeError) as error:  # no layout engine is installed
            return {"svg": "", "of": f"{said} {error}"}

    def do_weight(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """All of one weight in words; with `set`, after it was set to that number."""
        net = self._net()
        column, neuron, index = fields["column"], fields["neuron"], fields["index"]
        node = net.shown.node(column, neuron)
        if index >= len(node.parameters):
            n = counted(len(node.parameters), "parameter")
            raise RefusedError(f"index: {net.shown.name(column, neuron)} has {n}, counted from 0: {index} is none")
        weights = sum(map(len, node.weights))
        what = (
            "bias" if index >= weights
            else f"weight from {net.shown.name(column - 1, index % len(node.weights[0]))}"
        )  # fmt: skip
        found: dict[str, Any] = {"name": f"{net.shown.name(column, neuron)}: {what}"}
        parameter, before, stages = node.parameters[index], node.parameters[index].data, net.trained.stages[:]
        try:
            if fields["set"] is not None:
                name = {v: name for name, v in net.trained.model.named_parameters()}[parameter]
                net.trained.set(name, parameter, fields["set"])
                found["frame"] = self._frame(net)
            found.update(about_weight(net.walk(), net.trained, column, neuron, index))
        except Exception:
            parameter.data, net.trained.stages = before, stages
            raise
        return found

    def do_export(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A file to be downloaded: its name, type and text."""
        net = self._net()
        if fields["what"] == "model":
            return {"name": "model.json", "type": "application/json", "text": model_file(net.trained.model).decode()}
        if fields["what"] == "picture":
            plain = net.inputs.texts == ["x0", "x1"] and net.points.X
            model = net.trained.model
            drawing = model.draw(net.points.X, net.points.y) if plain else model.draw()
            return {"name": "network.svg", "type": "image/svg+xml", "text": drawing.svg}
        if net.fields["model"] == "own":
            assert self._own is not None  # noqa: S101  (for the type checker)
            model_text, optimizer_text, loss_text = self._own.in_python()
        else:
            model_text = plan.model_in_python(net.fields)
            optimizer_text, loss_text = plan.optimizer_in_python(net.fields["optimizer"]), net.fields["loss"]
        text = in_python(
            net.trained, net.points, net.inputs.texts, model_text, optimizer_text, loss_text, net.fields["seed"]
        )
        return {"name": "network.py", "type": "text/x-python", "text": text}
