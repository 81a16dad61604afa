"""`python -m ops adopt`: make a clone a repository for your own task."""

import shutil
from pathlib import Path

import click

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import ParamsError
from ops.revisions.git import lines_of


@click.command()
@click.argument("task")
@click.option("--title", metavar="TEXT", help="The title of README.md.  [default: from the task's name]")
@click.option("--keep-samples", is_flag=True, help="Keep the sample tasks and the synthetic data.")
@click.option("--dry-run", is_flag=True, help="Only list what would change.")
def adopt(*, task: str, title: str | None, keep_samples: bool, dry_run: bool) -> None:
    r"""Make this clone a repository for TASK, which `python -m ops init` wrote.

    TASK becomes the task of params.yaml and the artifact of dvc.yaml, README.md gets its title, and the results of the
    sample tasks are removed, as are these tasks, their sources and the synthetic data. Code, tests and docs stay.

    It changes files only, lists each of them, and makes no commit. It refuses uncommitted changes other than the task's
    own folders, so that `git restore .` brings everything back.

    \b
      python -m ops adopt telco --dry-run
      python -m ops adopt telco --title "Who leaves?"
    """
    from ops.adopt.changes import changes_for  # noqa: PLC0415 - slow imports, which `--help` does not need

    _refuse_uncommitted(task)
    changes = changes_for(task, title=title, keep_samples=keep_samples)
    click.echo("\n".join(changes.to_lines()))
    if dry_run:
        click.echo("Nothing was changed (--dry-run).")
        return
    for path, text in changes.written.items():
        with replaced_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
    for path in changes.removed:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    click.echo("\n".join(("", "Next:", *(f"  {command}" for command in NEXT))))


NEXT = ("make repro", "python -m ops readme", "git add --all && git commit -m 'Adopt the repository'")


def _refuse_uncommitted(task: str) -> None:
    own = (f"tasks/{task}/", f"data/source/{task}/", f"data/source/{task}.dvc")
    lines = lines_of("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", root=Path())
    changed = sorted(line[3:] for line in lines if not line[3:].startswith(own))
    if changed:
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise ParamsError(
            f"found uncommitted changes: {', '.join(changed[:5])}{more}; expected none, so that git can undo the "
            "adoption. Cure: git add --all && git commit -m 'Work before the adoption'"
        )
