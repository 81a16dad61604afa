"""The benchmark of serving counts whole answers, ratios and slopes with their intervals."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from scipy import signal, stats

from benchmarks.serving_rivals.asking import AnswerError, answers_to, closed_loop
from benchmarks.serving_rivals.forms import request_bytes
from benchmarks.serving_rivals.intervals import ratio_of, slope_of

pytestmark = pytest.mark.slow

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"score":1}'
REQUEST = request_bytes("/predict", {"amount": 1.0})


@contextmanager
def answering(answer: bytes, *, cut_at: int = 20) -> Iterator[tuple[int, list[bytes]]]:
    """Yield a port whose server gives one answer to every request, in two parts, and the requests that came."""
    came: list[bytes] = []

    def serve(client: socket.socket) -> None:
        with client:
            while request := client.recv(65_536):
                came.append(request)
                client.sendall(answer[:cut_at])
                client.sendall(answer[cut_at:])

    def take(server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        taking = threading.Thread(target=take, args=(server,), daemon=True)
        taking.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
        taking.join()


@pytest.mark.parametrize("connections", [1, 4])
def test_every_request_that_is_sent_is_answered_and_counted_once(connections: int) -> None:
    with answering(ANSWER) as (port, came):
        asked = closed_loop(port, [REQUEST], seconds=0.05, connections=connections)
    assert len(asked.latencies) == len(came) >= connections
    assert asked.per_second == len(came) / asked.seconds


def test_answers_come_in_the_order_of_their_requests() -> None:
    requests = [request_bytes("/predict", {"amount": amount}) for amount in (1.0, 2.0)]
    with answering(ANSWER) as (port, came):
        assert list(answers_to(port, requests)) == [{"score": 1}, {"score": 1}]
    assert came == requests


def test_an_answer_that_is_no_200_ends_the_measurement() -> None:
    with (
        answering(ANSWER.replace(b"200 OK", b"503 No")) as (port, _),
        pytest.raises(AnswerError, match="expected the answer 200"),
    ):
        closed_loop(port, [REQUEST], seconds=0.05)


def test_a_ratio_and_its_interval_are_student_s_on_the_logarithms() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.uniform(1, 2, 8), rng.uniform(1, 2, 8)
    logs = np.log(ours / theirs)
    interval = stats.ttest_1samp(logs, 0).confidence_interval()
    expected = np.exp([logs.mean(), interval.low, interval.high])
    assert ratio_of(ours.tolist(), theirs.tolist()) == pytest.approx(expected)


def test_a_slope_of_independent_residuals_has_the_interval_of_a_fitted_line() -> None:
    moments = np.arange(400.0)
    values = 3 + 0.5 * moments + np.where(np.arange(400) % 2, 1.0, -1.0)  # their correlation is below 0
    line = stats.linregress(moments, values)
    half = stats.t.ppf(0.975, 398) * line.stderr
    expected = (line.slope, line.slope - half, line.slope + half)
    assert slope_of(moments.tolist(), values.tolist()) == pytest.approx(expected)


def test_steps_of_chance_seldom_pass_for_a_slope_while_a_plain_line_takes_them_for_one() -> None:
    rng, found, plain = np.random.default_rng(3), 0, 0
    moments = np.arange(600.0).tolist()
    for _ in range(200):
        values = signal.lfilter([1], [1, -0.9], rng.normal(size=600)).tolist()
        _, low, high = slope_of(moments, values)
        found += not low <= 0 <= high
        plain += bool(stats.linregress(moments, values).pvalue < 0.05)
    assert found <= 24
    assert plain >= 80
