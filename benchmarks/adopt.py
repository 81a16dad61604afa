"""`python -m benchmarks.adopt`: adopt a clone for a foreign table, and test it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
PYTHON = (sys.executable, "-m")
STEPS = {
    "init": (*PYTHON, "ops", "init", "../Kunden 2024.csv", "--target", "Gekündigt?", "--name", "kunden"),
    "adopt": (*PYTHON, "ops", "adopt", "kunden", "--title", "Kündigungen"),
    "repro": ("make", "repro"),
    "readme": (*PYTHON, "ops", "readme"),
    "add": ("git", "add", "--all"),
    "commit": ("git", "commit", "--quiet", "--message", "Adopt the repository"),
    "tag": ("git", "tag", "--annotate", "--message", "First", "kunden@v1.0.0"),
    "artifact": ("dvc", "artifacts", "get", ".", "kunden", "--out", "../model"),
    "check": ("make", "check"),
    "reproduce": ("make", "reproduce"),
    "fast tests": ("make", "quick"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Kunden 2024.csv").write_text(foreign_csv(rows=1500), encoding="utf-8-sig")
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        (clone / ".venv").symlink_to(ROOT / ".venv")
        failed = [name for name, command in STEPS.items() if not succeeds(name, command, clone)]
    sys.stdout.write(f"failed: {', '.join(failed) or 'nothing'}\n")
    raise SystemExit(bool(failed))


def succeeds(name: str, command: tuple[str, ...], clone: Path) -> bool:
    """Run a step, print the end of its output, and return whether it succeeded."""
    done = subprocess.run(command, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    sys.stdout.write(f"== {name}: exit {done.returncode}\n{done.stdout[-3000:]}\n")
    sys.stdout.flush()
    return done.returncode == 0


def foreign_csv(*, rows: int) -> str:
    """Return a table with semicolons, decimal commas, umlauts and blanks in names, and a weak signal."""
    rng = np.random.default_rng(5)
    age, fee, zones = rng.integers(18, 86, rows), rng.normal(50, 15, rows), rng.choice([1, 2, 3, 5], rows)
    contract = rng.choice(["Monat", "Jahr", "2 Jahre"], rows)
    chance = 1 / (1 + np.exp(2 - 1.5 * (contract == "Monat") - (50 - age) / 30 - (fee - 50) / 20))
    left = np.where(rng.random(rows) < chance, "ja", "nein")
    lines = [
        f"{10000 + i};{age[i]};{fee[i]:.2f};{zones[i]};{contract[i]};{left[i]}".replace(".", ",") for i in range(rows)
    ]
    return "\n".join(["Kunden Nr;Alter;Beitrag €;Zonen;Vertragsart;Gekündigt?", *lines, ""])


if __name__ == "__main__":
    main()
