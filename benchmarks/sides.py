"""Runs each side of a benchmark in a process of its own and prints the ratio."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

Measured = dict[str, Any]


def main(sides: dict[str, Callable[[], Measured]], figure: str, better: str = "higher") -> None:
    """Called with no argument: run all sides in turn and compare the first with the second by `figure`."""
    if len(sys.argv) > 1:
        print("RESULT " + json.dumps(sides[sys.argv[1]]()))
        return
    found = {name: _run(name) for name in sides}
    for name, measured in found.items():
        print(f"{name:>14}: " + ", ".join(f"{k} {_show(v)}" for k, v in measured.items()))
    first, second = list(found)[:2]
    print(
        f"ratio {first} / {second} in {figure}: {found[first][figure] / found[second][figure]:.2f} ({better} is better)"
    )


def _run(name: str) -> Measured:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run([sys.executable, sys.argv[0], name], stdout=subprocess.PIPE, text=True, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        sys.exit(f"the side {name} failed with exit code {done.returncode}")
    measured: Measured = json.loads(lines[-1].removeprefix("RESULT "))
    return measured


def _show(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def peak_gib() -> float:
    """Largest resident size of this process so far, GiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
