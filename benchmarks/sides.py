"""Runs each side of a benchmark in a process of its own and prints the ratio."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

Measured = dict[str, Any]
_SOURCE = Path(__file__).resolve().parents[1] / "src"


def main(
    sides: dict[str, Callable[[], Measured]],
    figure: str,
    better: str = "higher",
    pythons: Mapping[str, str] | None = None,
    rounds: int = 1,
) -> None:
    """Called with no argument: run all sides in turn and compare the first with each of the others by `figure`.

    `pythons` names the interpreter of a side that lives in an environment of its own. With several `rounds` the ratio
    is the median of the rounds' ratios: a machine whose speed drifts is about as fast for both sides of one round.
    A side reads the round's number from ROUND.
    """
    if len(sys.argv) > 1:
        print("RESULT " + json.dumps(sides[sys.argv[1]]()))
        return
    found = [_round(number, sides, pythons or {}) for number in range(rounds)]
    first, *others = sides
    for other in others:
        ratios = sorted(measured[first][figure] / measured[other][figure] for measured in found)
        spread = f", {ratios[0]:.2f} to {ratios[-1]:.2f} in {rounds} rounds" if rounds > 1 else ""
        print(f"ratio {first} / {other} in {figure}: {median(ratios):.2f}{spread} ({better} is better)")


def _round(number: int, sides: Mapping[str, Callable[[], Measured]], pythons: Mapping[str, str]) -> dict[str, Measured]:
    """Every side once, each printed as it ends."""
    found = {}
    for name in sides:
        found[name] = _run(name, pythons.get(name, sys.executable), number)
        print(f"{name:>14}: " + ", ".join(f"{k} {_show(v)}" for k, v in found[name].items()), flush=True)
    return found


def _run(name: str, python: str, number: int) -> Measured:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "ROUND": str(number)}
    if python != sys.executable:
        environment["PYTHONPATH"] = str(_SOURCE)  # it has what Bowerbird needs there, and not Bowerbird
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
