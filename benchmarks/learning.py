"""What tokens teach when they are old: held-out tasks solved after as many trained tokens, by three ways of training.

`fresh` is the synchronous loop, where every token is of the newest policy. `weighted` and `even` are the asynchronous
loop with ages up to 4: with the staleness weight of the recipes (lambda 0.5 beyond age 2), and with full weight at
every age. Same model, tasks, seed and number of steps; `trained` says how many tokens those were. The figure is the
share of held-out tasks solved by the model's own cards; its interval is clustered by task.

SEEDS gives the seeds, each a round; KEEP a folder for the runs, where one that is there already is not run again.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean

import sides

from bowerbird.config import load_config
from bowerbird.evals.report import load_report
from bowerbird.evals.session import train_and_evaluate
from bowerbird.orchestrator.progress import Silent, StepReport

RECIPE = Path(__file__).parent.parent / "recipes" / "demo.toml"
STEPS = int(os.environ.get("STEPS", "12"))
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "0 1 2").split()]
SETTINGS = [
    f"steps={STEPS}",
    "tasks.heldout=128",
    "scaffold.proposals=4",
    "curriculum.tasks_per_step=4",
    'eval.arms=["plain", "own"]',
    "eval.before=false",
    "pipeline.max_age=4",
]


class Told(Silent):
    """A line a step."""

    def step(self, report: StepReport) -> None:
        told = f"step {report.step}: reward {report.reward:.2f}, mean age {report.mean_age:.1f}, {report.seconds:.0f} s"
        print(told, file=sys.stderr, flush=True)


def learned(name: str, *more: str) -> sides.Measured:
    seed = SEEDS[int(os.environ["ROUND"])]
    name = f"{name}-{seed}"
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(os.environ.get("KEEP", folder))
        if not (runs / name / "eval-after.json").exists():
            config = load_config(RECIPE, [*SETTINGS, f"name={name}", f"seed={seed}", *more])
            there = (runs / name).exists()
            train_and_evaluate(config, runs, Told(), resume=runs / name if there else None)
        rows = [json.loads(line) for line in (runs / name / "metrics.jsonl").read_text().splitlines()]
        arms = {arm.name: arm.solved for arm in load_report(runs / name / "eval-after.json").arms}
    own, plain = arms["own"], arms["plain"]
    return {
        "solved": own.mean,
        "interval": f"[{own.low:.3f}, {own.high:.3f}]",
        "plain": plain.mean,
        "reward": mean(row["reward"] for row in rows[-4:]),
        "trained": sum(row["tokens_learned"] for row in rows),
        "mean age": mean(row["mean_age"] for row in rows),
        "oldest": max(row["max_age"] for row in rows),
        "effective": mean(row["effective"] for row in rows),
    }


def fresh() -> sides.Measured:
    return learned("fresh", 'loop="sync"')


def weighted() -> sides.Measured:
    return learned("weighted", 'loop="async"')


def even() -> sides.Measured:
    return learned("even", 'loop="async"', "algo.k1=6")


if __name__ == "__main__":
    sides.main({"weighted": weighted, "fresh": fresh, "even": even}, "solved", rounds=len(SEEDS))
