"""Ask a server at a steady rate, whether or not it keeps up, and tell how long answers took.

For what a server takes in practice: before a release, for sizes and limits, or to compare two versions. Most clients
wait for an answer before they ask again, so a slow server is asked less, and its queue never shows. People do not wait
for one another: here requests are due at random moments (Poisson, by a seed) and are sent then. Where they come faster
than they are answered they stand in a queue, which grows as long as that lasts; near the limit it does so at times by
chance alone. Three rows of milliseconds are told:

  latency   from when a request was due: what a person waits, the queue included
  service   from when it was sent: where latency is far more, requests stood in a queue before they went out
  late      from due to sent: the client's own delay; where it is large, this machine or --connections was the limit

Bodies follow the server's OpenAPI (its example, varied, if it has one), or are rows of its prediction log.

  python -m deploy.load --rate 200 --seconds 30
  python -m deploy.load --rate 20 --rows 1000 --log served/log/predictions-0-000001.jsonl --json

Raise --rate until p99 of the latency is no longer what you can promise. LAB_API_KEY is sent where it is set.
Exit codes: 0 every request was answered with 2xx; 1 some were not; 2 a mistake in the command.
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

from deploy.load.arrivals import poisson_arrivals
from deploy.load.bodies import MANY, ONE, bodies, rows_of_log, rows_of_openapi
from deploy.load.client import Target, load
from deploy.load.outcomes import Outcome, summary, told

DIFFERENT_ROWS = 1000


def main(arguments: list[str]) -> int:
    """Ask as the arguments say, print what came of it, and return the exit code."""
    parser = parser_of_arguments()
    asked = parser.parse_args(arguments)
    if not (asked.elsewhere or _is_here(asked.address)):
        parser.error(f"{asked.address} is another machine; --elsewhere says that it may be put under load.")
    try:
        outcomes = asyncio.run(_load(asked))
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"{asked.address} could not be asked: {error!r}. Is it served? make serve")
    found = summary([each for each in outcomes if each.due >= asked.warm_up], seconds=asked.seconds)
    print(json.dumps(found, indent=2) if asked.json else told(found))  # noqa: T201 - the result
    return 1 if found["failed"] else 0


def parser_of_arguments() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000", help="of the server [%(default)s]")
    parser.add_argument("--rate", type=_positive, default=50.0, help="requests due in a second [%(default)s]")
    parser.add_argument("--seconds", type=_positive, default=10.0, help="how long [%(default)s]")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that, not counted [%(default)s]")
    parser.add_argument("--rows", type=int, help=f"ask {MANY} for so many rows at once; without it, {ONE}")
    parser.add_argument("--log", type=Path, help="JSON lines with rows to ask about, such as the prediction log's")
    parser.add_argument("--connections", type=int, default=256, help="the most at once [%(default)s]")
    parser.add_argument("--wait", type=_positive, default=10.0, help="seconds until a request fails [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="of moments and values [%(default)s]")
    parser.add_argument("--elsewhere", action="store_true", help="the server may be another machine")
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
