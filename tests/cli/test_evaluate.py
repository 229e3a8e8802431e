"""`bowerbird eval` over any endpoint, on a real socket, with the real sandbox."""

import json
import subprocess
import sys
from pathlib import Path

from bowerbird.evals.arms import FIXED
from bowerbird.scaffold.card import write_card
from bowerbird.tasks.katas import train_heldout_split
from tests.serving import serving

FAMILIES = ["add_constant", "square_plus", "sum_two_plus"]
HELDOUT = train_heldout_split(0, 1, 4, families=FAMILIES)[1]


def rule(asked: str) -> str:
    """Settings when asked for some; the right function; for one task a wrong one."""
    if "Better settings" in asked:
        assert '"select"' in asked, "an endpoint may know no grammar: what may be said is told"
        return write_card(FIXED)
    kata = next(kata for kata in HELDOUT if kata.view.instruction in asked or "That failed" in asked)
    return "```python\nx = 1\n```" if kata is HELDOUT[0] else f"```python\n{kata.solution}\n```"


def evaluate(*more: str) -> "subprocess.CompletedProcess[str]":
    settings = [
        "tasks.train=1",
        "tasks.heldout=4",
        f"tasks.families={json.dumps(FAMILIES)}",
        'eval.arms=["plain","own"]',
    ]
    words = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "bowerbird", "eval", *words, "--plain", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_model_behind_an_endpoint_is_evaluated(tmp_path: Path) -> None:
    with serving(rule) as url:
        done = evaluate("--endpoint", url, "--model", "m", "--out", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    arms = {arm["name"]: arm for arm in json.loads((tmp_path / "report.json").read_text())["arms"]}
    assert {name: arm["solved"]["mean"] for name, arm in arms.items()} == {"plain": 0.75, "own": 0.75}
    assert all(trial["card"] == write_card(FIXED) for trial in arms["own"]["trials"])
    assert all(trial["read"] > 0 for arm in arms.values() for trial in arm["trials"])


def test_an_endpoint_needs_the_models_name_and_takes_no_training(tmp_path: Path) -> None:
    assert "needs --model" in evaluate("--endpoint", "http://localhost:1/v1").stderr
    settings = ["--set", "sampler.engine=chat", "--set", "sampler.endpoint=http://localhost:1/v1"]
    (tmp_path / "empty.toml").write_text("")
    command = [sys.executable, "-m", "bowerbird", "train", str(tmp_path / "empty.toml"), *settings]
    done = subprocess.run([*command, "--runs", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "cannot be trained on" in done.stderr
