"""params.yaml is validated strictly, and an error lists every mistake of a section."""

from pathlib import Path

import pytest
from pydantic import Field

from lab.core.errors import ParamsError
from lab.core.params import Params, load_params, load_seed, load_value
from tests.bad_settings import BOMB


class Example(Params):
    """A section as a stage would declare it."""

    share: float = Field(gt=0, lt=1)
    folds: int
    name: str = "none"


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params.yaml"


def test_a_section_is_loaded_as_its_class(params: Path) -> None:
    params.write_text("seed: 3\ntask: churn\ntrain: {share: 1e-3, folds: 5}\n")
    assert load_params("train", Example) == Example(share=0.001, folds=5)
    assert load_seed() == 3
    assert load_value("task", str) == "churn"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{share: 0.5, folds: 5.5}", r"params\.yaml: train\.folds: .*valid integer.*found '5\.5'"),
        ("{share: 0.5, folds: yes}", r"train\.folds: .*found 'yes'"),
        ("{share: 2, folds: 5}", r"train\.share: .*less than 1"),
        ("{share: 0.5}", r"train\.folds: Field required"),
        ("{share: 0.5, folds: 5, flods: 5}", r"train\.flods: Extra inputs are not permitted"),
    ],
)
def test_a_mistake_names_its_place_and_what_was_found(section: str, message: str, params: Path) -> None:
    params.write_text(f"train: {section}\n")
    with pytest.raises(ParamsError, match=message):
        load_params("train", Example)


def test_every_mistake_is_listed_with_the_cure(params: Path) -> None:
    params.write_text("train: {share: 2, folds: x}\n")
    with pytest.raises(ParamsError) as caught:
        load_params("train", Example)
    assert len(str(caught.value).splitlines()) == 3
    assert str(caught.value).endswith("git diff params.yaml")


def test_an_unknown_section_is_refused(params: Path) -> None:
    params.write_text("seed: 3\ntrian: {}\n")
    with pytest.raises(ParamsError, match=r"unknown keys \['trian'\]"):
        load_seed()


@pytest.mark.parametrize("seed", ["1.5", "yes", "true", "null", "'7'"])
def test_a_seed_must_be_a_whole_number(seed: str, params: Path) -> None:
    params.write_text(f"seed: {seed}\n")
    with pytest.raises(ParamsError, match=r"params\.yaml: seed is .*, expected int"):
        load_seed()


def test_settings_cannot_be_changed_after_loading(params: Path) -> None:
    params.write_text("train: {share: 0.5, folds: 5}\n")
    loaded = load_params("train", Example)
    with pytest.raises(ValueError, match="frozen"):
        loaded.folds = 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, r"more than 1,000,000 characters with all aliases"),
        ("[" * 200_000, r"more than 40 nested lists"),
        ("&a [*a]", r"more than 1,000,000 characters with all aliases"),
        ("[" + "1, " * 60_000 + "1]", r"more than 1,000,000 characters"),
        ("1" * 400, r"number of 400 digits"),
        ("1" * 5_000, r"is not YAML: .*digits"),
        ('"a\\0"', r"NUL character"),
        ("!!bool maybe", r"does not fit its tag"),
        ("2025-02-30", r"is not YAML: day is out of range"),
    ],
    ids=["bomb", "deep", "cycle", "long", "large", "endless", "nul", "tag", "date"],
)
def test_yaml_that_would_hang_or_crash_is_refused(content: str, message: str, params: Path) -> None:
    params.write_text(f"train: {content}\n")
    with pytest.raises(ParamsError, match=message):
        load_params("train", Example)


def test_aliases_of_a_sensible_size_work(params: Path) -> None:
    params.write_text("seed: &seed 3\ntrain: {share: 0.5, folds: *seed}\n")
    assert load_params("train", Example).folds == 3


def test_a_message_shows_the_first_mistakes_and_the_first_characters(params: Path) -> None:
    params.write_text("train: {" + ", ".join(f"wrong_{number}: {'x' * 500}" for number in range(100)) + "}\n")
    with pytest.raises(ParamsError, match="and 82 more mistakes") as caught:
        load_params("train", Example)
    assert len(str(caught.value)) < 5_000


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_has_32_bits(seed: str, params: Path) -> None:
    params.write_text(f"seed: {seed}\n")
    with pytest.raises(ParamsError, match=rf"seed is {seed}, expected 0 to 4294967295"):
        load_seed()


@pytest.mark.parametrize("share", [".inf", "-.inf", ".nan"])
def test_a_number_is_finite(share: str, params: Path) -> None:
    params.write_text(f"train: {{share: {share}, folds: 5}}\n")
    with pytest.raises(ParamsError, match=r"train\.share: Input should be a finite number"):
        load_params("train", Example)
