"""One whole job of Harbor's official CLI: our agent, our sandbox, Harbor's grading.

BOWERBIRD_HARBOR=/path/to/its/bin/harbor pytest tests/evals/harbor
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

import bowerbird
from bowerbird.evals.arms import FIXED
from bowerbird.scaffold.card import write_card
from bowerbird.tasks.katas import generate
from bowerbird.tasks.loaded import Loaded
from bowerbird.tasks.write import write_task
from tests.serving import serving

HARBOR = os.environ.get("BOWERBIRD_HARBOR", "")


@pytest.mark.skipif(not HARBOR, reason="Harbor lives in an environment of its own: BOWERBIRD_HARBOR")
def test_a_job_is_run_and_graded_by_harbor(tmp_path: Path) -> None:
    katas = generate(0, 2, families=["clamp", "add_prefix"])
    for kata in katas:
        folder = tmp_path / "tasks" / kata.view.category
        write_task(folder, Loaded(kata.view, kata.spec), solution=kata.solution, cheats=kata.cheats)
    right = next(kata for kata in katas if kata.view.category == "clamp")

    def model(asked: str) -> str:
        if "wrote" in asked:
            return "done"
        return f"```write solution.py\n{right.solution if 'clamp' in asked else 'wrong = 1'}\n```"

    source = str(Path(bowerbird.__file__).parents[1])
    with serving(model) as url:
        command = [HARBOR, "run", "--path", str(tmp_path / "tasks"), "--jobs-dir", str(tmp_path / "jobs")]
        command += ["--agent", "bowerbird.evals.harbor.agent:BowerbirdAgent", "--model", "scripted"]
        command += ["--agent-kwarg", f"endpoint={url}", "--n-concurrent", "1"]
        command += ["--env", "bowerbird.evals.harbor.environment:LocalEnvironment"]
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": source}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads(file.read_text()) for file in (tmp_path / "jobs").glob("*/*/result.json")]
    rewards = {r["task_name"].rpartition("/")[2]: r["verifier_result"]["rewards"]["reward"] for r in results}
    assert sorted(rewards.values()) == [0.0, 1.0], rewards
    assert list((tmp_path / "jobs").rglob("trajectory.json"))


@pytest.mark.skipif(not HARBOR, reason="Harbor lives in an environment of its own: BOWERBIRD_HARBOR")
def test_a_card_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(write_card(FIXED))
    made = "from bowerbird.evals.harbor.agent import BowerbirdAgent as A; from pathlib import Path; A(Path('.'), 'm', "
    made += f"endpoint='http://127.0.0.1:9/v1', scaffold={str(tmp_path / 'card.json')!r})"
    source = str(Path(bowerbird.__file__).parents[1])
    command = [str(Path(HARBOR).parent / "python"), "-c", made]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": source}, capture_output=True, text=True)
    assert "ConfigError" in done.stderr
    assert "card.json is a card, which answers with one text: give a plan or a program" in done.stderr
