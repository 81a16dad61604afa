"""The verbs abtest, plan and assign: output, and exit codes 0, 1 and 2."""

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from lab.abtest.assess import assess
from lab.abtest.document import document_of
from lab.core.errors import LabError, SourceError
from lab.core.result_files import json_bytes
from ops.abtest.command import abtest
from ops.assign import assign
from ops.plan import plan
from tests.cures import apply_cure, hold_to_cure
from tests.lab.abtest.logs import DESIGN, OUTCOMES, design_of, drawn, written


def call(verb: Any, *options: str, text: str | None = None) -> Result:
    return CliRunner().invoke(verb, list(options), input=text)


def analysed(folder: Path, *options: str, name: str = "log.csv", **truth: float) -> Result:
    path = written(folder, drawn(4000, lift=truth.get("lift", 0.0), loss=truth.get("loss", 0.0)), name=name)
    return call(abtest, "--log", str(path), "--control", "old", *options)


@pytest.mark.parametrize(("lift", "code", "word"), [(0.1, 0, "SHIP new"), (-0.1, 1, "ROLLBACK new")])
def test_only_ship_exits_0(tmp_path: Path, lift: float, code: int, word: str) -> None:
    done = analysed(tmp_path, "--primary", "stayed", lift=lift)
    assert (done.exit_code, done.output.startswith(word)) == (code, True)


def test_options_say_what_a_design_file_says(tmp_path: Path) -> None:
    done = analysed(
        tmp_path,
        *("--primary", "stayed", "--outcome", "calls", "--outcome", "clicks", "--per", "clicks=views"),
        *("--guardrail", "spent=5", "--covariate", "spent=before", "--lower", "calls", "--segment", "region", "--json"),
        lift=0.1,
    )
    outcomes = {**OUTCOMES, "calls": {"kind": "mean", "higher_is_better": False}}
    expected = document_of(assess(tmp_path / "log.csv", design_of(outcomes=outcomes, segments=["region"])))
    assert done.output.encode() == json_bytes(expected)


def test_a_share_with_one_other_value_is_said_to_be_a_mean(tmp_path: Path) -> None:
    log = drawn(400)
    log.loc[7, "stayed"] = -1
    done = call(abtest, "--log", str(written(tmp_path, log)), "--control", "old", "--primary", "stayed")
    assert "stayed is analysed as a mean, because 1 of the first 400 rows have values other than 0 and 1" in done.stderr
    assert "such as -1" in done.stderr


def test_two_covariates_of_an_outcome_are_both_used_and_two_denominators_refused(tmp_path: Path) -> None:
    options = ("--primary", "spent", "--covariate", "spent=before", "--covariate", "spent=views")
    done = analysed(tmp_path, *options, "--json")
    both = design_of(primary="spent", outcomes={"spent": {"covariate": ["before", "views"]}})
    assert done.output.encode() == json_bytes(document_of(assess(tmp_path / "log.csv", both)))

    def ratio(*denominators: str) -> None:
        given = [word for name in denominators for word in ("--per", f"clicks={name}")]
        found = analysed(tmp_path, "--primary", "clicks", *given).exception
        if isinstance(found, LabError):
            raise found

    hold_to_cure(
        "ops/abtest/command.py: leave one of them out", lambda: ratio("views", "calls"), lambda: ratio("views")
    )


def test_repeated_units_are_cured_by_an_option(tmp_path: Path) -> None:
    log = drawn(4000, lift=0.1)
    path = written(tmp_path, pd.concat([log, log.head(2).assign(stayed=1 - log.stayed.head(2))]))
    options = ("--log", str(path), "--control", "old", "--primary", "stayed")
    refused, cured = call(abtest, *options), call(abtest, *options, "--repeated-units", "keep_first")
    assert "--repeated-units keep_first" in refused.output
    assert (refused.exit_code, cured.exit_code) == (1, 0)
    assert "2 units with different values: first row kept, 2 rows left out" in cured.output


def test_money_is_shown_with_its_unit(tmp_path: Path) -> None:
    options = ("--primary", "spent", "--measured-in", "spent=EUR", "--segment", "region")
    done = analysed(tmp_path, *options)
    assert re.search(r"INCONCLUSIVE new .*: spent \[EUR\]: ", done.output)
    assert re.search(r"^spent \[EUR\] +primary", done.output, re.MULTILINE)
    assert re.search(r"Minimum detectable effect \(power 80 %\): [0-9.]+ EUR\.", done.output)
    assert re.search(r"expected loss [0-9.e-]+ EUR$", done.output, re.MULTILINE)
    assert "spent [EUR] by segment" in done.output


def test_a_corrected_p_is_labelled(tmp_path: Path) -> None:
    lines_of = analysed(tmp_path, "--primary", "stayed", "--outcome", "calls").output.splitlines()
    assert [" (Holm)" in line for line in lines_of if line.split()[:1] in (["stayed"], ["calls"])] == [False, True]


@pytest.mark.parametrize("inside", [False, True])
def test_a_design_is_read_from_a_file_of_its_own_or_from_a_task(tmp_path: Path, inside: bool) -> None:
    design = tmp_path / "design.yaml"
    design.write_text(json.dumps({"experiment": {"design": DESIGN}} if inside else DESIGN))
    path = written(tmp_path, drawn(4000, lift=0.1))
    done = call(abtest, "--log", str(path), "--design", str(design))
    assert (done.exit_code, done.output.startswith("SHIP new")) == (0, True)


def test_an_invalid_experiment_shows_its_faults_and_no_numbers(tmp_path: Path) -> None:
    done = analysed(tmp_path, "--primary", "stayed", "--weight", "old=9", "--weight", "new=1")
    assert done.exit_code == 1
    assert "INVALID new (the experiment is invalid" in done.output
    assert "sample ratio mismatch" in done.output
    assert "interval" not in done.output


def test_looks_are_told_with_the_bound_that_holds_now(tmp_path: Path) -> None:
    done = analysed(tmp_path, "--primary", "stayed", "--looks", "2", "--units", "8000")
    assert "EXTEND new" in done.output
    assert "Look 1 of 2, 50 % of the planned units, group sequential: |z| must exceed 2.963" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "found neither --design nor --primary"),
        (("--primary", "stayed", "--guardrail", "spent"), "--guardrail spent: expected NAME=VALUE"),
        (("--primary", "stayed", "--guardrail", "spent=much"), "--guardrail much: expected a number"),
        (("--primary", "nothing"), r"lacks the columns \['nothing'\]"),
        (("--primary", "stayed", "--unit", "nobody"), r"lacks the columns \['nobody'\]"),
        (("--primary", "stayed", "--looks", "3"), "3 looks need units"),
    ],
)
def test_a_mistake_in_the_options_is_said(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabError, match=message):
        raise analysed(tmp_path, *options).exception or AssertionError("no mistake was found")


def test_a_log_of_one_arm_asks_for_the_planned_arms(tmp_path: Path) -> None:
    path = written(tmp_path, drawn(50).assign(arm="old"))
    done = call(abtest, "--log", str(path), "--primary", "stayed")
    with pytest.raises(LabError, match=r"arm contains \['old'\], expected two arms or more.*--weight control=1"):
        raise done.exception or AssertionError
    done = call(
        abtest, "--log", str(path), "--primary", "stayed", "--control", "old", "--weight", "old=1", "--weight", "n=1"
    )
    assert (done.exit_code, done.output.startswith("INVALID")) == (1, True)


def test_a_plan_gives_the_units_that_r_gives(tmp_path: Path) -> None:
    done = call(plan, "--from", "0.10", "--to", "0.12", "--per-day", "1000", "--json")
    found = json.loads(done.output)["plan"]
    assert (found["treatment"], found["total"], found["days"]) == (3841, 7682, 8)  # R: 3840.8
    arcsine = json.loads(call(plan, "--from", "0.10", "--to", "0.12", "--formula", "arcsine", "--json").output)["plan"]
    assert arcsine["treatment"] == 3835  # R: 3834.6


def test_looking_costs_units_and_gives_bounds(tmp_path: Path) -> None:
    done = call(plan, "--from", "0.10", "--to", "0.12", "--looks", "5")
    assert "5 looks cost 2.5 % more units" in done.output
    assert [line.split()[-1] for line in done.output.splitlines()[3:8]] == ["4.877", "3.357", "2.680", "2.290", "2.031"]


def test_a_plan_says_what_a_number_of_units_would_see() -> None:
    done = call(plan, "--difference", "2", "--spread", "30", "--units", "7066", "--json")
    seen = json.loads(done.output)["seen"]
    assert seen["power"] == pytest.approx(0.8, abs=0.001)
    assert seen["smallest_difference"] == pytest.approx(2.0, abs=0.001)


@pytest.mark.parametrize(
    ("options", "smallest"),
    [
        (("--from", "0.12", "--to", "0.10", "--units", "7682"), -0.02),
        (("--from", "0.90", "--to", "0.88", "--units", "7682"), -0.02),
        (("--difference", "-2", "--spread", "30", "--units", "7066"), -2.0),
        (("--difference", "-0.02", "--variance", "0.04", "--units", "3140"), -0.02),
    ],
)
def test_a_decrease_is_detected_as_its_mirror_image_is(options: tuple[str, ...], smallest: float) -> None:
    """A fall from 0.12 to 0.10 has the variances of a rise from 0.10 to 0.12; one of 0.90 those of a rise from 0.10."""
    seen = json.loads(call(plan, *options, "--json").output)["seen"]
    assert seen["power"] == pytest.approx(0.8, abs=0.001)
    assert seen["smallest_difference"] == pytest.approx(smallest, rel=0.001)


@pytest.mark.parametrize(("days", "code"), [("8", 0), ("7", 1)])
def test_a_plan_that_takes_too_long_exits_1(days: str, code: int) -> None:
    done = call(plan, "--from", "0.10", "--to", "0.12", "--per-day", "1000", "--at-most-days", days)
    assert done.exit_code == code


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "0.1"), "expected one pair of options"),
        (("--from", "0.1", "--to", "0.1"), "two different shares"),
        (("--from", "0.1", "--to", "0.2", "--power", "0.01"), "expected 0 < level < power < 1"),
        (("--from", "0.1", "--to", "0.2", "--at-most-days", "3"), "--at-most-days needs --per-day"),
        (("--from", "0.1", "--to", "0.2", "--spending", "all"), "expected obrien_fleming, pocock"),
        (("--difference", "1", "--spread", "0"), "a standard deviation above 0"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabError, match=message):
        raise call(plan, *options).exception or AssertionError("no mistake was found")


def test_units_are_assigned_by_the_hash_that_anyone_can_compute(tmp_path: Path) -> None:
    done = call(assign, "--salt", "offer", "--arm", "old", "--arm", "new", *map(str, range(50)))
    for line in done.output.splitlines():
        unit, arm = line.split(",")
        place = int.from_bytes(hashlib.sha256(f"offer:{unit}".encode()).digest()[:8], "big") / 2**64
        assert arm == ("old" if place < 0.5 else "new")


def test_units_come_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "units.txt"
    path.write_text("17\n18\n\n19\n")
    from_file = call(assign, "--salt", "s", "--arm", "a", "--arm", "b=3", "--file", str(path))
    piped = call(assign, "--salt", "s", "--arm", "a", "--arm", "b=3", "--file", "-", text=path.read_text())
    named = call(assign, "--salt", "s", "--arm", "a", "--arm", "b=3", "17", "18", "19")
    assert from_file.output == piped.output == named.output


def test_assigned_units_are_read_back_as_csv() -> None:
    units = ["a,b", 'say "hi"', "plain"]
    done = call(assign, "--salt", "s", "--arm", "old, still", "--arm", "new", *units)
    rows = list(csv.reader(io.StringIO(done.output)))
    assert [row[0] for row in rows] == units
    assert {row[1] for row in rows} <= {"old, still", "new"}


def test_weights_are_kept_to() -> None:
    done = call(assign, "--salt", "s", "--arm", "a", "--arm", "b=3", "--json", *map(str, range(4000)))
    arms = [each["arm"] for each in json.loads(done.output)]
    assert 0.72 < arms.count("b") / len(arms) < 0.78


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--arm", "a", "17"), "expected two or more, each once"),
        (("--arm", "a", "--arm", "a", "17"), "expected two or more, each once"),
        (("--arm", "a", "--arm", "b=many", "17"), "the weight a finite number"),
        (("--arm", "a=-1", "--arm", "b", "17"), "expected at least 0"),
        (("--arm", "a=nan", "--arm", "b", "17"), "the weight a finite number"),
        (("--arm", "a=inf", "--arm", "b", "17"), "the weight a finite number"),
        (("--arm", "=1", "--arm", "b", "17"), "expected NAME or NAME=WEIGHT"),
        (("--arm", "a=1e308", "--arm", "b=1e308", "17"), "expected at least 0"),
        (("--arm", "a", "--arm", "b", "\udce9"), "the command line is not UTF-8"),
        (("--arm", "a", "--arm", "b", "--file", "."), "cannot be read"),
        (("--arm", "a", "--arm", "b"), "found no unit"),
        (("--arm", "a", "--arm", "b", "--file", "nowhere.txt"), r"nowhere\.txt cannot be read"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabError, match=message):
        raise call(assign, "--salt", "s", *options).exception or AssertionError("no mistake was found")


def test_units_in_another_encoding_are_refused_with_the_command_that_converts_them(tmp_path: Path) -> None:
    file = tmp_path / "units.txt"
    file.write_bytes("Zoë\n".encode("latin-1"))
    for done in (
        call(assign, "--salt", "s", "--arm", "a", "--arm", "b", "--file", str(file)),
        CliRunner().invoke(assign, "--salt s --arm a --arm b --file -", input=file.read_bytes()),
    ):
        with pytest.raises(SourceError, match=r"is not UTF-8"):
            raise done.exception or AssertionError("no mistake was found")
    command, fill = "iconv --from-code LATIN1 --to-code UTF-8 FILE > NEW", {"FILE": "units.txt", "NEW": "fresh.txt"}
    apply_cure(
        str(done.exception),
        command,
        of="ops/assign.py: iconv --from-code LATIN1 --to-code UTF-8 FILE > NEW",
        cwd=tmp_path,
        fill=fill,
    )
    cured = call(assign, "--salt", "s", "--arm", "a", "--arm", "b", "--file", str(tmp_path / "fresh.txt"))
    assert (cured.exit_code, cured.output.startswith("Zoë,")) == (0, True)


def spoiled(name: str) -> bytes:
    """Return the bytes of a log that cannot be analysed."""
    frame = drawn(500)
    whole = io.BytesIO()
    frame.to_parquet(whole)
    nothing = io.BytesIO()
    frame.head(0).to_parquet(nothing)
    nested = io.BytesIO()
    frame.assign(arm=frame["arm"].map(lambda arm: [arm])).to_parquet(nested)
    content = whole.getvalue()
    return {
        "header.csv": b"customer_id,arm,stayed\n",
        "nothing.csv": b"",
        "latin.csv": "customer_id,arm,stayed\n1,é,0\n".encode("latin-1"),
        "latin_header.csv": "customer_id,arm,stayed,é\n1,a,0,0\n".encode("latin-1"),
        "ragged.csv": b"customer_id,arm,stayed\n1,a\n",
        "not_zipped.gz": b"\x1f\x8b junk",
        "no_row.parquet": nothing.getvalue(),
        "nothing.parquet": b"",
        "broken.parquet": b"PAR1 and more",
        "cut.parquet": content[: len(content) // 2],
        "damaged.parquet": content[:40] + b"\xff" * 400 + content[440:],
        "nested.parquet": nested.getvalue(),
        "words.txt": b"hello",
    }[name]


DESIGN_FILE = """
unit: customer_id
control: old
weights: {old: 1, new: 1}
primary: stayed
outcomes: {stayed: {kind: share}}
"""
LOGS = ["missing.csv", "missing.parquet", "folder.csv", "header.csv", "nothing.csv", "latin.csv", "latin_header.csv"]
LOGS += ["ragged.csv", "not_zipped.gz", "no_row.parquet", "nothing.parquet", "broken.parquet", "cut.parquet"]
LOGS += ["damaged.parquet", "nested.parquet", "words.txt"]


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("designed", [False, True])
def test_a_log_that_cannot_be_analysed_gives_one_message_and_no_decision(
    tmp_path: Path, name: str, designed: bool
) -> None:
    path = tmp_path / name
    if name == "folder.csv":
        path.mkdir()
    elif "missing" not in name:
        path.write_bytes(spoiled(name))
    (tmp_path / "design.yaml").write_text(DESIGN_FILE)
    options = ["--design", str(tmp_path / "design.yaml")] if designed else ["--primary", "stayed"]
    done = call(abtest, "--log", str(path), *options)
    assert done.output == ""
    with pytest.raises(SourceError, match=rf"{re.escape(name)}.*Cure: "):
        raise done.exception or AssertionError("no mistake was found")


def test_the_arm_cannot_be_a_stratum_too(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="expected another column than unit, stratum and segments"):
        raise analysed(tmp_path, "--primary", "stayed", "--stratum", "arm").exception or AssertionError


@pytest.mark.parametrize(
    "options",
    [
        ("--units", "-5"),
        ("--units", "1"),
        ("--looks", "0"),
        ("--looks", "101"),
        ("--looks", "99999999999999999999"),
        ("--at-most-days", "-5", "--per-day", "10"),
        ("--level", "1e-308"),
        ("--weights", "1e-308", "1"),
        ("--weights", "nan", "1"),
        ("--per-day", "nan"),
        ("--power", "nan"),
    ],
)
@pytest.mark.parametrize("kind", [("--from", "0.1", "--to", "0.12"), ("--difference", "2", "--spread", "30")])
def test_numbers_that_give_no_plan_are_a_mistake_of_the_user(kind: tuple[str, ...], options: tuple[str, ...]) -> None:
    done = call(plan, *kind, *options)
    assert isinstance(done.exception, LabError) or done.exit_code == 2


@pytest.mark.parametrize("verb", [abtest, plan, assign])
def test_help_shows_commands_that_can_be_copied(verb: Any) -> None:
    shown = call(verb, "--help").output
    assert f"python -m ops {verb.name} " in shown
    assert "Exit 0" in shown
