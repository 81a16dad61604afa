"""Load test with Locust's web page; request bodies follow the server's OpenAPI document.

From the root of the repository: python -m locust --locustfile benchmarks/load/locustfile.py --host http://127.0.0.1:8000
Its users wait for their answers, so it cannot show how a queue grows; `python -m benchmarks.load` can.
"""

import os
from collections.abc import Iterator

from locust import FastHttpUser, constant_pacing, task  # type: ignore[import-not-found]  # people install it

from benchmarks.load.bodies import MANY, ONE, bodies, rows_of_openapi

ROWS_OF_A_BATCH = 100


class User(FastHttpUser):  # type: ignore[misc]  # its types are unknown without it
    """A user who sends one request a second: mostly one row, sometimes a hundred."""

    wait_time = constant_pacing(1)
    one: Iterator[bytes]
    many: Iterator[bytes]

    def on_start(self) -> None:
        """Read the server's OpenAPI document."""
        key = os.environ.get("LAB_API_KEY")
        self.headers = {"Content-Type": "application/json", **({"X-API-Key": key} if key else {})}
        rows = rows_of_openapi(self.client.get("/openapi.json", headers=self.headers).json(), count=1000, seed=0)
        self.one, self.many = bodies(rows), bodies(rows, rows_each=ROWS_OF_A_BATCH)

    @task(20)  # type: ignore[untyped-decorator]
    def predict(self) -> None:
        """Send one row."""
        self.client.post(ONE, data=next(self.one), headers=self.headers)

    @task(1)  # type: ignore[untyped-decorator]
    def predict_batch(self) -> None:
        """Send a hundred rows."""
        self.client.post(MANY, data=next(self.many), headers=self.headers)
