"""ATIF trajectories, a run's own or others', as a run directory: `bowerbird export` the other way round.

A trajectory of ours comes back as the very transcript that it was. Of another agent's are taken its calls, with the
task's words; nothing is known of its verdict then.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bowerbird.config import Config, ModelConfig
from bowerbird.orchestrator.store import RunStore
from bowerbird.rollout.atif import completions, steps_of, text_of
from bowerbird.types import ConfigError, JsonValue, RunError, Stage, TaskView, Verdict

_VERDICT = TypeAdapter(Verdict)
_KEPT = ("verdict", "task_id", "scaffold_id", "log", "submission")  # of a rollout, besides its calls
_NOTHING: dict[str, JsonValue] = {"verdict": None, "scaffold_id": "", "log": [], "submission": {}}
_FILES = "trajectory*.json"  # as Harbor names them: a long one goes on in further files


@dataclass(frozen=True, slots=True)
class Imported:
    """One trajectory: the line that a run keeps of it, and what stands elsewhere."""

    step: int  # of training
    line: Mapping[str, JsonValue]
    instruction: str
    model: str
    verdict: Verdict | None


def read_trajectories(paths: Iterable[Path]) -> tuple[list[Imported], list[str]]:
    """Those of files and of folders (all files `trajectory*.json` below), and why each of the others was left out.
    Raises RunError where none can be used."""
    found: dict[tuple[str, str], Imported] = {}
    left_out = []
    for file in _files(paths):
        try:
            one = _read(file)
            key = one.line["stage"], one.line["id"]
            if key in found:
                raise RunError(f"another one is called {key[1]!r} too")
            found[key] = one
        except RunError as error:
            left_out.append(f"{file}: {error}")
    if not found:
        raise RunError("\n".join(["no trajectory with token ids and log-probabilities", *left_out[:10]]))
    return list(found.values()), left_out


def write_run(folder: Path, found: Sequence[Imported]) -> None:
    """A new run directory. Raises ConfigError for a name that is none, RunError where there already is a run."""
    try:
        config = Config(name=folder.name, model=ModelConfig(name=found[0].model or ModelConfig().name))
    except ValidationError as error:
        raise ConfigError(f"{folder.name!r} is no name for a run: letters, digits, dots and dashes") from error
    store = RunStore.create(folder.parent, config)
    try:
        tasks = {one.line["task_id"]: one.instruction for one in found if "task_id" in one.line}
        store.add_tasks(TaskView(name, "imported", text, "", ()) for name, text in tasks.items())
        for step in sorted({one.step for one in found}):
            store.add_transcripts(step, [(one.line, one.verdict) for one in found if one.step == step])
    finally:
        store.close()


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob(_FILES)) if path.is_dir() else [path]
    return found


def _read(file: Path) -> Imported:
    """Raises RunError for what is no trajectory of whole calls."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"cannot be read as JSON ({error})") from error
    try:
        return _imported(raw, file)
    except ValidationError as error:
        raise RunError(f"its verdict is none of ours ({error.error_count()} fields)") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise RunError(f"no ATIF trajectory: {type(error).__name__} {error}") from error


def _check(extra: Mapping[str, Any]) -> None:
    """What says where a line is kept: a file from elsewhere may say anything. Raises RunError."""
    step = extra["step"]
    names = (extra["task_id"], extra["scaffold_id"]) if extra["stage"] == Stage.SOLVE else ()
    if type(step) is not int or step < 0:
        raise RunError(f"its step is no number of one: {step!r}")
    if not all(isinstance(name, str) for name in names):
        raise RunError("its task or its scaffold is no name")


def _imported(raw: Mapping[str, Any], file: Path) -> Imported:
    calls = [asdict(call) for call in completions(raw)]
    name = str(raw.get("trajectory_id") or raw.get("session_id") or file)  # trajectories of a session may share its id
    if name in (".", ".."):
        raise RunError(f"{name!r} is no name")
    asked = next((text_of(step["message"]) for step in steps_of(raw) if step["source"] == "user"), name)
    model = str((raw.get("agent") or {}).get("model_name") or "")
    extra = raw.get("extra") or {}
    stage = extra.get("stage")
    line: dict[str, JsonValue] = {"stage": Stage.SOLVE.value, "id": name, "calls": calls}
    if stage in (Stage.SCAFFOLD, Stage.SOLVE):
        _check(extra)
    if stage == Stage.SCAFFOLD:
        return Imported(extra["step"], line | {"stage": stage}, asked, model, None)
    if stage == Stage.SOLVE:
        line |= {key: extra[key] for key in _KEPT}
        verdict = None if extra["verdict"] is None else _VERDICT.validate_python(extra["verdict"])
        return Imported(extra["step"], line, asked, model, verdict)
    if not calls:
        raise RunError("no call of a model in it")
    return Imported(1, line | {"task_id": name} | _NOTHING, asked, model, None)
