"""The story in chapters: what a team does with this repository, from the first version to a clone elsewhere."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ops.demo.story.sandbox import BUCKET, Fingerprints, Scene, StoryError
from ops.demo.story.subscribers import export

TASK = "subscribers"
FIRST_WEEKS, MORE_WEEKS = 24, 12
# What a person would wait for is made small: the story is about versions, not about models.
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


def a_first_version(scene: Scene) -> None:
    """Describe a table, run the pipeline, keep the objects on S3, and tag the first champion."""
    (scene.folder / "exports").mkdir()
    january = scene.folder / "exports" / "subscribers.csv"
    january.write_bytes(export(weeks=FIRST_WEEKS))
    scene.run("dvc", "remote", "modify", "storage", "url", f"s3://{BUCKET}/{TASK}")
    scene.run("dvc", "remote", "modify", "storage", "endpointurl", scene.endpoint)
    # What came with the clone is of another task.
    scene.run("git", "rm", "-r", "--quiet", "--ignore-unmatch", "dvc.lock", "metrics", "plots", "reports")
    describe = ("--target", "churned", "--time", "week", "--name", TASK)
    scene.run("python", "-m", "ops", "init", str(january), *describe)
    settle(scene, SMALL)
    committed(scene, "Ask which subscribers leave")
    scene.run("python", "-m", "ops", "promote", "--register", "--push")
    scene.show(scene.run("python", "-m", "ops", "history"))


def a_better_experiment(scene: Scene) -> None:
    """Try boosting on a branch; its report says merge."""
    scene.run("git", "checkout", "--quiet", "-b", "boosting")
    settle(scene, {"train.candidates.boosting": BOOSTING})
    committed(scene, "Try boosting")
    reported(scene, "better", says="merge")
    scene.run("git", "checkout", "--quiet", "main")
    scene.run("git", "merge", "--quiet", "--no-ff", "-m", "Merge the branch boosting", "boosting")
    scene.run("dvc", "checkout", "--quiet")
    scene.run("git", "push", "--quiet", "origin", "main")


def a_worse_experiment(scene: Scene) -> None:
    """Try a lazy model on a branch; its report says stop, and it stays where it is."""
    scene.run("git", "checkout", "--quiet", "-b", "lazy")
    settle(scene, WORSE)
    committed(scene, "Try to do with less")
    reported(scene, "worse", says="stop")
    scene.run("git", "checkout", "--quiet", "main")
    scene.run("dvc", "checkout", "--quiet")


def new_data_drifts(scene: Scene) -> None:
    """Three months later prices are up. Drift is seen, candidates are trained, and the best one is proposed."""
    june = scene.folder / "exports" / "subscribers.csv"
    june.write_bytes(export(weeks=FIRST_WEEKS + MORE_WEEKS, changed_from=FIRST_WEEKS))
    scene.show(scene.run("python", "-m", "ops", "retrain", "--data", str(june), "--push"), most=30)
    (branch,) = scene.run("git", "for-each-ref", "--format=%(refname:short)", "refs/heads/retrain", shown=False).split()
    scene.run("git", "merge", "--quiet", "--no-ff", "-m", "Merge the retrained champion", branch)
    scene.run("dvc", "checkout", "--quiet")
    scene.run("git", "push", "--quiet", "origin", "main")


def a_new_champion(scene: Scene) -> None:
    """Register the merged proposal: the second version is in production."""
    scene.run("python", "-m", "ops", "promote", "--register", "--push")
    scene.show(scene.run("python", "-m", "ops", "history"))


def a_rollback(scene: Scene) -> None:
    """Something is wrong with it: the first version comes back, byte for byte."""
    scene.run("python", "-m", "ops", "rollback", "--because", "complaints about the offers", "--push")
    scene.show(scene.run("python", "-m", "ops", "history"))


def settle(scene: Scene, settings: Mapping[str, Any]) -> None:
    """Change settings in params.yaml by dotted names, keeping its comments."""
    yaml, path = YAML(), scene.work / "params.yaml"
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


def committed(scene: Scene, message: str) -> None:
    """Run what must run, commit everything, and push objects and branch."""
    scene.run("dvc", "repro")
    scene.run("git", "add", "--all")
    scene.run("git", "commit", "--quiet", "-m", message)
    scene.run("dvc", "push", "--quiet")
    scene.run("git", "push", "--quiet", "--set-upstream", "origin", "HEAD")


def reported(scene: Scene, name: str, *, says: str) -> None:
    """Write the report of the branch against main, and hold its first word to what it should say."""
    path = scene.folder / "reports" / f"{name}.md"
    path.parent.mkdir(exist_ok=True)
    scene.run("python", "-m", "ops", "report", "main", "HEAD", "--output", str(path))
    text = path.read_text(encoding="utf-8")
    scene.show(text, most=14)
    lines = [line for line in text.splitlines() if line.strip()]
    if says not in lines[1].lower():
        raise StoryError(f"{path} begins with {lines[1]!r}, expected it to say {says!r}.")


def a_clone_elsewhere(scene: Scene) -> None:
    """Bring every tagged version back in a fresh clone, from S3 alone, and hold it to what it was."""
    elsewhere = scene.folder / "elsewhere"
    scene.run("git", "clone", "--quiet", str(scene.origin), str(elsewhere), cwd=scene.folder)
    tags = scene.run("git", "tag", "--list", f"{TASK}@*", cwd=elsewhere).split()
    for tag in tags:
        restored = versions_of(scene, elsewhere, tag)
        if restored != scene.seen[tag]:
            raise StoryError(f"{tag} came back with other bytes: {restored}, expected {scene.seen[tag]}.")
        scene.tell(f"    {tag}: {len(restored)} files, byte for byte what they were")


def versions_of(scene: Scene, clone: Path, tag: str) -> Fingerprints:
    """Return what a clone holds once a tag is brought back there."""
    scene.run("python", "-m", "ops", "revert", tag, "--no-derive", cwd=clone)
    return fingerprints_in(clone)


def remember(scene: Scene) -> None:
    """Note what the clone holds for every version that was tagged just now."""
    for tag in scene.run("git", "tag", "--points-at", "HEAD", "--list", f"{TASK}@*", shown=False).split():
        scene.seen.setdefault(tag, fingerprints_in(scene.work))


def fingerprints_in(clone: Path) -> Fingerprints:
    """Return the fingerprint of every prediction and of the champion in a clone."""
    files = [path for place in KEPT for path in sorted((clone / place).iterdir())]
    return {str(path.relative_to(clone)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


CHAPTERS: Mapping[str, Callable[[Scene], None]] = {
    "A first version": a_first_version,
    "A better experiment": a_better_experiment,
    "A worse experiment": a_worse_experiment,
    "New data, and drift": new_data_drifts,
    "A new champion": a_new_champion,
    "A rollback": a_rollback,
    "A clone elsewhere": a_clone_elsewhere,
}
