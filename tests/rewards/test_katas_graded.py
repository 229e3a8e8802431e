"""Every kata under the real verifier: its solution earns 1; nothing, and each of its cheats, earns 0.

The first rounds of `generate` take one variant of every family, so no family can be missed.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bowerbird.rewards import OracleVerifier
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.tasks.katas import KataTask, family_names, generate

KATAS = generate(seed=0, count=len(family_names()))


def test_every_family_is_graded() -> None:
    assert {kata.view.category for kata in KATAS} == set(family_names())
    assert len(KATAS) >= 60


@pytest.mark.sandbox
@pytest.mark.parametrize("kata", KATAS, ids=[kata.view.task_id for kata in KATAS])
def test_oracle_one_empty_zero_cheats_zero(sandbox: Sandbox, kata: KataTask) -> None:
    verifier = OracleVerifier(sandbox)

    def graded(source: str) -> tuple[float, str | None]:
        result = verifier.verify(kata.spec, {"solution.py": source.encode()})
        return result.reward, result.failure

    assert kata.cheats
    with ThreadPoolExecutor(4) as pool:  # as in a run: one sandbox back end, many threads
        solution, empty, *cheats = pool.map(graded, [kata.solution, "", *kata.cheats])
    assert solution == (1.0, None)
    assert empty == (0.0, "no_code")
    assert [reward for reward, _ in cheats] == [0.0] * len(kata.cheats)
