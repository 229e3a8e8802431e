"""Rollouts as trajectories in ATIF, the Agent Trajectory Interchange Format of Harbor, and back.

A trajectory holds the task as the user's step and each model call as a step of the agent's, with the ids of its prompt
and of its tokens, their log-probabilities, and what came of it. What ATIF has no field for stands under `extra`: policy
versions, which tokens a grammar forced, the choices it left, and the sampling. So no token is lost on the way out and
back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bowerbird import __version__
from bowerbird.types import Completion, RunError, Sampling
from bowerbird.viewer.run_folder import RunFolder

SCHEMA = "ATIF-v1.6"
_SEEN = ("action", "checks", "write", "repair", "program", "exhausted", "node")


def trajectories(run: RunFolder, model: str, stage: str = "solve") -> Iterator[tuple[str, dict[str, Any]]]:
    """The rollouts of a run with their ids, in the order they were trained in. `stage` "scaffold" gives the proposals.

    Raises RunError for a transcript that cannot be read.
    """
    tasks = run.instructions()
    for file in sorted((run.path / "rollouts").glob("*.jsonl"), key=lambda path: int(path.stem)):
        for number, text in enumerate(file.read_text().splitlines(), start=1):
            try:
                line = json.loads(text)
                if line["stage"] == stage:
                    yield line["id"], _trajectory(line, tasks.get(line.get("task_id", ""), ""), model, int(file.stem))
            except (ValueError, LookupError, TypeError) as error:
                raise RunError(f"{file}, line {number}: no transcript ({type(error).__name__} {error})") from error


def completions(trajectory: Mapping[str, Any]) -> tuple[Completion, ...]:
    """The model calls of a trajectory that has token ids, exactly as they were sampled. Raises RunError where it has
    none."""
    found = []
    for step in trajectory["steps"]:
        if step["source"] != "agent":
            continue
        try:
            metrics, extra = step["metrics"], step.get("extra", {})
            ids = tuple(metrics["completion_token_ids"])
            found.append(
                Completion(
                    prompt_ids=tuple(metrics["prompt_token_ids"]),
                    token_ids=ids,
                    logprobs=tuple(metrics["logprobs"]),
                    versions=tuple(extra.get("versions", [0] * len(ids))),
                    sampled=tuple(extra.get("sampled", [True] * len(ids))),
                    choices=tuple(None if c is None else tuple(c) for c in extra.get("choices", [None] * len(ids))),
                    sampling=Sampling(**extra.get("sampling", {})),
                    finish=extra.get("finish", "stop"),
                    text=step["message"],
                )
            )
        except (LookupError, TypeError) as error:
            raise RunError(f"step {step.get('step_id')} has no token ids with log-probabilities: {error}") from error
    return tuple(found)


def _trajectory(line: Mapping[str, Any], instruction: str, model: str, number: int) -> dict[str, Any]:
    calls = line["calls"]
    steps: list[dict[str, Any]] = [{"step_id": 1, "source": "user", "message": instruction or line["id"]}]
    seen = _seen(line.get("log", ()), len(calls))
    for call, results in zip(calls, seen, strict=True):
        steps.append(_step(len(steps) + 1, call, results, model))
    verdict = line.get("verdict")
    return {
        "schema_version": SCHEMA,
        "session_id": line["id"],
        "agent": {"name": "bowerbird", "version": __version__, "model_name": model},
        "steps": steps,
        "final_metrics": {
            "total_prompt_tokens": sum(len(call["prompt_ids"]) for call in calls),
            "total_completion_tokens": sum(len(call["token_ids"]) for call in calls),
            "total_steps": len(steps),
        },
        "extra": {
            "step": number,
            "stage": line["stage"],
            "task_id": line.get("task_id"),
            "scaffold_id": line.get("scaffold_id"),
            "submission": line.get("submission"),
            "verdict": verdict,
        },
    }


def _step(number: int, call: Mapping[str, Any], results: Sequence[str], model: str) -> dict[str, Any]:
    step: dict[str, Any] = {
        "step_id": number,
        "source": "agent",
        "model_name": model,
        "message": call["text"],
        "metrics": {
            "prompt_tokens": len(call["prompt_ids"]),
            "completion_tokens": len(call["token_ids"]),
            "prompt_token_ids": call["prompt_ids"],
            "completion_token_ids": call["token_ids"],
            "logprobs": call["logprobs"],
        },
        "extra": {key: call[key] for key in ("versions", "sampled", "choices", "sampling", "finish")},
    }
    if results:
        step["observation"] = {"results": [{"content": text} for text in results]}
    return step


def _seen(log: Sequence[Mapping[str, Any]], calls: int) -> list[list[str]]:
    """What happened after each call and before the next; what happened before the first counts to it."""
    found: list[list[str]] = [[] for _ in range(calls)]
    at = -1
    for event in log:
        if event["event"] in ("answer", "answers"):
            at += int(event.get("count", 1))
        elif event["event"] in _SEEN and found:
            told = {key: value for key, value in event.items() if key != "event"}
            found[min(max(at, 0), calls - 1)].append(f"{event['event']}: {json.dumps(told)}")
    return found


def export(run: RunFolder, folder: Path, model: str, stage: str = "solve") -> int:
    """A file `ID.json` for each rollout; how many. Raises RunError where they cannot be written."""
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, trajectory in trajectories(run, model, stage):
            (folder / f"{name.replace('/', '_')}.json").write_text(json.dumps(trajectory))
            count += 1
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error}") from error
    return count
