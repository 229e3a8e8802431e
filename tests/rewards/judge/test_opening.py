"""A judge from its settings, and what a run is told about it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bowerbird.config import JudgeConfig
from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge import FakeAnswerer, FrozenJudge, doubt_about, open_judge
from bowerbird.types import ConfigError
from tests.rewards.records import rollout, scaffold, task


def test_a_local_one_is_made_by_who_may(tmp_path: Path) -> None:
    made: list[JudgeConfig] = []

    def local(config: JudgeConfig) -> FakeAnswerer:
        made.append(config)
        return FakeAnswerer(model=config.model)

    config = JudgeConfig(model="small")
    judge = open_judge(config, tmp_path, local=local)
    judge.judge(Evidence(task(), scaffold(), rollout()))
    judge.close()
    assert made == [config]
    assert judge.model_hash == "fake:small"
    assert (tmp_path / "judge.db").is_file()
    with pytest.raises(ConfigError, match="endpoint"):
        open_judge(config, tmp_path)


def report(judge: FrozenJudge, **changes: Any) -> dict[str, Any]:
    rate = {"value": 0.9}
    good = {"model_hash": judge.model_hash, "prompt_hash": judge.prompt_hash, "settings": judge.settings}
    return {**good, "better_than_chance": True, "recall": rate, "false_veto": rate, **changes}


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({}, None),
        ({"model_hash": "another"}, "another model"),
        ({"prompt_hash": "another"}, "other prompts"),
        ({"settings": {"room": 1}}, "other settings"),
        ({"better_than_chance": False}, "no better than chance"),
        ({"better_than_chance": "yes"}, "no better than chance"),
        ({"recall": None}, "cannot be read"),
    ],
)
def test_warnings(tmp_path: Path, changes: dict[str, Any], warning: str | None) -> None:
    judge = FrozenJudge(FakeAnswerer())
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report(judge, **changes)))
    said = doubt_about(path, judge)
    assert said is None if warning is None else said is not None and warning in said


def test_no_report_or_a_broken_one(tmp_path: Path) -> None:
    judge = FrozenJudge(FakeAnswerer())
    assert "not calibrated" in (doubt_about("", judge) or "")
    assert "cannot be read" in (doubt_about(tmp_path / "none.json", judge) or "")
    for i, text in enumerate(["", "[]", "{}", "7", "\udcff", "[" * 100_000]):
        path = tmp_path / f"{i}.json"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert "cannot be read" in (doubt_about(path, judge) or "")
