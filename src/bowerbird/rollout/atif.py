"""One rollout as a trajectory in ATIF, the Agent Trajectory Interchange Format of Harbor, and back.

A trajectory holds the task as the user's step and each model call as a step of the agent's, with the ids of its prompt
and of its tokens, their log-probabilities, and what came of it. What ATIF has no field for stands under `extra`: policy
versions, which tokens a grammar forced, the choices it left, and the sampling. So no token is lost on the way out and
back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from bowerbird import __version__
from bowerbird.types import Completion, JsonValue, RunError, Sampling

SCHEMA = "ATIF-v1.6"
_IDS = ("prompt_token_ids", "completion_token_ids", "logprobs")
_ROUNDED = 1e-3  # above 0 a log-probability is only by rounding


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
    none, or they do not fit together."""
    found = []
    for step in steps_of(trajectory):
        if step["source"] != "agent" or step.get("is_copied_context") or step.get("llm_call_count") == 0:
            continue  # the last two: of another trajectory, and of no model
        try:
            found.append(_checked(_completion(step)))
        except (LookupError, TypeError, ValueError) as error:
            raise RunError(f"step {step.get('step_id')} has no token ids with log-probabilities: {error}") from error
    return tuple(found)


def steps_of(trajectory: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Raises RunError for what is no trajectory."""
    try:
        return [step for step in trajectory["steps"] if step["source"]]
    except (LookupError, TypeError) as error:
        raise RunError(f"no ATIF trajectory: {type(error).__name__} {error}") from error


def text_of(message: str | Sequence[Mapping[str, Any]]) -> str:
    """The words of a message, which may be in parts."""
    return message if isinstance(message, str) else "".join(part.get("text") or "" for part in message)


def _completion(step: Mapping[str, Any]) -> Completion:
    metrics, extra = step.get("metrics") or {}, step.get("extra") or {}
    if missing := [name for name in _IDS if not isinstance(metrics.get(name), list)]:
        raise ValueError(f"{', '.join(missing)} missing")
    if (step.get("llm_call_count") or 1) > 1:
        raise ValueError("it stands for several calls")
    count = len(metrics["completion_token_ids"])
    return Completion(
        prompt_ids=tuple(metrics["prompt_token_ids"]),
        token_ids=tuple(metrics["completion_token_ids"]),
        logprobs=tuple(metrics["logprobs"]),
        versions=tuple(extra.get("versions", [0] * count)),
        sampled=tuple(extra.get("sampled", [True] * count)),
        choices=tuple(None if c is None else tuple(c) for c in extra.get("choices", [None] * count)),
        sampling=Sampling(**extra.get("sampling", {})),
        finish=extra.get("finish", "stop"),
        text=text_of(step["message"]),
    )


def _checked(call: Completion) -> Completion:
    """Raises ValueError unless it can have been sampled so."""
    lengths = {len(each) for each in (call.token_ids, call.logprobs, call.versions, call.sampled, call.choices)}
    if len(lengths) > 1:
        raise ValueError(f"{len(call.token_ids)} tokens with {len(call.logprobs)} log-probabilities")
    if not all(type(number) is int and number >= 0 for number in (*call.prompt_ids, *call.token_ids, *call.versions)):
        raise ValueError("an id that is no whole number from 0")
    if not all(isfinite(value) and value <= _ROUNDED for value in call.logprobs):
        raise ValueError("a log-probability that is none")
    return call


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
