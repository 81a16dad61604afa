"""`python -m ops attest`: sign the bytes of a version, or count who signed them."""

import tempfile
from functools import partial
from pathlib import Path

import click

from lab.core.atomic_outputs import replaced_file
from lab.core.command import FAILED, leave
from lab.core.errors import SourceError
from ops.attest.signatures import SignatureError, fingerprint, names_in, sign, signer_of
from ops.attest.statement import changed_here, statement_of, subjects_of
from ops.registry.tags import Tag, read_registry
from ops.registry.task import task_of
from ops.revisions.git import git

FOLDER = Path("attestations")
ALLOWED = FOLDER / "allowed_signers"
STATEMENT = "statement.json"


@click.command()
@click.argument("tag", required=False)
@click.option("--verify", "only_verify", is_flag=True, help="Sign nothing; say which signers got the same bytes.")
@click.option("--least", type=click.IntRange(min=1), default=1, show_default=True, help="--verify: fail below this.")
@click.option("--key", type=click.Path(path_type=Path), help="Your SSH key.  [default: git's user.signingkey]")
@click.option(
    "--rebuild/--no-rebuild",
    default=True,
    show_default=True,
    help="Sign only after a clone of TAG gave the same bytes.",
)
def attest(*, tag: str | None, only_verify: bool, least: int, key: Path | None, rebuild: bool) -> None:
    r"""Run version TAG again in a temporary clone, and sign the SHA-256 of its model, metrics and lock.

    attestations/TAG/ gets an in-toto statement with SLSA provenance, and one signature for each signer. The statement
    holds no clock, host or path: everybody who gets the same bytes signs the same statement.
    attestations/allowed_signers has the public keys. Commit all of them.

    \b
    Sign the newest version (as long as the DAG takes):
      python -m ops attest --key ~/.ssh/id_ed25519
    Sign what `make reproduce` has just proved here:
      python -m ops attest churn@v1.0.0 --no-rebuild
    Check, without a network, that two persons got the bytes that this clone has:
      python -m ops attest --verify churn@v1.0.0 --least 2

    Exit 0; 1 when the bytes differ, or fewer signers than --least signed them; 2 on a mistake, such as a signature that
    does not fit.
    """
    root = Path()
    version = _version(tag, root=root)
    folder = FOLDER / version.name
    if only_verify:
        _verify(version, folder, least=least, root=root)
        return
    names_in(ALLOWED)
    path = _key(key)
    statement = _statement(version, folder, root=root)
    if rebuild:
        _rebuild(version, root=root)
    name = _write(statement, folder, key=path)
    click.echo(f"SIGNED {version.name} as {name}: {folder / name}.sig. Commit {folder}.")


def _version(tag: str | None, *, root: Path) -> Tag:
    task = tag.partition("@")[0] if tag else task_of(root)
    versions = list(read_registry(task, root=root).versions.values())
    found = [version for version in versions if tag in {None, version.name}]
    if not found:
        known = [version.name for version in versions]
        raise SourceError(
            f"{tag or task} is no registered version, expected one of {known}. "
            "Cure: git fetch --tags; python -m ops promote --register makes a version."
        )
    return found[-1]


def _verify(version: Tag, folder: Path, *, least: int, root: Path) -> None:
    names = names_in(ALLOWED)
    path = folder / STATEMENT
    statement = path.read_bytes() if path.is_file() else b""
    signed = {name: _checked(statement, folder / f"{name}.sig") for name in names if (folder / f"{name}.sig").is_file()}
    if statement:
        _statement(version, folder, root=root)
    # One key under two names is one signer.
    signers = {key: name for name, key in sorted(signed.items(), reverse=True)}
    lacking = sorted(set(names) - set(signed))
    said = f"{version.name}: {len(signers)} of {len(names)} signers got the bytes that are here"
    said += f": {', '.join(sorted(signers.values()))}" if signers else ""
    said += f"; without a signature: {', '.join(lacking)}" if lacking else ""
    if len(signers) < least:
        leave(f"{said}. Expected {least} or more.", code=FAILED)
    click.echo(said)


def _checked(statement: bytes, signature: Path) -> str:
    found = fingerprint(statement, signature, name=signature.stem, allowed=ALLOWED)
    if found is None:
        raise SignatureError(
            f"{signature} does not fit {signature.with_name(STATEMENT)} and the key of {signature.stem} in {ALLOWED}. "
            f"Cure: git checkout {FOLDER}, or remove it and let {signature.stem} sign again"
        )
    return found


def _statement(version: Tag, folder: Path, *, root: Path) -> bytes:
    """Return the statement in attestations/, or a new one; leave where it is not about the bytes that are here."""
    fresh, path = statement_of(version, root=root), folder / STATEMENT
    here = subjects_of(fresh, where=path)
    if changed := changed_here(version, here, root=root):
        raise SourceError(
            f"{', '.join(changed)}: found other bytes in the working tree than at {version.name}. "
            "Cure: git checkout dvc.lock metrics; dvc checkout --force models/champion"
        )
    if not path.is_file():
        return fresh
    there = subjects_of(path.read_bytes(), where=path)
    if differing := sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name)):
        leave(f"{version.name}: NOT THE SAME BYTES as in {path}: {', '.join(differing)}", code=FAILED)
    return path.read_bytes()


def _rebuild(version: Tag, *, root: Path) -> None:
    from ops.verify.check import to_text  # noqa: PLC0415 - only here, and it imports DVC
    from ops.verify.rebuild import everything_is_derived  # noqa: PLC0415 - as above
    from ops.verify.state import State  # noqa: PLC0415 - as above

    check = everything_is_derived(State(root), revision=version.name, say=partial(click.echo, err=True))
    if not check.passed:
        leave(f"{to_text([check])}\n{version.name}: NOT SIGNED", code=FAILED)


def _key(given: Path | None) -> Path:
    named = str(given or git("config", "--get", "user.signingkey", check=False).stdout.decode().strip())
    path = Path(named).expanduser()
    if not named or not path.is_file():
        raise SignatureError(
            f"found no SSH key {named or 'in user.signingkey of git'}, expected a file. "
            "Cure: ssh-keygen -t ed25519 -f FILE makes one; then --key FILE"
        )
    return path


def _write(statement: bytes, folder: Path, *, key: Path) -> str:
    signature = sign(statement, key=key)
    with tempfile.TemporaryDirectory() as temporary:
        new = Path(temporary) / "signature"
        new.write_bytes(signature)
        name = signer_of(statement, new, allowed=ALLOWED, key=key)
    for path, content in ((folder / STATEMENT, statement), (folder / f"{name}.sig", signature)):
        with replaced_file(path) as partial_file:
            partial_file.write_bytes(content)
    return name
