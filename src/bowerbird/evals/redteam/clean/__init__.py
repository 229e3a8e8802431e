"""Honest policies: ordinary, wrong, odd. No defence may object to any of them."""

from bowerbird.evals.redteam.attack import Attack
from bowerbird.evals.redteam.clean import answers, checks, files, habits, looks, manners, programs
from bowerbird.evals.redteam.clean.family import Family
from bowerbird.evals.redteam.solutions import solution_of

__all__ = ["CLEAN", "FAMILIES", "solution_of"]

FAMILIES: tuple[Family, ...] = (
    *answers.FAMILIES,
    *looks.FAMILIES,
    *checks.FAMILIES,
    *files.FAMILIES,
    *programs.FAMILIES,
    *habits.FAMILIES,
    *manners.FAMILIES,
)

CLEAN: tuple[Attack, ...] = tuple(attack for family in FAMILIES for attack in family.attacks())
