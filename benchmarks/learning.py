"""What tokens teach when they are old: held-out tasks solved after as many trained tokens, by three ways of training.

`fresh` is the synchronous loop, where every token is of the newest policy. `weighted` and `even` are the asynchronous
loop with ages up to 4: with the staleness weight of the recipes (lambda 0.5 beyond age 2), and with full weight at
every age. Their checks and verifications take their time, as in pipeline.py: without it a small model on one machine is
never older than an update or two. Same model, tasks, seed and number of steps; `trained` says how many tokens those
were. The figure is the share of held-out tasks solved by the model's own cards; its interval is clustered by task.

STEPS says how many, SEEDS gives the seeds, each a round; KEEP a folder for the runs, where one that was broken off goes
on, and one that is there already is not run again.
"""

import json
import os
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import mean

import sides
from pipeline import dawdle

from bowerbird.config import load_config
from bowerbird.evals.report import load_report, save_report
from bowerbird.evals.session import evaluate_run, train_and_evaluate
from bowerbird.orchestrator.progress import Silent, StepReport
from bowerbird.sandbox import NO_BASE, Base, LocalSandbox, Workspace

RECIPE = Path(__file__).parent.parent / "recipes" / "demo.toml"
STEPS = int(os.environ.get("STEPS", "8"))
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "0 1 2").split()]
SETTINGS = [
    f"steps={STEPS}",
    "tasks.heldout=128",
    "scaffold.proposals=4",
    "curriculum.tasks_per_step=4",
    "sandbox.workers=64",
    'eval.arms=["own"]',
    "eval.before=false",
    "eval.after=false",
    "pipeline.max_age=4",
]
ASYNC = ("loop=async", f"sandbox.backend={Path(__file__).stem}:SlowTools")


class SlowTools(LocalSandbox):
    """Whose workspaces take their time to open."""

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE) -> Workspace:
        dawdle({**base.files, **files})
        return super().open(files, protected=protected, base=base)


class Told(Silent):
    """A line a step."""

    def step(self, report: StepReport) -> None:
        told = f"step {report.step}: reward {report.reward:.2f}, mean age {report.mean_age:.1f}, {report.seconds:.0f} s"
        print(told, file=sys.stderr, flush=True)


def learned(name: str, *more: str) -> sides.Measured:
    seed = SEEDS[int(os.environ["ROUND"])]
    config = load_config(RECIPE, [*SETTINGS, f"name={name}-{seed}", f"seed={seed}", *more])
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(os.environ.get("KEEP", folder))
        run, report = runs / config.name, runs / f"{config.name}.json"
        if not report.exists():
            train_and_evaluate(config, runs, Told(), resume=run if run.exists() else None)
            quick = config.model_copy(update={"sandbox": config.sandbox.model_copy(update={"backend": "local"})})
            save_report(evaluate_run(run, quick, Told()), report)
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        (own,) = (arm.solved for arm in load_report(report).arms)
    return {
        "solved": own.mean,
        "interval": f"[{own.low:.3f}, {own.high:.3f}]",
        "reward": mean(row["reward"] for row in rows[-4:]),
        "trained": sum(row["tokens_learned"] for row in rows),
        "mean age": mean(row["mean_age"] for row in rows),
        "oldest": max(row["max_age"] for row in rows),
        "effective": mean(row["effective"] for row in rows),
    }


def fresh() -> sides.Measured:
    return learned("fresh", 'loop="sync"')


def weighted() -> sides.Measured:
    return learned("weighted", *ASYNC)


def even() -> sides.Measured:
    return learned("even", *ASYNC, "algo.k1=6")


if __name__ == "__main__":
    sides.main({"weighted": weighted, "fresh": fresh, "even": even}, "solved", rounds=len(SEEDS))
