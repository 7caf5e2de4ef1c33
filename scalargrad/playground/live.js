// The front end of the playground, without dependencies and without calculus: every number that it shows is a text that
// Python has made. An engine is anything with ask(message) -> Promise(reply); the transports at the end are engines.

const SVG = "http://www.w3.org/2000/svg";
const NOTHING = "·", EDGE = 12, LARGEST = 1.25, READABLE = 0.5;
const FACTORS = ["upstream", "local", "contribution"];
const WIDTHS = [1.2, 1.4, 2.1, 3.2]; // theme.py's, by the size of a bin
const ICONS = {
  first: "M6 5v14M19 5l-8 7 8 7", previous: "M15.5 5l-8 7 8 7", next: "M8.5 5l8 7-8 7", last: "M18 5v14M5 5l8 7-8 7",
  out: "M5 12h14", in: "M5 12h14M12 5v14",
  fit: "M4 6v12M20 6v12M8 12h8M10.5 9.5L8 12l2.5 2.5M13.5 9.5L16 12l-2.5 2.5",
};

export function make(tag, classes, parent, attributes, text) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  if (text != null) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

export function shape(tag, parent, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}

export function iconButton(name, label, parent, action) {
  const element = make("button", "sg-button", parent, { type: "button", "aria-label": label, title: label });
  const icon = shape("svg", element, { viewBox: "0 0 24 24", width: "18", height: "18", "aria-hidden": "true" });
  shape("path", icon, { d: ICONS[name] });
  element.addEventListener("click", action);
  return element;
}

export function wideButton(text, parent, action, attributes) {
  const element = make("button", "sg-button sg-wide", parent, { type: "button", ...attributes }, text);
  element.addEventListener("click", action);
  return element;
}

// A parsed document and not innerHTML: no script in it runs, and the page's policy can stay strict.
export function parsedSvg(text) {
  return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
}

// What a slider asks: at most engine.inFlight requests under way, of those that wait only the newest. What is never sent
// resolves to null, and so does a reply that comes after a newer one.
export function newest(engine) {
  let busy = 0, waiting = null, sent = 0, shown = 0;
  async function pump() {
    if (busy >= (engine.inFlight || 1) || !waiting) return;
    busy++;
    const { message, resolve } = waiting, mine = ++sent;
    waiting = null;
    try {
      const reply = await engine.ask(message);
      resolve(mine < shown ? null : reply);
      shown = Math.max(shown, mine);
    } finally { busy--; pump(); }
  }
  return (message) => new Promise((resolve) => {
    if (waiting) waiting.resolve(null);
    waiting = { message, resolve };
    pump();
  });
}

const role = (bin) => (bin === 0 ? "edge-0" : `edge-${bin < 0 ? "minus" : "plus"}-${Math.abs(bin)}`);

// ------------------------------------------------------------------------------------------ a picture that changes

// Cards and edges by their number, with what is written in them; no ids, so that any number of copies share a page.
export class GraphPicture {
  constructor(host, picked) {
    this.host = host;
    this.picked = picked; // (kind, number): a card or an edge was chosen
    host.addEventListener("scroll", () => this.cues(), { passive: true });
    this.zoom = "auto";
    this.scale = 1;
    this.now = null; // the card that is looked at
  }

  put(picture) {
    const svg = parsedSvg(picture.svg);
    this.told = picture;
    this.cards = [];
    this.edges = [];
    for (const group of svg.querySelectorAll("g[id]")) {
      const [, kind, number] = group.id.match(/-([a-z])(\d+)$/) || [];
      const texts = [...group.querySelectorAll("text")], title = group.querySelector("title") || shape("title", group);
      if (kind === "n") {
        const [value, gradient] = texts.slice(-2), box = [...group.querySelectorAll("rect")].pop();
        const room = Number(box.getAttribute("width")) - 10;
        this.cards[number] = { group, title, value, gradient, box, room, ...picture.cards[number] };
      } else if (kind === "e") {
        const path = group.querySelector("path"), tip = group.querySelector("polygon");
        const wide = path.cloneNode(); // what is clicked, as wide as a finger
        wide.setAttribute("class", "lv-hit");
        group.append(wide);
        this.edges[number] = { group, title, path, tip, label: texts[0], bin: null };
      }
      group.removeAttribute("id");
    }
    svg.setAttribute("aria-label", picture.title);
    svg.setAttribute("role", "group"); // an image's parts could not be reached
    svg.removeAttribute("aria-labelledby");
    for (const element of [svg, ...svg.querySelectorAll("[id]")]) element.removeAttribute("id");
    svg.querySelector("title").remove();
    svg.querySelector("desc").remove();
    this.width = Number(svg.getAttribute("width")) + 2 * EDGE;
    this.height = Number(svg.getAttribute("height")) + 2 * EDGE;
    svg.setAttribute("viewBox", [-EDGE, -EDGE, this.width, this.height].join(" "));
    this.svg = svg;
    this.marks = shape("g", svg, { class: "sg-marks", "aria-hidden": "true" });
    this.host.replaceChildren(svg);
    this.reachable();
    this.fit();
  }

  // Every card, and before it the edges into it, in one row for the arrow keys.
  reachable() {
    this.row = this.cards.flatMap((card, i) => [
      ...this.edges.flatMap((edge, k) => (this.told.edges[k][1] === i ? [{ ...edge, kind: "edge", number: k }] : [])),
      { ...card, kind: "card", number: i },
    ]);
    this.row.forEach(({ group, kind, number }, place) => {
      group.setAttribute("role", "button");
      group.setAttribute("tabindex", place ? "-1" : "0");
      group.addEventListener("click", () => { this.reach(place); this.picked(kind, number); });
      group.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === "Enter" || event.key === " ") this.picked(kind, number);
        else if (step) this.reach((place + step + this.row.length) % this.row.length, true);
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
    });
  }

  reach(place, focus) {
    this.row.forEach(({ group }, i) => group.setAttribute("tabindex", i === place ? "0" : "-1"));
    if (focus) this.row[place].group.focus();
  }

  // Writing costs, reading does not: what is the same is left alone. A text longer than its card is made to fit.
  write(element, text, room) {
    if (element.textContent === text) return;
    element.textContent = text;
    const most = room / 7.23; // characters of 12 px type
    if (text.length > most) {
      element.setAttribute("textLength", String(room));
      element.setAttribute("lengthAdjust", "spacingAndGlyphs");
    } else if (element.hasAttribute("textLength")) element.removeAttribute("textLength");
  }

  paintEdge(i, bin) {
    const edge = this.edges[i];
    if (!edge || edge.bin === bin) return;
    edge.bin = bin;
    edge.path.setAttribute("class", "s-" + role(bin));
    edge.path.setAttribute("stroke-width", String(WIDTHS[Math.abs(bin)]));
    if (edge.tip) edge.tip.setAttribute("class", "f-" + role(bin));
  }

  // One run: all its numbers, or with a stage those that are known after a step.
  show(frame, stage) {
    const touched = new Set(stage ? stage.touched : []), used = new Set(stage ? stage.used : []);
    const bad = new Set(frame.bad), moved = this.now !== (stage ? stage.node : null);
    this.now = stage ? stage.node : null;
    this.marks.replaceChildren();
    this.cards.forEach((card, i) => {
      const known = !stage || i <= stage.known - 1;
      const value = known ? frame.values[i] : NOTHING, gradient = stage ? stage.gradients[i] : frame.gradients[i];
      this.write(card.value, value, card.room);
      if (!card.constant) this.write(card.gradient, gradient, card.room);
      const said = card.about + (known ? "; value " + value : "; not computed yet") +
        (card.constant || gradient === NOTHING ? "" : "; gradient " + gradient.replace(/^\S+ /, ""));
      if (card.said !== said) {
        card.said = said;
        card.title.textContent = said;
        card.group.setAttribute("aria-label", said);
      }
      card.group.classList.toggle("sg-pale", !known);
      card.group.classList.toggle("sg-now", Boolean(stage) && i === stage.node);
      card.group.classList.toggle("sg-source", Boolean(stage) && i === stage.source);
      card.group.classList.toggle("sg-bad", stage ? /nan|inf/.test(value + gradient) : bad.has(i));
    });
    this.edges.forEach((edge, i) => {
      const known = !stage || touched.has(i), now = used.has(i), local = frame.locals[i];
      this.paintEdge(i, known ? frame.bins[i] : 0);
      if (edge.label) {
        const text = now && (known || !stage) ? local : known && local !== "×1" ? local : "";
        if (edge.label.textContent !== text) edge.label.textContent = text;
      }
      edge.group.classList.toggle("sg-now", now);
      edge.group.classList.toggle("lv-back", now && Boolean(stage) && stage.phase !== "forward");
      const [tail, head] = this.told.edges[i], names = this.told.cards;
      const said = `${names[tail].name} to ${names[head].name}` + (known && local ? `, local derivative ${local.slice(1)}` : "");
      if (edge.said !== said) {
        edge.said = said;
        edge.title.textContent = said;
        edge.group.setAttribute("aria-label", said);
      }
    });
    this.flow(stage);
    if (moved) this.follow();
  }

  // Of a step backward: an arrowhead where the gradient goes to, and marks around the factors of the chain rule.
  flow(stage) {
    if (!stage || stage.phase === "forward" || !this.host.clientWidth) return;
    const factors = new Map(stage.pieces.filter(([kind]) => FACTORS.includes(kind)).reverse()); // each first
    for (const i of stage.used) {
      const edge = this.edges[i], color = role(edge.bin), at = (n) => { const p = edge.path.getPointAtLength(n); return [p.x, p.y]; };
      const [x, y] = at(0), [fx, fy] = at(Math.min(10, edge.path.getTotalLength() / 2)), dx = (x - fx) * 0.6, dy = (y - fy) * 0.6;
      shape("polygon", this.marks,
        { class: "f-" + color, points: [[x, y], [fx - dy, fy + dx], [fx + dy, fy - dx]].map((p) => p.join(",")).join(" ") });
      if (factors.has("local") && edge.label) this.chip(edge.label, "local");
    }
    const { box } = this.cards[stage.node], [left, top, wide, high] = ["x", "y", "width", "height"].map((key) => Number(box.getAttribute(key)));
    const handed = stage.hidden ? "?" : factors.get("contribution") || "";
    if (stage.source !== null && factors.has("upstream")) this.chip(this.cards[stage.source].gradient, "upstream");
    if (handed === "?" || /\d|inf|nan/.test(handed)) this.pill(handed, left + wide / 2, top + high + 5);
  }

  chip(text, kind) {
    const box = text.getBBox();
    if (!box.width) return;
    shape("rect", this.marks, { class: "sg-mark-" + kind, x: box.x - 3, y: box.y - 0.5, width: box.width + 6, height: box.height + 1, rx: 4 });
  }

  pill(text, x, y) {
    const dot = shape("g", this.marks, { class: "sg-dot", transform: `translate(${x} ${y})` });
    const words = shape("text", dot, { "text-anchor": "middle", y: "4" });
    words.textContent = text;
    const wide = Math.max(words.getBBox().width + 10, 16);
    dot.prepend(shape("rect", dot, { class: "sg-mark-contribution", x: -wide / 2, y: -8, width: wide, height: 16, rx: 8 }));
  }

  // Where the function has no value: what was computed up to there, and the card at which it stopped.
  fail(trouble) {
    this.cards.forEach((card, i) => {
      const here = trouble.card === i, value = trouble.values[i];
      this.write(card.value, here ? "no value" : value === undefined ? NOTHING : value, card.room);
      if (!card.constant) this.write(card.gradient, NOTHING, card.room);
      card.said = card.about + (here ? "; no value: " + trouble.text : value === undefined ? "; not computed" : "; value " + value);
      card.title.textContent = card.said;
      card.group.setAttribute("aria-label", card.said);
      for (const name of ["sg-now", "sg-source"]) card.group.classList.remove(name);
      card.group.classList.toggle("sg-pale", value === undefined && !here);
      card.group.classList.toggle("sg-bad", here);
    });
    this.edges.forEach((edge, i) => {
      this.paintEdge(i, 0);
      edge.group.classList.remove("sg-now", "lv-back");
      if (edge.label) edge.label.textContent = "";
    });
    this.marks.replaceChildren();
    const stopped = this.cards[trouble.card];
    if (!stopped) return;
    const [left, top, wide, high] = ["x", "y", "width", "height"].map((key) => Number(stopped.box.getAttribute(key)));
    const words = shape("text", this.marks, { class: "lv-callout", x: left + wide / 2, y: top + high + 13, "text-anchor": "middle" });
    words.textContent = trouble.text;
    const { x, width } = words.getBBox(); // inside the picture
    const inside = Math.min(Math.max(x, 2 - EDGE), Math.max(2 - EDGE, this.width - EDGE - 2 - width));
    words.setAttribute("x", String(left + wide / 2 + inside - x));
  }

  mark(cards, edges) {
    this.cards.forEach((card, i) => card.group.classList.toggle("lv-marked", cards.includes(i)));
    this.edges.forEach((edge, i) => edge.group.classList.toggle("lv-marked", edges.includes(i)));
  }

  zoomTo(value) {
    this.zoom = value === "fit" ? "fit" : Math.min(Math.max(value, 0.2), 4);
    this.fit();
  }

  // How high the picture may be so that it is seen together with what stands around it.
  room() {
    const live = this.host.closest(".sg-live") || this.host, frame = this.host.parentElement;
    const top = Math.max(0, live.getBoundingClientRect().top + window.scrollY);
    const above = top < window.innerHeight / 3 ? top : 0;
    return Math.max(window.innerHeight - above - 12 - (live.offsetHeight - frame.offsetHeight), 240);
  }

  fit() {
    const wide = this.host.clientWidth;
    if (!wide || !this.svg) return;
    this.host.style.maxHeight = "";
    const high = this.room(), across = Math.min((wide - 1) / this.width, wide > 1500 ? 1.6 : LARGEST), whole = Math.min(across, (high - 1) / this.height);
    const least = wide < 600 ? 0.62 : READABLE;
    this.scale = this.zoom === "fit" ? whole : this.zoom !== "auto" ? this.zoom : whole >= least ? whole : Math.max(Math.min(across, 0.8), least);
    this.svg.style.width = this.width * this.scale + "px";
    this.svg.style.height = this.height * this.scale + "px";
    this.host.style.maxHeight = Math.ceil(high) + "px";
    this.follow();
    this.cues();
  }

  // The card that is looked at, inside the view only: the page stays where it is.
  follow() {
    const card = this.cards[this.now];
    if (!card) return;
    const place = (low, size, from, length) => {
      const start = (Number(card.box.getAttribute(low)) + EDGE) * this.scale, end = start + Number(card.box.getAttribute(size)) * this.scale;
      return start < from + 8 || end > from + length - 8 ? (start + end) / 2 - length / 2 : from;
    };
    const left = place("x", "width", this.host.scrollLeft, this.host.clientWidth);
    const top = place("y", "height", this.host.scrollTop, this.host.clientHeight);
    if (left !== this.host.scrollLeft || top !== this.host.scrollTop) this.host.scrollTo({ left, top, behavior: "instant" });
  }

  // Where there is more to see the edge fades.
  cues() {
    const { host } = this, more = [];
    if (host.scrollLeft > 2) more.push("left");
    if (host.scrollLeft + host.clientWidth < host.scrollWidth - 2) more.push("right");
    if (host.scrollTop > 2) more.push("top");
    if (host.scrollTop + host.clientHeight < host.scrollHeight - 2) more.push("bottom");
    host.parentElement.dataset.more = more.join(" ");
  }
}

// ------------------------------------------------------------------------------------------ an expression, live

export function graphView(host, engine, start = {}) {
  const root = make("div", "sg-live lv-graph", host, { "data-phase": "backward" });
  const line = make("form", "lv-line", root);
  const label = make("label", "lv-typed", line);
  const equals = make("span", "", label, {}, "f = ");
  const box = make("input", "lv-expression", label,
    { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "1000", "aria-label": "Expression" });
  const drawn = make("button", "sg-button sg-wide", line, { type: "submit" }, "Draw");
  const examples = make("select", "lv-examples", line, { "aria-label": "Examples", hidden: "" });
  const trouble = make("p", "lv-trouble", root, { role: "alert" });
  const sliders = make("div", "lv-sliders", root, { role: "group", "aria-label": "Inputs" });
  const bar = make("div", "sg-bar", root);
  const buttons = make("div", "sg-buttons", bar);
  iconButton("first", "First step (Home)", buttons, () => step(0));
  iconButton("previous", "Previous step (←)", buttons, () => step(at === null ? count - 1 : at - 1));
  iconButton("next", "Next step (→)", buttons, () => ahead());
  iconButton("last", "All steps done (End)", buttons, () => finish());
  const track = make("div", "sg-track", bar);
  const position = make("input", "sg-slider", track, { type: "range", min: "1", "aria-label": "Step" });
  const lengths = make("div", "sg-parts", track, { "aria-hidden": "true" });
  const forth = make("span", "sg-part-forward", lengths), back = make("span", "sg-part-backward", lengths);
  position.addEventListener("input", () => step(Number(position.value) - 1));
  const place = make("div", "sg-place", bar);
  const phase = make("span", "sg-phase", place), number = make("span", "sg-number", place);
  const guess = wideButton("Guess first", bar, () => setGuessing(!guessing),
    { "aria-pressed": "false", title: "Guess each gradient before it is shown" });
  const words = make("div", "sg-words", root);
  const equation = make("p", "sg-equation", words, { "aria-live": "polite", "aria-atomic": "true" });
  const why = make("p", "sg-why", words);
  const ask = make("form", "sg-ask", words, { hidden: "" });
  const question = make("label", "sg-question", ask);
  const asked = make("span", "", question);
  const answer = make("input", "sg-answer", question,
    { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "40" });
  make("button", "sg-button sg-wide", ask, { type: "submit" }, "Check");
  const verdict = make("p", "sg-verdict", words, { role: "status" });
  const around = make("div", "sg-frame", root), view = make("div", "sg-view lv-view", around);
  for (const side of ["up", "down"]) make("span", "sg-" + side, around, { "aria-hidden": "true" });
  const foot = make("div", "sg-foot", root), legend = make("div", "sg-legend", foot), tools = make("div", "sg-tools", foot);
  const lines = make("div", "lv-lines", root, { hidden: "", role: "region", "aria-label": "Paths" });
  make("p", "lv-waiting", view, { role: "status" }, "Python draws the graph …");
  writeLegend(legend);
  const picture = new GraphPicture(view, picked);
  iconButton("out", "Zoom out (−)", tools, () => picture.zoomTo(picture.scale / 1.25));
  iconButton("fit", "Fit the whole graph (0)", tools, () => picture.zoomTo("fit"));
  iconButton("in", "Zoom in (+)", tools, () => picture.zoomTo(picture.scale * 1.25));

  const askNewest = newest(engine), askAbout = newest(engine);
  const numbers = {}; // what the next message says of inputs
  const rows = new Map();
  let frame = null, stage = null, at = null, count = 0, guessing = false, chosen = null, frames = 0;
  let opens = 0, changed = "", longest = 0; // that the graph is another one now; how long the words have been

  // ---------------------------------------------------------------- expression and inputs

  async function open(message) {
    const mine = ++opens;
    root.setAttribute("aria-busy", "true");
    const reply = await engine.ask({ do: "open", ...message });
    if (mine !== opens) return; // another one was asked for since
    root.removeAttribute("aria-busy");
    const waiting = view.querySelector(".lv-waiting");
    if (waiting && reply.error) waiting.textContent = "There is no graph: write another expression.";
    box.toggleAttribute("aria-invalid", Boolean(reply.error));
    if (reply.error && (frames || !message.expression)) {
      say(reply.error);
      if (reply.instead) offerInstead(reply.instead);
      return;
    }
    if (!reply.error) return opened(reply);
    await open({}); // what a link asks for and is no expression: the picture is that of the beginning, and it is said why
    say(reply.error);
  }

  function opened(reply) {
    say("");
    verdict.textContent = "";
    changed = reply.changed || "";
    words.style.minHeight = "";
    longest = 0;
    box.value = reply.expression;
    box.readOnly = !reply.typed;
    equals.hidden = !reply.typed;
    drawn.hidden = !reply.typed;
    offer(reply.examples);
    writeSliders(reply.inputs);
    if (guessing) at = reply.picture.cards.length;
    put(reply);
  }

  function offer(found) {
    examples.hidden = !found.length;
    examples.replaceChildren(make("option", "", null, { value: "" }, "Examples"));
    found.forEach(([title], i) => make("option", "", examples, { value: String(i) }, title));
    examples.onchange = () => {
      const [, expression, inputs] = found[Number(examples.value)] || [];
      at = null;
      if (expression) open({ expression, inputs });
    };
  }

  function put(reply) {
    count = reply.picture.steps;
    position.max = String(count);
    forth.style.flexGrow = String(reply.picture.cards.length);
    back.style.flexGrow = String(count - reply.picture.cards.length);
    if (at !== null && at >= count) at = null;
    chosen = null;
    lines.hidden = true;
    picture.put(reply.picture);
    showFrame(reply.frame, null);
    picture.fit();
    if (at !== null) step(at);
  }

  function writeSliders(inputs) {
    const before = [...rows.keys()].join(), names = Object.keys(inputs);
    if (before !== names.join()) {
      rows.clear();
      sliders.replaceChildren();
      for (const name of names) rows.set(name, slider(name));
    }
    for (const name of names) moveSlider(inputs[name]);
  }

  function slider(name) {
    const row = make("div", "lv-slider", sliders);
    const title = make("label", "lv-name", row, { title: name }, name);
    const range = make("input", "sg-slider", row, { type: "range", "aria-label": name });
    const number = make("input", "lv-number", row,
      { type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", maxlength: "40", "aria-label": "Number for " + name });
    const gradient = make("output", "lv-gradient", row, { "aria-label": "Gradient of " + name });
    const found = { range, number, gradient, text: "", exact: "" };
    title.addEventListener("click", () => number.focus());
    range.addEventListener("input", () => change(name, Number(range.value)));
    number.addEventListener("focus", () => { number.value = found.exact; number.select(); });
    number.addEventListener("blur", () => { if (!number.hasAttribute("aria-invalid")) number.value = found.text; });
    number.addEventListener("change", () => { if (number.value !== found.exact) change(name, number.value); });
    return found;
  }

  function moveSlider(input) {
    const row = rows.get(input.name), { range, number } = row;
    for (const [key, text] of [["min", input.low], ["max", input.high], ["step", input.step]]) range[key] = String(text);
    if (document.activeElement !== range || Number(range.value) !== input.value) range.value = String(input.value);
    range.setAttribute("aria-valuetext", input.text);
    row.text = input.text;
    row.exact = input.exact;
    number.value = document.activeElement === number ? input.exact : input.text;
    number.title = input.exact;
    number.removeAttribute("aria-invalid");
  }

  async function change(name, value) {
    numbers[name] = value;
    await send(name, value);
  }

  // An answer about a picture that is not on the page: another graph came, or goes, between question and answer.
  function late(reply) { return reply.of !== undefined && picture.told && reply.of !== picture.told.serial; }

  async function send(name, value) {
    const inputs = { ...numbers }, message = { do: "set", inputs };
    if (picture.told && picture.told.serial !== undefined) message.seen = picture.told.serial;
    if (at !== null) Object.assign(message, { step: at, hidden: hides(at) });
    const reply = await askNewest(message);
    if (!reply) return;
    for (const key of Object.keys(inputs)) if (numbers[key] === inputs[key]) delete numbers[key]; // what has arrived
    if (reply.error) {
      const row = rows.get(name);
      if (row && typeof value === "string") row.number.setAttribute("aria-invalid", "true");
      return say(reply.error);
    }
    if (late(reply) && !reply.picture) return void send();
    for (const input of Object.values(reply.inputs)) if (rows.has(input.name) && !(input.name in numbers)) moveSlider(input);
    say("");
    if (reply.trouble) return fail(reply.trouble);
    changed = reply.changed || "";
    if (reply.picture && late(reply)) put(reply);
    else showFrame(reply.frame, reply.stage || null);
    if (chosen) about();
  }

  // ---------------------------------------------------------------- what is shown

  // What was probably meant, to be taken with a click.
  function offerInstead(expression) {
    const button = wideButton("Use " + expression, null, () => { at = null; open({ expression }); });
    trouble.append(" ", button);
    button.focus();
  }

  function say(said) {
    const text = said.replace(/^(?:open|set|steps): (?:inputs: )?/, ""); // which message it was is the page's own business
    if (trouble.textContent !== text) trouble.textContent = text;
  }

  function fail(found) {
    picture.fail(found);
    frame = null;
    ask.hidden = true;
    equation.hidden = why.hidden = false;
    equation.classList.add("lv-bad");
    equation.textContent = found.text;
    why.textContent = "There is no value here, and no gradient. Move the input back, and the graph is computed again.";
    for (const { gradient } of rows.values()) gradient.textContent = "";
    roomy();
  }

  // Room for the longest text so far, so that the picture does not jump.
  function roomy() {
    const most = equation.textContent.length + why.textContent.length;
    if (most <= longest) return; // to measure is to lay out
    longest = most;
    words.style.minHeight = Math.max(words.offsetHeight, parseFloat(words.style.minHeight) || 0) + "px";
  }

  function showFrame(next, nextStage) {
    frame = next;
    stage = nextStage;
    frames++;
    picture.show(frame, stage);
    const notes = [changed, ...frame.notes].filter(Boolean).join(" ");
    equation.classList.remove("lv-bad");
    for (const [name, row] of rows) {
      const card = picture.told.inputs[name], gradients = stage ? stage.gradients : frame.gradients;
      const text = card === undefined ? "not used" : gradients[card];
      if (row.gradient.textContent !== text) row.gradient.textContent = text;
    }
    if (!stage) {
      root.dataset.phase = "backward";
      phase.textContent = "";
      number.textContent = `all ${count} steps`;
      position.value = String(count);
      position.setAttribute("aria-valuetext", number.textContent);
      if (!chosen) {
        equation.textContent = picture.told.title + " = " + frame.values[frame.values.length - 1];
        why.textContent = notes || "Drag an input; click an edge for its rule, a card for its paths; → goes step by step.";
      }
    } else {
      root.dataset.phase = stage.phase;
      phase.textContent = stage.phase;
      number.textContent = `${stage.step + 1} / ${stage.count}`;
      position.value = String(stage.step + 1);
      position.setAttribute("aria-valuetext", `step ${stage.step + 1} of ${stage.count}, ${stage.phase}`);
      write(equation, stage.pieces);
      why.textContent = stage.why + (notes ? " " + notes : "");
    }
    const open = Boolean(stage && stage.hidden);
    if (open) asked.textContent = stage.question + " ";
    ask.hidden = !open;
    equation.hidden = why.hidden = open;
    roomy();
  }

  // The equation; the factors of the chain rule in it look as they do in the stepper.
  function write(element, pieces) {
    element.replaceChildren(...pieces.map(([kind, text]) => make("span", kind === "plain" ? "" : "sg-" + kind, null, {}, text)));
  }

  // ---------------------------------------------------------------- steps and guesses

  function hides(step) { return guessing && step > picture.cards.length; }

  async function step(wanted, open) {
    at = Math.min(Math.max(wanted, 0), count - 1);
    changed = "";
    choose(null);
    verdict.textContent = "";
    const reply = await askNewest({ do: "steps", step: at, hidden: hides(at) && !open });
    if (!reply) return;
    if (late(reply)) return;
    if (reply.error) return say(reply.error);
    if (frame) showFrame(frame, reply.stage);
    if (reply.stage.hidden) { answer.value = ""; answer.focus(); }
  }

  function ahead() {
    if (stage && stage.hidden) step(at, true);
    else if (at === count - 1) finish();
    else step(at === null ? 0 : at + 1);
  }

  function finish() {
    at = null;
    choose(null);
    verdict.textContent = "";
    if (frame) showFrame(frame, null);
  }

  function setGuessing(value) {
    guessing = value;
    guess.setAttribute("aria-pressed", String(guessing));
    verdict.className = "sg-verdict";
    if (at !== null) step(at, true);
    else if (guessing && frame) step(picture.cards.length); // where backward begins: what is asked stands nowhere yet
    verdict.textContent = guessing ? "Before each backward step you will be asked for the gradient; → shows it." : "";
  }

  answer.addEventListener("keydown", (event) => {
    const end = event.key === "ArrowRight" && answer.selectionStart === answer.value.length; // nothing to go to in the text
    if (event.key !== "Escape" && !end) return;
    event.preventDefault();
    event.stopPropagation();
    root.focus({ preventScroll: true });
    if (end) ahead();
  });

  ask.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reply = await engine.ask({ do: "guess", step: at, answer: answer.value });
    const kind = reply.verdict || "wrong";
    if (late(reply)) return;
    if (kind === "right") showFrame(frame, reply.stage);
    verdict.className = "sg-verdict sg-" + (kind === "right" ? "right" : "wrong");
    verdict.textContent = reply.error || reply.text;
    if (kind === "right") root.focus({ preventScroll: true });
  });

  // ---------------------------------------------------------------- an edge's rule, a card's paths

  function picked(kind, number) { choose(chosen && chosen.kind === kind && chosen.number === number ? null : { kind, number }); }

  function choose(found) {
    chosen = found;
    if (found) return about();
    lines.hidden = true;
    if (picture.cards) picture.mark([], []);
    if (frame) showFrame(frame, stage);
  }

  async function about() {
    const { kind, number } = chosen;
    const reply = await askAbout(kind === "edge" ? { do: "edge", edge: number } : { do: "explain", card: number });
    if (!reply || late(reply) || !chosen || chosen.kind !== kind || chosen.number !== number) return;
    if (reply.error) return say(reply.error);
    if (kind === "edge") {
      picture.mark([], [number]);
      write(equation, reply.pieces);
      why.textContent = reply.why;
      lines.hidden = true;
      return;
    }
    picture.mark([number], reply.edges);
    const [first, ...rest] = reply.lines;
    equation.textContent = first;
    why.textContent = "";
    lines.hidden = !rest.length;
    lines.replaceChildren(...rest.map((text) => make("p", "", null, {}, text)));
  }

  // ---------------------------------------------------------------- keys

  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Live graph: left and right arrow keys step, Home and End jump, plus and minus zoom");
  const keys = {
    ArrowRight: ahead, ArrowLeft: () => step(at === null ? count - 1 : at - 1), Home: () => step(0), End: finish,
    "+": () => picture.zoomTo(picture.scale * 1.25), "-": () => picture.zoomTo(picture.scale / 1.25), 0: () => picture.zoomTo("fit"),
    Escape: () => choose(null), g: () => setGuessing(!guessing),
  };
  root.addEventListener("keydown", (event) => {
    if (event.target.closest("input") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  line.addEventListener("submit", (event) => {
    event.preventDefault();
    at = null;
    open({ expression: box.value });
  });

  let seen = 0;
  const observer = new ResizeObserver(() => {
    if (root.clientWidth === seen) return; // its own height changes with every fit
    seen = root.clientWidth;
    words.style.minHeight = "";
    longest = 0;
    picture.fit();
  });
  observer.observe(root);
  const resized = () => picture.fit();
  window.addEventListener("resize", resized);
  const ready = open(start);
  return {
    ready,
    get frames() { return frames; },
    open(message) { at = null; return open(message); },
    // What an address says to come back to this expression with these numbers.
    get address() {
      const parts = [["f", box.value], ...[...rows].map(([name, row]) => [name, row.exact])];
      return "#" + parts.map(([name, text]) => name + "=" + encodeURIComponent(text).replace(/%(2B|2C|2F|3D)/g, decodeURIComponent)).join("&");
    },
    shown: resized,
    destroy() { observer.disconnect(); window.removeEventListener("resize", resized); root.remove(); },
  };
}

function writeLegend(legend) {
  const said = [
    ["upstream", "incoming gradient"], ["local", "local derivative"], ["contribution", "contribution"],
    ["plus", "positive"], ["minus", "negative"],
  ];
  for (const [kind, text] of said) {
    const item = make("span", "sg-key", legend);
    make("span", "sg-" + (kind === "plus" || kind === "minus" ? "line sg-line-" + kind : kind + " sg-sample"), item, { "aria-hidden": "true" });
    item.append(text);
  }
}

// ------------------------------------------------------------------------------------------ transports

// The server's token is in the fragment, which is sent to nobody. It is taken out of the address at once and kept for
// this tab, so that it can be loaded again.
export function remembered() {
  const token = location.hash.slice(1);
  if (/^[\w-]{20,}$/.test(token)) {
    const client = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("scalargrad", JSON.stringify({ token, client }));
    history.replaceState(null, "", location.pathname);
  }
  return JSON.parse(sessionStorage.getItem("scalargrad"));
}

export function http({ token, client }) {
  const PLACE = 10000; // ms between two signs that the page is still there
  let last = 0;
  const send = (message, more, rest) => fetch("api", {
    method: "POST", body: JSON.stringify({ ...message, id: ++last }), cache: "no-store", ...rest,
    headers: { "content-type": "application/json", "x-scalargrad": token, "x-scalargrad-client": client, ...more },
  });
  async function ask(message) {
    try {
      const reply = await send(message);
      return reply.ok ? await reply.json() : { error: await reply.text() };
    } catch {
      return { error: "Python does not answer: is the program that opened this page still running?" };
    }
  }
  window.setInterval(() => ask({ do: "views" }), PLACE);
  // Another page may take the place of one that is closed.
  window.addEventListener("pagehide", () => { send({ do: "views" }, { "x-scalargrad-leaves": "1" }, { keepalive: true }).catch(() => {}); });
  return { ask, inFlight: 4, ready: Promise.resolve() };
}

// Replies find their promise by id: they may come late or in another order.
function answered(send, inFlight, first = 0) {
  const waiting = new Map();
  let last = first;
  return {
    inFlight,
    got(reply) {
      const resolve = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (resolve) resolve(reply);
    },
    ask: (message) => new Promise((resolve) => { waiting.set(++last, resolve); send({ ...message, id: last }); }),
  };
}

// Python in a worker: strings are posted, as cheap as objects and never a proxy.
export function worker(url) {
  const thread = new Worker(url, { type: "module" });
  const engine = answered((message) => thread.postMessage(JSON.stringify(message)), 1);
  engine.slow = true; // Python is some ten times slower there
  engine.ready = new Promise((resolve, reject) => {
    thread.onmessage = ({ data }) => {
      if (data.ready) resolve(data);
      else if (data.error) reject(new Error(data.error));
      else if (data.loading) engine.loading && engine.loading(data.loading);
      else engine.got(JSON.parse(data));
    };
    thread.onerror = (event) => reject(new Error(event.message || "Python could not be loaded"));
  });
  return engine;
}

// A notebook: custom messages and not traits, whose state is kept, merged and saved.
export function comm(model) {
  // Several views of one model hear all replies: the ids of each begin elsewhere.
  const engine = answered((message) => model.send(message), 4, Math.floor(Math.random() * 2 ** 30) * 2 ** 22);
  model.on("msg:custom", (reply) => engine.got(reply));
  engine.ready = Promise.resolve();
  return engine;
}
