"""Patches in the official harness's format."""

import json
from pathlib import Path

from bowerbird.evals.predictions import write_predictions
from bowerbird.evals.report import EvalReport, Trial, arm_result


def test_one_patch_for_an_instance_and_a_file_for_an_arm(tmp_path: Path) -> None:
    def trial(task_id: str, patch: str) -> Trial:
        return Trial(task_id, "c", 0.0, 1, "valid", None, patch=patch)

    arms = (
        arm_result("own", [trial("a-1", "first"), trial("a-1", "second"), trial("b-2", "")]),
        arm_result("react", [trial("a-1", "other")]),
    )
    written = write_predictions(EvalReport(0, 1, 2, arms), tmp_path / "preds.jsonl", "m")
    assert [path.name for path in written] == ["preds.own.jsonl", "preds.react.jsonl"]
    rows = [json.loads(line) for line in written[0].read_text().splitlines()]
    assert rows == [
        {"instance_id": "a-1", "model_name_or_path": "m/own", "model_patch": "first"},
        {"instance_id": "b-2", "model_name_or_path": "m/own", "model_patch": ""},
    ]
