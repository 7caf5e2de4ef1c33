// The page of the playground: finds its Python, asks which views there are, and shows a tab for each.
// The page says where that is: at the server that sent it, which wants the token in the address's fragment, or in a worker.
import { graphView, http, make, remembered, worker } from "./live.js";

const VIEWS = {
  graph: ["Expression", () => graphView],
  network: ["Network", async () => (await import("./network.js")).networkView],
};

const place = document.querySelector("#views"), tabs = document.querySelector(".lv-tabs");

function button(text, parent, attributes) {
  return make("button", "lv-tab", parent, { type: "button", ...attributes }, text);
}

function say(text) {
  const line = document.createElement("p");
  line.className = "lv-waiting";
  line.setAttribute("role", "alert");
  line.textContent = text;
  place.replaceChildren(line);
}

// What the address of a page with its own Python asks for: #f=tanh(w*x+b)&x=2 an expression, and numbers for its inputs;
// #view=network a tab.
function asked() {
  const given = {};
  for (const part of location.hash.slice(1).split("&")) {
    const [name, text] = part.split(/=(.*)/s);
    if (!text) continue;
    try { given[name] = decodeURIComponent(text); } catch { given[name] = text; } // a % of the expression's own
  }
  const { f, view, ...inputs } = given;
  return { view, start: f ? { expression: f, inputs } : {} };
}

// Whoever has begun to step through the picture that is there before Python goes on until they want the live one.
function steppedEnough() {
  const stepper = document.querySelector("#stepper");
  if (!stepper || document.activeElement !== stepper) return Promise.resolve();
  const line = place.querySelector(".lv-waiting");
  line.textContent = "Python is ready. ";
  return new Promise((resolve) => button("Make it live", line).addEventListener("click", resolve));
}

async function begin() {
  const local = document.querySelector('meta[name="scalargrad"]').content === "server", kept = local && remembered();
  if (local && !kept) return say("This page is opened by its whole address, which the program that serves it has written.");
  const engine = local ? http(kept) : worker("./worker.js");
  engine.loading = (text) => { place.querySelector(".lv-waiting").textContent = text + " …"; };
  await engine.ready;
  await steppedEnough();
  const { views, error } = await engine.ask({ do: "views" });
  if (error) return say(error);
  place.replaceChildren();
  const shown = new Map();

  async function show(name) {
    for (const tab of tabs.children) {
      const mine = tab.dataset.view === name;
      tab.setAttribute("aria-selected", String(mine));
      tab.tabIndex = mine ? 0 : -1;
    }
    if (!shown.has(name)) {
      const panel = document.createElement("section");
      panel.id = "view-" + name;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", "tab-" + name);
      place.append(panel);
      shown.set(name, { panel });
      const begun = await VIEWS[name][1]();
      shown.get(name).view = begun(panel, engine, name === "graph" && !local ? asked().start : {});
    }
    for (const [other, { panel, view }] of shown) {
      panel.hidden = other !== name;
      const told = other === name ? view && view.shown : view && view.hidden;
      if (told) told();
    }
  }

  const names = views.filter((name) => Object.hasOwn(VIEWS, name));
  for (const name of names) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.className = "lv-tab";
    tab.dataset.view = name;
    tab.id = "tab-" + name;
    tab.textContent = VIEWS[name][0];
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "view-" + name);
    tab.addEventListener("click", () => show(name));
    tabs.append(tab);
  }
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = names.indexOf(document.activeElement.dataset.view);
    const name = names[(now + step + names.length) % names.length];
    show(name);
    tabs.children[names.indexOf(name)].focus();
  });
  tabs.hidden = names.length < 2;
  const first = local ? "" : asked().view;
  await show(names.includes(first) ? first : names[0]);
  if (!local) share(shown, show, names);
}

// A page that anybody can open has an address for each expression; one with a token has none that would be of use.
function share(shown, show, names) {
  const graph = () => shown.has("graph") && shown.get("graph").view;
  window.addEventListener("hashchange", async () => {
    const { view, start } = asked(), before = graph();
    await show(names.includes(view) ? view : names[0]);
    if (before && start.expression) before.open(start);
  });
  const title = "Copy a link that opens this expression with these numbers";
  const link = button("Copy link", document.querySelector(".lv-head"), { title, "aria-live": "polite" });
  link.classList.add("lv-link");
  link.addEventListener("click", async () => {
    const now = [...shown.keys()].find((name) => !shown.get(name).panel.hidden);
    history.replaceState(null, "", now === "graph" ? graph().address : "#view=" + now);
    let text = "Copied";
    try { await navigator.clipboard.writeText(location.href); } catch { text = "The address of this page is the link"; }
    link.textContent = text;
    window.setTimeout(() => { link.textContent = "Copy link"; }, 2500);
  });
}

begin().catch((error) => say("The playground could not start: " + error.message));
