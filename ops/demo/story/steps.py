"""Run the story, from a first version to a clone that restores all."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ops.demo.sandbox import SHOWN, DemoError
from ops.demo.story.setup import BUCKET, Fingerprints, Story
from ops.demo.story.subscribers import export

TASK = "subscribers"
FIRST_WEEKS, MORE_WEEKS = 24, 12
# Small models, for speed: the story is about versions.
SMALL = {
    "task": TASK,
    "train.search.budget": 8,
    "train.learning_curve": [0.3],
    "evaluate.resamples": 500,
    "explain.reference_rows": 200,
    "explain.shuffles.rows": 300,
    "explain.dependence.rows": 50,
    "validate.champion.resamples": 500,
    "abtest.resamples": 2000,
    "train.candidates": {"logistic": {"estimator": "logistic_regression"}},
}
BOOSTING = {
    "estimator": "histogram_gradient_boosting",
    "settings": {"trees": 60, "learning_rate": 0.1},
    "search": {"method": "none"},
}
WORSE = {
    "train.candidates.logistic.features": ["calls", "senior"],
    "train.candidates.boosting.settings": {"trees": 1, "learning_rate": 0.05, "most_leaves": 2},
}
KEPT = ("data/predictions", "models/champion")


def a_first_version(story: Story) -> None:
    """Describe a table, run the pipeline, store the outputs on S3, and tag the first champion."""
    run = story.sandbox.run
    january = story.folder / "exports" / "subscribers.csv"
    january.parent.mkdir()
    january.write_bytes(export(weeks=FIRST_WEEKS))
    run("dvc", "remote", "modify", "storage", "url", f"s3://{BUCKET}/{TASK}")
    run("dvc", "remote", "modify", "storage", "endpointurl", story.endpoint)
    # The clone's results belong to another task.
    run("git", "rm", "-r", "--quiet", "--ignore-unmatch", "dvc.lock", "metrics", "plots", "reports")
    describe = ("--target", "churned", "--time", "week", "--name", TASK)
    run("python", "-m", "ops", "init", str(january), *describe)
    change_settings(story, SMALL)
    commit(story, "Ask which subscribers leave")
    a_new_champion(story)


def a_better_experiment(story: Story) -> None:
    """Try boosting on a branch; its report says merge."""
    run = story.sandbox.run
    run("git", "checkout", "--quiet", "-b", "boosting")
    change_settings(story, {"train.candidates.boosting": BOOSTING})
    commit(story, "Try boosting")
    report(story, "better", expected="merge")
    run("git", "checkout", "--quiet", "main")
    merge(story, "boosting", "Merge the branch boosting")


def a_worse_experiment(story: Story) -> None:
    """Try a weaker model on a branch; its report says stop, and it is not merged."""
    run = story.sandbox.run
    run("git", "checkout", "--quiet", "-b", "weaker")
    change_settings(story, WORSE)
    commit(story, "Try a weaker model")
    report(story, "worse", expected="stop")
    run("git", "checkout", "--quiet", "main")
    run("dvc", "checkout", "--quiet")


def new_data_drifts(story: Story) -> None:
    """Three months later prices are up: drift is found, candidates are trained, and the best one is proposed."""
    run = story.sandbox.run
    june = story.folder / "exports" / "subscribers.csv"
    june.write_bytes(export(weeks=FIRST_WEEKS + MORE_WEEKS, changed_from=FIRST_WEEKS))
    run("python", "-m", "ops", "retrain", "--data", str(june), "--push", most=30)
    _, branch = run("git", "for-each-ref", "--format=%(refname:short)", "refs/heads/retrain", quiet=True)
    merge(story, branch.strip(), "Merge the retrained champion")


def a_new_champion(story: Story) -> None:
    """Register the merged champion: its version is in production."""
    story.sandbox.run("python", "-m", "ops", "promote", "--register", "--push")
    _show_history(story)


def a_rollback(story: Story) -> None:
    """Something is wrong with it: the first version comes back, byte for byte."""
    story.sandbox.run("python", "-m", "ops", "rollback", "--because", "complaints about the offers", "--push")
    _show_history(story)


def a_shared_experiment(story: Story) -> None:
    """Push an experiment that nobody has committed; a colleague's clone gets it with its data, from S3."""
    run, clone, name = story.sandbox.run, story.folder / "colleague", "wide-margin"
    run("dvc", "exp", "run", "--quiet", "--name", name, "-S", "select.margin=0.02")
    run("dvc", "exp", "push", "--quiet", "origin", name)
    run("git", "clone", "--quiet", str(story.origin), str(clone), cwd=story.folder)
    run("dvc", "exp", "pull", "--quiet", "origin", name, cwd=clone)
    run("dvc", "exp", "apply", "--quiet", name, cwd=clone)
    if fingerprints_in(clone) != fingerprints_in(story.sandbox.work):
        raise DemoError(f"The experiment {name} has other bytes in {clone}.")
    run("git", "checkout", "--quiet", "--", ".")
    run("dvc", "checkout", "--quiet")


def a_clone_elsewhere(story: Story) -> None:
    """Restore every tagged version in a fresh clone, from S3 alone, and compare the bytes."""
    run, clone = story.sandbox.run, story.folder / "elsewhere"
    run("git", "clone", "--quiet", str(story.origin), str(clone), cwd=story.folder)
    for tag in run("git", "tag", "--list", f"{TASK}@*", cwd=clone)[1].split():
        run("python", "-m", "ops", "revert", tag, "--no-derive", cwd=clone)
        restored = fingerprints_in(clone)
        if restored != story.seen[tag]:
            raise DemoError(f"{tag} has other bytes: {restored}, expected {story.seen[tag]}.")
        story.sandbox.log(f"    {tag}: {len(restored)} files, all byte-identical")


def change_settings(story: Story, settings: Mapping[str, Any]) -> None:
    """Change settings of params.yaml by dotted names, keeping its comments."""
    yaml, path = YAML(), story.sandbox.work / "params.yaml"
    yaml.width, yaml.preserve_quotes = 120, True
    content = yaml.load(path.read_text(encoding="utf-8"))
    for name, value in settings.items():
        *parents, last = name.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        section[last] = value
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)


def commit(story: Story, message: str) -> None:
    """Run the pipeline, commit everything, and push outputs and branch."""
    run = story.sandbox.run
    run("dvc", "repro")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "-m", message)
    run("dvc", "push", "--quiet")
    run("git", "push", "--quiet", "--set-upstream", "origin", "HEAD")


def merge(story: Story, branch: str, message: str) -> None:
    """Merge a branch into the current one, check out its outputs, and push."""
    run = story.sandbox.run
    run("git", "merge", "--quiet", "--no-ff", "-m", message, branch)
    run("dvc", "checkout", "--quiet")
    run("git", "push", "--quiet", "origin", "main")


def report(story: Story, name: str, *, expected: str) -> None:
    """Write the report of the branch against main, and check its verdict."""
    path = story.folder / "reports" / f"{name}.md"
    path.parent.mkdir(exist_ok=True)
    story.sandbox.run("python", "-m", "ops", "report", "main", "HEAD", "--output", str(path))
    text = path.read_text(encoding="utf-8")
    story.sandbox.show(text, most=14)
    verdict = [line for line in text.splitlines() if line.strip()][1]
    if expected not in verdict.lower():
        raise DemoError(f"{path} says {verdict!r}, expected {expected!r}.")


def fingerprints_in(clone: Path) -> Fingerprints:
    """Return the SHA-256 of every prediction and of the champion in a clone."""
    files = [path for place in KEPT for path in sorted((clone / place).iterdir())]
    return {str(path.relative_to(clone)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _show_history(story: Story) -> None:
    """Print the history, and note the fingerprints of the version that is tagged at HEAD."""
    run, work = story.sandbox.run, story.sandbox.work
    run("python", "-m", "ops", "history", most=SHOWN)
    for tag in run("git", "tag", "--points-at", "HEAD", "--list", f"{TASK}@*", quiet=True)[1].split():
        story.seen.setdefault(tag, fingerprints_in(work))


STEPS: Mapping[str, Callable[[Story], None]] = {
    "A first version": a_first_version,
    "A better experiment": a_better_experiment,
    "A worse experiment": a_worse_experiment,
    "New data, and drift": new_data_drifts,
    "A new champion": a_new_champion,
    "A rollback": a_rollback,
    "A shared experiment": a_shared_experiment,
    "A clone elsewhere": a_clone_elsewhere,
}
