"""Which verifier a task gets, and what is said of how far it can be trusted."""

import pytest

from bowerbird.rewards.naive import NaiveVerifier
from bowerbird.rewards.verifiers import TRUST, TaskVerifier, make_verifier, trust_key
from bowerbird.sandbox import FakeSandbox
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.types import ConfigError, TaskError, VerifierSpec
from tests.rewards.records import ADD, spec


@pytest.mark.sandbox
def test_each_kind_goes_to_its_verifier(sandbox: Sandbox) -> None:
    verifier = make_verifier("task", sandbox)
    tests = {"tests/test_it.py": b"from solution import add\ndef test_add(): assert add(1, 2) == 3\n"}
    script = {"tests/test.sh": b"grep -q return solution.py && echo 1 > /logs/verifier/reward.txt\n"}
    for task in (
        spec(),
        VerifierSpec("t", "pytest", "", (), 30.0, tests, expected_tests=("test_it.py::test_add",)),
        VerifierSpec("t", "script", "", (), 30.0, script),
    ):
        assert verifier.verify(task, {"solution.py": ADD}).reward == 1.0


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TaskError, match="'guess'; known ones: oracle, pytest, script"):
        TaskVerifier(FakeSandbox()).verify(spec(kind="guess"), {"solution.py": ADD})


def test_verifiers_by_the_name_a_configuration_gives() -> None:
    assert isinstance(make_verifier("task", FakeSandbox()), TaskVerifier)
    for how in ("exit", "stdout", "pytest"):
        assert isinstance(make_verifier(f"naive-{how}", FakeSandbox()), NaiveVerifier)
    for wrong in ("exit", "naive-", "naive-guess", "oracle", ""):
        with pytest.raises(ConfigError, match="naive-stdout"):
            make_verifier(wrong, FakeSandbox())


def test_every_kind_has_a_sentence() -> None:
    assert all("." not in text.rstrip(".").replace("test.sh", "") for text in TRUST.values()), "one sentence each"
    for task in (spec(), spec(kind="pytest"), spec(kind="pytest", isolation="none"), spec(kind="script")):
        assert trust_key(task) in TRUST
