(function scalargradSheet(data) {
  "use strict";
  // Makes fields of the questions of one worksheet. `data` has: key, css and its digest look, leeway, how far off an
  // answer may be, salt, and in `sealed` what is said of an answer, under a digest of its number and its place; what that
  // holds is scrambled by the number, so that nothing can be read that was not answered.
  // All texts go in as textContent only.

  // answers.js

  function adopt() {
    const mark = Symbol.for("scalargrad-sheet-" + data.look);
    if (document[mark]) return;
    document[mark] = true;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(data.css);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }

  function make(tag, classes, parent, text, attributes) {
    const element = document.createElement(tag);
    element.className = classes;
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  }

  // FNV-1a, as fields.py has it.
  function digest(text, start) {
    let hash = start >>> 0;
    for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash;
  }

  // What is said under this name; null if nothing is.
  function unsealed(name) {
    const place = data.salt + name;
    const tag = digest(place, 0x811c9dc5).toString(16).padStart(8, "0") + digest(place, 0x2f0b4c47).toString(16).padStart(8, "0");
    const found = Object.hasOwn(data.sealed, tag) ? data.sealed[tag] : null;
    if (found === null) return null;
    const bytes = Uint8Array.from(atob(found), (c) => c.charCodeAt(0));
    let state = digest(place, 0x5bd1e995) || 1;
    for (let i = 0; i < bytes.length; i++) {
      state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
      bytes[i] ^= state & 255;
    }
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  // The cells that a number lies in: steps of 0.0001; steps of 0.01 % for very small and large ones, of 2 % for hints.
  function cells(number) {
    if (number === null || !isFinite(number)) return ["n" + number];
    const size = Math.log(Math.abs(number)), sign = number < 0 ? "-" : "+";
    const found = ["a" + Math.floor(number * 1e4 + 0.5)];
    if (number) found.push("b" + sign + Math.floor(size * 1e4 + 0.5), "c" + sign + Math.floor(size * 50 + 0.5));
    return found;
  }

  // [whether it is right, the hint]
  function judged(blank, number) {
    const found = cells(number).flatMap((cell) => unsealed(blank + cell) || [])
      .filter(([, , ...close]) => number === null || !isFinite(number) || agrees(number, close)).sort((x, y) => x[0] - y[0]);
    return found.length ? [found[0][1] === "", found[0][1]] : [false, unsealed(blank + "otherwise")[0][1]];
  }

  function start(host) {
    const asked = host.querySelector(".sg-asked");
    if (!asked) return;
    const questions = [...asked.querySelectorAll("code")].map((code) => code.textContent);
    const signs = [...asked.querySelectorAll("strong")].map((strong) => strong.textContent);
    const longest = Math.max(...questions.map((question) => question.length));
    host.setAttribute("data-live", "");
    const form = document.createElement("form");
    form.className = "sg-form";
    const rows = questions.map((question, i) => {
      const row = make("div", "sg-row", form);
      const label = make("label", "", row);
      make("b", "", label, signs[i]);
      make("code", "", label, question + " =").style.minWidth = Math.min(longest + 2, 18) + "ch";
      const input = make("input", "", label, "", { type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false" });
      const verdict = make("span", "sg-verdict", row, "", { role: "status" });
      return { input, verdict, state: "open" };
    });
    const foot = make("div", "sg-foot", form);
    make("button", "", foot, "Check", { type: "submit" });
    const score = make("span", "sg-score", foot, "", { role: "status" });

    function judge(i) {
      const { input, verdict } = rows[i], text = input.value.trim();
      const say = (state, words) => {
        rows[i].state = state;
        verdict.className = "sg-verdict sg-" + state;
        if (verdict.textContent !== words) verdict.textContent = words;
      };
      input.removeAttribute("aria-invalid");
      if (!text) return say("open", "");
      const number = numberIn(text);
      let right = false, words = "That is not a number: write −7.125, 0,5, 1/3 or 1e-7.";
      if (number === null || !isNaN(number)) {
        const [good, hint] = judged(i + 1, number);
        right = good;
        words = good ? "✓ right" : "not yet: " + hint;
      }
      if (!right) input.setAttribute("aria-invalid", "true");
      say(right ? "right" : "wrong", words);
    }

    function sum() {
      const count = (state) => rows.filter((row) => row.state === state).length;
      const open = count("open");
      score.textContent = count("right") + " of " + rows.length + " right" + (open ? ", " + open + " open" : "");
    }

    rows.forEach(({ input }, i) => {
      // Enter judges this one answer and goes on where it is right; keys of the notebook do not see what is typed.
      input.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        judge(i);
        sum();
        if (rows[i].state === "right" && rows[i + 1]) rows[i + 1].input.focus();
      });
      input.addEventListener("input", () => {
        rows[i].state = "open";
        rows[i].verdict.textContent = "";
        input.removeAttribute("aria-invalid");
      });
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      rows.forEach((_, i) => judge(i));
      sum();
    });
    asked.hidden = true;
    asked.after(form);
  }

  adopt();
  // Whichever copy of this script runs first brings every copy of its sheet to life.
  document.querySelectorAll('[data-scalargrad="' + data.key + '"]:not([data-live])').forEach(start);
})
