"""A trace as HTML: a picture and a table that need nothing, and one script that makes a stepper of them."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.build import GraphTooLargeError, draw
from scalargrad.drawing.engines import available, no_engine
from scalargrad.drawing.image import image
from scalargrad.drawing.legend import add_legend
from scalargrad.drawing.svg import to_svg
from scalargrad.drawing.theme import THEMES
from scalargrad.support.arguments import whole
from scalargrad.tracing.guesses import USUAL, guesses
from scalargrad.tracing.stage import Stage, gradient_text
from scalargrad.words.equations import equation
from scalargrad.words.expansion import expanded
from scalargrad.words.notation import TEXT, TooLongError
from scalargrad.words.texts import ELLIPSIS, counted, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scalargrad.drawing.scene import Scene
    from scalargrad.tracing.steps import Step, TracedGraph

MAX_STEPS = 300
LARGEST = 1000
"""How many values a picture may have before the layout takes longer than a reader waits."""
_THEME = THEMES["default"]
_LIGHT_PAGES = ('body[data-jp-theme-light="true"]', "body.vscode-light", '[data-theme="light"]')
_DARK_PAGES = ('body[data-jp-theme-light="false"]', "body.vscode-dark", '[data-theme="dark"]')
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
_LONGEST = 60
"""How long a formula may be in a title."""
_STILL = "A still picture: run this cell, or allow this page its script, to step through it."
_HEAD = 20
"""How many steps are shown of a trace that is too long."""


class TraceTooLongError(ValueError):
    """The trace has more steps than `max_steps`; the message names calls that show it."""


def check_length(graph: TracedGraph, max_steps: int) -> None:
    """Raise if the trace has more steps.

    Raises:
        TraceTooLongError: with calls that work.
        TypeError: if `max_steps` is no integer.
        ValueError: if it is less than 1.
    """
    max_steps = whole(max_steps, "max_steps", f"max_steps={MAX_STEPS}")
    n = len(graph.steps)
    if n <= max_steps:
        return
    instead = [f"print({graph.call}) writes a table"]
    if len(graph.order) <= LARGEST:
        instead.insert(0, f"{graph.call}.save('walk.html', max_steps={n}) writes the page all the same")
    expand = ", expand=True" if "expand" in graph.call else ""
    parts: list[dict[str, Any]] = [{"collapse": "layer"}, {"depth": 8}]
    for part in parts:
        try:
            cards = len(draw(graph.root, expand=bool(expand), names=False, **part).picture.cards)
        except GraphTooLargeError:
            continue
        ((name, given),) = part.items()
        instead.append(f"draw(value, {name}={given!r}{expand}) draws {counted(cards, 'card')}")
        break
    instead.append(f"{graph.call}[{n - 10}:] are the last ten steps")
    raise TraceTooLongError(
        f"this trace has {counted(n, 'step')}; the limit is max_steps={max_steps}. Instead: {'; or '.join(instead)}."
    )


def fragment(graph: TracedGraph, max_steps: int = MAX_STEPS) -> str:
    """The trace as HTML for any page: the finished graph, a table of all steps, and the script that plays them.

    Without the script, as in a notebook that is not trusted, picture and table stay, and a line says how to step.
    Without a layout engine there is the table, and what to install.

    Raises:
        TraceTooLongError: if there are more than `max_steps` steps.
    """
    check_length(graph, max_steps)
    table = _table(graph.steps, f"All {len(graph.steps)} steps as text")
    if available() == "text":
        return f'<div class="sg-trace">\n<p>({escape(no_engine())})</p>\n{table}\n</div>\n'
    stage = Stage(graph)
    body = f'{_image(stage.finished())}\n<p class="sg-still"><em>{_STILL}</em></p>\n{table}'
    key = sha256(body.encode()).hexdigest()[:16]
    script = _script(stage, key)
    head = f'<div class="sg-trace" data-scalargrad="{key}" data-title="{_title(graph)}">'
    return f"{head}\n{body}\n<script>{script}</script>\n</div>\n"


def page(graph: TracedGraph, max_steps: int = MAX_STEPS) -> str:
    """A complete page around the fragment that works from a file, and allows itself its own script and nothing else.

    Raises:
        TraceTooLongError: if there are more than `max_steps` steps.
    """
    return page_around(_title(graph), fragment(graph, max_steps))


def page_around(title: str, content: str, *, heading: bool = True) -> str:
    """A complete page around a fragment with at most one script; title and content are HTML."""
    script = content.partition("<script>")[2].rpartition("</script>")[0]
    style = asset("page.css")
    policy = "; ".join(
        [
            "default-src 'none'", "img-src data:", f"script-src {_hash(script)}" if script else "script-src 'none'",
            f"style-src {_hash(style)}", "base-uri 'none'", "form-action 'none'",
        ]
    )  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n"
        f'<body class="sg-page">\n{f"<h1>{title}</h1>" * heading}\n{content}</body>\n</html>\n'
    )


def shown(graph: TracedGraph) -> str:
    """What Jupyter shows: the fragment, or the first steps and the message if there are too many."""
    try:
        return fragment(graph)
    except TraceTooLongError as error:
        table = _table(graph.steps[:_HEAD], f"The first {_HEAD} of {len(graph.steps)} steps", opened=True)
        return f'<div class="sg-trace">\n<p>{escape(str(error))}</p>\n{table}\n</div>\n'


def step_shown(step: Step) -> str:
    """What Jupyter shows for one step: the graph as it stands after it, the equation, the explanation."""
    words = f"<p><strong>{step.phase}</strong> <code>{escape(step.text)}</code></p>\n<p>{escape(step.why)}</p>\n"
    if len(step.graph.steps) > MAX_STEPS or available() == "text":
        return f"<div>\n{words}</div>\n"
    return f"<div>\n{words}{_image(Stage(step.graph).after(step))}\n</div>\n"


def _title(graph: TracedGraph) -> str:
    return escape(f"Backpropagation of {heading(graph)}")


def heading(graph: TracedGraph) -> str:
    """What is differentiated: `f = (x + y) × z`, of a long formula the last operation, cut short if need be."""
    root, name = graph.root, wrapped(graph.names[graph.root])
    if root.is_leaf:
        return name
    order, replaced = expanded(graph.order)
    leaves = {node: graph.names[node] for node in order if node.is_leaf and node in graph.names}
    try:
        text = TEXT.write(replaced.get(root, root), leaves, _LONGEST)
    except TooLongError:
        text = equation(root, graph.names)
    text = f"{name} = {text}"
    return text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST - 1] + ELLIPSIS


def _image(scene: Scene) -> str:
    add_legend(scene, _THEME)
    return image(to_svg(scene, _THEME), scene.description)


def _table(steps: Iterable[Step], title: str, *, opened: bool = False) -> str:
    cells = ((str(step.index + 1), step.phase, escape(step.text), escape(step.why)) for step in steps)
    rows = "\n".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
    head = "<tr><th>step</th><th>phase</th><th>equation</th><th>why</th></tr>"
    return (
        f"<details{' open' * opened}>\n<summary>{title}</summary>\n"
        f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</details>"
    )


def _script(stage: Stage, key: str) -> str:
    """The program, called with what it needs to know; texts are in the table and are not repeated."""
    css = colors(".sg-trace", picture=".sg-view") + asset("stepper.css")
    back = [
        [
            stage.position[step.node],
            gradient_text(step),
            None if step.source is None else stage.position[step.source],
            stage.edges_of[step.index],
        ]
        for step in stage.steps
        if step.phase != "forward"
    ]
    judged, hints = guesses(stage.graph)
    data: dict[str, Any] = {
        "key": key, "look": sha256(css.encode()).hexdigest()[:16], "css": css,
        "svg": to_svg(stage.bare(), _THEME, scheme="light", id_prefix="s"),
        "heads": [edge.head for edge in stage.picture.edges], "back": back,
        "parts": [[list(piece) for piece in step.pieces] for step in stage.steps if step.phase != "forward"],
        "guesses": judged, "hints": hints, "leeway": USUAL,
    }  # fmt: skip
    return f"{program('stepper.js')}({as_script_data(data)});"


def as_script_data(data: dict[str, Any]) -> str:
    """What a script is called with; nothing in it ends the script."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def program(name: str) -> str:
    """A script of this room, with what it shares with others in its place."""
    return asset(name).strip().replace("  // answers.js\n", asset("answers.js"))


def colors(host: str, picture: str = "") -> str:
    """The theme as CSS variables, dark on dark pages, and the rules by which the picture's elements take them.

    Args:
        host: the selector of the element that gets the variables.
        picture: the selector of the picture that takes them, if there is one.
    """
    light, dark = (
        "".join(f"--{role}:{color};" for role, color in colors.items()) + f"color-scheme:{scheme};"
        for colors, scheme in ((_THEME.light, "light"), (_THEME.dark, "dark"))
    )
    rules = [f"{host}{{{light}}}", f"@media (prefers-color-scheme: dark){{{host}{{{dark}}}}}"]
    rules += [f"{','.join(f'{page} {host}' for page in _LIGHT_PAGES)}{{{light}}}"]
    rules += [f"{','.join(f'{page} {host}' for page in _DARK_PAGES)}{{{dark}}}"]
    if picture:
        rules += [
            f"{picture} .f-{role}{{fill:var(--{role})}}{picture} .s-{role}{{stroke:var(--{role})}}"
            for role in _THEME.light
        ]
    return "\n".join([*rules, ""])


def asset(name: str) -> str:
    """The text of one of this room's files."""
    return files("scalargrad.tracing").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
