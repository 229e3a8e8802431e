"""Plans and programs through the stages of training: proposed, rolled out, graded, credited; and what is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bowerbird.config import load_config
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.credit import credit, samples
from bowerbird.orchestrator.grading import Defences, Grader
from bowerbird.orchestrator.wave import Stages, Wave
from bowerbird.rewards.verifiers import make_verifier
from bowerbird.rollout.driver import Driver
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.archive import Archive
from bowerbird.scaffold.plan import REACT
from bowerbird.tasks import Loaded, TaskSet
from bowerbird.tasks.repos import RepoTask, generate
from bowerbird.types import Stage

PROGRAM = "def run(h):\n    h.write({path!r}, h.llm(h.task()['instruction']))\n    h.submit()\n"


def reply(task: RepoTask, tier: str) -> Callable[[Request], str]:
    """Half of the scaffolds are none; of the solutions every second is the mending."""
    path = next(name for name, data in task.solution.items() if data != task.view.workspace[name])
    mended = task.solution[path].decode()
    scaffold = REACT.model_dump_json() if tier == "plan" else PROGRAM.format(path=path)
    chat = byte_chat()

    def say(request: Request) -> str:
        asked = chat.decode(request.prompt_ids)
        if "Better p" in asked:
            return scaffold if request.sampling.seed % 2 else "no scaffold"
        right = mended if request.sampling.seed % 3 else "broken("
        if tier == "program":
            return right
        return "done" if f"wrote {path}" in asked else f"```write {path}\n{right}\n```"

    return say


@pytest.mark.parametrize("tier", ["plan", "program"])
def test_both_stages_are_credited(sandbox: Sandbox, tier: str) -> None:
    task, sibling = generate(0, 2, families=["tariff"], levels=["easy"])
    settings = [f"scaffold.tier={tier}", "scaffold.proposals=6", "rollout.per_scaffold=4", "scaffold.max_tokens=4000"]
    settings += ["scaffold.transplants=1"]
    settings += ["rollout.token_budget=100000", "rollout.call_tokens=8000", "rollout.calls=4", "rollout.actions=8"]
    config = load_config(None, settings)
    tasks, chat = TaskSet([Loaded(each.view, each.spec) for each in (task, sibling)]), byte_chat()
    with ThreadPoolExecutor(2) as pool:
        sampler = FakeSampler(chat, reply(task, tier))
        grader = Grader(tasks, sandbox, Defences(make_verifier("task", sandbox)), pool)
        wave = Wave(config, Stages(tasks, chat, sampler, sandbox, pool, grader), 1)
        driver = Driver(sampler, sandbox, pool)
        proposals = wave.proposals([(0, task.view)], Archive())
        scaffolds = wave.scaffolds(proposals, driver.call([p.request for p in proposals]))
        assert {s.invalid is None for s in scaffolds} == {True, False}
        rollouts = driver.run(wave.jobs(scaffolds))
        trials = wave.trials(scaffolds, rollouts)
    rewards = [verdict.reward for trial in trials for verdict in trial.verdicts]
    assert set(rewards) == {0.0, 1.0}, [verdict for trial in trials for verdict in trial.verdicts]
    assert all(trial.result.value == 0.0 for trial in trials if trial.scaffold.invalid)
    assert {trial.elsewhere for trial in trials if not trial.scaffold.invalid} == {0.0}, "the text of another task"
    assert all(trial.elsewhere is None for trial in trials if trial.scaffold.invalid)
    assert all(rollout.task_id == task.view.task_id for trial in trials for rollout in trial.rollouts)
    learned = samples(credit(trials), 1.0)
    assert {sample.stage for sample in learned} == {Stage.SCAFFOLD, Stage.SOLVE}
    assert any(sample.advantage > 0 for sample in learned)
