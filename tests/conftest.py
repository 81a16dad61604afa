"""Set up for every test: the same pinned kernels as the stages."""

import lab.determinism  # noqa: F401 - before numpy
