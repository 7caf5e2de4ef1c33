(function scalargradStepper(data) {
  "use strict";
  // Turns the picture and table of one trace into a stepper. `data` has: key, css and its digest look, svg (whose numbers
  // are the final ones: each step puts in what is known by then), heads of the edges, and for each step after the forward
  // ones [node, gradient text, source, its edges].
  // Texts are read from the table and the picture; whatever comes from there goes in as textContent only.

  const SVG = "http://www.w3.org/2000/svg";
  const PAUSE = 1400;
  const NOTHING = "·";
  const ICONS = {
    first: "M6 5v14M19 5l-8 7 8 7", previous: "M15.5 5l-8 7 8 7", next: "M8.5 5l8 7-8 7", last: "M18 5v14M5 5l8 7-8 7",
    play: "M7 4.5v15l12-7.5z", pause: "M8 5v14M16 5v14",
  };

  function make(tag, classes, parent, attributes) {
    const element = document.createElement(tag);
    element.className = classes;
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    if (parent) parent.append(element);
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
      const [, kind, number] = group.id.match(/-([a-z])(\d+)$/);
      const texts = [...group.querySelectorAll("text")];
      if (kind === "n") {
        const title = group.querySelector("title");
        nodes[number] = { group, texts, title, about: title.textContent, value: texts[1].textContent,
          constant: !texts[2].classList.contains("f-gradient") };
      } else if (kind === "e") {
        edges[number] = { group };
        if (texts[0] && texts[0].textContent === "×1") texts[0].classList.add("sg-one");
      }
    }
    svg.setAttribute("aria-label", svg.querySelector("title").textContent);
    svg.removeAttribute("aria-labelledby");
    svg.querySelector("title").remove();
    svg.querySelector("desc").remove();
    for (const element of [svg, ...svg.querySelectorAll("[id]")]) element.removeAttribute("id");
    return { svg, nodes, edges };
  }

  function button(name, label, parent, action) {
    const element = make("button", "sg-button", parent, { type: "button", "aria-label": label, title: label });
    const icon = document.createElementNS(SVG, "svg");
    for (const [key, value] of [["viewBox", "0 0 24 24"], ["width", "18"], ["height", "18"], ["aria-hidden", "true"]])
      icon.setAttribute(key, value);
    icon.append(document.createElementNS(SVG, "path"));
    element.append(icon);
    draw(element, name);
    element.addEventListener("click", action);
    return element;
  }

  function draw(element, name) {
    const path = element.querySelector("path");
    path.setAttribute("d", ICONS[name]);
    path.setAttribute("class", name === "play" ? "sg-solid" : "");
  }

  function start(host) {
    const picture = host.querySelector("img");
    const rows = [...host.querySelectorAll("tbody tr")];
    const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
    const { svg, nodes, edges } = readPicture();
    const count = texts.length, forward = nodes.length;
    if (!picture || count !== forward + data.back.length) return;
    host.setAttribute("data-live", "");

    // ---------------------------------------------------------------- elements
    const live = make("div", "sg-live", null, {
      role: "group", tabindex: "0", "data-lm-suppress-shortcuts": "true",
      "aria-label": host.dataset.title + ": left and right arrow keys step, Home and End jump, Space plays and pauses",
      "aria-keyshortcuts": "ArrowLeft ArrowRight Home End Space",
    });
    const bar = make("div", "sg-bar", live);
    const buttons = make("div", "sg-buttons", bar);
    const first = button("first", "First step (Home)", buttons, () => go(0));
    const previous = button("previous", "Previous step (←)", buttons, () => go(now - 1));
    const play = button("play", "Play (Space)", buttons, toggle);
    const next = button("next", "Next step (→)", buttons, () => go(now + 1));
    const last = button("last", "Last step (End)", buttons, () => go(count - 1));
    const track = make("div", "sg-track", bar);
    const slider = make("input", "sg-slider", track, { type: "range", min: "1", max: String(count), "aria-label": "Step" });
    const parts = make("div", "sg-parts", track, { "aria-hidden": "true" });
    make("span", "sg-part-forward", parts).style.flexGrow = String(forward);
    make("span", "sg-part-backward", parts).style.flexGrow = String(count - forward);
    const place = make("div", "sg-place", bar);
    const phase = make("span", "sg-phase", place);
    const number = make("span", "sg-number", place);
    const words = make("div", "sg-words", live);
    const equation = make("p", "sg-equation", words, { "aria-live": "polite", "aria-atomic": "true" });
    const why = make("p", "sg-why", words);
    const view = make("div", "sg-view", live);
    view.append(svg);
    const width = Number(svg.getAttribute("width"));
    svg.style.maxWidth = width * 1.25 + "px"; // grows and shrinks a little to fit, then scrolls
    svg.style.minWidth = width * 0.8 + "px";

    // ---------------------------------------------------------------- state
    let now = 0, timer = 0;
    const gentle = window.matchMedia("(prefers-reduced-motion: reduce)");

    function go(step) {
      pause();
      show(Math.min(Math.max(step, 0), count - 1));
    }

    function toggle() {
      if (timer) return pause();
      if (now === count - 1) show(0);
      timer = window.setInterval(() => {
        if (!host.isConnected || now === count - 1) pause();
        else show(now + 1);
        if (now === count - 1) pause();
      }, PAUSE);
      mark("pause", "Pause (Space)");
    }

    function pause() {
      if (!timer) return;
      window.clearInterval(timer);
      timer = 0;
      mark("play", "Play (Space)");
    }

    function mark(name, label) {
      draw(play, name);
      play.setAttribute("aria-label", label);
      play.title = label;
    }

    function show(step) {
      rows[now].removeAttribute("aria-current");
      now = step;
      rows[now].setAttribute("aria-current", "step");
      const name = texts[now][1];
      const [node, , source, used] = now < forward ? [now, "", null, []] : data.back[now - forward];
      const current = new Set(now < forward ? data.heads.flatMap((head, i) => (head === now ? [i] : [])) : used);
      const sums = new Map(), touched = new Set();
      for (const [n, text, , along] of data.back.slice(0, Math.max(0, now - forward + 1))) {
        sums.set(n, text);
        for (const i of along) touched.add(i);
      }
      nodes.forEach((card, i) => {
        const known = i <= now;
        const value = known ? card.value : NOTHING, gradient = sums.get(i) || NOTHING;
        card.texts[1].textContent = value;
        if (!card.constant) card.texts[2].textContent = gradient;
        card.title.textContent = card.about + (known ? "; value " + value : "; not computed yet") +
          (sums.has(i) ? "; gradient " + gradient.slice(2) : "");
        card.group.classList.toggle("sg-pale", !known);
        card.group.classList.toggle("sg-now", i === node);
        card.group.classList.toggle("sg-source", i === source);
        card.group.classList.toggle("sg-bad", /nan|inf/.test(value + gradient));
      });
      edges.forEach((edge, i) => {
        edge.group.classList.toggle("sg-now", current.has(i));
        edge.group.classList.toggle("sg-quiet", !touched.has(i) && !current.has(i));
        edge.group.classList.toggle("sg-silent", !touched.has(i));
      });
      live.dataset.phase = name;
      phase.textContent = name;
      number.textContent = now + 1 + " / " + count;
      equation.textContent = texts[now][2];
      why.textContent = texts[now][3];
      slider.value = String(now + 1);
      slider.setAttribute("aria-valuetext", "step " + (now + 1) + " of " + count + ", " + name + ": " + texts[now][2]);
      for (const element of [first, previous]) element.setAttribute("aria-disabled", String(now === 0));
      for (const element of [next, last]) element.setAttribute("aria-disabled", String(now === count - 1));
      follow([node, source].filter((i) => i !== null).map((i) => nodes[i].group));
    }

    // Scrolls inside the view only, and only if something of the step is hidden: the page itself stays where it is.
    function follow(groups) {
      const frame = view.getBoundingClientRect();
      const faces = groups.map((group) => group.getBoundingClientRect());
      const shift = (low, high, size) => {
        let from = Math.min(...faces.map((face) => face[low])), to = Math.max(...faces.map((face) => face[high]));
        if (to - from > size - 24) [from, to] = [faces[0][low], faces[0][high]];
        const hidden = from < frame[low] + 8 || to > frame[low] + size - 8;
        return hidden ? (from + to) / 2 - frame[low] - size / 2 : 0;
      };
      const left = shift("left", "right", view.clientWidth), top = shift("top", "bottom", view.clientHeight);
      if (left || top) view.scrollBy({ left, top, behavior: gentle.matches ? "auto" : "smooth" });
    }

    // Room for the longest texts, so that the picture does not jump up and down.
    function makeRoom() {
      const longest = (column) => texts.reduce((long, row) => (row[column].length > long.length ? row[column] : long), "");
      words.style.minHeight = "";
      [equation.textContent, why.textContent] = [longest(2), longest(3)];
      equation.removeAttribute("aria-live");
      const height = words.getBoundingClientRect().height;
      [equation.textContent, why.textContent] = [texts[now][2], texts[now][3]];
      equation.setAttribute("aria-live", "polite");
      words.style.minHeight = Math.ceil(height) + "px";
    }

    // ---------------------------------------------------------------- events
    slider.addEventListener("input", () => go(Number(slider.value) - 1));
    live.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const inside = event.target.closest("button");
      const actions = {
        ArrowLeft: () => go(now - 1), ArrowRight: () => go(now + 1), Home: () => go(0), End: () => go(count - 1),
        " ": inside ? null : toggle,
      };
      if (actions[event.key]) {
        event.preventDefault();
        event.stopPropagation();
        actions[event.key]();
      }
    });
    const details = host.querySelector("details");
    let opened = details.open;
    window.addEventListener("beforeprint", () => { opened = details.open; details.open = true; });
    window.addEventListener("afterprint", () => { details.open = opened; });
    picture.hidden = true;
    picture.before(live);
    if (window.ResizeObserver) {
      let before = 0;
      new ResizeObserver(() => {
        if (live.clientWidth !== before) makeRoom();
        before = live.clientWidth;
      }).observe(live);
    }
    makeRoom();
    show(0);
  }

  adopt();
  // Whichever copy of this script runs first brings every copy of its trace to life.
  document.querySelectorAll('[data-scalargrad="' + data.key + '"]:not([data-live])').forEach(start);
})
