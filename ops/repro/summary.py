"""Summarise a run in three lines: verdict, pages, next command."""

from pathlib import Path

from lab.core.result_files import read_result
from lab.pages.gate_marks import verdicts_in_words
from lab.pages.markdown import interval, readable_name, signed

GATES, ANSWER, WINNER = (Path("metrics") / name for name in ("validate.json", "abtest.json", "select.json"))
PAGES = "reports/model_card.md, reports/candidates/README.md; curves: dvc plots show"

PROMOTE = "commit, then python -m ops promote --dry-run"
EXPERIMENT = "change a setting: dvc exp run -S KEY=VALUE (docs/experiments.md)"


def summary(root: Path) -> list[str]:
    """Return verdict, pages and the next command; nothing where the results of the whole DAG are not there."""
    try:
        gates, winner = read_result(root / GATES), read_result(root / WINNER)["challenger"]
        seen = read_result(root / ANSWER)["answer"]
        better = seen["challenger"]
        gain = f"{readable_name(seen['metric'])} {signed(seen['difference'])} ({interval(seen['low'], seen['high'])})"
        verdict = f"{winner} against the champion: {better}, {gain}. Gates: {verdicts_in_words(gates)}."
    except (OSError, KeyError, TypeError, ValueError):
        return []
    ready = better == "better" and gates["passed"]
    return [f"Verdict: {verdict}", f"Look at: {PAGES}", f"Next:    {PROMOTE if ready else EXPERIMENT}"]
