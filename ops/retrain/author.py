"""Who commits a proposal: the person or bot that git knows here, else a name that says what it is."""

from collections.abc import Mapping
from pathlib import Path

from ops.revisions.git import git

UNKNOWN = {"NAME": "retrain", "EMAIL": "retrain@localhost.invalid"}
SETTINGS = {"NAME": "user.name", "EMAIL": "user.email"}


def identity_of(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name the author and the committer; those that are set already win."""
    found = {}
    for part, setting in SETTINGS.items():
        done = git("config", "--get", setting, root=root, check=False)
        known = done.stdout.decode().strip() or UNKNOWN[part]
        for role in ("AUTHOR", "COMMITTER"):
            name = f"GIT_{role}_{part}"
            found[name] = environment.get(name) or known
    return found
