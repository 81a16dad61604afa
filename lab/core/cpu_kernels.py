"""The settings of the environment that hold every x86-64-v3 processor to the same kernels and sums."""

import platform

PINNED = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "OMP_WAIT_POLICY": "PASSIVE",  # no byte depends on it, but threads that spin starve a busy machine
}
if platform.machine() in {"x86_64", "AMD64"}:
    PINNED |= {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
