"""`python -m ops compare BASE [HEAD]`: compare two revisions, and say which is better."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import click

from lab.core.result_files import json_bytes
from ops.compare.compare import compare_revisions
from ops.compare.document import document_of
from ops.compare.render import to_text
from ops.revisions.snapshot import WORKSPACE


@click.command()
@click.argument("base")
@click.argument("head", default=WORKSPACE)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON instead of tables.")
def compare(*, base: str, head: str, as_json: bool) -> None:
    r"""Compare two revisions: settings, data, code, metrics, gates, drift, experiment, plots.

    BASE and HEAD are branches, tags, commits or DVC experiments; HEAD is the working tree by default. Nothing is
    checked out, pulled or written: what git does not have (the predictions of the test window) is read from the cache,
    or else streamed from the remote. So it works in a fresh clone.

    \b
      python -m ops compare main              what did I change?
      python -m ops compare v1.0 experiment-7

    Each metric of the challenger is compared on the same rows of the test window, matched by their keys, with a paired
    test: better, worse, equivalent (the difference is too small to matter), not distinguishable (too few
    rows), or the same predictions. Significance and margins come from HEAD's params.yaml: abtest. If the test rows
    differ, only rows with equal labels and features are compared, and the output says so. Without predictions, plain
    differences are shown and called untested.

    \b
    Exit codes:
      0  HEAD is not found to be worse: better, equivalent, the same, not distinguishable, or untested (it says which)
      1  HEAD is worse by the primary metric (params.yaml: abtest.primary), a gate that decides newly fails, or more
         rows of a raw table changed than params.yaml: compare.most_rows_changed permits
      2  a usage error: no such revision, unreadable files
    """
    found = compare_revisions(base, head, say=lambda text: click.echo(f"… {text}", err=True))
    click.echo(json_bytes(document_of(found)).decode().rstrip() if as_json else to_text(found))
    raise SystemExit(1 if found.worse else 0)
