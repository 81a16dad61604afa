"""`python -m benchmarks.serving_rivals.bare PORT`: our server without its metrics, to see what these cost."""

import os
import sys

from lab.core.cpu_kernels import PINNED

os.environ.update(PINNED | {"OMP_NUM_THREADS": "1"})

import uvicorn
from fastapi import FastAPI

from serving.app import create_application
from serving.metrics import Metrics, RequestCounter


class Silent(Metrics):
    """Metrics that count no rows."""

    def count_rows(self, *_: object) -> None:
        """Do nothing."""


def create_bare() -> FastAPI:
    """Return the application without the layer that counts requests."""
    application = create_application()
    application.state.metrics = Silent()
    application.user_middleware = [
        layer for layer in application.user_middleware if getattr(layer.cls, "__name__", "") != RequestCounter.__name__
    ]
    return application


if __name__ == "__main__":
    uvicorn.run(
        "benchmarks.serving_rivals.bare:create_bare",
        factory=True,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
    )
