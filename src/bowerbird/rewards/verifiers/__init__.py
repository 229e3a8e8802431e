"""Which verifier a task gets, beside the oracle: hardened pytest and Harbor's own scripts."""

from bowerbird.rewards.verifiers.hardened import PytestVerifier
from bowerbird.rewards.verifiers.script import ScriptVerifier
from bowerbird.rewards.verifiers.task import TRUST, TaskVerifier, make_verifier, trust_key

__all__ = ["TRUST", "PytestVerifier", "ScriptVerifier", "TaskVerifier", "make_verifier", "trust_key"]
