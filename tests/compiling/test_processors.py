"""Machine code for processors with shorter vectors, or none that fuse, passes the tests that this machine's passes."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from compiling_helpers import needs_llvm
from sizes import has_full_size, size

from scalargrad.compiling.llvm import processor

pytestmark = needs_llvm
LIBRARY = import_module("scalargrad.compiling.llvm.library")
HERE = Path(__file__).parent
CORE = ("test_dense_layers.py", "test_equality.py", "test_long_programs.py", "test_poles.py", "test_uniform.py")
"""What is run with every processor; at full size it is all tests of compiling."""
FEW = "written_by_hand or as_they_were_written or any_number_of_samples or second_derivatives or become_runs or masks"
SEEN = """
from scalargrad.compiling.llvm import library
from scalargrad.compiling.llvm.blocks import dense
from scalargrad.compiling.llvm.blocks.records import tile

t = tile()
text = "\\n".join([dense.dense(t, 4), dense.outer(t), *dense.declarations(t)])
code = library._target(2).emit_assembly(library._binding().parse_assembly(text))
print(t.width, t.quick, *(word for word in ("xmm", "ymm", "zmm", "vfmadd") if word in code))
"""


def can_be(name):
    """Whether this machine runs code for the processor."""
    features = LIBRARY._binding().get_host_cpu_features()
    return all(features.get(feature) for feature in processor.OLDER[name])


def run(name, *command):
    """A process that writes code for the processor, with an empty cache of its own."""
    environment = {**os.environ, processor.VARIABLE: name, "SCALARGRAD_CACHE": "off"}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(params=list(processor.OLDER))
def older(request):
    if not can_be(request.param):
        pytest.skip(f"this machine is no {request.param}")
    return request.param


def test_code_has_the_registers_of_the_processor(older):
    expected = {"x86-64": "2 False xmm", "x86-64-v3": "4 True xmm ymm vfmadd"}
    code, seen, error = run(older, "-c", SEEN)
    assert (code, seen.strip()) == (0, expected[older]), error


@has_full_size
def test_the_tests_of_compiling_pass(older):
    files = size([str(HERE / name) for name in CORE], [str(HERE), f"--ignore={__file__}"])
    chosen = size(["-k", FEW], [])
    code, report, error = run(older, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, *files)
    assert code == 0, report + error


def test_a_processor_that_this_machine_is_not_is_refused():
    code, _, error = run("z80", "-c", "import scalargrad; scalargrad.compile(lambda x: x * x, backend='llvm')(2.0)")
    assert code != 0
    assert "SCALARGRAD_CPU must be native or one of x86-64, x86-64-v3, not 'z80'" in error

    class Binding:
        def get_host_cpu_features(self):
            return {"sse2": True, "avx": True}

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(processor.VARIABLE, "x86-64-v3")
        with pytest.raises(ValueError, match="this machine has no avx2, fma, bmi.* Unset it, or set it to native"):
            processor.processor(Binding())
