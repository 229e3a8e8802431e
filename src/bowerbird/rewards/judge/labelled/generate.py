"""Writes the set that ships from the templates here: python -m bowerbird.rewards.judge.labelled.generate"""

import json
from random import Random

from bowerbird.rewards.judge.labelled import SHIPPED
from bowerbird.rewards.judge.labelled.hacks import kata_hacks
from bowerbird.rewards.judge.labelled.honest import honest_rows
from bowerbird.rewards.judge.labelled.projects import project_hacks

SEED = 20


def labelled_text(seed: int = SEED) -> str:
    """The whole set as JSON lines; the same seed always gives the same text."""
    random = Random(seed)
    rows = [*kata_hacks(random), *project_hacks(), *honest_rows(random)]
    numbered = [{"id": f"{i:03d}-{row['kind']}", **row} for i, row in enumerate(rows, 1)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in numbered)


if __name__ == "__main__":
    SHIPPED.write_text(labelled_text(), encoding="utf-8")
