"""POST /explain gives the reasons of the pipeline for the score of POST /predict."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lab.core.errors import ModelError
from ops.pack.reasoning import reasons_for
from serving.app import create_application
from serving.settings import Settings
from tests.fitted import OTHER_ROWS, SCHEMA
from tests.fitted import VARIANTS as FITTED
from tests.serving.asking import wait_until
from tests.serving.served import ROWS, explained_folder, model_folder, reasoning

VARIANTS = ("logistic_regression", "histogram_gradient_boosting", "random_forest", "naive_bayes")


def client_for(champion: Path, **settings: Any) -> TestClient:
    return TestClient(create_application(Settings(champion=champion, **settings)))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with client_for(explained_folder(tmp_path / "champion")) as opened:
        yield opened


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_row_has_the_score_and_the_reasons_that_the_pipeline_gives_it(tmp_path: Path, variant: str) -> None:
    expected = reasons_for(reasoning(variant), OTHER_ROWS.slice(0, 8), most=4)
    with client_for(explained_folder(tmp_path / "champion", variant)) as client:
        for row, reasons in zip(ROWS[:8], expected, strict=True):
            answer = client.post("/explain", json={"features": row, "most": 4}).json()
            score = client.post("/predict", json={"features": row}).json()
            assert {name: answer[name] for name in ("arm", "fingerprint", "score", "positive")} == {
                name: score[name] for name in ("arm", "fingerprint", "score", "positive")
            }
            assert [found["text"] for found in answer["reasons"]] == [reason.text for reason in reasons]
            assert [found["value"] for found in answer["reasons"]] == [row[found.feature] for found in reasons]
            assert sorted(answer["contributions"]) == sorted(SCHEMA.features)
            total = answer["base"] + sum(answer["contributions"].values())
            assert total == pytest.approx(answer["output"], abs=1e-5)


def test_three_reasons_are_the_default(client: TestClient) -> None:
    assert len(client.post("/explain", json={"features": ROWS[0]}).json()["reasons"]) == 3
    (only,) = client.post("/explain", json={"features": ROWS[0], "most": 1}).json()["reasons"]
    contributions = client.post("/explain", json={"features": ROWS[0]}).json()["contributions"]
    assert abs(only["contribution"]) == max(map(abs, contributions.values()))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"most": 0}, "most"),
        ({"most": 11}, "most"),
        ({"most": "3"}, "most"),
        ({"surprise": 1}, "surprise"),
        ({"features": {**ROWS[0], "amount": "12"}}, "features.amount"),
        ({"features": {name: value for name, value in ROWS[0].items() if name != "visits"}}, "features.visits"),
    ],
)
def test_a_wrong_request_is_refused_with_the_fields_name(
    client: TestClient, changed: dict[str, Any], field: str
) -> None:
    answer = client.post("/explain", json={"features": ROWS[0], **changed})
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == [field]


def test_a_row_without_any_value_is_explained(client: TestClient) -> None:
    answer = client.post("/explain", json={"features": dict.fromkeys(ROWS[0]), "most": 10}).json()
    by_feature = {reason["feature"]: reason for reason in answer["reasons"]}
    assert by_feature["visits"]["text"].endswith("the score: never came")
    assert by_feature["visits"]["value"] is None


def test_the_model_of_a_units_arm_is_explained(tmp_path: Path) -> None:
    champion = explained_folder(tmp_path / "champion")
    challenger = explained_folder(tmp_path / "challenger", "histogram_gradient_boosting")
    with client_for(champion, challenger=challenger, challenger_share=0.5) as client:
        units = [f"customer {place}" for place in range(12)]
        asked = [{"features": ROWS[0], "unit": unit} for unit in units]
        arms = [client.post("/explain", json=body).json()["arm"] for body in asked]
        assert arms == [client.post("/predict", json=body).json()["arm"] for body in asked]
        assert set(arms) == {"champion", "challenger"}


def test_an_explanation_is_neither_logged_nor_counted_as_a_prediction(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with client_for(explained_folder(tmp_path / "champion"), log=folder) as client:
        assert client.post("/explain", json={"features": ROWS[0]}).status_code == 200
        text = client.get("/metrics").text
    assert 'lab_requests_total{path="/explain",status="200"} 1.0' in text
    assert "lab_scores_count" not in text
    assert [path for path in folder.glob("predictions-*") if path.read_bytes()] == []


def test_a_model_packed_without_reasons_still_predicts(tmp_path: Path) -> None:
    with client_for(model_folder(tmp_path / "champion")) as client:
        answer = client.post("/explain", json={"features": ROWS[0]})
        assert answer.status_code == 409
        assert "`python -m ops pack` of a revision in which the stage explain has run" in answer.json()["error"]
        assert client.post("/predict", json={"features": ROWS[0]}).status_code == 200
        assert client.get("/model").json()["champion"]["explained"] is False


@pytest.mark.parametrize("name", ["reasons.json", "reasons.npz"])
def test_damaged_reasons_are_refused_at_the_start(tmp_path: Path, name: str) -> None:
    champion = explained_folder(tmp_path / "champion")
    path = champion / name
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(ModelError, match=f"{name} has the fingerprint"), client_for(champion):
        pass


def test_reasons_of_another_model_are_refused(tmp_path: Path) -> None:
    champion = explained_folder(tmp_path / "champion")
    other = explained_folder(tmp_path / "other", "naive_bayes")
    for name in ("reasons.json", "reasons.npz", "about.json"):
        (champion / name).write_bytes((other / name).read_bytes())
    with pytest.raises(ModelError, match="explains the model"), client_for(champion):
        pass


def test_unknown_reasons_are_refused_and_the_current_model_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = explained_folder(tmp_path / "unknown", "naive_bayes")
    program = json.loads((unknown / "reasons.json").read_text())
    content = json.dumps({**program, "additions": {"kind": "of tomorrow"}}).encode()
    (unknown / "reasons.json").write_bytes(content)
    about = json.loads((unknown / "about.json").read_text())
    about["reasons"]["reasons.json"] = hashlib.sha256(content).hexdigest()
    (unknown / "about.json").write_text(json.dumps(about))
    champion = tmp_path / "champion"
    champion.symlink_to(explained_folder(tmp_path / "explained"))
    with client_for(champion, seconds_between_looks=0.05) as client:
        (tmp_path / "link").symlink_to(unknown)
        (tmp_path / "link").replace(champion)
        wait_until(lambda: "is invalid: KeyError('of tomorrow')" in caplog.text, lambda: caplog.text)
        assert client.post("/explain", json={"features": ROWS[0]}).status_code == 200


def test_reasons_that_are_packed_later_are_loaded(tmp_path: Path) -> None:
    plain, explained = model_folder(tmp_path / "plain"), explained_folder(tmp_path / "explained")
    champion = tmp_path / "champion"
    champion.symlink_to(plain)
    with client_for(champion, seconds_between_looks=0.05) as client:
        assert client.post("/explain", json={"features": ROWS[0]}).status_code == 409
        (tmp_path / "link").symlink_to(explained)
        (tmp_path / "link").replace(champion)
        wait_until(lambda: client.post("/explain", json={"features": ROWS[0]}).status_code == 200, lambda: "refused")


def test_a_product_of_features_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cubed = {"estimator": "random_forest", "settings": {"trees": 5}, "preparation": {"polynomial_degree": 3}}
    monkeypatch.setitem(FITTED, "cubed", cubed)
    huge = {"features": {**ROWS[0], "amount": 9e18}}
    with client_for(model_folder(tmp_path / "champion", "cubed")) as client:
        for path, body in (("/predict", huge), ("/predict/batch", {"rows": [huge]})):
            answer = client.post(path, json=body)
            assert answer.status_code == 422
            assert "after products of features" in answer.json()["error"]


@pytest.mark.parametrize("explained", [True, False], ids=["explained", "without reasons"])
@pytest.mark.parametrize("variant", ["logistic_regression", "histogram_gradient_boosting"])
def test_the_examples_of_the_openapi_are_typical_rows_that_are_answered(
    tmp_path: Path, variant: str, *, explained: bool
) -> None:
    folder = (explained_folder if explained else model_folder)(tmp_path / "champion", variant)
    with client_for(folder) as client:
        paths = client.get("/openapi.json").json()["paths"]
        bodies = {
            path: paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]
            for path in ("/predict", "/predict/batch", "/explain")
        }
        for path, body in bodies.items():
            expected = 409 if path == "/explain" and not explained else 200
            assert client.post(path, json=body).status_code == expected, json.dumps(body)
    features = bodies["/predict"]["features"]
    assert features["region"] in set(OTHER_ROWS["region"].to_pylist())
    if explained:
        amounts = sorted(value for value in OTHER_ROWS["amount"].to_pylist() if value is not None)
        assert amounts[10] < features["amount"] < amounts[-10]
        assert features["empty"] is None
        assert isinstance(features["senior"], bool)
