"""A generated pack of small Python function tasks of our own writing, in graded difficulty."""

from bowerbird.tasks.katas.build import KataTask
from bowerbird.tasks.katas.generate import Pool, capacity, family_names, generate, train_heldout_split
from bowerbird.tasks.katas.pack import read_pack, write_pack

__all__ = [
    "KataTask",
    "Pool",
    "capacity",
    "family_names",
    "generate",
    "read_pack",
    "train_heldout_split",
    "write_pack",
]
