"""Arms side by side: the same held-out tasks, the same seeds, the same budget of tokens.

plain   one sample, no scaffold
fixed   a card written by hand
react   the plainest agent: one loop over all tools
own     a scaffold that the policy writes for the task, paid for out of the same budget
archive the scaffold with the best record in the run's archive, of the task's category where there is one

and file:PATH, a scaffold out of a file, and harbor:NAME, an agent of Harbor's with the same model (`guests`).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from bowerbird.config import Config
from bowerbird.evals.guests import PREFIX, Guest, run_guests
from bowerbird.evals.report import EvalReport, Trial, arm_result
from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import Sampler
from bowerbird.orchestrator.grading import Grader
from bowerbird.orchestrator.jobs import no_scaffold, plain_job, scaffold_job
from bowerbird.orchestrator.progress import Watcher
from bowerbird.rewards.verifiers import TRUST, trust_key
from bowerbird.rollout.driver import Driver, Job
from bowerbird.rollout.seeds import derive
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.archive import Entry, best
from bowerbird.scaffold.card import Card, write_card
from bowerbird.scaffold.plan import one_loop
from bowerbird.scaffold.propose import proposal_request, read_proposal
from bowerbird.scaffold.written import from_file, hand_written
from bowerbird.tasks import TaskSet
from bowerbird.tasks.patch import Change, unified
from bowerbird.types import Outcome, Rollout, RunError, Scaffold, Verdict

FILE = "file:"  # before the path of a scaffold, in the name of an arm

FIXED = Card(
    decompose="none",
    max_steps=8,
    memory="last_k",
    k=1,
    view="full",
    on_error="retry",
    retries=1,
    verify="visible_tests",
    candidates=3,
    select="visible_pass",
    tools="run",
    temperature="mid",
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What an evaluation works with: the same rollout and rewards as training, under a frozen policy."""

    config: Config
    tasks: TaskSet
    chat: Chat
    sampler: Sampler
    sandbox: Sandbox
    pool: ThreadPoolExecutor
    grader: Grader
    archive: Sequence[Entry] = ()


def evaluate(bench: Bench, watcher: Watcher) -> EvalReport:
    """Every arm on every task. A scaffold that does not parse is a trial with reward 0."""
    arms = bench.config.eval.arms
    theirs = {name: _none(bench, name) for name in arms if name.startswith(PREFIX)}
    ours = {name: _scaffolds(bench, name) for name in arms if name not in theirs}
    rollouts = _ours(bench, ours, watcher) + _theirs(bench, theirs, watcher)
    nulls = {s.scaffold_id: _job(bench, name, s, 0) for name, own in ours.items() for s in own if s.invalid is None}
    arm_of = {s.scaffold_id: name for name, own in (ours | theirs).items() for s in own}
    by_id = {s.scaffold_id: s for own in (ours | theirs).values() for s in own}
    graded = bench.grader.grade(by_id, rollouts, bench.grader.nulls(nulls))
    trials: dict[str, list[Trial]] = {name: [] for name in arms}
    lost: dict[str, int] = dict.fromkeys(arms, 0)
    for rollout, found in zip(rollouts, graded, strict=True):
        arm = arm_of[rollout.scaffold_id]
        if found.verdict.outcome is Outcome.INFRA_ERROR:
            lost[arm] += 1
        else:
            trials[arm].append(_trial(bench, by_id[rollout.scaffold_id], rollout, found.verdict))
    for scaffold in by_id.values():
        if scaffold.invalid is not None:
            trials[arm_of[scaffold.scaffold_id]].append(_unusable(bench, scaffold))
    if any(lost.values()):
        watcher.says(f"warning: the machinery lost rollouts, which are no trials: {lost}")
    results = tuple(arm_result(name, trials[name], lost[name]) for name in arms)
    kinds = dict.fromkeys(trust_key(bench.tasks.spec(task_id)) for task_id in bench.tasks)
    trust = {kind: TRUST[kind] for kind in kinds}
    return EvalReport(bench.sampler.version, bench.config.rollout.token_budget, len(bench.tasks), results, trust)


def _ours(bench: Bench, scaffolds: Mapping[str, Sequence[Scaffold]], watcher: Watcher) -> list[Rollout]:
    """Arm beside arm on each task: what their prompts share is computed once."""
    jobs = [
        _job(bench, name, scaffold, k)
        for beside in zip(*scaffolds.values(), strict=True)
        for name, scaffold in zip(scaffolds, beside, strict=True)
        if scaffold.invalid is None
        for k in range(bench.config.eval.samples)
    ]
    driver = Driver(bench.sampler, bench.sandbox, bench.pool)
    return driver.run(jobs, lambda n: watcher.phase("evaluate", n, len(jobs)))


def _theirs(bench: Bench, scaffolds: Mapping[str, Sequence[Scaffold]], watcher: Watcher) -> list[Rollout]:
    """Agents of Harbor's, after our own: they ask the model one by one."""
    if not scaffolds:
        return []
    config, views = bench.config, bench.tasks.views
    guests = [
        Guest(
            f"guest-{i}-{j}-{k}",
            scaffold.scaffold_id,
            views[scaffold.task_id],
            name.removeprefix(PREFIX),
            config.rollout.token_budget,
            config.rollout.call_tokens,
            derive(config.seed, "eval", scaffold.task_id, k),
        )
        for i, (name, own) in enumerate(scaffolds.items())
        for j, scaffold in enumerate(own)
        for k in range(config.eval.samples)
    ]
    rollouts = run_guests(guests, bench.sampler, config.harbor, [Path(config.tasks.source)], watcher)
    if why := next((rollout.infra_error for rollout in rollouts if rollout.infra_error), None):
        watcher.says(f"warning: {why}")
    return rollouts


def _scaffolds(bench: Bench, arm: str) -> list[Scaffold]:
    """One scaffold for each task."""
    if arm.startswith(FILE):
        path = Path(arm.removeprefix(FILE))
        return [from_file(path, f"{arm}-{i}", t, bench.config.scaffold.tool_names) for i, t in enumerate(bench.tasks)]
    return _SCAFFOLDS[arm](bench)


def _none(bench: Bench, name: str = "plain") -> list[Scaffold]:
    return [no_scaffold(f"{name}-{i}", t) for i, t in enumerate(bench.tasks)]


def _fixed(bench: Bench) -> list[Scaffold]:
    return [hand_written(f"fixed-{i}", t, write_card(FIXED)) for i, t in enumerate(bench.tasks)]


def _react(bench: Bench) -> list[Scaffold]:
    names = bench.config.scaffold.tool_names
    text = one_loop(names).model_dump_json()
    return [hand_written(f"react-{i}", t, text, "plan", names) for i, t in enumerate(bench.tasks)]


def _archive(bench: Bench) -> list[Scaffold]:
    """Nothing of it was found on a held-out task: those are never trained on."""
    found = []
    for number, view in enumerate(bench.tasks.views.values()):
        entry = best(bench.archive, view.category)
        if entry is None:
            raise RunError("the archive is empty: leave the arm 'archive' out, or evaluate a run that has some steps")
        found.append(replace(entry.scaffold, scaffold_id=f"archive-{number}", task_id=view.task_id, parent_id=None))
    return found


def _own(bench: Bench) -> list[Scaffold]:
    """One scaffold a task, from the task alone, without exploration."""
    config, views = bench.config, list(bench.tasks.views.values())
    chosen = config.scaffold.model_copy(update={"temperature": config.eval.temperature})
    requests = [
        proposal_request(v, None, bench.chat, chosen, derive(config.seed, "eval", v.task_id), explore=0.0)
        for v in views
    ]
    done = bench.sampler.generate(requests)
    pairs = enumerate(zip(views, done, strict=True))
    return [read_proposal(f"own-{i}", v, None, c, bench.chat, config.scaffold) for i, (v, c) in pairs]


_SCAFFOLDS: Mapping[str, Callable[[Bench], list[Scaffold]]] = {
    "plain": _none,
    "fixed": _fixed,
    "react": _react,
    "own": _own,
    "archive": _archive,
}


def _job(bench: Bench, arm: str, scaffold: Scaffold, k: int) -> Job:
    config = bench.config
    seed, rollout_id = derive(config.seed, "eval", scaffold.task_id, k), f"{scaffold.scaffold_id}-{k}"
    if arm == "plain":
        return plain_job(bench, scaffold, rollout_id, seed, tokens=config.rollout.token_budget)
    return scaffold_job(config, bench, scaffold, rollout_id, seed, draw_all=False)


def _trial(bench: Bench, scaffold: Scaffold, rollout: Rollout, verdict: Verdict) -> Trial:
    task = bench.tasks.views[rollout.task_id]
    calls = (*((scaffold.completion,) if scaffold.completion else ()), *rollout.calls)
    tokens, read = sum(len(call.token_ids) for call in calls), sum(len(call.prompt_ids) for call in calls)
    outcome, failure = verdict.outcome.value, verdict.failure
    patch = unified(task.workspace, Change(rollout.submission)) if task.workspace else ""
    return Trial(task.task_id, task.category, verdict.reward, tokens, outcome, failure, scaffold.text, patch, read)


def _unusable(bench: Bench, scaffold: Scaffold) -> Trial:
    task = bench.tasks.views[scaffold.task_id]
    made = scaffold.completion
    tokens, read = (len(made.token_ids), len(made.prompt_ids)) if made else (0, 0)
    return Trial(task.task_id, task.category, 0.0, tokens, Outcome.VALID.value, "invalid", scaffold.text, "", read)
