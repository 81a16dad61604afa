"""`python -m benchmarks`: measure every figure, one after another."""

import subprocess
import sys

BENCHMARKS = ("pipeline", "featurize", "world", "verify", "report")


def main() -> None:
    for name in BENCHMARKS:
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
