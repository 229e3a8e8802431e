"""Small repositories with seeded bugs: real-shaped packages of our own, mutated, with visible and hidden tests.

generate(seed=0, count=200) gives tasks that need no container: a workspace of files, and a pytest verifier.
"""

from bowerbird.tasks.repos.build import LEVELS, RepoTask, generate
from bowerbird.tasks.repos.family import FAMILIES, Family, load_family

__all__ = ["FAMILIES", "LEVELS", "Family", "RepoTask", "generate", "load_family"]
