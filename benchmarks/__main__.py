"""`python -m benchmarks [NAME …]`: measure all figures, or the named ones."""

import subprocess
import sys

BENCHMARKS = ("pipeline", "featurize", "world", "verify", "report")


def main(arguments: list[str]) -> int:
    if arguments:
        return subprocess.run(
            [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]], check=False
        ).returncode
    for name in BENCHMARKS:
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
