"""Terminus-2, unchanged, as an arm of ours: Harbor runs it in our sandbox against our model, and our verifier grades.

BOWERBIRD_HARBOR=/path/to/its/bin/harbor pytest tests/evals/harbor
"""

import json
import os
from pathlib import Path

import pytest

import bowerbird
from bowerbird.config import HarborConfig
from bowerbird.evals.guests import Guest, run_guests
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.progress import Silent
from bowerbird.tasks.katas import generate

HARBOR = os.environ.get("BOWERBIRD_HARBOR", "")
CHAT = byte_chat()
KATA = generate(0, 1, families=["clamp"])[0]


def says(commands: list[str], done: bool) -> str:
    typed = [{"keystrokes": command, "duration": 0.5} for command in commands]
    return json.dumps({"analysis": "a", "plan": "p", "commands": typed, "task_complete": done})


def model(request: Request) -> str:
    """Writes the solution in one turn, and says that it is done in the two that follow."""
    asked = CHAT.decode(request.prompt_ids)
    if "New Terminal Output" in asked:
        return says([], True)
    return says([f"cat > solution.py <<'X'\n{KATA.solution}\nX\n"], False)


@pytest.mark.skipif(not HARBOR, reason="Harbor lives in an environment of its own: BOWERBIRD_HARBOR")
def test_terminus_works_in_our_sandbox_within_our_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(bowerbird.__file__).parents[1]))
    settings = HarborConfig(python=str(Path(HARBOR).parent / "python"))
    tokens = {"enough": 20_000, "short": 60, "none": 1}
    guests = [Guest(name, name, KATA.view, "terminus-2", most, 1024, 0) for name, most in tokens.items()]
    unknown = Guest("unknown", "unknown", KATA.view, "no-such-agent", 100, 64, 0)
    found = {r.rollout_id: r for r in run_guests([*guests, unknown], FakeSampler(CHAT, model), settings, [], Silent())}
    assert found["enough"].submission["solution.py"].strip() == KATA.solution.strip().encode()
    assert (found["enough"].infra_error, len(found["enough"].calls)) == (None, 3)
    for name in ("short", "none"):
        assert found[name].infra_error is None
        assert sum(len(call.token_ids) for call in found[name].calls) == tokens[name]
        assert found[name].submission == {}
    assert "no-such-agent" in (found["unknown"].infra_error or "")
