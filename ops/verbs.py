"""The verbs of `python -m ops`: group, module and one line of help for each."""

from typing import NamedTuple


class Verb(NamedTuple):
    """Where a verb's click command lies (it bears the verb's name), and what it does in one line."""

    module: str
    summary: str


GROUPS: dict[str, dict[str, Verb]] = {
    "Experiment": {
        "init": Verb("ops.init.command", "Write a task folder for a CSV or Parquet file."),
        "adopt": Verb("ops.adopt.command", "Make this clone a repository for your own task."),
        "update": Verb("ops.update.command", "Merge a later version of the template into your repository."),
        "repro": Verb("ops.repro.command", "Run the DAG, independent stages in parallel."),
        "restore": Verb("ops.restore", "Bring back the last good outputs after a failed run."),
        "sweep": Verb("ops.sweep.command", "Run many settings as DVC experiments."),
        "experiments": Verb("ops.experiments", "List the experiments of a commit by out-of-fold score."),
        "gate": Verb("ops.gate", "Exit 1 if the challenger fails a gate, 0 if not."),
        "latency": Verb("ops.latency", "Measure how long scoring one row takes."),
    },
    "Review": {
        "compare": Verb("ops.compare.command", "Compare two revisions: settings, data, code, results."),
        "why": Verb("ops.why.command", "Say where a number of a result comes from."),
        "report": Verb("ops.report.command", "Write the pull-request report: merge, look or stop."),
        "plots": Verb("ops.plots.command", "Write the plots of two revisions as one page."),
        "post": Verb("ops.github.command", "Post the report as one comment, updated in place."),
    },
    "Version": {
        "verify": Verb("ops.verify.command", "Check that a clone of this commit would be complete."),
        "resolve": Verb("ops.resolve.command", "Repair dvc.lock and results after a merge."),
        "derive": Verb("ops.derive", "Fetch or rebuild the outputs of revisions."),
        "revert": Verb("ops.revert.command", "Check out a revision with its data and models."),
        "promote": Verb("ops.registry.promote_command", "Make the challenger the champion."),
        "rollback": Verb("ops.registry.rollback_command", "Make an older version the champion again."),
        "history": Verb("ops.registry.history_command", "List the champions of a task, newest first."),
        "attest": Verb("ops.attest.command", "Sign the bytes of a version, or count who signed them."),
        "retrain": Verb("ops.retrain.command", "Retrain on new data and propose a better model."),
    },
    "Serve and watch": {
        "pack": Verb("ops.pack.command", "Write a champion as a folder for the server."),
        "approval": Verb("ops.github.approval", "Check that an environment at GitHub has required reviewers."),
        "smoke": Verb("ops.smoke", "Check that the champion gives the recorded scores."),
        "score": Verb("ops.score", "Score the rows of a CSV or Parquet file."),
        "drift": Verb("ops.drift.command", "Check a batch of rows or a server's log for drift."),
        "gauges": Verb("ops.gauges.command", "Write drift, metrics and gates for Prometheus."),
        "monitor": Verb("ops.demo.monitor_command", "Demo: serve, drift, alert, retrain, in a new folder."),
    },
    "Plan an experiment": {
        "plan": Verb("ops.plan", "Compute sample size and duration of an A/B test."),
        "assign": Verb("ops.assign", "Print the arm of each unit, as CSV."),
        "abtest": Verb("ops.abtest.command", "Analyse an A/B test and decide."),
    },
    "Maintain": {
        "deps": Verb("ops.deps", "Check and repair the code dependencies in dvc.yaml."),
        "ruleset": Verb("ops.github.ruleset", "Install the rules of the main branch at GitHub."),
        "readme": Verb("ops.readme.command", "Update the generated parts of README and docs."),
        "story": Verb("ops.demo.story_command", "Demo: the life of a model, in a new folder."),
    },
}
VERBS: dict[str, Verb] = {name: verb for group in GROUPS.values() for name, verb in group.items()}
