// Runs pytest in Pyodide: node run.mjs PYODIDE WHEELS CHECKOUT [argument of pytest ...]
// PYODIDE is the folder of the npm package, WHEELS holds everything that Python needs; nothing is loaded from elsewhere.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [folder, wheels, checkout, ...options] = process.argv.slice(2);
const inside = join(dirname(fileURLToPath(import.meta.url)), "inside.py");
try {
  const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
  const pyodide = await loadPyodide();
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
  for (const wheel of readdirSync(wheels)) {
    pyodide.unpackArchive(new Uint8Array(readFileSync(join(wheels, wheel))), "wheel", { extractDir });
  }
  pyodide.mountNodeFS("/checkout", checkout);
  pyodide.globals.set("options", pyodide.toPy(options));
  process.exitCode = pyodide.runPython(readFileSync(inside, "utf-8"));
} catch (error) {
  console.error(error.stack); // Node alone would print the line of Pyodide's source first, which is all of it
  process.exitCode = 1;
}
