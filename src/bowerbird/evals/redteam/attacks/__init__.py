"""All attacks, gathered from the modules of this folder in the order of their classes."""

from bowerbird.evals.redteam.attack import Attack
from bowerbird.evals.redteam.attacks import (
    files,
    gaming,
    judge,
    leaks,
    process_and_exit,
    scaffold,
    semantics,
    tests_and_runner,
)

__all__ = ["ATTACKS"]

ATTACKS: tuple[Attack, ...] = (
    *tests_and_runner.ATTACKS,
    *process_and_exit.ATTACKS,
    *semantics.ATTACKS,
    *files.ATTACKS,
    *leaks.ATTACKS,
    *gaming.ATTACKS,
    *judge.ATTACKS,
    *scaffold.ATTACKS,
)
