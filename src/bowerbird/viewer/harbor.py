"""A run's trajectories as the folders that `harbor view` opens: a job for each step, a trial for each rollout.

    JOB/config.json, JOB/result.json            JOB/TRIAL/result.json, JOB/TRIAL/agent/trajectory.json

These are the files, and the fields in them, that Harbor's own models and viewer ask for. What is no plain reward there
is an exception of that name: `hacked`, `infra_error`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bowerbird import __version__
from bowerbird.types import Outcome, RunError
from bowerbird.viewer.atif import trajectories
from bowerbird.viewer.run_folder import RunFolder

AGENT = "bowerbird"


def export(run: RunFolder, folder: Path, model: str, stage: str = "solve") -> int:
    """Write them below `folder`; how many rollouts there are. Raises RunError where they cannot be written."""
    count = 0
    try:
        for step, group in groupby(trajectories(run, model, stage), key=lambda found: found[1]["extra"]["step"]):
            job = folder / f"{run.name}-{step:05}"
            written = (run.path / "rollouts" / f"{step}.jsonl").stat().st_mtime
            at = datetime.fromtimestamp(written, UTC).isoformat()  # a run keeps no times of single rollouts
            trials = [_write_trial(job / name.replace("/", "_"), found, at) for name, found in group]
            _write(job / "config.json", {"job_name": job.name, "agents": [{"name": AGENT, "model_name": model}]})
            _write(job / "result.json", _job(job, trials, at))
            count += len(trials)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error}") from error
    return count


def _write_trial(place: Path, trajectory: Mapping[str, Any], at: str) -> dict[str, Any]:
    """Its result, as written."""
    extra, total, model = trajectory["extra"], trajectory["final_metrics"], trajectory["agent"]["model_name"]
    verdict, task = extra["verdict"] or {}, extra["task_id"] or trajectory["session_id"]
    outcome = verdict.get("outcome")
    objection = None if outcome in (None, Outcome.VALID) else _objection(verdict, at)
    result = {
        "id": str(uuid5(NAMESPACE_URL, f"{place.parent.name}/{place.name}")),
        "task_name": task,
        "trial_name": place.name,
        "trial_uri": place.resolve().as_uri(),
        "task_id": {"path": task},
        "task_checksum": "",
        "config": {"task": {"path": task}, "trial_name": place.name, "agent": {"name": AGENT, "model_name": model}},
        "agent_info": {"name": AGENT, "version": __version__, "model_info": _model(model)},
        "agent_result": {
            "n_input_tokens": total["total_prompt_tokens"],
            "n_output_tokens": total["total_completion_tokens"],
            "metadata": {"scaffold": extra["scaffold_id"], "failure": verdict.get("failure")},
        },
        "verifier_result": {"rewards": {"reward": verdict["reward"]}} if "reward" in verdict else None,
        "exception_info": objection,
        "finished_at": at,
    }
    _write(place / "agent" / "trajectory.json", trajectory)
    _write(place / "result.json", result)
    return result


def _objection(verdict: Mapping[str, Any], at: str) -> dict[str, str]:
    said = [f"{flag['rule']}: {flag['evidence']}" for flag in verdict["flags"]]
    message = "\n".join([verdict["error"] or "", *said]).strip()
    kind = str(verdict["outcome"])
    return {"exception_type": kind, "exception_message": message, "exception_traceback": "", "occurred_at": at}


def _job(job: Path, trials: Sequence[Mapping[str, Any]], at: str) -> dict[str, Any]:
    failed = sum(trial["exception_info"] is not None for trial in trials)
    valid = [
        trial["verifier_result"]["rewards"]["reward"]
        for trial in trials
        if trial["verifier_result"] is not None and trial["exception_info"] is None
    ]
    mean = [{"mean": sum(valid) / len(valid)}] if valid else []
    name = f"{AGENT}__{trials[0]['agent_info']['model_info']['name']}__{job.name}"
    return {
        "id": str(uuid5(NAMESPACE_URL, job.name)),
        "started_at": at,
        "finished_at": at,
        "n_total_trials": len(trials),
        "stats": {
            "n_completed_trials": len(trials),
            "n_errored_trials": failed,
            "evals": {name: {"n_trials": len(trials), "n_errors": failed, "metrics": mean}},
        },
    }


def _model(name: str) -> dict[str, str | None]:
    """Of a path the last part; else Harbor's "provider/name"."""
    if name.startswith(("/", ".", "~")):
        return {"name": Path(name).name, "provider": None}
    provider, _, rest = name.rpartition("/")
    return {"name": rest, "provider": provider or None}


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
