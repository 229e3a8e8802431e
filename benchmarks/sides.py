"""Runs each side of a benchmark in a process of its own and prints the ratio."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

Measured = dict[str, Any]


def main(
    sides: dict[str, Callable[[], Measured]],
    figure: str,
    better: str = "higher",
    pythons: Mapping[str, str] | None = None,
) -> None:
    """Called with no argument: run all sides in turn and compare the first with each of the others by `figure`.

    `pythons` names the interpreter of a side that lives in an environment of its own.
    """
    if len(sys.argv) > 1:
        print("RESULT " + json.dumps(sides[sys.argv[1]]()))
        return
    found = {name: _run(name, (pythons or {}).get(name, sys.executable)) for name in sides}
    for name, measured in found.items():
        print(f"{name:>14}: " + ", ".join(f"{k} {_show(v)}" for k, v in measured.items()))
    first, *others = found
    for other in others:
        ratio = found[first][figure] / found[other][figure]
        print(f"ratio {first} / {other} in {figure}: {ratio:.2f} ({better} is better)")


def _run(name: str, python: str) -> Measured:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run([python, sys.argv[0], name], stdout=subprocess.PIPE, text=True, env=environment)
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
