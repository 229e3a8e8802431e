"""Groups and seconds as a run measured them, from its directory."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bowerbird.orchestrator.simulation.settings import SimulationSettings
from bowerbird.orchestrator.simulation.workload import Call, GroupPlan, Turn
from bowerbird.types import RunError

_ANSWERS, _TOOLS = ("answers", "answer"), ("checks", "action", "write")  # events: of cards, and of plans and programs


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run says. It keeps no times of tools, grading or single sampling steps: these stay as given."""

    groups: tuple[GroupPlan, ...]  # tools and grading take 0 seconds: see `with_tools`
    token_us: float  # microseconds of the learner per token carried

    def apply(self, settings: SimulationSettings) -> SimulationSettings:
        """`settings` with the learner's speed, where they leave it out."""
        if settings.learner.token_us is not None:
            return settings
        return settings.model_copy(update={"learner": settings.learner.model_copy(update={"token_us": self.token_us})})

    def with_tools(self, settings: SimulationSettings) -> tuple[GroupPlan, ...]:
        """The groups with times of tools and grading drawn from `settings.rollout`."""
        random, rollout = np.random.default_rng(settings.seed), settings.rollout

        def timed(turn: Turn) -> Turn:
            return Turn(turn.calls, tuple(rollout.tool_s.draw(random, len(turn.tools)).tolist()))

        return tuple(
            GroupPlan(
                group.proposals,
                tuple(tuple(timed(turn) for turn in turns) for turns in group.rollouts),
                float(rollout.grading_s.draw(random, 1)[0]),
            )
            for group in self.groups
        )


def read_run(folder: Path) -> Measured:
    """Raises RunError where there is no run, or none with a finished step."""
    try:
        by_step = {
            int(file.stem): tuple(read_groups(file.read_text().splitlines()).values())
            for file in (folder / "rollouts").glob("*.jsonl")
        }
        rows = list(_rows((folder / "metrics.jsonl").read_text().splitlines()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder}: no run whose rollouts could be read ({error})") from error
    counted = [row for row in rows if by_step.get(row["step"])]
    if not counted:
        raise RunError(f"{folder}: no finished step with rollouts to learn their lengths from")
    carried = sum(group.carried for row in counted for group in by_step[row["step"]])
    seconds = sum(row["seconds_learn"] for row in counted)
    groups = tuple(group for step in sorted(by_step) for group in by_step[step])
    return Measured(groups, 1e6 * seconds / carried)


def _rows(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """A last line that a kill cut off is left out."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def read_groups(lines: Iterable[str]) -> dict[str, GroupPlan]:
    """The groups in a step's transcript, by WAVE-PLACE. A scaffold's id is that and -PROPOSAL; a rollout names its own.

    Raises ValueError or KeyError for what is no transcript.
    """
    found: dict[str, GroupPlan] = {}
    for line in lines:
        record = json.loads(line)
        name = str(record["id"] if record["stage"] == "scaffold" else record["scaffold_id"]).rpartition("-")[0]
        group = found.get(name, GroupPlan((), (), 0.0))
        if record["stage"] == "scaffold":
            group = group._replace(proposals=(*group.proposals, *(_call(call, 0) for call in record["calls"])))
        elif turns := _turns(record):
            group = group._replace(rollouts=(*group.rollouts, turns))
        found[name] = group
    return found


def _turns(record: Mapping[str, Any]) -> tuple[Turn, ...]:
    """As its log has them: answers drawn together, and the tools that it waited for before it asked again. What a plan
    or a program did one after the other between two answers counts as one tool."""
    calls, before = list(record["calls"]), tuple[int, ...]()
    found: list[Turn] = []
    for event in record["log"]:
        if event["event"] in _ANSWERS and calls:
            own, calls = calls[: event.get("count", 1)], calls[event.get("count", 1) :]
            known = _shared(own[0]["prompt_ids"], before)
            found.append(Turn(tuple(_call(call, known) for call in own), ()))
            before = (*own[0]["prompt_ids"], *own[0]["token_ids"])
        elif event["event"] in _TOOLS and found:
            count = min(len(event.get("passed", ())) or 1, len(found[-1].calls))
            found[-1] = found[-1]._replace(tools=(0.0,) * count)
    return tuple(found)


def _shared(ids: Sequence[int], before: Sequence[int]) -> int:
    """Tokens at the beginning of a prompt that the call before has computed."""
    pairs = enumerate(zip(ids, before, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(ids), len(before)))


def _call(call: Mapping[str, Any], known: int) -> Call:
    """`known` tokens of the prompt are in the engine already. What a grammar forced is carried, not sampled."""
    sampled = sum(call["sampled"])
    return Call(sampled, max(0, len(call["prompt_ids"]) - known) + len(call["token_ids"]) - sampled)
