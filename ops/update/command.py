"""`python -m ops update`: merge a later version of the template into your own repository."""

import subprocess
import sys
from pathlib import Path

import click

from lab.core.command import FAILED, leave
from ops.revisions.git import git, lines_of, text_of
from ops.update.merge import UpdateError, merge_version

RUN = (["make", "repro"], [sys.executable, "-m", "ops", "readme"])


@click.command()
@click.argument("remote")
@click.argument("ref", default="main")
@click.option("--leave-conflicts", is_flag=True, help="Leave conflicts in the working tree, for you to decide.")
@click.option("--merge-only", is_flag=True, help="Merge, and run no stage.")
def update(*, remote: str, ref: str, leave_conflicts: bool, merge_only: bool) -> None:
    r"""Merge the branch or tag REF of REMOTE, and run what changed.

    REMOTE is a name, URL or path of the repository that yours was cloned from. Tasks, sources, champion.yaml, dvc.lock
    and results stay yours. What `python -m ops adopt` removed or edited stays so, with the changes of the new version.
    All other files are merged by git. The merge is committed; then `make repro` and `python -m ops readme` run with the
    new code and the new pins. Their results are left for you to look at and commit.

    A conflict in a file that you and the new version both changed undoes the merge, and names the file.

    \b
      python -m ops update origin
      python -m ops update https://example.org/template.git v0.2.0 --merge-only
    """
    _refuse_changes()
    git("fetch", "--quiet", "--no-tags", "--end-of-options", remote, ref)
    commit = text_of("rev-parse", "FETCH_HEAD")
    if git("merge-base", "--is-ancestor", commit, "HEAD", check=False).returncode == 0:
        click.echo(f"Nothing to update: this repository has {ref} ({commit[:12]}) already.")
        return
    before = text_of("rev-parse", "HEAD")
    again = f"python -m ops update {remote} {ref} --leave-conflicts"
    merge_version(commit, name=ref, to_decide=None if leave_conflicts else again)
    click.echo(f"Merged {ref} ({commit[:12]}). To undo it: git reset --hard {before[:12]}")
    for command in () if merge_only else RUN:
        if subprocess.run(command, check=False).returncode:
            leave(f"The merge is committed, but a command failed: {' '.join(command)}", code=FAILED)
    done = "python -m ops report" if not merge_only else "make repro, then python -m ops readme"
    click.echo(f"Next: {done}, then git add --all && git commit -m 'Update the results'")


def _refuse_changes() -> None:
    if changed := lines_of("status", "--porcelain", "-z", "--no-renames", root=Path()):
        shown = ", ".join(line[3:] for line in changed[:5])
        raise UpdateError(
            f"found uncommitted changes: {shown}; expected none, so that a merge can be undone. "
            "Cure: git add --all && git commit -m 'Work before the update'"
        )
