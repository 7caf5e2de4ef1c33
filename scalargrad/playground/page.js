// The page of the playground: finds its Python, asks which views there are, and shows a tab for each.
// The page says where that is: at the server that sent it, which wants the token in the address's fragment, or in a worker.
import { graphView, http, remembered, worker } from "./live.js";

const VIEWS = {
  graph: ["Expression", () => graphView],
  network: ["Network", async () => (await import("./network.js")).networkView],
};

const place = document.querySelector("#views"), tabs = document.querySelector(".lv-tabs");

function say(text) {
  const line = document.createElement("p");
  line.className = "lv-waiting";
  line.setAttribute("role", "alert");
  line.textContent = text;
  place.replaceChildren(line);
}

async function begin() {
  const local = document.querySelector('meta[name="scalargrad"]').content === "server", kept = local && remembered();
  if (local && !kept) return say("This page is opened by its whole address, which the program that serves it has written.");
  const engine = local ? http(kept) : worker("./worker.js");
  await engine.ready;
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
      const make = await VIEWS[name][1]();
      shown.get(name).view = make(panel, engine, {});
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
  await show(names[0]);
}

begin().catch((error) => say("The playground could not start: " + error.message));
