"""The clean set: what it holds, that it is deterministic, and that it is honest where we can tell."""

import ast
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from bowerbird.evals.redteam.attack import KINDS, Attack, Layer
from bowerbird.evals.redteam.clean import CLEAN, FAMILIES, solution_of
from bowerbird.evals.redteam.clean.family import fill
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.rewards import OracleVerifier, grade
from bowerbird.rollout.driver import Driver, Job
from bowerbird.rollout.shell import run_shell
from bowerbird.sandbox import Sandbox
from bowerbird.sandbox.decoys import CANARY, DECOYS
from bowerbird.tasks.katas import KataTask, family_names, generate
from bowerbird.types import Case, Outcome, Scaffold, TaskView

KATA = generate(seed=3, count=1, families=["caesar"])[0]
STRANGE = TaskView("strange/1", "odd", "Do something.", "", (), submission=("src/main.py", "notes/answer.txt"))
FOREIGN = TaskView("foreign/1", "odd", "Write f(x).", "f", (Case((1,), 2),))
BARE = TaskView("bare/1", "odd", "Do something.", "", (), submission=())


def test_there_are_enough_and_they_differ() -> None:
    assert len(CLEAN) >= 300
    assert len(FAMILIES) >= 40
    assert len({attack.id for attack in CLEAN}) == len(CLEAN)
    scripts = Counter(repr(attack.policy(KATA.view, Random(1))) for attack in CLEAN)
    assert len(scripts) >= 0.99 * len(CLEAN)


def test_they_are_declared_clean() -> None:
    for attack in CLEAN:
        assert (attack.number, attack.stopped_by) == (0, Layer.NONE)
        assert attack.against
        assert set(attack.against) <= set(KINDS)
    for kind in KINDS:
        assert sum(kind in attack.against for attack in CLEAN) >= 300
    assert 200 <= sum(attack.solves for attack in CLEAN) < len(CLEAN)


@pytest.mark.parametrize("task", [KATA.view, STRANGE, FOREIGN, BARE], ids=lambda task: task.task_id)
def test_every_policy_is_built_for_any_task(task: TaskView) -> None:
    for attack in CLEAN:
        policy = attack.policy(task, Random(attack.id))
        assert policy == attack.policy(task, Random(attack.id)), attack.id
        text = "\n".join((*policy.replies, *policy.opening, policy.scaffold_text))
        assert policy.replies, attack.id
        assert not any(f"@{name}@" in text for name in ("file", "module", "function", "asserts", "name", "solution"))
        assert all(reply.count("```sh") + reply.count("```bash") <= 1 for reply in policy.replies), attack.id
        assert max(map(len, policy.replies)) < 16_000, attack.id


def test_none_of_them_opens_what_is_withheld() -> None:
    withheld = {f"{folder}/{name}" for folder, files in DECOYS.items() for name in files}
    for attack in CLEAN:
        policy = attack.policy(KATA.view, Random(0))
        text = "\n".join((*policy.replies, *policy.opening))
        assert CANARY not in text
        if attack.id != "clean-word-paths":  # a comment that says what it does not read
            assert not [path for path in withheld if path in text], attack.id


def test_every_kata_family_is_known() -> None:
    for kata in generate(seed=1, count=len(family_names())):
        assert solution_of(kata.view) == {"solution.py": kata.solution}
    assert solution_of(FOREIGN) is None


def test_names_are_filled_in() -> None:
    filled = fill("@file@ @module@ @function@ @asserts@", FOREIGN, Random(0))
    assert filled == "solution.py solution f assert f(1) == 2"
    assert fill("@file@ @module@", STRANGE, Random(0)) == "src/main.py src.main"


def test_the_code_around_a_solution_is_python() -> None:
    for attack in CLEAN:
        source = _submitted(attack, KATA)
        if attack.solves and source is not None:
            ast.parse(source)
            assert f"def {KATA.view.entry_point}(" in source, attack.id


def _submitted(attack: Attack, kata: KataTask) -> str | None:
    """The last source that a policy writes in the plain way, if it does."""
    for reply in reversed(attack.policy(kata.view, Random(0)).replies):
        if "cat > 'solution.py' <<'BOWERBIRD_END'\n" in reply:
            return reply.split("<<'BOWERBIRD_END'\n")[1].split("\nBOWERBIRD_END")[0].lstrip("\ufeff")
    return None


def played(attack: Attack, kata: KataTask, sandbox: Sandbox) -> tuple[Outcome, float, str]:
    """Outcome, reward and objections of one policy in a real sandbox."""
    policy = attack.policy(kata.view, Random(attack.id))
    left, chat = iter(policy.replies), byte_chat()
    job = Job(
        attack.id,
        kata.view,
        "s",
        lambda n: run_shell(
            kata.view, policy.opening, chat, token_budget=1 << 20, call_tokens=1 << 20, turns=9, seed=n
        ),
    )
    scaffold = Scaffold("s", kata.view.task_id, "shell", policy.scaffold_text, {}, None, None, None, 0)
    with ThreadPoolExecutor(1) as pool:
        (rollout,) = Driver(FakeSampler(chat, lambda _: next(left, "done")), sandbox, pool).run([job])
    graded = grade(kata.view, kata.spec, scaffold, rollout, OracleVerifier(sandbox))
    return graded.verdict.outcome, graded.verdict.reward, f"{attack.id}: {graded.verdict.error} {graded.verdict.flags}"


@pytest.mark.sandbox
def test_one_of_each_family_passes_the_defences(sandbox: Sandbox) -> None:
    """A sample, a different one of each family for each kata; `bowerbird redteam` plays them all."""
    katas = generate(seed=7, count=5)
    chosen = []
    for number, family in enumerate(FAMILIES):
        if family.name not in ("loop", "flood"):  # those take as long as they may
            attacks = family.attacks()
            chosen.append((attacks[Random(family.name).randrange(len(attacks))], katas[number % len(katas)]))
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda pair: (*played(pair[0], pair[1], sandbox), pair[0].solves), chosen))
    assert len(ends) >= 60
    for outcome, reward, words, solves in ends:
        assert outcome is Outcome.VALID, words
        assert reward == 1.0 or not solves, words
