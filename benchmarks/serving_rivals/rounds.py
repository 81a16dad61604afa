"""Send requests to all contenders round by round, so that noise affects all."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving_rivals.asking import Asked, closed_loop
from benchmarks.serving_rivals.contenders import Contender, contenders
from benchmarks.serving_rivals.models import Prepared
from benchmarks.serving_rivals.servers import Running, running

ROWS_AT_ONCE = 1000
SEVERAL = 16
ONE, MANY, TOGETHER = "one row", "1,000 rows", "one row, 16 connections"


@dataclass(frozen=True)
class Plan:
    """How long is asked: so many starts, then rounds in which each way of asking takes so many seconds."""

    starts: int
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Seen:
    """What was seen of one contender; each list has one value a start, or one a round."""

    start_seconds: list[float] = field(default_factory=list)
    start_cpu_seconds: list[float] = field(default_factory=list)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    server_cpu_seconds: dict[str, list[float]] = field(default_factory=dict)
    resident_megabytes: list[float] = field(default_factory=list)
    proportional_megabytes: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Bodies:
    """The requests of one contender."""

    one: Sequence[bytes]
    many: Sequence[bytes]


def bodies_of(contender: Contender, prepared: Prepared) -> Bodies:
    """Return a request for each row, and one for the first thousand of them."""
    form = contender.form
    rows = prepared.rows(switches=form.switches)
    return Bodies([form.request_for_one(row) for row in rows], [form.request_for_many(rows[:ROWS_AT_ONCE])])


def compared(prepared: Prepared, folder: Path, plan: Plan) -> dict[str, Seen]:
    """Return what was seen of every contender: their starts first, then the rounds with all of them up."""
    found = contenders(prepared, folder)
    asked = {each.name: bodies_of(each, prepared) for each in found}
    seen = {each.name: Seen() for each in found}
    _start_again(found, asked, seen, plan.starts)
    with ExitStack() as stack:
        servers = [stack.enter_context(running(each, asked[each.name].one[0])) for each in found]
        for number in range(plan.rounds + 1):
            _say(f"{prepared.name}: round {number} of {plan.rounds}" if number else f"{prepared.name}: warming up")
            for server in _turned(servers, number):
                _round(server, asked[server.contender.name], seen[server.contender.name], plan.seconds, number)
    return seen


def _start_again(found: Sequence[Contender], asked: dict[str, Bodies], seen: dict[str, Seen], starts: int) -> None:
    """Start and stop each in turn; the first time is not counted, for it writes byte code and fills caches."""
    for number in range(starts + 1):
        _say(f"start {number} of {starts}")
        for each in found:
            with running(each, asked[each.name].one[0]) as server:
                if number:
                    seen[each.name].start_seconds.append(server.start_seconds)
                    seen[each.name].start_cpu_seconds.append(server.start_cpu_seconds)


def _round(server: Running, bodies: Bodies, seen: Seen, seconds: float, number: int) -> None:
    """Ask in each way; round 0 warms up, and memory is looked at after it."""
    ways = ((ONE, bodies.one, 1), (MANY, bodies.many, 1), (TOGETHER, bodies.one, SEVERAL))
    for name, requests, connections in ways:
        before = server.cpu_seconds()
        asked = closed_loop(server.port, requests, seconds=seconds, connections=connections)
        if number:
            seen.asked.setdefault(name, []).append(asked)
            seen.server_cpu_seconds.setdefault(name, []).append(server.cpu_seconds() - before)
    resident, proportional = server.megabytes()
    seen.resident_megabytes.append(resident)
    seen.proportional_megabytes.append(proportional)


def _turned(servers: Sequence[Running], number: int) -> Iterator[Running]:
    """Yield the servers, beginning with another one each round."""
    start = number % len(servers)
    yield from servers[start:]
    yield from servers[:start]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
