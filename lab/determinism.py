"""Pin what would make numbers depend on the machine; import this before numpy.

BLAS and numpy choose kernels by processor and split sums by thread count, and both change the last bits of a sum. The
values below hold every x86-64-v3 processor to the same kernels.
"""

import os
import platform
import sys

if "numpy" in sys.modules:
    raise RuntimeError(
        "found numpy already imported, expected lab.determinism to come first, in "
        f"{sys.argv[0] or 'an interactive session'}. Cure: put `import lab.determinism` above every other import."
    )

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # no byte depends on it, but threads that spin starve a busy machine
if platform.machine() in {"x86_64", "AMD64"}:
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"
    os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"
