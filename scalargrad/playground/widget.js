// The playground as a notebook's widget; `graphView`, `networkView`, `comm` and `make` stand above in the same module.

const VIEWS = { graph: graphView, network: networkView };
const SILENCE = 3000; // ms without an answer after which it is said that there is none

// An engine that says below the views when Python does not answer, and stops saying so when it does.
function heard(engine, line) {
  let unanswered = 0, timer = 0;
  const say = () => {
    line.textContent = "Python does not answer: another cell is running, or the kernel has ended. Run this cell again then.";
  };
  return {
    ...engine,
    async ask(message) {
      unanswered++;
      window.clearTimeout(timer);
      timer = window.setTimeout(say, SILENCE);
      const reply = await engine.ask(message);
      window.clearTimeout(timer);
      line.textContent = "";
      if (--unanswered) timer = window.setTimeout(say, SILENCE);
      return reply;
    },
  };
}

async function begin(engine, el, key, made) {
  // Without a kernel there is no answer, nothing is shown here, and the still output before this one stays.
  const { views, error } = await engine.ask({ do: "views" });
  const root = make("div", "lv-widget", el);
  if (/^[0-9a-f]+$/.test(key)) make("style", "", root, {}, `[data-sg-still="${key}"] { display: none; }`);
  if (error) return void make("p", "lv-trouble", root, { role: "alert" }, error);
  const engineOfViews = heard(engine, make("p", "lv-silence", root, { role: "status" }));
  for (const name of views.filter((known) => Object.hasOwn(VIEWS, known))) {
    made.push(VIEWS[name](make("div", "", root), engineOfViews, {}));
  }
}

export default {
  render({ model, el }) {
    // Keys belong to the graph here; a notebook would take 0 0 for "restart" and d d for "delete the cell". Ctrl-S and
    // Shift-Enter mean there what they mean everywhere.
    el.addEventListener("keydown", (event) => {
      const notebooks = event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter");
      if (!notebooks) event.stopPropagation();
    });
    const made = [];
    begin(comm(model), el, model.get("key"), made);
    return () => { for (const view of made) if (view.destroy) view.destroy(); };
  },
};
