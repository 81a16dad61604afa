"""The panels of the dashboard, with their queries and descriptions."""

from dataclasses import dataclass
from typing import Literal

ASKED = 'path=~"/predict|/predict/batch|/explain|/feedback|/feedback/batch"'
ONE_ROW = 'lab_request_seconds_bucket{path="/predict"}'
RATE = "$__rate_interval"
TASK = 'task="$task"'


@dataclass(frozen=True)
class Query:
    """A query of Prometheus, and the names of its series."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Drawing:
    """One panel; a limit is drawn as a line."""

    title: str
    says: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Literal["lines", "number", "table", "heat", "bars"] = "lines"
    width: int = 8
    limit: float | None = None


ROWS: dict[str, tuple[Drawing, ...]] = {
    "Now": (
        Drawing("Servers", "Servers that answer, and all that Prometheus knows.", (
            Query('sum(up{job="serving"})', "up"), Query('count(up{job="serving"})', "known"),
        ), kind="number", width=4),
        Drawing("Workers", "Live processes.", (Query("sum(lab_workers)", "workers"),), kind="number", width=4),
        Drawing("Served models", "Versions and fingerprints, with the number of workers of each.", (
            Query("sum by (arm, version, fingerprint) (lab_model)", "{{arm}} {{version}} {{fingerprint}}"),
        ), kind="table"),
        Drawing("Alerts", "Firing alerts; docs/watching.md says what to do.", (
            Query('ALERTS{alertstate="firing"}', "{{alertname}}"),
        ), kind="table"),
    ),
    "Requests": (
        Drawing("Volume", "Requests a second, by status.", (
            Query(f"sum by (status) (rate(lab_requests_total{{{ASKED}}}[{RATE}]))", "{{status}}"),
        ), unit="reqps"),
        Drawing("Latency of one row", "From the head of the request to the end of the answer.", tuple(
            Query(f"histogram_quantile({part}, sum by (le) (rate({ONE_ROW}[{RATE}])))", name)
            for part, name in ((0.5, "half of all"), (0.9, "9 of 10"), (0.99, "99 of 100"))
        ), unit="s", limit=0.05),
        Drawing("Latency by path", "The mean.", (
            Query(
                f"sum by (path) (rate(lab_request_seconds_sum{{{ASKED}}}[{RATE}]))"
                f" / sum by (path) (rate(lab_request_seconds_count{{{ASKED}}}[{RATE}]))", "{{path}}",
            ),
        ), unit="s"),
        Drawing("Failures", "The share of requests that fail on our side.", (
            Query(
                f'(sum(rate(lab_requests_total{{{ASKED},status=~"5.."}}[{RATE}])) or vector(0))'
                f" / sum(rate(lab_requests_total{{{ASKED}}}[{RATE}]))", "failures",
            ),
        ), unit="percentunit", limit=0.01),
        Drawing("Refused", "Refused requests a second, and rows of those that were read, by reason.", (
            Query(f"sum by (reason) (rate(lab_refused_total[{RATE}]))", "{{reason}}"),
            Query(f"sum by (reason) (rate(lab_refused_rows_total[{RATE}]))", "{{reason}}, rows"),
        )),
        Drawing("Rows", "Answered rows a second, by arm.", (
            Query(f"sum by (arm) (rate(lab_scores_count[{RATE}]))", "{{arm}}"),
        )),
    ),
    "Scores": (
        Drawing("Distribution", "The number of rows by score.", (
            Query(f"sum by (le) (increase(lab_scores_bucket[{RATE}]))", "{{le}}"),
        ), kind="heat"),
        Drawing("Rolling mean", "The mean score of the last hour, and that of the test window.", (
            Query("lab:scores_mean:1h", "{{arm}}, last hour"),
            Query(f'max by (model) (lab_drift_mean_score{{window="reference",{TASK}}})', "{{model}}, reference"),
        )),
        Drawing("Distance of the means", "Above 0.10 an alert fires.", (
            Query(
                "abs(lab:scores_mean:1h - on (arm) group_left () max by (arm) (label_replace("
                f'lab_drift_mean_score{{window="reference",{TASK}}}, "arm", "$1", "model", "(.*)")))', "{{arm}}",
            ),
        ), limit=0.1),
        Drawing("Positive decisions", "The share of rows with a positive decision, and that of the reference.", (
            # Until the first one there is no series of positives: that is a share of zero, and no gap.
            Query(
                f"(sum by (arm) (rate(lab_positives_total[{RATE}]))"
                f" or sum by (arm) (rate(lab_scores_count[{RATE}])) * 0)"
                f" / sum by (arm) (rate(lab_scores_count[{RATE}]))",
                "{{arm}}",
            ),
            Query(f'max by (model) (lab_drift_positive_share{{window="reference",{TASK}}})', "{{model}}, reference"),
        ), unit="percentunit"),
        Drawing("Rows of an hour", "The rolling mean is tested from 400 rows on.", (
            Query("lab:scores_rows:1h", "{{arm}}"),
        ), limit=400),
        Drawing("Age of the training rows", "Since the newest training row of a model.", (
            Query("time() - max by (arm) (lab_model_trained_until_seconds)", "{{arm}}"),
        ), unit="s"),
    ),
    "Drift": (
        Drawing("Columns", "By result of the drift check.", (
            Query(f"max by (verdict) (lab_drift_columns{{{TASK}}})", "{{verdict}}"),
        ), kind="bars"),
        Drawing("Share of drifted columns", "With the limit that suggests a retraining.", (
            Query(f"max(lab_drift_drifted_share{{{TASK}}})", "drifted"),
            Query(f'max(lab_drift_rule_limit{{rule="drifted_columns",{TASK}}})', "limit"),
        ), unit="percentunit"),
        Drawing("Columns with the largest drift", "Each in its own measure, which the table names.", (
            Query(f"topk(10, max by (column, measure, verdict) (lab_drift_column_effect{{{TASK}}}))", "{{column}}"),
        ), kind="table"),
        Drawing("Rows unlike the reference", "With the interval, and the share expected by chance.", (
            Query(f"max by (bound) (lab_drift_anomalous_share{{{TASK}}})", "{{bound}}"),
            Query(f"max(lab_drift_anomalous_share_promised{{{TASK}}})", "by chance"),
        ), unit="percentunit"),
        Drawing("Rules", "1 if a rule that can suggest a retraining fired.", (
            Query(
                f"max by (rule) (lab_drift_rule_fired{{{TASK}}}"
                f" and on (task, rule) lab_drift_rule_counts{{{TASK}}} == 1)",
                "{{rule}}",
            ),
        ), kind="bars"),
        Drawing("Results", "Whether to retrain, the number of rows, and the challenger's gates.", (
            Query(f"max(lab_drift_retrain_suggested{{{TASK}}})", "retrain"),
            Query(f"max(lab_drift_data_faults{{{TASK}}})", "data faults"),
            Query(f'max(lab_drift_rows{{window="current",{TASK}}})', "rows"),
            Query(f"max(lab_gates_failed{{{TASK}}})", "gates failed"),
            Query(f"max(lab_gates_within_noise{{{TASK}}})", "gates within noise"),
        ), kind="number"),
    ),
    "Performance": (
        Drawing("ROC AUC", "From labels, and estimated from the scores while labels are missing.", (
            Query(f"max by (model, window) (lab_drift_roc_auc{{{TASK}}})", "{{model}}, {{window}}"),
            Query(
                f"max by (model, window) (lab_drift_estimated_roc_auc{{{TASK}}})", "{{model}}, {{window}}, expected",
            ),
        )),
        Drawing("Champion's ROC AUC against the reference", "Below zero with its whole 95 % interval: a decrease.", (
            Query(
                f'max by (by, bound) (lab_drift_roc_auc_difference{{model="champion",{TASK}}})', "by {{by}}, {{bound}}",
            ),
        ), limit=0),
        Drawing("Figures", "Champion and challenger on the newest labelled rows.", (
            Query(
                f'max by (model, figure) (lab_performance{{window="current",bound="value",{TASK}}})',
                "{{model}} {{figure}}",
            ),
        ), kind="table"),
    ),
    "Labels": (
        Drawing("Labels", "Labels of known and of unknown predictions within an hour, by sender.", (
            Query("sum by (sender, label) (increase(lab_labels_total[1h]))", "{{sender}}, {{label}}"),
            Query("sum by (sender) (increase(lab_labels_unknown_total[1h]))", "{{sender}}, unknown prediction"),
        )),
        Drawing("Agreement with the model", "The share of labels that equal the decision, within six hours.", (
            Query("lab:labels_agreeing:6h / lab:labels:6h", "{{sender}}"),
        ), unit="percentunit"),
        Drawing("Contradictions", "Labels that differ from an earlier one, within an hour, by sender of both.", (
            Query(
                "sum by (sender, earlier) (increase(lab_labels_contradicting_total[1h]))", "{{sender}}, {{earlier}}",
            ),
        )),
    ),
    "Log and jobs": (
        Drawing("Lag", "How long the oldest unwritten line has waited.", (
            Query("max by (instance, log) (lab_log_lag_seconds)", "{{instance}} {{log}}"),
        ), unit="s", limit=10),
        Drawing("Lines", "Written a second, and waiting.", (
            Query(f"sum by (log) (rate(lab_log_written_lines_total[{RATE}]))", "{{log}}, written"),
            Query("sum by (log) (lab_log_waiting_lines)", "{{log}}, waiting"),
        )),
        Drawing("Failed, incomplete or removed lines", "Within the last hour; failing is 1 while no line is written.", (
            Query("sum by (log) (increase(lab_log_failed_lines_total[1h]))", "{{log}}, failed"),
            Query("sum by (log) (increase(lab_log_repaired_lines_total[1h]))", "{{log}}, torn"),
            Query("sum by (log) (increase(lab_log_lost_lines_total[1h]))", "{{log}}, removed"),
            Query("max by (instance, log) (lab_log_failing)", "{{instance}} {{log}}, failing"),
        )),
        Drawing("Memory", "The memory of the workers of a server.", (
            Query("sum by (instance) (lab_resident_bytes)", "{{instance}}"),
        ), unit="bytes"),
        Drawing("Age of the results", "Since the batch job wrote each file.", (
            Query("time() - max by (file) (lab_gauges_written_seconds)", "{{file}}"),
        ), unit="s", limit=26 * 3600),
        Drawing("Files and models that cannot be read", "By server.", (
            Query("max by (instance, file) (lab_gauges_unreadable)", "{{instance}} {{file}}"),
            Query("max by (instance, arm) (lab_model_refused)", "{{instance}} {{arm}}"),
        )),
        Drawing("Champion of the repository", "The model that should be served.", (
            Query(f"max by (version, fingerprint) (lab_champion{{{TASK}}})", "{{version}} {{fingerprint}}"),
        ), kind="table"),
    ),
}  # fmt: skip
