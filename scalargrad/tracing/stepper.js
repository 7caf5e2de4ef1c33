(function scalargradStepper(data) {
  "use strict";
  // Turns the picture and table of one trace into a stepper. `data` has: key, css and its digest look, svg (whose numbers
  // are the final ones: each step puts in what is known by then), heads of the edges, for each step after the forward
  // ones in `back` [node, gradient text, source, its edges], in `parts` its equation as [kind, text], and in `guesses`
  // what is judged if it is guessed first; hints are numbers into `hints`,
  // and leeway is how far off an answer may be.
  // Other texts are read from the table and the picture; whatever comes from there goes in as textContent only.

  const SVG = "http://www.w3.org/2000/svg";
  const PAUSE = 1400, TRAVEL = 650, SPEEDS = [0.5, 1, 2, 4];
  const NOTHING = "·";
  const LARGEST = 1.25, EDGE = 12;
  const FACTORS = ["upstream", "local", "contribution"];
  const ICONS = {
    first: "M6 5v14M19 5l-8 7 8 7", previous: "M15.5 5l-8 7 8 7", next: "M8.5 5l8 7-8 7", last: "M18 5v14M5 5l8 7-8 7",
    play: "M7 4.5v15l12-7.5z", pause: "M8 5v14M16 5v14", out: "M5 12h14", in: "M5 12h14M12 5v14",
    fit: "M4 6v12M20 6v12M8 12h8M10.5 9.5L8 12l2.5 2.5M13.5 9.5L16 12l-2.5 2.5", full: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  };
  const EDITABLE = "input, textarea, select, [contenteditable]";
  const JUPYTER = "[data-jp-theme-light], .jp-Notebook, #notebook, #notebook-container";

  function make(tag, classes, parent, attributes) {
    const element = document.createElement(tag);
    element.className = classes;
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    if (parent) parent.append(element);
    return element;
  }

  function shape(tag, parent, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent.append(element);
    return element;
  }

  // A sheet that is constructed needs no style element, which a content security policy would ask about.
  function adopt() {
    const mark = Symbol.for("scalargrad-stepper-" + data.look);
    if (document[mark]) return;
    document[mark] = true;
    if (document.adoptedStyleSheets && "replaceSync" in CSSStyleSheet.prototype) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(data.css);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } else {
      make("style", "", document.head).textContent = data.css;
    }
  }

  // The picture, taken apart: cards and edges by their number, no ids, so that any number of copies share a page.
  function readPicture() {
    const svg = document.importNode(new DOMParser().parseFromString(data.svg, "image/svg+xml").documentElement, true);
    const nodes = [], edges = [];
    for (const group of svg.querySelectorAll("g[id]")) {
      const [, kind, number] = group.id.match(/-([a-z])(\d+)$/) || [];
      const texts = [...group.querySelectorAll("text")];
      if (kind === "n") {
        const title = group.querySelector("title");
        const [value, gradient] = texts.slice(-2);
        nodes[number] = { group, value, gradient, title, about: title.textContent, final: value.textContent,
          constant: !gradient.classList.contains("f-gradient") };
      } else if (kind === "e") {
        edges[number] = { group, label: texts[0] };
        if (texts[0] && texts[0].textContent === "×1") texts[0].classList.add("sg-one");
      }
    }
    svg.setAttribute("aria-label", svg.querySelector("title").textContent);
    svg.setAttribute("role", "group"); // an image's parts could not be reached
    svg.removeAttribute("aria-labelledby");
    svg.querySelector("title").remove();
    svg.querySelector("desc").remove();
    for (const element of [svg, ...svg.querySelectorAll("[id]")]) element.removeAttribute("id");
    return { svg, nodes, edges };
  }

  function button(name, label, parent, action) {
    const element = make("button", "sg-button", parent, { type: "button", "aria-label": label, title: label });
    const icon = shape("svg", element, { viewBox: "0 0 24 24", width: "18", height: "18", "aria-hidden": "true" });
    shape("path", icon, {});
    draw(element, name);
    element.addEventListener("click", action);
    return element;
  }

  function draw(element, name) {
    const path = element.querySelector("path");
    path.setAttribute("d", ICONS[name]);
    path.setAttribute("class", name === "play" ? "sg-solid" : "");
  }

  // answers.js

  function start(host) {
    const picture = host.querySelector("img");
    const rows = [...host.querySelectorAll("tbody tr")];
    const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
    const { svg, nodes, edges } = readPicture();
    const count = texts.length, forward = nodes.length;
    if (!picture || count !== forward + data.back.length) return;
    host.setAttribute("data-live", "");
    const still = host.querySelector(".sg-still");
    if (still) still.remove();
    // The page that `save` wrote is its stepper's own: its address names the step, and ?embed is for frames on slides.
    const own = document.body.classList.contains("sg-page") && document.querySelector("[data-scalargrad]") === host;
    const embedded = own && new URLSearchParams(location.search).has("embed");
    if (embedded) document.body.classList.add("sg-embed");

    // ---------------------------------------------------------------- elements
    const live = make("div", "sg-live" + (embedded ? " sg-full" : ""), null, {
      role: "group", tabindex: "0", "data-lm-suppress-shortcuts": "true",
      "aria-label": host.dataset.title + ": left and right arrow keys step, Home and End jump, Space plays and pauses, " +
        "plus and minus zoom, 0 fits, F fills the screen, G guesses first, S changes the speed",
      "aria-keyshortcuts": "ArrowLeft ArrowRight Home End Space + - 0 F G S",
    });
    const bar = make("div", "sg-bar", live);
    const buttons = make("div", "sg-buttons", bar);
    const first = button("first", "First step (Home)", buttons, () => go(0));
    const previous = button("previous", "Previous step (←)", buttons, back);
    const play = button("play", "Play (Space)", buttons, toggle);
    const next = button("next", "Next step (→)", buttons, ahead);
    const last = button("last", "Last step (End)", buttons, () => go(count - 1));
    const track = make("div", "sg-track", bar);
    const slider = make("input", "sg-slider", track, { type: "range", min: "1", max: String(count), "aria-label": "Step" });
    const lengths = make("div", "sg-parts", track, { "aria-hidden": "true" });
    make("span", "sg-part-forward", lengths).style.flexGrow = String(forward);
    make("span", "sg-part-backward", lengths).style.flexGrow = String(count - forward);
    const place = make("div", "sg-place", bar);
    const phase = make("span", "sg-phase", place);
    const number = make("span", "sg-number", place);
    const words = make("div", "sg-words", live);
    const equation = make("p", "sg-equation", words, { "aria-live": "polite", "aria-atomic": "true" });
    const why = make("p", "sg-why", words);
    const ask = make("div", "sg-ask", words, { hidden: "" });
    const label = make("label", "sg-question", ask);
    const question = make("span", "", label);
    const answer = make("input", "sg-answer", label,
      { type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", maxlength: "40" });
    const check = make("button", "sg-button sg-wide", ask, { type: "button" });
    check.textContent = "Check";
    const verdict = make("p", "sg-verdict", words, { role: "status" });
    const frame = make("div", "sg-frame", live);
    const view = make("div", "sg-view", frame);
    view.append(svg);
    for (const side of ["up", "down"]) make("span", "sg-" + side, frame, { "aria-hidden": "true" });
    const foot = make("div", "sg-foot", live);
    const legend = make("div", "sg-legend", foot);
    const tools = make("div", "sg-tools", foot);
    const guess = make("button", "sg-button sg-wide", tools,
      { type: "button", "aria-pressed": "false", title: "Guess each gradient before it is shown (G)" });
    guess.textContent = "Guess first";
    const pace = make("button", "sg-button sg-wide", tools, { type: "button", title: "Speed (S)" });
    button("out", "Zoom out (−)", tools, () => zoomTo(scale / 1.25));
    button("fit", "Fit the whole graph (0)", tools, () => zoomTo("fit"));
    button("in", "Zoom in (+)", tools, () => zoomTo(scale * 1.25));
    const full = button("full", "Fill the screen (F)", tools, fill);
    writeLegend();

    const width = Number(svg.getAttribute("width")) + 2 * EDGE, height = Number(svg.getAttribute("height")) + 2 * EDGE;
    svg.setAttribute("viewBox", [-EDGE, -EDGE, width, height].join(" "));
    const faces = nodes.map(({ group }) => {
      const [x, y, w, h] = ["x", "y", "width", "height"].map((k) => Number([...group.querySelectorAll("rect")].pop().getAttribute(k)));
      return { x, y, w, h, left: x + EDGE, top: y + EDGE, right: x + w + EDGE, bottom: y + h + EDGE };
    });
    const marks = shape("g", svg, { class: "sg-marks", "aria-hidden": "true" });

    // ---------------------------------------------------------------- state
    let now = 0, timer = 0, moving = 0, speed = 1, settled = null;
    let zoom = "auto", scale = 1; // 'auto': all of it where that is readable; 'fit': all of it; else a scale
    let guessing = false, asked = false, tries = 0;
    const judged = new Map();
    const gentle = window.matchMedia("(prefers-reduced-motion: reduce)");

    function go(step) {
      pause();
      show(Math.min(Math.max(step, 0), count - 1));
    }

    function back() { go(now - 1); }

    // On to the next step; where it is to be guessed first to its question, and from there to its answer.
    function ahead() {
      pause();
      advance();
    }

    function advance() {
      if (asked) show(now, false, true);
      else if (now < count - 1) show(now + 1, guessing && guessable(now + 1), true);
      if (asked) pause();
    }

    function guessable(step) { return step >= forward && data.guesses[step - forward] !== null; }

    function toggle() {
      if (timer) return pause();
      if (now === count - 1) show(0);
      timer = window.setInterval(() => {
        if (!host.isConnected || now === count - 1) pause();
        else advance();
        if (now === count - 1) pause();
      }, PAUSE / speed);
      mark("pause", "Pause (Space)");
    }

    function pause() {
      if (!timer) return;
      window.clearInterval(timer);
      timer = 0;
      mark("play", "Play (Space)");
    }

    function mark(name, text) {
      draw(play, name);
      play.setAttribute("aria-label", text);
      play.title = text;
    }

    function setSpeed(value) {
      speed = value;
      pace.textContent = speed + "×";
      pace.setAttribute("aria-label", "Speed " + speed + "×");
      if (timer) { pause(); toggle(); }
    }

    // The card's value is computed in one step, its gradient complete in another: a second click leads to the other.
    function jump(i) {
      const complete = data.back.reduce((found, [node], step) => (node === i ? forward + step : found), i);
      const wanted = now < forward ? [i, complete] : [complete, i];
      go(now === wanted[0] ? wanted[1] : wanted[0]);
    }

    function show(step, hidden, moves) {
      rows[now].removeAttribute("aria-current");
      now = step;
      asked = Boolean(hidden);
      rows[now].setAttribute("aria-current", "step");
      const name = texts[now][1];
      const [node, , source, used] = now < forward ? [now, "", null, []] : data.back[now - forward];
      const current = new Set(now < forward ? data.heads.flatMap((head, i) => (head === now ? [i] : [])) : used);
      const sums = new Map(), touched = new Set();
      for (const [n, text, , along] of data.back.slice(0, Math.max(0, now - forward + (asked ? 0 : 1)))) {
        sums.set(n, text);
        for (const i of along) touched.add(i);
      }
      nodes.forEach((card, i) => {
        const known = i <= now;
        const value = known ? card.final : NOTHING, gradient = sums.get(i) || NOTHING;
        card.value.textContent = value;
        if (!card.constant) card.gradient.textContent = gradient;
        card.title.textContent = card.about + (known ? "; value " + value : "; not computed yet") +
          (sums.has(i) ? "; gradient " + gradient.replace(/^\S+ /, "") : "");
        card.group.setAttribute("aria-label", card.title.textContent);
        card.group.classList.toggle("sg-pale", !known);
        card.group.classList.toggle("sg-now", i === node);
        card.group.classList.toggle("sg-source", i === source);
        card.group.classList.toggle("sg-bad", /nan|inf/.test(value + gradient));
      });
      reach(nodes.some((card) => card.group === document.activeElement) ? null : node);
      edges.forEach((edge, i) => {
        edge.group.classList.toggle("sg-now", current.has(i));
        edge.group.classList.toggle("sg-quiet", !touched.has(i));
        edge.group.classList.toggle("sg-silent", !touched.has(i));
      });
      live.dataset.phase = name;
      live.toggleAttribute("data-asked", asked);
      phase.textContent = name;
      number.textContent = now + 1 + " / " + count;
      write(equation, now);
      why.textContent = texts[now][3];
      const said = asked ? pose() : texts[now][2];
      for (const element of [equation, why]) element.hidden = asked;
      ask.hidden = !asked;
      if (!asked) verdict.textContent = now === count - 1 && judged.size ? score() : "";
      slider.value = String(now + 1);
      slider.setAttribute("aria-valuetext", "step " + (now + 1) + " of " + count + ", " + name + ": " + said);
      for (const element of [first, previous]) element.setAttribute("aria-disabled", String(now === 0));
      for (const element of [next, last]) element.setAttribute("aria-disabled", String(now === count - 1 && !asked));
      fitView();
      flow(node, source, used, moves);
      if (own) address();
    }

    // The equation; the factors of the chain rule in it look as they do in the graph.
    function write(element, step) {
      if (step < forward) { element.textContent = texts[step][2]; return; }
      element.replaceChildren(...data.parts[step - forward].map(([kind, text]) => {
        const span = document.createElement("span");
        if (kind !== "plain") span.className = "sg-" + kind;
        span.textContent = text;
        return span;
      }));
    }

    // ---------------------------------------------------------------- the flow of a step in the graph

    // Around a text, as it is drawn now.
    function chip(text, kind) {
      const box = text.getBBox();
      if (!box.width) return;
      shape("rect", marks, { class: "sg-mark-" + kind, x: box.x - 3, y: box.y - 0.5, width: box.width + 6, height: box.height + 1, rx: 4 });
    }

    function flow(node, source, used, moves) {
      if (moving) {
        window.cancelAnimationFrame(moving);
        moving = 0;
      }
      settled = view.clientWidth ? null : () => flow(node, source, used); // nothing can be measured while it is hidden
      marks.replaceChildren();
      if (now < forward || !view.clientWidth) return;
      const factors = new Map(data.parts[now - forward].filter(([kind]) => FACTORS.includes(kind)).reverse()); // each first
      const ways = source === null ? [] : used.map((i) => backward(edges[i]));
      if (asked) return void pill("?", resting(node));
      if (source === null) return;
      if (factors.has("upstream")) chip(nodes[source].gradient, "upstream");
      for (const i of used) if (factors.has("local") && edges[i].label) chip(edges[i].label, "local");
      if (!/\d|inf|nan/.test(factors.get("contribution"))) return; // nothing is handed on
      const [head] = marks.querySelectorAll(".sg-head"), [hx, hy] = head ? head.getAttribute("points").split(" ")[0].split(",").map(Number) : [0, 0];
      const end = resting(node, head && { x: hx, y: hy }), dot = pill(factors.get("contribution"), end);
      if (!moves || gentle.matches || !ways.length) return;
      // The number travels first and is added when it has arrived.
      const [gradient, after] = [nodes[node].gradient, nodes[node].gradient.textContent];
      const earlier = data.back.slice(0, now - forward).filter(([n]) => n === node).pop();
      const begun = performance.now(), way = ways[0], long = way.getTotalLength();
      gradient.textContent = earlier ? earlier[1] : NOTHING;
      const step = (time) => {
        const t = Math.min(Math.max((time - begun) / (TRAVEL / speed), 0), 1), along = way.getPointAtLength(long * Math.min(t / 0.85, 1));
        const rest = Math.max(0, (t - 0.85) / 0.15);
        put(dot, { x: along.x + (end.x - along.x) * rest, y: along.y + (end.y - along.y) * rest }, end.larger);
        if (t < 1) { moving = window.requestAnimationFrame(step); return; }
        gradient.textContent = after;
        moving = 0;
      };
      step(begun);
    }

    // Hangs from the lower border of the card to whose gradient it is added, beside the arrow if that comes from below.
    function resting(node, arrow) {
      const { x, y, w, h } = faces[node], middle = x + w / 2, below = arrow && Math.abs(arrow.y - y - h) < 6;
      return { x: below ? arrow.x : middle, y: y + h + 5, side: below ? (arrow.x > middle ? -1 : 1) : 0 };
    }

    // The edge from its result back to its operand, with an arrowhead there, in the edge's own colour.
    function backward(edge) {
      const path = edge.group.querySelector("path"), polygon = edge.group.querySelector("polygon");
      const tip = polygon ? polygon.getAttribute("points").split(" ")[0].split(",").map(Number) : null;
      const long = path.getTotalLength(), from = Math.min(10, long / 2);
      const at = (n) => { const p = path.getPointAtLength(n); return [p.x, p.y]; };
      const points = Array.from({ length: 33 }, (_, i) => at(long - ((long - from) * i) / 32));
      if (tip) points.unshift(tip);
      const color = asked ? "edge-0" : path.getAttribute("class").split(" ").find((name) => name.startsWith("s-")).slice(2);
      const way = shape("path", marks, { class: "sg-way s-" + color, d: "M" + points.map((p) => p.join(" ")).join("L"), fill: "none" });
      const [x, y] = at(0), [fx, fy] = at(from), dx = (x - fx) * 0.6, dy = (y - fy) * 0.6;
      shape("polygon", marks, { class: "sg-head f-" + color, points: [[x, y], [fx - dy, fy + dx], [fx + dy, fy - dx]].map((p) => p.join(",")).join(" ") });
      return way;
    }

    function put(dot, { x, y }, larger) { dot.setAttribute("transform", `translate(${x} ${y}) scale(${larger})`); }

    function pill(text, end) {
      const dot = shape("g", marks, { class: "sg-dot" });
      const words = shape("text", dot, { "text-anchor": "middle", y: "4" });
      words.textContent = text;
      const wide = Math.max(words.getBBox().width + 10, 16);
      const back = shape("rect", dot, { class: "sg-mark-contribution", x: -wide / 2, y: -8, width: wide, height: 16, rx: 8 });
      dot.prepend(back);
      end.larger = Math.min(Math.max(0.85 / scale, 1), 1.7); // read even where the picture is small
      end.x += end.side * ((wide * end.larger) / 2 + 8);
      put(dot, end, end.larger);
      return dot;
    }

    function writeLegend() {
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

    // ---------------------------------------------------------------- guessing first

    function pose() {
      const [target] = data.guesses[now - forward];
      const text = "What is " + target + " after this step?";
      question.textContent = text + " ";
      answer.value = "";
      verdict.textContent = "";
      verdict.className = "sg-verdict";
      tries = 0;
      return text;
    }

    // The numbers are those of worksheets: an answer is right at the precision that is shown, a mistake is recognised by
    // what it would give.
    function judge() {
      if (!asked) return;
      const [, right, wrong, near, close, general] = data.guesses[now - forward];
      const given = numberIn(answer.value);
      const say = (text, kind) => {
        verdict.textContent = text;
        verdict.className = "sg-verdict sg-" + kind;
      };
      if (given !== null && isNaN(given))
        return say(answer.value.trim() ? "That is not a number: write −0.3932, 0,5, 1/3 or 1e-7." : "Type a number, or go on with →.", "wrong");
      const good = agrees(given, right), step = now;
      if (!judged.has(step)) judged.set(step, good);
      tries += 1;
      if (good) {
        const text = tries === 1 ? "Right." : "Right now.";
        show(now, false, true);
        say(text + (now === count - 1 ? " " + score() : ""), "right");
        live.focus({ preventScroll: true });
        return;
      }
      const found = wrong.find(([, ...mistake]) => agrees(given, mistake));
      const hint = found ? found[0] : agrees(given, near) ? close : general;
      say("Not yet: " + data.hints[hint], "wrong");
    }

    function score() {
      return [...judged.values()].filter(Boolean).length + " of " + judged.size + " right at the first try.";
    }

    function setGuessing(value) {
      guessing = value;
      guess.setAttribute("aria-pressed", String(guessing));
      if (!guessing && asked) show(now);
      verdict.textContent = guessing && !asked ? "Before each backward step you will be asked for the gradient; → shows it." : "";
      verdict.className = "sg-verdict";
    }

    // ---------------------------------------------------------------- size and place

    function zoomTo(value) {
      zoom = value === "fit" ? "fit" : Math.min(Math.max(value, 0.2), 4);
      fitView();
    }

    function filled() { return live.classList.contains("sg-full"); }

    // How high the view may be so that controls, equation and picture are seen at once.
    function room() {
      if (filled()) return frame.clientHeight;
      const top = live.getBoundingClientRect().top + window.scrollY;
      const above = own && top < window.innerHeight / 3 ? top : 0;
      const free = window.innerHeight - above - 12, high = free - (live.offsetHeight - frame.offsetHeight);
      // On a low screen the legend and the tools are below the fold, but never the picture.
      return high > 210 ? high : Math.max(130, Math.min(210, free - frame.offsetTop));
    }

    function fitView() {
      const wide = view.clientWidth, high = room();
      if (!wide) return;
      const fit = Math.min((wide - 1) / width, high / height);
      const whole = Math.min(fit, filled() ? 5 : LARGEST);
      const card = data.back[now - forward];
      const group = now < forward ? [now] : [card[0], ...(card[2] === null ? [] : [card[2]])];
      const left = Math.min(...group.map((i) => faces[i].left)), right = Math.max(...group.map((i) => faces[i].right));
      const top = Math.min(...group.map((i) => faces[i].top)), bottom = Math.max(...group.map((i) => faces[i].bottom));
      scale = zoom;
      if (zoom === "fit" || (zoom === "auto" && whole >= (embedded ? 0.5 : filled() ? 0.9 : wide < 600 ? 0.62 : 0.3))) scale = whole;
      else if (zoom === "auto") {
        // Not readable as a whole: the cards of the step, large enough to be read.
        const both = Math.min((wide - 24) / (right - left), (high - 24) / (bottom - top));
        scale = Math.max(Math.min(filled() ? 1.6 : 0.95, both), 0.55);
      }
      svg.style.width = width * scale + "px";
      svg.style.height = height * scale + "px";
      view.style.height = filled() ? "100%" : Math.ceil(Math.min(height * scale, high)) + "px";
      follow(group, { left, right, top, bottom });
      cues();
    }

    // At once and inside the view only: the page stays where it is, and no key comes while the picture still moves.
    function follow(group, box) {
      const place = (low, high, size, at) => {
        let from = box[low] * scale, to = box[high] * scale;
        if (to - from > size - 8) [from, to] = [faces[group[0]][low] * scale, faces[group[0]][high] * scale];
        return from < at + 8 || to > at + size - 8 ? (from + to) / 2 - size / 2 : at;
      };
      const left = place("left", "right", view.clientWidth, view.scrollLeft);
      const top = place("top", "bottom", view.clientHeight, view.scrollTop);
      if (left !== view.scrollLeft || top !== view.scrollTop) view.scrollTo({ left, top, behavior: "instant" });
    }

    function cues() {
      const more = [];
      if (view.scrollLeft > 2) more.push("left");
      if (view.scrollLeft + view.clientWidth < view.scrollWidth - 2) more.push("right");
      if (view.scrollTop > 2) more.push("top");
      if (view.scrollTop + view.clientHeight < view.scrollHeight - 2) more.push("bottom");
      frame.dataset.more = more.join(" ");
    }

    // Room for the longest texts, so that the picture does not jump up and down.
    function makeRoom() {
      const longest = (column) => texts.reduce((most, row, i) => (row[column].length > texts[most][column].length ? i : most), 0);
      words.style.minHeight = "";
      const [shown, hidden] = [equation.hidden, ask.hidden];
      equation.removeAttribute("aria-live");
      [equation.hidden, why.hidden, ask.hidden] = [false, false, true];
      write(equation, longest(2));
      why.textContent = texts[longest(3)][3];
      const size = words.getBoundingClientRect().height;
      write(equation, now);
      why.textContent = texts[now][3];
      [equation.hidden, why.hidden, ask.hidden] = [shown, shown, hidden];
      equation.setAttribute("aria-live", "polite");
      words.style.minHeight = Math.ceil(size) + "px";
    }

    function arrange() {
      makeRoom();
      fitView();
    }

    // ---------------------------------------------------------------- the whole screen

    function fill() {
      if (embedded && !document.fullscreenEnabled) return;
      if (document.fullscreenElement === live) return void document.exitFullscreen();
      if (!embedded && filled()) return setFilled(false);
      const done = document.fullscreenEnabled && live.requestFullscreen ? live.requestFullscreen() : Promise.reject();
      Promise.resolve(done).catch(() => setFilled(true)); // a frame may not be allowed to: the window is filled then
    }

    function setFilled(value) {
      live.classList.toggle("sg-full", value || embedded);
      full.setAttribute("aria-pressed", String(value));
      arrange();
      live.focus({ preventScroll: true });
    }

    // ---------------------------------------------------------------- the address of a step

    function address() {
      if (location.hash === "#step=" + (now + 1) || (now === 0 && !location.hash)) return;
      try {
        history.replaceState(history.state, "", "#step=" + (now + 1));
      } catch { /* a frame without an address of its own */ }
    }

    function fromAddress() {
      const found = location.hash.match(/^#step=(\d{1,6})$/);
      return found ? Math.min(Math.max(Number(found[1]), 1), count) - 1 : null;
    }

    // ---------------------------------------------------------------- events

    function reach(i) {
      if (i === null) return;
      nodes.forEach((card, n) => card.group.setAttribute("tabindex", n === i ? "0" : "-1"));
    }

    nodes.forEach((card, i) => {
      card.group.setAttribute("role", "button");
      card.group.addEventListener("click", () => { reach(i); jump(i); });
    });

    const keys = {
      ArrowLeft: back, ArrowRight: ahead, Home: () => go(0), End: () => go(count - 1), " ": toggle,
      "+": () => zoomTo(scale * 1.25), "=": () => zoomTo(scale * 1.25), "-": () => zoomTo(scale / 1.25), 0: () => zoomTo("fit"),
      PageDown: ahead, PageUp: back, // the buttons of a presenter's remote
      f: fill, g: () => setGuessing(!guessing), s: faster,
    };

    function faster() { setSpeed(SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length]); }

    function keyOf(event) {
      if (event.key.startsWith("Page") && !filled()) return null; // they scroll the page
      if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return null;
      if (event.shiftKey && event.key.length > 1) return null;
      return Object.hasOwn(keys, event.key.toLowerCase()) ? event.key.toLowerCase() : Object.hasOwn(keys, event.key) ? event.key : null;
    }

    live.addEventListener("keydown", (event) => {
      const card = nodes.findIndex(({ group }) => group === event.target);
      const used = () => { event.preventDefault(); event.stopPropagation(); };
      if (event.target === answer) {
        if (event.key === "Enter") { used(); judge(); }
        if (event.key === "Escape") { used(); live.focus({ preventScroll: true }); }
        return;
      }
      if (event.key === "Escape" && filled() && !embedded && document.fullscreenElement !== live) { used(); setFilled(false); return; }
      if (card >= 0 && (event.key === "Enter" || event.key === " ")) { used(); jump(card); return; }
      if (card >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        used();
        const other = (card + (event.key === "ArrowDown" ? 1 : nodes.length - 1)) % nodes.length;
        reach(other);
        nodes[other].group.focus({ preventScroll: true });
        follow([other], faces[other]);
        return;
      }
      const key = keyOf(event);
      if (key === null || (key === " " && event.target.closest("button"))) return;
      used();
      keys[key]();
    });

    // Where it is the only one, arrow keys need no click; on its own page no key does. What else takes keys keeps them.
    document.addEventListener("keydown", (event) => {
      const target = event.target instanceof Element ? event.target : document.body;
      if (!host.isConnected || event.defaultPrevented || live.contains(target) || target.closest(EDITABLE)) return;
      if (document.querySelectorAll("[data-scalargrad][data-live]").length > 1) return;
      const key = keyOf(event), arrow = key === "arrowleft" || key === "ArrowLeft" || key === "ArrowRight";
      const free = target === document.body || target === document.documentElement;
      const box = live.getBoundingClientRect();
      const seen = box.bottom > 0 && box.top < window.innerHeight;
      if (key === null || (own ? !(arrow || free) : !(arrow && free && seen && !document.querySelector(JUPYTER + ", .reveal")))) return;
      event.preventDefault();
      keys[key]();
    });

    slider.addEventListener("input", () => go(Number(slider.value) - 1));
    check.addEventListener("click", judge);
    guess.addEventListener("click", () => setGuessing(!guessing));
    pace.addEventListener("click", faster);
    view.addEventListener("scroll", cues, { passive: true });
    document.addEventListener("fullscreenchange", () => {
      const inside = document.fullscreenElement === live;
      if (inside || (filled() && !embedded)) setFilled(inside);
      else if (embedded) arrange();
    });
    if (own) window.addEventListener("hashchange", () => { const step = fromAddress(); if (step !== null && step !== now) go(step); });
    const details = host.querySelector("details");
    let opened = details.open;
    window.addEventListener("beforeprint", () => { opened = details.open; details.open = true; });
    window.addEventListener("afterprint", () => { details.open = opened; });
    picture.hidden = true;
    picture.before(live);
    setSpeed(1);
    arrange();
    let seenWidth = live.clientWidth;
    if (window.ResizeObserver)
      new ResizeObserver(() => {
        const wide = live.clientWidth, change = wide - seenWidth;
        if (!change || (change > 0 && change < 20 && !filled())) return; // a scrollbar that comes and goes with the height
        seenWidth = wide;
        arrange();
        if (settled) settled();
      }).observe(live);
    window.addEventListener("resize", () => { if (host.isConnected) arrange(); });
    show((own && fromAddress()) || 0);
  }

  adopt();
  // Whichever copy of this script runs first brings every copy of its trace to life.
  document.querySelectorAll('[data-scalargrad="' + data.key + '"]:not([data-live])').forEach(start);
})
