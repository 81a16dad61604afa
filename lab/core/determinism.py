"""Pin what would make numbers depend on the machine; import this before numpy.

BLAS and numpy choose kernels by processor and split sums by thread count, and both change the last bits of a sum. The
values below hold every x86-64-v3 processor to the same kernels.
"""

import os
import sys

from lab.core.cpu_kernels import PINNED

if "numpy" in sys.modules:
    raise RuntimeError(
        "found numpy already imported, expected lab.core.determinism to come first, in "
        f"{sys.argv[0] or 'an interactive session'}. Cure: put `import lab.core.determinism` above every other import."
    )

os.environ.update(PINNED)

if __name__ == "__main__":
    # python -m lab.core.determinism COMMAND …: the same kernels for another program, such as a worker of a cluster.
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the user's own
