"""What a simulation is told: one TOML file, unknown keys are errors, every setting says its unit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bowerbird.config import read_toml, validated

Floats = NDArray[np.float64]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Constant(_Section):
    kind: Literal["constant"] = "constant"
    value: float = Field(ge=0)

    def draw(self, random: np.random.Generator, count: int) -> Floats:
        return np.full(count, self.value)


class LogNormal(_Section):
    """exp of a normal variable of mean log(`median`) and deviation `sigma`; what is above `cap` becomes `cap`."""

    kind: Literal["lognormal"]
    median: float = Field(gt=0)
    sigma: float = Field(ge=0)
    cap: float = Field(gt=0)

    def draw(self, random: np.random.Generator, count: int) -> Floats:
        drawn: Floats = self.median * np.exp(self.sigma * random.standard_normal(count))
        return np.minimum(drawn, self.cap)


class Samples(_Section):
    """Values that were measured; each is as likely as any other."""

    kind: Literal["samples"]
    values: tuple[float, ...] = Field(min_length=1)

    def draw(self, random: np.random.Generator, count: int) -> Floats:
        return random.choice(np.asarray(self.values), count)


def _tagged(value: object) -> object:
    return {"kind": "constant", "value": value} if isinstance(value, (int, float)) else value


Distribution = Annotated[
    Annotated[Constant | LogNormal | Samples, Field(discriminator="kind")], BeforeValidator(_tagged)
]


class AgeSettings(_Section):
    max_age: int = Field(4, ge=0, description="the capacity rule's, as pipeline.max_age of a run")
    k1: int = Field(2, ge=0, description="age up to which a token has full weight")
    k2: int = Field(6, ge=0, description="age beyond which it has none")
    decay: float = Field(0.5, ge=0, description="lambda between k1 and k2")


class GroupSettings(_Section):
    scaffolds: int = Field(4, ge=1, description="S: proposals per group")
    per_scaffold: int = Field(4, ge=1, description="K: rollouts per scaffold")
    per_gpu: float | None = Field(None, gt=0, description="groups a step trains on, for each GPU of the cluster")
    per_step: float | None = Field(None, ge=1, description="groups a step trains on, in place of `per_gpu`")

    @model_validator(mode="after")
    def _sized(self) -> "GroupSettings":
        if self.per_step is None and self.per_gpu is None:
            raise ValueError("give per_gpu or per_step")
        return self

    def batch(self, gpus: int) -> int:
        """Groups a step trains on."""
        size = self.per_step if self.per_step is not None else (self.per_gpu or 0.0) * gpus
        return max(1, round(size))


class RolloutSettings(_Section):
    scaffold_prompt: Distribution = Field(description="tokens of the prompt of a proposal")
    scaffold_tokens: Distribution = Field(description="sampled tokens of a proposal")
    prompt: Distribution = Field(description="tokens of a rollout's first prompt")
    turns: Distribution = Field(description="model calls of a rollout, each followed by a tool")
    tokens: Distribution = Field(description="sampled tokens of a call")
    output: Distribution = Field(description="tokens of a tool's output, carried by the next call")
    tool_s: Distribution = Field(description="seconds of a tool, from its call to its output")
    grading_s: Distribution = Field(description="seconds from a group's last rollout to its acceptance")


class EngineSettings(_Section):
    gpus: int = Field(ge=1, description="GPUs of one engine")
    places: int = Field(ge=1, description="rows at once")
    step_ms: tuple[tuple[float, float], ...] = Field(
        min_length=1, description="[rows, milliseconds of a step]: a curve, straight between its points"
    )
    prefill_us: float = Field(ge=0, description="microseconds for which one prompt token holds up the engine")

    def curve(self) -> tuple[float, ...]:
        """Seconds of a step by the number of rows, 0 to `places`; flat before the first point and after the last."""
        rows, milliseconds = zip(*sorted(self.step_ms), strict=True)
        found = np.interp(np.arange(self.places + 1), rows, milliseconds) / 1e3
        return tuple(float(seconds) for seconds in found)


class LearnerSettings(_Section):
    least_gpus: int = Field(ge=1, description="fewest GPUs that hold the model, its gradients and optimiser")
    fixed_s: float = Field(ge=0, description="seconds of a step whatever its tokens and GPUs")
    token_us: float | None = Field(
        None, gt=0, description="GPU-microseconds per token carried through it, at `least_gpus`; --run measures it"
    )
    per_doubling: float = Field(1.0, gt=0, le=1, description="what is left of a GPU's speed when GPUs are doubled")


class TransferSettings(_Section):
    publish_s: float = Field(ge=0, description="from a step's end until engines have the weights; sampling goes on")
    per_doubling_s: float = Field(0.0, ge=0, description="seconds more for each doubling of the engines")
    load_s: float = Field(ge=0, description="seconds for which engines stand still to take them")


class SandboxSettings(_Section):
    per_gpu: float | None = Field(None, gt=0, description="tools at once for each GPU of the cluster; absent: no limit")


class SimulationSettings(_Section):
    name: str = "simulation"
    seed: int = 0
    gpus: tuple[int, ...] = Field((1, 10, 100, 1000, 10_000), min_length=1, description="clusters to simulate")
    sampler_share: float | None = Field(
        None, gt=0, lt=1, description="share of the GPUs that sample; absent: chosen so that both roles are busy"
    )
    warm_up: int = Field(8, ge=1, description="steps that are not counted")
    steps: int = Field(12, ge=1, description="steps that are counted")
    most_engines: int = Field(8, ge=1, description="engines simulated one by one; each stands for several beyond that")
    age: AgeSettings = AgeSettings()
    group: GroupSettings
    rollout: RolloutSettings
    engine: EngineSettings
    learner: LearnerSettings
    transfer: TransferSettings
    sandbox: SandboxSettings = SandboxSettings()


def load_settings(path: Path, overrides: Sequence[str] = ()) -> SimulationSettings:
    """Read a TOML file and apply `section.key=value` overrides. Raises ConfigError naming the key at fault."""
    raw: dict[str, Any] = read_toml(path, overrides)
    return validated(SimulationSettings, raw, str(path), "unknown key")
