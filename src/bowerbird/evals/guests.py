"""Agents that are not ours as arms: Harbor runs them, in its own Python, against our model.

    task ──(its public half, as a Harbor directory)──▶ Harbor: agent ──▶ environment
    sampler ──▶ gateway ──(an address and a budget for each trial)──▲        │
    rollout ◀──(calls as sampled, files as they stand at the end)────────────┘

Harbor grades nothing here: what an agent leaves is a rollout like any other, so verifier, monitor and judge are the
same for all arms. The hidden half of a task never leaves this process.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from bowerbird.config import HarborConfig
from bowerbird.inference.gateway import Gateway, Line
from bowerbird.inference.protocol import Sampler
from bowerbird.orchestrator.progress import Watcher
from bowerbird.rollout.desk import READ_BYTES
from bowerbird.rollout.prompts import as_assert
from bowerbird.sandbox.beneath import open_beneath
from bowerbird.sandbox.collect import collect_files
from bowerbird.tasks.harbor import submission_note
from bowerbird.tasks.patch import is_control
from bowerbird.tasks.write import write_file
from bowerbird.types import WHOLE, ConfigError, Facts, Rollout, RunError, TaskError, TaskView

PREFIX = "harbor:"  # before the name of Harbor's agent, in the name of an arm
_LOCAL = "bowerbird.evals.harbor.environment:LocalEnvironment"
_MODEL = "openai/policy"  # the provider chooses the protocol, and the gateway does not care about the name
# What an arm with a budget of tokens wants: no second budget for summaries, and no recording tools that are fetched.
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "terminus-2": {"enable_summarize": False, "record_terminal_session": False, "suppress_max_turns_warning": True}
}
_CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
INSTALL = (
    "set harbor.python to the interpreter of an environment with `harbor` and this package (Python 3.12: "
    "`uv venv --python 3.12 HARBOR && uv pip install --python HARBOR harbor bowerbird`)"
)


@dataclass(frozen=True, slots=True)
class Guest:
    """One trial to come."""

    rollout_id: str
    scaffold_id: str
    task: TaskView
    agent: str  # as Harbor names it
    tokens: int
    seed: int


def run_guests(guests: Sequence[Guest], sampler: Sampler, settings: HarborConfig, watcher: Watcher) -> list[Rollout]:
    """All of them, in order. Nobody else may use the sampler meanwhile.

    Raises ConfigError where Harbor cannot be started, TaskError for a task that its environment cannot hold.
    """
    with tempfile.TemporaryDirectory(prefix="bowerbird-") as folder, closing(_gateway(sampler, settings)) as gateway:
        root = Path(folder)
        lines = {guest.rollout_id: gateway.line(guest.tokens, guest.seed) for guest in guests}
        trials = [_trial(root, guest, lines[guest.rollout_id], settings) for guest in guests]
        errors: dict[str, str | None] = {}
        watcher.phase("agents", 0, len(guests))
        for name, error in _run(trials, settings):
            errors[name] = error
            watcher.phase("agents", len(errors), len(guests))
        return [_rollout(root, guest, lines[guest.rollout_id], errors.get(guest.rollout_id, "")) for guest in guests]


def _gateway(sampler: Sampler, settings: HarborConfig) -> Gateway:
    try:
        return Gateway(sampler, settings.address)
    except OSError as error:
        raise ConfigError(f"harbor.address: cannot listen on {settings.address}: {error.strerror}") from error


def _trial(root: Path, guest: Guest, line: Line, settings: HarborConfig) -> dict[str, Any]:
    """As Harbor's TrialConfig has it; the task's directory is written, once for all its trials."""
    task = root / "tasks" / guest.task.task_id.replace("/", "-")
    if not task.exists():
        write_public(task, guest.task, local=settings.environment == "local")
    whole, folder = guest.task.submission == WHOLE, folder_of(guest.task)
    options = {**_OPTIONS.get(guest.agent, {}), **settings.options.get(guest.agent, {})}
    local = settings.environment == "local"
    return {
        "trial_name": guest.rollout_id,
        "trials_dir": str(root / "trials"),
        "task": {"path": str(task)},
        "agent": {"name": guest.agent, "model_name": _MODEL, "base_url": line.url, "kwargs": options},
        "environment": {"import_path": _LOCAL} if local else {"type": settings.environment},
        "verifier": {"disable": True},
        "artifacts": [folder] if whole else [f"{folder}/{name}" for name in guest.task.submission],
    }


def folder_of(task: TaskView) -> str:
    """Where an agent works: where the task's image has its files, if it has one."""
    return task.folder or "/app"


def write_public(root: Path, task: TaskView, *, local: bool) -> None:
    """What an agent may know of a task, as a Harbor directory that nobody can grade with. Raises TaskError for what
    its environment cannot give: an image or a network where there is none."""
    if task.requirements or (local and task.image):
        wanted = "packages of its own" if task.requirements else "a container image"
        raise TaskError(f"{task.task_id} needs {wanted}, which Harbor's agents are not given here: leave that arm out")
    notes = [task.instruction]
    if task.entry_point and task.examples:
        notes.append("It must satisfy:\n" + "\n".join(as_assert(task.entry_point, case) for case in task.examples))
    if task.submission != WHOLE:
        notes.append(submission_note(task.submission))
    if task.visible:
        notes.append(f"`{' '.join(task.visible)}` runs the tests that there are.")
    image, folder = task.image or "python:3.12-slim", folder_of(task)
    files: dict[str, str | bytes] = {
        "task.toml": tomli_w.dumps({"schema_version": "1.4", "agent": {"timeout_sec": 1800.0}}),
        "instruction.md": "\n\n".join(notes) + "\n",
        "environment/Dockerfile": f"FROM {image}\nWORKDIR {folder}\nCOPY workspace/ {folder}/\n",
        "environment/workspace/.keep": "",
        "tests/test.sh": "#!/bin/sh\nexit 1\n",
    }
    files |= {f"environment/workspace/{name}": data for name, data in task.workspace.items()}
    for name, data in files.items():
        write_file(root, name, data)


def _run(trials: Sequence[Mapping[str, Any]], settings: HarborConfig) -> Iterator[tuple[str, str | None]]:
    """Each trial that has ended, with what went wrong. Raises ConfigError, RunError."""
    if not settings.python or shutil.which(settings.python) is None:
        raise ConfigError(f"arms of Harbor's need its Python, and there is none at {settings.python!r}: {INSTALL}")
    told = os.environ | {"OPENAI_API_KEY": "none", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [settings.python, "-m", "bowerbird.evals.harbor.trials"]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=told) as harbor:
            assert harbor.stdin is not None
            assert harbor.stdout is not None
            try:
                harbor.stdin.write(json.dumps({"at_once": settings.at_once, "trials": trials}).encode())
                harbor.stdin.close()
                for line in harbor.stdout:
                    found = json.loads(line)
                    yield found["name"], found["error"]
            except BrokenPipeError:
                pass  # it says why, below
            finally:
                harbor.terminate()
        if harbor.returncode != 0:
            said.seek(max(0, said.seek(0, os.SEEK_END) - 1500))
            raise RunError(f"Harbor ended with {harbor.returncode}: {said.read().decode(errors='replace')}\n{INSTALL}")


def _rollout(root: Path, guest: Guest, line: Line, error: str | None) -> Rollout:
    """What an agent left. One that never asked the model, and failed, was lost by the machinery."""
    task = guest.task
    found = root / "trials" / guest.rollout_id / "artifacts" / folder_of(task).lstrip("/")
    names = task.submission if task.submission != WHOLE else _listed(found)
    collected = collect_files(lambda name: _open(found, name), names, READ_BYTES)
    files = collected.files
    if task.submission == WHOLE:
        files = {name: data for name, data in files.items() if task.workspace.get(name) != data}
    return Rollout(
        rollout_id=guest.rollout_id,
        task_id=task.task_id,
        scaffold_id=guest.scaffold_id,
        calls=tuple(line.calls),
        submission=files,
        anomalies=collected.anomalies,
        facts=Facts(),
        failure=None if any(data.strip() for data in files.values()) else "no_code",
        infra_error=f"{guest.agent}: {error}" if error is not None and not line.calls else None,
        log=({"event": "agent", "name": guest.agent, "error": error},),
    )


def _listed(folder: Path) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return [name for name in names if not is_control(name) and not _CACHES & set(Path(name).parts) and name != ".keep"]


def _open(folder: Path, name: str) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_beneath(descriptor, name)
    finally:
        os.close(descriptor)
