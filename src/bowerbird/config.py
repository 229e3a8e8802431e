"""One TOML file a run. Unknown keys are errors; every setting says its unit and what it decides."""

import importlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from bowerbird.types import ConfigError

_Model = TypeVar("_Model", bound=BaseModel)
BUILT_IN_TOOLS = ("shell", "read", "write", "edit", "list", "search", "tests", "note")  # rollout/tools.py has them


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(_Section):
    name: str = Field("smollm2-135m", description="registry name, Hugging Face id or path of a checkpoint")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the hardware multiplies it, else float32"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    lora_rank: int = Field(0, ge=0, description="0 trains all weights")


class TasksConfig(_Section):
    source: str = Field("katas", description="'katas', 'repos', a folder of Harbor tasks, or a .jsonl file")
    train: int = Field(256, ge=1, description="tasks to train on")
    heldout: int = Field(96, ge=1, description="tasks to evaluate on, never trained on")
    seed: int = Field(0, description="of generated tasks: which of a family are made, and in which order")
    families: tuple[str, ...] = Field((), description="katas only: these families; empty for all")
    hardest: float = Field(1.0, gt=0, le=1, description="katas only, and no families named: up to this difficulty")


class VerifierConfig(_Section):
    kind: Literal["task", "naive-exit", "naive-stdout", "naive-pytest", "naive-lenient"] = Field(
        "task", description="task: as each task's task.toml says. The naive ones can be cheated: for experiments only"
    )
    audit: bool = Field(False, description="grade with the tasks' own verifiers too and log it; it decides nothing")


class MonitorConfig(_Section):
    watch: Literal["auto", "decoys", "trace", "off"] = Field(
        "auto",
        description="what watches sandboxed processes; decoys: opened decoys; trace: system calls too; auto: the best "
        "there is; off: no monitor at all",
    )
    rules: tuple[str, ...] = Field((), description="rules of your own, each as 'module:name'")
    warn_above: float = Field(0.2, ge=0, le=1, description="share of a step's rollouts flagged from which to warn")
    stop_above: float = Field(1.0, ge=0, le=1, description="share of a step's rollouts flagged above which to stop")


class JudgeConfig(_Section):
    mode: Literal["off", "advisory", "veto"] = Field("off", description="advisory: opinions are kept, decide nothing")
    endpoint: str = Field("", description="base URL of an OpenAI-compatible server; empty: the model runs in process")
    model: str = Field("smollm2-135m", description="model name at the endpoint, or a local model, frozen")
    api_key_env: str = Field("OPENAI_API_KEY", description="environment variable that holds the endpoint's key")
    max_tokens: int = Field(256, ge=32, description="longest answer")
    timeout_s: float = Field(60.0, gt=0, description="longest wait for an answer")
    retries: int = Field(2, ge=0, description="further attempts after an outage or an unparseable answer")
    at_once: int = Field(256, ge=1, description="requests under way at the endpoint")
    calibration: str = Field("", description="report of `bowerbird judge calibrate`; without one the run warns")


class SandboxConfig(_Section):
    backend: str = Field("local", description="local, docker, podman, or one of yours as 'module:Class'")
    workers: int = Field(2, ge=1, description="sandboxes at once")


class ScaffoldConfig(_Section):
    tier: Literal["card", "plan", "program"] = Field(
        "card",
        description="card: settings alone; plan: steps with prompts and tools of their own; program: Python. "
        "Where --set changes it, the sizes in the file go, which were for another",
    )
    proposals: int = Field(4, ge=1, description="S: scaffolds proposed per task and step")
    grammar: bool = Field(True, description="False: free text, where an unparseable card is invalid and returns 0")
    temperature: float = Field(1.0, gt=0, description="of the model's choices in a scaffold")
    explore: float = Field(0.1, ge=0, lt=1, description="share of each choice that is spread evenly over its options")
    transplants: float = Field(
        0.1,
        ge=0,
        le=1,
        description="plan, program: share that is tried on another task of its category too; how much less it earns "
        "there is logged and decides nothing",
    )
    tools: tuple[str, ...] = Field(
        BUILT_IN_TOOLS,
        min_length=1,
        description="plan: what its nodes may use, beside submit; program: what h.tool knows, beside h's own calls; "
        "tools of your own as 'module:name'",
    )
    price_per_token: float = Field(0.0, ge=0, description="taken from a scaffold's return per sampled token")
    max_tokens: int = Field(160, ge=16, description="longest scaffold; by default 1024 for a plan, 4096 for a program")

    @property
    def tool_names(self) -> list[str]:
        """What a model calls them."""
        return [tool.rpartition(":")[2] for tool in self.tools]


class RolloutConfig(_Section):
    per_scaffold: int = Field(4, ge=1, description="K: rollouts per scaffold")
    token_budget: int = Field(
        256,
        ge=16,
        description="sampled tokens a rollout may use, its scaffold included; by default 8192 with plans, 16384 with "
        "programs",
    )
    call_tokens: int = Field(
        80, ge=8, description="sampled tokens of one call; by default 1024 with plans and programs"
    )
    calls: int = Field(64, ge=1, description="plan, program: model calls of a rollout")
    actions: int = Field(128, ge=1, description="plan, program: what a sandbox is needed for, in a rollout")
    action_s: float = Field(20.0, gt=0, description="plan, program: longest command, in seconds")
    seconds: float = Field(1800.0, gt=0, description="plan, program: of all its commands and tests together")
    native_tools: bool = Field(True, description="plan: tool calls in the form of the model's template, if it has one")


class AlgoConfig(_Section):
    eps_low: float = Field(0.2, gt=0, lt=1, description="the ratio of probabilities is clipped below 1 - eps_low")
    eps_high: float = Field(0.28, gt=0, description="and above 1 + eps_high, further off: rare tokens may grow")
    k1: int = Field(2, ge=0, description="age up to which a token has full weight")
    k2: int = Field(6, ge=0, description="age beyond which it has none")
    decay: float = Field(0.5, ge=0, description="lambda between k1 and k2")
    scaffold_weight: float = Field(
        1.0,
        gt=0,
        description="of a scaffold's tokens in the loss; they are few beside a solution's",
    )

    @model_validator(mode="after")
    def _ordered(self) -> "AlgoConfig":
        if self.k2 < self.k1:
            raise ValueError("k2 must not be below k1")
        return self


class LearnerConfig(_Section):
    learning_rate: float = Field(2e-5, gt=0, description="AdamW's, after the warm-up; it stays the same then")
    warmup_steps: int = Field(2, ge=0, description="steps over which the learning rate rises to its value")
    betas: tuple[float, float] = Field((0.9, 0.99), description="AdamW's")
    weight_decay: float = Field(0.0, ge=0, description="AdamW's")
    clip_norm: float = Field(1.0, gt=0, description="longest gradient, in the norm of all weights together")
    micro_batch_tokens: int = Field(768, ge=64, description="tokens carried through the model at once")
    recompute_above: int = Field(1536, ge=0, description="tokens from which activations are recomputed, not stored")


class SamplerConfig(_Section):
    engine: Literal["own", "vllm", "server", "chat"] = Field(
        "own",
        description="vllm: its engine in a process of ours; server: one that runs already; chat: any endpoint with "
        "OpenAI's API, to evaluate and not to train, where model.name is its name there",
    )
    processes: int = Field(
        1,
        ge=1,
        description="engine = 'own': with 1 in the run's own process; more: so many beside it, each with the model and "
        "cores of its own",
    )
    python: str = Field("", description="vllm: the interpreter of its environment; by default the run's own")
    vllm: dict[str, Any] = Field(
        {}, description="vllm: its engine arguments, such as enforce_eager or gpu_memory_utilization"
    )
    endpoint: str = Field("", description="server, chat: its base URL, such as http://localhost:8000/v1")
    reload: Literal["vllm", "sglang"] = Field("vllm", description="server: whose way of taking new weights it has")
    api_key_env: str = Field("", description="server, chat: environment variable that holds its key")
    patience_s: float = Field(
        600.0,
        ge=1,
        description="with processes: seconds that one may take for a step, or to load the model or new weights; one "
        "that takes longer hangs, and is ended and started again",
    )
    places: int = Field(96, ge=1, description="most requests sampled at once")
    kv_tokens: int = Field(
        32768,
        ge=256,
        description="tokens whose keys and values are held for the requests at once, beside long beginnings that they "
        "share; fewer requests run at once where they are long",
    )
    kept_tokens: int = Field(
        16384,
        ge=0,
        description="tokens whose keys and values are kept of finished requests: conversations go on from them",
    )

    @model_validator(mode="after")
    def _reachable(self) -> "SamplerConfig":
        if self.engine in ("server", "chat") and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(f"engine = {self.engine!r} needs endpoint, such as http://localhost:8000/v1")
        return self


class CurriculumConfig(_Section):
    tasks_per_step: int = Field(4, ge=1, description="T")
    drawn_per_task: int = Field(
        1,
        ge=1,
        description="tasks drawn for each that is used; above 1 they are probed for those solved half the time",
    )
    probes: int = Field(4, ge=2, description="plain samples of a drawn task")
    floor: float = Field(0.05, gt=0, le=1, description="least weight of a category, so that none is forgotten")
    memory: float = Field(0.9, gt=0, lt=1, description="how much of the running success rate a new result keeps")


class PipelineConfig(_Section):
    max_age: int = Field(
        2,
        ge=0,
        description="most updates between a group's start and its training; 0 repeats the synchronous loop exactly",
    )
    kv: Literal["auto", "keep", "recompute"] = Field(
        "auto",
        description="what new weights do to the keys and values of running requests; auto: keep them, but a server can "
        "only recompute. Under a grammar vLLM recomputes them in any case",
    )


Arm = Annotated[str, StringConstraints(pattern=r"^(plain|fixed|react|own|archive|file:.+|harbor:[a-z0-9-]+)$")]


class EvalConfig(_Section):
    arms: tuple[Arm, ...] = Field(
        ("plain", "fixed", "own"),
        min_length=1,
        description="plain: one sample; fixed: a hand-written card; react: one loop over all tools; own: the model's "
        "own scaffold; archive: the best one of the run that is evaluated, by category; file:PATH: one of yours; "
        "harbor:NAME: an agent of Harbor's, such as harbor:terminus-2",
    )
    samples: int = Field(1, ge=1, description="rollouts per held-out task and arm")
    temperature: float = Field(1.0, gt=0, description="of the model's choices in a scaffold; training's own explores")
    before: bool = Field(True, description="evaluate the untrained model too, after training")
    after: bool = Field(True, description="evaluate the trained model at the end")


class HarborConfig(_Section):
    python: str = Field("", description="the interpreter of an environment that has harbor and this package")
    environment: str = Field(
        "local", description="local: our sandbox, without a network; or an environment of Harbor's own, such as docker"
    )
    address: str = Field(
        "127.0.0.1", description="of this machine, where the model is offered: one that the environments can reach"
    )
    at_once: int = Field(4, ge=1, description="trials")
    options: dict[str, dict[str, Any]] = Field({}, description="by agent: more of its own options")


# Defaults that suit a card would cut every plan and program off.
_SIZES: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "plan": {"scaffold": {"max_tokens": 1024}, "rollout": {"token_budget": 8192, "call_tokens": 1024}},
    "program": {"scaffold": {"max_tokens": 4096}, "rollout": {"token_budget": 16384, "call_tokens": 1024}},
}


class Config(_Section):
    name: str = Field("run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="folder under runs/")
    seed: int = Field(0, description="of all that is random in a run, its tasks apart")
    steps: int = Field(20, ge=1, description="updates of the policy, each published as a version")
    checkpoint_every: int = Field(5, ge=1, description="steps")
    loop: Literal["sync", "async"] = Field("sync", description="async: sampling, grading and learning overlap")
    model: ModelConfig = ModelConfig()
    tasks: TasksConfig = TasksConfig()
    sandbox: SandboxConfig = SandboxConfig()
    verifier: VerifierConfig = VerifierConfig()
    monitor: MonitorConfig = MonitorConfig()
    judge: JudgeConfig = JudgeConfig()
    scaffold: ScaffoldConfig = ScaffoldConfig()
    rollout: RolloutConfig = RolloutConfig()
    algo: AlgoConfig = AlgoConfig()
    learner: LearnerConfig = LearnerConfig()
    sampler: SamplerConfig = SamplerConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    pipeline: PipelineConfig = PipelineConfig()
    eval: EvalConfig = EvalConfig()
    harbor: HarborConfig = HarborConfig()

    @model_validator(mode="before")
    @classmethod
    def _sized(cls, raw: Any) -> Any:
        """With the sizes of the tier where none are given."""
        sizes = _SIZES.get(_tier(raw), {}) if isinstance(raw, dict) else {}
        given = {name: raw.get(name, {}) for name in sizes}
        fitted = {name: {**sizes[name], **own} for name, own in given.items() if isinstance(own, dict)}
        return {**raw, **fitted} if fitted else raw


def _tier(raw: Mapping[str, Any]) -> str:
    """The tier that a configuration asks for, "card" where it says nothing or nonsense."""
    scaffold = raw.get("scaffold")
    return str(scaffold.get("tier", "card")) if isinstance(scaffold, dict) else "card"


def load_config(path: Path | None, overrides: list[str] | None = None) -> Config:
    """Read a TOML file (None: all defaults) and apply `section.key=value` overrides.

    Raises ConfigError naming the key at fault.
    """
    return parse_config(read_toml(path, overrides), str(path or "--set"))


def read_toml(path: Path | None, overrides: Sequence[str] | None = None) -> dict[str, Any]:
    """The tables of a TOML file (None: empty) with `section.key=value` overrides. Where these name another tier than
    the file, its sizes go, which were for that one. Raises ConfigError."""
    try:
        raw = tomllib.loads(path.read_text()) if path is not None else {}
    except FileNotFoundError as error:
        raise ConfigError(f"no configuration at {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: {error}") from error
    tier = _tier(raw)
    for item in overrides or []:
        _override(raw, item)
    said = [item.partition("=")[0].strip() for item in overrides or []]
    return raw if _tier(raw) == tier else _without_sizes(raw, said)


def _without_sizes(raw: Mapping[str, Any], but: Sequence[str]) -> dict[str, Any]:
    """Without the sizes of a tier, `but` those of these names."""
    kept = dict(raw)
    for section, sizes in _SIZES["plan"].items():
        if isinstance(own := raw.get(section), dict) and section not in but:
            kept[section] = {k: v for k, v in own.items() if k not in sizes or f"{section}.{k}" in but}
    return kept


def parse_config(raw: dict[str, Any], where: str) -> Config:
    """Validate. Raises ConfigError with one line for each wrong key."""
    return validated(Config, raw, where, "unknown key; see docs/CONFIG.md")


def validated(kind: type[_Model], raw: dict[str, Any], where: str, unknown: str) -> _Model:
    """`raw` as a `kind`. Raises ConfigError that says `unknown` of keys that are not known."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"]) or "(top level)"
            lines.append(f"{key}: {unknown if problem['type'] == 'extra_forbidden' else problem['msg']}")
        raise ConfigError(f"{where}: " + "; ".join(lines)) from error


def _override(raw: dict[str, Any], item: str) -> None:
    key, separator, text = item.partition("=")
    if not separator:
        raise ConfigError(f"{item!r} is not an override: write section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *sections, last = key.strip().split(".")
    place = raw
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{item!r}: {section} is not a section")
    place[last] = value


def imported(name: str, setting: str) -> Any:
    """What a setting names as "module:name". Importing runs that module, which is trusted like the configuration.

    Raises ConfigError where there is no such thing.
    """
    module, separator, attribute = name.partition(":")
    if not separator or not module or not attribute.isidentifier():
        raise ConfigError(f"{setting}: {name!r} is nothing to load; write 'module:name'")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever somebody else's module does when it is imported
        told = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{setting}: cannot load {name!r}: {told}; is its folder on PYTHONPATH?") from error


def dump_config(config: Config) -> str:
    """The resolved configuration as TOML, every default spelled out."""
    return tomli_w.dumps(config.model_dump(mode="json"))


def cache_dir() -> Path:
    """`$BOWERBIRD_CACHE`, or `bowerbird` under the user's cache folder."""
    if chosen := os.environ.get("BOWERBIRD_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bowerbird"
