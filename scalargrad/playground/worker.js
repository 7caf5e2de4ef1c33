// Python in a worker, with everything from the folder in which this file lies: Pyodide, and one archive of what it imports.
// Posts {loading: text} while it starts, {ready: true} or {error: text} once, then a reply's JSON for each message's.
const from = (name) => new URL(name, import.meta.url);

async function bytes(name) {
  const found = await fetch(from(name));
  if (!found.ok) throw new Error(`${name} could not be loaded (${found.status})`);
  return found.arrayBuffer();
}

try {
  postMessage({ loading: "Python is loading, once, some 8 MB; until it is there, step through this graph" });
  const archive = bytes("python.tar.gz"); // while Python starts
  archive.catch(() => {}); // it is awaited below
  const { loadPyodide } = await import("./pyodide/pyodide.mjs");
  const python = await loadPyodide({ indexURL: from("pyodide/").href });
  postMessage({ loading: "Python is starting" });
  const extractDir = python.runPython("import site; site.getsitepackages()[0]");
  python.unpackArchive(await archive, "gztar", { extractDir });
  const answer = python.pyimport("scalargrad.playground.in_worker").answering();
  onmessage = (event) => postMessage(answer(event.data));
  postMessage({ ready: true });
} catch (error) {
  postMessage({ error: String((error && error.message) || error) });
}
