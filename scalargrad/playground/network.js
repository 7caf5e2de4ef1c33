// The network view: a network that learns, its settings, and what one looks into. It lays out and paints; every number
// that it writes is a text that Python has made, and every shade a byte.
import { iconButton, make, parsedSvg, shape, wideButton } from "./live.js";

const RATES = ["0.0001", "0.001", "0.003", "0.01", "0.03", "0.05", "0.1", "0.3", "1", "3", "10", "100"];
const DECAYS = ["0", "0.0001", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"];
const BATCHES = [["0", "all points"], ["1", "1"], ["4", "4"], ["10", "10"], ["16", "16"], ["32", "32"], ["64", "64"]];
const INPUTS = ["x0", "x1", "x0**2", "x1**2", "x0*x1", "sin(x0)", "sin(x1)"];
const NAMES = {
  own: "your data", function: "y = f(x)", points: "points by hand", table: "a pasted table", bce_with_logits: "cross-entropy",
  hinge: "hinge", mse: "squared error", sgd: "SGD", momentum: "SGD with momentum", adam: "Adam", uniform: "uniform (−1, 1)",
  xavier_uniform: "Xavier", he_normal: "He", zeros: "zeros", new: "a new network", leaky_relu: "leaky relu",
};
const named = (word) => NAMES[word] || word;
const FIELDS = { n: "Points", noise: "Noise", lr: "Learning rate", decay: "L2", seed: "Seed", batch: "Batch", test: "Held out", set: "The number", layers: "Layers", inputs: "Inputs", function: "f(x)" };
// A refusal in the words of the page: its label for the field, and not which message it was.
const inWords = (text) => text.replace(/^(?:(?:net|train|data|sample|neuron|weight): (\w+)|(inputs|function|table)(?:\[\d+\])?:)/,
  (_, field, part) => (part ? (FIELDS[part] || "Table") + ":" : FIELDS[field] || field));
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const HISTORY = 600; // points of the loss curves that are kept

// ------------------------------------------------------------------------------------------ shades

// The colour of each byte, from the theme as it is now: 128 is the card, 0 and 255 the hues of the signs.
class Shades {
  constructor(root) { this.root = root; }

  fresh() {
    const style = getComputedStyle(this.root);
    const [card, plus, minus] = ["--card", "--edge-plus-2", "--edge-minus-2"].map((name) => style.getPropertyValue(name).trim());
    const key = card + plus + minus;
    if (key === this.key) return false;
    this.key = key;
    const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
    const [ground, high, low] = [card, plus, minus].map(rgb);
    this.table = new Uint32Array(256);
    this.flat = new Uint32Array(256); // signs alone
    for (let b = 0; b < 256; b++) {
      const share = Math.min(1, Math.abs(b - 128) / 96), hue = b < 128 ? low : high;
      const mix = (part) => ground.map((g, i) => Math.round(g + (hue[i] - g) * part));
      const packed = ([r, g, b_]) => (255 << 24) | (b_ << 16) | (g << 8) | r;
      this.table[b] = packed(mix(0.9 * share));
      this.flat[b] = packed(mix(0.6));
    }
    return true;
  }

  paint(canvas, map, flat) {
    const k = Math.sqrt(map.length);
    if (canvas.width !== k) canvas.width = canvas.height = k;
    const context = canvas.getContext("2d"), image = context.createImageData(k, k);
    const pixels = new Uint32Array(image.data.buffer), table = flat ? this.flat : this.table;
    for (let i = 0; i < map.length; i++) pixels[i] = table[map[i]];
    context.putImageData(image, 0, 0);
  }
}

// ------------------------------------------------------------------------------------------ the network

// Columns of neurons, each a button with its map; a line for each weight below them.
class NetworkPicture {
  constructor(host, shades, told) {
    this.host = host;
    this.shades = shades;
    this.told = told; // what is done when a neuron is opened, looked at, or a layer changed
    this.stage = make("div", "nw-stage", host);
    this.svg = shape("svg", this.stage, { "aria-hidden": "true" });
    this.observer = new ResizeObserver(() => this.place());
    this.observer.observe(host);
  }

  put(net) {
    this.net = net;
    this.inputs = this.split(net.inputs, net.columns[0].neurons.length);
    for (const element of [...this.stage.children]) if (element !== this.svg) element.remove();
    this.svg.replaceChildren();
    const last = net.columns.length - 1;
    this.heads = net.columns.map((column, c) => {
      const head = make("div", "nw-head", this.stage);
      make("span", "nw-title", head, {}, c === 0 ? "inputs" : column.title);
      if (c && c < last && net.settings.model === "new") this.told.layer(head, c - 1);
      else make("span", "nw-kinds", head, {}, c === 0 ? "" : column.kinds);
      return head;
    });
    this.neurons = net.columns.map((column, c) => column.neurons.map((neuron, i) => {
      const button = make("button", "nw-neuron", this.stage, { type: "button", tabindex: c === 0 && i === 0 ? "0" : "-1" });
      const canvas = make("canvas", "", button, { "aria-hidden": "true" });
      const number = make("span", "nw-number", button, { hidden: "" });
      const name = c === 0 ? "input " + neuron.name : `${neuron.name}, ${neuron.activation}`;
      button.classList.toggle("nw-output", c === last);
      button.setAttribute("aria-label", name);
      button.title = name;
      button.addEventListener("click", () => { this.reach(c, i); this.told.open(c, i); });
      button.addEventListener("pointerenter", () => this.told.look(c, i));
      button.addEventListener("pointerleave", () => this.told.look(null));
      button.addEventListener("focus", () => this.told.look(c, i));
      button.addEventListener("blur", () => this.told.look(null));
      button.addEventListener("keydown", (event) => this.key(event, c, i));
      return { button, canvas, number, name, said: name };
    }));
    this.neurons[0].forEach(({ canvas, button }, i) => {
      this.shades.paint(canvas, this.inputs[i]);
      make("span", "nw-input", button, { "aria-hidden": "true" }, net.columns[0].neurons[i].name);
    });
    this.wires = net.wires.map(([c, j, k], index) => {
      if (k < 0) return null;
      const line = shape("path", this.svg, { class: "nw-line" }), hit = shape("path", this.svg, { class: "nw-hit" });
      const title = shape("title", hit);
      title.textContent = `${net.columns[c - 1].neurons[k].name} to ${net.columns[c].neurons[j].name}: click for its gradient`;
      hit.addEventListener("click", () => this.told.weight(c, j, this.index(index)));
      return { c, j, k, line, hit, byte: null };
    });
    this.dots = net.wires.map(([c, j, k]) => (k < 0 ? make("span", "nw-dot", this.neurons[c][j].button, { "aria-hidden": "true" }) : null));
    this.place();
  }

  // A parameter's place among its neuron's.
  index(i) {
    const [c, j] = this.net.wires[i];
    return i - this.net.wires.findIndex(([c_, j_]) => c_ === c && j_ === j);
  }

  split(text, n) {
    const all = bytes(text), size = all.length / n;
    return Array.from({ length: n }, (_, i) => all.subarray(i * size, (i + 1) * size));
  }

  key(event, c, i) {
    const [dc, di] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [];
    if (dc === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const column = Math.min(Math.max(c + dc, 0), this.neurons.length - 1), n = this.neurons[column].length;
    this.reach(column, dc ? Math.min(i, n - 1) : (i + di + n) % n, true);
  }

  reach(c, i, focus) {
    for (const { button } of this.neurons.flat()) button.tabIndex = -1;
    const { button } = this.neurons[c][i];
    button.tabIndex = 0;
    if (focus) button.focus();
  }

  place() {
    if (!this.net || !this.host.clientWidth) return;
    const columns = this.neurons.length, most = Math.max(...this.neurons.map((column) => column.length));
    const pitch = most <= 4 ? 62 : most <= 6 ? 54 : most <= 9 ? 46 : most <= 12 ? 38 : 30;
    const size = Math.min(pitch - 8, 44), top = 78, side = 44;
    const width = Math.max(this.host.clientWidth - 2, 2 * side + (columns - 1) * Math.max(size + 44, 94)), height = top + most * pitch + 8;
    this.stage.style.width = width + "px";
    this.stage.style.height = height + "px";
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.style.width = width + "px";
    this.svg.style.height = height + "px";
    const x = (c) => side + ((width - 2 * side) * c) / Math.max(1, columns - 1);
    const y = (c, i) => top + (most * pitch) / 2 + pitch * (i - (this.neurons[c].length - 1) / 2);
    this.heads.forEach((head, c) => { head.style.left = x(c) + "px"; });
    this.neurons.forEach((column, c) => column.forEach(({ button }, i) => {
      button.style.left = x(c) - size / 2 + "px";
      button.style.top = y(c, i) - size / 2 + "px";
      button.style.width = button.style.height = size + "px";
    }));
    for (const wire of this.wires) {
      if (!wire) continue;
      const [x0, y0, x1, y1] = [x(wire.c - 1) + size / 2, y(wire.c - 1, wire.k), x(wire.c) - size / 2, y(wire.c, wire.j)];
      const bend = 0.4 * (x1 - x0), way = `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
      wire.line.setAttribute("d", way);
      wire.hit.setAttribute("d", way);
    }
  }

  // Every line as wide as its byte is far from 128, in the hue of its sign.
  lines(text) {
    const sizes = bytes(text);
    this.wires.forEach((wire, i) => {
      const byte = sizes[i], share = Math.abs(byte - 128) / 127;
      if (!wire) {
        this.dots[i].style.setProperty("--size", (3 + 5 * share).toFixed(1) + "px");
        this.dots[i].className = "nw-dot " + (byte < 128 ? "nw-minus" : byte > 128 ? "nw-plus" : "nw-zero");
        return;
      }
      if (wire.byte === byte) return;
      wire.byte = byte;
      wire.line.setAttribute("class", "nw-line " + (byte < 128 ? "nw-minus" : byte > 128 ? "nw-plus" : "nw-zero"));
      wire.line.setAttribute("stroke-width", (0.5 + 4.5 * share).toFixed(2));
      wire.line.setAttribute("stroke-opacity", (0.3 + 0.7 * share).toFixed(2));
    });
  }

  show(frame) {
    const changed = this.shades.fresh();
    if (changed) this.neurons[0].forEach(({ canvas }, i) => this.shades.paint(canvas, this.inputs[i]));
    this.maps = this.split(frame.maps, this.neurons.slice(1).flat().length);
    this.neurons.slice(1).flat().forEach(({ canvas }, i) => this.shades.paint(canvas, this.maps[i]));
    this.lines(frame.lines);
    const dead = new Set(frame.dead.map(([c, i]) => c + "," + i));
    this.neurons.forEach((column, c) => column.forEach((neuron, i) => {
      const isDead = dead.has(c + "," + i), said = neuron.name + (isDead ? ", dead" : "");
      if (neuron.said === said) return;
      neuron.said = said;
      neuron.button.setAttribute("aria-label", said);
      neuron.button.title = said;
      neuron.button.classList.toggle("nw-dead", isDead);
    }));
  }

  map(c, i) {
    if (c === 0) return this.inputs[i];
    return this.maps[this.neurons.slice(1, c).flat().length + i];
  }

  // A step of the walk: which neuron it is at, and what is known by then.
  mark(step, known) {
    this.neurons.forEach((column, c) => column.forEach(({ button, number }, i) => {
      const text = known ? known(c, i) : "";
      button.classList.toggle("nw-now", Boolean(step) && step.column === c && step.neuron === i);
      number.hidden = !text;
      number.textContent = text;
      number.classList.toggle("nw-gradient", Boolean(step) && step.phase === "backward");
    }));
    for (const wire of this.wires) {
      if (!wire) continue;
      const here = step && wire.c === step.column && wire.j === step.neuron;
      wire.line.classList.toggle("nw-pale", Boolean(step) && !here);
      wire.line.classList.toggle("nw-here", Boolean(here));
    }
    if (!step) for (const wire of this.wires) if (wire) wire.byte = null;
  }
}

// ------------------------------------------------------------------------------------------ plane and curves

// What the network answers, large, with the points; a click is a place in the plane.
class PlanePicture {
  constructor(host, shades, clicked) {
    this.shades = shades;
    this.clicked = clicked;
    this.title = make("p", "nw-caption", host);
    this.box = make("div", "nw-plane", host, {
      tabindex: "0", role: "application",
      "aria-label": "The plane of x0 and x1: arrow keys move a cross, Enter is a click there",
    });
    this.canvas = make("canvas", "nw-map", this.box, { "aria-hidden": "true" });
    this.svg = shape("svg", this.box, { viewBox: "0 0 100 100", "aria-hidden": "true" });
    this.points = shape("g", this.svg);
    this.ring = shape("circle", this.svg, { r: "2.6", class: "nw-ring", visibility: "hidden" });
    this.cross = shape("path", this.svg, { class: "nw-cross", visibility: "hidden" });
    this.axes = make("p", "nw-axes", host);
    this.at = [0.5, 0.5];
    this.box.addEventListener("click", (event) => {
      const bounds = this.canvas.getBoundingClientRect();
      this.at = [(event.clientX - bounds.left) / bounds.width, (event.clientY - bounds.top) / bounds.height];
      this.click();
    });
    this.box.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (move) {
        const far = event.shiftKey ? 0.1 : 0.02;
        this.at = this.at.map((x, i) => Math.min(1, Math.max(0, x + far * move[i])));
        const [x, y] = this.at.map((v) => v * 100);
        this.cross.setAttribute("d", `M${x - 4} ${y}h8M${x} ${y - 4}v8`);
        this.cross.setAttribute("visibility", "visible");
      } else if (event.key === "Enter" || event.key === " ") this.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.box.addEventListener("blur", () => this.cross.setAttribute("visibility", "hidden"));
  }

  click() {
    const [x0, x1, y0, y1] = this.plane, [u, v] = this.at;
    this.clicked([x0 + (x1 - x0) * u, y1 - (y1 - y0) * v]);
  }

  put(net) {
    this.plane = net.plane;
    const [left, right, low, high] = net.plane_texts;
    this.axes.textContent = `x0 from ${left} to ${right}, x1 from ${low} to ${high}`;
    this.show(net.points);
    this.mark(null);
  }

  place([x, y]) {
    const [x0, x1, y0, y1] = this.plane;
    return [(100 * (x - x0)) / (x1 - x0), (100 * (y1 - y)) / (y1 - y0)];
  }

  show(points) {
    this.known = points;
    this.points.replaceChildren();
    const r = points.length > 400 ? 0.9 : points.length > 50 ? 1.5 : 2.2;
    for (const [x, y, label, held] of points) {
      const [cx, cy] = this.place([x, y]);
      shape("circle", this.points, { cx, cy, r, class: `nw-point ${label ? "nw-plus" : "nw-minus"}${held ? " nw-held" : ""}` });
    }
  }

  // The nearest point to a place.
  nearest(place) {
    const [u, v] = this.place(place);
    let best = -1, least = Infinity;
    this.known.forEach((point, i) => {
      const [cx, cy] = this.place(point), far = Math.hypot(cx - u, cy - v);
      if (far < least) [best, least] = [i, far];
    });
    return best;
  }

  mark(place) {
    this.ring.setAttribute("visibility", place ? "visible" : "hidden");
    if (!place) return;
    const [cx, cy] = this.place(place);
    this.ring.setAttribute("cx", cx);
    this.ring.setAttribute("cy", cy);
  }

  paint(map, flat) { this.shades.paint(this.canvas, map, flat); }
}

// The loss after each frame, of the points that are trained on and of those held out.
class Curves {
  constructor(host) {
    this.canvas = make("canvas", "nw-curves", host, { role: "img", "aria-label": "loss curves" });
    this.clear();
  }

  clear() { this.known = []; }

  add(frame) {
    const pair = ["train", "test"].map((name) => (frame[name] && frame[name].curve !== null ? frame[name].curve : NaN));
    this.known.push(pair);
    if (this.known.length > HISTORY) this.known = this.known.filter((_, i) => i % 2 === 0 || i === this.known.length - 1);
    const said = ["train", "test"].filter((name) => frame[name]).map((name) => `${name} ${frame[name].loss}`).join(", ");
    this.canvas.setAttribute("aria-label", "loss curves, now " + said);
  }

  paint(root) {
    const { canvas } = this, ratio = window.devicePixelRatio || 1, style = getComputedStyle(root);
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio)) [canvas.width, canvas.height] = [width * ratio, height * ratio].map(Math.round);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const sizes = this.known.flat().filter(Number.isFinite), top = Math.max(...sizes, 1e-12);
    ["--gradient", "--value"].forEach((name, k) => {
      context.beginPath();
      let drawn = false;
      this.known.forEach((pair, i) => {
        if (!Number.isFinite(pair[k])) { drawn = false; return; }
        const x = 2 + ((width - 4) * i) / Math.max(1, this.known.length - 1), y = height - 3 - ((height - 6) * pair[k]) / top;
        if (drawn) context.lineTo(x, y);
        else context.moveTo(x, y);
        drawn = true;
      });
      context.strokeStyle = style.getPropertyValue(name).trim();
      context.lineWidth = 1.8;
      context.setLineDash(k ? [5, 3] : []);
      context.stroke();
    });
  }
}

// ------------------------------------------------------------------------------------------ the view

export function networkView(host, engine, start = {}) {
  const root = make("div", "sg-live nw-live", host, { "data-phase": "forward" });
  const shades = new Shades(root);
  shades.fresh();
  const settings = {}, heavy = Boolean(start.heavy ?? engine.slow); // heavy: Python is slow here, as in a browser
  let net = null, frame = null, on = false, walk = null, at = null, opened = null, looked = null, asked = 0, frames = 0, busy = 0, opening = Promise.resolve(), running = Promise.resolve();

  // ---------------------------------------------------------------- the bar: run, and what a step is

  const bar = make("div", "nw-bar", root);
  const go = make("div", "sg-buttons", bar);
  const run = wideButton("Run", go, () => (on ? pause() : begin()), { "aria-pressed": "false", title: "Run or pause (r)" });
  wideButton("Step", go, () => oneStep(), { title: "One step of training (s)" });
  wideButton("Reset", go, () => open({}), { title: "The same network from the start (0)" });
  const count = make("span", "nw-count", bar);
  const lr = choice(bar, "Learning rate", RATES.map((x) => [x, x]), () => {});
  const optimizer = choice(bar, "Optimizer", [], (x) => open({ optimizer: x }));
  const loss = choice(bar, "Loss", [], (x) => open({ loss: x }));
  const decay = choice(bar, "L2", DECAYS.map((x) => [x, x]), () => {}, "Weight decay: what L2 regularisation adds to each weight's gradient, times the weight");
  const batch = choice(bar, "Batch", BATCHES, (x) => open({ batch: Number(x) }));
  const init = choice(bar, "Weights", [], (x) => open({ init: x }));
  const seed = field(bar, "Seed", "number", (x) => open({ seed: Math.max(0, Math.round(Number(x))) }), { min: "0", step: "1" });
  const trouble = make("p", "lv-trouble nw-trouble", root, { role: "alert" });

  // ---------------------------------------------------------------- data, network, plane

  const main = make("div", "nw-main", root);
  const left = make("div", "nw-data", main, { role: "group", "aria-label": "What it learns from" });
  const data = choice(left, "Data", [], (x) => {
    if (x === "table" && !table.value.trim()) { pasted.hidden = false; table.focus(); return; } // there is nothing to read yet
    mode.value = x === "points" ? "1" : "look"; // points by hand begin with none
    open({ data: x, ...(x === "table" ? { table: table.value } : {}), ...(x === "own" ? {} : { model: "new" }) });
  });
  const model = choice(left, "Network", [["own", "your model"], ["new", "a new network"]], (x) => open({ model: x }));
  const formula = field(left, "f(x) =", "text", (x) => open({ function: x }), { maxlength: "500", spellcheck: "false" });
  const pasted = make("div", "nw-pasted", left);
  const table = make("textarea", "nw-table", pasted,
    { rows: "6", spellcheck: "false", placeholder: "x0, x1, class\n0.5, -1.2, a\n-1, 0.3, b", "aria-label": "Table: x0, x1 and the class in each line" });
  wideButton("Use this table", pasted, () => open({ data: "table", table: table.value }));
  const n = field(left, "Points", "number", (x) => open({ n: Math.round(Number(x)) }), { min: "2", max: "1000", step: "10" });
  const noise = field(left, "Noise", "number", (x) => open({ noise: Number(x) }), { min: "0", max: "2", step: "0.05" });
  const test = choice(left, "Held out", [["0", "none"], ["0.1", "10 %"], ["0.2", "20 %"], ["0.3", "30 %"], ["0.5", "50 %"]], (x) => open({ test: Number(x) }));
  const features = make("fieldset", "nw-features", left);
  make("legend", "", features, {}, "Inputs");
  const boxes = make("div", "nw-boxes", features);
  const another = field(features, "Another", "text", (x) => { if (x.trim()) open({ inputs: [...settings.inputs, x.trim()] }); another.value = ""; },
    { maxlength: "100", spellcheck: "false", placeholder: "cos(x0 - x1)" });

  const middle = make("div", "nw-middle", main);
  const layers = make("div", "sg-buttons nw-layers", middle);
  wideButton("+ layer", layers, () => open({ layers: [...settings.layers, settings.layers.at(-1) || [4, "tanh"]] }), { title: "Another hidden layer" });
  wideButton("− layer", layers, () => open({ layers: settings.layers.slice(0, -1) }), { title: "One hidden layer less" });
  const summary = make("span", "nw-summary", layers);
  const stage = make("div", "nw-network", middle);
  const legend = make("p", "nw-legend", middle);
  const said = make("p", "nw-said", middle, { role: "status" });

  const right = make("div", "nw-right", main);
  const plane = new PlanePicture(make("div", "", right), shades, clicked);
  const tools = make("div", "nw-tools", right);
  const mode = choice(tools, "A click", [["look", "walks through a point"], ["1", "adds a point +1 (green)"], ["-1", "adds a point −1 (purple)"]], () => {});
  const flat = make("input", "", make("label", "nw-check", tools, {}, "signs only "), { type: "checkbox" });
  flat.addEventListener("change", () => paintPlane());
  const curves = new Curves(right);
  const scores = make("div", "nw-scores", right);
  const losses = ["train", "test"].map((name) => {
    const line = make("p", "nw-score nw-" + name, scores);
    make("span", "nw-sample", line, { "aria-hidden": "true" });
    return make("span", "", line);
  });

  // ---------------------------------------------------------------- the walk, and what is open

  const below = make("div", "nw-below", root);
  const way = make("section", "nw-walk", below, { "aria-label": "One point's way through the graph" });
  const steps = make("div", "sg-bar", way);
  const buttons = make("div", "sg-buttons", steps);
  iconButton("first", "First step", buttons, () => stepTo(0));
  iconButton("previous", "Previous step", buttons, () => stepTo(at === null ? 0 : at - 1));
  iconButton("next", "Next step", buttons, () => stepTo(at === null ? 0 : at + 1));
  iconButton("last", "Last step", buttons, () => stepTo(walk ? walk.steps.length - 1 : 0));
  wideButton("Another point", buttons, () => sample({ index: asked % Math.max(1, net.points.length) }));
  const stop = wideButton("Close", buttons, () => endWalk(), { hidden: "" });
  const whereabouts = make("span", "sg-number", steps);
  const title = make("p", "nw-step", way, { "aria-live": "polite" });
  const lines = make("div", "lv-lines nw-lines", way, { hidden: "" });
  const why = make("p", "sg-why", way);

  const neuronPanel = make("section", "nw-open", below, { "aria-label": "One neuron" });
  const neuronTitle = make("p", "nw-step", neuronPanel, { "aria-live": "polite" });
  const weights = make("div", "nw-weights", neuronPanel);
  const weightPanel = make("div", "nw-weight", neuronPanel, { hidden: "", role: "region", "aria-label": "One weight" });
  const graph = make("div", "sg-view nw-graph", neuronPanel);
  const of = make("p", "sg-why", neuronPanel);

  const foot = make("div", "sg-foot nw-foot", root);
  for (const [what, text] of [["python", "Python code"], ["model", "Model"], ["picture", "Picture"]])
    wideButton("↓ " + text, foot, () => download(what), { title: `Download: ${text}` });

  const picture = new NetworkPicture(stage, shades, {
    open: (c, i) => openNeuron(c, i).then(() => seen(weights)), look, layer: layerHead,
    weight: (c, i, index) => openWeight(c, i, index).then(() => seen(weightPanel)),
  });

  // What was asked for stands below the network: on a small screen, below the screen.
  function seen(element) { if (element.offsetHeight) element.scrollIntoView({ block: "nearest" }); }

  // ---------------------------------------------------------------- small parts

  function choice(parent, text, options, changed, about) {
    const label = make("label", "nw-field", parent, about ? { title: about } : {}), select = document.createElement("select");
    select.setAttribute("aria-label", text);
    make("span", "", label, {}, text);
    select.className = "nw-select";
    label.append(select);
    fill(select, options);
    select.addEventListener("change", () => changed(select.value));
    return select;
  }

  function fill(select, options) {
    select.replaceChildren(...options.map(([value, text]) => make("option", "", null, { value }, text)));
  }

  function field(parent, text, type, changed, attributes) {
    const label = make("label", "nw-field", parent);
    make("span", "", label, {}, text);
    const input = make("input", "lv-number nw-input-field", label, { type, autocomplete: "off", "aria-label": text, ...attributes });
    input.addEventListener("change", () => changed(input.value));
    return input;
  }

  function pick(select, value) {
    const text = String(value);
    if (![...select.options].some((option) => option.value === text)) make("option", "", select, { value: text }, text);
    select.value = text;
  }

  const visible = (input, is) => { input.closest("label").hidden = !is; };

  // The head of a hidden layer: how many neurons it has, and their activation.
  function layerHead(head, i) {
    const change = (layer) => open({ layers: settings.layers.map((one, k) => (k === i ? layer : one)) });
    const [size, activation] = settings.layers[i], sizes = make("span", "nw-sizes", head);
    const less = make("button", "nw-small", sizes, { type: "button", "aria-label": `layer ${i}: one neuron less` }, "−");
    make("span", "", sizes, {}, String(size));
    const more = make("button", "nw-small", sizes, { type: "button", "aria-label": `layer ${i}: one neuron more` }, "+");
    less.addEventListener("click", () => { if (size > 1) change([size - 1, activation]); });
    more.addEventListener("click", () => change([size + 1, activation]));
    const select = make("select", "nw-select nw-activation", head, { "aria-label": `layer ${i}: activation` });
    fill(select, net.activations.map((name) => [name, named(name)]));
    select.value = activation;
    select.addEventListener("change", () => change([size, select.value]));
  }

  // ---------------------------------------------------------------- open, train

  // What is asked is marked on the page until it is answered and shown.
  const ask = (message) => marked(engine.ask(message));

  async function marked(promise) {
    busy++;
    root.setAttribute("aria-busy", "true");
    try { return await promise; } finally {
      setTimeout(() => { if (!--busy) root.removeAttribute("aria-busy"); });
    }
  }

  // One after another, so that each change is one of what the last has made.
  function open(changes) {
    opening = opening.then(() => build(changes));
    return opening;
  }

  async function build(changes) {
    await pause();
    const wanted = { ...settings, ...changes };
    for (const name of ["lr", "decay"]) delete wanted[name];
    const reply = await ask({ do: "net", ...wanted, ...(heavy ? { fine: 28 } : {}) });
    if (reply.error) {
      trouble.textContent = inWords(reply.error);
      if (net) writeInputs(); // what was typed stays, to be mended
      return;
    }
    trouble.textContent = reply.remark;
    const { lr: rate, decay: l2, ...kept } = reply.settings;
    Object.assign(settings, changes, kept);
    if (rate !== undefined) { pick(lr, rate); pick(decay, l2); }
    net = reply;
    opened = null;
    neuronPanel.hidden = true;
    const focused = document.activeElement && stage.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    picture.put(net);
    plane.put(net);
    curves.clear();
    endWalk();
    write();
    show(reply.frame);
    if (focused) [...stage.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
  }

  function write() {
    const { choices, own } = net, mine = settings.model === "own";
    fill(data, choices.data.filter((name) => own || name !== "own").map((name) => [name, named(name)]));
    for (const [select, name] of [[optimizer, "optimizer"], [loss, "loss"], [init, "init"]]) fill(select, choices[name].map((word) => [word, named(word)]));
    for (const [select, name] of [[data, "data"], [optimizer, "optimizer"], [loss, "loss"], [init, "init"], [batch, "batch"], [test, "test"], [model, "model"]]) pick(select, settings[name]);
    [seed.value, n.value, noise.value, formula.value] = [settings.seed, settings.n, settings.noise, settings.function].map(String);
    for (const input of [optimizer, loss, init]) visible(input, !mine);
    visible(model, own && settings.data === "own");
    visible(formula, settings.data === "function");
    pasted.hidden = settings.data !== "table";
    visible(n, !["own", "points", "table"].includes(settings.data));
    visible(noise, !["own", "points", "table"].includes(settings.data));
    visible(test, settings.data !== "own");
    features.hidden = layers.hidden = mine;
    summary.textContent = net.summary;
    writeInputs();
    const [minus, plus] = net.classes.length === 2 ? net.classes : ["−1", "+1"];
    legend.textContent = `green: positive, the class ${plus}; purple: negative, the class ${minus}. A line is a weight, as wide as it is large, up to `;
    legend.append(make("span", "nw-largest", null, {}, net.frame.largest));
    legend.append("; a dot is a bias; a map is what a neuron answers over the plane.");
  }

  function writeInputs() {
    const held = [...boxes.children].findIndex((one) => one.contains(document.activeElement));
    boxes.replaceChildren();
    for (const text of [...new Set([...INPUTS, ...settings.inputs])]) {
      const label = make("label", "nw-check", boxes), box = make("input", "", label, { type: "checkbox" });
      label.append(text);
      box.checked = settings.inputs.includes(text);
      box.addEventListener("change", () => {
        const inputs = box.checked ? [...settings.inputs, text] : settings.inputs.filter((one) => one !== text);
        if (inputs.length) open({ inputs });
        else box.checked = true;
      });
    }
    if (held >= 0 && boxes.children[held]) boxes.children[held].querySelector("input").focus({ preventScroll: true });
  }

  const rates = () => ({ lr: Number(lr.value), decay: Number(decay.value) });

  function show(next) {
    frame = next;
    frames++;
    picture.show(frame);
    curves.add(frame);
    curves.paint(root);
    paintPlane();
    count.textContent = `step ${frame.step}, epoch ${frame.epoch}`;
    legend.querySelector(".nw-largest").textContent = frame.largest;
    if (said.textContent !== frame.said) said.textContent = frame.said;
    ["train", "test"].forEach((name, i) => {
      const score = frame[name];
      losses[i].parentElement.hidden = !score;
      if (score) losses[i].textContent = `loss of ${name === "train" ? "the points" : "those held out"}: ${score.loss}${score.right ? `, ${score.right}` : ""}`;
    });
  }

  function paintPlane() {
    const [c, i] = looked || [net.columns.length - 1, 0];
    plane.paint(picture.map(c, i), flat.checked);
    plane.title.textContent = looked ? `what ${net.columns[c].neurons[i].name} answers` : "what the network answers";
  }

  const train = (message) => ({ do: "train", ...rates(), ...message });

  // Shows what a step or more have come to; false if there can be no more of them.
  function take(reply) {
    if (reply.error || reply.diverged) trouble.textContent = inWords(reply.error || reply.diverged);
    if (!reply.error) show(reply);
    return !reply.error && !reply.diverged;
  }

  // While a frame is painted, Python is at the next one.
  async function loop() {
    const message = () => train({ budget_ms: heavy ? 16 : 8 });
    let next = engine.ask(message());
    for (;;) {
      const reply = await next, more = on && !reply.error && !reply.diverged;
      if (more) next = engine.ask(message());
      take(reply);
      if (!more) break;
      await new Promise(requestAnimationFrame);
    }
    setRunning(false);
  }

  function setRunning(value) {
    if (value === on) return;
    on = value;
    run.textContent = on ? "Pause" : "Run";
    run.setAttribute("aria-pressed", String(on));
  }

  async function begin() {
    await pause();
    if (on) return; // it was pressed twice
    trouble.textContent = "";
    endWalk();
    setRunning(true);
    running = loop();
  }

  // Resolves when the last frame that was asked for is shown.
  async function pause() {
    setRunning(false);
    await marked(running);
  }

  async function oneStep() {
    await pause();
    trouble.textContent = "";
    take(await ask(train({ steps: 1 })));
    if (walk) sample(walk.asked, at);
    if (opened) openNeuron(...opened);
  }

  // ---------------------------------------------------------------- points

  async function clicked(place) {
    if (mode.value === "look") {
      const index = plane.nearest(place);
      return sample(index < 0 ? { x0: place[0], x1: place[1] } : { index }).then(() => seen(way));
    }
    const point = [...place, Number(mode.value)];
    const reply = await ask({ do: "data", points: [point] });
    if (reply.error) { trouble.textContent = inWords(reply.error); return; }
    if (settings.data === "points") settings.points = [...(settings.points || []), point];
    net.points = reply.points;
    plane.show(reply.points);
    show(reply.frame);
  }

  async function sample(message, keep) {
    await pause();
    const reply = await ask({ do: "sample", ...message });
    if (reply.error) { trouble.textContent = inWords(reply.error); return; }
    asked = (message.index ?? 0) + 1;
    walk = { ...reply, asked: message };
    stop.hidden = false;
    plane.mark(reply.place);
    stepTo(keep ?? 0);
    if (opened) openNeuron(...opened);
  }

  function stepTo(index) {
    if (!walk) return void sample({ index: 0 });
    at = Math.min(Math.max(index, 0), walk.steps.length - 1);
    const step = walk.steps[at], done = new Map();
    walk.steps.slice(0, at + 1).forEach((one) => done.set(`${one.phase},${one.column},${one.neuron}`, true));
    root.dataset.phase = step.phase;
    picture.mark(step, (c, i) => {
      if (step.phase === "backward") return done.has(`backward,${c},${i}`) ? walk.gradients[c][i] : "";
      return c === 0 || done.has(`forward,${c},${i}`) ? walk.values[c][i] : "";
    });
    for (const wire of picture.wires) if (wire) wire.byte = null;
    picture.lines(step.phase === "backward" ? walk.lines : frame.lines);
    picture.mark(step, (c, i) => picture.neurons[c][i].number.textContent);
    whereabouts.textContent = `step ${at + 1} of ${walk.steps.length}; ${walk.at}; a graph of ${walk.nodes}`;
    title.textContent = step.title;
    why.textContent = step.why;
    lines.hidden = false;
    lines.replaceChildren(...step.lines.map((text) => make("p", "", null, {}, text)));
  }

  function endWalk() {
    walk = at = null;
    stop.hidden = lines.hidden = true;
    whereabouts.textContent = why.textContent = "";
    title.textContent = "Click a point, or press →, to walk through its graph neuron by neuron, forward and back.";
    plane.mark(null);
    picture.mark(null);
    if (frame) picture.lines(frame.lines);
  }

  // ---------------------------------------------------------------- a neuron, a weight

  function look(c, i) {
    looked = c === null ? null : [c, i];
    if (frame) paintPlane();
  }

  async function openNeuron(c, i, index) {
    if (c === 0) return;
    await pause();
    const held = [...weights.children].indexOf(document.activeElement); // the keyboard stays where it is
    opened = [c, i, index];
    const reply = await ask({ do: "neuron", column: c, neuron: i });
    if (reply.error) { trouble.textContent = inWords(reply.error); return; }
    neuronPanel.hidden = false;
    neuronTitle.textContent = `${reply.name}, ${reply.activation}`;
    weights.replaceChildren(...reply.weights.map(([name, text], k) => {
      const button = make("button", "sg-button sg-wide nw-value", null, { type: "button", "aria-pressed": String(k === index) });
      make("span", "nw-from", button, {}, name);
      make("span", "", button, {}, text);
      button.addEventListener("click", () => openWeight(c, i, k).then(() => seen(weightPanel)));
      return button;
    }));
    if (held >= 0 && weights.children[held]) weights.children[held].focus();
    of.textContent = reply.of;
    graph.replaceChildren();
    if (reply.svg) graph.append(parsedSvg(reply.svg));
    if (index === undefined) weightPanel.hidden = true;
  }

  async function openWeight(c, i, index, set) {
    if (!opened || opened[0] !== c || opened[1] !== i || set !== undefined) await openNeuron(c, i, index);
    await pause();
    const reply = await ask({ do: "weight", column: c, neuron: i, index, ...(set === undefined ? {} : { set }) });
    if (reply.error) { trouble.textContent = inWords(reply.error); return; }
    opened = [c, i, index];
    if (reply.frame) { show(reply.frame); return openNeuron(c, i, index).then(() => openWeight(c, i, index)); }
    [...weights.children].forEach((one, k) => one.setAttribute("aria-pressed", String(k === index)));
    const typing = weightPanel.contains(document.activeElement);
    weightPanel.hidden = false;
    weightPanel.replaceChildren();
    make("p", "nw-step", weightPanel, {}, `${reply.name} = ${reply.value}`);
    make("p", "", weightPanel, {}, `Gradient of this point's loss: ${reply.gradient}. Mean over all points, which a step takes: ${reply.mean}.`);
    const number = field(weightPanel, "Set it to", "number", (x) => { if (x.trim()) openWeight(c, i, index, Number(x)); }, { step: "any" });
    number.setAttribute("aria-label", `Set ${reply.name} to`);
    if (typing) number.focus({ preventScroll: true });
    make("p", "nw-caption", weightPanel, {}, "The paths of the gradient");
    make("pre", "nw-text", weightPanel, { tabindex: "0" }, reply.paths);
    make("p", "nw-caption", weightPanel, {}, "Checked by differences");
    make("pre", "nw-text", weightPanel, { tabindex: "0" }, reply.check);
  }

  async function download(what) {
    const reply = await ask({ do: "export", what });
    if (reply.error) { trouble.textContent = inWords(reply.error); return; }
    const link = make("a", "", null, { download: reply.name, href: URL.createObjectURL(new Blob([reply.text], { type: reply.type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // ---------------------------------------------------------------- keys

  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Network: r runs and pauses, s makes one step, 0 resets, left and right arrow keys walk through a point's graph");
  const keys = {
    r: () => (on ? pause() : begin()), s: oneStep, 0: () => open({}), Escape: endWalk,
    ArrowRight: () => stepTo(at === null ? 0 : at + 1), ArrowLeft: () => stepTo(at === null ? 0 : at - 1),
  };
  root.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!net || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });

  const observer = new ResizeObserver(() => { if (frame) curves.paint(root); });
  observer.observe(right);
  const scheme = matchMedia("(prefers-color-scheme: dark)"), recolour = () => { if (frame) { shades.key = ""; picture.show(frame); paintPlane(); curves.paint(root); } };
  scheme.addEventListener("change", recolour);
  const themed = new MutationObserver(recolour);
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  pick(lr, start.lr ?? 0.05);
  pick(decay, 0);
  const { lr: _, heavy: __, ...begun } = start;
  const ready = open(begun);
  return {
    ready,
    get frames() { return frames; },
    get steps() { return frame ? frame.steps : 0; },
    hidden() { pause(); },
    destroy() {
      setRunning(false);
      for (const one of [observer, themed, picture.observer]) one.disconnect();
      scheme.removeEventListener("change", recolour);
      root.remove();
    },
  };
}
