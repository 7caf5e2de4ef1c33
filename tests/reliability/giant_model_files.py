"""Loads hostile model files of many megabytes, each in a process of its own, and measures time and memory.

    python tests/reliability/giant_model_files.py 64

Prints a JSON object: for each file the seconds, the megabytes beyond those of the process before, and the reason of the
error, null if there was none. POSIX only: it forks.
"""

import gzip
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from capabilities import peak_kilobytes

from scalargrad import nn

HEAD = b'{"format": "scalargrad-model", "version": 1, "state": {"w.0": '


def contents(size):
    """Each as (name, function that gives the content): they are made one at a time."""
    yield "spaces", lambda: b" " * 3 * size
    yield "spaces in front", lambda: b" " * size + HEAD + b"1}}"
    yield "one number", lambda: HEAD + b"1" * size + b"}}"
    yield "decimals", lambda: HEAD + b"0." + b"1" * size + b"}}"
    yield "an exponent", lambda: HEAD + b"1e" + b"9" * size + b"}}"
    yield "one string", lambda: HEAD + b'"' + b"x" * size + b'"}}'
    yield "escapes", lambda: HEAD + b'"' + rb"\u0041" * (size // 6) + b'"}}'
    yield "one name", lambda: b'{"' + b"x" * size + b'": 1}'
    yield "brackets", lambda: b"[" * size
    yield "objects", lambda: b'{"a":' * (size // 5)
    yield "a list", lambda: HEAD + b"[" + b"0," * (size // 2) + b"0]}}"
    yield "names", lambda: HEAD + b"1" + b"".join(b',"%d":0' % i for i in range(size // 13)) + b"}}"
    yield (
        "names, not one too many",
        lambda: HEAD + b"1" + b"".join(b',"%d":0' % i for i in range(min(size // 13, 1_199_990))) + b"}}",
    )
    yield "a list, not one too long", lambda: HEAD + b"[" + b"0," * min(size // 2, 1_199_990) + b"0]}}"
    yield "quotes", lambda: b'"' * size
    yield "backslashes", lambda: b"\\" * size
    yield "zeros", lambda: bytes(size)
    yield "gzip", lambda: gzip.compress(bytes(size), compresslevel=1)


def measured(path):
    """Seconds, megabytes and the reason, in a child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        before, start = peak_kilobytes(), time.process_time()
        reason = None
        try:
            nn.load(path, nn.Neuron(1))
        except nn.ModelFileError as error:
            reason = error.reason[:200]
        seconds = time.process_time() - start
        memory = (peak_kilobytes() - before) / 1024
        os.write(writing, json.dumps([seconds, memory, reason]).encode())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    return json.loads(os.read(reading, 10_000))


def main(megabytes):
    """Measure them all."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "giant.json")
        for name, content in contents(megabytes * 2**20 - 1000):
            path.write_bytes(content())
            found[name] = measured(path)
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
