"""Select the same numeric kernels on every machine; import this before numpy.

BLAS and numpy choose kernels by processor and split sums by thread count. Both change the last bits of a sum.
A stage also starts to watch the DVC that runs it, here, because this is what it imports first.
"""

import os
import sys

from lab.core.cpu_kernels import PINNED
from lab.core.end_with_parent import end_with_parent

if "numpy" in sys.modules and not PINNED.items() <= os.environ.items():
    raise RuntimeError(
        "numpy is already imported with other kernels, expected lab.core.determinism first, in "
        f"{sys.argv[0] or 'an interactive session'}. Cure: put `import lab.core.determinism` above every other import."
    )

os.environ.update(PINNED)
if "DVC_STAGE" in os.environ:
    end_with_parent()

if __name__ == "__main__":
    # python -m lab.core.determinism COMMAND …: the same kernels for another program, such as a cluster worker.
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the user's own
