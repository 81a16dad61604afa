"""Set up the monitoring demo: a private clone of HEAD with its data and models."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.demo.sandbox import DemoError, Sandbox, check_new, environment_of
from ops.dvc.config import cache_folder, read_config, remote_urls, write_local_config
from ops.revisions.git import git, text_of


def sandbox_in(folder: Path, *, root: Path, log: Callable[[str], None]) -> Sandbox:
    """Return a clone of HEAD in a new folder, with data and models from this repository's cache or remote."""
    check_new(folder)
    commit = text_of("rev-parse", "HEAD", root=root)
    log(f"{folder}: a clone of HEAD ({commit[:8]}) with its outputs; this repository does not change")
    git("clone", "--quiet", "--no-checkout", str(root), str(folder))
    git("checkout", "--quiet", "-B", "main", commit, root=folder)
    git("remote", "remove", "origin", root=folder)
    sandbox = Sandbox(folder.resolve(), log, environment_of())
    _pull(sandbox, root)
    return sandbox


def _pull(sandbox: Sandbox, root: Path) -> None:
    remotes = _remotes_of(root)
    write_local_config(sandbox.work, cache={}, remotes=remotes)
    error = ""
    for name in remotes:
        pull = ["dvc", "pull", "--quiet", "--remote", name]
        done = subprocess.run(
            pull, cwd=sandbox.work, env=sandbox.environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
        error = done.stderr
    raise DemoError(
        f"The outputs of HEAD are neither in the cache nor on the remote: {error.strip()}. Cure: make repro"
    )


def _remotes_of(root: Path) -> Mapping[str, str]:
    """Return where outputs may be: this repository's cache, and its default remote."""
    default = read_config(root).get("core", {}).get("remote")
    there = {"there": remote_urls(root)[default]} if default else {}
    return {"here": str(cache_folder(root).resolve()), **there}
