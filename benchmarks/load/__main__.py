"""Load test a prediction server at a fixed request rate (open loop), and print latencies.

Use it before a release, to size a deployment, or to compare two versions. A closed-loop client waits for each response
before it sends the next request, so a slow server gets fewer requests and its queue stays invisible. Here requests are
due at random moments (a seeded Poisson process) and are sent then. When they arrive faster than the server responds,
they queue. The output has three rows of milliseconds:

  latency   from when a request was due: what a user waits, including the queue
  service   from when it was sent; if latency is much larger, requests queued before they were sent
  late      from due to sent: the client's own delay; if it is large, this machine or --connections is the limit

Request bodies follow the server's OpenAPI document (its example, varied), or repeat rows of its prediction log.

  python -m benchmarks.load --rate 200 --seconds 30
  python -m benchmarks.load --rate 20 --rows 1000 --log served/log/predictions-0-000001.jsonl --json

Raise --rate until the p99 latency exceeds what you can promise. LAB_API_KEY is sent if it is set.
Exit codes: 0 all responses are 2xx; 1 some are not; 2 a mistake in the command.
"""

import argparse
import asyncio
import ipaddress
import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.load.arrivals import poisson_arrivals
from benchmarks.load.bodies import MANY, ONE, bodies, rows_of_log, rows_of_openapi
from benchmarks.load.client import Target, load
from benchmarks.load.outcomes import Outcome, summary, to_text

DIFFERENT_ROWS = 1000


def main(arguments: list[str]) -> int:
    """Send requests as the arguments say, print the summary, and return the exit code."""
    parser = parser_of_arguments()
    asked = parser.parse_args(arguments)
    if not (asked.elsewhere or _is_here(asked.address)):
        parser.error(f"{asked.address} is another machine. Add --elsewhere to load it.")
    try:
        outcomes = asyncio.run(_load(asked))
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"{asked.address} does not respond: {error!r}. Is the server running? make serve")
    found = summary([each for each in outcomes if each.due >= asked.warm_up], seconds=asked.seconds)
    print(json.dumps(found, indent=2) if asked.json else to_text(found))
    return 1 if found["failed"] else 0


def parser_of_arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000", help="server address [%(default)s]")
    parser.add_argument("--rate", type=_positive, default=50.0, help="requests due in a second [%(default)s]")
    parser.add_argument("--seconds", type=_positive, default=10.0, help="how long [%(default)s]")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds of warm-up, not counted [%(default)s]")
    parser.add_argument("--rows", type=int, help=f"send so many rows a request to {MANY}; default: one row to {ONE}")
    parser.add_argument("--log", type=Path, help="JSON lines with rows to send, such as the prediction log")
    parser.add_argument("--connections", type=int, default=256, help="most connections at once [%(default)s]")
    parser.add_argument("--wait", type=_positive, default=10.0, help="timeout of a request in seconds [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="random seed of times and values [%(default)s]")
    parser.add_argument("--elsewhere", action="store_true", help="allow a server on another machine")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    return parser


async def _load(asked: Any) -> list[Outcome]:
    key = os.environ.get("LAB_API_KEY")
    headers = {"X-API-Key": key} if key else {}
    rows = rows_of_log(asked.log) if asked.log else _rows_of(asked.address, headers, seed=asked.seed)
    target = Target(asked.address, MANY if asked.rows else ONE, headers, asked.connections, asked.wait)
    arrivals = poisson_arrivals(rate=asked.rate, seconds=asked.warm_up + asked.seconds, seed=asked.seed)
    return await load(target, arrivals, bodies(rows, rows_each=asked.rows))


def _rows_of(address: str, headers: dict[str, str], *, seed: int) -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{address.rstrip('/')}/openapi.json", headers=headers)  # noqa: S310 - as it was given
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return rows_of_openapi(json.load(answer), count=DIFFERENT_ROWS, seed=seed)


def _is_here(address: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text}, expected more than 0")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
