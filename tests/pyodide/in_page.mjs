// Runs a Python file in Pyodide and prints the text that it is worth: node in_page.mjs PYODIDE ARCHIVE FILE
// ARCHIVE has all that Python imports there; nothing is loaded from elsewhere.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, archive, file] = process.argv.slice(2);
try {
  const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
  const pyodide = await loadPyodide();
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
  pyodide.unpackArchive(new Uint8Array(readFileSync(archive)), "gztar", { extractDir });
  process.stdout.write(pyodide.runPython(readFileSync(file, "utf-8")));
} catch (error) {
  console.error(error.stack); // Node alone would print the line of Pyodide's source first, which is all of it
  process.exitCode = 1;
}
