"""One rollout as a trajectory in ATIF, the Agent Trajectory Interchange Format of Harbor, and back.

A trajectory holds the task as the user's step and each model call as a step of the agent's, with the ids of its prompt
and of its tokens, their log-probabilities, and what came of it. What ATIF has no field for stands under `extra`: policy
versions, which tokens a grammar forced, the choices it left, and the sampling. So no token is lost on the way out and
back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bowerbird import __version__
from bowerbird.types import Completion, JsonValue, RunError, Sampling

SCHEMA = "ATIF-v1.6"


def trajectory(
    name: str,
    instruction: str,
    calls: Sequence[Completion],
    log: Sequence[Mapping[str, JsonValue]],
    model: str,
    *,
    exact: bool = True,
) -> dict[str, Any]:
    """`log` is the rollout's own. Not `exact`: the ids are none of a model's (`inference.remote`), and left out."""
    steps: list[dict[str, Any]] = [{"step_id": 1, "source": "user", "message": instruction}]
    for call, results in zip(calls, _seen(log, len(calls)), strict=True):
        step = {"step_id": len(steps) + 1, "source": "agent", "model_name": model, "message": call.text}
        step |= _tokens(call) if exact else {}
        step |= {"observation": {"results": [{"content": text} for text in results]}} if results else {}
        steps.append(step)
    return {
        "schema_version": SCHEMA,
        "session_id": name,
        "agent": {"name": "bowerbird", "version": __version__, "model_name": model},
        "steps": steps,
        "final_metrics": {
            "total_prompt_tokens": sum(len(call.prompt_ids) for call in calls),
            "total_completion_tokens": sum(len(call.token_ids) for call in calls),
            "total_steps": len(steps),
        },
    }


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


def _tokens(call: Completion) -> dict[str, Any]:
    return {
        "metrics": {
            "prompt_tokens": len(call.prompt_ids),
            "completion_tokens": len(call.token_ids),
            "prompt_token_ids": list(call.prompt_ids),
            "completion_token_ids": list(call.token_ids),
            "logprobs": list(call.logprobs),
        },
        "extra": {
            "versions": list(call.versions),
            "sampled": list(call.sampled),
            "choices": [None if choice is None else list(choice) for choice in call.choices],
            "sampling": asdict(call.sampling),
            "finish": call.finish,
        },
    }


def _seen(log: Sequence[Mapping[str, JsonValue]], calls: int) -> list[list[str]]:
    """What happened after each call and before the next; what happened before the first counts to it."""
    found: list[list[str]] = [[] for _ in range(calls)]
    at = -1
    for event in log:
        if event["event"] in ("answer", "answers"):
            at += int(event.get("count", 1))
        elif found:
            told = {key: value for key, value in event.items() if key != "event"}
            found[min(max(at, 0), calls - 1)].append(f"{event['event']}: {json.dumps(told)}")
    return found
