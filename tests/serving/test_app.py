"""The API gives the pipeline's scores and refuses invalid requests with the field's name."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lab.core.errors import ModelError
from lab.models.scoring import score_rows
from serving.app import create_application
from serving.settings import Settings
from tests.fitted import OTHER_ROWS, SCHEMA, model_of
from tests.serving.served import COLUMNS, ROWS, model_folder

JSON = {"content-type": "application/json"}


def expected(variant: str) -> list[float]:
    scores: list[float] = score_rows(model_of(variant), OTHER_ROWS).tolist()
    return scores


def client_of(folder: Path, **settings: Any) -> TestClient:
    champion = model_folder(folder / "champion")
    return TestClient(create_application(Settings(champion=champion, **settings)))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with client_of(tmp_path) as opened:
        yield opened


def test_it_is_alive_ready_and_describes_its_model(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    fingerprint = client.get("/ready").json()["fingerprint"]
    described = client.get("/model").json()
    assert described["challenger"] is None
    assert described["champion"]["fingerprint"] == fingerprint
    assert described["champion"]["estimator"] == "logistic_regression"
    assert described["champion"]["features"]["senior"] == "boolean"


def test_a_server_without_a_model_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(ModelError, match="cannot be read"),
        TestClient(create_application(Settings(champion=tmp_path / "nothing"))),
    ):
        pass


def test_one_row_has_the_score_that_the_pipeline_gives_it(client: TestClient) -> None:
    for row, score in list(zip(ROWS, expected("logistic_regression"), strict=True))[:20]:
        answer = client.post("/predict", json={"features": row}).json()
        assert (answer["score"], answer["positive"], answer["arm"]) == (score, score >= 0.5, "champion")


@pytest.mark.parametrize("body", [{"columns": COLUMNS}, {"rows": [{"features": row} for row in ROWS]}], ids=list)
def test_a_batch_by_rows_or_by_columns_has_the_same_scores_in_its_order(
    client: TestClient, body: dict[str, Any]
) -> None:
    answers = client.post("/predict/batch", json=body).json()
    assert answers["scores"] == expected("logistic_regression")
    assert len(set(answers["ids"])) == len(ROWS)


def changed(**features: Any) -> str:
    return json.dumps({"features": {**ROWS[0], **features}})


@pytest.mark.parametrize(
    ("body", "status", "field", "value"),
    [
        (changed(amount="12"), 422, "features.amount", '"12"'),
        (changed(amount="١٢"), 422, "features.amount", '"\\u0661\\u0662"'),
        (changed(amount=True), 422, "features.amount", "true"),
        (changed(amount=float("nan")), 422, "amount", "NaN or Infinity"),
        (changed(amount=float("-inf")), 422, "amount", "NaN or Infinity"),
        (changed(amount=1e30), 422, "features.amount", "1e+30"),
        (changed(amount=2**63), 422, "features.amount", "9223372036854775808"),
        (changed(amount=10**400), 422, "features.amount", "1" + "0" * 98 + "…"),
        (changed(senior=1), 422, "features.senior", "1"),
        (changed(senior="true"), 422, "features.senior", '"true"'),
        (changed(region=3), 422, "features.region", "3"),
        (changed(region="x" * 1001), 422, "features.region", f'"{"x" * 98}…'),
        (changed(surprise=1), 422, "features.surprise", "1"),
        ('{"features": {"region": "west"}}', 422, "features.amount", "nothing"),
        ("[1]", 422, "", "[1]"),
        ('{"\\\\": 1}', 422, "\\", "not shown"),
        ('{"\\u0000": 1}', 422, "\0", "not shown"),
        ('{"features": null}', 422, "features", "null"),
        ('{"features": ' + "[" * 1_000, 422, "features", "not shown"),
        ('{"unit": "", "features": {}}', 422, "unit", '""'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_field_the_value_and_a_rule(
    client: TestClient, body: str, status: int, field: str, value: str
) -> None:
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == status
    details = {detail["field"]: detail for detail in answer.json()["details"]}
    assert details[field]["value"] == value
    assert details[field]["rule"]


@pytest.mark.parametrize("body", ["", "{", '{"features": {"amount":', '{"features": {"region": "\xff"}}', "\xff\xfe{}"])
def test_a_body_that_is_not_json_is_refused(client: TestClient, body: str) -> None:
    answer = client.post("/predict", content=body.encode("latin-1"), headers=JSON)
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]


def test_a_body_of_another_media_type_is_refused(client: TestClient) -> None:
    answer = client.post("/predict", content=changed(), headers={"content-type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"columns": {**COLUMNS, "amount": COLUMNS["amount"][:-1]}}, "lengths"),
        ({"columns": COLUMNS, "units": ["a"]}, "lengths"),
        ({"columns": COLUMNS, "rows": [{"features": ROWS[0]}]}, "either rows or columns"),
        ({}, "either rows or columns"),
        ({"rows": []}, "at least 1"),
        ({"columns": {name: [] for name in COLUMNS}}, "at least 1"),
    ],
)
def test_a_batch_that_is_not_a_table_is_refused(client: TestClient, body: dict[str, Any], says: str) -> None:
    answer = client.post("/predict/batch", json=body)
    assert answer.status_code == 422
    assert says in json.dumps(answer.json())


def test_a_batch_with_too_many_rows_is_refused(tmp_path: Path) -> None:
    with client_of(tmp_path, most_rows=10) as client:
        assert client.post("/predict/batch", json={"columns": COLUMNS}).status_code == 422
        few = {name: values[:10] for name, values in COLUMNS.items()}
        assert client.post("/predict/batch", json={"columns": few}).status_code == 200


def test_a_refusal_shows_the_first_mistake(client: TestClient) -> None:
    wrong = {f"surprise_{place}": 1 for place in range(100)}
    answer = client.post("/predict", json={"features": {**ROWS[0], **wrong}}).json()
    assert answer["error"] == "The request breaks a rule: features.surprise_0: Expected only the fields of the schema."
    assert [detail["field"] for detail in answer["details"]] == ["features.surprise_0"]


def test_too_deep_nesting_is_refused(client: TestClient) -> None:
    for body in ("[" * 100_000, '{"rows": ' + "[" * 1_000_000, '{"columns": {"amount": ' + '{"a":' * 100_000):
        assert client.post("/predict/batch", content=body, headers=JSON).status_code in {400, 422}


def with_moments(*moments: str) -> list[tuple[str, dict[str, Any]]]:
    """Return three requests with moments; the first one has only the last moment."""
    few = {name: values[: len(moments)] for name, values in COLUMNS.items()}
    rows = [{"features": row, "moment": moment} for row, moment in zip(ROWS, moments, strict=False)]
    by_columns, by_rows = {"columns": few, "moments": moments}, {"rows": rows}
    return [("/predict", rows[-1]), ("/predict/batch", by_columns), ("/predict/batch", by_rows)]


@pytest.mark.parametrize(
    "moment",
    [
        "2025-02-30", "2025-13-01", "0000-01-01", "2025-01-01T24:00", "2025-01-01T00:00+25:00", "2025-01-01\n",
        "٢٠٢٥-٠١-٠١", "２０２５-01-01", "20250101", "2025-W01-1", "yesterday",
    ],
)  # fmt: skip
def test_a_moment_that_is_not_in_the_calendar_is_refused(client: TestClient, moment: str) -> None:
    for path, body in with_moments("2025-01-01", moment):
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert "moment" in answer.json()["details"][0]["field"]
        assert answer.json()["details"][0]["rule"]


def test_dates_and_times_of_the_calendar_are_accepted(client: TestClient) -> None:
    moments = ("2024-02-29", "2025-01-01T23:59", "2025-01-01 23:59:59.123456Z", "2025-01-01T00:00:00.5+02:00")
    assert [client.post(path, json=body).status_code for path, body in with_moments(*moments)] == [200] * 3


def test_a_whole_number_feature_takes_whole_numbers_only(tmp_path: Path) -> None:
    champion = model_folder(tmp_path / "champion")
    (champion / "about.json").write_text('{"whole_numbers": ["visits"]}')
    with TestClient(create_application(Settings(champion=champion))) as client:
        for visits, status in ((2, 200), (2.0, 200), (None, 200), (2.5, 422), (1e16, 422), (-1e30, 422)):
            answer = client.post("/predict", content=changed(visits=visits), headers=JSON)
            assert answer.status_code == status, answer.text
        wrong = {name: [value] for name, value in {**ROWS[0], "visits": 2.5}.items()}
        detail = client.post("/predict/batch", json={"columns": wrong}).json()["details"][0]
        assert detail == {"field": "columns.visits.0", "value": "2.5", "rule": "Expected a whole number"}
        schema = client.get("/openapi.json").json()
        example = schema["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert client.post("/predict", json=example).status_code == 200
        documented = schema["components"]["schemas"]["Features"]["properties"]
        assert documented["visits"]["anyOf"][0]["multipleOf"] == 1


ROW, COLUMN = (json.dumps(content)[1:-1] for content in (ROWS[0], {name: [value] for name, value in ROWS[0].items()}))


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/predict", f'{{"features": {{"amount": 2, {ROW}}}}}', "amount"),
        ("/predict", f'{{"features": {{{ROW}, "\\u0061mount": 2}}}}', "amount"),
        ("/predict", f'{{"features": {{"amount" : 2, {ROW}}}}}', "amount"),
        ("/predict", f'{{"unit": "a", "features": {{{ROW}}}, "unit": "b"}}', "unit"),
        ("/explain", f'{{"most": 1, "features": {{{ROW}}}, "most": 2}}', "most"),
        ("/feedback", '{"id": "a", "label": true, "label": false}', "label"),
        ("/predict/batch", f'{{"rows": [{{"features": {{"amount": 2, {ROW}}}}}]}}', "amount"),
        ("/predict/batch", f'{{"rows": [], "rows": [{{"features": {{{ROW}}}}}]}}', "rows"),
        ("/predict/batch", f'{{"columns": {{"amount": [2], {COLUMN}}}}}', "amount"),
    ],
)
def test_a_repeated_key_is_refused(client: TestClient, path: str, body: str, field: str) -> None:
    answer = client.post(path, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, field)


@pytest.mark.parametrize("text", ['":', '": "', "a: b", '{"x" :1}', '\\":', "[,", '", "', "{}{}{}"])
def test_texts_that_look_like_json_are_not_taken_for_keys_or_items(tmp_path: Path, text: str) -> None:
    with client_of(tmp_path, most_rows=2) as client:
        rows = [{**ROWS[0], "region": text}, {**ROWS[1], "region": text}]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        bodies: list[tuple[str, dict[str, Any]]] = [("/predict", {"features": rows[0]})]
        bodies += [
            ("/predict/batch", {"columns": columns}),
            ("/predict/batch", {"rows": [{"features": r} for r in rows]}),
        ]
        assert [client.post(path, json=body).status_code for path, body in bodies] == [200] * 3
        assert [client.post(path, json={**body, "x": 1}).status_code for path, body in bodies] == [422] * 3


def test_the_openapi_names_the_columns_of_this_task(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    features = schema["components"]["schemas"]["Features"]
    assert sorted(features["properties"]) == sorted(SCHEMA.features)
    assert sorted(features["required"]) == sorted(SCHEMA.features)
    assert features["additionalProperties"] is False


def test_a_new_champion_is_loaded_while_requests_go_on(tmp_path: Path) -> None:
    with client_of(tmp_path, seconds_between_looks=0.05) as client:
        for variant in ("histogram_gradient_boosting", "random_forest"):
            model_folder(tmp_path / "champion", variant)
            scores, deadline = expected(variant), time.monotonic() + 20
            while (answer := client.post("/predict", json={"features": ROWS[0]}).json())["score"] != scores[0]:
                assert time.monotonic() < deadline, answer
        assert client.get("/model").json()["champion"]["estimator"] == "random_forest"


def test_a_damaged_new_champion_is_not_loaded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with client_of(tmp_path, seconds_between_looks=0.05) as client:
        manifest = (tmp_path / "champion").resolve() / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"threshold": 0.5', '"threshold": "high"'))
        deadline = time.monotonic() + 20
        while "keeping the current one" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert client.post("/predict", json={"features": ROWS[0]}).json()["score"] == expected("logistic_regression")[0]


def test_units_keep_their_arm_in_the_answer_and_both_arms_answer(tmp_path: Path) -> None:
    challenger = model_folder(tmp_path / "challenger", "random_forest")
    with client_of(tmp_path, challenger=challenger, challenger_share=0.4) as client:
        units = [f"customer {place}" for place in range(len(ROWS))]
        answers = client.post("/predict/batch", json={"columns": COLUMNS, "units": units}).json()
        by_arm = {"champion": expected("logistic_regression"), "challenger": expected("random_forest")}
        assert answers["scores"] == [by_arm[arm][place] for place, arm in enumerate(answers["arms"])]
        assert 0.25 < answers["arms"].count("challenger") / len(units) < 0.55
        for place in range(10):
            single = client.post("/predict", json={"features": ROWS[place], "unit": units[place]}).json()
            assert single["arm"] == answers["arms"][place]
        assert client.post("/predict", json={"features": ROWS[0]}).json()["arm"] == "champion"


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        Settings(champion=Path("x"), durable=True)  # type: ignore[call-arg]


def test_a_share_without_a_challenger_is_refused() -> None:
    with pytest.raises(ValueError, match="need a challenger"):
        Settings(challenger_share=0.5)
