"""Sign with an SSH key, and check signatures against the list of allowed signers."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.core.errors import LabError

NAMESPACE = "in-toto"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*")
FINGERPRINT = re.compile(r" key (\S+)$", flags=re.MULTILINE)


class SignatureError(LabError):
    """A key, a signature or the list of signers cannot be used."""


def sign(content: bytes, *, key: Path) -> bytes:
    """Return the signature of a content; ssh-keygen may ask the agent, or at the terminal for a passphrase."""
    done = _ssh_keygen("sign", "-f", str(key), given=content)
    if done.returncode:
        raise SignatureError(
            f"{key} does not sign: {_said(done)}. Cure: give a private key of SSH: "
            "ssh-keygen -t ed25519 -f FILE; then --key FILE"
        )
    return done.stdout


def names_in(allowed: Path) -> list[str]:
    """Return the names of the allowed signers, in the order of the file."""
    lines = allowed.read_text(encoding="utf-8").splitlines() if allowed.is_file() else []
    names = [line.split()[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise SignatureError(
            f'{allowed} names no signer, expected one a line. Cure: echo "NAME $(cat KEY.pub)" >> {allowed}'
        )
    if wrong := [name for name in names if not NAME.fullmatch(name)]:
        raise SignatureError(
            f"{allowed} has the name {wrong[0]!r}, expected a name or an address without a pattern. "
            "Cure: write one line for each signer."
        )
    return names


def signer_of(content: bytes, signature: Path, *, allowed: Path, key: Path) -> str:
    """Return the name of the key that signed."""
    done = _ssh_keygen("find-principals", "-s", str(signature), "-f", str(allowed))
    name = done.stdout.decode().strip().partition("\n")[0]
    if done.returncode or fingerprint(content, signature, name=name, allowed=allowed) is None:
        public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
        raise SignatureError(
            f"{allowed} does not allow {key} to sign, expected a line with its public key. "
            f'Cure: echo "NAME $(cat {public})" >> {allowed}'
        )
    return name


def fingerprint(content: bytes, signature: Path, *, name: str, allowed: Path) -> str | None:
    """Return the fingerprint of the signer's key; None where the signature does not fit name and content."""
    done = _ssh_keygen("verify", "-f", str(allowed), "-I", name, "-s", str(signature), given=content)
    found = FINGERPRINT.search(done.stdout.decode(errors="replace").strip())
    return found[1] if done.returncode == 0 and found else None


def _ssh_keygen(action: str, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    space: Sequence[str] = () if action == "find-principals" else ("-n", NAMESPACE)
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", action, *space, *arguments], input=given, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise SignatureError(
            "ssh-keygen was not found, expected it to sign and to check signatures. "
            "Cure: install OpenSSH 8.2 or newer (in Debian the package openssh-client)."
        ) from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").split("\n")
    return "; ".join(line.strip() for line in lines if line.strip() and not line.startswith("Signing"))
