"""What a run directory says of its rollouts' lengths."""

import json
from pathlib import Path
from typing import Any

import pytest

from bowerbird.orchestrator.simulation.measured import read_run
from bowerbird.orchestrator.simulation.settings import load_settings
from bowerbird.orchestrator.simulation.workload import Call, Turn
from bowerbird.types import RunError

RECIPE = Path(__file__).parents[3] / "recipes" / "simulate-35b.toml"


def call(prompt: int, sampled: int, forced: int = 0) -> dict[str, Any]:
    """A call as transcripts have it, as far as it is read."""
    tokens = sampled + forced
    return {"prompt_ids": [1] * prompt, "token_ids": [2] * tokens, "sampled": [True] * sampled + [False] * forced}


SCAFFOLDS = [{"stage": "scaffold", "id": f"1-{place}-0", "calls": [call(100, 4, forced=30)]} for place in (0, 1)]
ROUNDS = {  # two candidates, checked; then a repair that was not
    "stage": "solve", "id": "1-0-0-0", "scaffold_id": "1-0-0",
    "calls": [call(50, 7), call(50, 9), call(80, 5)],
    "log": [
        {"event": "answers", "count": 2, "tokens": [7, 9]}, {"event": "checks", "passed": [False, False]},
        {"event": "repair", "how": "retry"}, {"event": "answers", "count": 1, "tokens": [5]},
    ],
}  # fmt: skip
LOST = {"stage": "solve", "id": "1-1-0-0", "scaffold_id": "1-1-0", "calls": [], "log": []}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "rollouts").mkdir()
    lines = [SCAFFOLDS[0], ROUNDS, SCAFFOLDS[1], LOST]
    (tmp_path / "rollouts" / "1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "seconds_learn": 1.45}\n{"step": 2, "seco')
    return tmp_path


def test_groups_are_read_with_their_rounds(run: Path) -> None:
    first, second = read_run(run).groups
    assert first.proposals == (Call(4, 130),), "what the grammar forced is carried, not sampled"
    assert first.rollouts == ((Turn((Call(7, 50), Call(9, 50)), (0.0, 0.0)), Turn((Call(5, 30),), ())),), (
        "the repair carries what is new in its prompt"
    )
    assert (second.tokens, second.rollouts) == (4, ())


def test_turns_of_plans_and_programs_are_read(tmp_path: Path) -> None:
    (tmp_path / "rollouts").mkdir()
    longer = call(0, 9) | {"prompt_ids": [1] * 50 + [2] * 7 + [3] * 12}
    talk = {
        "stage": "solve", "id": "1-0-0-0", "scaffold_id": "1-0-0", "calls": [call(50, 7), longer],
        "log": [
            {"event": "node", "id": "work"}, {"event": "answer", "tokens": 7, "finish": "stop"},
            {"event": "action", "by": "model", "command": "ls", "result": ""},
            {"event": "write", "path": "a", "text": ""}, {"event": "answer", "tokens": 9, "finish": "stop"},
            {"event": "checks", "passed": [True]},
        ],
    }  # fmt: skip
    (tmp_path / "rollouts" / "1.jsonl").write_text(json.dumps(SCAFFOLDS[0]) + "\n" + json.dumps(talk) + "\n")
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "seconds_learn": 1.0}\n')
    (group,) = read_run(tmp_path).groups
    assert group.rollouts == ((Turn((Call(7, 50),), (0.0,)), Turn((Call(9, 12),), (0.0,))),)


def test_the_learners_speed_is_taken_where_it_is_not_given(run: Path) -> None:
    measured = read_run(run)  # carried: 2 x 134, 57 + 59 + 35 = 419
    assert measured.token_us == pytest.approx(1.45e6 / 419)
    given = load_settings(RECIPE)
    assert measured.apply(given) == given
    raw = given.model_copy(update={"learner": given.learner.model_copy(update={"token_us": None})})
    assert measured.apply(raw).learner.token_us == measured.token_us


def test_tools_and_grading_are_drawn(run: Path) -> None:
    settings = load_settings(RECIPE, ["rollout.tool_s=3", "rollout.grading_s=8"])
    group = read_run(run).with_tools(settings)[0]
    assert [turn.tools for turn in group.rollouts[0]] == [(3.0, 3.0), ()]
    assert group.grading_s == 8


def test_what_is_no_run_is_an_error(tmp_path: Path, run: Path) -> None:
    with pytest.raises(RunError, match="could be read"):
        read_run(tmp_path / "nothing")
    (run / "metrics.jsonl").write_text("")
    with pytest.raises(RunError, match="no finished step"):
        read_run(run)
    (run / "rollouts" / "1.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match="could be read"):
        read_run(run)
