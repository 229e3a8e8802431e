"""The tasks that ship hold: the author's solution earns 1, every cheat earns 0."""

from pathlib import Path

import pytest

import bowerbird.tasks
from bowerbird.rewards.verifiers import make_verifier
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.tasks import load_reference, load_task, load_tasks

PACKS = Path(bowerbird.tasks.__file__).parent / "packs"


def test_one_of_each_kind_beside_the_oracle() -> None:
    tasks = load_tasks(PACKS)
    assert {tasks.spec(name).kind: name for name in tasks} == {"pytest": "packs/ledger", "script": "packs/tally"}
    for view in tasks.views.values():
        assert view.submission == ("solution.py",)
        assert view.workspace
        assert "Write it to" not in view.instruction


@pytest.mark.sandbox
@pytest.mark.parametrize("name", ["ledger", "tally"])
def test_the_solution_earns_one_and_every_cheat_nothing(sandbox: Sandbox, name: str) -> None:
    spec, reference = load_task(PACKS / name).spec, load_reference(PACKS / name)
    verifier = make_verifier("task", sandbox)
    assert reference.solution is not None
    right = verifier.verify(spec, {"solution.py": reference.solution.encode()})
    assert (right.reward, right.failure, right.signs) == (1.0, None, ())
    assert len(reference.cheats) >= 3
    for cheat, source in reference.cheats.items():
        assert verifier.verify(spec, {"solution.py": source.encode()}).reward == 0.0, cheat
