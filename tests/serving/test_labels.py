"""Labels are taken for known predictions, from known senders, and contradictions are counted."""

import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from lab.drift.json_lines import blocks_of
from lab.drift.labels import labels_in
from serving.app import create_application
from serving.identifiers import KEY_FILE, Identifiers
from serving.label_index import INDEX, LabelIndex
from serving.settings import Settings
from tests.serving.asking import numbers_in, wait_until
from tests.serving.served import COLUMNS, ROWS, model_folder
from tests.serving.test_log import lines_in

KEYS = {"crm": SecretStr("key of the crm"), "survey": SecretStr("key of the survey")}
API_KEY = SecretStr("key of the clients")


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("served") / "champion")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def client(champion: Path, log: Path) -> Iterator[TestClient]:
    with TestClient(create_application(Settings(champion=champion, log=log))) as opened:
        yield opened


def predicted(client: TestClient, *, key: SecretStr | None = None) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/predict/batch", json={"columns": COLUMNS}, headers=header(key)).json()
    return found


def header(key: SecretStr | None) -> dict[str, str]:
    return {} if key is None else {"X-API-Key": key.get_secret_value()}


def numbers(client: TestClient, *, key: SecretStr | None = None) -> dict[str, float]:
    found = numbers_in(client.get("/metrics", headers=header(key)).text)
    return {name: value for name, value in found.items() if name.startswith("lab_labels_")}


def feedback(client: TestClient, identifier: str, label: bool, *, key: SecretStr | None = None) -> Any:
    return client.post("/feedback", json={"id": identifier, "label": label}, headers=header(key))


def changed_ids(identifier: str) -> list[str]:
    request, place, tag = identifier.split("-")
    other = place[:-1] + ("n" if place.endswith("p") else "p")
    return [
        "never issued",
        "é-0p-é",
        f"{request}-{other}-{tag}",
        f"{request}-999p-{tag}",
        f"{request}-{place}-{tag[:-1]}",
        f"{request}-{place}-{'0' * 12}",
        f"{'0' * 32}-{place}-{tag}",
    ]


def test_a_label_of_an_unknown_prediction_is_refused_and_counted(client: TestClient, log: Path) -> None:
    identifier = client.post("/predict", json={"features": ROWS[0]}).json()["id"]
    unknown = changed_ids(identifier)
    for each in unknown:
        answer = feedback(client, each, True)
        assert (answer.status_code, answer.json()["error"]) == (404, "No prediction of this server has this id.")
    assert lines_in(log, "feedback") == []
    assert numbers(client) == {
        "lab_labels_total{label=0,sender=default}": 0,
        "lab_labels_total{label=1,sender=default}": 0,
        "lab_labels_agreeing_total{sender=default}": 0,
        "lab_labels_contradicting_total{earlier=default,sender=default}": 0,
        "lab_labels_unknown_total{sender=default}": len(unknown),
    }
    assert feedback(client, identifier, True).status_code == 202


def test_every_worker_and_a_later_start_know_the_predictions_of_a_log(champion: Path, tmp_path: Path) -> None:
    def server(log: str, **settings: Any) -> TestClient:
        return TestClient(create_application(Settings(champion=champion, log=tmp_path / log, **settings)))

    with server("log") as first, server("log") as second, server("other") as other:
        identifier = first.post("/predict", json={"features": ROWS[0]}).json()["id"]
        assert feedback(second, identifier, True).status_code == 202
        assert feedback(other, identifier, True).status_code == 404
    with server("log") as later:
        assert feedback(later, identifier, True).status_code == 202
    with server("a", id_secret=SecretStr("shared")) as a, server("b", id_secret=SecretStr("shared")) as b:
        identifier = a.post("/predict", json={"features": ROWS[0]}).json()["id"]
        assert feedback(b, identifier, True).status_code == 202
    assert stat.S_IMODE((tmp_path / "log" / KEY_FILE).stat().st_mode) == 0o600
    assert not (tmp_path / "a" / KEY_FILE).exists()


def test_the_key_of_the_ids_outlives_the_folder(champion: Path, log: Path) -> None:
    with TestClient(create_application(Settings(champion=champion, log=log, seconds_between_looks=0.01))) as client:
        key = (log / KEY_FILE).read_bytes()
        shutil.rmtree(log)
        wait_until((log / KEY_FILE).exists, lambda: list(log.glob("*")))
        assert (log / KEY_FILE).read_bytes() == key
        identifier = client.post("/predict", json={"features": ROWS[0]}).json()["id"]
        assert feedback(client, identifier, True).status_code == 202


def test_senders_have_keys_of_their_own(champion: Path, log: Path) -> None:
    settings = Settings(champion=champion, log=log, api_key=API_KEY, feedback_keys=KEYS)
    with TestClient(create_application(settings)) as client:
        ids = predicted(client, key=API_KEY)["ids"]
        for key in (None, API_KEY, SecretStr("another")):
            assert feedback(client, ids[0], True, key=key).status_code == 401
            batch = client.post("/feedback/batch", json={"ids": ids, "labels": [True] * len(ids)}, headers=header(key))
            assert batch.status_code == 401
        assert client.post("/predict", json={"features": ROWS[0]}, headers=header(KEYS["crm"])).status_code == 401
        for each, (sender, key) in zip(ids, KEYS.items(), strict=False):
            assert feedback(client, each, True, key=key).status_code == 202
            assert numbers(client, key=API_KEY)[f"lab_labels_total{{label=1,sender={sender}}}"] == 1
    assert [line["sender"] for line in lines_in(log, "feedback")] == list(KEYS)


@pytest.mark.parametrize(
    "keys", [{"crm": API_KEY}, {"crm": KEYS["crm"], "survey": KEYS["crm"]}, {"crm": SecretStr("")}, {"": API_KEY}]
)
def test_a_key_that_two_have_is_refused(champion: Path, keys: dict[str, SecretStr]) -> None:
    with pytest.raises(ValidationError, match=r"a key of its own|String should match"):
        Settings(champion=champion, api_key=API_KEY, feedback_keys=keys)


def test_another_label_for_the_same_prediction_is_counted_across_workers(champion: Path, log: Path) -> None:
    settings = Settings(champion=champion, log=log, feedback_keys=KEYS)
    with ExitStack() as stack:
        first, second = (stack.enter_context(TestClient(create_application(settings))) for _ in range(2))
        identifier = first.post("/predict", json={"features": ROWS[0]}).json()["id"]
        assert feedback(first, identifier, True, key=KEYS["crm"]).json() == {"id": identifier, "contradicting": False}
        assert feedback(second, identifier, True, key=KEYS["survey"]).json()["contradicting"] is False
        assert feedback(second, identifier, False, key=KEYS["survey"]).json()["contradicting"] is True
        assert feedback(first, identifier, True, key=KEYS["crm"]).json()["contradicting"] is True
        own, other = (numbers(each) for each in (first, second))
    assert own["lab_labels_contradicting_total{earlier=survey,sender=crm}"] == 1
    assert other["lab_labels_contradicting_total{earlier=survey,sender=survey}"] == 1
    assert [line["label"] for line in lines_in(log, "feedback")].count(1) == 3


def test_a_batch_takes_the_labels_of_known_predictions_and_names_the_rest(client: TestClient, log: Path) -> None:
    found = predicted(client)
    ids, labels = found["ids"], [place % 3 == 0 for place in range(len(ROWS))]
    feedback(client, ids[1], True)
    answer = client.post("/feedback/batch", json={"ids": [*ids, "unknown"], "labels": [*labels, True]})
    assert answer.status_code == 202
    assert answer.json() == {"accepted": len(ids), "unknown": ["unknown"], "contradicting": [ids[1]]}
    written = lines_in(log, "feedback")[1:]
    assert [(line["id"], bool(line["label"])) for line in written] == list(zip(ids, labels, strict=True))
    agreeing = sum(label == positive for label, positive in zip(labels, found["positive"], strict=True))
    expected = agreeing + int(found["positive"][1])
    assert numbers(client)["lab_labels_agreeing_total{sender=default}"] == expected


def test_a_batch_that_contradicts_itself_is_counted_and_the_last_label_counts(client: TestClient, log: Path) -> None:
    (identifier, *_) = predicted(client)["ids"]
    answer = client.post("/feedback/batch", json={"ids": [identifier] * 3, "labels": [True, False, False]})
    assert answer.json()["contradicting"] == [identifier]
    (path,) = log.glob("feedback-*.jsonl")
    unread: list[Any] = []
    assert labels_in(blocks_of(path), unread).to_pylist() == [{"id": identifier, "label": 0.0}]
    assert unread == []


@pytest.mark.parametrize("body", [{"ids": ["a"], "labels": []}, {"ids": ["a", "b"], "labels": [True]}, {"ids": ["a"]}])
def test_a_batch_of_unequal_lengths_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post("/feedback/batch", json=body).status_code == 422


def test_a_third_of_the_labels_flipped_by_one_sender_is_visible(champion: Path, log: Path) -> None:
    settings = Settings(champion=champion, log=log, feedback_keys=KEYS)
    with TestClient(create_application(settings)) as client:
        for sender, key in KEYS.items():
            for _ in range(5):
                found = predicted(client)
                truth = [place % 4 != 0 if each else place % 4 == 0 for place, each in enumerate(found["positive"])]
                sent = [label != (sender == "survey" and place % 3 == 0) for place, label in enumerate(truth)]
                client.post("/feedback/batch", json={"ids": found["ids"], "labels": sent}, headers=header(key))
        counted = numbers(client)
    shares = {sender: counted[f"lab_labels_agreeing_total{{sender={sender}}}"] / (5 * len(ROWS)) for sender in KEYS}
    assert shares == {"crm": pytest.approx(0.75), "survey": pytest.approx(0.5 + 1 / 12, abs=0.01)}


def test_the_index_is_filled_from_the_log_when_it_is_lost_or_damaged(champion: Path, log: Path) -> None:
    settings = Settings(champion=champion, log=log)
    with TestClient(create_application(settings)) as client:
        (identifier, *_) = predicted(client)["ids"]
        feedback(client, identifier, True)
        (log / INDEX).unlink()
        assert feedback(client, identifier, False).json()["contradicting"] is True
    (log / INDEX).write_bytes(b"damaged" * 1000)
    with TestClient(create_application(settings)) as client:
        assert feedback(client, identifier, False).json()["contradicting"] is False
        assert feedback(client, identifier, True).json()["contradicting"] is True
    assert stat.S_IMODE((log / INDEX).stat().st_mode) == 0o640


def test_the_index_keeps_the_newest_labels(tmp_path: Path) -> None:
    index = LabelIndex(tmp_path, most=100)
    for start in range(0, 1000, 50):
        index.record([(f"{place}", True, "crm") for place in range(start, start + 50)])
    assert index.record([("950", False, "crm"), ("0", False, "crm")]) == ["crm", None]
    (rows,) = index._connection.execute("SELECT count(*) FROM labels").fetchone()
    assert 98 < rows <= 100
    index.close()


def test_an_id_tells_the_decision_only_to_its_key() -> None:
    identifiers, other = Identifiers(b"a" * 32), Identifiers(b"b" * 32)
    decisions = [True, False, True]
    issued = identifiers.issue(decisions)
    assert [identifiers.decision_of(each) for each in issued] == decisions
    assert {other.decision_of(each) for each in issued} == {None}
    assert len({*issued, *identifiers.issue(decisions)}) == 6
