"""Environment variables that select the same numeric kernels on every x86-64-v3 processor."""

import platform

PINNED = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "OMP_WAIT_POLICY": "PASSIVE",  # results do not depend on it; spinning threads slow a busy machine
}
if platform.machine() in {"x86_64", "AMD64"}:
    PINNED |= {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
