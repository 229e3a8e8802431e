"""Patches of an evaluation in the format that the official SWE-bench harness grades."""

import json
from pathlib import Path

from bowerbird.evals.report import EvalReport
from bowerbird.orchestrator.files import write_atomically


def write_predictions(report: EvalReport, path: Path, model: str) -> list[Path]:
    """One file for each arm, `NAME.ARM.jsonl` beside `path`: the harness takes one patch for an instance, here that of
    an arm's first sample. Raises RunError."""
    written = []
    for arm in report.arms:
        patches: dict[str, str] = {}
        for trial in arm.trials:
            patches.setdefault(trial.task_id, trial.patch)
        rows = [
            {"instance_id": task_id, "model_name_or_path": f"{model}/{arm.name}", "model_patch": patch}
            for task_id, patch in patches.items()
        ]
        target = path.with_name(f"{path.stem}.{arm.name}.jsonl")
        write_atomically(target, "".join(json.dumps(row) + "\n" for row in rows))
        written.append(target)
    return written
